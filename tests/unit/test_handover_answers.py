"""Who may do what about an emergency handover that has begun, as tables."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from desktop.domain import handover_answers as answers
from desktop.domain.errors import InputError
from desktop.domain.handover_facts import Answer, Ended, Handover, Offer, Point, State, offer_to, receiver
from desktop.domain.segments import Why
from desktop.domain.team import Absence, Member, Role
from tests.unit.handovers import ANA, BEN, CHO, DORA, HOUR, MINUTE, MONDAY, START, asked, segment

NOW = START + 2 * MINUTE
OFFERED = replace(asked(), offers=(Offer("ben", START), Offer("cho", START + MINUTE)))
ACCEPTED = replace(asked(), offers=(Offer("ben", START, Answer(yes=True, at=START + MINUTE)), Offer("cho", START)))
LATER = START + 6 * MINUTE  # Ben's yes lapses then
CANCELLED = replace(OFFERED, cancelled_at=START + MINUTE)
OVER = replace(OFFERED, ended=Ended(State.EXPIRED, START + MINUTE))
DONE = replace(ACCEPTED, ended=Ended(State.DONE, START + MINUTE))
EVES = replace(OVER, segments=(segment(Role.PRIMARY, "eve", START, MONDAY, Why.OVERRIDE),))
EVE = Member("eve", "Eve")
AWAY = replace(OFFERED, away=(Absence("ben", START, START + HOUR), Absence("dora", START, START + HOUR)))


Deed = Callable[[Handover], Handover]
REFUSALS: dict[str, tuple[Handover, Deed, str]] = {
    "accepts unasked": (OFFERED, lambda f: answers.accept(f, "dora", NOW), "dora was not offered this watch."),
    "accepts second": (
        ACCEPTED,
        lambda f: answers.accept(f, "cho", LATER - MINUTE),
        "ben accepted first: nothing is left for you to do.",
    ),
    "accepts when done": (
        DONE,
        lambda f: answers.accept(f, "cho", LATER),
        "ben accepted first: nothing is left for you to do.",
    ),
    "accepts when cancelled": (
        CANCELLED,
        lambda f: answers.accept(f, "ben", NOW),
        "This handover was cancelled: ana stays on call.",
    ),
    "accepts when over": (
        OVER,
        lambda f: answers.accept(f, "ben", NOW),
        "This offer is no longer open: ana stays on call.",
    ),
    "accepts when it is somebody else's watch": (
        EVES,
        lambda f: answers.accept(f, "ben", NOW),
        "This offer is no longer open: eve is on call.",
    ),
    "accepts when the watch is over, too": (
        OVER,
        lambda f: answers.accept(f, "ben", MONDAY),
        "This offer is no longer open: ben is on call.",
    ),
    "accepts when nobody has the watch": (
        OVER,
        lambda f: answers.accept(f, "ben", MONDAY + 999 * HOUR),
        "This offer is no longer open: nobody is on call.",
    ),
    "accepts too late": (
        OFFERED,
        lambda f: answers.accept(f, "ben", START + HOUR + MINUTE),
        "This offer is no longer open: ana stays on call.",
    ),
    "accepts while away": (
        AWAY,
        lambda f: answers.accept(f, "ben", NOW),
        "ben is away: somebody else has to take the watch.",
    ),
    "declines unasked": (OFFERED, lambda f: answers.decline(f, "dora", NOW), "dora was not offered this watch."),
    "declines after accepting": (
        ACCEPTED,
        lambda f: answers.decline(f, "ben", NOW),
        "You have accepted this watch already: hand it over again.",
    ),
    "acknowledges unasked": (
        OFFERED,
        lambda f: answers.acknowledge(f, "dora", NOW),
        "dora was not offered this watch.",
    ),
    "a stranger allows": (
        OFFERED,
        lambda f: answers.allow(f, EVE, "dora", NOW),
        "Eve has no part in this handover: only those in it and a manager can do that.",
    ),
    "allows the giver": (
        OFFERED,
        lambda f: answers.allow(f, ANA, "ana", NOW),
        "ana has this watch already: name somebody else.",
    ),
    "allows somebody away": (
        AWAY,
        lambda f: answers.allow(f, ANA, "dora", NOW),
        "dora is away: somebody else has to take the watch.",
    ),
    "allows after a yes": (
        ACCEPTED,
        lambda f: answers.allow(f, ANA, "dora", LATER - MINUTE),
        "Nobody is asked any more: begin another handover.",
    ),
    "allows when over": (
        replace(OVER, ended=Ended(State.DECLINED, START)),
        lambda f: answers.allow(f, ANA, "dora", NOW),
        "Nobody is asked any more: begin another handover.",
    ),
    "confirms before a yes": (
        OFFERED,
        lambda f: answers.confirm(f, BEN, Point.ACCESS, NOW),
        "Nobody has accepted this watch, or it is over: there is nothing to confirm.",
    ),
    "confirms when done": (
        DONE,
        lambda f: answers.confirm(f, BEN, Point.ACCESS, NOW),
        "Nobody has accepted this watch, or it is over: there is nothing to confirm.",
    ),
    "another confirms": (
        ACCEPTED,
        lambda f: answers.confirm(f, ANA, Point.ACCESS, NOW),
        "Only ben, who takes the watch, can confirm that; it can be waived instead.",
    ),
    "a stranger waives": (
        ACCEPTED,
        lambda f: answers.confirm(f, EVE, Point.ACCESS, NOW, waived=True),
        "Eve has no part in this handover: only those in it and a manager can do that.",
    ),
    "a stranger cancels": (
        OFFERED,
        lambda f: answers.cancel(f, EVE, NOW),
        "Eve has no part in this handover: only those in it and a manager can do that.",
    ),
    "cancels after a yes": (
        ACCEPTED,
        lambda f: answers.cancel(f, ANA, LATER - MINUTE),
        "ben has accepted already: ask them to hand the watch back.",
    ),
    "cancels when over": (OVER, lambda f: answers.cancel(f, ANA, NOW), "It is over: expired."),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_deed_that_is_refused(case: str) -> None:
    facts, deed, message = REFUSALS[case]
    with pytest.raises(InputError) as refusal:
        deed(facts)
    assert refusal.value.message == message


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


def test_who_is_just_back_can_accept() -> None:
    facts = replace(OFFERED, away=(Absence("ben", START, NOW),))
    assert receiver(answers.accept(facts, "ben", NOW)) == "ben"


def test_a_no_is_kept_with_its_time() -> None:
    offer = offer_to(answers.decline(OFFERED, "ben", NOW), "ben")
    assert offer is not None
    assert offer.answer == Answer(yes=False, at=NOW)


def test_once_a_yes_has_lapsed_another_may_accept_it_may_be_called_off_and_somebody_allowed() -> None:
    other = answers.accept(ACCEPTED, "cho", LATER)
    assert receiver(other) == "cho"
    assert answers.accept(ACCEPTED, "ben", LATER) == ACCEPTED
    assert receiver(answers.cancel(ACCEPTED, ANA, LATER)) is None
    assert answers.allow(ACCEPTED, ANA, "dora", LATER).allowed == ("dora",)


def test_who_was_overtaken_can_decline_and_can_take_it_back_when_the_other_falls_silent() -> None:
    other = answers.accept(ACCEPTED, "cho", LATER)
    no = offer_to(answers.decline(other, "ben", LATER), "ben")
    assert no is not None
    assert no.answer == Answer(yes=False, at=LATER)
    back = answers.accept(other, "ben", LATER + 5 * MINUTE)
    assert receiver(back) == "ben"


def test_what_was_confirmed_for_one_is_not_confirmed_for_the_next() -> None:
    facts = answers.confirm(ACCEPTED, ANA, Point.BRIEFING, NOW, waived=True)
    facts = answers.accept(facts, "cho", LATER)
    facts = answers.confirm(facts, CHO, Point.BRIEFING, LATER)
    assert [(c.point, c.receiver) for c in facts.confirmations] == [(Point.BRIEFING, "ben"), (Point.BRIEFING, "cho")]
