"""The compact rows below the card, at most four, and how many more there are. GUI thread."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.ui.buttons import ActionButton, Look
from desktop.ui.page_view import RowView
from desktop.ui.shapes import MarkIcon
from desktop.ui.text_block import TextBlock
from desktop.ui.theme import EDGE, Theme

MOST_ROWS = 4


class Row(QWidget):
    """One line: shape, title, digits, button. ``pressed`` carries the row's key."""

    pressed = Signal(str, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._view: RowView | None = None
        self.mark = MarkIcon(theme, 13)
        self.title = TextBlock(theme, size=13)
        self.right = TextBlock(theme, size=13, weight=600, ink="ink2", tabular=True, align=Qt.AlignmentFlag.AlignRight)
        self.button = ActionButton(theme, "Acknowledge", look=Look.TINTED, small=True)
        line = QHBoxLayout(self)
        line.setContentsMargins(theme.px(EDGE + 18), theme.px(6), theme.px(18), theme.px(6))
        line.setSpacing(theme.px(8))
        line.addWidget(self.mark)
        line.addWidget(self.title, 1)
        line.addWidget(self.right)
        line.addWidget(self.button)
        self.button.clicked.connect(self._press)
        theme.changed.connect(self.update)

    def show_row(self, view: RowView) -> None:
        """Show ``view``."""
        self._view = view
        self.mark.set_mark(view.mark)
        self.title.say(view.title)
        self.right.say(view.right)
        self.button.setVisible(bool(view.button))
        self.button.set_words(view.button, view.spoken)
        self.button.set_mark(view.mark)
        self.button.setEnabled(view.enabled)

    @property
    def view(self) -> RowView | None:
        """What is shown."""
        return self._view

    @Slot()
    def _press(self) -> None:
        if self._view is not None and self._view.enabled:
            self.pressed.emit(*self._view.key)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the line above it."""
        left = self._theme.px(EDGE + 18)
        QPainter(self).fillRect(left, 0, self.width() - left - self._theme.px(18), 1, self._theme.colours.line)


class RowList(QWidget):
    """Up to four rows and "and 196 more"; the row widgets are made once and kept."""

    pressed = Signal(str, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = [Row(theme) for _ in range(MOST_ROWS)]
        self.more = TextBlock(theme, size=12, ink="ink3")
        self.more.setContentsMargins(0, 0, 0, 0)
        more_line = QHBoxLayout()
        more_line.setContentsMargins(theme.px(EDGE + 18 + 13 + 8), theme.px(2), theme.px(18), theme.px(8))
        more_line.addWidget(self.more)
        self._more_box = QWidget()
        self._more_box.setLayout(more_line)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, theme.px(4))
        column.setSpacing(0)
        for row in self.rows:
            column.addWidget(row)
            row.pressed.connect(self.pressed)
        column.addWidget(self._more_box)

    def show_rows(self, views: list[RowView], more: int) -> None:
        """Show ``views`` (at most four) and that ``more`` pages are not shown."""
        for index, row in enumerate(self.rows):
            if index < len(views):
                row.show_row(views[index])
            row.setVisible(index < len(views))
        self.more.say(f"and {more} more" if more else "")
        self._more_box.setVisible(more > 0)
        self.setVisible(bool(views))
