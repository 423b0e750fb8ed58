"""One connection as the application keeps it: watched, and acted on. Any thread."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from desktop.backends.base import Backend, Receipt
from desktop.backends.pagerduty.client import Patience
from desktop.connections.accounts import FindAccount, open_backend
from desktop.domain.attention import Command, ConnectionState, Contact
from desktop.sync.archive import read_copy
from desktop.sync.commands import Trouble
from desktop.sync.keeper import Keeper, Publish
from desktop.sync.outbox import Outbox
from desktop.sync.pace import Pace
from desktop.sync.receipts import Receipts
from desktop.sync.watcher import Watcher
from desktop.system.clock import utc_now
from desktop.system.paths import Paths
from desktop.system.settings import ConnectionSettings

EMBEDDED_NAME = "Watchbell server"
_USUAL, _PACE = Patience(), Pace()
# Seconds. A store that is locked for longer must not keep us from watching.
_TAKEN_UP_WITHIN = 2.0


@dataclass(frozen=True, slots=True)
class Tempo:
    """How often a connection is asked (``pace``), and how long an answer may take (``patience``)."""

    pace: Pace = _PACE
    patience: Patience = _USUAL


_TEMPO = Tempo()


class LiveConnection:
    """One connection that is watched and can be acted on: a state, and threads that watch, send and confirm."""

    def __init__(
        self,
        connection: ConnectionSettings,
        account: FindAccount,
        paths: Paths,
        publish: Publish,
        trouble: Trouble = lambda reason: None,  # noqa: ARG005 - its shape
        tempo: Tempo = _TEMPO,
    ) -> None:
        self._publish = publish
        self._waiting = 0
        self._keeper = Keeper(_as_last_known(connection, paths), self._changed)
        self._account = account
        self._patience = tempo.patience
        self._watcher = Watcher(self._keeper, self._watched, utc_now, tempo.pace)
        self._outbox = Outbox(
            paths.store,
            self._keeper,
            self.backend,
            utc_now,
            trouble=trouble,
            # A stream may live on with a token that is not taken any more: who watches finds out, and asks for another.
            unauthorized=self._watcher.resync,
            retry=tempo.pace.retry,
        )
        self._receipts = Receipts(connection.id, self.backend)

    @property
    def state(self) -> ConnectionState:
        """What is known now."""
        return self._keeper.state

    def backend(self) -> Backend:
        """Return a new backend for one thread; raises a WatchbellError while there is no account."""
        return open_backend(self._account(), self._patience)

    def start(self) -> None:
        """Begin to watch and to send."""
        self._outbox.start()
        self._watcher.start()
        self._receipts.start()

    def stop(self, wait: float = 2.0) -> None:
        """End its threads; what is not confirmed stays for the next start."""
        threads = (self._watcher, self._outbox, self._receipts)
        for thread in threads:
            thread.stop()
        for thread in threads:
            thread.join(wait)

    def submit(self, incident_id: str, command: Command, seen: int | None = None) -> None:
        """Take a command for an incident, of which so many pages were ``seen``; returns at once."""
        self._outbox.submit(incident_id, command, seen)

    def confirm(self, receipts: Sequence[Receipt]) -> None:
        """Tell the backend what became of pages here, as well as it can be done; returns at once."""
        self._receipts.confirm(receipts)

    def resync(self) -> None:
        """Fetch everything anew now."""
        self._watcher.resync()

    def doubt(self) -> None:
        """Trust nothing that is known any more, for nobody watched: fetch everything anew now."""
        self._watcher.doubt()

    def _watched(self) -> Backend:
        """Return a new backend to watch, when it is known which clicks of an earlier run are still on their way.

        Else what they are for would ring until that is known.
        """
        self._outbox.taken_up.wait(_TAKEN_UP_WITHIN)
        return self.backend()

    def _changed(self, state: ConnectionState) -> None:
        """Pass on a change, and look at once what became of a command that was answered."""
        answered = len(state.sending) < self._waiting
        self._waiting = len(state.sending)
        self._publish(state)
        if answered:
            self._watcher.poll()


def _as_last_known(connection: ConnectionSettings, paths: Paths) -> ConnectionState:
    """Return what an earlier run knew of a connection, as what it is: old."""
    now = utc_now()
    state = ConnectionState(connection.id, connection.name, Contact.CONNECTING, now)
    copy = read_copy(paths.store, connection.id)
    if copy is None:
        return state
    # A clock that was set back since would make it look new for ever.
    heard_at = min(copy.heard_at, now)
    return replace(state, snapshot=copy.snapshot, heard_at=heard_at, offset=copy.offset, watched_since=now)
