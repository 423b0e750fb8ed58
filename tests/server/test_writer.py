"""The writer: one commit for many, a savepoint each, nothing answered before it is durable."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, text

from desktop.domain.errors import StorageError
from desktop.domain.escalation import begin, default_policy
from desktop.domain.incident import Status
from desktop.domain.severity import DEFAULT_TARGETS, Severity, Urgency
from desktop.server.attempts import ATTEMPTS
from desktop.server.records import Record
from desktop.server.rows import Stale, current_version
from desktop.server.storage import Storage, resolve
from desktop.server.writer import GROUP, Work, Writer
from tests.server.house import START


class Bench:
    """A writer on a small table, held up until ``let_go`` so that commands gather."""

    def __init__(self, database: str) -> None:
        self.storage = Storage(resolve(database))
        self.storage.migrate()
        with self.storage.write() as connection:
            connection.exec_driver_sql("CREATE TABLE t (n INTEGER PRIMARY KEY)")
        self.told: list[Record] = []
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

    def told_of(self) -> list[int]:
        return [int(record.id) for record in self.told]


def record(number: int) -> Record:
    policies = {s: default_policy(s, DEFAULT_TARGETS[s]) for s in Severity}
    return Record(str(number), number, "payments", "k", "t", Status.TRIGGERED, Severity.SEV0, Urgency.HIGH, "p",
                  policies, Severity.SEV0, begin(START), START, START, START, "engine")  # fmt: skip


def add(number: int) -> Any:
    def command(work: Work) -> int:
        work.connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": number})
        work.changed.append(record(number))
        return number

    return command


@pytest.fixture
def bench(database: str) -> Iterator[Bench]:
    made = Bench(database)
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
    assert bench.numbers() == bench.told_of() == list(range(50))


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
    assert bench.numbers() == bench.told_of() == [0, 2]


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
    assert bench.numbers() == bench.told_of() == [0, 2]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
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


def test_a_listener_that_fails_fails_nobody(database: str, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(database)

    def listener(_: object) -> None:
        raise RuntimeError("deaf")

    writer = Writer(bench.storage, listener)
    writer.start()
    assert writer.submit(add(1)).result(10) == 1
    writer.close()
    assert bench.numbers() == [1]
    assert "listener failed" in caplog.text
    bench.storage.close()


def test_a_commit_that_took_long_stands_in_the_log(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.writer.run(add(1))
    assert "slow commit" not in caplog.text
    monkeypatch.setattr("desktop.server.writer._SLOW_SECONDS", 0.0)
    bench.writer.run(add(2))
    assert "slow commit" in caplog.text


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


def test_versions_follow_the_order_of_the_changes_and_results_say_them(bench: Bench) -> None:
    def changes(*numbers: int) -> Any:
        def command(work: Work) -> list[Record]:
            work.changed.extend(record(n) for n in numbers)
            return list(work.changed)

        return command

    bench.hold()
    futures = [bench.writer.submit(changes(1, 2)), bench.writer.submit(changes(1))]
    bench.let_go()
    found = [[(r.id, r.version) for r in future.result(10)] for future in futures]
    assert found == [[("1", 1), ("2", 2)], [("1", 3)]]
    assert [(r.id, r.version) for r in bench.told] == [("1", 1), ("2", 2), ("1", 3)]
    with bench.storage.read() as connection:
        assert current_version(connection) == 3


def test_what_others_changed_meanwhile_is_done_again(bench: Bench) -> None:
    runs: list[int] = []

    def overtaken(work: Work) -> int:
        add(len(runs))(work)
        runs.append(1)
        if len(runs) < ATTEMPTS:
            raise Stale
        return len(runs)

    assert bench.writer.run(overtaken) == ATTEMPTS
    assert bench.numbers() == [ATTEMPTS - 1]


def test_who_is_always_overtaken_is_told_to_try_again(bench: Bench) -> None:
    def overtaken(work: Work) -> None:
        add(1)(work)
        raise Stale

    with pytest.raises(StorageError, match="others are changing the same"):
        bench.writer.run(overtaken)
    assert bench.numbers() == []
    assert bench.writer.trouble == ""


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
class TestLocks:
    def test_two_that_wait_for_each_other_both_get_done(self, bench: Bench) -> None:
        """PostgreSQL ends one of them; it is done again once the other is through."""
        other = Writer(bench.storage)
        other.start()
        try:
            bench.writer.run(add(1))
            bench.writer.run(add(2))
            both = threading.Barrier(2)
            futures = [writer.submit(_change(first, second, both)) for writer, first, second in
                       ((bench.writer, 1, 2), (other, 2, 1))]  # fmt: skip
            assert [future.result(20) for future in futures] == [None, None]
        finally:
            other.close()
        assert bench.numbers() == [21, 22]

    def test_a_group_falls_apart_at_once_over_what_one_of_it_has_to_wait_for(self, bench: Bench) -> None:
        bench.writer.run(add(1))
        alone, runs = threading.Event(), list[int]()

        def waits(work: Work) -> None:
            runs.append(1)
            if len(runs) > 1:
                alone.set()
            work.connection.execute(text("UPDATE t SET n = 11 WHERE n = 1"))

        with bench.storage.write() as other:
            other.execute(text("SELECT n FROM t FOR UPDATE"))
            bench.hold()
            futures = [bench.writer.submit(command) for command in (waits, add(5))]
            bench.let_go()
            assert alone.wait(8)
        assert [future.result(20) for future in futures] == [None, 5]
        assert bench.numbers() == [5, 11]

    def test_what_another_server_holds_up_holds_up_nothing_else(self, bench: Bench) -> None:
        bench.writer.run(add(1))
        tried = list[int]()

        def waits(work: Work) -> None:
            tried.append(1)
            work.connection.execute(text("UPDATE t SET n = 11 WHERE n = 1"))

        with bench.storage.write() as other:
            other.execute(text("SELECT n FROM t FOR UPDATE"))
            future = bench.writer.submit(waits)
            # Each is through long before whoever holds the lock.
            assert [bench.writer.submit(add(n)).result(5) for n in range(5, 9)] == [5, 6, 7, 8]
            assert len(tried) > 1
            assert not future.done()
        assert future.result(5) is None
        assert bench.numbers() == [5, 6, 7, 8, 11]
        assert bench.writer.trouble == ""

    def test_what_is_held_up_for_too_long_is_told(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("desktop.server.writer.PATIENCE_SECONDS", 0.5)
        bench.writer.run(add(1))
        with bench.storage.write() as other:
            other.execute(text("SELECT n FROM t FOR UPDATE"))
            future = bench.writer.submit(lambda work: work.connection.execute(text("UPDATE t SET n = 11 WHERE n = 1")))
            with pytest.raises(StorageError, match="lock timeout"):
                future.result(10)
            # That is no trouble of the database's.
            assert bench.writer.trouble == ""
        assert bench.numbers() == [1]

    def test_what_is_put_off_is_done_before_the_end(self, bench: Bench) -> None:
        bench.writer.run(add(1))
        tried = threading.Event()

        def waits(work: Work) -> None:
            tried.set()
            work.connection.execute(text("UPDATE t SET n = 11 WHERE n = 1"))

        ending = threading.Thread(target=bench.writer.close)
        with bench.storage.write() as other:
            other.execute(text("SELECT n FROM t FOR UPDATE"))
            future = bench.writer.submit(waits)
            assert tried.wait(10)
            ending.start()
        ending.join(10)
        assert future.result(0) is None
        assert bench.numbers() == [11]


def _change(first: int, second: int, both: threading.Barrier) -> Any:
    def command(work: Work) -> None:
        for n in (first, second):
            work.connection.execute(text("UPDATE t SET n = n + 10 WHERE n % 10 = :n"), {"n": n})
            if not both.broken:
                _meet(both)

    return command


def _meet(both: threading.Barrier) -> None:
    """Wait for the other once; from then on nobody waits."""
    try:
        both.wait(10)
    except threading.BrokenBarrierError:
        return
    both.abort()


def test_without_savepoints_too_an_error_is_its_own(bench: Bench) -> None:
    """A group is tried without savepoints first; after one that needed them, the next ones have some."""

    def fails(work: Work) -> None:
        add(100)(work)
        raise ValueError("no")

    for round_ in range(2):
        held = [bench.writer.submit(command) for command in (add(10 * round_), fails, add(10 * round_ + 1))]
        assert (held[0].result(10), held[2].result(10)) == (10 * round_, 10 * round_ + 1)
        with pytest.raises(ValueError, match="no"):
            held[1].result(10)
    assert bench.numbers() == bench.told_of() == [0, 1, 10, 11]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_values_that_do_not_fit_are_nobody_elses_trouble(bench: Bench) -> None:
    """Neither within the command nor in the history that is written for all of the group."""

    def too_long(work: Work) -> None:
        work.connection.execute(text("INSERT INTO meta VALUES (:key, '')"), {"key": "x" * 41})

    def history_too_long(work: Work) -> None:
        row = {"incident_id": "1", "type": "x" * 41, "at": START, "actor": "engine", "channel": "api", "data": {}}
        work.history.append(row)

    bench.hold()
    futures = [bench.writer.submit(command) for command in (add(1), too_long, history_too_long, add(2))]
    bench.let_go()
    assert (futures[0].result(20), futures[3].result(20)) == (1, 2)
    for future in futures[1:3]:
        with pytest.raises(StorageError, match="too long"):
            future.result(20)
    assert bench.writer.trouble == ""
    assert bench.numbers() == [1, 2]
