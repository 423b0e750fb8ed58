"""What an alert costs in a storm on PostgreSQL: few rows are read for each, however many there are by then."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import psycopg
import pytest
from sqlalchemy import select

from desktop.server import events, incidents, schema
from desktop.server.enqueueing import Enqueue
from desktop.server.limits import Floods, Limits, Requests
from desktop.server.running import Server
from tests.postgresql import Cluster
from tests.server.house import Clock, running_server
from tests.server.test_many import ALWAYS, KEY

AT_ONCE, ROUNDS = 20, 75
ALERTS = AT_ONCE * ROUNDS
TAKEN_AT_ONCE = 40
# A storm is over before statistics are made for the first time, and plans are made while there is hardly anything.
_READ = """
SELECT relname, seq_tup_read FROM pg_stat_user_tables
UNION ALL SELECT indexrelname, idx_tup_read FROM pg_stat_user_indexes
"""


@pytest.fixture
def place(postgresql: Cluster) -> Iterator[str]:
    url = postgresql.ready()
    yield url
    postgresql.drop(url)


@contextmanager
def storm(place: str) -> Iterator[Server]:
    """Run a server that took many alerts."""
    with running_server(place, ALWAYS, Clock()) as server:
        server.station.limits = Limits(Requests(10**9), Floods(10**9))
        for number in range(ROUNDS):
            _alerts(server, number)
        yield server


def test_no_alert_reads_all_that_came_before(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WB_TEST_KEY", KEY)
    with storm(place):
        pass
    read = _read(place)
    assert {name: count for name, count in read.items() if count > 10 * ALERTS} == {}


def test_whoever_takes_over_a_watch_in_a_storm_reads_only_what_they_take_over(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WB_TEST_KEY", KEY)
    with storm(place) as server:
        with server.storage.read() as connection:
            ids = list(connection.execute(select(schema.incidents.c.id)).scalars())
        for first in range(0, len(ids), TAKEN_AT_ONCE):
            few = ids[first : first + TAKEN_AT_ONCE]
            server.writer.run(partial(incidents.take_over, server.station, ids=few))
    read = _read(place)
    assert {name: count for name, count in read.items() if count > 20 * ALERTS} == {}


def _read(place: str) -> dict[str, int]:
    """Return how many rows of each table and index were read by connections that have ended: they tell it then."""
    with psycopg.connect(place.replace("+psycopg", "")) as connection:
        read: dict[str, int] = dict(connection.execute(_READ).fetchall())
    assert read["incidents_pkey"] >= ALERTS
    return read


def _alerts(server: Server, number: int) -> None:
    """Send some alerts at the same time, and wait until they are taken."""
    bodies = [
        {
            "routing_key": KEY,
            "event_action": "trigger",
            "dedup_key": f"{number}-{each}",
            "payload": {"summary": "db down", "source": "db1", "severity": "critical"},
        }
        for each in range(AT_ONCE)
    ]
    taken = [server.writer.submit(Enqueue(server.station, events.parse(body))) for body in bodies]
    for future in taken:
        future.result(20)
