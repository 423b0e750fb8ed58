"""Duties: whose they are, how they stand, what marks make of them, and that a missed one stays."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from desktop.server.marks import Act, Made, changes, held
from desktop.server.tables.audit import audit_log
from desktop.server.tables.duties import duty_marks, settled_incidents
from tests.server.house import MINUTE, START, TEAM, House, Json, running_house

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OURS = "/watchbell/v1/duties"
# Thursday the 8th: the first morning since the duties are kept. Ana is primary.
CHECK_IN = "check-in/2026-01-08"


@pytest.fixture
def unsure(database: str) -> Iterator[House]:
    """A house in which Ana is said not to be certified."""
    with running_house(database, TEAM.replace('name = "Ana Ruiz"', 'name = "Ana Ruiz"\ncertified = false')) as house:
        yield house


def listed(house: House, **params: Any) -> dict[str, Json]:
    answer = house.get(OURS, limit=100, **params)
    assert answer["more"] is False
    return {duty["id"]: duty for duty in answer["duties"]}


def states(house: House, **params: Any) -> dict[str, str]:
    return {name: duty["state"] for name, duty in listed(house, **params).items()}


def mark(house: House, duty: str, *marks: Json, person: str = "ana", status: int = 200) -> Json:
    answer = house.call("POST", f"{OURS}/{duty}/marks", {"marks": list(marks)}, person=person)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def marks_of(house: House, duty: str) -> list[Json]:
    return list(house.get(f"{OURS}/{duty}/marks")["marks"])


def count(house: House, table: Any) -> int:
    with house.server.storage.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_a_missed_duty_stays_until_it_is_done_or_waived(house: House) -> None:
    assert CHECK_IN in listed(house, **{"state[]": "ahead"})
    mark(house, CHECK_IN, {"type": "tick", "point": 1}, status=400)  # it has not opened
    house.clock.forward(4 * DAY)
    duty = listed(house)[CHECK_IN]
    assert (duty["state"], duty["due_at"], duty["says"]) == ("overdue", "2026-01-08T17:00:00Z", "4 of 4 points to do")
    assert [person["id"] for person in duty["people"]] == ["ana"]
    mark(house, CHECK_IN, {"type": "tick", "point": 1}, {"type": "tick", "point": 2})
    duty = mark(house, CHECK_IN, {"type": "untick", "point": 2}, person="cho")["duty"]
    ticked = [point["ticked"] and point["ticked"]["user"]["id"] for point in duty["points"]]
    assert (ticked, duty["state"]) == (["ana", None, None, None], "overdue")
    assert mark(house, CHECK_IN, {"type": "waive", "reason": " "}, status=400)["error"]["errors"] == [
        "reason must be a text of 1 to 500 characters"
    ]
    duty = mark(house, CHECK_IN, {"type": "waive", "reason": "fire drill"}, person="cho")["duty"]
    assert (duty["state"], duty["waived"]["reason"], duty["waived"]["user"]["id"]) == ("waived", "fire drill", "cho")
    assert mark(house, CHECK_IN, {"type": "reopen"})["duty"]["state"] == "overdue"
    assert mark(house, CHECK_IN, {"type": "done"})["duty"]["state"] == "done"
    assert [(m["type"], m["user"]["id"], m["point"]) for m in marks_of(house, CHECK_IN)] == [
        ("tick", "ana", 1), ("tick", "ana", 2), ("untick", "cho", 2), ("waive", "cho", None), ("reopen", "ana", None),
        ("done", "ana", None)]  # fmt: skip
    house.clock.forward(2 * DAY)
    assert CHECK_IN not in listed(house)
    assert listed(house, since="2026-01-08T00:00:00Z")[CHECK_IN]["state"] == "done"
    assert states(house)["check-in/2026-01-09"] == "overdue"


def test_the_same_mark_again_changes_nothing(house: House) -> None:
    house.clock.forward(DAY)
    for _ in range(2):
        mark(house, CHECK_IN, {"type": "tick", "point": 3}, {"type": "untick", "point": 4}, {"type": "reopen"})
    assert [m["type"] for m in marks_of(house, CHECK_IN)] == ["tick"]
    # The slash of an id may be sent either way.
    assert [m["type"] for m in marks_of(house, CHECK_IN.replace("/", "%2F"))] == ["tick"]
    with house.server.storage.read() as connection:
        lines = connection.execute(select(audit_log).where(audit_log.c.action == "duty.mark")).all()
    assert [(line.actor, line.target, line.after["marks"][0]["point"]) for line in lines] == [
        ("person:ana", f"duty:{CHECK_IN}", 3)
    ]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_mine_somebodys_and_the_teams(house: House) -> None:
    house.clock.forward(6 * DAY)
    everybodys, anas = listed(house), listed(house, person="me")
    assert set(anas) < set(everybodys)
    assert set(anas) == set(listed(house, person="ana"))
    assert {"handover/2026-01-12", "check-in/2026-01-11", "training/ana"} <= set(anas)
    assert "check-in/2026-01-13" in listed(house, person="ben")
    assert "check-in/2026-01-13" not in anas
    assert set(listed(house, **{"kind[]": "training"})) == {"training/ana", "training/ben"}
    assert set(states(house, **{"state[]": ["due", "ahead"]}).values()) == {"due", "ahead"}
    nobody = house.call("GET", OURS, params={"person": "<b>x"})
    assert (nobody.status_code, nobody.json()["error"]["errors"]) == (400, ["person: there is no '<b>x'"])
    first = house.get(OURS, limit=2, total="true")
    assert (len(first["duties"]), first["more"], first["total"], first["left_out"]) == (2, True, len(everybodys), 0)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_engineer_marks_their_own_only(house: House) -> None:
    house.clock.forward(DAY)
    refused = mark(house, CHECK_IN, {"type": "done"}, person="ben", status=403)
    assert "their own duties only" in refused["error"]["errors"][0]
    assert mark(house, CHECK_IN, {"type": "done"}, person="cho")["duty"]["signed"][0]["user"]["id"] == "cho"


@pytest.mark.parametrize("name", ["", "x", "check-in", "check-in/2026-13-45", "check-in/2025-01-08", "training/nobody",
                                  "incident-review/NOSUCH", "handover/%2e%2e", "a/b/c/d/%F0%9F%9A%A8"])  # fmt: skip
def test_what_is_no_duty(shared: House, name: str) -> None:
    for method, end in (("POST", "marks"), ("GET", "marks"), ("GET", "sheet"), ("GET", "sheet.md")):
        answer = shared.call(
            method, f"{OURS}/{name}/{end}", {"marks": [{"type": "done"}]} if method == "POST" else None
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, 2100), answer.text


@pytest.mark.parametrize(
    "sent",
    [None, [], {}, {"marks": []}, {"marks": {}}, {"marks": ["done"]}, {"marks": [{"type": "done"}] * 21},
     {"marks": [{"type": "sign"}]}, {"marks": [{"type": ["done"]}]}, {"marks": [{"type": "tick"}]},
     {"marks": [{"type": "tick", "point": True}]}, {"marks": [{"type": "tick", "point": 6}]},
     {"marks": [{"type": "untick", "point": 0}]}, {"marks": [{"type": "waive"}]},
     {"marks": [{"type": "waive", "reason": "\u200b"}]}, {"marks": [{"type": "waive", "reason": "x" * 501}]},
     {"marks": [{"type": "note", "text": ["x"]}]}, {"marks": [{"type": "access", "checks": []}]}],
)  # fmt: skip
def test_what_is_no_mark(shared: House, sent: object) -> None:
    answer = shared.call("POST", f"{OURS}/training/ana/marks", sent)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2001), answer.text


def test_what_an_incident_asks_for(house: House) -> None:
    name = str(house.incident(house.enqueue(key="k", severity="critical"))["id"])
    asked = {each: f"{each}/{name}" for each in ("status-page", "customer-notice", "incident-review")}
    update = f"status-update/{name}/1"
    house.clock.forward(29 * MINUTE)
    duties = listed(house)
    assert [p["id"] for p in duties[asked["status-page"]]["people"]] == ["ana"]
    assert (duties[update]["state"], duties[update]["says"]) == ("due", "Status update by 10:30")
    assert duties[update]["summary"] == "Status update: db down"
    assert asked["incident-review"] not in duties
    # Whoever acknowledges it has its duties.
    assert house.put(name, person="ben", status="acknowledged").status_code == 200
    house.clock.forward(2 * MINUTE)
    assert listed(house)[update]["says"] == "Status update: 1 missed since 10:30"
    assert [p["id"] for p in listed(house)[update]["people"]] == ["ben"]
    # What was posted by PagerDuty's endpoint needs no mark.
    said = house.call("POST", f"/incidents/{name}/status_updates", {"message": "still looking"}, person="ben")
    assert said.status_code == 200
    assert states(house)[update] == "done"
    house.clock.forward(26 * MINUTE)
    assert listed(house)[f"status-update/{name}/2"]["due_at"] == "2026-01-07T19:01:00Z"
    assert house.put(name, person="ben", status="resolved").status_code == 200
    duties = listed(house)
    assert f"status-update/{name}/2" not in duties
    review = duties[asked["incident-review"]]
    assert (review["state"], review["due_at"]) == ("due", "2026-01-09T18:57:00Z")
    note = {"type": "note", "text": "the <b>disk</b> was full\n- buy another\x00"}
    mark(house, asked["incident-review"], note, {"type": "done"}, person="ben")
    assert [m["text"] for m in marks_of(house, asked["incident-review"])] == [
        "the <b>disk</b> was full\n- buy another�", ""]  # fmt: skip
    assert count(house, settled_incidents) == 0
    for each in ("status-page", "customer-notice"):
        mark(house, asked[each], {"type": "waive", "reason": "internal"}, person="cho")
    # Nothing is left to do: it need not be looked at any more, until it comes back.
    assert count(house, settled_incidents) == 1
    house.clock.forward(3 * DAY)
    assert not [each for each in listed(house) if name in each]
    assert [each for each in listed(house, since="2026-01-07T00:00:00Z") if name in each]
    assert house.put(name, status="triggered").status_code == 200
    house.clock.forward(HOUR)
    assert states(house)[f"status-update/{name}/2"] == "overdue"
    assert house.put(name, status="resolved").status_code == 200
    assert states(house)[f"incident-review/{name}/2"] == "due"


def test_an_incident_that_became_milder_or_worse(house: House) -> None:
    milder, worse, mild = (
        str(house.incident(house.enqueue(key=key, severity=word))["id"])
        for key, word in (("milder", "critical"), ("worse", "info"), ("mild", "warning"))
    )
    house.clock.forward(10 * MINUTE)
    # What was posted before it was a SEV-1 is not what is asked for then.
    assert house.call("POST", f"/incidents/{worse}/status_updates", {"message": "slow"}).status_code == 200
    house.clock.forward(MINUTE)
    assert house.put(milder, priority={"id": "sev3"}).status_code == 200
    assert house.put(worse, priority={"id": "sev1"}).status_code == 200
    assert house.put(mild, priority={"id": "sev3"}).status_code == 200
    house.clock.forward(HOUR)
    duties = listed(house)
    assert f"status-update/{milder}/1" not in duties
    update = duties[f"status-update/{worse}/1"]
    assert (update["due_at"], update["state"]) == ("2026-01-07T18:41:00Z", "overdue")
    assert not [name for name in duties if mild in name]
    for name in (milder, worse):
        assert house.put(name, status="resolved").status_code == 200
    assert {f"incident-review/{milder}", f"incident-review/{worse}"} <= set(listed(house, person="me"))


def test_all_is_done_and_then_it_is_resolved_in_the_same_instant(house: House) -> None:
    name = str(house.incident(house.enqueue(key="k"))["id"])
    for kind in ("status-page", "customer-notice"):
        mark(house, f"{kind}/{name}", {"type": "done"})
    assert house.put(name, status="resolved").status_code == 200
    house.clock.forward(3 * DAY)
    assert states(house)[f"incident-review/{name}"] == "overdue"


def test_only_so_many_incidents_are_looked_at_and_the_rest_is_told(house: House, monkeypatch: Any) -> None:
    monkeypatch.setattr("desktop.server.majors.MOST", 2)
    for number in range(5):
        house.enqueue(key=str(number))
        house.clock.forward(MINUTE)
    answer = house.get(OURS, **{"kind[]": "status-page"})
    assert (len(answer["duties"]), answer["left_out"]) == (2, 3)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_prepared_update(house: House) -> None:
    hostile = "@channel <!here> [x](http://evil.example.com) *bold*"
    name = str(house.incident(house.enqueue(key="k", summary=hostile))["id"])
    house.clock.forward(10 * MINUTE)
    path = f"/watchbell/v1/incidents/{name}/status_update"
    found = house.get(path, note="we @here are on it")["status_update"]
    first, status, note, following = found["message"].split("\n")
    assert first.startswith("@channel SEV-0: ＠channel ‹!here›")
    assert first.count("@") == 1
    assert "://" not in first
    assert status == "Status: open for 10 min; nobody has acknowledged it."
    assert (note, following) == ("we ＠here are on it", "Next update by 10:40 (America/Los_Angeles).")
    assert (found["due_at"], found["missed"], found["duty"]) == (
        "2026-01-07T18:30:00Z", 0, f"status-update/{name}/1")  # fmt: skip
    assert house.put(name, priority={"id": "sev1"}, status="acknowledged").status_code == 200
    house.clock.forward(HOUR)
    found = house.get(path)["status_update"]
    assert (found["missed"], found["says"]) == (2, "Status update: 2 missed since 10:30")
    assert "Ana Ruiz has it" in found["message"]
    mild = house.incident(house.enqueue(key="mild", severity="warning"))["id"]
    assert house.call("GET", f"/watchbell/v1/incidents/{mild}/status_update").status_code == 400
    assert house.call("GET", "/watchbell/v1/incidents/NOSUCH/status_update").status_code == 404


def test_certified_by_a_mark(unsure: House) -> None:
    def doubts() -> list[list[str]]:
        found = unsure.get("/oncalls", **{"user_ids[]": "ana", "schedule_ids[]": "primary"})["oncalls"]
        return [entry["watchbell"]["flags"] for entry in found]

    assert doubts()[0] == ["not certified"]
    assert states(unsure, since=START.isoformat())["certification/ana"] == "overdue"
    mark(unsure, "certification/ana", *({"type": "tick", "point": point} for point in range(1, 6)), person="cho")
    assert {str(found) for found in doubts()} == {"[]"}
    assert states(unsure)["certification/ana"] == "done"
    mark(unsure, "certification/ana", {"type": "untick", "point": 5}, person="cho")
    assert doubts()[0] == ["not certified"]
    # A waiver certifies nobody.
    mark(unsure, "certification/ana", {"type": "waive", "reason": "she wrote it"}, person="cho")
    assert doubts()[0] == ["not certified"]


def test_duties_are_kept_since_the_first_start(database: str) -> None:
    with running_house(database) as house:
        house.clock.forward(3 * DAY)
        clock, before = house.clock, set(listed(house))
    with running_house(database, TEAM, clock) as house:
        assert set(listed(house)) == before
        assert count(house, duty_marks) == 0


TICK, DONE = Made("d", Act.TICK, "ana", START, 1), Made("d", Act.DONE, "ana", START)
WAIVE = Made("d", Act.WAIVE, "cho", START, reason="x")
UNTICK, REOPEN = Made("d", Act.UNTICK, "cho", START, 1), Made("d", Act.REOPEN, "cho", START)
LATER = Made("d", Act.TICK, "ben", START + HOUR, 1)


@pytest.mark.parametrize(
    ("made", "holds"),
    [
        ([TICK, LATER], [TICK]),
        ([TICK, UNTICK], []),
        ([TICK, UNTICK, LATER], [LATER]),
        ([DONE, WAIVE], [DONE, WAIVE]),
        ([TICK, DONE, WAIVE, REOPEN], [TICK]),
        ([REOPEN, DONE], [DONE]),
        ([Made("other", Act.DONE, "ana", START), REOPEN], [Made("other", Act.DONE, "ana", START)]),
        ([Made("d", Act.NOTE, "ana", START, text="x")], []),
    ],
)
def test_which_marks_hold(made: list[Made], holds: list[Made]) -> None:
    assert held(made) == holds


@pytest.mark.parametrize(
    ("before", "made", "news"),
    [([], TICK, True), ([TICK], LATER, False), ([], UNTICK, False), ([TICK], UNTICK, True), ([TICK], REOPEN, False),
     ([DONE], REOPEN, True), ([DONE], DONE, False), ([DONE], WAIVE, True)],
)  # fmt: skip
def test_what_is_news(before: list[Made], made: Made, news: bool) -> None:
    assert changes(before, made) is news
