"""Heartbeats: a promise that is not kept is an incident, once; a call closes it, and only it."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from desktop.server import heartbeats, tokens
from desktop.server.limits import Limits, Requests
from desktop.server.tables.audit import audit_log
from tests.postgresql import Cluster
from tests.server.house import MINUTE, TEAM, Clock, House, Json, running_house, running_server

NUMBERS = itertools.count()
PATH = "/watchbell/v1/heartbeats"


def call(house: House, name: str, key: str = "", status: int = 202, **params: str) -> Json:
    headers = {"Authorization": f"Bearer {key or house.key}"}
    answer = house.call("POST", f"{PATH}/{name}", person="", headers=headers, params=params)
    assert answer.status_code == status, answer.text
    return dict(answer.json().get("heartbeat") or answer.json())


def let_pass(house: House, minutes: int) -> None:
    """Let time pass with somebody looking after it all the while."""
    for _ in range(minutes):
        house.tick(MINUTE)
        house.server.keeper.tick()


def promise(house: House, name: str, person: str = "cho", status: int = 200, **part: Any) -> Json:
    body = {"heartbeat": {"service": {"id": "payments"}, "every": "5m", **part}}
    answer = house.call("PUT", f"{PATH}/{name}", body, person=person)
    assert answer.status_code == status, answer.text
    return dict(answer.json().get("heartbeat") or answer.json())


def incidents(house: House, name: str) -> list[Json]:
    key = heartbeats.DEDUP_KEY + name
    return list(house.get("/incidents", incident_key=key, date_range="all")["incidents"])


@pytest.fixture
def name(shared: House) -> str:
    """A name of the test's own, while the server looks already."""
    call(shared, "first", every="300 days")
    shared.server.keeper.tick()
    return f"backup-{next(NUMBERS)}"


def test_silence_is_an_incident_and_a_call_closes_it(shared: House, name: str) -> None:
    made = call(shared, name, every="5m")
    assert (made["state"], made["every"], made["grace"], made["service"]["id"]) == ("kept", "5m", "1m", "payments")
    let_pass(shared, 5)
    call(shared, name)
    let_pass(shared, 5)
    assert incidents(shared, name) == []
    let_pass(shared, 1)
    [incident] = incidents(shared, name)
    assert (incident["status"], incident["priority"]["id"]) == ("triggered", "sev1")
    assert incident["title"] == f"Heartbeat {name} is missing: no call within 6m"
    assert [a["assignee"]["id"] for a in incident["assignments"]] == ["ana"]
    shared.enqueue(key=f"{name}-other")
    let_pass(shared, 10)
    assert call(shared, name)["state"] == "kept"
    assert incidents(shared, name)[0]["status"] == "resolved"
    assert shared.incident(f"{name}-other")["status"] == "triggered"
    kinds = [kind for kind, _ in shared.history(incident["id"])]
    assert (kinds.count("trigger"), kinds.count("resolve")) == (1, 1)


def test_resolved_by_hand_it_comes_back_only_after_another_call_is_missed(shared: House, name: str) -> None:
    promise(shared, name, severity="sev0")
    assert shared.get(f"{PATH}/{name}")["heartbeat"]["state"] == "waiting"
    let_pass(shared, 6)
    [incident] = incidents(shared, name)
    assert incident["priority"]["id"] == "sev0"
    shared.put(incident["id"], status="resolved")
    let_pass(shared, 15)
    assert [i["status"] for i in incidents(shared, name)] == ["resolved"]
    assert shared.get(f"{PATH}/{name}")["heartbeat"]["state"] == "silent"
    call(shared, name)
    let_pass(shared, 6)
    assert [i["status"] for i in incidents(shared, name)] == ["resolved", "triggered"]


