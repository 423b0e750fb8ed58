import threading

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as Forgetful
from keyring.errors import KeyringLocked

from desktop.domain.errors import SecretsUnavailable
from desktop.system.secrets import Secrets
from tests.fakes.broken_keyrings import Refusing


def use(monkeypatch: pytest.MonkeyPatch, backend: KeyringBackend) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)


def test_what_is_kept_comes_back_and_can_be_forgotten() -> None:
    secrets = Secrets()
    assert secrets.get("one") is None
    secrets.set("one", "wb_1")
    secrets.set("two", "wb_2")
    assert (secrets.get("one"), secrets.get("two")) == ("wb_1", "wb_2")
    secrets.delete("one")
    secrets.delete("one")
    assert secrets.get("one") is None


def test_no_keyring_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, NoKeyring())
    for call in (lambda: Secrets().get("one"), lambda: Secrets().set("one", "wb_1")):
        with pytest.raises(SecretsUnavailable):
            call()


class _Odd(KeyringBackend):
    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("dismissed")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("dismissed")


def odd() -> _Odd:
    return _Odd()


def test_a_dismissed_prompt_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, odd())
    with pytest.raises(SecretsUnavailable, match="dismissed"):
        Secrets().get("one")


def test_a_keyring_that_blocks_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    blocking = odd()
    monkeypatch.setattr(blocking, "get_password", lambda *_: release.wait(30))
    use(monkeypatch, blocking)
    try:
        with pytest.raises(SecretsUnavailable, match="did not answer"):
            Secrets(timeout=0.05).get("one")
    finally:
        release.set()


def test_a_keyring_in_plain_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Odd, "__module__", "keyrings.alt.file")
    use(monkeypatch, odd())
    with pytest.raises(SecretsUnavailable, match="files"):
        Secrets().set("one", "wb_1")


@pytest.mark.parametrize("named", ["nosuch.module.Keyring", "keyring.backends.Nope", "Nope", "keyring.Nope"])
def test_a_keyring_whose_name_is_wrong_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", named)
    secrets = Secrets()
    for ask in (secrets.backend, lambda: secrets.get("pd"), lambda: secrets.set("pd", "wb_secret")):
        with pytest.raises(SecretsUnavailable, match=r"PYTHON_KEYRING_BACKEND or keyringrc\.cfg names .* take it out"):
            ask()


def test_a_keyring_that_keeps_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", Forgetful())
    with pytest.raises(SecretsUnavailable, match="does not keep what it is given"):
        Secrets().set("pd", "wb_secret")


def test_whatever_a_keyring_fails_with_is_said_without_what_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", Refusing(RuntimeError("cannot keep wb_secret")))
    with pytest.raises(SecretsUnavailable, match="failed with RuntimeError") as said:
        Secrets().set("pd", "wb_secret")
    assert "wb_secret" not in said.value.message
