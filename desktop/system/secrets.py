"""Secrets, in the operating system's keyring and nowhere else. Every call runs in a thread of its own, with a timeout.

An unlock prompt can block for ever (https://github.com/mitya57/secretstorage/issues/33); who asks waits here at most
``timeout`` seconds and is told that the keyring does not answer.
"""

import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import keyring
from keyring.errors import KeyringError, KeyringLocked, NoKeyringError, PasswordDeleteError

from desktop.domain import errors
from desktop.domain.errors import InputError, KeyringAbsent, SecretsUnavailable

T = TypeVar("T")

SERVICE = "watchbell"
ENTRY = "token"
TIMEOUT = 30.0
# What Windows' Credential Manager takes of one secret (CRED_MAX_CREDENTIAL_BLOB_SIZE), which is UTF-16 there.
WINDOWS_BYTES = 5 * 512


class Secrets:
    """Tokens by connection id: one keyring service for each, since some platforms mangle a second user of one."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        self._blocked: dict[str, _Call[str | None]] = {}

    def get(self, connection_id: str) -> str | None:
        """Return the token of a connection, None when there is none; SecretsUnavailable without a usable keyring.

        A call that was given up may still be waiting for a person: the next one takes its answer, and asks no second
        time.
        """
        call = self._blocked.pop(connection_id, None)
        if call is None:
            call = _Call(lambda: keyring.get_password(_service(connection_id), ENTRY))
            call.start()
        try:
            return self._wait(call)
        finally:
            if call.is_alive():
                self._blocked[connection_id] = call

    def set(self, connection_id: str, token: str) -> None:
        """Keep the token of a connection; InputError when it is longer than this system's keyring takes."""
        check_length(token)
        self._call(lambda: keyring.set_password(_service(connection_id), ENTRY, token))

    def delete(self, connection_id: str) -> None:
        """Forget the token of a connection, if there is one."""

        def forget() -> None:
            try:
                keyring.delete_password(_service(connection_id), ENTRY)
            except PasswordDeleteError:
                return

        self._call(forget)

    def named(self, name: str) -> str | None:
        """Return the secret that ``keyring:NAME`` in a team file refers to."""
        return self._call(lambda: keyring.get_password(SERVICE, name))

    def backend(self) -> str:
        """Return the name of the keyring in use, for ``doctor``."""
        return self._call(lambda: str(keyring.get_keyring().name))

    def _call(self, work: Callable[[], T]) -> T:
        call = _Call(work)
        call.start()
        return self._wait(call)

    def _wait(self, call: "_Call[T]") -> T:
        call.join(self._timeout)
        if call.is_alive():
            raise errors.KeyringLocked(
                f"the keyring did not answer within {self._timeout:.0f} s: is it waiting for you to unlock it?"
            )
        return call.outcome()


class _Call(threading.Thread, Generic[T]):
    """One call to the keyring; daemon, since one that blocks for ever must not keep the program alive."""

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(name="watchbell-keyring", daemon=True)
        self._work = work
        self._result: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            _refuse_plain_text()
            self._result.append(self._work())
        except BaseException as e:  # noqa: BLE001 - carried over to the caller
            self._error = e

    def outcome(self) -> T:
        """Return the result, or raise what went wrong in words."""
        if isinstance(self._error, NoKeyringError):
            raise KeyringAbsent("no keyring service runs here") from self._error
        if isinstance(self._error, KeyringLocked):
            raise errors.KeyringLocked("the keyring is locked, or its prompt was dismissed") from self._error
        if isinstance(self._error, KeyringError):
            reason = str(self._error).splitlines()[0] if str(self._error) else type(self._error).__name__
            raise SecretsUnavailable(f"the keyring cannot be used: {reason}") from self._error
        if self._error is not None:
            raise self._error
        return self._result[0]


def check_length(token: str, platform: str = sys.platform) -> None:
    """Raise InputError when the keyring of ``platform`` would not take ``token``: Windows says so in no words."""
    if platform == "win32" and len(token.encode("utf-16-le")) > WINDOWS_BYTES:
        raise InputError(
            f"this token has {len(token)} characters, and Windows keeps no secret longer than {WINDOWS_BYTES // 2}: "
            "have a shorter one made for Watchbell"
        )


def _refuse_plain_text() -> None:
    """Backends of keyrings.alt write files: that is no keyring for us (design, section 7)."""
    if type(keyring.get_keyring()).__module__.startswith("keyrings.alt"):
        raise SecretsUnavailable("the keyring that is set up here keeps its secrets in files: set up a real one")


def _service(connection_id: str) -> str:
    return f"{SERVICE}:{connection_id}"
