"""Maintenance windows: what is triggered within one pages nobody, until it ends; nothing is dropped."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update

from desktop.server import enqueueing, schema, windows
from desktop.server.api.maintenance_windows import end_window
from desktop.server.audit import By
from desktop.server.events import Action, Event
from desktop.server.tables.promises import maintenance_windows
from desktop.server.windows import Window
from tests.postgresql import Cluster
from tests.server.house import MINUTE, START, TEAM, Clock, House, Json, assigned, running_server

NUMBERS = itertools.count()
HOUR = 60 * MINUTE


def stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def ask(house: House, method: str, path: str, person: str = "cho", status: int | None = None, **part: Any) -> Json:
    body = {"maintenance_window": {"type": "maintenance_window", **part}} if part else None
    answer = house.call(method, f"/maintenance_windows{path}", body, person=person)
    assert answer.status_code == (status or {"POST": 201, "DELETE": 204}.get(method, 200)), answer.text
    return dict(answer.json().get("maintenance_window") or answer.json()) if answer.content else {}


def window(house: House, start: timedelta, end: timedelta, *services: str, **more: Any) -> str:
    """Make a window from and to so long after now, of Payments unless ``services`` are named; return its id."""
    named = [{"id": service, "type": "service_reference"} for service in services or ("payments",)]
    now = house.clock.now
    made = ask(house, "POST", "", start_time=stamp(now + start), end_time=stamp(now + end), services=named, **more)
    return str(made["id"])


def pages(house: House, key: str) -> int:
    return int(house.incident(key)["watchbell"]["pages"])


def pages_at(house: House, key: str) -> list[Json]:
    return list(house.incident(key)["pending_actions"])


@pytest.fixture
def key(shared: House) -> str:
    """A dedup key of the test's own, when no window of another test goes on any more."""
    shared.tick(timedelta(days=1))
    return f"k{next(NUMBERS)}"


def kinds(house: House, key: str) -> list[str]:
    return [kind for kind, _ in house.history(house.incident(key)["id"])]


def test_within_a_window_nobody_is_paged_and_at_its_end_it_begins_at_the_top(shared: House, key: str) -> None:
    window(shared, -MINUTE, HOUR, description="database move")
    ends = shared.clock.now + HOUR
    shared.enqueue(key=key)
    shared.tick(20 * MINUTE)
    incident = shared.incident(key)
    assert (incident["status"], assigned(incident), pages(shared, key)) == ("triggered", [], 0)
    assert incident["pending_actions"] == [{"type": "escalate", "at": stamp(ends)}]
    assert incident["watchbell"]["maintenance_until"] == stamp(ends)
    assert kinds(shared, key) == ["trigger", "maintenance"]
    lines = shared.get(f"/incidents/{incident['id']}/log_entries")["log_entries"]
    assert stamp(ends) in lines[0]["note"]
    # Worse meanwhile, it still pages nobody; nor does a change of shifts.
    shared.put(incident["id"], priority={"id": "sev0", "type": "priority_reference"})
    shared.enqueue(key=key)
    shared.server.engine.rotation_changed()
    shared.tick()
    assert pages(shared, key) == 0
    assert shared.get("/services/payments")["service"]["status"] == "maintenance"
    shared.tick(40 * MINUTE)
    assert (len(assigned(shared.incident(key))), pages(shared, key)) == (1, 1)
    assert pages_at(shared, key) == [{"type": "escalate", "at": stamp(ends + 15 * MINUTE)}]
    # It is told, too, that an hour to resolve it has passed.
    assert kinds(shared, key)[-3:] == ["maintenance_over", "assign", "overdue"]
    assert shared.tick() == 0


def test_what_paged_when_a_window_began_goes_on(shared: House, key: str) -> None:
    shared.enqueue(key=key)
    window(shared, timedelta(0), HOUR)
    shared.tick(15 * MINUTE)
    assert (len(assigned(shared.incident(key))), pages_at(shared, key)[0]["type"]) == (2, "escalate")


def test_other_services_page(shared: House, key: str) -> None:
    window(shared, timedelta(0), HOUR, "batch")
    shared.enqueue(key=key)
    assert pages(shared, key) == 1


