"""Tokens of a running application: the keyring is asked once, and a person's token is enough where it is of no use."""

import threading
import time
from collections.abc import Callable

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked as Dismissed
from keyring.errors import NoKeyringError

from desktop.domain.errors import InputError, KeyringAbsent, KeyringLocked, SecretsUnavailable
from desktop.system.secrets import Secrets, check_length
from desktop.system.session_secrets import SessionSecrets


class Counting(KeyringBackend):
    """Answers with ``answer()`` and counts how often it is asked."""

    priority = 1.0

    def __init__(self, answer: Callable[[], str | None]) -> None:
        super().__init__()
        self.answer = answer
        self.asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        return self.answer()

    def set_password(self, service: str, username: str, password: str) -> None:
        self.answer()


def use(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], str | None]) -> Counting:
    backend = Counting(answer)
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)
    return backend


def dismissed() -> str | None:
    raise Dismissed("prompt dismissed")


def absent() -> str | None:
    raise NoKeyringError("none")


def test_the_keyring_is_read_once_and_anew_when_its_token_is_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, secrets = use(monkeypatch, lambda: "wb_1"), SessionSecrets()
    assert [secrets.get("one"), secrets.get("one")] == ["wb_1", "wb_1"]
    assert backend.asked == 1
    backend.answer = lambda: "wb_2"
    secrets.doubt("one")
    # It may be put there any moment now.
    assert [secrets.get("one"), secrets.get("one")] == ["wb_2", "wb_2"]
    assert backend.asked == 3
    secrets.trust("one")
    assert [secrets.get("one"), secrets.get("one")] == ["wb_2", "wb_2"]
    assert backend.asked == 4


@pytest.mark.parametrize(
    ("answer", "kind", "again"), [(dismissed, KeyringLocked, 600.0), (absent, KeyringAbsent, 60.0)]
)
def test_a_prompt_that_was_dismissed_comes_back_only_when_a_person_wants_it(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[], str | None], kind: type[SecretsUnavailable], again: float
) -> None:
    seconds = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    backend, secrets = use(monkeypatch, answer), SessionSecrets()
    for _ in range(20):
        with pytest.raises(kind):
            secrets.get("one")
        secrets.doubt("one")
    assert backend.asked == 1
    seconds[0] += again + 1
    with pytest.raises(kind):
        secrets.get("one")
    assert backend.asked == 2
    backend.answer = lambda: "wb_1"
    secrets.retry("one")
    assert secrets.get("one") == "wb_1"


def test_several_who_want_the_token_at_once_ask_the_person_once(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def slow() -> str | None:
        assert release.wait(20)
        return "wb_1"

    backend, secrets = use(monkeypatch, slow), SessionSecrets()
    got: list[str | None] = []
    threads = [threading.Thread(target=lambda: got.append(secrets.get("one"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    release.set()
    for thread in threads:
        thread.join()
    assert got == ["wb_1"] * 3
    assert backend.asked == 1


def test_what_a_person_answers_late_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    unlocked = threading.Event()

    def waiting() -> str | None:
        assert unlocked.wait(20)
        return "wb_1"

    backend, secrets = use(monkeypatch, waiting), SessionSecrets(timeout=0.05)
    for _ in range(3):
        with pytest.raises(KeyringLocked, match="waiting for you"):
            secrets.get("one")
    unlocked.set()
    secrets._timeout = 20
    assert secrets.get("one") == "wb_1"
    assert backend.asked == 1


def test_a_given_token_is_used_where_the_keyring_is_of_no_use(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, absent)
    secrets = SessionSecrets()
    with pytest.raises(KeyringAbsent):
        secrets.set("one", "wb_1")
    secrets.doubt("one")
    assert secrets.get("one") == "wb_1"


def test_what_the_keyring_took_can_be_replaced_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = SessionSecrets()
    secrets.set("one", "wb_1")
    Secrets().set("one", "wb_2")
    assert secrets.get("one") == "wb_1"
    secrets.doubt("one")
    assert secrets.get("one") == "wb_2"


def test_a_token_that_windows_would_not_keep_is_refused_in_words() -> None:
    check_length("x" * 1280, "win32")
    check_length("x" * 5000, "linux")
    with pytest.raises(InputError, match="1281 characters"):
        check_length("x" * 1281, "win32")
