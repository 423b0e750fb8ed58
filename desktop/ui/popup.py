"""The pop-up: the most urgent page in full, the others below, all of it from one ``Attention``. GUI thread."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from PySide6.QtCore import QElapsedTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut

from desktop.domain.attention import Attention
from desktop.qt.compositor import composited
from desktop.ui import page_view
from desktop.ui.card import Foot
from desktop.ui.clock import Clock, next_tick
from desktop.ui.drain import Drain, key_of
from desktop.ui.frame import Frame
from desktop.ui.goodbyes import Goodbyes
from desktop.ui.link_ask import LinkAsk
from desktop.ui.page_card import PageCard
from desktop.ui.page_view import Face, Key
from desktop.ui.quiet_cards import GoneCard, LostCard
from desktop.ui.rows import MOST_ROWS, RowList
from desktop.ui.theme import Theme
from desktop.ui.words import local_time

# A window that appears, or changes its page, under a finger already coming down must not be pressed by it.
GUARD_MS = 400


class PagePopup(Frame):
    """Shows what demands attention and asks for what the person wants; hides itself when there is nothing.

    ``acknowledge`` carries connection and incident id, ``mute`` seconds (0: sound on again), ``try_now`` a connection.
    """

    acknowledge = Signal(str, str)
    mute = Signal(int)
    try_now = Signal(str)
    silence = Signal()
    open_link = Signal(str)

    def __init__(self, theme: Theme, *, blends: Callable[[], bool] = composited, guard_ms: int = GUARD_MS) -> None:
        super().__init__(theme, blends=blends)
        self.setWindowTitle("Watchbell: page")
        self.setAccessibleName("Watchbell: page")
        self._attention: Attention | None = None
        self._guard_ms = guard_ms
        self._shown_key: Key | None = None
        self._steady = QElapsedTimer()
        self._clock, self._drain, self._goodbyes = Clock(self), Drain(), Goodbyes()
        self.page_card, self.lost_card, self.gone_card = PageCard(theme), LostCard(theme), GoneCard(theme)
        self.link_ask, self.row_list, self.foot = LinkAsk(theme), RowList(theme), Foot(theme)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        parts = (self.page_card, self.lost_card, self.gone_card, self.link_ask, self.row_list, self.foot)
        for part in parts:
            self.column.addWidget(part)

    def _connect(self) -> None:
        self.page_card.acknowledge.connect(self._acknowledge)
        self.page_card.mute.connect(self.mute)
        self.page_card.link.connect(self._ask_link)
        self.lost_card.try_now.connect(self.try_now)
        self.lost_card.silence.connect(self.silence)
        self.row_list.pressed.connect(self._row_pressed)
        self.link_ask.open_link.connect(self.open_link)
        self.link_ask.answered.connect(self.fit)
        self._clock.ticked.connect(self._refresh)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            QShortcut(QKeySequence(keys), self).activated.connect(self.page_card.press)

    def foot_top(self) -> int:
        """Return where the foot begins."""
        return self.foot.y()

    @Slot(object, object)
    def show_attention(self, attention: Attention, now: datetime) -> None:
        """Show ``attention`` at ``now`` (aware, local clock), as far as it takes a piece of the screen."""
        before = self._attention.pages if self._attention is not None and self.isVisible() else ()
        known = {key_of(p) for p in before}
        # What is old does not come up by itself; what was there when the machine fell asleep stays.
        pages = tuple(p for p in attention.pages if p.pops_up and (not p.old or key_of(p) in known))
        attention = replace(attention, pages=pages)
        self._clock.set(now)
        self._goodbyes.follow(before, attention, now)
        self._drain.follow(attention.pages, now)
        self._attention = attention
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        if self._attention is None:
            return
        now = self._clock.now()
        self._goodbyes.expire(now)
        face = self._show_card(self._attention, now)
        if face is None:
            self.hide()
            return
        self._show_rows(self._attention, now)
        self.foot.show_face(face, max(len(self._attention.pages) - 1, 0))
        self.set_mark(face.mark)
        self.fit()
        self.appear()
        self._tick(self._attention, now)

    def _show_card(self, attention: Attention, now: datetime) -> Face | None:
        """Show the one card that matters most; return its face, None when there is nothing to show."""
        lost = next((x for x in attention.lost if x.loud), None)
        gone = self._goodbyes.latest()
        key: Key | None = None
        face: Face | None = None
        if attention.pages:
            key, face = self._show_page(attention, now)
        elif lost is not None:
            key, face = (lost.connection, ""), page_view.lost_face(lost, now, on_call=bool(attention.on_call))
            self.lost_card.show_lost(lost.connection, face)
        elif gone is not None:
            face = page_view.gone_face(gone, now)
            self.gone_card.show_gone(face)
        self.page_card.setVisible(bool(attention.pages))
        self.lost_card.setVisible(not attention.pages and lost is not None)
        self.gone_card.setVisible(not attention.pages and lost is None and gone is not None)
        self._note_change(key)
        return face

    def _show_page(self, attention: Attention, now: datetime) -> tuple[Key, Face]:
        page = attention.pages[0]
        view = page_view.page_view(page, now, self._drain.fraction(page, now))
        until = attention.muted_until
        muted = local_time(until, now) if until is not None and until > now else ""
        self.page_card.show_page(view, muted)
        return view.key, view.face

    def _note_change(self, key: Key | None) -> None:
        if key != self._shown_key or not self.isVisible():
            self._shown_key = key
            self._steady.start()
            self.bring_up()
            self.link_ask.dismiss()

    def _show_rows(self, attention: Attention, now: datetime) -> None:
        lost = [x for x in attention.lost if x.loud][0 if attention.pages else 1 :]
        others = attention.pages[1:]
        room = MOST_ROWS - min(len(lost), 1)
        rows = [page_view.row_of(p, now) for p in others[:room]]
        rows += [page_view.lost_row(x, now) for x in lost[:1]]
        if attention.pages or any(x.loud for x in attention.lost):
            rows += [page_view.gone_row(g, now) for g in self._goodbyes.all()[: MOST_ROWS - len(rows)]]
        self.row_list.show_rows(rows, max(len(others) - room, 0))

    def _tick(self, attention: Attention, now: datetime) -> None:
        left = page_view.left_of(attention.pages[0], now) if attention.pages else None
        self._clock.tick_in(next_tick(left))

    @property
    def _guarded(self) -> bool:
        return self._steady.isValid() and self._steady.elapsed() < self._guard_ms

    @Slot(str, str)
    def _acknowledge(self, connection: str, incident_id: str) -> None:
        if not self._guarded:
            self.acknowledge.emit(connection, incident_id)

    @Slot(str, str)
    def _row_pressed(self, connection: str, incident_id: str) -> None:
        if self._guarded:
            return
        if incident_id:
            self.acknowledge.emit(connection, incident_id)
        else:
            self.try_now.emit(connection)

    @Slot(str)
    def _ask_link(self, url: str) -> None:
        if url:
            self.link_ask.ask(url)
            self.fit()

    @property
    def ticking(self) -> bool:
        """Whether a timer runs; never while hidden."""
        return self._clock.running

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Stop the clock."""
        self._clock.stop()
        super().hideEvent(event)
