"""All connections as the application has them, for commands that look at each. Main thread."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from desktop.connections.accounts import (
    EMBEDDED,
    Account,
    account_with,
    environment_connection,
    find_account,
    stored_account,
)
from desktop.connections.live import EMBEDDED_NAME
from desktop.system import settings as settings_file
from desktop.system.paths import Paths
from desktop.system.secrets import Secrets
from desktop.system.settings import ConnectionSettings


@dataclass(frozen=True, slots=True)
class Listed:
    """One connection; ``account`` asks the keyring for its token and may raise a WatchbellError.

    ``given``: the token is the environment's.
    """

    connection: ConnectionSettings
    account: Callable[[], Account]
    given: bool = False


def every(environment: Mapping[str, str], paths: Paths, secrets: Secrets) -> list[Listed]:
    """Return every connection: the environment's first, then those of the settings, else the built-in server's."""
    kept = settings_file.load(paths.settings).connections
    found = [Listed(c, partial(stored_account, c, secrets)) for c in kept]
    named = environment_connection(environment, kept)
    if named is not None:
        connection, token = named
        others = [listed for listed in found if listed.connection.id != connection.id]
        found = [Listed(connection, partial(account_with, connection, token), given=True), *others]
    if found:
        return found
    return [Listed(ConnectionSettings(EMBEDDED, EMBEDDED_NAME, ""), partial(find_account, environment, paths, secrets))]
