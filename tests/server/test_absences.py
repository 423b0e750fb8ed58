"""Absences announced in the application: when they hold, who says yes, what becomes of who is on call."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from desktop.server import additions
from desktop.server.tables.audit import audit_log
from tests.server.house import DIRECTOR, MINUTE, START, House, Json, assigned

DAY = timedelta(days=1)
OURS = "/watchbell/v1/absences"
NOW = {"start": START.isoformat(), "end": (START + DAY).isoformat()}
# Ana's third week, more than 14 days ahead.
WEEK = "from 2026-02-02T17:00:00Z to 2026-02-09T17:00:00Z"
LATER = {"start": "2026-02-02T17:00:00Z", "end": "2026-02-09T17:00:00Z"}


def announced(house: House, by: str = "ana", status: int = 201, /, **part: Any) -> Json:
    answer = house.call("POST", OURS, {"absence": part}, person=by)
    assert answer.status_code == status, answer.text
    return dict(answer.json().get("absence", answer.json()))


def confirmed(house: House, absence: Json, person: str, status: int = 200) -> Json:
    answer = house.call("POST", f"{OURS}/{absence['id']}/confirm", person=person)
    assert answer.status_code == status, answer.text
    return dict(answer.json().get("absence", answer.json()))


def withdrawn(house: House, absence: Json, person: str = "ana") -> int:
    return house.call("DELETE", f"{OURS}/{absence['id']}", person=person).status_code


def primary(house: House, since: str | None = None) -> tuple[str, str]:
    asked = {"schedule_ids[]": "primary", "escalation_policy_ids[]": "sev0"} | ({"since": since} if since else {})
    found = house.get("/oncalls", **asked)["oncalls"][0]
    return found["user"]["id"], found["watchbell"]["why"]


def revision(house: House) -> int:
    with house.server.storage.read() as connection:
        return additions.revision(connection)


def test_announced_in_time_it_holds_at_once(house: House) -> None:
    assert primary(house, LATER["start"]) == ("ana", "rotation")
    before = revision(house)
    made = announced(house, **LATER)
    assert (made["state"], made["holds_from"]) == ("holds", LATER["start"])
    assert made["warnings"] == [f"Nobody is secondary {WEEK}"]
    assert made["says"] == "Ana Ruiz is not on call in this time"
    assert primary(house, LATER["start"]) == ("ben", "absence")
    assert revision(house) == house.server.station.revision == before + 1
    assert [each["id"] for each in house.get(OURS)["absences"]] == [made["id"]]
    assert house.get(OURS, since="2026-03-01T00:00:00Z")["absences"] == []
    assert withdrawn(house, made) == 204
    assert house.get(OURS)["absences"] == []
    assert primary(house, LATER["start"]) == ("ana", "rotation")


def test_announced_late_the_person_stays_on_call_until_somebody_says_yes(house: House) -> None:
    name = str(house.incident(house.enqueue(key="k"))["id"])
    made = announced(house, **NOW, cover="ben")
    assert (made["state"], made["holds_from"]) == ("waiting", None)
    assert made["says"] == (
        "Announced less than 14 days ahead: Ana Ruiz stays on call until Ben Okafor or a manager says yes"
    )
    assert primary(house) == ("ana", "rotation")
    assert "not who is to be absent" in confirmed(house, made, "ana", 403)["error"]["errors"][0]
    house.clock.forward(10 * MINUTE)
    said = confirmed(house, made, "ben")
    assert (said["state"], said["holds_from"], said["confirmed_by"]) == ("holds", "2026-01-07T18:10:00Z", "person:ben")
    assert primary(house) == ("ben", "absence")
    assert confirmed(house, made, "cho")["confirmed_by"] == "person:ben"
    # Whoever took over a role that was paged is paged at once.
    house.tick()
    assert assigned(house.get(f"/incidents/{name}")["incident"]) == ["ana", "ben"]
    house.clock.forward(10 * MINUTE)
    assert withdrawn(house, made) == 200
    assert primary(house) == ("ana", "rotation")
    assert house.get(OURS)["absences"][0]["end"] == "2026-01-07T18:20:00Z"
    assert withdrawn(house, made) == 400
    assert confirmed(house, made, "cho", 400)["error"]["errors"] == ["an absence that is past needs no yes"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_may(house: House) -> None:
    refused = announced(house, "ben", 403, **NOW, person="ana")
    assert "their own absences only" in refused["error"]["errors"][0]
    made = announced(house, "cho", **NOW, person="ana")
    assert made["created_by"] == "person:cho"
    assert made["says"].endswith("until a manager says yes")
    confirmed(house, made, "ben", 403)
    assert withdrawn(house, made, "ben") == 403
    own = announced(house, "cho", **NOW)
    confirmed(house, own, "cho", 403)
    assert confirmed(house, made, "cho")["state"] == "holds"
    assert withdrawn(house, made) == 200
    assert withdrawn(house, {"id": "NOSUCH"}) == 404


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_that_nobody_would_be_left_is_said(house: House) -> None:
    for person in ("ben", "cho"):
        announced(house, person, **LATER)
    warned = announced(house, **LATER)
    assert warned["warnings"] == [
        f"{who} {WEEK}" for who in ("NOBODY ON CALL", "Nobody is secondary", "Nobody is manager")
    ]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_waits_for_a_yes_says_who_would_be_missing_then(house: House) -> None:
    waiting = announced(house, **NOW)
    assert waiting["state"] == "waiting"
    assert waiting["warnings"] == [
        "Once it holds: Nobody is secondary from 2026-01-07T18:00:00Z to 2026-01-08T18:00:00Z"
    ]


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({}, "start is no ISO 8601 time"),
        ({**NOW, "start": "yesterday"}, "start is no ISO 8601 time"),
        ({**NOW, "end": NOW["start"]}, "an absence must end after its start"),
        ({"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"}, "an absence must end in the future"),
        ({**NOW, "end": "2027-06-01T00:00:00Z"}, "an absence must not be longer than a year"),
        ({"start": "2199-01-01T00:00:00Z", "end": "2199-01-02T00:00:00Z"}, "an absence must end before the year 2199"),
        ({**NOW, "person": "<b>\u202e"}, "person: there is no '<b>'"),
        ({**NOW, "person": ["ana"]}, "person: must be a person's id"),
        ({**NOW, "cover": DIRECTOR}, f"cover: there is no '{DIRECTOR}'"),
        ({**NOW, "cover": "ana"}, "cover must be somebody else than the person who is absent"),
    ],
)
def test_what_is_no_absence(shared: House, part: Json, says: str) -> None:
    assert says in announced(shared, "ana", 400, **part)["error"]["errors"]


def test_each_is_in_the_audit_log(house: House) -> None:
    made = announced(house, **NOW, cover="ben")
    confirmed(house, made, "ben")
    withdrawn(house, made, "cho")
    withdrawn(house, announced(house, **LATER))
    with house.server.storage.read() as connection:
        rows = connection.execute(select(audit_log).where(audit_log.c.action.startswith("absence."))).all()
    assert [(row.actor, row.action) for row in rows] == [
        ("person:ana", "absence.create"), ("person:ben", "absence.confirm"), ("person:cho", "absence.end"),
        ("person:ana", "absence.create"), ("person:ana", "absence.delete")]  # fmt: skip
    assert (rows[1].before["confirmed_by"], rows[1].after["confirmed_by"]) == (None, "person:ben")
