"""A keyring in a file that every process of a test sees: PYTHON_KEYRING_BACKEND names it. Any thread.

``TEST_KEYRING`` is the path of the file; one that is not there is a keyring that never answers.
"""

import json
import os
import threading
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

NAME = "tests.fakes.keyring_file.FileKeyring"
LOCKED = "locked"


class FileKeyring(KeyringBackend):
    """Keeps secrets by (service, user); a file that says ``LOCKED`` is locked."""

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        """Return the secret, or None when there is none."""
        return self._read().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep the secret in place of an earlier one."""
        self._write({**self._read(), f"{service} {username}": password})

    def delete_password(self, service: str, username: str) -> None:
        """Forget the secret; PasswordDeleteError when there is none."""
        secrets = self._read()
        if secrets.pop(f"{service} {username}", None) is None:
            raise PasswordDeleteError("no such secret")
        self._write(secrets)

    def _read(self) -> dict[str, str]:
        file = Path(os.environ["TEST_KEYRING"])
        if not file.exists():
            threading.Event().wait()
        text = file.read_text("utf-8")
        if text == LOCKED:
            raise KeyringLocked("dismissed")
        secrets: dict[str, str] = json.loads(text)
        return secrets

    def _write(self, secrets: dict[str, str]) -> None:
        Path(os.environ["TEST_KEYRING"]).write_text(json.dumps(secrets), "utf-8")
