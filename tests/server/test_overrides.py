"""Overrides that people make: who may, what is refused, what they change at once, and that they last."""

from datetime import timedelta

import pytest

from desktop.domain.team import Override, Role
from desktop.server import overrides
from tests.server.house import DIRECTOR, MINUTE, START, TEAM, House, Json, assigned, running_house
from tests.server.listening import listening

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# The shift of START: Ana is primary, Ben secondary, until Monday the 12th.
NEXT_WEEK = START + 7 * DAY


def wanted(person: str, start: object = START, end: object = START + HOUR, **more: object) -> Json:
    start, end = (getattr(at, "isoformat", lambda at=at: at)() for at in (start, end))
    return {"start": start, "end": end, "user": {"id": person, "type": "user_reference"}, **more}


def post(house: House, *overrides: Json, person: str = "cho", role: str = "primary") -> list[Json]:
    answer = house.call("POST", f"/schedules/{role}/overrides", {"overrides": list(overrides)}, person=person)
    assert answer.status_code == 201, answer.text
    return list(answer.json())


def make(house: House, override: Json, person: str = "cho", role: str = "primary") -> str:
    (found,) = post(house, override, person=person, role=role)
    assert found["status"] == 201, found
    return str(found["override"]["id"])


def listed(house: House, role: str = "primary", **more: object) -> list[Json]:
    window = {"since": "2026-01-01T00:00:00Z", "until": "2026-12-31T00:00:00Z"}
    return list(house.get(f"/schedules/{role}/overrides", **{**window, **more})["overrides"])


def on_call(house: House, role: str = "primary") -> str | None:
    found = house.call("GET", f"/oncalls?schedule_ids[]={role}&escalation_policy_ids[]=sev0").json()["oncalls"]
    return str(found[0]["user"]["id"]) if found else None


def test_an_override_holds_at_once_and_only_for_its_time(house: House) -> None:
    (found,) = post(house, wanted("ben", reason="dentist"))
    assert found["override"]["start"] == "2026-01-07T18:00:00Z"
    assert found["override"]["user"]["summary"] == "Ben Okafor"
    assert found["override"]["watchbell"] == {
        "reason": "dentist",
        "origin": "application",
        "created_at": "2026-01-07T18:00:00Z",
        "created_by": "person:cho",
    }
    assert on_call(house) == "ben"
    assert on_call(house, "secondary") == "ana"
    house.clock.forward(HOUR)
    assert on_call(house) == "ana"


def test_the_one_made_last_wins_also_within_one_request(house: House) -> None:
    post(house, wanted("ben"), wanted("cho"))
    assert on_call(house) == "cho"
    make(house, wanted("ben"))
    assert on_call(house) == "ben"


def test_who_takes_over_a_paged_role_is_paged(house: House) -> None:
    house.enqueue(key="k")
    assert assigned(house.incident("k")) == ["ana"]
    make(house, wanted("cho"))
    house.tick()
    assert assigned(house.incident("k")) == ["ana", "cho"]


def test_every_client_hears_of_it(house: House) -> None:
    with listening(house.url, house.tokens["ben"]) as stream:
        stream.next()
        make(house, wanted("cho"))
        house.tick()
        event, _, data = stream.next()
        assert event == "oncalls"
        held = {(o["schedule"] or {}).get("id"): o["user"]["id"] for o in data["oncalls"]}
        assert held["primary"] == "cho"


# Where several servers can work on one database, they hear of it without waiting for the engine (test_many.py).
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_engine_takes_up_what_another_server_changed(house: House) -> None:
    with house.server.storage.write() as connection:
        overrides.add(connection, [Override(Role.PRIMARY, "cho", START, START + HOUR)], "person:cho", START)
    assert on_call(house) == "ana"
    house.tick()
    assert on_call(house) == "cho"


def test_one_for_a_role_without_a_rotation_makes_the_role(house: House) -> None:
    assert on_call(house, "shadow") is None
    make(house, wanted("ben"), role="shadow")
    assert house.server.station.roster.shifts(house.clock())["shadow"].person == "ben"  # type: ignore[index]


def test_engineers_change_their_own_shifts_only(house: House) -> None:
    make(house, wanted("ben"), person="ana")
    refused = [
        ("ben", "primary", wanted("cho", NEXT_WEEK - 5 * DAY, NEXT_WEEK - 5 * DAY + HOUR)),
        ("ana", "secondary", wanted("cho", START + 2 * HOUR, START + 3 * HOUR)),
        ("ana", "primary", wanted("ben", START + 2 * HOUR, NEXT_WEEK)),  # reaches into Ben's week
        ("ana", "shadow", wanted("ben", START + 2 * HOUR, START + 3 * HOUR)),  # nobody's
    ]
    for person, role, override in refused:
        body = {"overrides": [override]}
        answer = house.call("POST", f"/schedules/{role}/overrides", body, person=person)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, 2010), (person, role)
    assert len(listed(house)) == 1


