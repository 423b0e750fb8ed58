"""Sets connections up: tries and keeps what a person gave, and makes what the embedded server needs. Any thread."""

import getpass
import secrets as random_secrets
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import tzlocal

from desktop import team as team_file
from desktop.backends.pagerduty.client import check_url
from desktop.backends.route import Route, check_proxy
from desktop.connections.accounts import (
    EMBEDDED,
    ENVIRONMENT,
    TOKEN_VARIABLE,
    URL_VARIABLE,
    Account,
    name_of,
    open_backend,
)
from desktop.domain.errors import SecretsUnavailable
from desktop.domain.incident import Person
from desktop.domain.team import Access
from desktop.system import settings as settings_file
from desktop.system.clock import utc_now
from desktop.system.paths import Paths
from desktop.system.secrets import Secrets, check_length
from desktop.system.settings import ConnectionSettings, Settings
from desktop.team.starter import demonstration, newcomer, starter


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a person gave of a connection; None leaves what there is."""

    url: str
    proxy: str | None
    ca: str | None

    def connection(self, settings: Settings) -> ConnectionSettings:
        """Return the connection as it is wanted: that of ``settings`` with the same address, or a new one."""
        known = self._known(settings) or ConnectionSettings(
            _new_id(settings.connections, self.url), name_of(self.url), self.url
        )
        proxy = known.proxy if self.proxy is None else self.proxy
        return replace(known, proxy=proxy, ca=known.ca if self.ca is None else self.ca)

    def over(self, settings: Settings) -> Settings:
        """Return the settings with it."""
        known, wanted = self._known(settings), self.connection(settings)
        kept = tuple(wanted if c is known else c for c in settings.connections)
        return replace(settings, connections=kept if known else (*kept, wanted))

    def _known(self, settings: Settings) -> ConnectionSettings | None:
        return next((c for c in settings.connections if c.url == self.url), None)


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection that was tried and kept, whose token it is, and whether they may acknowledge there, where known."""

    connection: ConnectionSettings
    me: Person
    may_acknowledge: bool | None


def connect(
    paths: Paths, secrets: Secrets, url: str, token: str, *, proxy: str | None = None, ca: str | None = None
) -> Connected:
    """Try ``url`` with ``token``, and keep both: the token in the keyring, the address in the settings.

    ``proxy`` and ``ca`` (see ``ConnectionSettings``) are kept, too; None leaves them as they are.
    """
    wish = _Wish(check_url(url), proxy and check_proxy(proxy), ca)
    check_length(token)
    settings = settings_file.load(paths.settings)
    connection = wish.connection(settings)
    backend = open_backend(Account(wish.url, token, Route(connection.proxy, connection.ca)))
    me = backend.me()
    if connection not in settings.connections:
        # Somebody else may have changed them while the address was asked.
        connection = wish.connection(settings_file.change(paths.settings, wish.over))
    try:
        secrets.set(connection.id, token)
    except SecretsUnavailable as e:
        raise SecretsUnavailable(
            f"the token is good, but cannot be kept: {e.message}. The address is kept: start Watchbell and enter the "
            f"token there, for as long as it runs, or set {URL_VARIABLE} and {TOKEN_VARIABLE}; "
            "or unlock or install a keyring and connect again"
        ) from e
    return Connected(connection, me, backend.may_acknowledge())


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
