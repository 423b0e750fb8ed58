"""All connections of the application, with the embedded server where there is no other. Any thread; no Qt."""

import logging
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType

from desktop.app.configured import Configured
from desktop.app.following import Following
from desktop.app.own_server import MISCONFIGURED, OwnServer
from desktop.app.tokens import Tokens
from desktop.app.triggering import Triggering
from desktop.app.unread import SETTINGS, Unread
from desktop.backends.base import NewPage, Receipt
from desktop.connections import vanished
from desktop.connections.accounts import EMBEDDED, Account, stored_account
from desktop.connections.live import EMBEDDED_NAME, LiveConnection, Tempo
from desktop.domain.attention import Command, ConnectionState, Contact
from desktop.domain.incident import Person
from desktop.domain.meanwhile import Happened, Missed
from desktop.domain.severity import Severity
from desktop.domain.superseding import superseded
from desktop.sync import history
from desktop.sync.archive import Archive
from desktop.sync.store import prepare
from desktop.system.clock import utc_now
from desktop.system.paths import Paths
from desktop.system.session_secrets import SessionSecrets
from desktop.system.settings import ConnectionSettings

log = logging.getLogger(__name__)

_TEMPO = Tempo()
PublishAll = Callable[[tuple[ConnectionState, ...]], None]
Notice = Callable[[str, str | None], None]

TEST_TITLE = "Test page: this is what a page looks and sounds like"


