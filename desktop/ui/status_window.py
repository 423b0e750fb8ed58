"""The status window: who is on call, until when, what is open, what works. It stands in where there is no tray."""

from datetime import datetime

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from desktop.domain.attention import Attention, ConnectionState
from desktop.ui import summary, words
from desktop.ui.buttons import ActionButton
from desktop.ui.clock import SECOND_MS, Clock
from desktop.ui.icons import tray_icon
from desktop.ui.notices import Notices
from desktop.ui.page_card import MUTE_SECONDS
from desktop.ui.status_parts import PageLines, Section
from desktop.ui.switch import Switch
from desktop.ui.text_block import Ink, TextBlock
from desktop.ui.theme import Mark, Theme

WIDTH = 340
HEIGHT = 600
_THIN_BAR = (
    "QScrollBar { width: 8px; background: transparent; }"
    "QScrollBar::handle { background: rgba(128, 128, 128, 110); border-radius: 4px; min-height: 24px; }"
    "QScrollBar::add-line, QScrollBar::sub-line { height: 0; }"
    "QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }"
)


class StatusWindow(QWidget):
    """Shows the whole watch at a glance.

    ``mute`` carries seconds (0: sound on again), ``notice_pressed`` the key of the notice whose button was pressed,
    ``autostart`` whether Watchbell shall start at login; ``opened`` comes when it is shown.
    """

    test_page = Signal()
    mute = Signal(int)
    notice_pressed = Signal(str)
    autostart = Signal(bool)
    opened = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.setWindowTitle("Watchbell")
        self._theme = theme
        self._clock = Clock(self)
        self._attention: Attention | None = None
        self._states: tuple[ConnectionState, ...] = ()
        self._stays = False
        self._machine: dict[str, tuple[str, bool]] = {}
        self.big = TextBlock(theme, size=20, weight=700, max_lines=2)
        self.lines = TextBlock(theme, size=12, ink="ink3", max_lines=4, tabular=True)
        self.reason = TextBlock(theme, size=12, ink="ink3", max_lines=3)
        self.notices, self.pages = Notices(theme), PageLines(theme)
        self.roster, self.connections = Section(theme, "On call now"), Section(theme, "Connections")
        self.machine = Section(theme, "This machine")
        self.autostart_switch = Switch(theme, "Start at login")
        self.autostart_switch.hide()
        self._inside = QWidget()
        self._sized = False
        self.test_button = ActionButton(theme, "Test page", grows=True)
        self.mute_button = ActionButton(theme, "Mute 5 min", grows=True)
        self._lay_out()
        self._clock.ticked.connect(self._refresh)
        self.test_button.clicked.connect(self.test_page)
        self.mute_button.clicked.connect(self._mute)
        self.notices.pressed.connect(self.notice_pressed)
        self.autostart_switch.clicked.connect(self.autostart)
        theme.changed.connect(self.update)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.resize(theme.px(WIDTH), theme.px(HEIGHT))

    def _lay_out(self) -> None:
        theme = self._theme
        side, gap = theme.px(20), theme.px(16)
        inside = self._inside
        column = QVBoxLayout(inside)
        column.setContentsMargins(side, gap, side, gap)
        column.setSpacing(0)
        column.addWidget(self.big)
        column.addSpacing(theme.px(2))
        for part in (self.lines, self.notices, self.pages, self.roster, self.connections, self.machine):
            column.addWidget(part)
        column.addWidget(self.autostart_switch)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._scrolled(inside), 1)
        self._bottom = self._foot(side, gap)
        whole.addLayout(self._bottom)
        self.setMinimumSize(theme.px(280), theme.px(240))

    def _foot(self, side: int, gap: int) -> QVBoxLayout:
        buttons = QHBoxLayout()
        buttons.setSpacing(self._theme.px(8))
        buttons.addWidget(self.test_button, 1)
        buttons.addWidget(self.mute_button, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(side, self._theme.px(8), side, gap)
        foot.setSpacing(self._theme.px(12))
        foot.addLayout(buttons)
        foot.addWidget(self.reason)
        self.reason.hide()
        return foot

    def _scrolled(self, inside: QWidget) -> QScrollArea:
        area = QScrollArea(self)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        # The window's own ground shows through; setWidget() turned the filling on.
        inside.setAutoFillBackground(False)
        area.viewport().setAutoFillBackground(False)
        area.verticalScrollBar().setStyleSheet(_THIN_BAR)
        return area

    @Slot(object, object, object)
    def show_attention(self, attention: Attention, states: tuple[ConnectionState, ...], now: datetime) -> None:
        """Show ``attention`` and what each connection's state says at ``now`` (aware, local clock)."""
        self._clock.set(now)
        self._attention, self._states = attention, states
        self.setWindowIcon(tray_icon(attention.tray, len(attention.pages)))
        if self.isVisible():
            self._refresh()

    @Slot(str, object)
    def set_notice(self, key: str, text: str | None, button: str = "") -> None:
        """Show a warning (plain text) under ``key`` until it is taken back with None; ``button`` has those words."""
        self.notices.set_notice(key, text, button)

    def set_autostart(self, on: bool | None) -> None:
        """Show whether Watchbell starts at login; None where that cannot be set here."""
        self.autostart_switch.setVisible(on is not None)
        self.autostart_switch.setChecked(bool(on))

    def set_machine(self, name: str, value: str, *, good: bool) -> None:
        """Show what of this machine works: ``set_machine("Sound", "ready", good=True)``."""
        self._machine[name] = (value, good)
        self._show_machine()

    def stay(self, reason: str | None) -> None:
        """Be always there, saying why in one line (there is no tray); None: be an ordinary window again."""
        self._stays = reason is not None
        self.reason.say(reason or "")
        self.reason.setVisible(self._stays)

    @Slot()
    def _refresh(self) -> None:
        if self._attention is None:
            return
        now = self._clock.now()
        head = summary.headline(self._attention, self._states, now)
        self.big.say(head.text)
        self.big.set_ink(head.mark if head.mark is not None else "ink")
        self.lines.say("\n".join(head.lines))
        self.lines.setVisible(bool(head.lines))
        self.pages.show_pages(self._attention.pages, summary.pages_line(self._attention) + ".")
        self.roster.show_facts([(role, people, "ink3") for role, people in summary.roster(self._states)])
        self.connections.show_facts([self._connection(s, now) for s in self._states])
        self._show_machine()
        self.mute_button.set_words("Unmute" if self._muted_until() is not None else "Mute 5 min")
        self._clock.tick_in(SECOND_MS)

    def _connection(self, state: ConnectionState, now: datetime) -> tuple[str, str, Ink]:
        text, mark = summary.freshness(state, now)
        return words.name_of(state.name), text, mark if mark is not None else "ink3"

    def _show_machine(self) -> None:
        facts: list[tuple[str, str, Ink]] = []
        for name, (value, good) in self._machine.items():
            facts.append((name, value, "ink3" if good else Mark.SEV2))
        if self._attention is not None and (until := self._muted_until()) is not None:
            facts.append(("Sound off", f"until {words.local_time(until, self._clock.now())}", Mark.SEV2))
        self.machine.show_facts(facts)

    def _muted_until(self) -> datetime | None:
        until = self._attention.muted_until if self._attention is not None else None
        return until if until is not None and self._clock.now() < until else None

    @Slot()
    def _mute(self) -> None:
        self.mute.emit(0 if self._muted_until() is not None else MUTE_SECONDS)

    @property
    def ticking(self) -> bool:
        """Whether a timer runs; never while hidden."""
        return self._clock.running

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Be up to date from the first picture on."""
        super().showEvent(event)
        self._refresh()
        self.opened.emit()
        if not self._sized and self._attention is not None:
            self._sized = True
            self._fit()

    def _fit(self) -> None:
        """Take the height of what there is to say, as far as the screen allows; later the person decides."""
        inside, foot = self._inside.layout(), self._bottom.sizeHint().height()
        if inside is None:
            return
        wanted = inside.totalHeightForWidth(self.width()) + foot
        self.resize(self.width(), min(wanted, self.screen().availableGeometry().height() - 80))

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Stop the clock."""
        self._clock.stop()
        super().hideEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the ground."""
        QPainter(self).fillRect(self.rect(), self._theme.colours.ground2)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Get smaller instead of away while it stands in for the tray."""
        if self._stays and event.spontaneous():
            event.ignore()
            self.showMinimized()
        else:
            super().closeEvent(event)
