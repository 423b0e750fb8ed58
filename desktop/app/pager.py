"""Ties what the rules decide to the screen, the tray and the sound, and what is clicked to the fleet. GUI thread."""

import logging
from dataclasses import replace
from datetime import timedelta

from PySide6.QtCore import QCoreApplication, QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices

from desktop.alerting.confirming import Confirmer
from desktop.alerting.ringer import Ringer
from desktop.app.fleet import Fleet
from desktop.app.meanwhile import SLEPT, Meanwhile
from desktop.app.own_server import MISCONFIGURED
from desktop.app.passing import Passing
from desktop.app.presence import Presence
from desktop.app.surfaces import Surfaces
from desktop.app.token_asker import TokenAsker
from desktop.domain.attention import Attention, Command, ConnectionState, Quiet, attention, in_contact, mute
from desktop.domain.waking import Gap, Waking
from desktop.qt.bridge import Bridge
from desktop.qt.power import Power
from desktop.sync.ticker import Ticker
from desktop.system.clock import utc_now

log = logging.getLogger(__name__)


class Pager(QObject):
    """Recomputes the ``Attention`` at every change and every tick, and hands it to all who show or play it."""

    def __init__(self, fleet: Fleet, bridge: Bridge, surfaces: Surfaces, presence: Presence) -> None:
        super().__init__()
        self._fleet = fleet
        self._bridge = bridge
        self._surfaces = surfaces
        self._presence = presence
        self._tokens = TokenAsker(fleet.tokens, surfaces, bridge)
        self._meanwhile = Meanwhile(fleet, surfaces, bridge, presence.untold)
        self._passing = Passing(surfaces)
        self._waking = Waking()
        self._power = Power(self)
        self._quit = False
        self._ringer = Ringer(surfaces.sounder, surfaces.notifier)
        self._confirmer = Confirmer()
        self._quiet = Quiet()
        self._states: tuple[ConnectionState, ...] = fleet.states
        self._ticker = Ticker(lambda jumped: bridge.call(lambda: self._tick(jumped)), utc_now)
        self._connect()

    def start(self) -> None:
        """Show what is known, then begin to watch."""
        self._surfaces.start()
        self._presence.start()
        if self._presence.missed is not None:
            self._meanwhile.missed(*self._presence.missed, self._states)
        self._power.start()
        self.refresh()
        self._fleet.start()
        self._ticker.start()

    @Slot()
    def quit(self) -> None:
        """End the application, since a person wants that."""
        self._quit = True
        QCoreApplication.quit()

    def stop(self, *, by_person: bool) -> None:
        """End everything."""
        self._presence.stop(by_person=by_person or self._quit)
        self._ticker.stop()
        self._bridge.close()
        self._surfaces.stop()
        self._fleet.stop()

    def _connect(self) -> None:
        self._bridge.states.connect(self._take_states)
        self._bridge.notice.connect(self._take_notice)
        self._power.sleeping.connect(self._sleep)
        self._power.woke.connect(self._wake)
        self._presence.reload.connect(self._reload)
        surfaces = self._surfaces
        for surface in (surfaces.popup, surfaces.presenter):
            surface.acknowledge.connect(self._acknowledge)
            surface.mute.connect(self._mute)
            surface.open_link.connect(self._open_link)
        surfaces.notifier.acknowledge.connect(self._acknowledge)
        surfaces.popup.try_now.connect(self._try_now)
        surfaces.popup.silence.connect(self._silence)
        surfaces.presenter.test_page.connect(self._test_page)
        surfaces.status.test_page.connect(self._test_page)
        surfaces.status.mute.connect(self._mute)

    @Slot()
    def refresh(self) -> None:
        """Decide anew, and show it."""
        now = utc_now()
        decided = attention(self._states, now, self._quiet)
        self._surfaces.show(decided, self._states, now)
        self._ringer.update(decided, now)
        for connection, receipt in self._confirmer.update(decided, self._surfaces.seen()):
            self._fleet.confirm(connection, receipt)
        self._ticker.hurry(self._changes_soon(decided))

    def _changes_soon(self, decided: Attention) -> bool:
        """Tell whether time alone will soon change what is decided."""
        troubled = any(not in_contact(s, utc_now()) for s in self._states)
        return troubled or bool(decided.pages) or decided.muted_until is not None

    @Slot(object)
    def _take_states(self, states: tuple[ConnectionState, ...]) -> None:
        gone = {s.id for s in self._states} - {s.id for s in states}
        self._passing.follow(self._states, states, utc_now())
        self._states = states
        live = {s.id for s in states if in_contact(s, utc_now())}
        # An alarm that was silenced is armed again by the contact that ended it.
        self._quiet = replace(self._quiet, lost=self._quiet.lost - live - gone)
        for connection in gone:
            self._surfaces.status.set_notice(f"contact with {connection}", None)
        for state in states:
            known = state.id in live or not state.trouble or state.needs_token
            trouble = None if known else f"{state.name}: {state.trouble}"
            self._surfaces.status.set_notice(f"contact with {state.id}", trouble)
        self._tokens.follow(states)
        self._decide(self._waking.looked(utc_now()) if self._ticker.lost_time() else None)
        # It has a thread at work, which the screen would have to share the interpreter with.
        self._meanwhile.follow(states)

    @Slot(str, object)
    def _take_notice(self, key: str, text: str | None) -> None:
        if key != MISCONFIGURED:
            self._surfaces.status.set_notice(key, text)
        elif text is not None:
            # The window says it as the reason for the lost contact. Nobody can be paged before a person mends it, and
            # that is not left to a tooltip.
            self._surfaces.open_status()

    def _tick(self, jumped: bool) -> None:
        now = utc_now()
        gap = self._waking.tick(now, jumped=jumped)
        self._presence.touch(now)
        self._fleet.replace_hung_server()
        self._fleet.follow_settings()
        self._decide(gap)

    def _decide(self, gap: Gap | None) -> None:
        """Show what is decided now; after a ``gap``, when everything was put in doubt."""
        if gap is None:
            self.refresh()
        else:
            self._after(gap)

    @Slot()
    def _reload(self) -> None:
        self._fleet.follow_settings(told=True)

    @Slot()
    def _sleep(self) -> None:
        self._waking.sleeping(utc_now())

    @Slot()
    def _wake(self) -> None:
        gap = self._waking.woke(utc_now())
        if gap is not None:
            self._after(gap)

    def _after(self, gap: Gap) -> None:
        """Fetch everything anew, once: this machine slept, or its clock was set. The doubt comes back as new states."""
        log.warning("nobody watched from %s to %s: fetching everything anew", gap.since, gap.until)
        self._meanwhile.missed(gap, SLEPT, self._states)
        self._fleet.doubt()

    @Slot(str, str)
    def _acknowledge(self, connection: str, incident_id: str) -> None:
        # What the screen shows: what came since, nobody has seen.
        shown = (i for s in self._states if s.id == connection and s.snapshot for i in s.snapshot.incidents)
        seen = next((i.pages for i in shown if i.id == incident_id), None)
        self._fleet.submit(connection, incident_id, Command.ACKNOWLEDGE, seen)

    @Slot(int)
    def _mute(self, seconds: int) -> None:
        now = utc_now()
        until = now + timedelta(seconds=seconds) if seconds else None
        self._quiet = mute(attention(self._states, now), self._quiet, now, until)
        self.refresh()

    @Slot(str)
    def _try_now(self, connection: str) -> None:
        self._fleet.resync(connection)

    @Slot()
    def _silence(self) -> None:
        # What is lost later is heard all the same.
        lost = attention(self._states, utc_now()).lost
        self._quiet = replace(self._quiet, lost=frozenset(x.connection for x in lost))
        self.refresh()

    @Slot()
    def _test_page(self) -> None:
        self._fleet.test_page()

    @Slot(str)
    def _open_link(self, url: str) -> None:
        if url.startswith(("https://", "http://")):
            QDesktopServices.openUrl(QUrl(url))