class Fleet:
    """Starts, stops and addresses the connections; ``publish`` gets the states of all whenever one changes.

    ``notice`` carries a key and a text for the person, None to take it back. Both are called on worker threads and
    must only hand over. ``tempo`` is that of each connection.
    """

    def __init__(
        self,
        paths: Paths,
        secrets: SessionSecrets,
        publish: PublishAll,
        notice: Notice,
        *,
        demo: bool,
        environment: Mapping[str, str] = MappingProxyType({}),
        tempo: Tempo = _TEMPO,
    ) -> None:
        self._tempo = tempo
        self._configured = Configured(paths, secrets, environment, demo)
        self._settings: dict[str, ConnectionSettings] = {}
        self._paths = paths
        self._secrets = secrets
        self._publish = publish
        self._notice = notice
        self._demo = demo
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._triggering = Triggering(notice, self._stopping)
        # Held while connections are added or taken away.
        self._changing = threading.Lock()
        self._own: OwnServer | None = None
        self._unread = Unread()
        self._connections: dict[str, LiveConnection] = {}
        self._wanted: tuple[str, ...] = ()
        self._following = Following(paths.settings, self.reload)
        prepared = prepare(paths.store, utc_now())
        with self._unread.unless_followed():
            self._want(self._read())
        # Whatever is wrong with the settings, what the environment names is watched.
        if self._unread.state is not None and (named := self._configured.without_settings()):
            self._want(named)
        self._archive = Archive(paths.store, lambda: self.states, lambda reason: notice("copies", reason or None))
        notice("store", prepared.notice or None)
        if (unread := self._unread.state) is not None:
            notice(MISCONFIGURED, unread.trouble)
        self.tokens = Tokens(self._settings, secrets, notice, self.resync)

    @property
    def states(self) -> tuple[ConnectionState, ...]:
        """What is known of every connection now."""
        unread = self._unread.state
        return (*(c.state for c in self._connections.values()), *([unread] if unread else []))

    def start(self) -> None:
        """Begin to watch."""
        with self._changing:
            self._begin(tuple(self._connections))
        self._archive.start()

    def stop(self) -> None:
        """End everything, the embedded server too; takes a few seconds at most."""
        self._stopping.set()
        with self._changing:
            for connection in self._connections.values():
                connection.stop()
            if self._own is not None:
                self._own.stop()
        self._archive.stop()
        self._archive.join(2.0)

    def follow_settings(self, *, told: bool = False) -> None:
        """Watch what the settings name since they changed, or since somebody ``told`` so; returns at once."""
        if self._demo or self._stopping.is_set():
            return
        self._following.look(due=told or self._unread.state is not None or bool(self._superseded()))
        if told:
            self._try_again()

    def reload(self) -> None:
        """Watch what the settings name now; what they name no longer, until its place is taken. Blocks."""
        with self._changing:
            if self._stopping.is_set():
                return
            with self._unread.unless_followed():
                self._begin(self._want(self._read()))
                self._retire(self._superseded())
        self._hand_over()

    def _read(self) -> tuple[ConnectionSettings, ...]:
        """Return what is to be watched; before anything is, what earlier runs watched must not be missed."""
        if self._settings:
            return self._configured.read(self._settings)
        return self._configured.read(before=vanished.known(self._paths))

    def _try_again(self) -> None:
        """Ask where there is no contact at once: a token may be another now, and a keyring unlocked."""
        for known in self._connections.values():
            if known.state.needs_token and self.tokens.takes(known.state.id):
                self.tokens.doubt(known.state.id, by_person=True)
            elif known.state.contact is not Contact.LIVE:
                known.resync()

    def submit(self, connection: str, incident_id: str, command: Command, seen: int | None = None) -> None:
        """Take a command, given when so many pages of the incident were ``seen``; returns at once."""
        if (found := self._connections.get(connection)) is not None:
            found.submit(incident_id, command, seen)

    def confirm(self, connection: str, receipt: Receipt) -> None:
        """Tell a backend what became of a page here; returns at once."""
        if (found := self._connections.get(connection)) is not None:
            found.confirm([receipt])

    def resync(self, connection: str | None = None) -> None:
        """Fetch everything anew now, from one connection or from all; of the settings, read them anew."""
        if connection == SETTINGS:
            self.follow_settings(told=True)
        for known in self._connections.values():
            if connection in {None, known.state.id}:
                known.resync()

    def happened(self, state: ConnectionState, missed: Missed) -> Happened:
        """Return what happened in a time in which nobody watched; blocks. Raises a WatchbellError when refused."""
        found = self._connections.get(state.id)
        if found is None or state.snapshot is None:
            return Happened()
        return history.ask(found.backend(), missed, state.offset, state.snapshot.me.id)

    def doubt(self) -> None:
        """Trust nothing that is known any more, for nobody watched: fetch everything anew from everywhere."""
        for known in self._connections.values():
            known.doubt()

    def trigger(self, make: Callable[[Person], NewPage]) -> None:
        """Open an incident on the first connection; returns at once. A failure becomes a notice."""
        self._triggering.trigger(next(iter(self._connections.values()), None), make)

    def test_page(self) -> None:
        """Page this person alone, through the backend and back."""
        self.trigger(lambda me: NewPage(TEST_TITLE, Severity.SEV1, to=me.id))

    def _want(self, configured: tuple[ConnectionSettings, ...]) -> tuple[str, ...]:
        """Have a connection for all of ``configured``, our own server's where there is none; return the new ones."""
        changed = [c.id for c in configured if self._settings.get(c.id, c) != c]
        self._settings.update({c.id: c for c in configured})
        self._wanted = tuple(c.id for c in configured) or (EMBEDDED,)
        new = tuple(i for i in self._wanted if i not in self._connections)
        made = {i: self._live(self._settings[i]) if configured else self._embedded() for i in new}
        all_of_them = {**self._connections, **made}
        # Whoever goes through them at this moment has the old ones, whole.
        self._connections = {i: all_of_them[i] for i in dict.fromkeys((*self._wanted, *all_of_them))}
        for i in changed:
            self.resync(i)
        return new

    def _begin(self, new: tuple[str, ...]) -> None:
        if EMBEDDED in new and self._own is not None:
            self._own.start()
        for connection in new:
            self._connections[connection].start()

    def _superseded(self) -> tuple[str, ...]:
        return superseded({i: c.state for i, c in self._connections.items()}, self._wanted, utc_now())

    def _retire(self, over: tuple[str, ...]) -> None:
        going = [self._connections[i] for i in over]
        self._connections = {i: c for i, c in self._connections.items() if i not in over}
        for i, connection in zip(over, going, strict=True):
            log.info("%s is watched no longer: the settings do not name it", connection.state.name)
            connection.stop()
            self._settings.pop(i, None)
            self._notice(f"outbox of {i}", None)
        if EMBEDDED in over and self._own is not None:
            self._own.stop()
            self._own = None

    def _live(self, settings: ConnectionSettings) -> LiveConnection:
        def account() -> Account:
            # As the settings are now: the way to it may be another.
            return stored_account(self._settings.get(settings.id, settings), self._secrets)

        return self._connection(settings, account)

    def _connection(self, settings: ConnectionSettings, account: Callable[[], Account]) -> LiveConnection:
        def trouble(reason: str) -> None:
            self._notice(f"outbox of {settings.id}", reason or None)

        return LiveConnection(settings, account, self._paths, self._changed, trouble, self._tempo)

    def _embedded(self) -> LiveConnection:
        self._own = OwnServer(self._paths, self._secrets, self._notice, lambda: self.resync(EMBEDDED), demo=self._demo)
        return self._connection(ConnectionSettings(EMBEDDED, EMBEDDED_NAME, ""), self._own.account)

    def replace_hung_server(self) -> None:
        """Replace the embedded server if it runs and does not answer."""
        watched = self._connections.get(EMBEDDED)
        if self._own is not None and watched is not None:
            self._own.replace_if_hung(answers=watched.state.contact is Contact.LIVE)

    def _changed(self, _state: ConnectionState) -> None:
        self._archive.changed()
        self._hand_over()

    def _hand_over(self) -> None:
        # Read and handed over under one lock, so that the last to hand over has read the newest of all.
        with self._lock:
            self._publish(self.states)
