"""All connections of the application, with the embedded server where there is no other. Any thread; no Qt."""

import logging
import secrets as random_secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from desktop.app.tokens import Tokens
from desktop.backends.base import NewPage, Receipt
from desktop.connections.accounts import EMBEDDED, Account, environment_connection, stored_account
from desktop.connections.live import EMBEDDED_NAME, LiveConnection, Tempo
from desktop.connections.setting_up import ensure_team, new_token
from desktop.domain.attention import Command, ConnectionState, Contact
from desktop.domain.errors import SecretsUnavailable, Unreachable, WatchbellError
from desktop.domain.incident import Incident, Person
from desktop.domain.meanwhile import came_and_went
from desktop.domain.severity import Severity
from desktop.sync.archive import Archive
from desktop.sync.store import prepare
from desktop.system import settings as settings_file
from desktop.system.clock import utc_now
from desktop.system.embedded import EmbeddedServer
from desktop.system.paths import Paths
from desktop.system.session_secrets import SessionSecrets
from desktop.system.settings import ConnectionSettings

log = logging.getLogger(__name__)

_TEMPO = Tempo()

PublishAll = Callable[[tuple[ConnectionState, ...]], None]
Notice = Callable[[str, str | None], None]

_TRIGGER_ATTEMPTS, _TRIGGER_WAIT = 40, 0.5
# The embedded server answers within milliseconds: silent for this long, it hangs (seconds awake, not asleep).
_HUNG_AFTER = 45.0
MISCONFIGURED = "misconfigured"
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
        self._environment = environment
        self._settings: dict[str, ConnectionSettings] = {}
        self._paths = paths
        self._secrets = secrets
        self._publish = publish
        self._notice = notice
        self._demo = demo
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._silent_since: float | None = None
        self._server: EmbeddedServer | None = None
        prepared = prepare(paths.store, utc_now())
        self._connections = self._make_connections()
        self._archive = Archive(paths.store, lambda: self.states, lambda reason: notice("copies", reason or None))
        if prepared.notice:
            notice("store", prepared.notice)
        self.tokens = Tokens(self._settings, secrets, notice, self.resync)

    @property
    def states(self) -> tuple[ConnectionState, ...]:
        """What is known of every connection now."""
        return tuple(c.state for c in self._connections.values())

    def start(self) -> None:
        """Begin to watch."""
        if self._server is not None:
            self._server.start()
        for connection in self._connections.values():
            connection.start()
        self._archive.start()

    def stop(self) -> None:
        """End everything, the embedded server too; takes a few seconds at most."""
        self._stopping.set()
        for connection in self._connections.values():
            connection.stop()
        self._archive.stop()
        self._archive.join(2.0)
        if self._server is not None:
            self._server.stop()

    def submit(self, connection: str, incident_id: str, command: Command) -> None:
        """Take a command; returns at once."""
        found = self._connections.get(connection)
        if found is not None:
            found.submit(incident_id, command)

    def confirm(self, connection: str, receipt: Receipt) -> None:
        """Tell a backend what became of a page here; returns at once."""
        found = self._connections.get(connection)
        if found is not None:
            found.confirm([receipt])

    def resync(self, connection: str | None = None) -> None:
        """Fetch everything anew now, from one connection or from all."""
        for known in self._connections.values():
            if connection in {None, known.state.id}:
                known.resync()

    def came_and_went(self, connection: str, since: datetime, until: datetime) -> tuple[Incident, ...]:
        """Return what was opened and is over of that time (server time); blocks. Nothing when the backend refuses."""
        try:
            found = self._connections[connection].backend().incidents(resolved=True, since=since)
        except WatchbellError as e:
            log.info("what happened meanwhile is not told: %s", e.message)
            return ()
        return came_and_went(found, since, until)

    def doubt(self) -> None:
        """Trust nothing that is known any more, for nobody watched: fetch everything anew from everywhere."""
        for known in self._connections.values():
            known.doubt()

    def trigger(self, make: Callable[[Person], NewPage]) -> None:
        """Open an incident on the first connection, in a thread of its own; a failure becomes a notice."""
        connection = next(iter(self._connections.values()))
        key = f"watchbell-{random_secrets.token_hex(8)}"

        def work() -> None:
            try:
                self._insist(connection, make, key)
            except WatchbellError as e:
                self._notice("trigger", f"The page could not be triggered: {e.message}")
            else:
                self._notice("trigger", None)

        threading.Thread(target=work, name="watchbell-trigger", daemon=True).start()

    def _insist(self, connection: LiveConnection, make: Callable[[Person], NewPage], key: str) -> None:
        """Trigger, trying again while there is no contact: the key makes the second attempt harmless."""
        for _ in range(_TRIGGER_ATTEMPTS):
            try:
                backend = connection.backend()
                backend.trigger(replace(make(backend.me()), dedup_key=key))
            except WatchbellError as e:
                if not e.retryable or self._stopping.wait(_TRIGGER_WAIT):
                    raise
            else:
                return
        raise Unreachable("the backend did not answer in time")

    def test_page(self) -> None:
        """Page this person alone, through the backend and back."""
        self.trigger(lambda me: NewPage(TEST_TITLE, Severity.SEV1, to=me.id))

    def _make_connections(self) -> dict[str, LiveConnection]:
        configured = () if self._demo else self._configured()
        self._settings = {c.id: c for c in configured}
        if not configured:
            return {EMBEDDED: self._embedded()}
        return {c.id: self._live(c, lambda c=c: stored_account(c, self._secrets)) for c in configured}  # type: ignore[misc]

    def _configured(self) -> tuple[ConnectionSettings, ...]:
        """Return the connections of the settings; one that the environment names comes first, with its token."""
        kept = settings_file.load(self._paths.settings).connections
        named = environment_connection(self._environment, kept)
        if named is None:
            return kept
        connection, token = named
        self._secrets.remember(connection.id, token)
        return (connection, *(c for c in kept if c.id != connection.id))

    def _live(self, settings: ConnectionSettings, account: Callable[[], Account]) -> LiveConnection:
        def trouble(reason: str) -> None:
            self._notice(f"outbox of {settings.id}", reason or None)

        return LiveConnection(settings, account, self._paths, self._changed, trouble, self._tempo)

    def _embedded(self) -> LiveConnection:
        token = new_token()
        server = EmbeddedServer(
            self._paths, token, lambda: ensure_team(self._paths, demo=self._demo), self._address_changed
        )
        self._server = server
        if not self._demo:
            threading.Thread(target=self._keep_token, args=(token,), name="watchbell-keep-token", daemon=True).start()

        def account() -> Account:
            if server.url is None:
                raise Unreachable(server.trouble)
            return Account(server.url, token)

        return self._live(ConnectionSettings(EMBEDDED, EMBEDDED_NAME, ""), account)

    def _keep_token(self, token: str) -> None:
        """Let this person's commands reach the embedded server; the application itself can do without."""
        try:
            self._secrets.set(EMBEDDED, token)
        except SecretsUnavailable as e:
            self._notice("keyring", f"Commands in a terminal cannot reach the built-in server: {e.message}")

    def replace_hung_server(self) -> None:
        """Kill the embedded server if it runs and has not answered for too long; it is started again by itself."""
        if self._server is None:
            return
        answers = self._connections[EMBEDDED].state.contact is Contact.LIVE
        if answers or self._server.url is None:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = time.monotonic()
        elif time.monotonic() - self._silent_since > _HUNG_AFTER:
            self._silent_since = None
            self._server.kill()

    def _address_changed(self, url: str | None) -> None:
        server = self._server
        if url is not None:
            self.resync(EMBEDDED)
        if server is not None:
            self._notice(MISCONFIGURED, server.mistake or None)

    def _changed(self, _state: ConnectionState) -> None:
        self._archive.changed()
        # Read and handed over under one lock, so that the last to hand over has read the newest of all.
        with self._lock:
            self._publish(self.states)
