"""Keyrings that give nothing: each refuses, or waits for a person. Any thread."""

import threading

from keyring.errors import KeyringError, KeyringLocked

from tests.fakes.keyring_fake import MemoryKeyring


class Refusing(MemoryKeyring):
    """A keyring that answers everything with an error."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def get_password(self, service: str, username: str) -> str | None:
        """Refuse."""
        raise self._error

    def set_password(self, service: str, username: str, password: str) -> None:
        """Refuse."""
        raise self._error


class Waiting(MemoryKeyring):
    """A keyring whose prompt nobody answers, until ``answered``."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        """Wait."""
        self.answered.wait()
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Wait."""
        self.answered.wait()


def dismissed() -> MemoryKeyring:
    """A keyring whose prompt was dismissed."""
    return Refusing(KeyringLocked("Failed to unlock the collection!"))


def failing() -> MemoryKeyring:
    """A keyring that is broken."""
    return Refusing(KeyringError("the service has gone away\nwith details"))