def test_windows_that_overlap_or_follow_at_once_hold_until_the_last_ends(shared: House, key: str) -> None:
    now = shared.clock.now
    window(shared, timedelta(0), HOUR)
    window(shared, HOUR, 2 * HOUR, "batch", "payments")
    shared.enqueue(key=key)
    assert pages_at(shared, key)[0]["at"] == stamp(now + 2 * HOUR)
    # One that is made later holds on to what is held already.
    window(shared, 90 * MINUTE, 3 * HOUR)
    assert pages_at(shared, key)[0]["at"] == stamp(now + 3 * HOUR)
    shared.tick(2 * HOUR)
    assert pages(shared, key) == 0
    shared.tick(HOUR)
    assert pages(shared, key) == 1


def test_ended_early_it_pages_at_that_instant(shared: House, key: str) -> None:
    name = window(shared, timedelta(0), HOUR)
    shared.enqueue(key=key)
    shared.tick(10 * MINUTE)
    ask(shared, "DELETE", f"/{name}")
    assert ask(shared, "GET", f"/{name}")["end_time"] == stamp(shared.clock.now)
    shared.tick()
    assert pages(shared, key) == 1
    assert ask(shared, "DELETE", f"/{name}", status=405)["error"]["code"] == 2001


def test_moved_ends_and_other_services_count(shared: House, key: str) -> None:
    now = shared.clock.now
    name = window(shared, timedelta(0), HOUR)
    shared.enqueue(key=key)
    ask(shared, "PUT", f"/{name}", end_time=stamp(now + 2 * HOUR), start_time=stamp(now + HOUR))
    assert ask(shared, "GET", f"/{name}")["start_time"] == stamp(now), "what has begun is not moved"
    assert pages_at(shared, key)[0]["at"] == stamp(now + 2 * HOUR)
    ask(shared, "PUT", f"/{name}", services=[{"id": "batch", "type": "service_reference"}])
    shared.tick()
    assert pages(shared, key) == 1


def test_a_person_is_paged_by_a_person_all_the_same(shared: House, key: str) -> None:
    window(shared, timedelta(0), HOUR)
    ben: Json = {"assignments": [{"assignee": {"id": "ben", "type": "user_reference"}}]}
    for number, change in enumerate((ben, {"escalation_level": 1})):
        shared.enqueue(key=f"{key}{number}")
        name = shared.incident(f"{key}{number}")["id"]
        assert shared.put(name, **change).status_code == 200
        assert pages(shared, f"{key}{number}") == 1


def test_acknowledged_within_a_window_it_pages_nobody_before_its_end(shared: House, key: str) -> None:
    window(shared, timedelta(0), HOUR)
    shared.enqueue(key=key)
    shared.put(shared.incident(key)["id"], status="acknowledged")
    # The acknowledgement of a SEV-0 holds for half an hour.
    shared.tick(31 * MINUTE)
    assert (shared.incident(key)["status"], pages(shared, key)) == ("triggered", 0)
    shared.tick(30 * MINUTE)
    assert pages(shared, key) >= 1
    assert "ana" in assigned(shared.incident(key))


def test_resolved_and_back_within_a_window_it_is_held_again(shared: House, key: str) -> None:
    shared.enqueue(key=key)
    window(shared, timedelta(0), HOUR)
    shared.enqueue("resolve", key)
    shared.tick(MINUTE)
    before = pages(shared, key)
    shared.enqueue(key=key)
    assert (shared.incident(key)["status"], pages(shared, key)) == ("triggered", before)
    shared.tick(HOUR)
    assert pages(shared, key) == before + 1


def test_a_window_that_the_rows_do_not_know_any_more_holds_nothing_back(shared: House, key: str) -> None:
    """Another server ended it, and nobody told this one yet."""
    name = window(shared, timedelta(0), HOUR)
    with shared.server.storage.write() as connection:
        ended = update(maintenance_windows).where(maintenance_windows.c.id == name)
        connection.execute(ended.values(ends_at=shared.clock.now))
    shared.enqueue(key=key)
    assert pages(shared, key) == 1


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({}, "start_time is missing"),
        ({"start_time": "soon"}, "start_time is no ISO 8601 time"),
        ({"end_time": stamp(START - HOUR)}, "end_time must be in the future"),
        ({"end_time": "2198-01-01T00:00:00Z"}, "longer than a year"),
        ({"end_time": "9999-01-01T00:00:00Z"}, "out of range"),
        ({"services": []}, "services must be a list"),
        ({"services": [{"id": "nowhere"}]}, "there is no service 'nowhere'"),
        ({"services": [7]}, "a service has no id"),
        ({"description": 7}, "description must be a text"),
    ],
)
def test_what_makes_no_sense_is_refused(shared: House, part: Json, says: str) -> None:
    now = shared.clock.now
    good = {"start_time": stamp(now), "end_time": stamp(now + HOUR), "services": [{"id": "batch"}]}
    assert says in str(ask(shared, "POST", "", status=400, **({**good, **part} if part else {"description": "x"})))


