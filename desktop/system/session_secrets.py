"""Tokens for as long as the application runs: the keyring's, or a person's where that cannot be used. Any thread.

Each attempt to reach a server needs the token. The keyring is asked for it once; what it refuses is not asked for at
every attempt, since each may put a prompt before the person.
"""

import threading
import time

from desktop.domain.errors import KeyringAbsent, SecretsUnavailable
from desktop.system.secrets import TIMEOUT, Secrets, Vault

# Seconds until a keyring is asked again by itself: one that is not there asks nobody, a locked one does.
_ABSENT_AGAIN, _LOCKED_AGAIN = 60.0, 600.0


class SessionSecrets(Secrets):
    """What is given here is never written anywhere but into the keyring."""

    def __init__(self, timeout: float = TIMEOUT, vault: Vault | None = None) -> None:
        super().__init__(timeout, vault)
        self._given: dict[str, str] = {}
        self._read: dict[str, str] = {}
        self._doubted: set[str] = set()
        self._refused: dict[str, tuple[SecretsUnavailable, float]] = {}
        # Held for as long as the keyring takes: who else wants a token then would only be asked twice.
        self._asking = threading.Lock()

    def get(self, connection_id: str) -> str | None:
        """Return the token of a connection, None when the keyring has none; SecretsUnavailable while it gives none."""
        known = self._known(connection_id)
        if known is not None:
            return known
        with self._asking:
            return self._known(connection_id) or self._ask(connection_id)

    def set(self, connection_id: str, token: str) -> None:
        """Keep a token; where the keyring refuses it, until the end of the application."""
        self.remember(connection_id, token)
        super().set(connection_id, token)
        # The keyring has it now, and may get a newer one from somebody else.
        self._doubted.discard(connection_id)
        self._read[connection_id] = token
        self._given.pop(connection_id, None)

    def remember(self, connection_id: str, token: str) -> None:
        """Use ``token`` until the end of the application, and keep it nowhere."""
        self._given[connection_id] = token

    def doubt(self, connection_id: str) -> None:
        """Read the keyring each time from now on: what it gave was not accepted, and it may get another any moment."""
        self._read.pop(connection_id, None)
        self._doubted.add(connection_id)

    def trust(self, connection_id: str) -> None:
        """Read the keyring once again only: what it gives is accepted."""
        self._doubted.discard(connection_id)

    def retry(self, connection_id: str) -> None:
        """Ask the keyring the next time even if it refused, since a person is there."""
        self._refused.pop(connection_id, None)

    def _known(self, connection_id: str) -> str | None:
        return self._given.get(connection_id) or self._read.get(connection_id)

    def _ask(self, connection_id: str) -> str | None:
        refused = self._refused.get(connection_id)
        # A call that still waits can be waited for: it puts nothing before the person.
        if refused is not None and time.monotonic() < refused[1] and connection_id not in self._blocked:
            raise refused[0]
        try:
            token = super().get(connection_id)
        except SecretsUnavailable as e:
            wait = _ABSENT_AGAIN if isinstance(e, KeyringAbsent) else _LOCKED_AGAIN
            self._refused[connection_id] = (e, time.monotonic() + wait)
            raise
        if token is not None and connection_id not in self._doubted:
            self._read[connection_id] = token
        return token
