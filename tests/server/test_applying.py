"""Applying a team file: integration keys from where the file says, gone people kept but shut out."""

from pathlib import Path

import pytest

from desktop.domain.errors import InputError
from tests.fakes.keyring_fake import MemoryKeyring
from tests.server.house import TEAM, House, running_house

KEY = "0123456789abcdef0123456789abcdef"


def with_key(reference: str, service: str = "payments") -> str:
    return TEAM.replace(f'id = "{service}"', f'id = "{service}"\nintegration_key = "{reference}"')


def enqueue(house: House, key: str) -> int:
    body = {**house.event(key="k"), "routing_key": key}
    return house.call("POST", "/v2/enqueue", body, person="").status_code


def test_a_key_from_the_keyring(tmp_path: Path, memory_keyring: MemoryKeyring) -> None:
    memory_keyring.set_password("watchbell", "payments-key", KEY)
    with running_house(tmp_path, with_key("keyring:payments-key")) as house:
        assert enqueue(house, KEY) == 202


def test_a_key_that_the_file_no_longer_names_is_revoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WB_A", KEY)
    with running_house(tmp_path, with_key("env:WB_A")) as house:
        assert enqueue(house, KEY) == 202
    with running_house(tmp_path, TEAM) as house:
        assert enqueue(house, KEY) == 400


def test_a_key_may_move_to_another_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WB_A", KEY)
    with running_house(tmp_path, with_key("env:WB_A")):
        pass
    with running_house(tmp_path, with_key("env:WB_A", "batch")) as house:
        assert enqueue(house, KEY) == 202
        assert house.incident("k")["service"]["id"] == "batch"


@pytest.mark.parametrize("reference", ["env:WB_MISSING", "keyring:missing"])
def test_a_secret_that_is_not_there_is_named(tmp_path: Path, reference: str) -> None:
    with (
        pytest.raises(InputError, match=f"service payments: {reference} is not set"),
        running_house(tmp_path, with_key(reference)),
    ):
        raise AssertionError("it started")


def test_two_services_cannot_share_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WB_A", KEY)
    monkeypatch.setenv("WB_B", KEY)
    text = with_key("env:WB_A").replace('id = "batch"', 'id = "batch"\nintegration_key = "env:WB_B"')
    with pytest.raises(InputError, match="share an integration key"), running_house(tmp_path, text):
        raise AssertionError("it started")
