"""The emergency handover on the server, from the request to the end: at every instant exactly one person has the watch.

Cho has the watch, Ben is secondary, Ana had it last week, Dora is the manager (the team of ``tests.server.handing``).
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import select, update

from desktop.domain.errors import StorageError
from desktop.domain.handover import next_action
from desktop.domain.handover_actions import AddNote
from desktop.domain.handover_facts import Handover
from desktop.server import handing_on, handling, handover_rows, handovers, incidents, schema
from desktop.server.records import Draft
from desktop.server.station import Station
from desktop.server.tables import handovers as tables
from tests.server.handing import GRANTED, MINUTE, PLACE, TEAM, Watch, anew
from tests.server.house import House, running_house
from tests.server.listening import listening


@pytest.fixture(scope="module")
def lasting(shared_database: str) -> Iterator[House]:
    with running_house(shared_database, TEAM) as house:
        house.get("/users/me")
        yield house


@pytest.fixture
def watch(lasting: House) -> Watch:
    return anew(lasting)


def test_what_somebody_resolved_meanwhile_is_not_handed_on(watch: Watch) -> None:
    incident = watch.incident("over")
    watch.house.put(incident, person="cho", status="resolved")
    station = watch.house.server.station
    with station.storage.read() as connection:
        record = incidents.find(station, connection, incident)
    draft = Draft(record, record)
    handing_on.hand_on(draft, station.moment(), "cho", "ben", "H1")
    assert not draft.touched


def test_a_whole_handover(watch: Watch) -> None:
    open_one = watch.incident("open")
    taken = watch.incident("taken")
    assert watch.house.put(taken, person="cho", status="acknowledged").status_code == 200
    asked = watch.ask("cho")
    assert (asked["state"], watch.on_call()) == ("paging", "cho")
    assert [(o["user"]["id"], o["answer"]) for o in asked["offers"]] == [("ben", None)]
    assert (asked["waits_for"]["what"], asked["waits_for"]["until"]) == ("answer", watch.at(5 * MINUTE))
    assert [i["id"] for i in asked["briefing"]["incidents"]] == [open_one, taken]
    page = watch.page("ben")
    assert (page["priority"]["id"], watch.assigned(page["id"]), page["assigned_via"]) == (
        "sev0", ["ben"], "direct_assignment")  # fmt: skip
    # Acknowledging the page is not accepting.
    watch.house.put(page["id"], person="ben", status="acknowledged")
    assert (watch.shown()["state"], watch.shown()["offers"][0]["acknowledged_at"]) == ("paging", watch.at())
    said = watch.do("ben", "accept")
    assert (said["state"], watch.on_call(), said["receiver"]["id"]) == ("accepted", "cho", "ben")
    assert (watch.page("ben")["status"], said["waits_for"]["points"]) == ("resolved", ["briefing", "access"])
    assert watch.do("ben", "confirm", point="briefing")["state"] == "accepted"
    assert watch.on_call() == "cho"
    done = watch.do("ben", "confirm", point="access")
    assert (done["state"], watch.on_call(), done["read_back_at"]) == ("done", "ben", watch.at())
    assert {kind: len(ids) for kind, ids in done["made"].items()} == {
        "override": 1, "absence": 1, "note": 2, "delegation": 2}  # fmt: skip
    assert [(n["about"], [p["id"] for p in n["people"]]) for n in done["notices"]] == [
        ("accepted", ["cho", "ben"]), ("done", ["cho", "ben", "dora"])]  # fmt: skip
    for incident in (open_one, taken):
        found = watch.house.get(f"/incidents/{incident}")["incident"]
        assert (found["status"], watch.assigned(incident), found["assigned_via"]) == (
            "triggered", ["ben"], "escalation_policy")  # fmt: skip
        (note,) = watch.house.get(f"/incidents/{incident}/notes")["notes"]
        assert done["id"] in note["content"]
    # It escalates as before: Ana covers as secondary now.
    watch.later(15 * MINUTE)
    assert watch.assigned(open_one) == ["ben", "ana"]
    # Cho counts as absent until the watch ends; then the rotation goes on.
    watch.later(timedelta(days=5))
    assert watch.on_call() == "ben"


def test_many_incidents_change_hands_a_few_at_a_time(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = [watch.incident(f"storm-{number}") for number in range(23)]
    watch.ask("cho")
    watch.do("ben", "accept")
    watch.do("ben", "confirm", point="briefing")
    read, facts = [], handover_rows.facts

    def noted(*given: Any) -> Handover:
        read.append(given)
        return facts(*given)

    monkeypatch.setattr(handover_rows, "facts", noted)
    done = watch.do("ben", "confirm", point="access")
    assert done["state"] == "done"
    assert {kind: len(ids) for kind, ids in done["made"].items()} == {
        "override": 1, "absence": 1, "note": 23, "delegation": 23}  # fmt: skip
    assert {tuple(watch.assigned(incident)) for incident in mine} == {("ben",)}
    # One reading for each incident would take as long, for each, as there are incidents.
    assert len(read) <= len(mine)


def test_what_was_given_to_others_since_it_was_read_is_not_handed_on(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, given = watch.incident("mine"), watch.incident("given")
    watch.ask("cho")
    watch.do("ben", "accept")
    watch.do("ben", "confirm", point="briefing")
    watch.house.put(given, person="cho", assignments=[{"assignee": {"id": "dora", "type": "user_reference"}}])
    read: list[Handover] = []
    facts = handover_rows.facts

    def outdated(*asked: Any) -> Handover:
        found = facts(*asked)
        # As another server's commit a moment later makes it, once: when it is about to move what it read of.
        if read or not isinstance(next_action(found, watch.house.server.station.clock()), AddNote):
            return found
        read.append(found)
        return replace(found, incidents=(*found.incidents, replace(found.incidents[0], id=given)))

    monkeypatch.setattr(handover_rows, "facts", outdated)
    done = watch.do("ben", "confirm", point="access")
    assert read
    assert (done["state"], watch.assigned(mine), watch.assigned(given)) == ("done", ["ben"], ["dora"])
    assert done["made"]["delegation"] == done["made"]["note"] == [mine]


def test_in_between_both_are_paged_for_what_is_new(watch: Watch) -> None:
    before = watch.incident("before")
    watch.ask("cho")
    watch.do("ben", "accept")
    watch.later()
    assert (sorted(watch.assigned(watch.incident("meanwhile"))), watch.assigned(before)) == (["ben", "cho"], ["cho"])
    watch.do("dora", "waive", point="briefing")
    done = watch.do("ben", "confirm", point="access")
    assert {c["point"]: (c["by"]["id"], c["waived"]) for c in done["confirmations"]} == {
        "briefing": ("dora", True), "access": ("ben", False)}  # fmt: skip
    assert watch.assigned(watch.incident("after")) == ["ben"]


def test_whoever_is_secondary_by_it_stays_on_what_reached_the_secondary(watch: Watch) -> None:
    first, reached, taken = watch.incident("first"), watch.incident("reached"), watch.incident("taken")
    for incident in (reached, taken):
        watch.house.put(incident, person="cho", escalation_level=2)
    watch.house.put(taken, person="cho", status="acknowledged")
    watch.ask("cho", stays_available=True)
    done = watch.do("ben", "accept", points=["briefing", "access"])
    assert (done["state"], watch.on_call(), watch.on_call("secondary")) == ("done", "ben", "cho")
    assert [sorted(watch.assigned(incident)) for incident in (first, reached, taken)] == [
        ["ben"], ["ben", "cho"], ["ben", "cho"]]  # fmt: skip
    # That Cho had it was said as the primary: it pages both of them again.
    assert watch.house.get(f"/incidents/{taken}")["incident"]["status"] == "triggered"
    watch.later()
    assert [sorted(watch.assigned(incident)) for incident in (first, reached)] == [["ben"], ["ben", "cho"]]
    assert handed(watch, reached) == ["cho stays"]
    # The review asks nothing more of Cho where it was given on, and goes on asking where they stayed.
    end = watch.house.clock() + MINUTE
    with watch.house.server.storage.read() as connection:
        asked = {i.id: {p.person: p.released for p in i.pages} for i in handling.handled(connection, watch.began, end)}
    assert (asked[first]["cho"] is None, asked[reached]["cho"]) == (False, None)


def test_what_was_given_away_and_comes_back_with_another_role_is_not_given_away_again(watch: Watch) -> None:
    """Cho is away by the handover, is put on call as secondary while it still goes on, and is paged as that."""
    incident = watch.incident("reached")
    watch.house.put(incident, person="cho", escalation_level=2)
    watch.ask("cho")
    watch.do("ben", "accept", points=["briefing", "access"])
    assert (watch.assigned(incident), handed(watch, incident)) == (["ben"], ["cho"])
    still_open(watch)
    watch.override("cho", role="secondary")
    watch.house.server.engine.tick()
    assert watch.assigned(incident) == ["ben", "cho"]
    watch.later()
    assert (watch.shown()["state"], watch.assigned(incident), handed(watch, incident)) == (
        "done", ["ben", "cho"], ["cho"])  # fmt: skip


def test_nothing_goes_back_and_forth_between_two_handovers(watch: Watch) -> None:
    """Cho gives the watch to Ben, who gives it back while the first handover still goes on."""
    incident = watch.incident("open")
    watch.ask("cho", stays_available=True)
    watch.do("ben", "accept", points=["briefing", "access"])
    still_open(watch)
    watch.ask("ben", receiver={"id": "cho"}, stays_available=True)
    watch.do("cho", "accept", points=["briefing", "access"])
    for _ in range(3):
        watch.later()
    assert (watch.on_call(), watch.assigned(incident), handed(watch, incident)) == ("cho", ["cho"], ["cho", "ben"])


def handed(watch: Watch, incident: str) -> list[str]:
    """Return whose each handover of an incident was, and whether they stayed on it."""
    log = schema.log_entries.c
    with watch.house.server.storage.read() as connection:
        lines = connection.execute(select(log.data).where(log.incident_id == incident).order_by(log.id)).scalars()
        return [line["giver"] + " stays" * line.get("stays", False) for line in lines if "handover" in line]


def still_open(watch: Watch) -> None:
    """Let the latest handover not have come to its end yet."""
    row, now = tables.handovers.c, watch.house.clock()
    values = {"ended_as": None, "ended_at": None, "read_at": None, "next_action_at": now}
    with watch.house.server.storage.write() as connection:
        connection.execute(update(tables.handovers).where(row.id == watch.latest).values(values))


def test_declined_it_goes_to_the_next_until_nobody_is_left(watch: Watch) -> None:
    watch.ask("cho")
    assert watch.offered(watch.do("ben", "decline")) == ["ben", "ana"]
    assert watch.page("ben")["status"] == "resolved"
    assert watch.offered(watch.do("ana", "decline")) == ["ben", "ana", "dora"]
    over = watch.do("dora", "decline")
    assert (over["state"], watch.on_call(), over["next_candidate"]) == ("declined", "cho", None)
    assert [n["about"] for n in over["notices"]] == ["declined"]
    assert watch.refused("ben", "accept") == 409


def test_the_first_of_two_yeses_wins(watch: Watch) -> None:
    watch.ask("cho")
    watch.later(5 * MINUTE - timedelta(seconds=1))
    assert watch.offered() == ["ben"]
    watch.later(timedelta(seconds=1))
    assert watch.offered() == ["ben", "ana"]
    assert watch.do("ana", "accept")["receiver"]["id"] == "ana"
    assert {watch.page(p)["status"] for p in ("ben", "ana")} == {"resolved"}
    assert watch.refused("ben", "accept") == 409
    # Said twice it is one yes, with which both points are confirmed now.
    assert (watch.do("ana", "accept", points=["briefing", "access"])["state"], watch.on_call()) == ("done", "ana")
    assert watch.refused("ben", "accept") == 409


def test_a_yes_that_is_not_confirmed_is_reminded_of_and_the_next_is_asked(watch: Watch) -> None:
    watch.ask("cho")
    watch.do("ben", "accept")
    watch.later(5 * MINUTE)
    found = watch.shown()
    assert (found["state"], watch.offered(), watch.on_call()) == ("accepted", ["ben", "ana"], "cho")
    assert [(n["kind"], [p["id"] for p in n["people"]]) for n in found["notices"]] == [
        ("tell", ["cho", "ben"]), ("remind", ["ben", "cho", "dora"])]  # fmt: skip
    watch.do("ana", "accept", points=["briefing", "access"])
    assert (watch.shown()["state"], watch.on_call()) == ("done", "ana")


def test_an_hour_without_an_answer_is_the_end(watch: Watch) -> None:
    watch.ask("cho")
    for _ in range(3):
        watch.later(5 * MINUTE)
    assert watch.offered() == ["ben", "ana", "dora"]
    watch.later(54 * MINUTE)
    assert watch.shown()["state"] == "paging"
    watch.later(MINUTE)
    assert (watch.shown()["state"], watch.on_call(), watch.page("ana")["status"]) == ("expired", "cho", "resolved")
    assert watch.refused("ben", "accept") == 409


def test_it_can_be_called_off_until_somebody_says_yes(watch: Watch) -> None:
    watch.ask("cho")
    over = watch.do("cho", "cancel")
    assert (over["state"], watch.page("ben")["status"], watch.on_call()) == ("cancelled", "resolved", "cho")
    assert watch.do("cho", "cancel") == over
    assert watch.refused("ben", "accept") == 409
    watch.ask("cho")
    watch.do("ben", "accept")
    assert watch.refused("cho", "cancel") == 409


def test_the_asker_decides_who_is_next(watch: Watch) -> None:
    watch.ask("cho", auto_next=False)
    watch.later(5 * MINUTE)
    found = watch.shown()
    assert (watch.offered(), found["waits_for"]["asks"]["about"]["id"]) == (["ben"], "ana")
    assert [(n["kind"], n["people"][0]["id"]) for n in found["notices"]] == [("ask", "cho")]
    assert watch.offered(watch.do("cho", "next", user={"id": "dora"})) == ["ben", "dora"]
    assert watch.offered(watch.do("cho", "next")) == ["ben", "dora", "ana"]
    assert watch.refused("cho", "next") == 409


def test_whoever_fainted_is_relieved_by_somebody_certified(watch: Watch) -> None:
    incident = watch.incident("k")
    watch.ask("cho")
    assert watch.answer("eve", kind="take", giver={"id": "cho"}, reason="fainted").status_code == 403
    taken = watch.ask("ana", kind="take", giver={"id": "cho"}, reason="fainted")
    assert (taken["state"], watch.on_call(), taken["receiver"]["id"]) == ("accepted", "cho", "ana")
    watch.do("ana", "waive", point="briefing")
    done = watch.do("ana", "confirm", point="access")
    assert (done["state"], watch.on_call(), watch.assigned(incident)) == ("done", "ana", ["ana"])
    # What Cho had begun herself finds nothing left to hand over.
    watch.later()
    found = watch.house.get("/watchbell/v1/handovers")["handovers"]
    assert {h["asker"]["id"]: h["state"] for h in found} == {"cho": "expired", "ana": "done"}
    assert watch.house.get("/watchbell/v1/handovers", ended="false")["handovers"] == []


def test_a_manager_gives_and_whose_watch_it_is_is_told(watch: Watch) -> None:
    given = watch.ask("dora", kind="give", giver={"id": "cho"}, receiver={"id": "ana"}, reason="she is ill")
    assert (watch.offered(given), given["notices"][0]["people"][0]["id"]) == (["ana"], "cho")
    assert "she is ill" in given["notices"][0]["text"]


def test_nothing_is_left_when_the_watch_ends_before_it_is_confirmed(watch: Watch) -> None:
    watch.later(timedelta(days=4, hours=14, minutes=50))
    watch.ask("cho")
    watch.do("ben", "accept")
    watch.later(10 * MINUTE)
    over = watch.shown()
    assert (over["state"], watch.on_call(), over["made"]) == ("nothing left", "ben", {})


def test_the_same_request_is_one_handover(watch: Watch) -> None:
    first = watch.answer("cho", reason="a fever")
    again = watch.answer("cho", reason="a fever, still")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["handover"]["id"] == first.json()["handover"]["id"]
    other = watch.answer("dora", kind="give", giver={"id": "cho"}, reason="she is ill")
    assert (other.status_code, first.json()["handover"]["id"] in other.text) == (409, True)
    watch.do("cho", "cancel", of=first.json()["handover"]["id"])
    keyed = [watch.answer("cho", key="k1", reason="a fever") for _ in range(2)]
    assert [a.status_code for a in keyed] == [201, 200]
    watch.do("cho", "cancel", of=keyed[0].json()["handover"]["id"])
    late = watch.answer("cho", key="k1", reason="a fever")
    assert (late.status_code, late.json()["handover"]["state"]) == (200, "cancelled")


def test_what_cannot_be_asked_for(watch: Watch) -> None:
    assert watch.answer("ben", reason="x", receiver={"id": "ana"}).status_code == 201
    assert watch.answer("ana", reason="x").status_code == 409
    assert watch.answer("cho", reason=" ").status_code == 400
    assert watch.answer("cho", reason="x", receiver={"id": "cho"}).status_code == 409
    assert watch.answer("cho", reason="x", receiver={"id": "zoe"}).status_code == 400
    assert watch.answer("ben", kind="give", giver={"id": "cho"}, reason="x").status_code == 403
    assert watch.house.call("GET", "/watchbell/v1/handovers/H1").status_code == 404
    assert watch.house.call("POST", "/watchbell/v1/handovers/H1/accept", {}).status_code == 404


def test_the_page_that_offers_a_watch_is_nobody_elses_to_take(watch: Watch) -> None:
    watch.ask("cho")
    page = watch.page("ben")["id"]
    watch.ask("ben", receiver={"id": "ana"})
    assert watch.do("ana", "accept", points=["briefing", "access"])["state"] == "done"
    assert (watch.on_call("secondary"), watch.assigned(page)) == ("ana", ["ben"])


def test_who_may_confirm_and_waive(watch: Watch) -> None:
    watch.ask("cho")
    assert watch.say("ben", "confirm", point="access").status_code == 409
    watch.do("ben", "accept")
    assert [watch.say(who, "confirm", point="access").status_code for who in ("cho", "eve", "dora")] == [403] * 3
    assert watch.say("eve", "waive", point="access").status_code == 403
    assert watch.say("ben", "confirm", point="all").status_code == 400
    assert watch.say("cho", "waive", point="access").status_code == 200
    assert watch.on_call() == "cho"


def test_another_schedule_may_leave_nothing_to_hand_over(watch: Watch) -> None:
    watch.ask("cho")
    watch.override("dora")
    watch.later()
    assert (watch.shown()["state"], watch.on_call(), watch.page("ben")["status"]) == ("expired", "dora", "resolved")


def test_who_is_away_in_it_leaves_a_part_out(watch: Watch) -> None:
    watch.override("ben", role="secondary", start=timedelta(days=9), end=timedelta(days=10))
    watch.absent("ben", timedelta(days=1), timedelta(days=2))
    watch.ask("cho")
    (part,) = watch.do("ben", "accept")["left_out"]
    assert (part["start"], part["end"]) == (watch.at(timedelta(days=1)), watch.at(timedelta(days=2)))
    watch.do("ben", "confirm", point="briefing")
    done = watch.do("ben", "confirm", point="access")
    assert (done["state"], len(done["made"]["override"])) == ("done", 2)
    assert f"Not from {watch.at(timedelta(days=1))}" in done["notices"][-1]["text"]
    assert watch.on_call() == "ben"
    watch.later(timedelta(days=1, hours=1))
    assert watch.on_call() == "cho"
    watch.later(timedelta(days=1))
    assert watch.on_call() == "ben"


def test_what_fell_due_while_nobody_ran_is_worked_off_at_the_start(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_house(database, TEAM) as house:
        watch = Watch(house)
        watch.ask("cho")
        house.clock.forward(5 * MINUTE)
        keeper, writer, carried, released = house.server.watchkeeper, house.server.writer, Event(), Event()
        tick = keeper.tick

        def whole() -> int:
            done = tick()
            carried.set()
            return done

        monkeypatch.setattr(keeper, "tick", whole)
        busy = Thread(target=lambda: writer.run(lambda _work: released.wait(20)))
        busy.start()
        # However long that takes, it keeps no server from beginning to listen.
        keeper.start()
        assert not carried.is_set()
        released.set()
        busy.join()
        assert carried.wait(20)
        assert watch.offered() == ["ben", "ana"]


def test_one_that_cannot_be_carried_on_holds_up_no_other(database: str, caplog: pytest.LogCaptureFixture) -> None:
    with running_house(database, TEAM) as house:
        watch = Watch(house)
        broken = watch.ask("ben", receiver={"id": "ana"})["id"]
        with house.server.storage.write() as connection:
            connection.execute(update(tables.handovers).where(tables.handovers.c.id == broken).values(role="king"))
        watch.ask("cho")
        watch.later(5 * MINUTE)
        assert watch.offered() == ["ben", "ana"]
        with listening(house.url, house.tokens["ben"]) as listener:
            assert [h["id"] for h in listener.next()[2]["handovers"]] == [watch.latest]
        listed = house.get(PLACE)
        assert ([h["id"] for h in listed["handovers"]], listed["left_out"]) == ([watch.latest], 1)
        for answer in (house.call("GET", f"{PLACE}/{broken}"), watch.say("ana", "accept", broken)):
            assert (answer.status_code, "no sense" in answer.text) == (409, True)
    assert "a handover cannot be shown" in caplog.messages
    assert "a handover cannot be carried on" in caplog.messages


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_one_that_another_server_has_in_hands_holds_up_nothing_and_is_looked_at_after(database: str) -> None:
    with running_house(database, TEAM) as house:
        watch = Watch(house)
        watch.ask("cho")
        house.clock.forward(5 * MINUTE)
        keeper = house.server.watchkeeper
        with house.server.storage.write() as other:
            assert handover_rows.lock(other, watch.latest) is not None
            done = Thread(target=keeper.tick)
            done.start()
            done.join(5)
            assert not done.is_alive()
            assert watch.offered() == ["ben"]
        keeper.tick()
        assert watch.offered() == ["ben", "ana"]


def test_a_database_that_fails_at_one_holds_up_no_other_and_all_are_looked_at_again(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keeper, real, seen = watch.house.server.watchkeeper, handovers.look_again, list[str]()
    first, second = watch.ask("ben", receiver={"id": "ana"})["id"], watch.ask("cho")["id"]
    watch.later(5 * MINUTE)
    assert watch.offered() == ["ben", "ana"]

    def unlucky(station: Station, handover: str) -> bool:
        seen.append(handover)
        # Both are due at the same instant, and come in either order; looked at, this one ends, since it waited so long.
        if seen.count(first) == 1 and handover == first:
            raise StorageError("the disk is full")
        return real(station, handover)

    monkeypatch.setattr("desktop.server.watchkeeper.handovers.look_again", unlucky)
    # Somebody else's shift: both are looked at, though neither is due, and so is what escalated past the primary.
    watch.override("dora", "secondary")
    watch.incident("past")
    watch.house.tick(15 * MINUTE)
    with watch.house.server.storage.write() as connection:
        connection.execute(update(tables.handovers).values(next_action_at=watch.house.clock() + MINUTE))
    keeper.tick()
    assert sorted(seen) == sorted((first, second))
    assert "handovers delayed" in caplog.messages
    assert past(watch) == [None]
    seen.append("again")
    keeper.tick()
    assert sorted(seen[3:]) == sorted((first, second))
    keeper.tick()
    assert len(seen) == 5


def test_what_escalated_past_somebody_is_looked_into_while_no_handover_can_be_read(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(_station: Station, *, all_open: bool) -> list[str]:
        raise RuntimeError(all_open)

    watch.incident("past")
    watch.house.tick(15 * MINUTE)
    assert past(watch) != [None]
    monkeypatch.setattr("desktop.server.watchkeeper.handovers.due", unreadable)
    watch.house.server.watchkeeper.tick()
    assert past(watch) == [None]


def past(watch: Watch) -> list[datetime | None]:
    """Return when to look into what escalated past somebody; None where that was done."""
    with watch.house.server.storage.read() as connection:
        return list(connection.execute(select(tables.passes.c.next_action_at)).scalars())


def test_whoever_said_yes_does_not_give_the_watch_back_alone(watch: Watch) -> None:
    watch.ask("cho", stays_available=True)
    watch.do("ben", "accept", points=["briefing", "access"])
    assert (watch.shown()["state"], watch.on_call()) == ("done", "ben")
    times = {"since": watch.at(), "until": watch.at(MINUTE)}
    (kept,) = watch.house.get("/schedules/primary/overrides", **times)["overrides"]
    path = f"/schedules/primary/overrides/{kept['id']}"
    for who in ("ben", "cho"):
        assert watch.house.call("DELETE", path, person=who).status_code == 403
    assert watch.on_call() == "ben"
    assert watch.house.call("DELETE", path, person="dora").ok
    assert watch.on_call() == "cho"


def test_every_change_reaches_the_streams_whole(database: str) -> None:
    with running_house(database, TEAM) as house:
        _stream(Watch(house))


def _stream(watch: Watch) -> None:
    house = watch.house
    house.tick()
    with listening(house.url, house.tokens["ben"]) as listener:
        assert listener.next()[2]["handovers"] == []
        asked = watch.ask("cho")
        while (event := listener.next())[::2] != ("handover", asked):
            pass
        watch.do("ben", "accept", points=["briefing", "access"])
        versions = [event[2]["version"]]
        while event[0] != "handover" or event[2] != watch.shown():
            event = listener.next()
            versions += [event[2]["version"]] if event[0] == "handover" else []
        assert (event[2]["state"], versions) == ("done", sorted(versions))
    with listening(house.url, house.tokens["ben"]) as listener:
        assert listener.next()[2]["handovers"] == []


def test_what_people_do_is_in_the_audit_log(watch: Watch) -> None:
    handover = watch.ask("cho")["id"]
    watch.do("ben", "accept", points=["briefing"])
    watch.do("dora", "waive", point="access")
    lines = [line for line in watch.audit() if line["target"] == f"handover:{handover}"]
    assert [(line["actor"], line["action"]) for line in lines] == [
        ("person:cho", "handover.request"),
        ("person:ben", "handover.accept"),
        ("person:dora", "handover.waive"),
        ("engine", "handover.close"),
    ]
    assert lines[1]["after"] == {"answers": {"ben": "yes"}, "points": ["briefing"]}
    made = [line["action"] for line in watch.audit() if line["actor"] == "engine"]
    assert made == ["override.create", "absence.create", "handover.close"]


@pytest.mark.parametrize(("method", "path"), GRANTED)
def test_without_a_token_there_is_nothing(watch: Watch, method: str, path: str) -> None:
    assert watch.house.call(method, path, {}, person="").status_code == 401
