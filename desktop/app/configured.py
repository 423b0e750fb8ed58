"""What is to be watched, by the settings and the environment. Any thread."""

from collections.abc import Mapping
from dataclasses import dataclass

from desktop.connections.accounts import environment_connection
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

    def read(self) -> tuple[ConnectionSettings, ...]:
        """Return the connections of the settings; one that the environment names comes first, with its token."""
        if self.demo:
            return ()
        kept = settings_file.load(self.paths.settings).connections
        named = environment_connection(self.environment, kept)
        if named is None:
            return kept
        connection, token = named
        self.secrets.remember(connection.id, token)
        return (connection, *(c for c in kept if c.id != connection.id))
