"""Several ``serve`` processes on one PostgreSQL: each sees what the others do, and each step happens once."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select, update

from desktop.server import events, schema, tokens
from desktop.server.codec import progress_from_json, progress_to_json
from desktop.server.enqueueing import Enqueue
from desktop.server.running import Server
from desktop.server.storage import Storage, resolve
from tests.postgresql import Cluster, OwnCluster, cluster
from tests.server.house import DIRECTOR, TEAM, Clock, running_server
from tests.server.listening import listening
from tests.server.serving import serve

KEY = "0123456789abcdef0123456789abcdef"
ENVIRONMENT = {"WB_TEST_KEY": KEY}
# Ana is primary and Ben secondary, whatever the day.
ALWAYS = (
    TEAM.replace('id = "payments"', 'id = "payments"\nintegration_key = "env:WB_TEST_KEY"')
    .replace('["ana", "ben"]', '["ana"]')
    .replace('["ben", "ana"]', '["ben"]')
    .replace("2026-01-05", "2020-01-06")
)


@pytest.fixture
def place(postgresql: Cluster) -> Iterator[str]:
    url = postgresql.ready()
    yield url
    postgresql.drop(url)


@pytest.fixture
def team(tmp_path: Path) -> Path:
    file = tmp_path / "team.toml"
    file.write_text(ALWAYS)
    return file


def ask(method: str, url: str, token: str = "", body: object = None) -> requests.Response:
    headers = {"Authorization": f"Token token={token}"} if token else {}
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, json=body, headers=headers, timeout=20)


def trigger(url: str, key: str = "k") -> requests.Response:
    payload = {"summary": "db down", "source": "db1", "severity": "critical"}
    body = {"routing_key": KEY, "event_action": "trigger", "dedup_key": key, "payload": payload}
    return ask("POST", f"{url}/v2/enqueue", body=body)


@contextmanager
def opened(place: str) -> Iterator[Storage]:
    storage = Storage(resolve(place))
    try:
        yield storage
    finally:
        storage.close()


def history(place: str) -> list[str]:
    """Return what happened, as far as these tests are about it."""
    about = ("trigger", "assign", "escalate", "notify", "acknowledge", "resolve")
    with opened(place) as storage, storage.read() as connection:
        entries = schema.log_entries.c
        asked = select(entries.type).where(entries.type.in_(about)).order_by(entries.id)
        return list(connection.execute(asked).scalars())


def make_due(place: str, after: timedelta = timedelta(0)) -> None:
    """Let the second step be due ``after`` now: the test waits for no clock."""
    at = datetime.now(UTC) + after
    with opened(place) as storage, storage.write() as connection:
        for row in connection.execute(select(schema.incidents.c.id, schema.incidents.c.progress)).all():
            progress = progress_to_json(progress_from_json(row.progress))
            progress["base"] = schema.to_micros(at - timedelta(minutes=15))
            progress["again_at"] = schema.to_micros(at + timedelta(minutes=15))
            changed = {"progress": progress, "next_action_at": at}
            connection.execute(update(schema.incidents).where(schema.incidents.c.id == row.id).values(changed))


def until(listener: Any, **wanted: object) -> dict[str, Any]:
    """Return the next incident of which all that is ``wanted`` holds."""
    while True:
        name, _, data = listener.next()
        if name == "incident" and all(data[key] == value for key, value in wanted.items()):
            return dict(data)


def test_what_one_does_the_other_tells_and_a_killed_ones_work_is_taken_over(place: str, team: Path) -> None:
    with (
        serve(ENVIRONMENT, team=team, database=place) as first,
        serve(ENVIRONMENT, team=team, database=place) as second,
    ):
        here, there = first.ready(), second.ready()
        token = tokens.create(place, person="ben")
        with listening(there, token) as listener:
            assert listener.next()[0] == "snapshot"
            assert trigger(here).status_code == 202
            seen = until(listener, status="triggered")
            make_due(place, timedelta(seconds=0.2))
            first.end(signal.SIGKILL)
            while len(seen["assignments"]) < 2:
                seen = until(listener, id=seen["id"])
            body = {"incident": {"type": "incident", "status": "acknowledged"}}
            answer = ask("PUT", f"{there}/incidents/{seen['id']}", token, body)
            assert answer.status_code == 200
            acknowledged = until(listener, status="acknowledged")
        assert acknowledged["watchbell"]["version"] == answer.json()["incident"]["watchbell"]["version"]
        with serve(ENVIRONMENT, team=team, database=place) as third:
            again = ask("GET", f"{third.ready()}/incidents/{seen['id']}", token).json()["incident"]
            assert again["status"] == "acknowledged"
    assert history(place) == ["trigger", "assign", "escalate", "acknowledge"]


def test_one_acknowledges_what_another_took(place: str, team: Path) -> None:
    with (
        serve(ENVIRONMENT, team=team, database=place) as first,
        serve(ENVIRONMENT, team=team, database=place) as second,
    ):
        here, there = first.ready(), second.ready()
        token = tokens.create(place, person="ana")
        with listening(here, token) as listener:
            listener.next()
            trigger(here)
            incident = until(listener, status="triggered")["id"]
            body = {"incident": {"type": "incident", "status": "acknowledged"}}
            assert ask("PUT", f"{there}/incidents/{incident}", token, body).status_code == 200
            assert until(listener, status="acknowledged")["acknowledgements"][0]["acknowledger"]["id"] == "ana"


def test_a_start_with_another_team_is_noticed_by_who_runs(place: str, team: Path, tmp_path: Path) -> None:
    with serve(ENVIRONMENT, team=team, database=place) as first:
        here = first.ready()
        token = tokens.create(place, person="ana")
        with listening(here, token) as listener:
            assert listener.next()[0] == "snapshot"
            newer = tmp_path / "newer.toml"
            newer.write_text(ALWAYS.replace('members = ["ana"]', 'members = ["cho"]'))
            with serve(ENVIRONMENT, team=newer, database=place) as second:
                second.ready()
                while (event := listener.next())[0] != "oncalls":
                    pass
        primary = [o["user"]["id"] for o in event[2]["oncalls"] if (o["schedule"] or {}).get("id") == "primary"]
        assert set(primary) == {"cho"}


@contextmanager
def crew(place: str, count: int, clock: Clock) -> Iterator[list[Server]]:
    """Run servers within this process, each with a writer and connections of its own."""
    with ExitStack() as stack:
        yield [stack.enter_context(running_server(place, TEAM, clock)) for _ in range(count)]


def test_each_step_happens_once_however_many_look_at_the_same_instant(place: str) -> None:
    clock, total = Clock(), 40
    with crew(place, 3, clock) as servers:
        service = next(iter(servers[0].station.roster.services))
        key = tokens.create(place, service=service)
        for n in range(total):
            _enqueue(servers[n % 3], key, f"k{n}")
        for minutes in (15, 15, 30, 15):
            clock.forward(timedelta(minutes=minutes))
            _at_once([server.engine.tick for server in servers])
            for server in servers:
                server.engine.tick()
    with opened(place) as storage, storage.read() as connection:
        table = schema.log_entries
        rows = connection.execute(select(table).order_by(table.c.id)).all()
    for incident in {row.incident_id for row in rows}:
        added = [p for r in rows if r.incident_id == incident and r.type in ("assign", "escalate")
                 for p in r.data["assignees"]]  # fmt: skip
        assert added == ["ana", "ben", "cho", DIRECTOR]
    assert len({row.incident_id for row in rows}) == total


def test_the_same_key_at_two_servers_is_one_incident(place: str) -> None:
    with crew(place, 2, Clock()) as servers:
        key = tokens.create(place, service="payments")
        for n in range(15):
            _at_once([partial(_enqueue, server, key, f"k{n}") for server in servers])
    with opened(place) as storage, storage.read() as connection:
        keys = list(connection.execute(select(schema.incidents.c.dedup_key)).scalars())
        kinds = list(connection.execute(select(schema.log_entries.c.type)).scalars())
    assert sorted(keys) == sorted(f"k{n}" for n in range(15))
    assert kinds.count("trigger") == 30


def test_no_acknowledgement_is_written_over_by_an_escalation(place: str) -> None:
    """Acknowledged at one server and escalated at the other in the same instant: the second sees the first."""
    clock, total = Clock(), 25
    with crew(place, 2, clock) as (first, second):
        key = tokens.create(place, service="payments")
        for n in range(total):
            _enqueue(first, key, f"k{n}")
        clock.forward(timedelta(minutes=15))
        acknowledge = [{"event_action": "acknowledge", "dedup_key": f"k{n}"} for n in range(total)]
        _at_once([second.engine.tick, partial(_send_all, first, key, acknowledge)])
    with opened(place) as storage, storage.read() as connection:
        statuses = set(connection.execute(select(schema.incidents.c.status)).scalars())
        kinds = list(connection.execute(select(schema.log_entries.c.type)).scalars())
    assert statuses == {"acknowledged"}
    assert kinds.count("acknowledge") == total


def test_versions_are_read_without_a_gap_while_several_write(place: str) -> None:
    """Whoever reads on from the last number sees every change, though commits overlap."""
    clock = Clock()
    with crew(place, 2, clock) as servers:
        key = tokens.create(place, service="payments")
        seen: list[int] = []
        done = threading.Event()

        def read_on() -> None:
            last = 0
            with opened(place) as storage:
                while True:
                    finished = done.is_set()
                    with storage.read() as connection:
                        asked = select(schema.incidents.c.version).where(schema.incidents.c.version > last)
                        found = sorted(connection.execute(asked).scalars())
                    seen.extend(found)
                    last = max([last, *found])
                    if finished:
                        return

        reader = threading.Thread(target=read_on)
        reader.start()
        try:
            _at_once(
                [
                    partial(_send_all, server, key, [_trigger(f"k-{side}-{n}") for n in range(60)])
                    for side, server in enumerate(servers)
                ]
            )
        finally:
            done.set()
            reader.join()
    assert seen == list(range(1, 121))


@pytest.fixture
def own() -> Iterator[OwnCluster]:
    with cluster(safe=True) as running:
        yield running


def test_a_database_that_restarts(own: OwnCluster, team: Path) -> None:
    place = own.empty()
    with serve(ENVIRONMENT, team=team, database=place) as server:
        url = server.ready()
        token = tokens.create(place, person="ana")
        assert trigger(url, "before").status_code == 202
        with listening(url, token) as listener:
            listener.next()
            own.stop()
            # Nobody may go on believing that nothing happens.
            assert listener.ended()
        for answer in (trigger(url, "meanwhile"), ask("GET", f"{url}/incidents", token)):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            # Where the database is, a stranger is not told.
            assert answer.json()["error"]["errors"] == ["the database cannot be used now: try again"]
        assert ask("GET", f"{url}/readyz").status_code == 503
        own.start()
        assert trigger(url, "after").status_code == 202
        with listening(url, token) as listener:
            snapshot = listener.next()[2]
            assert [i["incident_key"] for i in snapshot["incidents"]] == ["before", "after"]
            trigger(url, "heard")
            assert until(listener, status="triggered")["incident_key"] == "heard"
        assert ask("GET", f"{url}/readyz").status_code == 200
        code, log = server.end(signal.SIGTERM)
    assert code == 0
    assert "Traceback" not in log, log
    assert log.count("contact with the database lost") == log.count("contact with the database is back") == 1


@pytest.mark.parametrize("in_query", [False, True])
def test_a_password_is_in_no_line(own: OwnCluster, team: Path, in_query: bool) -> None:
    place = own.empty()
    place = f"{place}&password=s3cr3t-word" if in_query else place.replace("watchbell@", "watchbell:s3cr3t-word@")
    with serve(ENVIRONMENT, team=team, database=place) as server:
        url = server.ready()
        own.stop()
        assert trigger(url).status_code == 503
        _, log = server.end(signal.SIGTERM)
    with serve(ENVIRONMENT, team=team, database=place) as server:
        code, last = server.end()
    assert code == 2
    assert "s3cr3t-word" not in log + last


def _enqueue(server: Server, key: str, dedup: str) -> None:
    _send_all(server, key, [_trigger(dedup)])


def _trigger(dedup: str) -> dict[str, Any]:
    payload = {"summary": "db down", "source": "db1", "severity": "critical"}
    return {"event_action": "trigger", "dedup_key": dedup, "payload": payload}


def _send_all(server: Server, key: str, bodies: Sequence[dict[str, Any]]) -> None:
    for body in bodies:
        event = events.parse({"routing_key": key, **body})
        server.writer.run(Enqueue(server.station, event))


def _at_once(calls: list[Any]) -> None:
    """Run ``calls`` on threads that begin together; what one raises is raised."""
    together, errors = threading.Barrier(len(calls)), []

    def run(call: Any) -> None:
        together.wait(10)
        try:
            call()
        except Exception as error:  # noqa: BLE001 - raised below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
