"""Who may do what about an emergency handover, as tables, and whom it is offered to."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from desktop.domain import handover_answers as answers
from desktop.domain.errors import InputError
from desktop.domain.handover_answers import Around, Wish, around, request
from desktop.domain.handover_facts import Answer, Ended, Handover, Kind, Offer, Point, State, offer_to
from desktop.domain.team import Absence, Access, Every, Member, Role, Rotation, Team, Unit
from tests.unit.handovers import ANA, AROUND, BEN, CHO, DORA, HOUR, MINUTE, START, asked
from tests.unit.teams import utc, wall

NOW = START + 2 * MINUTE
OFFERED = replace(asked(), offers=(Offer("ben", START), Offer("cho", START + MINUTE)))
ACCEPTED = replace(asked(), offers=(Offer("ben", START, Answer(yes=True, at=START + MINUTE)), Offer("cho", START)))
CANCELLED = replace(OFFERED, cancelled_at=START + MINUTE)
OVER = replace(OFFERED, ended=Ended(State.EXPIRED, START + MINUTE))
EVE = Member("eve", "Eve")
AWAY = replace(AROUND, away=frozenset({"ben", "dora"}))

WISHES = {
    "somebody else asks": (Wish("H", Kind.ASK, ANA, BEN), AROUND, "Only Ana can ask for that"),
    "an engineer gives": (Wish("H", Kind.GIVE, ANA, BEN, "ill"), AROUND, "Ben is not a manager"),
    "no reason to give": (Wish("H", Kind.GIVE, ANA, DORA, "  "), AROUND, "a reason is needed"),
    "no reason to take": (Wish("H", Kind.TAKE, ANA, BEN), AROUND, "a reason is needed"),
    "not certified": (Wish("H", Kind.TAKE, ANA, CHO, "fainted"), AROUND, "Cho is not certified"),
    "takes from herself": (Wish("H", Kind.TAKE, ANA, ANA, "?"), AROUND, "Ana has this watch already"),
    "takes for another": (Wish("H", Kind.TAKE, ANA, BEN, "?", CHO), AROUND, "takes it for themselves"),
    "gives it to herself": (Wish("H", Kind.ASK, ANA, ANA, receiver=ANA), AROUND, "name somebody else"),
    "the receiver is away": (Wish("H", Kind.ASK, ANA, ANA, receiver=BEN), AWAY, "Ben is away"),
    "nobody is there": (Wish("H", Kind.ASK, ANA, ANA), Around((), frozenset(), AROUND.segments), "Nobody is there"),
    "no watch": (Wish("H", Kind.ASK, CHO, CHO), AROUND, "Cho is not on call now"),
}


@pytest.mark.parametrize("case", WISHES)
def test_a_wish_that_is_refused(case: str) -> None:
    wish, team, message = WISHES[case]
    with pytest.raises(InputError, match=message):
        request(wish, team, START)


CANDIDATES = {
    "in order": (None, AROUND, ("ben", "cho", "dora")),
    "the requested one first, and once": (DORA, AROUND, ("dora", "ben", "cho")),
    "one from outside": (EVE, AROUND, ("eve", "ben", "cho", "dora")),
    "nobody who is away": (None, AWAY, ("cho",)),
    "never the giver, nobody twice": (None, replace(AROUND, candidates=("ana", "ben", "ben")), ("ben",)),
}


@pytest.mark.parametrize("case", CANDIDATES)
def test_who_is_offered_the_watch(case: str) -> None:
    wanted, team, expected = CANDIDATES[case]
    assert request(Wish("H", Kind.ASK, ANA, ANA, receiver=wanted), team, START).candidates == expected


def test_who_is_said_to_be_away_may_still_take_the_watch() -> None:
    assert request(Wish("H", Kind.TAKE, ANA, BEN, "fainted"), AWAY, START).candidates == ("ben", "cho")


def test_an_admin_gives_like_a_manager() -> None:
    admin = replace(EVE, access=Access.ADMIN)
    assert request(Wish("H", Kind.GIVE, ANA, admin, "ill"), AROUND, START).asker == "eve"


def test_a_reason_from_outside_is_made_plain() -> None:
    facts = request(Wish("H", Kind.ASK, ANA, ANA, "a\n\x1b[31mb" + "c" * 9999), AROUND, START)
    assert facts.reason.startswith("a [31mb")
    assert len(facts.reason) == 500


Deed = Callable[[Handover], Handover]
REFUSALS: dict[str, tuple[Handover, Deed, str]] = {
    "accepts unasked": (OFFERED, lambda f: answers.accept(f, "dora", NOW), "dora was not offered"),
    "accepts second": (ACCEPTED, lambda f: answers.accept(f, "cho", NOW), "ben accepted first"),
    "accepts when cancelled": (CANCELLED, lambda f: answers.accept(f, "ben", NOW), "was cancelled: ana stays"),
    "accepts when over": (OVER, lambda f: answers.accept(f, "ben", NOW), "no longer open: ana stays"),
    "accepts too late": (OFFERED, lambda f: answers.accept(f, "ben", START + HOUR + MINUTE), "no longer open"),
    "declines unasked": (OFFERED, lambda f: answers.decline(f, "dora", NOW), "dora was not offered"),
    "declines after accepting": (ACCEPTED, lambda f: answers.decline(f, "ben", NOW), "accepted this watch already"),
    "acknowledges unasked": (OFFERED, lambda f: answers.acknowledge(f, "dora", NOW), "dora was not offered"),
    "a stranger allows": (OFFERED, lambda f: answers.allow(f, EVE, "dora", NOW), "Eve has no part"),
    "allows the giver": (OFFERED, lambda f: answers.allow(f, ANA, "ana", NOW), "ana has this watch already"),
    "allows after a yes": (ACCEPTED, lambda f: answers.allow(f, ANA, "dora", NOW), "Nobody is asked any more"),
    "confirms before a yes": (OFFERED, lambda f: answers.confirm(f, BEN, Point.ACCESS, NOW), "Nobody has accepted"),
    "another confirms": (ACCEPTED, lambda f: answers.confirm(f, ANA, Point.ACCESS, NOW), "Only ben"),
    "a stranger waives": (ACCEPTED, lambda f: answers.confirm(f, EVE, Point.ACCESS, NOW, waived=True), "Eve has no"),
    "a stranger cancels": (OFFERED, lambda f: answers.cancel(f, EVE, NOW), "Eve has no part"),
    "cancels after a yes": (ACCEPTED, lambda f: answers.cancel(f, ANA, NOW), "ben has accepted already"),
    "cancels when over": (OVER, lambda f: answers.cancel(f, ANA, NOW), "It is over: expired"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_deed_that_is_refused(case: str) -> None:
    facts, deed, message = REFUSALS[case]
    with pytest.raises(InputError, match=message):
        deed(facts)


def test_a_deed_done_twice_is_done_once() -> None:
    twice: list[tuple[Handover, Callable[[Handover, datetime], Handover]]] = [
        (OFFERED, lambda f, at: answers.accept(f, "ben", at)),
        (OFFERED, lambda f, at: answers.decline(f, "ben", at)),
        (OFFERED, lambda f, at: answers.acknowledge(f, "ben", at)),
        (OFFERED, lambda f, at: answers.allow(f, ANA, "dora", at)),
        (OFFERED, lambda f, at: answers.cancel(f, DORA, at)),
        (ACCEPTED, lambda f, at: answers.confirm(f, BEN, Point.ACCESS, at)),
    ]
    for facts, deed in twice:
        once = deed(facts, NOW)
        assert once != facts
        assert deed(once, NOW + MINUTE) == once


def test_a_waiver_carries_a_name() -> None:
    (waiver,) = answers.confirm(ACCEPTED, DORA, Point.BRIEFING, NOW, waived=True).confirmations
    assert (waiver.by, waiver.waived) == ("dora", True)


def test_acknowledging_is_kept_and_answers_nothing() -> None:
    offer = offer_to(answers.acknowledge(OFFERED, "ben", NOW), "ben")
    assert offer is not None
    assert (offer.acknowledged_at, offer.answer) == (NOW, None)


WEEK, MONDAY = Every(1, Unit.WEEKS), wall("2026-01-05 09:00")
TEAM = Team(
    ZoneInfo("UTC"),
    (ANA, BEN, CHO, DORA),
    rotations=MappingProxyType(
        {
            Role.PRIMARY: Rotation(("ana", "ben", "cho"), MONDAY, WEEK),
            Role.SECONDARY: Rotation(("ben", "cho", "ana"), MONDAY, WEEK),
            Role.MANAGER: Rotation(("dora",), MONDAY, WEEK),
        }
    ),
)


def test_candidates_of_a_team_are_secondary_previous_week_and_manager() -> None:
    found = around(TEAM, "ben", utc("2026-01-14 03:00"))
    assert found.candidates == ("cho", "ana", "dora")
    assert found.segments[0].start == utc("2026-01-14 03:00")


def test_before_the_first_shift_there_is_no_previous_engineer() -> None:
    assert around(TEAM, "ana", utc("2026-01-06 03:00")).candidates == ("ben", "dora")


def test_who_is_absent_is_known() -> None:
    team = replace(TEAM, absences=(Absence("ana", wall("2026-01-14"), wall("2026-01-15")),))
    found = around(team, "ben", utc("2026-01-14 03:00"))
    assert found.away == {"ana"}
    assert request(Wish("H", Kind.ASK, BEN, BEN), found, utc("2026-01-14 03:00")).candidates == ("cho", "dora")
