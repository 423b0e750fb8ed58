"""The server of our own that is watched where there is no other: started, kept, replaced when it hangs. Any thread."""

import threading
import time
from collections.abc import Callable

from desktop.connections.accounts import EMBEDDED, Account
from desktop.connections.setting_up import ensure_team, new_token
from desktop.domain.errors import SecretsUnavailable, Unreachable
from desktop.system.embedded import EmbeddedServer
from desktop.system.paths import Paths
from desktop.system.secrets import Secrets

# It answers within milliseconds: silent for this long, it hangs (seconds awake, not asleep).
_HUNG_AFTER = 45.0
MISCONFIGURED = "misconfigured"


class OwnServer:
    """The embedded server with its token; ``changed`` is called whenever it has another address."""

    def __init__(
        self,
        paths: Paths,
        secrets: Secrets,
        notice: Callable[[str, str | None], None],
        changed: Callable[[], None],
        *,
        demo: bool,
    ) -> None:
        self._secrets = secrets
        self._notice = notice
        self._changed = changed
        self._demo = demo
        self._token = new_token()
        self._silent_since: float | None = None
        self._server = EmbeddedServer(paths, self._token, lambda: ensure_team(paths, demo=demo), self._address_changed)

    def start(self) -> None:
        """Begin to run it."""
        if not self._demo:
            threading.Thread(target=self._keep_token, name="watchbell-keep-token", daemon=True).start()
        self._server.start()

    def stop(self) -> None:
        """End it, and wait for that; a few seconds at most."""
        self._server.stop()
        self._notice(MISCONFIGURED, None)

    def account(self) -> Account:
        """Return who we are there; Unreachable while it has no address."""
        url = self._server.url
        if url is None:
            raise Unreachable(self._server.trouble)
        return Account(url, self._token)

    def replace_if_hung(self, *, answers: bool) -> None:
        """Kill it if it runs and has not answered for too long; it is started again by itself."""
        if answers or self._server.url is None:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = time.monotonic()
        elif time.monotonic() - self._silent_since > _HUNG_AFTER:
            self._silent_since = None
            self._server.kill()

    def _keep_token(self) -> None:
        """Let this person's commands reach it; the application itself can do without."""
        try:
            self._secrets.set(EMBEDDED, self._token)
        except SecretsUnavailable as e:
            self._notice("keyring", f"Commands in a terminal cannot reach the built-in server: {e.message}")

    def _address_changed(self, url: str | None) -> None:
        if url is not None:
            self._changed()
        self._notice(MISCONFIGURED, self._server.mistake or None)
