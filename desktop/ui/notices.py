"""The status window's notices: what is wrong with the watch itself, each with what can be done about it. GUI thread."""

from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from desktop.ui import words
from desktop.ui.buttons import ActionButton
from desktop.ui.shapes import MarkIcon
from desktop.ui.text_block import TextBlock
from desktop.ui.theme import RADIUS_BUTTON, Mark, Theme


class Notice(QWidget):
    """A warning that stays until its cause is gone, or a person presses its button; ``pressed`` carries its key."""

    pressed = Signal(str)

    def __init__(self, theme: Theme, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._key = theme, key
        self.mark = MarkIcon(theme, 13)
        self.mark.set_mark(Mark.SEV2)
        self.text = TextBlock(theme, size=12, ink="ink", max_lines=10)
        self.button = ActionButton(theme, "", small=True)
        self.button.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(theme.px(12), theme.px(10), theme.px(12), theme.px(10))
        grid.setSpacing(theme.px(8))
        grid.addWidget(self.mark, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.text, 0, 1)
        grid.addWidget(self.button, 1, 1, Qt.AlignmentFlag.AlignLeft)
        grid.setColumnStretch(1, 1)
        self.button.clicked.connect(self._press)
        theme.changed.connect(self.update)

    def say(self, text: str, button: str) -> None:
        """Show ``text``, and a button with the words ``button`` unless they are empty."""
        self.text.say(words.title_of(text))
        self.button.set_words(button, f"{button}: {text}" if button else "")
        self.button.setVisible(bool(button))

    @Slot()
    def _press(self) -> None:
        self.pressed.emit(self._key)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint its ground."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # Its button has the ground that other buttons have, and must stand out.
        painter.setPen(QPen(self._theme.colours.line, 1))
        painter.setBrush(self._theme.colours.ground)
        radius = self._theme.px(RADIUS_BUTTON)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)


class Notices(QWidget):
    """Notices by key, in the order in which they came; ``pressed`` carries the key of the one whose button it was."""

    pressed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.by_key: dict[str, Notice] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, theme.px(12), 0, 0)
        self._column.setSpacing(theme.px(8))
        self.hide()

    def set_notice(self, key: str, text: str | None, button: str = "") -> None:
        """Show ``text`` under ``key``, with a button of those words if any; None takes it back."""
        notice = self.by_key.get(key)
        if text is None:
            if notice is not None:
                del self.by_key[key]
                self._column.removeWidget(notice)
                notice.hide()
                notice.deleteLater()
        else:
            if notice is None:
                notice = self.by_key[key] = Notice(self._theme, key)
                notice.pressed.connect(self.pressed)
                self._column.addWidget(notice)
                notice.show()
            notice.say(text, button)
        self.setVisible(bool(self.by_key))
