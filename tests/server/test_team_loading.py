"""A team file at the start of a server and one that is sent to it: which holds, and whose secrets it may name."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keyring
import pytest
import requests

from desktop.domain.errors import InputError
from desktop.server import applying, storage, tokens
from desktop.server.replacing import NEEDS_PEOPLE
from desktop.server.running import load_team
from tests.fakes.keyring_fake import MemoryKeyring
from tests.server.house import MINUTE, START, House, running_house
from tests.server.house import TEAM as PLAIN

TEAM = PLAIN.replace("[rotation.primary]", '[[people]]\nid = "ida"\naccess = "admin"\n[rotation.primary]')
BATCH = TEAM.replace("Nightly batch", "Batch")
KEY, OTHER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "team.toml"
    place.write_text(TEAM, "utf-8")
    return place


def load(database: str, file: Path | None) -> str:
    """Do what the start of a server does, and return the team file that holds then."""
    opened = storage.Storage(storage.resolve(database))
    try:
        opened.migrate()
        load_team(opened, file, START)
        with opened.read() as connection:
            found = applying.current(connection)
            assert found is not None
            return found.document
    finally:
        opened.close()


@contextmanager
def started(database: str, file: Path) -> Iterator[House]:
    """Start a server with ``file``, as ``serve --team`` does."""
    with running_house(database, load(database, file)) as house:
        yield house


def put(house: House, text: str, **query: str) -> requests.Response:
    headers = {"Content-Type": "application/toml"}
    return house.call("PUT", "/watchbell/v1/team", data=text.encode(), person="ida", headers=headers, params=query)


def send(house: House, text: str) -> None:
    assert put(house, text).status_code == 200


def test_an_unchanged_file_does_not_undo_what_was_applied_since(database: str, file: Path) -> None:
    with started(database, file) as house:
        send(house, BATCH)
    assert load(database, file) == BATCH
    assert load(database, file) == BATCH
    assert load(database, None) == BATCH


def test_a_file_that_changed_is_applied(database: str, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    with started(database, file) as house:
        send(house, BATCH)
    newer = TEAM.replace("Nightly batch", "Jobs")
    file.write_text(newer, "utf-8")
    assert load(database, file) == newer
    assert "it replaces the team that was applied" in caplog.text
    file.write_text(TEAM, "utf-8")
    assert load(database, file) == TEAM


def test_another_file_is_applied(database: str, file: Path, tmp_path: Path) -> None:
    with started(database, file) as house:
        send(house, BATCH)
    other = tmp_path / "other.toml"
    other.write_text(TEAM, "utf-8")
    assert load(database, other) == TEAM


def test_the_servers_own_file_applied_while_it_runs_is_no_news_at_its_start(database: str, file: Path) -> None:
    newer = TEAM.replace("Nightly batch", "Jobs")
    with started(database, file) as house:
        file.write_text(newer, "utf-8")
        send(house, newer)
        send(house, BATCH)
    assert load(database, file) == BATCH


def test_a_file_that_was_changed_and_not_applied_is_news_at_the_start(database: str, file: Path) -> None:
    newer = TEAM.replace("Nightly batch", "Jobs")
    with started(database, file) as house:
        file.write_text(newer, "utf-8")
        send(house, BATCH)
    assert load(database, file) == newer


def test_without_a_team_there_is_no_start(database: str) -> None:
    with pytest.raises(InputError, match="no team yet"):
        load(database, None)


def with_key(reference: str, service: str = "payments") -> str:
    return TEAM.replace(f'id = "{service}"', f'id = "{service}"\nintegration_key = "{reference}"')


def enqueue(house: House, key: str) -> int:
    return house.call("POST", "/v2/enqueue", {**house.event(key="k"), "routing_key": key}, person="").status_code


def test_a_sent_file_may_name_the_secrets_of_the_servers_own(
    database: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WB_A", KEY)
    file.write_text(with_key("env:WB_A"), "utf-8")
    with started(database, file) as house:
        send(house, with_key("env:WB_A", "batch"))
        assert enqueue(house, KEY) == 202
        assert house.incident("k")["service"]["id"] == "batch"
        send(house, TEAM)
        assert enqueue(house, KEY) == 400
        send(house, with_key("env:WB_A"))
        assert enqueue(house, KEY) == 202


@pytest.mark.parametrize("reference", ["env:WB_B", "keyring:other", "env:HOME"])
def test_a_sent_file_may_name_no_others(
    database: str, file: Path, reference: str, monkeypatch: pytest.MonkeyPatch, memory_keyring: MemoryKeyring
) -> None:
    monkeypatch.setenv("WB_A", KEY)
    monkeypatch.setenv("WB_B", OTHER)
    memory_keyring.set_password("watchbell", "other", OTHER)
    file.write_text(with_key("env:WB_A"), "utf-8")
    with started(database, file) as house:
        answer = put(house, with_key(reference), force="true")
        (said,) = answer.json()["error"]["errors"]
        assert answer.status_code == 400
        assert said.startswith(f"team.toml:33: services[1].integration_key: {reference} is no integration key that")
        assert enqueue(house, OTHER) == 400
        assert enqueue(house, KEY) == 202


def test_a_secret_for_messages_is_none_for_a_key(database: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WB_A", KEY)
    file.write_text(f'{TEAM}[channels]\nincidents = "env:WB_A"\n', "utf-8")
    with started(database, file) as house:
        assert put(house, with_key("env:WB_A")).status_code == 400
        assert put(house, f'{BATCH}[channels]\nincidents = "env:WB_A"\n').status_code == 200


def test_what_is_added_to_the_servers_own_file_counts_before_the_next_start(
    database: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WB_A", KEY)
    with started(database, file) as house:
        assert put(house, with_key("env:WB_A")).status_code == 400
        file.write_text(with_key("env:WB_A"), "utf-8")
        send(house, with_key("env:WB_A"))
        assert enqueue(house, KEY) == 202


@pytest.mark.parametrize("spoil", [Path.unlink, lambda place: place.write_bytes(b"a = [")])
def test_what_was_loaded_still_counts_when_the_file_is_gone_or_broken(
    database: str, file: Path, spoil: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WB_A", KEY)
    file.write_text(with_key("env:WB_A"), "utf-8")
    with started(database, file) as house:
        assert callable(spoil)
        spoil(file)
        send(house, with_key("env:WB_A", "batch"))


def test_a_secret_that_is_not_set_is_named(database: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WB_A", KEY)
    file.write_text(with_key("env:WB_A"), "utf-8")
    with started(database, file) as house:
        monkeypatch.delenv("WB_A")
        answer = put(house, with_key("env:WB_A", "batch"))
        assert answer.status_code == 400
        assert answer.json()["error"]["errors"] == ["service batch: env:WB_A is not set where the server runs"]
        assert enqueue(house, KEY) == 202


class _Silent(MemoryKeyring):
    """A keyring that waits to be unlocked."""

    def __init__(self) -> None:
        super().__init__()
        self.unlocked = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.unlocked.wait(30)
        return super().get_password(service, username)


def test_a_keyring_that_does_not_answer_holds_nobody_up(
    database: str, file: Path, monkeypatch: pytest.MonkeyPatch, memory_keyring: MemoryKeyring
) -> None:
    memory_keyring.set_password("watchbell", "payments", KEY)
    file.write_text(with_key("keyring:payments"), "utf-8")
    with started(database, file) as house:
        monkeypatch.setattr("desktop.server.replacing.PATIENCE", 0.05)
        silent = _Silent()
        keyring.set_keyring(silent)
        try:
            answer = put(house, with_key("keyring:payments", "batch"))
            assert (answer.status_code, "does not answer" in answer.text) == (400, True)
        finally:
            silent.unlocked.set()


def test_a_key_that_was_changed_is_taken_up_at_the_start(
    database: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WB_A", KEY)
    file.write_text(with_key("env:WB_A"), "utf-8")
    with started(database, file) as house:
        send(house, with_key("env:WB_A").replace("Nightly batch", "Batch"))
    monkeypatch.setenv("WB_A", OTHER)
    with started(database, file) as house:
        assert house.get("/services/batch")["service"]["name"] == "Batch"
        assert (enqueue(house, OTHER), enqueue(house, KEY)) == (202, 400)


def test_the_application_that_runs_the_server_stays_in_the_team(database: str, file: Path) -> None:
    with started(database, file) as house:
        with house.server.storage.write() as connection:
            tokens.replace_embedded(connection, "wb_" + "t" * 43, "ana", START)
        without = TEAM.replace('[[people]]\nid = "ana"\nname = "Ana Ruiz"\nemail = "ana@example.com"\n', "")
        answer = put(house, without.replace('"ana"', '"cho"'), force="true")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, NEEDS_PEOPLE)
        assert "acts as ana" in answer.json()["error"]["errors"][0]
        send(house, BATCH)


def test_a_team_that_only_a_newer_server_understands_ends_no_escalation(
    database: str, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with started(database, file) as house:
        house.enqueue(key="k")
        text = f"{TEAM}[novelty]\n"
        with house.server.storage.write() as connection:
            newer = applying.Applied(text, "team.toml", applying.digest_of(text), START, "person:ida")
            applying.write(connection, house.server.station.roster, newer, {})
        house.tick(15 * MINUTE)
        assert [a["assignee"]["id"] for a in house.incident("k")["assignments"]] == ["ana", "ben"]
        assert caplog.text.count("team not understood") == 1
        house.tick()
        assert caplog.text.count("team not understood") == 1


BROKEN = [
    Path.unlink,
    lambda place: place.write_text(TEAM.replace('"ana", "ben"', '"ana", "bem"').replace("name", "nmae")),
]


@pytest.mark.parametrize("spoil", BROKEN)
def test_a_file_that_cannot_be_used_leaves_the_team_as_it_was(
    database: str, file: Path, spoil: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert load(database, file) == TEAM
    assert callable(spoil)
    spoil(file)
    assert load(database, file) == TEAM
    (said,) = [record for record in caplog.records if "cannot be used" in record.message]
    assert (said.levelname, str(file)) == ("ERROR", said.__dict__["fields"]["file"])
    assert said.__dict__["fields"]["mistakes"]


def test_every_mistake_of_the_file_is_in_the_log(
    database: str, file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WB_A", KEY)
    file.write_text(with_key("env:WB_A"), "utf-8")
    load(database, file)
    monkeypatch.delenv("WB_A")
    load(database, file)
    BROKEN[1](file)
    load(database, file)
    first, second = (r.__dict__["fields"]["mistakes"] for r in caplog.records if "cannot be used" in r.message)
    assert first == ["service payments: env:WB_A is not set where the server runs"]
    assert len(second) > 1


def test_without_a_team_a_broken_file_is_no_start(database: str, file: Path) -> None:
    file.write_text("a = [", "utf-8")
    with pytest.raises(InputError, match="is not TOML"):
        load(database, file)


def test_the_admins_hear_once_that_the_file_is_not_used(database: str, file: Path) -> None:
    with started(database, file) as house:
        station = house.server.station
        station.runs_without("team.toml", 2)
        for _ in range(3):
            house.server.keeper.tick()
            house.clock.forward(2 * MINUTE)
        (told,) = [i for i in house.get("/incidents")["incidents"] if "team.toml" in i["title"]]
        assert [a["assignee"]["id"] for a in told["assignments"]] == ["ida"]
        assert (told["priority"]["id"], told["status"]) == ("sev1", "triggered")
        ready = house.call("GET", "/readyz", person="")
        assert ready.json()["team_file"] is False
        send(house, BATCH)
        for _ in range(2):
            house.clock.forward(6 * MINUTE)
            house.server.keeper.tick()
        assert house.get(f"/incidents/{told['id']}")["incident"]["status"] == "resolved"
        assert house.call("GET", "/readyz", person="").json()["team_file"] is True
