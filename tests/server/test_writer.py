"""The writer: one commit for many, a savepoint each, nothing answered before it is durable."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from desktop.domain.errors import StorageError
from desktop.server.storage import Storage, resolve
from desktop.server.writer import GROUP, Work, Writer


class Bench:
    """A writer on a small table, held up until ``let_go`` so that commands gather."""

    def __init__(self, folder: Path) -> None:
        self.storage = Storage(resolve(str(folder / "w.db")))
        with self.storage.write() as connection:
            connection.exec_driver_sql("CREATE TABLE t (n INTEGER PRIMARY KEY)")
        self.told: list[object] = []
        self.commits = 0
        event.listen(self.storage.engine, "commit", self._committed)
        self.writer = Writer(self.storage, self.told.extend)
        self._gate = threading.Event()

    def _committed(self, _: Any) -> None:
        self.commits += 1

    def hold(self) -> None:
        begun = threading.Event()

        def wait(_: Work) -> None:
            begun.set()
            self._gate.wait(10)

        self.writer.submit(wait)
        assert begun.wait(10)

    def let_go(self) -> None:
        self._gate.set()

    def numbers(self) -> list[int]:
        with self.storage.read() as connection:
            return list(connection.exec_driver_sql("SELECT n FROM t ORDER BY n").scalars())


def add(number: int) -> Any:
    def command(work: Work) -> int:
        work.connection.exec_driver_sql("INSERT INTO t VALUES (?)", (number,))
        work.changed.append(number)  # type: ignore[arg-type]  # what stands there is passed on as it is
        return number

    return command


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.writer.start()
    yield made
    made.let_go()
    made.writer.close()
    made.storage.close()


def test_commands_that_gather_share_a_commit(bench: Bench) -> None:
    bench.hold()
    futures = [bench.writer.submit(add(n)) for n in range(50)]
    before = bench.commits
    bench.let_go()
    assert [future.result(10) for future in futures] == list(range(50))
    assert bench.commits - before == 2  # the held one, and all others
    assert bench.numbers() == bench.told == list(range(50))


def test_a_group_is_bounded(bench: Bench) -> None:
    bench.hold()
    futures = [bench.writer.submit(add(n)) for n in range(GROUP + 1)]
    before = bench.commits
    bench.let_go()
    assert futures[-1].result(10) == GROUP
    assert bench.commits - before == 3


def test_an_error_undoes_its_own_command_only(bench: Bench) -> None:
    def fails(work: Work) -> None:
        add(1)(work)
        raise ValueError("no")

    bench.hold()
    futures = [bench.writer.submit(command) for command in (add(0), fails, add(0), add(2))]
    bench.let_go()
    assert futures[0].result(10) == 0
    with pytest.raises(ValueError, match="no"):
        futures[1].result(10)
    with pytest.raises(StorageError, match="refused"):
        futures[2].result(10)
    assert futures[3].result(10) == 2
    assert bench.numbers() == bench.told == [0, 2]


def test_a_failing_database_takes_no_neighbour_down(bench: Bench) -> None:
    """What rolls the whole transaction back fails alone; the others of its group are written after all."""

    def breaks(work: Work) -> None:
        add(7)(work)
        work.connection.exec_driver_sql("ROLLBACK")
        work.connection.exec_driver_sql("SELECT nonsense")

    bench.hold()
    futures = [bench.writer.submit(command) for command in (add(0), breaks, add(2))]
    bench.let_go()
    assert (futures[0].result(10), futures[2].result(10)) == (0, 2)
    with pytest.raises(StorageError):
        futures[1].result(10)
    assert bench.numbers() == bench.told == [0, 2]


def test_a_full_disk_is_an_error_and_afterwards_all_is_well(bench: Bench) -> None:
    with bench.storage.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(to: int) -> Any:
        return lambda work: work.connection.exec_driver_sql(f"PRAGMA max_page_count={to}").scalar_one()

    def much(work: Work) -> None:
        work.connection.exec_driver_sql("CREATE TABLE big (x)")
        work.connection.exec_driver_sql("INSERT INTO big VALUES (zeroblob(1000000))")

    bench.writer.run(limit(pages + 1))
    with pytest.raises(StorageError, match="full"):
        bench.writer.run(much)
    bench.writer.run(limit(1_000_000))
    assert bench.writer.run(add(1)) == 1


def test_a_listener_that_fails_fails_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(tmp_path)

    def listener(_: object) -> None:
        raise RuntimeError("deaf")

    writer = Writer(bench.storage, listener)
    writer.start()
    assert writer.submit(add(1)).result(10) == 1
    writer.close()
    bench.storage.close()
    assert bench.numbers() == [1]
    assert "listener failed" in caplog.text
    bench.storage.close()


def test_closing_works_off_what_waits_and_takes_no_more(bench: Bench) -> None:
    bench.hold()
    futures = [bench.writer.submit(add(n)) for n in range(5)]
    bench.let_go()
    bench.writer.close()
    assert [future.result(0) for future in futures] == list(range(5))
    with pytest.raises(StorageError, match="shutting down"):
        bench.writer.submit(add(9))


def test_one_that_nobody_waits_for_any_more_is_skipped(bench: Bench) -> None:
    bench.hold()
    future = bench.writer.submit(add(1))
    assert future.cancel()
    bench.let_go()
    bench.writer.run(add(2))
    assert bench.numbers() == [2]
