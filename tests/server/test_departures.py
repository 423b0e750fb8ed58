"""Somebody leaves the team: what they had goes to whoever is on call, once, and nothing goes on paging them."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from sqlalchemy import select, update

from desktop.server import departed, handover_departures, handover_rows, links, schema, tokens
from desktop.server.api.common import Json
from desktop.server.replacing import NEEDS_FORCE
from tests.server.handing import MINUTE, PLACE, TEAM, Watch
from tests.server.house import Clock, House, assigned, last_paged, running_house, running_server

# Cho is primary, Ben secondary, Dora manager; Fay is in no rotation.
WITH_FAY = TEAM.replace('[[people]]\nid = "eve"', '[[people]]\nid = "fay"\nname = "Fay Lund"\n[[people]]\nid = "eve"')
WITHOUT_BEN = WITH_FAY.replace('[[people]]\nid = "ben"\nname = "Ben Okafor"\n', "").replace('"ben"', '"ana"')
WITHOUT_CHO = WITH_FAY.replace('[[people]]\nid = "cho"\nname = "Cho Lee"\n', "").replace('"cho"', '"ben"')

# What rows say no more of than another test does.
ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def house(database: str) -> Iterator[House]:
    with running_house(database, WITH_FAY) as alone:
        yield alone


def put(house: House, text: str, **query: str) -> requests.Response:
    headers = {"Content-Type": "application/toml"}
    return house.call("PUT", "/watchbell/v1/team", data=text.encode(), headers=headers, params=query)


def leaves(house: House, text: str = TEAM) -> Json:
    """Apply a team without somebody (Fay), and do what is due at once."""
    answer = put(house, text, force="true")
    assert answer.status_code == 200, answer.text
    house.tick()
    return dict(answer.json())


def given(house: House, key: str, *people: str, severity: str = "critical") -> Json:
    """Return an incident that was given to ``people`` alone."""
    house.enqueue(key=key, severity=severity)
    parts = [{"assignee": {"id": person, "type": "user_reference"}} for person in people]
    assert house.put(house.incident(key)["id"], person="dora", assignments=parts).status_code == 200
    return house.incident(key)


def acknowledge(house: House, key: str, person: str) -> None:
    assert house.put(house.incident(key)["id"], person=person, status="acknowledged").status_code == 200


def waits_for_more(house: House, key: str) -> bool:
    return bool(house.incident(key)["pending_actions"])


def test_what_was_given_to_somebody_who_leaves_is_paged_to_whoever_is_on_call(house: House) -> None:
    incident = given(house, "k", "fay")
    refused = put(house, TEAM)
    number = incident["incident_number"]
    says = f"incident {number} (db down) would be left with nobody: whoever is on call is paged for it"
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, NEEDS_FORCE)
    assert refused.json()["error"]["errors"] == [says]
    told = leaves(house)
    assert told["incident_changes"] == [
        {"id": incident["id"], "number": incident["incident_number"], "says": says}]  # fmt: skip
    assert (assigned(house.incident("k")), last_paged(house, incident["id"])) == (["cho"], ["cho"])
    left = [data for kind, data in house.history(incident["id"]) if kind == "left_team"]
    assert left == [{"left": ["fay"], "message": "Not in the team any more: Fay Lund."}]
    entries = house.get(f"/incidents/{incident['id']}/log_entries")["log_entries"]
    assert "left the team" in " ".join(entry["summary"] for entry in entries)


def test_what_had_been_given_to_who_left_escalates_like_any_other(house: House) -> None:
    given(house, "k", "fay")
    leaves(house)
    found = house.incident("k")
    assert (found["assigned_via"], len(found["pending_actions"])) == ("escalation_policy", 1)
    assert found["escalation_policy"]["summary"] == "SEV-0"
    had = []
    for _ in range(2):
        house.tick(15 * MINUTE)
        had.append(assigned(house.incident("k")))
    assert had == [["cho", "ben"], ["cho", "ben", "dora"]]


def test_reopened_what_was_given_to_who_left_meanwhile_goes_to_whoever_is_on_call(house: House) -> None:
    given(house, "k", "fay")
    house.enqueue("resolve", "k")
    leaves(house)
    house.enqueue(key="k")
    house.tick()
    found = house.incident("k")
    assert (assigned(found), last_paged(house, found["id"])) == (["cho"], ["cho"])
    assert found["assigned_via"] == "escalation_policy"


def test_what_escalated_to_nobody_else_begins_at_its_top(house: House) -> None:
    house.enqueue(key="k")
    # Cho, the primary, is alone with it.
    assert assigned(house.incident("k")) == ["cho"]
    leaves(house, WITHOUT_CHO)
    found = house.incident("k")
    assert (assigned(found), found["status"], waits_for_more(house, "k")) == (["ben"], "triggered", True)
    house.tick(60 * MINUTE)
    assert "cho" not in last_paged(house, found["id"])
    assert "dora" in assigned(house.incident("k"))


@ONE
def test_an_exhausted_one_pages_again(house: House) -> None:
    house.enqueue(key="k", severity="warning")
    for _ in range(18):
        house.tick(timedelta(hours=1))
    incident = house.incident("k")["id"]
    assert ("exhaust_escalation_path", {}) in house.history(incident)
    leaves(house, WITHOUT_BEN.replace('[[people]]\nid = "cho"\nname = "Cho Lee"\n', "").replace('"cho"', '"ana"'))
    assert "ben" not in assigned(house.incident("k"))
    house.tick(60 * MINUTE)
    assert "ana" in last_paged(house, incident)


@ONE
def test_others_keep_what_they_have(house: House) -> None:
    incident = given(house, "k", "fay", "ben")
    assert put(house, TEAM).json()["incident_changes"] == []
    house.tick()
    assert assigned(house.incident("k")) == ["ben"]
    house.tick(15 * MINUTE)
    assert last_paged(house, incident["id"]) == ["ben"]


@ONE
@pytest.mark.parametrize("directly", [True, False])
def test_the_acknowledgement_of_who_left_ends(house: House, directly: bool) -> None:
    if directly:
        given(house, "k", "ben", severity="warning")
    else:
        house.enqueue(key="k", severity="warning")
    acknowledge(house, "k", "fay")
    assert "would be triggered again" in put(house, TEAM).json()["error"]["errors"][0]
    leaves(house)
    found = house.incident("k")
    others = {"ben", "cho"} if directly else {"cho"}
    assert (found["status"], found["acknowledgements"], set(assigned(found))) == ("triggered", [], others)
    assert set(last_paged(house, found["id"])) == others
    kinds = [kind for kind, _ in house.history(found["id"])]
    assert "unacknowledge" in kinds
    house.tick(60 * MINUTE)
    assert others <= set(last_paged(house, found["id"]))


def test_the_acknowledgement_of_another_holds(house: House) -> None:
    house.enqueue(key="k", severity="warning")
    acknowledge(house, "k", "fay")
    acknowledge(house, "k", "ben")
    before = last_paged(house, house.incident("k")["id"])
    assert put(house, TEAM).status_code == 200
    house.tick()
    found = house.incident("k")
    assert (found["status"], [a["acknowledger"]["id"] for a in found["acknowledgements"]]) == ("acknowledged", ["ben"])
    assert last_paged(house, found["id"]) == before


@ONE
def test_who_was_asked_to_help_is_waited_for_no_longer(house: House) -> None:
    house.enqueue(key="k")
    incident = house.incident("k")["id"]
    target = {"responder_request_target": {"id": "fay", "type": "user_reference"}}
    body = {"requester_id": "cho", "message": "help", "responder_request_targets": [target]}
    assert house.call("POST", f"/incidents/{incident}/responder_requests", body, person="cho").status_code == 200
    leaves(house)
    found = house.incident("k")
    assert (found["incidents_responders"], assigned(found)) == ([], ["cho"])


@ONE
def test_nobody_on_call_is_no_end(house: House) -> None:
    given(house, "k", "fay")
    nobody = TEAM.partition("[rotation.primary]")[0] + '[[services]]\nid = "payments"\n'
    leaves(house, nobody)
    assert (assigned(house.incident("k")), waits_for_more(house, "k")) == ([], True)
    # All of its steps have passed: whoever comes on call is paged.
    leaves(house, TEAM)
    assert set(assigned(house.incident("k"))) == {"ben", "cho", "dora"}


def test_of_two_servers_one_does_it(house: House) -> None:
    incident = given(house, "k", "fay")
    assert put(house, TEAM, force="true").status_code == 200
    station = house.server.station
    with station.storage.read() as connection:
        ids = departed.had(connection)
    counts = [station.writer.run(lambda work: departed.relieve(station, work, ids)) for _ in range(2)]
    assert (ids, counts) == ([incident["id"]], [1, 0])
    assert [kind for kind, _ in house.history(incident["id"])].count("left_team") == 1


def test_a_server_finds_it_at_its_start(database: str) -> None:
    clock = Clock()
    with running_house(database, WITH_FAY, clock) as house:
        given(house, "k", "fay")
    with running_server(database, TEAM, clock) as server:
        server.engine.tick()
    with running_house(database, TEAM, clock) as house:
        assert assigned(house.incident("k")) == ["cho"]


def test_a_handover_goes_on_without_who_left(house: House) -> None:
    watch = Watch(house)
    watch.ask("cho", receiver={"id": "fay"})
    assert watch.offered() == ["fay"]
    page = watch.page("fay")["id"]
    leaves(house)
    watch.later()
    assert (house.get(f"/incidents/{page}")["incident"]["status"], watch.on_call()) == ("resolved", "cho")
    offers = {offer["user"]["id"]: offer["answer"] for offer in watch.shown()["offers"]}
    assert offers["fay"] == "no"
    assert watch.shown()["state"] == "paging"


def test_a_yes_of_who_left_moves_nothing(house: House) -> None:
    watch = Watch(house)
    watch.ask("cho", receiver={"id": "fay"}, auto_next=True)
    assert watch.do("fay", "accept")["state"] == "accepted"
    leaves(house)
    watch.later()
    assert (watch.shown()["state"], watch.offered(), watch.on_call()) == ("paging", ["fay", "ben"], "cho")
    house.enqueue(key="new")
    assert "fay" not in assigned(house.incident("new"))
    with house.server.storage.read() as connection:
        assert handover_departures.asked(connection) == []


def test_a_handover_that_makes_no_sense_keeps_nothing_else_from_being_done(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    watch = Watch(house)
    watch.ask("dora", kind="give", giver={"id": "ben"}, receiver={"id": "fay"})
    page = watch.page("fay")["id"]
    other = watch.ask("cho", receiver={"id": "fay"})["id"]
    given(house, "theirs", "fay")
    house.enqueue(key="k")
    incidents = schema.incidents
    with house.server.storage.write() as connection:
        progress = connection.execute(select(incidents.c.progress).where(incidents.c.id == page)).scalar_one()
        connection.execute(update(incidents).where(incidents.c.id == page).values(progress={}))
    leaves(house)
    assert "shift change delayed" in caplog.messages
    # Neither the other handover, nor what Fay had, nor what escalates, nor who takes over a role.
    assert [o["answer"] for o in house.get(f"{PLACE}/{other}")["handover"]["offers"]] == ["no"]
    assert assigned(house.incident("theirs")) == ["cho"]
    house.tick(15 * MINUTE)
    assert assigned(house.incident("k")) == ["cho", "ben"]
    watch.override("dora")
    house.tick()
    assert assigned(house.incident("k")) == ["cho", "ben", "dora"]
    with house.server.storage.write() as connection:
        connection.execute(update(incidents).where(incidents.c.id == page).values(progress=progress))
    house.tick(MINUTE)
    assert house.get(f"/incidents/{page}")["incident"]["status"] == "resolved"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_handover_that_another_server_has_in_hands_is_not_waited_for(house: House) -> None:
    watch = Watch(house)
    watch.ask("cho", receiver={"id": "fay"})
    with house.server.storage.write() as other:
        assert handover_rows.lock(other, watch.latest) is not None
        done = threading.Thread(target=house.server.engine.tick)
        with house.server.storage.engine.begin() as connection:
            connection.execute(update(schema.people).where(schema.people.c.id == "fay").values(active=False))
        house.server.engine.rotation_changed()
        done.start()
        done.join(5)
        assert not done.is_alive()
    assert watch.offered() == ["fay"]
    house.tick(timedelta(seconds=1))
    assert [o["answer"] for o in watch.shown()["offers"]] == ["no"]


@ONE
def test_a_handover_of_who_left_ends_and_somebody_is_on_call(house: House) -> None:
    watch = Watch(house)
    watch.ask("cho", receiver={"id": "ben"})
    leaves(house, WITHOUT_CHO)
    watch.later()
    assert watch.shown()["ended_at"] is not None
    assert watch.on_call() in {"ana", "ben"}


def test_what_let_them_in_does_not_come_back(house: House) -> None:
    calendar = house.call("POST", "/watchbell/v1/calendar_tokens", {}, person="fay").json()["calendar_token"]["url"]
    house.enqueue(key="k")
    station, now = house.server.station, house.clock()
    incident = house.incident("k")["id"]
    with station.storage.write() as connection:
        link = links.issue(connection, incident, "fay", "acknowledge", now, house.url)
    assert house.session.get(calendar, timeout=10).status_code == 200
    assert put(house, TEAM).status_code == 200
    states = {each.owner.id: each.state(now) for each in tokens.issued(house.database)}
    assert (states["fay"], states["cho"]) == ("revoked", "valid")
    assert put(house, WITH_FAY).status_code == 200
    assert house.call("GET", "/users/me", person="fay").status_code == 401
    assert house.session.get(calendar, timeout=10).status_code == 401
    with station.storage.read() as connection:
        found = links.find(connection, link.rpartition("/")[2])
    assert found is not None
    assert found.expired(now)
    audit = house.get("/watchbell/v1/audit")["audit"]
    assert {(line["action"], line["actor"]) for line in audit if line["action"].endswith(".revoke")} == {
        ("token.revoke", "person:ana"), ("link.revoke", "person:ana")}  # fmt: skip
