"""Messages about what was given to others meanwhile: nobody is called any more for what is not theirs, and hears so.

Cho has the watch, Ben is secondary, Dora is the manager (the team of ``tests.server.handing``).
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.fakes.http import Answer
from tests.server.handing import TEAM, Watch, anew
from tests.server.house import Json
from tests.server.paging import Office, office, reachable


def written(web: str) -> str:
    return reachable(TEAM, web, twice="cho")


@pytest.fixture(scope="module")
def built(shared_database: str) -> Iterator[Office]:
    with office(shared_database, written) as found:
        yield found


@pytest.fixture
def desk(built: Office) -> Office:
    built.begin_again()
    return built


@pytest.fixture
def watch(desk: Office) -> Watch:
    return anew(desk.house)


def to(*people: str) -> list[Json]:
    return [{"assignee": {"id": person, "type": "user_reference"}} for person in people]


def delayed(desk: Office, watch: Watch) -> str:
    """Return the id of an incident about which the first message to Cho did not arrive."""
    desk.web.answer = lambda _: Answer(503)
    name = watch.incident("delayed")
    assert desk.after(0) == ["cho"]
    desk.web.answer = lambda _: Answer()
    return name


def test_who_has_it_no_longer_is_not_paged_any_more_and_hears_to_whom_it_went(desk: Office, watch: Watch) -> None:
    name = delayed(desk, watch)
    desk.house.put(name, "dora", assignments=to("ben", "ana"))
    assert sorted(desk.after(10)) == ["ana", "ben", "cho"]
    # What was tried may have arrived all the same.
    number = desk.house.incident("delayed")["incident_number"]
    assert desk.said_to("cho") == (
        f"Stand down: db down\nIt was given to Ben Okafor, Ana Ruiz.\nIncident {number}, SEV-0: db down"
    )
    assert desk.after(300) == []
    # They heard it, once: who takes it now is no news of theirs.
    desk.house.put(name, "ben", status="acknowledged")
    assert desk.after(60) == ["ana"]


def test_who_gave_it_away_themselves_knows_it(desk: Office, watch: Watch) -> None:
    desk.house.put(delayed(desk, watch), "cho", assignments=to("ben"))
    assert (desk.after(10), desk.after(300)) == (["ben"], [])


def test_who_gets_it_back_is_paged_anew(desk: Office, watch: Watch) -> None:
    name = delayed(desk, watch)
    desk.house.put(name, "cho", assignments=to("ben"))
    desk.house.put(name, "dora", assignments=to("cho"))
    assert (sorted(desk.after(10)), desk.said_to("cho").count("You are paged")) == (["cho"], 1)
    assert desk.after(60) == ["cho2"]


def test_a_stand_down_that_was_delayed_is_not_said_to_who_is_paged_again(desk: Office, watch: Watch) -> None:
    name = watch.incident("again")
    assert desk.after(0) == ["cho"]
    desk.web.answer = lambda _: Answer(503)
    desk.house.put(name, "dora", assignments=to("ben"))
    assert sorted(desk.after(0)) == ["ben", "cho"]
    desk.web.answer = lambda _: Answer()
    desk.house.put(name, "dora", assignments=to("cho"))
    assert "cho" in desk.after(0)
    desk.after(50)
    assert "Stand down" not in desk.said_to("cho")


def test_who_keeps_it_beside_others_is_still_paged(desk: Office, watch: Watch) -> None:
    desk.house.put(delayed(desk, watch), "dora", assignments=to("cho", "ben"))
    desk.after(10)
    assert "You are paged" in desk.said_to("cho")
    assert desk.said_to("cho").count("Stand down") == 0


def test_who_was_asked_to_help_is_waited_for_whoever_has_it(desk: Office, watch: Watch) -> None:
    name = watch.incident("help")
    desk.house.put(name, "ben", status="acknowledged")
    desk.after(0)
    desk.web.answer = lambda _: Answer(503)
    asked = {"message": "", "responder_request_targets": [{"id": "cho", "type": "user_reference"}]}
    assert desk.house.call("POST", f"/incidents/{name}/responder_requests", asked, person="ben").status_code < 300
    assert desk.after(0) == ["cho"]
    desk.web.answer = lambda _: Answer()
    desk.house.put(name, "ben", assignments=to("ana"))
    desk.after(10)
    assert "You are paged" in desk.said_to("cho")
    assert desk.after(60) == ["cho2"]


@pytest.mark.parametrize("stays", [False, True])
def test_who_handed_the_watch_over_is_not_paged_for_what_went_with_it(
    desk: Office, watch: Watch, *, stays: bool
) -> None:
    name = delayed(desk, watch)
    watch.ask("cho", stays_available=stays)
    desk.house.clock.forward(timedelta(seconds=1))
    watch.do("ben", "accept")
    watch.do("ben", "confirm", point="briefing")
    watch.do("ben", "confirm", point="access")
    assert watch.assigned(name) == ["ben"]
    # It is the handover that tells them.
    assert "cho" in desk.after(10)
    assert desk.said_to("cho").count("Handover done") == 1
    assert not any(words in desk.said_to("cho") for words in ("You are paged", "Stand down"))
    assert not {"cho", "cho2"} & set(desk.after(300))
