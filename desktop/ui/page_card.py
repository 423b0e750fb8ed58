"""The card of one page: face, what became of my command, and the buttons. GUI thread."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from desktop.ui.buttons import ActionButton, Look
from desktop.ui.card import FaceView
from desktop.ui.page_view import PageView
from desktop.ui.text_block import TextBlock
from desktop.ui.theme import EDGE, Mark, Theme

MUTE_SECONDS = 300


def card_margins(theme: Theme) -> tuple[int, int, int, int]:
    """Return the margins of a card's inside: the accent edge is left of it."""
    return theme.px(EDGE + 18), theme.px(16), theme.px(18), theme.px(14)


class PageCard(QWidget):
    """One page in full. ``acknowledge`` carries connection and incident id; ``mute`` seconds (0: sound on again)."""

    acknowledge = Signal(str, str)
    mute = Signal(int)
    link = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view: PageView | None = None
        self._muted = False
        self.face = FaceView(theme)
        self.note = TextBlock(theme, size=12, ink="ink2", max_lines=4)
        self.acknowledge_button = ActionButton(theme, "Acknowledge", look=Look.PRIMARY, hint="Ctrl ↵")
        self.mute_button = ActionButton(theme, "Mute 5 min")
        self.more_button = ActionButton(theme, "⋯")
        self.more_button.set_words("⋯", "More about this page")
        self.menu = QMenu(self)
        self.browser_action = QAction("Open in browser…", self.menu)
        self.runbook_action = QAction("Runbook…", self.menu)
        self.menu.addActions([self.browser_action, self.runbook_action])
        self._lay_out(theme)
        self.acknowledge_button.clicked.connect(self.press)
        self.mute_button.clicked.connect(self._mute)
        self.more_button.clicked.connect(self._more)
        self.browser_action.triggered.connect(self._open_browser)
        self.runbook_action.triggered.connect(self._open_runbook)

    def _lay_out(self, theme: Theme) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.px(8))
        buttons.addWidget(self.acknowledge_button, 1)
        buttons.addWidget(self.mute_button)
        buttons.addWidget(self.more_button)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(*card_margins(theme))
        whole.setSpacing(theme.px(8))
        whole.addWidget(self.face)
        whole.addWidget(self.note)
        whole.addSpacing(theme.px(4))
        whole.addLayout(buttons)

    def show_page(self, view: PageView, muted_until: str = "") -> None:
        """Show ``view``; ``muted_until`` is a local time while the sound is off, else empty."""
        self._view, self._muted = view, bool(muted_until)
        self.face.show_face(view.face)
        note = view.note or (f"Sound off until {muted_until}" if muted_until else "")
        self.note.set_ink(Mark.SEV0 if view.note_bad else "ink2")
        self.note.say(note)
        self.note.setVisible(bool(note))
        self._show_buttons(view)

    def _show_buttons(self, view: PageView) -> None:
        words = "Sending…" if view.busy else "Acknowledge"
        self.acknowledge_button.set_words(words, f"{words} {view.face.chip}: {view.face.title}")
        self.acknowledge_button.set_mark(view.face.mark)
        if view.busy and self.window().focusWidget() is self.acknowledge_button:
            # Else the focus would pass to the next button, and a second key press would press that.
            self.window().setFocus(Qt.FocusReason.OtherFocusReason)
        self.acknowledge_button.setEnabled(not view.busy)
        self.mute_button.set_words("Unmute" if self._muted else "Mute 5 min")
        self.browser_action.setVisible(bool(view.browser))
        self.runbook_action.setVisible(bool(view.runbook))
        self.more_button.setVisible(bool(view.browser or view.runbook))

    @property
    def view(self) -> PageView | None:
        """What is shown."""
        return self._view

    @Slot()
    def press(self) -> None:
        """Acknowledge the page shown, unless that is on its way."""
        if self._view is not None and not self._view.busy:
            self.acknowledge.emit(*self._view.key)

    @Slot()
    def _mute(self) -> None:
        self.mute.emit(0 if self._muted else MUTE_SECONDS)

    @Slot()
    def _more(self) -> None:
        self.menu.popup(self.more_button.mapToGlobal(self.more_button.rect().bottomLeft()))

    @Slot()
    def _open_browser(self) -> None:
        if self._view is not None:
            self.link.emit(self._view.browser)

    @Slot()
    def _open_runbook(self) -> None:
        if self._view is not None:
            self.link.emit(self._view.runbook)
