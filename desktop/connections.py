"""Puts connections together, for the command line and the application alike. Knows no Qt.

Settings and secrets in, backend, watcher and outbox out.
"""

import getpass
import secrets as random_secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import tzlocal

from desktop import team as team_file
from desktop.backends.base import Backend, Receipt
from desktop.backends.pagerduty import handovers as handover_protocol
from desktop.backends.pagerduty import team as team_protocol
from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.backends.pagerduty.client import Patience, Wire, check_url
from desktop.backends.route import Route, check_proxy
from desktop.domain.ailment import Ailment
from desktop.domain.attention import Command, ConnectionState, Contact
from desktop.domain.errors import InputError, SecretsUnavailable, Unreachable
from desktop.domain.incident import Person
from desktop.domain.team import Access
from desktop.sync.archive import read_copy
from desktop.sync.commands import Trouble
from desktop.sync.keeper import Keeper, Publish
from desktop.sync.outbox import Outbox
from desktop.sync.pace import Pace
from desktop.sync.receipts import Receipts
from desktop.sync.watcher import Watcher
from desktop.system import settings as settings_file
from desktop.system.clock import utc_now
from desktop.system.embedded import running_server
from desktop.system.paths import Paths
from desktop.system.secrets import Secrets, check_length
from desktop.system.settings import ConnectionSettings
from desktop.team.starter import demonstration, newcomer, starter

EMBEDDED = "embedded"
ENVIRONMENT = "environment"
EMBEDDED_NAME = "Watchbell server"
TEAM_NEEDS_FORCE = team_protocol.NEEDS_FORCE
URL_VARIABLE, TOKEN_VARIABLE = "WATCHBELL_URL", "WATCHBELL_TOKEN"


_DIRECT, _USUAL, _PACE = Route(), Patience(), Pace()


@dataclass(frozen=True, slots=True)
class Tempo:
    """How often a connection is asked (``pace``), and how long an answer may take (``patience``)."""

    pace: Pace = _PACE
    patience: Patience = _USUAL


_TEMPO = Tempo()


@dataclass(frozen=True, slots=True)
class Account:
    """Where a backend is and who we are there. Its token never reaches a log: ``repr`` leaves it out."""

    url: str
    token: str
    route: Route = _DIRECT

    def __repr__(self) -> str:
        return f"Account(url={self.url!r})"


FindAccount = Callable[[], Account]
"""Returns the account to use now; raises a WatchbellError while there is none."""


def open_backend(account: Account, patience: Patience = _USUAL) -> Backend:
    """Return a backend for one thread."""
    return PagerDutyBackend(account.url, account.token, utc_now, account.route, patience)


def apply_team(account: Account, document: str, source: str, *, force: bool) -> Mapping[str, object]:
    """Make ``document`` the team of Watchbell's own server and return its answer; BackendError when it refuses."""
    return team_protocol.apply(_wire(account), document, source, force=force)


def request_handover(account: Account, to: str, reason: str) -> Mapping[str, object]:
    """Ask for a handover of one's own watch on Watchbell's own server; BackendError when it refuses."""
    return handover_protocol.request(_wire(account), to, reason)


def _wire(account: Account) -> Wire:
    return Wire(account.url, account.token, account.route)


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
        self._watcher = Watcher(self._keeper, self.backend, utc_now, tempo.pace)
        self._outbox = Outbox(paths.store, self._keeper, self.backend, utc_now, trouble=trouble, retry=tempo.pace.retry)
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
        self._watcher.start()
        self._outbox.start()
        self._receipts.start()

    def stop(self, wait: float = 2.0) -> None:
        """End its threads; what is not confirmed stays for the next start."""
        threads = (self._watcher, self._outbox, self._receipts)
        for thread in threads:
            thread.stop()
        for thread in threads:
            thread.join(wait)

    def submit(self, incident_id: str, command: Command) -> None:
        """Take a command for an incident; returns at once."""
        self._outbox.submit(incident_id, command)

    def confirm(self, receipts: Sequence[Receipt]) -> None:
        """Tell the backend what became of pages here, as well as it can be done; returns at once."""
        self._receipts.confirm(receipts)

    def resync(self) -> None:
        """Fetch everything anew now."""
        self._watcher.resync()

    def doubt(self) -> None:
        """Trust nothing that is known any more, for nobody watched: fetch everything anew now."""
        self._watcher.doubt()

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


