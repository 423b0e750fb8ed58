"""The acting primary: offered to whoever acknowledges what escalated past a silent primary, until they are back."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.server.handing import MINUTE, TEAM, Watch, anew
from tests.server.house import House, Json, running_house
from tests.server.listening import listening

PLACE = "/watchbell/v1/acting"


@pytest.fixture(scope="module")
def lasting(shared_database: str) -> Iterator[House]:
    with running_house(shared_database, TEAM) as house:
        house.get("/users/me")
        yield house


@pytest.fixture
def watch(lasting: House) -> Watch:
    return anew(lasting)


def shown(watch: Watch) -> list[Json]:
    return list(watch.house.get(PLACE)["acting"])


def say(watch: Watch, who: str, what: str) -> int:
    return watch.house.call("POST", f"{PLACE}/{what}", {}, person=who).status_code


def passed(watch: Watch, key: str = "k", after: timedelta = 15 * MINUTE, **payload: str) -> str:
    """Let something escalate past Cho, who has the watch; return its id."""
    incident = watch.incident(key, **payload)
    watch.later(after)
    return incident


def acknowledged(watch: Watch, who: str = "ben") -> str:
    """Let ``who`` acknowledge what escalated past Cho."""
    incident = passed(watch)
    assert watch.house.put(incident, person=who, status="acknowledged").status_code == 200
    watch.later()
    return incident


def offered(watch: Watch) -> list[str]:
    return [offer["person"] for each in shown(watch) for offer in each["offers"]]


def test_a_yes_makes_one_primary_until_the_primary_is_back(watch: Watch) -> None:
    incident = passed(watch)
    assert [each["new_pages_go_to"] for each in shown(watch)] == [["cho", "ben"]]
    assert offered(watch) == []
    assert sorted(watch.assigned(watch.incident("new"))) == ["ben", "cho"]
    assert watch.on_call() == "cho"
    watch.house.put(incident, person="ben", status="acknowledged")
    (found,) = shown(watch)
    monday = watch.at(timedelta(days=4, hours=14, minutes=45))
    assert found["offers"] == [{"person": "ben", "incident": incident, "until": monday}]
    assert say(watch, "ben", "accept") == 200
    assert (watch.on_call(), watch.on_call("secondary")) == ("ben", "cho")
    (found,) = shown(watch)
    assert found["acting"] == {"person": "ben", "since": watch.at(), "until": monday}
    assert (offered(watch), watch.assigned(watch.incident("newer"))) == ([], ["ben"])
    assert say(watch, "ben", "accept") == 200
    watch.house.clock.forward(MINUTE)
    assert say(watch, "ben", "back") == 403
    assert say(watch, "cho", "back") == 200
    assert (watch.on_call(), shown(watch)) == ("cho", [])
    assert say(watch, "ben", "accept") == 409
    made = [line["action"] for line in watch.audit() if line["action"].startswith(("acting", "override"))]
    assert made == ["override.create", "acting.accept", "acting.back", "override.end"]


def test_who_said_yes_does_not_give_it_back_to_whoever_is_silent(watch: Watch) -> None:
    acknowledged(watch)
    assert say(watch, "ben", "accept") == 200
    times = {"since": watch.at(), "until": watch.at(MINUTE)}
    (kept,) = watch.house.get("/schedules/primary/overrides", **times)["overrides"]
    path = f"/schedules/primary/overrides/{kept['id']}"
    assert watch.house.call("DELETE", path, person="ben").status_code == 403
    assert watch.on_call() == "ben"
    assert watch.house.call("DELETE", path, person="dora").ok
    assert watch.on_call() == "cho"


def test_anything_that_the_primary_does_brings_the_watch_back(watch: Watch) -> None:
    incident = acknowledged(watch)
    assert say(watch, "ben", "accept") == 200
    watch.house.clock.forward(MINUTE)
    body = {"note": {"content": "I am here"}}
    assert watch.house.call("POST", f"/incidents/{incident}/notes", body, person="cho").status_code == 200
    watch.later()
    assert (watch.on_call(), shown(watch)) == ("cho", [])


def test_whoever_says_no_is_not_asked_again_but_others_are(watch: Watch) -> None:
    acknowledged(watch)
    assert (say(watch, "ben", "decline"), offered(watch), watch.on_call()) == (200, [], "cho")
    assert say(watch, "ben", "decline") == 200
    assert say(watch, "ben", "accept") == 409
    another = passed(watch, "another")
    watch.house.put(another, person="dora", status="acknowledged")
    watch.later()
    assert offered(watch) == ["dora"]
    assert (say(watch, "dora", "accept"), watch.on_call()) == (200, "dora")
    # Until the shift ends.
    watch.later(timedelta(days=5))
    assert (watch.on_call(), shown(watch)) == ("ben", [])


def test_a_primary_who_was_heard_of_is_not_silent(watch: Watch) -> None:
    watch.incident("a")
    other = watch.incident("b")
    watch.house.clock.forward(MINUTE)
    watch.house.put(other, person="cho", status="acknowledged")
    watch.later(14 * MINUTE)
    assert (shown(watch), sorted(watch.assigned(watch.incident("new")))) == ([], ["cho"])


def test_a_primary_falls_silent_again(watch: Watch) -> None:
    acknowledged(watch)
    watch.house.clock.forward(MINUTE)
    say(watch, "cho", "back")
    again = passed(watch, "again")
    watch.house.put(again, person="ben", status="acknowledged")
    assert offered(watch) == ["ben"]
    assert (say(watch, "ben", "accept"), watch.on_call()) == (200, "ben")


def test_only_something_grave_offers_the_watch(watch: Watch) -> None:
    passed(watch, after=timedelta(hours=1), severity="warning")
    assert shown(watch) == []
    passed(watch, "graver", after=30 * MINUTE, severity="error")
    assert [each["primary"] for each in shown(watch)] == ["cho"]


def test_nobody_else_is_offered_anything(watch: Watch) -> None:
    assert [say(watch, "cho", what) for what in ("accept", "decline", "back")] == [409, 409, 404]
    acknowledged(watch)
    assert [say(watch, who, "accept") for who in ("cho", "ana", "eve")] == [409, 409, 409]
    assert watch.on_call() == "cho"


def test_another_schedule_ends_it(watch: Watch) -> None:
    acknowledged(watch)
    say(watch, "ben", "accept")
    watch.house.clock.forward(MINUTE)
    watch.override("dora")
    watch.later()
    assert (watch.on_call(), shown(watch)) == ("dora", [])


def test_a_team_can_do_without(database: str) -> None:
    with running_house(database, TEAM + "[escalation]\nacting_primary = false\n") as house:
        watch = Watch(house)
        acknowledged(watch)
        assert (shown(watch), watch.assigned(watch.incident("new"))) == ([], ["cho"])


def test_the_streams_hear_of_it(database: str) -> None:
    with running_house(database, TEAM) as house:
        watch = Watch(house)
        with listening(house.url, house.tokens["ben"]) as listener:
            assert listener.next()[2]["acting"] == []
            acknowledged(watch)
            while (event := listener.next())[0] != "acting" or not event[2]["offers"]:
                pass
            assert event[2] == shown(watch)[0]
            watch.later()
            watch.house.clock.forward(MINUTE)
            say(watch, "cho", "back")
            while (event := listener.next())[0] != "acting":
                pass
            assert event[2]["over"] is True
