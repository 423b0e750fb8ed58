"""A question in a small window that blocks nobody: opened, not executed, plain text only. GUI thread."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QMessageBox, QWidget


class Question(QObject):
    """Asks once; ``yes`` is called when the person agrees. Cancel is the default and what Escape means."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._yes: Callable[[], None] | None = None
        self._box: QMessageBox | None = None

    def ask(self, text: str, detail: str, agree: str, yes: Callable[[], None], over: QWidget | None = None) -> None:
        """Ask ``text`` with ``detail`` below; ``agree`` is the word on the button that calls ``yes``."""
        self.withdraw()
        box = QMessageBox(over)
        box.setWindowTitle("Watchbell")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(text)
        box.setInformativeText(detail)
        box.addButton(agree, QMessageBox.ButtonRole.AcceptRole)
        cancel = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(cancel)
        box.setEscapeButton(cancel)
        box.accepted.connect(self._accepted)
        box.finished.connect(self._finished)
        self._yes, self._box = yes, box
        box.open()

    @property
    def box(self) -> QMessageBox | None:
        """The window while it is asking."""
        return self._box

    def withdraw(self) -> None:
        """Ask no longer."""
        self._yes = None
        if self._box is not None:
            self._box.reject()

    @Slot()
    def _accepted(self) -> None:
        yes, self._yes = self._yes, None
        if yes is not None:
            yes()

    @Slot()
    def _finished(self) -> None:
        box, self._box = self._box, None
        if box is not None:
            box.deleteLater()
