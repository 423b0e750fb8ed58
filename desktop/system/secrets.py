"""Secrets, in the operating system's keyring and nowhere else. Every call runs in a thread of its own, with a timeout.

An unlock prompt can block for ever (https://github.com/mitya57/secretstorage/issues/33); who asks waits here at most
``timeout`` seconds and is told that the keyring does not answer.
"""

import sys
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from desktop.domain.errors import InputError, KeyringLocked

T = TypeVar("T")

SERVICE = "watchbell"
ENTRY = "token"
TIMEOUT = 30.0
# What Windows' Credential Manager takes of one secret (CRED_MAX_CREDENTIAL_BLOB_SIZE), which is UTF-16 there.
WINDOWS_BYTES = 5 * 512


class Vault(Protocol):
    """A keyring: secrets by service and entry. Each call can block for ever, and fails with a SecretsUnavailable."""

    def get(self, service: str, entry: str) -> str | None:
        """Return a secret, None when there is none."""

    def set(self, service: str, entry: str, secret: str) -> None:
        """Keep a secret in place of an earlier one."""

    def delete(self, service: str, entry: str) -> None:
        """Forget a secret, if there is one."""

    def name(self) -> str:
        """Return what the keyring is called."""


class Secrets:
    """Tokens by connection id: one keyring service for each, since some platforms mangle a second user of one."""

    def __init__(self, timeout: float = TIMEOUT, vault: Vault | None = None) -> None:
        self._timeout = timeout
        self._vault = _this_process() if vault is None else vault
        self._blocked: dict[str, _Call[str | None]] = {}

    def get(self, connection_id: str) -> str | None:
        """Return the token of a connection, None when there is none; SecretsUnavailable without a usable keyring.

        A call that was given up may still be waiting for a person: the next one takes its answer, and asks no second
        time.
        """
        call = self._blocked.pop(connection_id, None)
        if call is None:
            call = _Call(lambda: self._vault.get(_service(connection_id), ENTRY))
            call.start()
        try:
            return self._wait(call)
        finally:
            if call.is_alive():
                self._blocked[connection_id] = call

    def set(self, connection_id: str, token: str) -> None:
        """Keep the token of a connection; InputError when it is longer than this system's keyring takes."""
        check_length(token)
        self._call(lambda: self._vault.set(_service(connection_id), ENTRY, token))

    def delete(self, connection_id: str) -> None:
        """Forget the token of a connection, if there is one."""
        self._call(lambda: self._vault.delete(_service(connection_id), ENTRY))

    def named(self, name: str) -> str | None:
        """Return the secret that ``keyring:NAME`` in a team file refers to."""
        return self._call(lambda: self._vault.get(SERVICE, name))

    def backend(self) -> str:
        """Return the name of the keyring in use, for ``doctor``."""
        return self._call(self._vault.name)

    def _call(self, work: Callable[[], T]) -> T:
        call = _Call(work)
        call.start()
        return self._wait(call)

    def _wait(self, call: "_Call[T]") -> T:
        call.join(self._timeout)
        if call.is_alive():
            raise KeyringLocked(
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
            self._result.append(self._work())
        except BaseException as e:  # noqa: BLE001 - carried over to the caller
            self._error = e

    def outcome(self) -> T:
        """Return the result, or raise what went wrong in words."""
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


def _this_process() -> Vault:
    from desktop.system.vault import Keyring  # noqa: PLC0415 - what it loads is large, and the application's is another

    return Keyring()


def _service(connection_id: str) -> str:
    return f"{SERVICE}:{connection_id}"
