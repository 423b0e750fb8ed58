"""Escalation from rows: on time, once, through restarts, shift changes and faults."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from desktop.backends.pagerduty import mapping
from desktop.domain.severity import Mapped, Severity
from desktop.server import engine, incidents, schema, station
from desktop.server.records import Record
from desktop.server.tables.messages import pages as paged
from tests.server.house import DIRECTOR, MINUTE, TEAM, Clock, House, assigned, running_house, running_server

MONDAY = datetime(2026, 1, 12, 17, 0, tzinfo=UTC)  # the next handover: Ben becomes primary, Ana secondary


def kinds(house: House, number: str = "1") -> list[str]:
    return [kind for kind, _ in house.history(house.get(f"/incidents/{number}")["incident"]["id"])]


def test_the_whole_life_of_an_unanswered_critical_incident(house: House) -> None:
    house.enqueue(key="k", severity="critical")
    seen = []
    for minutes in (15, 15, 30, 15):
        house.tick(minutes * MINUTE)
        incident = house.incident("k")
        seen.append((assigned(incident)[-1], incident["pending_actions"][0]["at"][11:16]))
    assert seen == [("ben", "18:30"), ("cho", "19:00"), (DIRECTOR, "19:15"), (DIRECTOR, "19:30")]
    house.tick(timedelta(days=3))
    # Looked at less often than every five minutes, each look would be a return from an outage.
    for _ in range(400):
        if house.incident("k")["watchbell"]["exhausted"]:
            break
        house.tick(5 * MINUTE)
    incident = house.incident("k")
    assert incident["watchbell"]["exhausted"]
    assert incident["pending_actions"] == []
    pages = incident["watchbell"]["pages"]
    house.tick(15 * MINUTE)
    assert house.incident("k")["watchbell"]["pages"] == pages + 1
    assert kinds(house).count("exhaust_escalation_path") == 1


def test_an_acknowledgement_ends_and_everyone_is_paged(house: House) -> None:
    house.enqueue(key="k", severity="critical")
    house.tick(15 * MINUTE)
    house.put("1", "ben", status="acknowledged")
    pages = house.incident("k")["watchbell"]["pages"]
    assert house.tick(30 * MINUTE - timedelta(seconds=1)) == 0
    assert house.tick(timedelta(seconds=1)) == 1
    incident = house.incident("k")
    assert (incident["status"], incident["acknowledgements"]) == ("triggered", [])
    assert incident["watchbell"]["pages"] == pages + 1
    assert incident["pending_actions"][0]["at"] == "2026-01-07T19:00:00Z"
    assert ("notify", {"assignees": ["ana", "ben"], "step": 2, "reason": "acknowledgement ended"}) in house.history(
        incident["id"]
    )


def test_raised_while_acknowledged_it_holds_its_time_from_the_change(house: House) -> None:
    house.enqueue(key="k", severity="error")
    house.put("1", status="acknowledged")
    house.tick(40 * MINUTE)
    house.enqueue(key="k", severity="critical")
    incident = house.incident("k")
    assert incident["status"] == "acknowledged"
    assert incident["pending_actions"] == [{"type": "unacknowledge", "at": "2026-01-07T19:10:00Z"}]


@pytest.mark.parametrize("severity", ["critical", "warning", "info"])
def test_what_a_machine_alone_acknowledged_pages_again(house: House, severity: str) -> None:
    house.enqueue(key="k", severity=severity)
    house.enqueue("acknowledge", "k")
    incident = house.incident("k")
    shown = [
        (held["at"], held["acknowledger"]["type"], held["acknowledger"]["id"]) for held in incident["acknowledgements"]
    ]
    assert shown == [("2026-01-07T18:00:00Z", "service_reference", "payments")]
    assert incident["pending_actions"] == [{"type": "unacknowledge", "at": "2026-01-07T18:30:00Z"}]
    assert [a.person.name for a in mapping.incident(incident).acknowledgements] == ["the service Payments"]
    pages = incident["watchbell"]["pages"]
    house.tick(30 * MINUTE)
    incident = house.incident("k")
    assert (incident["status"], incident["acknowledgements"]) == ("triggered", [])
    assert (incident["watchbell"]["pages"], assigned(incident)) == (pages + 1, ["ana"])


def test_what_a_person_took_after_a_machine_is_theirs(house: House) -> None:
    house.enqueue(key="k", severity="warning")
    house.enqueue("acknowledge", "k")
    house.tick(5 * MINUTE)
    incident = house.put("1", "ben", status="acknowledged").json()["incident"]
    assert [held["acknowledger"]["id"] for held in incident["acknowledgements"]] == ["payments", "ben"]
    assert incident["pending_actions"] == []


@pytest.mark.parametrize(
    ("was", "becomes", "by", "status"),
    [
        ("warning", "sev0", "ben", "triggered"),
        ("info", "sev1", "", "triggered"),
        ("warning", "sev1", "ana", "acknowledged"),
        ("info", "sev2", "ben", "acknowledged"),
        ("error", "sev0", "ben", "acknowledged"),
    ],
)
def test_what_becomes_worth_waking_for_pages_again(house: House, was: str, becomes: str, by: str, status: str) -> None:
    house.enqueue(key="k", severity=was)
    house.put("1", status="acknowledged")
    pages = house.incident("k")["watchbell"]["pages"]
    house.clock.forward(10 * MINUTE)
    if by:
        house.put("1", by, priority=becomes)
    else:
        house.enqueue(key="k", severity="error")
    incident = house.incident("k")
    assert (incident["status"], incident["priority"]["id"]) == (status, becomes)
    assert incident["watchbell"]["pages"] - pages == int(status == "triggered")
    said = [line["note"] for line in house.get("/incidents/1/log_entries")["log_entries"] if "note" in line]
    assert any("it has become" in note for note in said) is (status == "triggered")


@pytest.mark.parametrize("taken", [False, True])
def test_raised_and_acknowledged_in_one_request_nobody_is_messaged(house: House, taken: bool) -> None:
    house.enqueue(key="k", severity="warning")
    if taken:
        house.put("1", status="acknowledged")
    answer = house.put("1", "ben", priority="sev0", status="acknowledged").json()["incident"]
    assert (answer["status"], answer["watchbell"]["pages"]) == ("acknowledged", 2)
    with house.server.storage.read() as connection:
        going_on = select(paged.c.person_id, paged.c.number).where(paged.c.ended_at.is_(None))
        assert connection.execute(going_on).all() == []


def test_a_low_severity_acknowledgement_holds_for_ever(house: House) -> None:
    house.enqueue(key="k", severity="info")
    house.put("1", status="acknowledged")
    assert house.incident("k")["pending_actions"] == []
    # All that happens is that the manager is told that it is still not resolved.
    assert (house.tick(timedelta(days=1)), house.tick(timedelta(days=30))) == (1, 0)
    assert house.incident("k")["status"] == "acknowledged"
    assert kinds(house) == ["trigger", "assign", "acknowledge", "overdue"]
    assert house.history(house.incident("k")["id"])[-1] == ("overdue", {"told": ["cho"]})


def test_ticking_twice_does_nothing_twice(house: House) -> None:
    house.tick()
    house.enqueue(key="k", severity="critical")
    assert (house.tick(15 * MINUTE), house.tick()) == (1, 0)
    assert kinds(house) == ["trigger", "assign", "escalate", "notify"]


def test_two_who_find_it_due_do_it_once(house: House) -> None:
    house.enqueue(key="k", severity="critical")
    house.clock.forward(15 * MINUTE)
    ids = [house.incident("k")["id"]]
    parts = house.server.station
    futures = [parts.writer.submit(lambda work: incidents.work_off(parts, work, ids)) for _ in range(5)]
    assert [future.result() for future in futures] == [1, 0, 0, 0, 0]
    assert kinds(house).count("escalate") == 1


def test_whoever_takes_over_a_paged_role_is_paged(house: House) -> None:
    house.clock.now = MONDAY - 20 * MINUTE
    house.server.engine.tick()
    house.enqueue(key="open", severity="error")
    house.enqueue(key="acked", severity="error")
    house.put("2", status="acknowledged")
    house.tick(20 * MINUTE)
    assert assigned(house.incident("open")) == ["ana", "ben"]
    assert assigned(house.incident("acked")) == ["ana"]
    assert kinds(house) == ["trigger", "assign", "assign"]
    house.tick(timedelta(seconds=1))
    assert kinds(house) == ["trigger", "assign", "assign"]


def test_a_shift_that_changed_while_nobody_ran_is_caught_up(tmp_path: Path) -> None:
    clock = Clock(MONDAY - 20 * MINUTE)
    with running_house(tmp_path, clock=clock) as house:
        house.tick()
        house.enqueue(key="k", severity="error")
    clock.forward(21 * MINUTE)
    with running_house(tmp_path, clock=clock) as house:
        house.tick()
        assert assigned(house.incident("k")) == ["ana", "ben"]


def test_the_lists_are_frozen_when_the_incident_is_born(tmp_path: Path) -> None:
    clock = Clock()
    with running_house(tmp_path, clock=clock) as house:
        house.enqueue(key="old", severity="critical")
    faster = TEAM + '\n[severity.sev0]\nacknowledge = "1m"\n'
    with running_house(tmp_path, faster, clock) as house:
        house.enqueue(key="new", severity="critical")
        at = [house.incident(key)["pending_actions"][0]["at"] for key in ("old", "new")]
        assert at == ["2026-01-07T18:15:00Z", "2026-01-07T18:01:00Z"]


def test_one_that_makes_no_sense_stops_no_other(house: House, caplog: pytest.LogCaptureFixture) -> None:
    for key in ("bad", "good"):
        house.enqueue(key=key, severity="critical")
    with house.server.storage.write() as connection:
        connection.exec_driver_sql("UPDATE incidents SET progress = '{}' WHERE dedup_key = 'bad'")
    house.tick(15 * MINUTE)
    assert assigned(house.get("/incidents/2")["incident"]) == ["ana", "ben"]
    assert "an incident cannot be escalated" in caplog.text
    # It is tried again later, so that a repaired row goes on by itself.
    assert house.tick() == 0
    assert house.tick(2 * MINUTE) == 1


def test_nobody_on_call_is_an_incident_that_goes_on_asking(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = TEAM.replace("2026-01-05T09:00:00", "2026-02-02T09:00:00").replace(
        '[[emergency_contacts]]\nname = "Duty director"\n', ""
    )
    clock = Clock()
    with running_house(tmp_path, text, clock) as house:
        house.enqueue(key="k", severity="critical")
        assert assigned(house.incident("k")) == []
        assert "nobody is on call" in caplog.text
        clock.now = datetime(2026, 2, 2, 17, 0, tzinfo=UTC)
        house.tick()
        assert "ana" in assigned(house.incident("k"))


QUICK = """
[[escalation.steps]]
after = "0s"
roles = ["primary"]
[[escalation.steps]]
after = "1s"
roles = ["secondary"]
"""


def test_by_itself_it_wakes_when_something_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real clock and thread: a commit tells when to wake, long before the engine would look by itself."""
    monkeypatch.setattr(engine, "_LONGEST_WAIT", timedelta(minutes=5))
    escalated = threading.Event()
    now = datetime.now(UTC)
    monday = (now - timedelta(days=now.weekday() + 7)).strftime("%Y-%m-%d")
    text = TEAM.replace("2026-01-05", monday) + QUICK
    with running_server(tmp_path, text, station.utc_now) as server:
        commit = server.engine.committed

        def watch(changed: Sequence[Record]) -> None:
            commit(changed)
            if any(len(record.assignments) == 2 for record in changed):
                escalated.set()

        monkeypatch.setattr(server.engine, "committed", watch)
        server.engine.start()
        server.writer.run(lambda work: incidents.create(server.station, work, "person:ana", _opening()))
        assert escalated.wait(10)