def test_a_server_that_was_down_gives_each_its_whole_time_anew(shared: House, name: str) -> None:
    call(shared, name, every="5m")
    let_pass(shared, 4)
    shared.tick(60 * MINUTE)
    shared.server.keeper.tick()
    let_pass(shared, 5)
    assert incidents(shared, name) == []
    let_pass(shared, 1)
    assert len(incidents(shared, name)) == 1


def test_a_clock_that_goes_back_delays_no_promise(shared: House, name: str) -> None:
    call(shared, name, every="5m")
    shared.clock.forward(-60 * MINUTE)
    shared.server.keeper.tick()
    let_pass(shared, 6)
    assert len(incidents(shared, name)) == 1
    shared.clock.forward(60 * MINUTE)


def test_a_slash_too_many_is_the_same_call(shared: House, name: str) -> None:
    call(shared, name, every="5m")
    let_pass(shared, 4)
    call(shared, f"{name}/")
    let_pass(shared, 4)
    assert incidents(shared, name) == []


def test_only_the_service_that_promised_can_call(shared: House, name: str) -> None:
    call(shared, name, every="5m")
    other = tokens.create(shared.database, service="batch")
    call(shared, name, other, 403, every="5m")
    call(shared, name, shared.tokens["ana"], 401)
    call(shared, f"{name}-unknown", status=404)
    assert "the integration key is missing" in shared.call("POST", f"{PATH}/{name}", person="").text
    assert call(shared, name, every="10m")["every"] == "10m", "what a call promised, a call may change"
    promise(shared, name, every="2h")
    assert call(shared, name, every="10m")["every"] == "2h", "what a manager said stays"


def test_who_may_promise_and_what_is_kept_of_it(shared: House, name: str) -> None:
    promise(shared, name, "ana", 403)
    promise(shared, name)
    let_pass(shared, 6)
    assert promise(shared, name, every="1h", grace="2m", severity="P2")["severity"] == "sev2"
    listed = [h["name"] for h in shared.get(PATH, limit=100)["heartbeats"]]
    assert name in listed
    assert shared.call("DELETE", f"{PATH}/{name}", person="ana").status_code == 403
    assert shared.call("DELETE", f"{PATH}/{name}", person="cho").status_code == 204
    assert [i["status"] for i in incidents(shared, name)] == ["resolved"]
    for method in ("GET", "DELETE"):
        assert shared.call(method, f"{PATH}/{name}", person="cho").status_code == 404
    with shared.server.storage.read() as connection:
        asked = f"SELECT action FROM audit WHERE target = 'heartbeat:{name}' ORDER BY id"
        lines = [row[0] for row in connection.exec_driver_sql(asked)]
    assert lines == ["heartbeat.create", "heartbeat.change", "heartbeat.delete"]


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"every": "often"}, "every: "),
        ({"every": 5}, "every: "),
        ({"every": "10s"}, "every must be 30s at least"),
        ({"every": "500 days"}, "a year at most"),
        ({"grace": "0s"}, "grace must be 1m at least"),
        ({"severity": "bad"}, "severity must be one of"),
        ({"service": {"id": "nowhere"}}, "service must name a service"),
    ],
)
def test_what_makes_no_sense_is_refused(shared: House, part: Json, says: str) -> None:
    assert says in str(promise(shared, "odd", status=400, **part))


def test_calls_are_limited_like_requests(tmp_path: Path) -> None:
    with running_house(tmp_path) as house:
        call(house, "job", every="5m")
        house.server.station.limits = Limits(Requests(2))
        call(house, "job")
        call(house, "job")
        answer = house.call("POST", f"{PATH}/job", person="", headers={"X-Routing-Key": house.key})
        assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)


def test_a_service_cannot_promise_without_end(shared: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "MOST", 1)
    key = tokens.create(shared.database, service="batch")
    call(shared, "one", key, every="5m")
    call(shared, "two", key, 400, every="5m")


@pytest.fixture
def place(postgresql: Cluster) -> Iterator[str]:
    url = postgresql.ready()
    yield url
    postgresql.drop(url)