def test_who_may_and_what_is_kept_of_it(shared: House, key: str) -> None:
    now = shared.clock.now
    part = {"start_time": stamp(now + HOUR), "end_time": stamp(now + 2 * HOUR), "services": [{"id": "batch"}]}
    assert "only a manager" in str(ask(shared, "POST", "", "ana", 403, **part))
    name = window(shared, HOUR, 2 * HOUR, "batch", description=key)
    for method in ("PUT", "DELETE"):
        ask(shared, method, f"/{name}", "ana", 403, **(part if method == "PUT" else {}))
    found = shared.get("/maintenance_windows", **{"filter": "future", "query": key, "service_ids[]": "batch"})
    assert [w["created_by"]["id"] for w in found["maintenance_windows"]] == ["cho"]
    assert not shared.get("/maintenance_windows", filter="ongoing", query=key)["maintenance_windows"]
    ask(shared, "DELETE", f"/{name}")
    ask(shared, "GET", f"/{name}", status=404)
    assert shared.call("GET", "/maintenance_windows?filter=odd").status_code == 400
    with shared.server.storage.read() as connection:
        lines = connection.exec_driver_sql(
            f"SELECT action, actor FROM audit WHERE target = 'maintenance_window:{name}'"
        ).all()
    assert [tuple(line) for line in lines] == [
        ("maintenance.create", "person:cho"), ("maintenance.delete", "person:cho"),
    ]  # fmt: skip


def at(hour: int) -> datetime:
    return datetime(2026, 1, 7, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("spans", "ends"),
    [
        ([], None),
        ([(11, 12)], None),
        ([(9, 11)], 11),
        ([(10, 11)], 11),
        ([(9, 10)], None),
        ([(9, 11), (11, 12), (13, 14)], 12),
        ([(9, 14), (10, 11)], 14),
    ],
)
def test_until_when_windows_cover_ten_oclock(spans: list[tuple[int, int]], ends: int | None) -> None:
    made = [Window("P", 1, at(start), at(end), "", ("x",), at(0), "") for start, end in spans]
    assert windows.covered_until(made, "x", at(10)) == (None if ends is None else at(ends))
    assert windows.covered_until(made, "y", at(10)) is None


@pytest.fixture
def place(postgresql: Cluster) -> Iterator[str]:
    url = postgresql.ready()
    yield url
    postgresql.drop(url)


def test_ended_while_another_server_takes_a_trigger_it_holds_nothing_back(place: str) -> None:
    """Whichever comes first: the trigger is held and let go, or finds no window any more; never held to the old end."""
    clock = Clock()
    with running_server(place, TEAM, clock) as one, running_server(place, TEAM, clock) as other:
        by = By("person:cho")
        for number in range(20):
            made = Window(f"P{number}", 0, clock.now, clock.now + HOUR, "", ("payments",), clock.now, by.actor)
            one.writer.run(lambda work, made=made: windows.add(work.connection, made))  # type: ignore[misc]
            other.station.refresh()
            event = Event("", Action.TRIGGER, f"k{number}", "db down", "sev0", "", {})
            both = [
                other.writer.submit(
                    partial(enqueueing.take, other.station, event=event, service="payments", actor="x")
                ),
                one.writer.submit(partial(end_window, one.station, by=by, name=made.id)),
            ]
            for future in both:
                future.result(20)  # type: ignore[attr-defined]
            one.engine.tick()
            clock.forward(MINUTE / 60)
        with one.storage.read() as connection:
            found = connection.execute(select(schema.incidents.c.pages, schema.incidents.c.held_until)).all()
        assert [tuple(row) for row in found] == [(1, None)] * 20