def test_a_clock_that_jumps_while_it_waits_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What became due by the jump is not left until a wait ends that was reckoned before it."""
    monkeypatch.setattr(engine, "_LONGEST_WAIT", timedelta(minutes=5))
    escalated, ahead = threading.Event(), [timedelta(0)]
    with running_server(tmp_path, TEAM, lambda: station.utc_now() + ahead[0]) as server:
        wait, commit = server.engine._wake.wait, server.engine.committed

        def jump(seconds: float) -> bool:
            ahead[0] = timedelta(minutes=15)
            return wait(seconds)

        def watch(changed: Sequence[Record]) -> None:
            commit(changed)
            if any(len(record.assignments) == 2 for record in changed):
                escalated.set()

        monkeypatch.setattr(server.engine, "committed", watch)
        monkeypatch.setattr(server.engine._wake, "wait", jump)
        server.writer.run(lambda work: incidents.create(server.station, work, "person:ana", _opening()))
        server.engine.start()
        assert escalated.wait(10)


def _opening() -> incidents.Opening:
    return incidents.Opening("x", "payments", Mapped(Severity.SEV0), "k", {})


@settings(max_examples=12)
@given(st.lists(st.tuples(st.integers(1, 4000), st.booleans()), min_size=1, max_size=6))
def test_restarts_anywhere_escalate_each_step_once(
    tmp_path_factory: pytest.TempPathFactory, pauses: list[tuple[int, bool]]
) -> None:
    """Whenever the server was down, and however long: nobody is added twice, and all are in the end."""
    folder, clock = tmp_path_factory.mktemp("restarts"), Clock()
    with running_server(folder, TEAM, clock) as server:
        server.writer.run(lambda work: incidents.create(server.station, work, "person:ana", _opening()))
    for seconds, looks in pauses:
        clock.forward(timedelta(seconds=seconds))
        if looks:
            with running_server(folder, TEAM, clock) as server:
                server.engine.tick()
    with running_server(folder, TEAM, clock) as server:
        for pause in (4 * 15 * MINUTE, 5 * MINUTE):
            clock.forward(pause)
            server.engine.tick()
        with server.storage.read() as connection:
            rows = connection.execute(select(schema.log_entries).order_by(schema.log_entries.c.id)).all()
    added = [p for row in rows if row.type in ("assign", "escalate") for p in row.data["assignees"]]
    assert added == ["ana", "ben", "cho", DIRECTOR]