def test_a_shift_given_away_is_not_ones_own_any_more(house: House) -> None:
    make(house, wanted("ben"), person="ana")
    body = {"overrides": [wanted("cho")]}
    assert house.call("POST", "/schedules/primary/overrides", body, person="ana").status_code == 403
    make(house, wanted("cho"), person="ben")
    assert on_call(house) == "cho"


def test_nothing_of_a_request_is_done_when_a_part_of_it_is_forbidden(house: House) -> None:
    body = {"overrides": [wanted("ben"), wanted("ben", NEXT_WEEK, NEXT_WEEK + 6 * DAY)]}
    assert house.call("POST", "/schedules/primary/overrides", body, person="ana").status_code == 403
    assert listed(house) == []


@pytest.mark.parametrize(
    ("override", "error"),
    [
        (wanted("ben", START, START), "Override must end after its start"),
        (wanted("ben", START - 2 * HOUR, START), "Override must end in the future"),
        (wanted("ben", START, START + 367 * DAY), "Override must not be longer than a year"),
        (wanted("ben", "2198-12-01T00:00Z", "2199-01-05T00:00Z"), "Override must end before the year 2199"),
        (wanted("ben", "tomorrow"), "start is no ISO 8601 time"),
        (wanted("ben", 7), "start is no ISO 8601 time"),
        (wanted("ben", START, "2026-13-01T00:00:00Z"), "end is no ISO 8601 time"),
        (wanted("dee"), "user: there is no 'dee'"),
        (wanted(DIRECTOR), f"user: there is no '{DIRECTOR}'"),
        ({"start": "2026-01-08T00:00:00Z", "end": "2026-01-09T00:00:00Z"}, "user has no id"),
        (wanted("ben", reason="x" * 501), "reason must be a text of at most 500 characters"),
    ],
)
def test_what_is_wrong_with_one_is_said_and_the_others_are_made(shared: House, override: Json, error: str) -> None:
    before = len(listed(shared))
    bad, good = post(shared, override, wanted("ben", NEXT_WEEK, NEXT_WEEK + MINUTE))
    assert (bad["status"], bad["errors"]) == (400, [error])
    assert bad["override"] == override
    assert good["status"] == 201
    assert len(listed(shared)) == before + 1


@pytest.mark.parametrize(
    "body", [{}, {"overrides": []}, {"overrides": {}}, {"overrides": [3]}, [], {"overrides": [{}] * 251}]
)
def test_a_body_that_makes_no_sense_is_refused(shared: House, body: object) -> None:
    answer = shared.call("POST", "/schedules/primary/overrides", body, person="cho")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2001)


def test_the_older_form_with_one_override(house: House) -> None:
    answer = house.call("POST", "/schedules/primary/overrides", {"override": wanted("ben")}, person="cho")
    assert (answer.status_code, answer.json()["override"]["user"]["id"]) == (201, "ben")
    answer = house.call("POST", "/schedules/primary/overrides", {"override": wanted("dee")}, person="cho")
    assert (answer.status_code, answer.json()["error"]["errors"]) == (400, ["user: there is no 'dee'"])


def test_the_past_is_not_rewritten(house: House) -> None:
    (found,) = post(house, wanted("ben", START - DAY, START + HOUR))
    assert found["override"]["start"] == "2026-01-07T18:00:00Z"


@pytest.mark.parametrize("schedule", ["nobody", "Primary", DIRECTOR])
def test_there_are_schedules_for_roles_only(shared: House, schedule: str) -> None:
    window = "since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z"
    assert shared.call("GET", f"/schedules/{schedule}/overrides?{window}").status_code == 404
    body = {"overrides": [wanted("ben")]}
    assert shared.call("POST", f"/schedules/{schedule}/overrides", body, person="cho").status_code == 404
    assert shared.call("DELETE", f"/schedules/{schedule}/overrides/Q1", person="cho").status_code == 404


def test_one_that_has_not_begun_is_deleted(house: House) -> None:
    name = make(house, wanted("ben", START + HOUR, START + 2 * HOUR))
    answer = house.call("DELETE", f"/schedules/primary/overrides/{name}", person="cho")
    assert (answer.status_code, answer.content) == (204, b"")
    assert listed(house) == []
    assert house.call("DELETE", f"/schedules/primary/overrides/{name}", person="cho").status_code == 404


