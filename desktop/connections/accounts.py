"""Where a backend is and who we are there: from the environment, the settings, or the embedded server. Any thread."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from desktop.backends.base import Backend
from desktop.backends.pagerduty import handovers as handover_protocol
from desktop.backends.pagerduty import team as team_protocol
from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.backends.pagerduty.client import Patience, Wire, check_url
from desktop.backends.route import Route, without_login
from desktop.domain.ailment import Ailment
from desktop.domain.errors import InputError, SecretsUnavailable, Unreachable
from desktop.system import settings as settings_file
from desktop.system.clock import utc_now
from desktop.system.embedded import running_server
from desktop.system.paths import Paths
from desktop.system.secrets import Secrets
from desktop.system.settings import ConnectionSettings

EMBEDDED = "embedded"
ENVIRONMENT = "environment"
TEAM_NEEDS_FORCE = team_protocol.NEEDS_FORCE
URL_VARIABLE, TOKEN_VARIABLE = "WATCHBELL_URL", "WATCHBELL_TOKEN"

_DIRECT, _USUAL = Route(), Patience()


@dataclass(frozen=True, slots=True)
class Account:
    """Where a backend is and who we are there. Its token never reaches a log: ``repr`` leaves it out."""

    url: str
    token: str
    route: Route = _DIRECT

    def __repr__(self) -> str:
        return f"Account(url={without_login(self.url)!r})"


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
    return known or ConnectionSettings(ENVIRONMENT, name_of(account.url), account.url), account.token


def stored_account(connection: ConnectionSettings, secrets: Secrets) -> Account:
    """Return the account of a connection, its token from the keyring."""
    token = secrets.get(connection.id)
    if token is None:
        url = without_login(connection.url)
        raise SecretsUnavailable(
            f"the keyring holds no token for {connection.name}: run 'watchbell connect {url} --token-stdin'",
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


def name_of(url: str) -> str:
    """Return what a connection to ``url`` is called."""
    host = urlsplit(url).hostname or url
    return "PagerDuty" if host.endswith("pagerduty.com") else host
