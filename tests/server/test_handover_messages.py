"""What people hear of a handover on their other channels: everybody whom it concerns, once, and what to do.

Cho has the watch, Ben is secondary, Ana had it last week, Dora is the manager (the team of ``tests.server.handing``).
"""

from collections.abc import Iterator

import pytest

from tests.fakes.http import Answer
from tests.server.handing import MINUTE, TEAM, Watch, anew
from tests.server.paging import Office, office, reachable

SPOKEN = "From <!channel> 06:00: a fever\n@here"


def written(web: str) -> str:
    hook = web.replace("http", "json", 1)
    return reachable(TEAM, web, twice="ben") + f'[channels]\nincidents = "{hook}/incidents"\n'


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


def test_whoever_is_asked_is_reached_everywhere_and_all_hear_how_it_ended(desk: Office, watch: Watch) -> None:
    watch.incident("open")
    desk.after(0)
    watch.ask("cho", reason=SPOKEN)
    assert sorted(desk.after(0)) == ["ben", "ben2"]
    offer = desk.said_to("ben2")
    assert offer.splitlines()[0].startswith("Will you take over as primary from Cho Lee? From <")
    for line in (
        "Cho Lee asks: will you take over as primary from Cho Lee?",
        "The watch ends 2026-",
        "Open incidents that come with it: 1",
        "Acknowledging the page is no answer: say yes or no in the Watchbell application.",
    ):
        assert line in offer
    # Plain, on one line, and it calls nobody.
    assert "06:00: a fever @" in offer
    assert not any(call in offer for call in ("<!channel>", "@here", "Acknowledge: http"))
    # The ladder says nothing a second time.
    assert not {"ben", "ben2"} & set(desk.after(120))
    watch.do("ben", "accept")
    # No stand-down beside it: that somebody has it says the handover itself.
    assert sorted(desk.after(0)) == ["ben", "ben2", "cho"]
    assert desk.said_to("cho").startswith("Handover accepted: primary, Cho Lee\nBen Okafor takes over as primary")
    assert "To be confirmed in the Watchbell application" in desk.said_to("ben")
    watch.do("ben", "confirm", point="briefing")
    watch.do("ben", "confirm", point="access")
    told = desk.after(0)
    assert [told.count(who) for who in ("cho", "dora", "ana", "incidents")] == [1, 1, 0, 0]
    done = "Handover done: primary, Cho Lee\nDone: Ben Okafor is on call as primary instead of Cho Lee."
    assert desk.said_to("dora").startswith(done)
    assert done in desk.said_to("ben")
    watch.later()
    assert not {"cho", "dora"} & set(desk.after(300))


def test_a_refusal_and_what_nobody_takes_are_told(desk: Office, watch: Watch) -> None:
    watch.ask("cho", auto_next=False)
    assert sorted(desk.after(0)) == ["ben", "ben2"]
    watch.do("ben", "decline")
    assert (desk.after(0), desk.said_to("cho").splitlines()[:2]) == (
        ["cho"],
        ["Ask the next one: primary, Cho Lee",
         "Nobody has taken the watch of Cho Lee yet. Shall Ana Ruiz be asked?"],
    )  # fmt: skip
    watch.do("cho", "next")
    assert (desk.after(0), desk.said_to("ana").count("Will you take over")) == (["ana"], 1)
    watch.do("ana", "decline")
    watch.do("cho", "next")
    desk.after(0)
    watch.do("dora", "decline")
    assert sorted(desk.after(0)) == ["ana", "ben", "ben2", "cho", "dora"]
    assert desk.said_to("cho").startswith("Handover declined by everybody: primary, Cho Lee\nEverybody who was asked")
    assert "watchbell handover --to PERSON --reason TEXT" in desk.said_to("dora")


def test_an_offer_that_cannot_be_delivered_is_not_repeated_once_it_was_answered(desk: Office, watch: Watch) -> None:
    desk.web.answer = lambda _: Answer(503)
    watch.ask("cho")
    assert sorted(desk.after(0)) == ["ben", "ben2"]
    watch.do("ben", "decline")
    desk.web.answer = lambda _: Answer()
    assert desk.after(30) == ["ana"]


def test_a_yes_without_a_confirmation_and_a_watch_that_is_given_away(desk: Office, watch: Watch) -> None:
    watch.ask("dora", kind="give", giver={"id": "cho"}, receiver={"id": "ben"})
    assert sorted(desk.after(0)) == ["ben", "ben2", "cho"]
    assert desk.said_to("cho").startswith("Your watch is given away: primary, Cho Lee\nDora Weil gives your watch")
    assert "You stay on call until" in desk.said_to("cho")
    watch.do("ben", "accept")
    desk.after(0)
    watch.later(5 * MINUTE)
    assert sorted(desk.after(0)) == ["ana", "ben", "ben2", "cho", "dora"]
    assert desk.said_to("dora").startswith("Handover not confirmed: primary, Cho Lee\nBen Okafor said yes")
    watch.do("dora", "cancel")
    assert sorted(desk.after(0)) == ["ana", "ben", "ben2", "cho", "dora"]
    assert desk.said_to("ana").startswith("Handover called off: primary, Cho Lee")
