"""Asks before a link from outside is opened, showing where it leads; inside the pop-up, no dialog. GUI thread."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.ui.buttons import ActionButton
from desktop.ui.text_block import TextBlock
from desktop.ui.theme import EDGE, Theme


class LinkAsk(QWidget):
    """Shows the whole address and two buttons; ``open_link`` carries the address when the answer is yes."""

    open_link = Signal(str)
    answered = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._url = ""
        self.question = TextBlock(theme, size=12, weight=600, ink="ink2")
        self.question.say("Open this in your browser?")
        self.address = TextBlock(theme, size=12, max_lines=3)
        self.open_button = ActionButton(theme, "Open", small=True)
        self.cancel_button = ActionButton(theme, "Cancel", small=True)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.px(8))
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.cancel_button)
        buttons.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(theme.px(EDGE + 18), 0, theme.px(18), theme.px(14))
        whole.setSpacing(theme.px(4))
        whole.addWidget(self.question)
        whole.addWidget(self.address)
        whole.addSpacing(theme.px(4))
        whole.addLayout(buttons)
        self.open_button.clicked.connect(self._open)
        self.cancel_button.clicked.connect(self.dismiss)
        self.hide()

    def ask(self, url: str) -> None:
        """Ask about ``url``, which is http(s)."""
        self._url = url
        self.address.say(url)
        self.open_button.set_words("Open", f"Open {url}")
        self.show()
        self.cancel_button.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def dismiss(self) -> None:
        """Forget the question."""
        self._url = ""
        if not self.isHidden():
            self.hide()
            self.answered.emit()

    @Slot()
    def _open(self) -> None:
        url = self._url
        self.dismiss()
        if url:
            self.open_link.emit(url)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Escape is no."""
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)
