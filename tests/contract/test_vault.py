"""The keyring in this process, and in one of its own: the same to whoever asks."""

import json
import subprocess
import sys
from pathlib import Path

import keyring
import pytest

from desktop.domain.errors import KeyringAbsent, KeyringLocked, SecretsUnavailable
from desktop.system.program import child_environment
from desktop.system.secrets import Secrets, Vault
from desktop.system.vault import Keyring
from desktop.system.vault_process import ProcessKeyring
from tests.fakes.keyring_file import LOCKED, NAME, FileKeyring

ENOUGH = 20


@pytest.fixture(params=[Keyring, ProcessKeyring])
def vault(request: pytest.FixtureRequest) -> Vault:
    made: Vault = request.param()
    return made


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The keyring's file, empty."""
    path = tmp_path / "keyring.json"
    path.write_text("{}")
    monkeypatch.setenv("TEST_KEYRING", str(path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", NAME)
    monkeypatch.setattr(keyring.core, "_keyring_backend", FileKeyring())
    return path


def test_what_is_kept_comes_back_and_can_be_forgotten(vault: Vault, file: Path) -> None:
    assert vault.get("one", "token") is None
    vault.set("one", "token", "wb_é\n1")
    vault.set("two", "token", "wb_2")
    assert (vault.get("one", "token"), vault.get("two", "token")) == ("wb_é\n1", "wb_2")
    vault.delete("one", "token")
    vault.delete("one", "token")
    assert (vault.get("one", "token"), vault.get("two", "token")) == (None, "wb_2")
    assert vault.name()


def test_a_locked_one_is_said(vault: Vault, file: Path) -> None:
    file.write_text(LOCKED)
    with pytest.raises(KeyringLocked, match="dismissed"):
        vault.get("one", "token")
    with pytest.raises(KeyringLocked, match="dismissed"):
        vault.set("one", "token", "wb_1")


def test_none_at_all_is_said(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", keyring.backends.fail.Keyring())
    with pytest.raises(KeyringAbsent, match="no keyring service"):
        vault.get("one", "token")


def test_a_process_that_says_nothing_is_an_unusable_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(SecretsUnavailable, match="cannot be asked"):
        ProcessKeyring().get("one", "token")


def test_a_process_ends_when_nobody_waits_for_its_answer_any_more(file: Path) -> None:
    file.unlink()
    with subprocess.Popen(
        [sys.executable, "-m", "desktop.system.vault_process"], stdin=subprocess.PIPE, env=child_environment()
    ) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(["get", "one", "token"]).encode() + b"\n")
        process.stdin.close()
        assert process.wait(ENOUGH) == 0


def test_the_application_loads_no_keyring() -> None:
    code = "import sys, desktop.app; sys.exit('keyring' in sys.modules or 'cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=child_environment(), check=False).returncode == 0


def test_tokens_are_kept_in_the_one_that_is_given(file: Path) -> None:
    Secrets(vault=ProcessKeyring()).set("pd", "wb_1")
    assert Secrets().get("pd") == "wb_1"