def connect(
    paths: Paths, secrets: Secrets, url: str, token: str, *, proxy: str | None = None, ca: str | None = None
) -> tuple[ConnectionSettings, Person]:
    """Try ``url`` with ``token``, and keep both: the token in the keyring, the address in the settings.

    ``proxy`` and ``ca`` (see ``ConnectionSettings``) are kept, too; None leaves them as they are.
    """
    url = check_url(url)
    check_length(token)
    settings = settings_file.load(paths.settings)
    known = next((c for c in settings.connections if c.url == url), None)
    connection = known or ConnectionSettings(_new_id(settings.connections, url), _name(url), url)
    if proxy is not None:
        connection = replace(connection, proxy=check_proxy(proxy))
    if ca is not None:
        connection = replace(connection, ca=ca)
    me = open_backend(Account(url, token, Route(connection.proxy, connection.ca))).me()
    if connection != known:
        kept = tuple(connection if c is known else c for c in settings.connections)
        settings_file.save(paths.settings, replace(settings, connections=kept if known else (*kept, connection)))
    try:
        secrets.set(connection.id, token)
    except SecretsUnavailable as e:
        raise SecretsUnavailable(
            f"the token is good, but cannot be kept: {e.message}. The address is kept: start Watchbell and enter the "
            f"token there, for as long as it runs, or set {URL_VARIABLE} and {TOKEN_VARIABLE}; "
            "or unlock or install a keyring and connect again"
        ) from e
    return connection, me


def environment_connection(
    environment: Mapping[str, str], connections: Sequence[ConnectionSettings]
) -> tuple[ConnectionSettings, str] | None:
    """Return the connection and token that the environment names, None when it names none.

    A connection that is known by its address is that one, so that what waits in its outbox is sent.
    """
    if not environment.get(URL_VARIABLE) and not environment.get(TOKEN_VARIABLE):
        return None
    account = _environment_account(environment)
    known = next((c for c in connections if c.url == account.url), None)
    return known or ConnectionSettings(ENVIRONMENT, _name(account.url), account.url), account.token


def stored_account(connection: ConnectionSettings, secrets: Secrets) -> Account:
    """Return the account of a connection, its token from the keyring."""
    token = secrets.get(connection.id)
    if token is None:
        raise SecretsUnavailable(
            f"the keyring holds no token for {connection.name}: run 'watchbell connect {connection.url} --token-stdin'",
            ailment=Ailment.TOKEN_MISSING,
        )
    return account_with(connection, token)


def account_with(connection: ConnectionSettings, token: str) -> Account:
    """Return the account of a connection with ``token``."""
    return Account(connection.url, token, Route(connection.proxy, connection.ca))


def find_account(environment: Mapping[str, str], paths: Paths, secrets: Secrets) -> Account:
    """Return the account that a command acts on: from the environment, the first connection, or the embedded server."""
    if environment.get(URL_VARIABLE) or environment.get(TOKEN_VARIABLE):
        return _environment_account(environment)
    connections = settings_file.load(paths.settings).connections
    if connections:
        return stored_account(connections[0], secrets)
    return _embedded_account(paths, secrets)


def _environment_account(environment: Mapping[str, str]) -> Account:
    url, token = environment.get(URL_VARIABLE), environment.get(TOKEN_VARIABLE)
    if url and token:
        return Account(check_url(url), token)
    missing = TOKEN_VARIABLE if url else URL_VARIABLE
    raise InputError(f"{missing} is not set: {URL_VARIABLE} and {TOKEN_VARIABLE} are used together")


def _embedded_account(paths: Paths, secrets: Secrets) -> Account:
    url = running_server(paths)
    if url is None and paths.server_database.exists():
        said = "the built-in server is not running: start Watchbell, or wait a moment if it is starting"
        raise Unreachable(said, ailment=Ailment.NOT_RUNNING)
    if url is None:
        raise InputError(
            "there is no connection: start Watchbell, or run 'watchbell connect URL --token-stdin', "
            f"or set {URL_VARIABLE} and {TOKEN_VARIABLE}",
            ailment=Ailment.NOT_SET_UP,
        )
    token = secrets.get(EMBEDDED)
    if token is None:
        raise SecretsUnavailable(
            f"the keyring holds no token for the built-in server at {url}: start Watchbell again with a keyring, "
            f"or create one with 'watchbell token create' and set {URL_VARIABLE} and {TOKEN_VARIABLE}",
            ailment=Ailment.TOKEN_MISSING,
        )
    return Account(url, token)


def _name(url: str) -> str:
    host = urlsplit(url).hostname or url
    return "PagerDuty" if host.endswith("pagerduty.com") else host


def _new_id(connections: tuple[ConnectionSettings, ...], url: str) -> str:
    base = "".join(c if c.isalnum() else "-" for c in urlsplit(url).netloc).strip("-").lower() or "connection"
    taken = {c.id for c in connections} | {EMBEDDED, ENVIRONMENT}
    return next(name for n in range(1, len(taken) + 2) if (name := base if n == 1 else f"{base}-{n}") not in taken)


def new_token() -> str:
    """Return a fresh token: 256 random bits behind our prefix."""
    return f"wb_{random_secrets.token_urlsafe(32)}"


def ensure_team(paths: Paths, *, demo: bool = False) -> str:
    """Return the id of the person whom the embedded server serves, making its team file where there is none."""
    if not paths.team.exists():
        who = newcomer(getpass.getuser(), "", tzlocal.get_localzone_name())
        now = utc_now().astimezone()
        settings_file.write_private(paths.team, demonstration(who, now) if demo else starter(who, now))
    people = team_file.load(paths.team).people
    admins = [p.id for p in people if p.access is Access.ADMIN]
    return (admins or [p.id for p in people])[0]
