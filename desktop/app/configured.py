"""What is to be watched, by the settings and the environment. Any thread."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from desktop.connections import vanished
from desktop.connections.accounts import environment_connection
from desktop.domain.errors import WatchbellError
from desktop.system import settings as settings_file
from desktop.system.paths import Paths
from desktop.system.session_secrets import SessionSecrets
from desktop.system.settings import ConnectionSettings


@dataclass(frozen=True, slots=True)
class Configured:
    """Reads it anew each time; in a demonstration it is nothing."""

    paths: Paths
    secrets: SessionSecrets
    environment: Mapping[str, str]
    demo: bool

    def __repr__(self) -> str:
        """Say nothing of the environment: there is a token in it."""
        return "Configured()"

    def read(self, watched: Iterable[str] = (), before: Iterable[str] = ()) -> tuple[ConnectionSettings, ...]:
        """Return the connections of the settings; one that the environment names comes first, with its token.

        ``watched`` are the ids of those that are watched, ``before`` of those that an earlier run watched. A file that
        is gone does not say that nothing is to be watched any more: StorageError.
        """
        if self.demo:
            return ()
        kept = settings_file.load(self.paths.settings).connections
        named = environment_connection(self.environment, kept)
        if not kept:
            vanished.check(self.paths, (*watched, *(() if named else before)))
        if named is None:
            return kept
        connection = self._with_token(*named)
        return (connection, *(c for c in kept if c.id != connection.id))

    def without_settings(self) -> tuple[ConnectionSettings, ...]:
        """Return what the environment alone names, as far as that makes sense: for settings that cannot be read."""
        try:
            named = None if self.demo else environment_connection(self.environment, ())
        except WatchbellError:
            return ()
        return () if named is None else (self._with_token(*named),)

    def _with_token(self, connection: ConnectionSettings, token: str) -> ConnectionSettings:
        self.secrets.remember(connection.id, token)
        return connection