def test_silence_is_found_once_by_servers_whose_clocks_differ(
    postgresql: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is an hour fast, one an hour slow, one is right and jumps: the database tells all of them the time."""
    url, right, wish = postgresql.ready(), Clock(), heartbeats.Wish(300, 60)
    monkeypatch.setattr(heartbeats, "clock", lambda _connection: right.now)
    clocks = [Clock(), Clock(), Clock()]
    clocks[0].forward(60 * MINUTE)
    clocks[1].forward(-60 * MINUTE)
    with ExitStack() as stack:
        servers = [stack.enter_context(running_server(url, TEAM, clock)) for clock in clocks]

        def call_at(server: Any, job: str) -> None:
            server.writer.run(lambda work: heartbeats.call(server.station, work, job, "payments", wish))

        def look(minutes: int) -> list[str]:
            for _ in range(minutes):
                for clock in (right, *clocks):
                    clock.forward(MINUTE)
                for server in servers:
                    server.keeper.tick()
            with servers[0].storage.read() as connection:
                return sorted(p.name for p in heartbeats.every(connection) if p.state == "silent")

        for server, job in zip(servers, ("fast", "slow", "jumps"), strict=True):
            call_at(server, job)
        servers[0].keeper.tick()
        assert look(3) == []
        clocks[2].forward(60 * MINUTE)
        assert look(2) == []
        call_at(servers[1], "slow")
        assert look(1) == ["fast", "jumps"]
        clocks[2].forward(-60 * MINUTE)
        assert look(4) == ["fast", "jumps"]
        assert look(1) == ["fast", "jumps", "slow"]
    postgresql.drop(url)


def test_of_several_servers_one_makes_the_incident_and_one_that_ran_is_enough(place: str) -> None:
    clock = Clock()
    with ExitStack() as stack:
        servers = [stack.enter_context(running_server(place, TEAM, clock)) for _ in range(3)]
        first = servers[0]
        wish = heartbeats.Wish(300, 60)
        names = [f"job-{n}" for n in range(6)]
        for job in names:
            first.writer.run(lambda work, job=job: heartbeats.call(first.station, work, job, "payments", wish))  # type: ignore[misc]
        first.keeper.tick()
        for _ in range(5):
            clock.forward(MINUTE)
            first.keeper.tick()
        # The others come up only now: the first one looked all the while.
        clock.forward(MINUTE)
        threads = [threading.Thread(target=server.keeper.tick) for server in servers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with first.storage.read() as connection:
            asked = "SELECT dedup_key, (SELECT count(*) FROM log_entries WHERE incident_id = i.id AND type = 'trigger')"
            found = connection.exec_driver_sql(f"{asked} FROM incidents i ORDER BY dedup_key").all()
        assert [tuple(row) for row in found] == [(heartbeats.DEDUP_KEY + job, 1) for job in names]


def test_what_a_call_promises_or_changes_stands_in_the_audit_log(shared: House, name: str) -> None:
    call(shared, name, every="5m")
    call(shared, name)
    call(shared, name, every="5m")
    call(shared, name, every="10m")
    promise(shared, name, every="2h")
    call(shared, name, every="5m")  # changes nothing: a manager said otherwise
    lines = select(audit_log).where(audit_log.c.target == f"heartbeat:{name}").order_by(audit_log.c.id)
    with shared.server.storage.read() as connection:
        found = connection.execute(lines).all()
    assert [(line.actor, line.address, line.action) for line in found] == [
        ("service:payments", "127.0.0.1", "heartbeat.create"),
        ("service:payments", "127.0.0.1", "heartbeat.change"),
        ("person:cho", "127.0.0.1", "heartbeat.change"),
    ]
    assert found[0].before is None
    assert [line.after["every"] for line in found] == ["5m", "10m", "2h"]
    assert found[1].before["every"] == "5m"
    assert shared.key not in str(found)