def test_one_that_has_begun_ends_now(house: House) -> None:
    name = make(house, wanted("ben"))
    house.clock.forward(MINUTE)
    answer = house.call("DELETE", f"/schedules/primary/overrides/{name}", person="cho")
    assert (answer.status_code, answer.json()["override"]["end"]) == (200, "2026-01-07T18:01:00Z")
    assert on_call(house) == "ana"
    assert [o["end"] for o in listed(house)] == ["2026-01-07T18:01:00Z"]


def test_one_that_is_past_stays(house: House) -> None:
    name = make(house, wanted("ben"))
    house.clock.forward(HOUR)
    answer = house.call("DELETE", f"/schedules/primary/overrides/{name}", person="cho")
    assert (answer.status_code, answer.json()["error"]["errors"]) == (
        400,
        ["an override that is past cannot be removed"],
    )
    assert len(listed(house)) == 1


def test_an_engineer_takes_back_what_they_made_and_nothing_else(house: House) -> None:
    later = [wanted("ben", START + n * HOUR, START + (n + 1) * HOUR) for n in (1, 2)]
    first, second = (make(house, override, person="ana") for override in later)
    managers = make(house, wanted("ben", START + 3 * HOUR, START + 4 * HOUR))
    path = "/schedules/primary/overrides/"
    # Ana counts on Ben, and so does Cho, also where nobody asked him: he has it until somebody says yes to it.
    for name in (second, managers):
        answer = house.call("DELETE", path + name, person="ben")
        assert (answer.status_code, "hand the watch over" in answer.json()["error"]["errors"][0]) == (403, True)
    assert house.call("DELETE", path + first, person="ana").status_code == 204
    assert house.call("DELETE", path + second, person="cho").status_code == 204
    assert [o["id"] for o in listed(house)] == [managers]


def test_it_is_found_in_its_own_schedule_only(house: House) -> None:
    name = make(house, wanted("ben", START + HOUR, START + 2 * HOUR))
    assert house.call("DELETE", f"/schedules/secondary/overrides/{name}", person="cho").status_code == 404
    assert listed(house, "secondary") == []


def test_the_list_is_cut_to_its_window(house: House) -> None:
    make(house, wanted("ben", START + HOUR, START + 3 * HOUR))
    window = {"since": "2026-01-07T20:00:00Z", "until": "2026-01-07T20:30:00Z"}
    (cut,) = listed(house, **window)
    assert (cut["start"], cut["end"]) == ("2026-01-07T20:00:00Z", "2026-01-07T20:30:00Z")
    (whole,) = listed(house, **window, overflow="true")
    assert (whole["start"], whole["end"]) == ("2026-01-07T19:00:00Z", "2026-01-07T21:00:00Z")
    assert listed(house, since="2026-01-07T21:00:00Z", until="2026-01-07T22:00:00Z") == []


@pytest.mark.parametrize(
    "query",
    ["", "since=2026-01-01T00:00:00Z", "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "since=x&until=y"],
)
def test_a_list_needs_its_window(shared: House, query: str) -> None:
    assert shared.call("GET", f"/schedules/primary/overrides?{query}").status_code == 400


FILED = (
    TEAM
    + """
[[overrides]]
role = "primary"
person = "cho"
start = 2026-01-07T10:00:00
end = 2026-01-07T12:00:00
"""
)


def test_those_of_the_team_file_are_shown_but_changed_there(database: str) -> None:
    with running_house(database, FILED) as house:
        assert on_call(house) == "cho"
        (filed,) = listed(house)
        assert (filed["id"], filed["watchbell"]["origin"]) == ("file-1", "file")
        assert listed(house, editable="true") == []
        answer = house.call("DELETE", "/schedules/primary/overrides/file-1", person="cho")
        assert (answer.status_code, "team file" in answer.json()["error"]["errors"][0]) == (403, True)
        name = make(house, wanted("ben"))
        assert on_call(house) == "ben"
        assert [o["id"] for o in listed(house, editable="true")] == [name]


def test_they_outlast_restarts_and_new_team_files(database: str) -> None:
    with running_house(database) as house:
        name = make(house, wanted("ben"))
    with running_house(database, TEAM.replace("Nightly batch", "Batch")) as house:
        assert [o["id"] for o in listed(house)] == [name]
        assert on_call(house) == "ben"


def test_one_for_somebody_who_left_does_not_hold(database: str) -> None:
    with running_house(database) as house:
        make(house, wanted("cho"))
    smaller = TEAM.replace('[[people]]\nid = "cho"\nname = "Cho Lee"\naccess = "manager"\n', "").replace("cho", "ben")
    with running_house(database, smaller) as house:
        assert on_call(house) == "ana"
        assert [o["user"]["summary"] for o in listed(house)] == ["Cho Lee"]
    with running_house(database) as house:
        assert on_call(house) == "cho"
