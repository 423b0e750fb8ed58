"""The parts that every card of the pop-up shares: the face (chip, title, text, ring) and the foot. GUI thread."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.ui.page_view import Face
from desktop.ui.ring import CountdownRing
from desktop.ui.shapes import MarkIcon
from desktop.ui.text_block import TextBlock
from desktop.ui.theme import EDGE, Theme
from desktop.ui.words import plural


class FaceView(QWidget):
    """The upper part of a card: what happened, to what, and the ring beside it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mark = MarkIcon(theme, 14)
        self.chip = TextBlock(theme, size=12, weight=700)
        self.meta = TextBlock(theme, size=12, ink="ink3", tabular=True)
        self.title = TextBlock(theme, size=17, weight=700, max_lines=3)
        self.text = TextBlock(theme, size=13, ink="ink2", max_lines=5)
        self.ring = CountdownRing(theme)
        head = QHBoxLayout()
        head.setSpacing(theme.px(6))
        head.addWidget(self.mark)
        head.addWidget(self.chip)
        head.addWidget(self.meta, 1)
        left = QVBoxLayout()
        left.setSpacing(theme.px(4))
        left.addLayout(head)
        left.addSpacing(theme.px(4))
        left.addWidget(self.title)
        left.addSpacing(theme.px(2))
        left.addWidget(self.text)
        left.addStretch(1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.px(16))
        whole.addLayout(left, 1)
        whole.addWidget(self.ring, 0, Qt.AlignmentFlag.AlignTop)

    def show_face(self, face: Face) -> None:
        """Show ``face``."""
        self.mark.set_mark(face.mark)
        self.chip.set_ink(face.mark)
        self.chip.say(face.chip)
        self.meta.say(face.meta)
        self.title.say(face.title)
        self.text.say(*face.text)
        self.ring.show_state(face.ring)


class Foot(QWidget):
    """The quiet line at the bottom: from where, and who was paged. The frame paints its ground, corners and all."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.left = TextBlock(theme, size=12, ink="ink3", tabular=True)
        self.right = TextBlock(theme, size=12, ink="ink3", align=Qt.AlignmentFlag.AlignRight)
        line = QHBoxLayout(self)
        line.setContentsMargins(theme.px(EDGE + 18), theme.px(8), theme.px(18), theme.px(8))
        line.setSpacing(theme.px(16))
        line.addWidget(self.left)
        line.addStretch(1)
        line.addWidget(self.right)

    def show_face(self, face: Face, more: int) -> None:
        """Show the foot of ``face``, and that ``more`` pages are below it."""
        below = f"{plural(more, 'more page', 'more pages')} below" if more else ""
        self.left.say(face.foot_left)
        self.right.say(" · ".join(part for part in (face.foot_right, below) if part))
