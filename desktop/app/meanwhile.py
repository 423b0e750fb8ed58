"""Tells what happened while nobody watched, once each connection has contact again. GUI thread."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from desktop.app.fleet import Fleet
from desktop.app.surfaces import Surfaces
from desktop.domain.attention import ConnectionState, Contact
from desktop.domain.errors import WatchbellError
from desktop.domain.meanwhile import Missed, held, sentences
from desktop.domain.waking import Gap
from desktop.qt.bridge import Bridge
from desktop.sync import untold
from desktop.sync.backoff import Backoff

log = logging.getLogger(__name__)

PREFIX = "meanwhile "
SLEPT, AWAY = "While this machine slept", "While Watchbell was not running"
# What is looked through when nobody knows how long that was.
LATELY_HOURS = 12
LATELY = f"In the last {LATELY_HOURS} hours"
# Seconds between two questions after one that was refused.
FIRST, MOST = 2.0, 300.0


def _pauses() -> Backoff:
    return Backoff(FIRST, MOST)


class Meanwhile(QObject):
    """Remembers the gaps of each connection until it has answered what happened in them, in the file ``kept``, too."""

    def __init__(
        self,
        fleet: Fleet,
        surfaces: Surfaces,
        bridge: Bridge,
        kept: Path,
        pauses: Callable[[], Backoff] = _pauses,
    ) -> None:
        super().__init__(surfaces)
        self._fleet = fleet
        self._surfaces = surfaces
        self._bridge = bridge
        self._kept = kept
        self._make_pauses = pauses
        self._untold = untold.read(kept)
        self._pauses: dict[str, Backoff] = {}
        # Being asked, or not to be asked before a pause is over.
        self._busy: set[str] = set()
        self._states: tuple[ConnectionState, ...] = ()

    def missed(self, gap: Gap, when: str, connections: tuple[ConnectionState, ...]) -> None:
        """Note that nobody watched ``connections`` in ``gap``; ``when`` begins the sentence about it."""
        for state in connections:
            waiting = self._untold.setdefault(state.id, [])
            last = waiting[-1] if waiting else None
            if last is None or _heard_since(state, last) or state.id in self._busy:
                waiting.append(Missed(gap, when, held(state.snapshot)))
            else:
                # Asleep twice before there was contact: one time, told together.
                waiting[-1] = replace(last, gap=Gap(last.gap.since, gap.until))
        untold.write(self._kept, self._untold)

    def follow(self, states: tuple[ConnectionState, ...]) -> None:
        """Ask those connections that have been heard since their gap, one question at a time each."""
        self._states = states
        for state in states:
            waiting = self._untold.get(state.id)
            if not waiting or state.id in self._busy or state.contact is not Contact.LIVE:
                continue
            if _heard_since(state, waiting[0]):
                self._busy.add(state.id)
                thread = threading.Thread(
                    target=self._ask, args=(state, waiting[0]), name="watchbell-meanwhile", daemon=True
                )
                thread.start()

    def _ask(self, state: ConnectionState, missed: Missed) -> None:
        try:
            told = self._fleet.happened(state, missed)
        except WatchbellError as e:
            log.info("%s: what happened meanwhile is asked again: %s", state.name, e.message)
            after = e.retry_after
            self._bridge.call(lambda: self._refused(state.id, after))
        except Exception as e:
            log.exception("%s: what happened meanwhile cannot be told", state.name)
            text = (
                f"{missed.when}, something may have happened at {state.name} that cannot be told: {type(e).__name__}."
            )
            self._bridge.call(lambda: self._answered(state.id, missed, text))
        else:
            text = sentences(told, missed.when)
            self._bridge.call(lambda: self._answered(state.id, missed, text))

    def _refused(self, connection: str, after: float | None) -> None:
        pauses = self._pauses.setdefault(connection, self._make_pauses())
        QTimer.singleShot(round(pauses.next(after) * 1000), self, lambda: self._again(connection))

    def _again(self, connection: str) -> None:
        self._busy.discard(connection)
        self.follow(self._states)

    def _answered(self, connection: str, missed: Missed, text: str) -> None:
        self._untold[connection].remove(missed)
        self._pauses.pop(connection, None)
        if text:
            # Each gap for itself: what is told of the next one takes nothing away.
            key = f"{PREFIX}{connection} {missed.gap.since.isoformat()}"
            self._surfaces.status.set_notice(key, text, "OK")
            self._surfaces.notifier.tell(key, "Meanwhile", text)
        untold.write(self._kept, self._untold)
        self._again(connection)


def _heard_since(state: ConnectionState, missed: Missed) -> bool:
    return state.heard_at is not None and state.heard_at >= missed.gap.until
