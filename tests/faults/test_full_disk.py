"""A disk that is full, or read-only: what is clicked goes out all the same, the trouble is told, and so is its end.

On a real disk (a small tmpfs), with the client's whole connection.
"""

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from filelock import Timeout

from desktop.domain.attention import Command
from desktop.domain.incident import Status
from desktop.sync.store import SCHEMA, open_store, prepare
from desktop.system import instance
from desktop.system.clock import utc_now
from desktop.system.only_one import only_one
from desktop.system.paths import Paths, paths_under, private_folder
from tests.disks import Disk, small_disk
from tests.faults.backend import misbehaving as how
from tests.faults.backend.server import FaultyServer
from tests.faults.backend.watching import Watched, live, shows, watched
from tests.faults.pager.desk import Pager
from tests.faults.pager.process import Backend
from tests.faults.pager.views import View

ACKNOWLEDGED = Status.ACKNOWLEDGED


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    server = FaultyServer()
    yield server
    server.stop()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture(autouse=True)
def no_traceback(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail where a trouble with the disk became an exception that nobody expected."""
    yield
    surprises = [r.getMessage() for r in caplog.records if r.exc_info or r.levelno >= logging.ERROR]
    assert not surprises, surprises


def paths(disk: Disk) -> Paths:
    return paths_under(disk.folder)


def stored(disk: Disk) -> list[str]:
    """Return the incidents whose commands lie in the store."""
    with closing(sqlite3.connect(f"file:{paths(disk).store}?mode=ro", uri=True)) as database:
        return [row[0] for row in database.execute("SELECT incident FROM commands")]


def undurable(reason: str) -> bool:
    return "does not survive a crash" in reason


def durable(reason: str) -> bool:
    return not reason


def acknowledge(seen: Watched, incident: str) -> None:
    """Click, and see that it arrives, once."""
    seen.live.submit(incident, Command.ACKNOWLEDGE)
    seen.until(shows(incident, ACKNOWLEDGED))
    assert seen.server.account.times(incident, "acknowledge") == 1


def test_a_disk_that_was_full_before_the_start(server: FaultyServer, disk: Disk) -> None:
    first, second = server.account.trigger("Disk full"), server.account.trigger("Queue stuck")
    paths(disk).data.mkdir(parents=True)
    disk.fill()
    prepared = prepare(paths(disk).store, utc_now())
    assert not prepared.usable
    assert str(paths(disk).store) in prepared.notice
    assert "does not survive a crash" in prepared.notice
    with watched(server, disk.folder) as seen:
        seen.until(shows(first))
        acknowledge(seen, first)
        seen.await_trouble(undurable)
        mark = len(seen.troubles)
        disk.free()
        acknowledge(seen, second)
        seen.await_trouble(durable, mark)
    assert stored(disk) == []


def test_a_disk_that_fills_up_between_clicks_and_gets_room_again(server: FaultyServer, disk: Disk) -> None:
    first, second = server.account.trigger("Disk full"), server.account.trigger("Queue stuck")
    with watched(server, disk.folder) as seen:
        seen.until(shows(first))
        acknowledge(seen, first)
        disk.fill()
        with server.broken(how.status(503), method="PUT"):
            mark = len(seen.troubles)
            seen.live.submit(second, Command.ACKNOWLEDGE)
            seen.until(lambda s: second in s.sending)
            seen.await_trouble(undurable, mark)
            mark = len(seen.troubles)
            disk.free()
            # What waits in memory is written as soon as there is room.
            seen.await_trouble(durable, mark)
            assert stored(disk) == [second]
        seen.until(shows(second, ACKNOWLEDGED))
    assert server.account.times(second, "acknowledge") == 1
    assert stored(disk) == []


def test_a_home_that_is_read_only_and_becomes_writable_again(server: FaultyServer, disk: Disk) -> None:
    first, second = server.account.trigger("Disk full"), server.account.trigger("Queue stuck")
    assert prepare(paths(disk).store, utc_now()).usable
    disk.read_only()
    assert "does not survive a crash" in prepare(paths(disk).store, utc_now()).notice
    with watched(server, disk.folder) as seen:
        seen.until(shows(first))
        acknowledge(seen, first)
        seen.await_trouble(undurable)
        mark = len(seen.troubles)
        disk.writable()
        acknowledge(seen, second)
        seen.await_trouble(durable, mark)
        seen.until(live)


def leave(disk: Disk, incident: str, version: int = SCHEMA) -> None:
    """Leave a click in the store, as of a run that ended."""
    prepare(paths(disk).store, utc_now())
    with closing(open_store(paths(disk).store)) as database, database:
        database.execute(
            "INSERT INTO commands (connection, incident, command, since, pages) VALUES (?, ?, ?, ?, 1)",
            ("faulty", incident, "acknowledge", utc_now().isoformat()),
        )
        database.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_click_that_waited_goes_out_though_the_store_cannot_be_used(
    server: FaultyServer, disk: Disk, how: str
) -> None:
    incident = server.account.trigger("Disk full")
    leave(disk, incident)
    if how == "full":
        disk.fill()
    else:
        disk.read_only()
    assert not prepare(paths(disk).store, utc_now()).usable
    with watched(server, disk.folder) as seen:
        seen.until(shows(incident, ACKNOWLEDGED))
        mark = len(seen.troubles)
        if how == "full":
            disk.free()
        else:
            disk.writable()
        # What was answered is taken out by itself as soon as that is possible.
        seen.await_trouble(durable, mark)
    assert server.account.times(incident, "acknowledge") == 1
    assert stored(disk) == []


def test_a_newer_store_that_cannot_be_replaced_stays_until_it_can(server: FaultyServer, disk: Disk) -> None:
    incident = server.account.trigger("Disk full")
    leave(disk, incident, SCHEMA + 1)
    # A file that is open somewhere has SQLite's notes beside it, as after a crash: it can be read on a full disk.
    with closing(sqlite3.connect(paths(disk).store)) as other:
        other.execute("SELECT incident FROM commands").fetchall()
        disk.fill()
        prepared = prepare(paths(disk).store, utc_now())
        assert "is of a newer Watchbell and cannot be replaced" in prepared.notice
        assert stored(disk) == [incident]
        with watched(server, disk.folder) as seen:
            seen.until(shows(incident, ACKNOWLEDGED))
    disk.free()
    assert "One click that waited in it was saved" in prepare(paths(disk).store, utc_now()).notice
    with watched(server, disk.folder) as seen:
        seen.await_trouble(durable)
    assert server.account.times(incident, "acknowledge") == 1
    assert stored(disk) == []


def done(view: View, incident: str) -> bool:
    found = view.find("faulty", incident)
    return found is not None and found.status is ACKNOWLEDGED and not found.sending


def test_a_click_on_a_full_disk_that_got_room_survives_a_kill(server: FaultyServer, disk: Disk) -> None:
    first, second = server.account.trigger("Disk full"), server.account.trigger("Queue stuck")
    pager = Pager(disk.folder, (Backend("faulty", server.url, server.account.token),))
    try:
        pager.until(lambda v: v.find("faulty", second) is not None, "it is not shown")
        with server.broken(how.status(503), method="PUT") as broken:
            disk.fill()
            pager.do("click", "faulty", first)
            assert broken.met.wait(20)
            pager.until(lambda v: v.line("faulty").sending == (first,), "it is not sending")
            disk.free()
            pager.do("click", "faulty", second)
            pager.until(lambda v: set(v.line("faulty").sending) == {first, second}, "it is not sending")
            assert stored(disk) == [first, second]
            pager.kill()
        pager.start()
        pager.until(lambda v: all(done(v, incident) for incident in (first, second)), "it is not acknowledged")
    finally:
        pager.kill()
    for incident in (first, second):
        assert server.account.times(incident, "acknowledge") == 1


def test_a_read_only_home_lets_one_start_and_no_second(disk: Disk) -> None:
    private_folder(paths(disk).data)
    disk.read_only()
    try:
        with only_one(paths(disk)), pytest.raises(Timeout):
            only_one(paths(disk))
    finally:
        shutil.rmtree(instance._elsewhere(paths(disk)))
    assert list(paths(disk).data.iterdir()) == []


def test_a_home_that_is_writable_again_lets_nobody_in_beside_the_one_that_runs(disk: Disk) -> None:
    private_folder(paths(disk).data)
    disk.read_only()
    try:
        with only_one(paths(disk)):
            disk.writable()
            with pytest.raises(Timeout):
                only_one(paths(disk))
        with only_one(paths(disk)):
            disk.fill()
            with pytest.raises(Timeout):
                only_one(paths(disk))
        with only_one(paths(disk)):
            assert instance.running(paths(disk))
        assert not instance.running(paths(disk))
    finally:
        shutil.rmtree(instance._elsewhere(paths(disk)))
