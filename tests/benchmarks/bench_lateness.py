"""Measures how late escalations are while many incidents are open, and how that grows.

Run: python -m tests.benchmarks.bench_lateness [--open 1000 10000 100000] [--rate 50] [--seconds 20] [--postgresql].
Of the open incidents a tenth is acknowledged, and all have something due within hours. Meanwhile triggers arrive at
``--rate`` a second, each of which escalates after two seconds; afterwards ``--together`` open ones fall due at one
instant. Printed: by how much those steps came late.
"""

import argparse
import os
import secrets
import signal
import statistics
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, func, insert, select, update

from desktop.domain.incident import Status
from desktop.server import events, schema
from desktop.server.enqueueing import Enqueue
from tests.benchmarks import loads
from tests.server.house import running_server
from tests.server.serving import serve

_SPREAD = timedelta(hours=3)
_CHUNK = 5_000


def main() -> None:
    """Run the benchmark for each number of open incidents and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--open", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--rate", type=int, default=50, help="triggers a second")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--together", type=int, default=0, help="how many fall due at one instant afterwards")
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL of its own, with fsync")
    options = parser.parse_args()
    for many in options.open:
        with (
            tempfile.TemporaryDirectory() as folder,
            loads.database(Path(folder), postgresql=options.postgresql) as database,
        ):
            _measure(database, Path(folder), many, options)


def _measure(database: str, folder: Path, many: int, options: argparse.Namespace) -> None:
    team = folder / "team.toml"
    team.write_text(loads.team(escalating=True))
    _fill(database, team, many)
    with serve(loads.ENVIRONMENT, team=team, database=database, ingest_limit=10**9) as server:
        url = server.ready()
        before = loads.processor_seconds(server.popen.pid)
        _at_a_rate(url, options.rate, options.seconds)
        loads.await_escalations(database)
        used = (loads.processor_seconds(server.popen.pid) - before) / (options.seconds + 2)
        together = _all_due(database, options.together) if options.together else 0.0
        server.end(signal.SIGTERM, 60)
    late = loads.lateness(database)
    percentiles = statistics.quantiles(late, n=100)
    where = "PostgreSQL" if options.postgresql else "SQLite"
    told = f"; {options.together} due at one instant: done after {together:.2f} s" if together else ""
    print(f"{where}, {os.cpu_count()} cores, {many} open, {options.rate} triggers/s: {len(late)} escalations late by "
          f"p50 {percentiles[49] * 1000:.0f} ms, p99 {percentiles[98] * 1000:.0f} ms, at most {max(late) * 1000:.0f} ms"
          f", {used:.0%} of a core{told}", flush=True)  # fmt: skip


def _fill(database: str, team: Path, many: int) -> None:
    """Open one incident as the server does, and write it down ``many`` times."""
    os.environ.update(loads.ENVIRONMENT)
    with running_server(database, team.read_text(), lambda: datetime.now(UTC)) as server:
        key = server.writer.run(Enqueue(server.station, events.parse({**loads.event(), "dedup_key": "model"})))
        assert key == "model"
    engine = create_engine(database)
    with engine.begin() as connection:
        model = connection.execute(select(schema.incidents)).mappings().one()
        for start in range(0, many, _CHUNK):
            _copy(connection, model, start, min(many - start, _CHUNK))
        last = func.coalesce(select(func.max(schema.incidents.c.number)).scalar_subquery(), 0)
        if connection.dialect.name == "sqlite":
            connection.execute(update(schema.counters).where(schema.counters.c.name == "incident").values(value=last))
        else:
            connection.execute(select(func.setval("incident_numbers", last)))
        counter = update(schema.counters).where(schema.counters.c.name == "version")
        connection.execute(counter.values(value=many + 1))
    engine.dispose()


def _copy(connection: Connection, model: Any, start: int, many: int) -> None:
    now = datetime.now(UTC)
    made = [_one(model, start + n, now) for n in range(many)]
    connection.execute(insert(schema.incidents), made)
    held = [{"incident_id": row["id"], "person_id": "ana", "at": now} for row in made]
    connection.execute(insert(schema.assignments), held)
    taken = [row for row, one in zip(held, made, strict=True) if one["status"] == Status.ACKNOWLEDGED.value]
    if taken:
        connection.execute(insert(schema.acknowledgements), taken)
    entry = {"type": "trigger", "at": now, "actor": "service:payments", "channel": "api", "data": {"event": {}}}
    connection.execute(insert(schema.log_entries), [{**entry, "incident_id": row["id"]} for row in made])


def _one(model: Any, number: int, now: datetime) -> dict[str, Any]:
    taken = number % 10 == 0
    return {
        **model,
        "id": "Q" + secrets.token_hex(6).upper(),
        "number": number + 2,
        "version": number + 2,
        "dedup_key": f"open-{number}",
        "status": (Status.ACKNOWLEDGED if taken else Status.TRIGGERED).value,
        "next_action_at": now + timedelta(minutes=10) + _SPREAD * ((number * 7919 % 10_007) / 10_007),
    }


def _at_a_rate(url: str, rate: int, seconds: int) -> None:
    """Send ``rate`` triggers a second, evenly, on as many connections as that needs."""
    lanes = max(1, min(rate, 16))
    began = time.monotonic()

    def lane(number: int) -> None:
        with closing(loads.Sender(url)) as sender:
            for n in range(number, rate * seconds, lanes):
                time.sleep(max(0.0, began + n / rate - time.monotonic()))
                sender.send()

    threads = [threading.Thread(target=lane, args=(number,)) for number in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _all_due(database: str, many: int) -> float:
    """Let ``many`` open incidents fall due at one instant; return how many seconds later none of them is due."""
    chosen = select(schema.incidents.c.id).where(schema.incidents.c.status == Status.TRIGGERED.value).limit(many)
    engine = create_engine(database)
    # The engine looks every five seconds for what others wrote.
    at = datetime.now(UTC) + timedelta(seconds=7)
    with engine.begin() as connection:
        due = update(schema.incidents).where(schema.incidents.c.id.in_(chosen.scalar_subquery()))
        connection.execute(due.values(next_action_at=at))
    left = select(func.count()).where(schema.incidents.c.next_action_at <= at)
    while _count(engine, left):
        time.sleep(0.05)
    engine.dispose()
    return (datetime.now(UTC) - at).total_seconds()


def _count(engine: Any, asked: Any) -> int:
    with engine.connect() as connection:
        return int(connection.execute(asked).scalar_one())


if __name__ == "__main__":
    main()
