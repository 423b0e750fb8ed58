"""The operating system's keyring, its troubles in our words. Any thread; each call can block for ever."""

from collections.abc import Iterator
from contextlib import contextmanager

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError, KeyringLocked, NoKeyringError, PasswordDeleteError

from desktop.domain import errors
from desktop.domain.errors import KeyringAbsent, SecretsUnavailable
from desktop.domain.text import plain


class Keyring:
    """Secrets by service and entry; every failure is a SecretsUnavailable."""

    def get(self, service: str, entry: str) -> str | None:
        """Return a secret, None when there is none."""
        with _usable():
            return keyring.get_password(service, entry)

    def set(self, service: str, entry: str, secret: str) -> None:
        """Keep a secret in place of an earlier one, and see that it was kept: some keyrings keep nothing."""
        with _usable():
            keyring.set_password(service, entry, secret)
            kept = keyring.get_password(service, entry) == secret
        if not kept:
            raise SecretsUnavailable(f"the keyring that is set up here ({self.name()}) does not keep what it is given")

    def delete(self, service: str, entry: str) -> None:
        """Forget a secret, if there is one."""
        with _usable():
            try:
                keyring.delete_password(service, entry)
            except PasswordDeleteError:
                return

    def name(self) -> str:
        """Return what the keyring is called."""
        with _usable():
            return str(keyring.get_keyring().name)


@contextmanager
def _usable() -> Iterator[None]:
    try:
        _refuse_plain_text()
        yield
    except SecretsUnavailable:
        raise
    except NoKeyringError as e:
        raise KeyringAbsent("no keyring service runs here") from e
    except KeyringLocked as e:
        raise errors.KeyringLocked("the keyring is locked, or its prompt was dismissed") from e
    except KeyringError as e:
        reason = str(e).splitlines()[0] if str(e) else type(e).__name__
        raise SecretsUnavailable(f"the keyring cannot be used: {reason}") from e
    except Exception as e:
        # Its words may hold what it was given.
        raise SecretsUnavailable(f"the keyring cannot be used: it failed with {type(e).__name__}") from e


def _refuse_plain_text() -> None:
    """Backends of keyrings.alt write files: that is no keyring for us (design, section 7)."""
    if type(_set_up_here()).__module__.startswith("keyrings.alt"):
        raise SecretsUnavailable("the keyring that is set up here keeps its secrets in files: set up a real one")


def _set_up_here() -> KeyringBackend:
    """Return the keyring that is used here; whatever its configuration names is loaded by that."""
    try:
        return keyring.get_keyring()
    except Exception as e:
        said = (str(e).splitlines() or [""])[0]
        raise SecretsUnavailable(
            "the keyring that PYTHON_KEYRING_BACKEND or keyringrc.cfg names cannot be loaded "
            f"({plain(said, 200) or type(e).__name__}): correct that name, or take it out"
        ) from e
