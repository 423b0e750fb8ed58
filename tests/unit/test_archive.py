"""Copies of what is known: the same after a restart, or none at all."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.domain.attention import ConnectionState, Contact
from desktop.domain.incident import (
    Acknowledgement,
    ActionKind,
    PendingAction,
    Person,
    Snapshot,
    Status,
)
from desktop.domain.severity import Severity, Urgency
from desktop.sync import archive as archives
from desktop.sync.archive import Archive, Copy, read_copy
from desktop.sync.copies import Unintelligible, from_text, to_text
from desktop.sync.store import open_store
from tests.fakes.backend import ANA, ON_CALL, T0, incident

FULL = replace(
    incident("I1"),
    title='quotes " \\ and 漢🐘\u2028',
    status=Status.ACKNOWLEDGED,
    severity=Severity.SEV0,
    urgency=Urgency.HIGH,
    acknowledgements=(Acknowledgement(Person("ben", "Ben Okafor", "b@example.com"), T0),),
    pending=(PendingAction(ActionKind.ESCALATE, T0 + timedelta(minutes=7)),),
    resolved_by=ANA,
    pages=3,
    version=17,
)
SNAPSHOT = Snapshot(
    ANA, (FULL, incident("I2")), (*ON_CALL, replace(ON_CALL[0], since=T0, until=T0, why="override")), T0
)
STATE = ConnectionState("one", "Server", Contact.LIVE, T0, SNAPSHOT, T0, offset=timedelta(seconds=-3.25))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "client.db"


class Kept:
    """An archive of states that a test changes."""

    def __init__(self, path: Path) -> None:
        self.states: tuple[ConnectionState, ...] = (STATE,)
        self.troubles: list[str] = []
        self.told = threading.Event()
        self.archive = Archive(path, lambda: self.states, self._trouble)

    def _trouble(self, reason: str) -> None:
        self.troubles.append(reason)
        self.told.set()

    def await_written(self) -> None:
        self.told.clear()
        self.archive.changed()
        assert self.told.wait(10)


@pytest.fixture
def kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    monkeypatch.setattr(archives, "SOON_SECONDS", 0.0)
    kept = Kept(path)
    kept.archive.start()
    yield kept
    kept.archive.stop()
    kept.archive.join(10)
    assert not kept.archive.is_alive()


def test_a_snapshot_comes_back_as_it_was() -> None:
    assert from_text(to_text(SNAPSHOT)) == SNAPSHOT


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", '"x"', to_text(SNAPSHOT)[:-1], to_text(SNAPSHOT).replace('"severity":0', '"severity":"0"'),
     to_text(SNAPSHOT).replace('"severity":0', '"severity":9'), to_text(SNAPSHOT).replace('"pages":3', '"pages":true'),
     to_text(SNAPSHOT).replace('"pages":3', '"paged":3'), to_text(SNAPSHOT).replace("+00:00", ""),
     to_text(SNAPSHOT).replace('"me":{', '"me":[{').replace('"example.com"}', '"example.com"}]'), "[" * 100_000],
)  # fmt: skip
def test_what_is_no_copy_of_ours_is_none(text: str) -> None:
    assert text != to_text(SNAPSHOT)
    with pytest.raises(Unintelligible):
        from_text(text)


def test_what_was_known_is_there_at_the_next_start(kept: Kept, path: Path) -> None:
    kept.await_written()
    assert read_copy(path, "one") == Copy(SNAPSHOT, T0, timedelta(seconds=-3.25))
    assert read_copy(path, "two") is None
    later = T0 + timedelta(minutes=1)
    kept.states = (replace(STATE, heard_at=later),)
    kept.await_written()
    assert read_copy(path, "one") == Copy(SNAPSHOT, later, timedelta(seconds=-3.25))
    kept.states = (replace(STATE, heard_at=later, snapshot=replace(SNAPSHOT, incidents=())),)
    kept.await_written()
    found = read_copy(path, "one")
    assert found is not None
    assert found.snapshot.incidents == ()


def test_while_there_is_no_contact_the_last_copy_stays(kept: Kept, path: Path) -> None:
    kept.await_written()
    kept.states = (replace(STATE, contact=Contact.LOST, snapshot=replace(SNAPSHOT, incidents=())),)
    kept.archive.stop()
    kept.archive.join(10)
    found = read_copy(path, "one")
    assert found is not None
    assert found.snapshot == SNAPSHOT


def test_the_end_writes_what_is_new(kept: Kept, path: Path) -> None:
    kept.archive.stop()
    kept.archive.join(10)
    assert read_copy(path, "one") is not None


def test_a_place_that_cannot_be_written_is_told_and_so_is_the_end_of_it(tmp_path: Path, kept: Kept) -> None:
    folder = tmp_path / "later"
    folder.write_text("no folder")
    kept.archive._path = folder / "client.db"
    kept.await_written()
    assert "After a restart Watchbell shows nothing until the backend answers" in kept.troubles[-1]
    folder.unlink()
    kept.await_written()
    assert kept.troubles[-1] == ""
    assert read_copy(folder / "client.db", "one") is not None


@pytest.mark.parametrize("broken", ["snapshot", "heard_at", "clock_ahead"])
def test_a_copy_that_makes_no_sense_is_none(kept: Kept, path: Path, broken: str) -> None:
    kept.await_written()
    with closing(open_store(path)) as database, database:
        database.execute(f"UPDATE copies SET {broken} = 'nonsense'")
    assert read_copy(path, "one") is None


def test_nothing_secret_is_in_a_copy() -> None:
    assert set(json.loads(to_text(SNAPSHOT))) == {"me", "incidents", "on_call", "taken_at", "whole"}
