"""The cards without a page: contact lost, and a page that somebody took care of. GUI thread."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.ui.buttons import ActionButton, Look
from desktop.ui.card import FaceView
from desktop.ui.page_card import card_margins
from desktop.ui.page_view import Face
from desktop.ui.theme import Mark, Theme


class LostCard(QWidget):
    """A connection that cannot be trusted now. ``try_now`` carries the connection's id."""

    try_now = Signal(str)
    silence = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._connection = ""
        self.face = FaceView(theme)
        self.try_button = ActionButton(theme, "Try now", look=Look.PRIMARY)
        self.try_button.set_mark(Mark.LOST)
        self.silence_button = ActionButton(theme, "Silence")
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.px(8))
        buttons.addWidget(self.try_button, 1)
        buttons.addWidget(self.silence_button)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(*card_margins(theme))
        whole.setSpacing(theme.px(12))
        whole.addWidget(self.face)
        whole.addLayout(buttons)
        self.try_button.clicked.connect(self._try)
        self.silence_button.clicked.connect(self.silence)

    def show_lost(self, connection: str, face: Face) -> None:
        """Show ``face`` of ``connection``."""
        self._connection = connection
        self.face.show_face(face)
        self.try_button.set_words("Try now", f"Try {face.foot_right} now")

    @Slot()
    def _try(self) -> None:
        self.try_now.emit(self._connection)


class GoneCard(QWidget):
    """A page that went away: by whom, for a few seconds, nothing to press."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.face = FaceView(theme)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(*card_margins(theme))
        whole.addWidget(self.face)

    def show_gone(self, face: Face) -> None:
        """Show ``face``."""
        self.face.show_face(face)
