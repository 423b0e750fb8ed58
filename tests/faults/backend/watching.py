"""The client's whole connection to the faulty server, without a screen: what is published is kept, to be awaited."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from desktop.backends.pagerduty.client import Patience
from desktop.connections.accounts import Account as Access
from desktop.connections.live import LiveConnection, Tempo
from desktop.domain.attention import ConnectionState, Contact
from desktop.domain.incident import Incident, Status
from desktop.sync.pace import Pace
from desktop.system.paths import paths_under
from desktop.system.settings import ConnectionSettings
from tests.faults.backend.server import FaultyServer

ENOUGH = 30.0
QUICK = Pace(on_call=(0.05, 0.1), off_call=(0.05, 0.1), first=0.01, most=0.05, stream_pause=0.2, no_stream=60.0)
# The shortest that a busy machine keeps to when nothing is wrong.
SHORT = Patience(connect=2.0, read=0.7, answer=1.0, begin=1.0, silence=1.0)

Which = Callable[[ConnectionState], bool]


@dataclass
class Watched:
    """A running connection, every state that it published, and every trouble with its store that it told."""

    server: FaultyServer
    states: list[ConnectionState] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    live: LiveConnection = field(init=False)

    def publish(self, state: ConnectionState) -> None:
        """Keep a state, and note an acknowledgement that the account does not know of."""
        self.invented.extend(self._unconfirmed(state))
        with self._changed:
            self.states.append(state)
            self._changed.notify_all()

    def _unconfirmed(self, state: ConnectionState) -> Iterator[str]:
        for incident in state.snapshot.incidents if state.snapshot is not None else ():
            for deed, status in (("acknowledge", Status.ACKNOWLEDGED), ("resolve", Status.RESOLVED)):
                done = any(d.what == deed and d.incident == incident.id for d in self.server.account.deeds)
                if incident.status is status and not done:
                    yield f"{incident.id} is said to be {status}"

    def trouble(self, reason: str) -> None:
        """Keep a trouble, or that it is over."""
        with self._changed:
            self.troubles.append(reason)
            self._changed.notify_all()

    def await_trouble(self, which: Callable[[str], bool], mark: int = 0) -> None:
        """Wait until one that is so was told, after the first ``mark``."""
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(which, self.troubles[mark:])), ENOUGH), self.troubles[-5:]

    def mark(self) -> int:
        """Return a place in what was published, for ``until`` and ``since``."""
        with self._changed:
            return len(self.states)

    def since(self, mark: int) -> list[ConnectionState]:
        """Return what was published since."""
        with self._changed:
            return self.states[mark:]

    def until(self, which: Which, mark: int = 0, timeout: float = ENOUGH) -> ConnectionState:
        """Return the first state since ``mark`` that is so; waits for it."""
        with self._changed:
            found = self._changed.wait_for(lambda: next((s for s in self.states[mark:] if which(s)), None), timeout)
            assert found is not None, self._said()
            return found

    def now(self, which: Which) -> ConnectionState:
        """Return the newest state as soon as it is so."""
        with self._changed:
            assert self._changed.wait_for(lambda: bool(self.states) and which(self.states[-1]), ENOUGH), self._said()
            return self.states[-1]

    def _said(self) -> list[str]:
        """Return what the last states were, in short."""
        open_ones = [s.snapshot.incidents if s.snapshot else () for s in self.states]
        shown = [", ".join(f"{i.id} {i.status}" for i in incidents) for incidents in open_ones]
        return [f"{s.contact}: {s.trouble or '-'}: {i}" for s, i in zip(self.states, shown, strict=True)][-8:]


@contextmanager
def watched(server: FaultyServer, folder: Path, pace: Pace = QUICK, patience: Patience = SHORT) -> Iterator[Watched]:
    """Watch ``server`` until the block ends; fails if something was claimed that the account never confirmed."""
    watched = Watched(server)
    access = Access(server.url, server.account.token)
    settings = ConnectionSettings("faulty", "Faulty", server.url)
    paths = paths_under(folder)
    live = LiveConnection(settings, lambda: access, paths, watched.publish, watched.trouble, Tempo(pace, patience))
    watched.live = live
    live.start()
    try:
        yield watched
    finally:
        live.stop(wait=ENOUGH)
    assert not watched.invented, watched.invented


def live(state: ConnectionState) -> bool:
    """Tell whether it looks live."""
    return state.contact is Contact.LIVE


def lost(state: ConnectionState) -> bool:
    """Tell whether contact is lost."""
    return state.contact is Contact.LOST


def find(state: ConnectionState, incident: str) -> Incident | None:
    """Return an incident as a state has it."""
    incidents = state.snapshot.incidents if state.snapshot is not None else ()
    return next((i for i in incidents if i.id == incident), None)


def shows(incident: str, status: Status = Status.TRIGGERED) -> Which:
    """Tell whether a state is live and has an incident in this status."""
    return lambda s: live(s) and (it := find(s, incident)) is not None and it.status is status
