"""The tokens of the connections that a person set up: tried, kept, and doubted. Any thread; no Qt."""

import threading
from collections.abc import Callable, Mapping

from desktop.connections.accounts import account_with, open_backend
from desktop.domain.errors import SecretsUnavailable, WatchbellError
from desktop.system.secrets import check_length
from desktop.system.session_secrets import SessionSecrets
from desktop.system.settings import ConnectionSettings


class Tokens:
    """``notice`` gets what a person must know, ``resync`` the connection whose token may be another now."""

    def __init__(
        self,
        settings: Mapping[str, ConnectionSettings],
        secrets: SessionSecrets,
        notice: Callable[[str, str | None], None],
        resync: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._secrets = secrets
        self._notice = notice
        self._resync = resync

    def takes(self, connection: str) -> bool:
        """Tell whether a person can give the connection a token: the embedded server makes its own."""
        return connection in self._settings

    def doubt(self, connection: str, *, by_person: bool = False) -> None:
        """Read the connection's token from the keyring anew; ``by_person``, even if that asks for its password."""
        self._secrets.doubt(connection)
        if by_person:
            self._secrets.retry(connection)
        self._resync(connection)

    def trust(self, connection: str) -> None:
        """Note that the connection's token is accepted."""
        self._secrets.trust(connection)

    def give(self, connection: str, token: str, tried: Callable[[str], None]) -> None:
        """Try a token and use it if it is good, in a thread of its own, on which ``tried`` gets the trouble, if any."""
        settings = self._settings[connection]

        def work() -> None:
            try:
                check_length(token)
                open_backend(account_with(settings, token)).me()
                self._keep(settings, token)
            except WatchbellError as e:
                tried(e.message)
            else:
                self._resync(connection)
                tried("")

        threading.Thread(target=work, name="watchbell-give-token", daemon=True).start()

    def _keep(self, settings: ConnectionSettings, token: str) -> None:
        key = f"token of {settings.id} not kept"
        try:
            self._secrets.set(settings.id, token)
        except SecretsUnavailable as e:
            self._notice(key, f"The token of {settings.name} is lost when Watchbell ends: {e.message}")
        else:
            self._notice(key, None)
