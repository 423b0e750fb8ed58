"""A keyring in memory, for every test: the real one of whoever runs the tests is never touched. Any thread."""

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class MemoryKeyring(KeyringBackend):
    """Keeps secrets in `secrets`, by (service, user); behaves as a real backend does, and forgets all at the end."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Return the secret, or None when there is none."""
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep the secret in place of an earlier one."""
        self.secrets[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget the secret; PasswordDeleteError when there is none."""
        try:
            del self.secrets[service, username]
        except KeyError:
            raise PasswordDeleteError("no such secret") from None
