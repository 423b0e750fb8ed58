"""The emergency handover as stories that a manager can read, and its rules one by one."""

from dataclasses import replace
from datetime import datetime

import pytest

from desktop.domain import handover_answers as answers
from desktop.domain.handover import (
    Close,
    CreateOverride,
    Delegate,
    PagePerson,
    ReadBack,
    due_actions,
    next_action,
    next_action_at,
    on_call,
    paged,
    state,
)
from desktop.domain.handover_effects import applied
from desktop.domain.handover_facts import (
    Answer,
    Handover,
    Kind,
    Offer,
    Point,
    State,
    confirmed_at,
    receiver,
    wanted_absence,
    wanted_overrides,
    watch,
)
from desktop.domain.segments import Why
from desktop.domain.team import Override, Role
from tests.unit.handovers import (
    ANA,
    BEN,
    DORA,
    HOLIDAY,
    HOUR,
    INCIDENTS,
    MINUTE,
    MONDAY,
    PEOPLE,
    SEGMENTS,
    START,
    asked,
    named,
    segment,
)

HANDED = "override primary ben; override primary ben; absence ana; note I1; delegate I1 to ben; note I2; "
HANDED += "delegate I2 to ben; read back; close: done; tell ana, ben: done"
ALL = "ana, ben, cho, dora"

# After so many minutes | somebody does this | it stands so | on call | and Watchbell does this by itself
Line = tuple[int, str, str, str, str]
STORIES: dict[str, list[Line]] = {
    "ben takes over": [
        (0, "", "paging", "ana", "page ben"),
        (1, "ben acknowledges", "paging", "ana", ""),
        (2, "ben accepts", "accepted", "ana", "tell ana, ben: accepted"),
        (3, "ben confirms briefing", "accepted", "ana", ""),
        (4, "ben confirms access", "done", "ben", HANDED),
        (9, "", "done", "ben", ""),
    ],
    "an acknowledgement is no answer": [
        (0, "", "paging", "ana", "page ben"),
        (1, "ben acknowledges", "paging", "ana", ""),
        (4, "", "paging", "ana", ""),
        (5, "", "paging", "ana", "page cho"),
    ],
    "earlier offers stay open and the first to accept wins": [
        (0, "", "paging", "ana", "page ben"),
        (5, "", "paging", "ana", "page cho"),
        (6, "ben accepts", "accepted", "ana", "tell ana, ben, cho: accepted"),
        (7, "ana waives briefing", "accepted", "ana", ""),
        (8, "dora waives access", "done", "ben", HANDED.replace("ana, ben:", "ana, ben, cho:")),
    ],
    "everybody declines": [
        (0, "", "paging", "ana", "page ben"),
        (1, "ben declines", "paging", "ana", "page cho"),
        (2, "cho declines", "paging", "ana", "page dora"),
        (3, "dora declines", "declined", "ana", f"close: declined; tell {ALL}: declined"),
    ],
    "nobody answers": [
        (0, "", "paging", "ana", "page ben"),
        (5, "", "paging", "ana", "page cho"),
        (10, "", "paging", "ana", "page dora"),
        (69, "", "paging", "ana", ""),
        (70, "", "expired", "ana", f"close: expired; tell {ALL}: expired"),
    ],
    "ana cancels": [
        (0, "", "paging", "ana", "page ben"),
        (1, "ana cancels", "cancelled", "ana", "close: cancelled; tell ana, ben: cancelled"),
    ],
    "ben changes his mind": [
        (0, "", "paging", "ana", "page ben"),
        (1, "ben declines", "paging", "ana", "page cho"),
        (2, "ben accepts", "accepted", "ana", "tell ana, ben, cho: accepted"),
    ],
    "ben accepts and confirms only when the watch is over": [
        (0, "", "paging", "ana", "page ben"),
        (1, "ben accepts", "accepted", "ana", "tell ana, ben: accepted"),
        (24 * 60, "", "nothing left", "ana", "close: nothing left; tell ana, ben: nothing left"),
    ],
}


def live(facts: Handover, now: datetime) -> tuple[Handover, str]:
    """Do all that is to be done at ``now``, one thing after the other; return what it was."""
    done: list[str] = []
    while (action := next_action(facts, now)) is not None:
        assert len(done) < 50, done
        done.append(named(action))
        facts = applied(facts, action, now)
    return facts, "; ".join(done)


def act(facts: Handover, deed: str, now: datetime) -> Handover:
    """Let somebody do what ``deed`` says, e.g. ``ben confirms access``."""
    who, verb, *what = deed.split()
    match verb:
        case "confirms" | "waives":
            return answers.confirm(facts, PEOPLE[who], Point(what[0]), now, waived=verb == "waives")
        case "cancels":
            return answers.cancel(facts, PEOPLE[who], now)
        case "allows":
            return answers.allow(facts, PEOPLE[who], what[0], now)
        case "acknowledges":
            return answers.acknowledge(facts, who, now)
        case "accepts":
            return answers.accept(facts, who, now)
        case _:
            return answers.decline(facts, who, now)


def play(facts: Handover, lines: list[Line]) -> None:
    for minute, deed, stands, person, does in lines:
        now = START + minute * MINUTE
        facts, did = live(act(facts, deed, now) if deed else facts, now)
        assert (did, state(facts, now), on_call(facts)) == (does, stands, person), f"{minute}: {deed}"


@pytest.mark.parametrize("story", STORIES)
def test_story(story: str) -> None:
    play(replace(asked(), incidents=INCIDENTS), STORIES[story])


def test_without_auto_next_the_asker_is_asked_once_and_decides() -> None:
    play(
        asked(auto_next=False),
        [
            (0, "", "paging", "ana", "page ben"),
            (5, "", "paging", "ana", "ask ana about cho"),
            (6, "", "paging", "ana", ""),
            (7, "ana allows dora", "paging", "ana", "page dora"),
            (8, "ana allows cho", "paging", "ana", "page cho"),
            (9, "dora accepts", "accepted", "ana", "tell ana, ben, dora, cho: accepted"),
        ],
    )


def test_who_is_allowed_is_offered_the_watch_at_once() -> None:
    play(
        asked(),
        [(0, "", "paging", "ana", "page ben"), (1, "ana allows dora", "paging", "ana", "page dora")],
    )


def test_a_manager_gives_and_the_outgoing_engineer_hears_of_it() -> None:
    play(
        asked(Kind.GIVE, DORA),
        [
            (0, "", "paging", "ana", "page ben; tell ana: requested"),
            (1, "ben accepts", "accepted", "ana", "tell dora, ana, ben: accepted"),
        ],
    )


def test_who_takes_the_watch_has_said_yes_and_still_confirms() -> None:
    play(
        asked(Kind.TAKE, BEN),
        [
            (0, "", "accepted", "ana", "tell ben, ana: accepted"),
            (1, "ben waives briefing", "accepted", "ana", ""),
            (2, "ben confirms access", "done", "ben", HANDED.replace("note I1; delegate I1 to ben; ", "").replace(
                "note I2; delegate I2 to ben; ", "").replace("ana, ben:", "ben, ana:")),
        ],
    )  # fmt: skip


def accepted(minute: int = 2, *, stays: bool = False) -> Handover:
    """Return a handover that Ben accepted a minute before, and confirmed, ``minute`` minutes after the start."""
    facts, _ = live(asked(stays=stays), START)
    now = START + minute * MINUTE
    facts, _ = live(answers.accept(facts, "ben", now - MINUTE), now - MINUTE)
    facts = answers.confirm(facts, BEN, Point.BRIEFING, now - MINUTE)
    return answers.confirm(replace(facts, incidents=INCIDENTS), BEN, Point.ACCESS, now)


def test_exactly_the_own_contiguous_segments_are_overridden() -> None:
    now = START + 2 * MINUTE
    made = [(o.role, o.person, o.start, o.end) for o in wanted_overrides(accepted(), now)]
    assert made == [(Role.PRIMARY, "ben", now, HOLIDAY), (Role.PRIMARY, "ben", HOLIDAY, MONDAY)]


def test_a_step_taken_late_makes_the_same_overrides_as_one_taken_at_once() -> None:
    facts = accepted()
    assert wanted_overrides(facts, START + HOUR) == wanted_overrides(facts, START + 2 * MINUTE)
    assert [o.end for o in wanted_overrides(facts, HOLIDAY)] == [MONDAY]


def test_a_watch_goes_on_in_another_role_without_a_gap() -> None:
    segments = (*SEGMENTS, segment(Role.SECONDARY, "ana", MONDAY, MONDAY + HOUR))
    assert [s.end for s in watch(replace(asked(), segments=segments), START)] == [HOLIDAY, MONDAY, MONDAY + HOUR]


def test_a_shadow_has_no_watch() -> None:
    shadow = segment(Role.SHADOW, "ana", START - HOUR, MONDAY)
    assert watch(replace(asked(), segments=(shadow,)), START) == ()


def test_nobody_has_a_watch_that_begins_later() -> None:
    assert watch(replace(asked(), segments=SEGMENTS[1:]), START) == ()


def test_the_absence_lasts_as_long_as_the_watch_unless_they_say_otherwise() -> None:
    absence = wanted_absence(accepted())
    assert absence is not None
    assert (absence.person, absence.start, absence.end) == ("ana", START + 2 * MINUTE, MONDAY)
    assert absence.cover == "ben"
    facts, did = live(accepted(stays=True), START + 2 * MINUTE)
    assert "absence" not in did
    assert facts.ended is not None


def test_an_override_that_began_when_the_backend_let_it_is_enough() -> None:
    now = START + 3 * MINUTE
    late = Override(Role.PRIMARY, "ben", now - MINUTE / 2, HOLIDAY)
    action = next_action(replace(accepted(), overrides=(late,)), now)
    assert isinstance(action, CreateOverride)
    assert action.override.start == HOLIDAY


@pytest.mark.parametrize(
    "other",
    [
        Override(Role.SECONDARY, "ben", START, HOLIDAY),
        Override(Role.PRIMARY, "cho", START, HOLIDAY),
        Override(Role.PRIMARY, "ben", START, HOLIDAY - MINUTE),
        Override(Role.PRIMARY, "ben", START + HOUR, HOLIDAY),
    ],
)
def test_an_override_that_does_something_else_is_not_taken_for_ours(other: Override) -> None:
    facts = replace(accepted(), overrides=(other,))
    assert len(due_actions(facts, START + 2 * MINUTE)) == 2


def test_both_are_paged_from_the_yes_until_done() -> None:
    now = START + 2 * MINUTE
    facts = accepted()
    assert paged(asked(), START) == ("ana",)
    assert paged(facts, now) == ("ana", "ben")
    facts, _ = live(facts, now)
    assert paged(facts, now) == ("ben",)


def test_an_incident_is_delegated_with_its_policy_and_only_in_place_of_the_giver() -> None:
    facts, _ = live(accepted(), START + 2 * MINUTE)
    assert [h.assigned for h in facts.incidents] == [("ben",), ("ben", "dora")]
    noted = replace(accepted(), incidents=(replace(INCIDENTS[0], noted=True),))
    noted = replace(noted, overrides=wanted_overrides(noted, START + 2 * MINUTE), absence=wanted_absence(noted))
    assert next_action(noted, START + 2 * MINUTE) == Delegate("I1", "ana", "ben", "sev0")


def test_a_resolved_incident_and_one_of_somebody_else_are_left_alone() -> None:
    others = (replace(INCIDENTS[0], open=False), replace(INCIDENTS[1], assigned=("dora",)))
    _, did = live(replace(accepted(), incidents=others), START + 2 * MINUTE)
    assert "note" not in did
    assert "delegate" not in did


def test_a_change_after_the_reading_asks_for_another_reading() -> None:
    now = START + 2 * MINUTE
    facts = accepted()
    while not isinstance(action := next_action(facts, now), Close):
        assert action is not None
        facts = applied(facts, action, now)
    facts = replace(facts, incidents=(*facts.incidents, replace(INCIDENTS[0], id="I3")))
    _, did = live(facts, now)
    assert did.startswith("note I3; delegate I3 to ben; read back; close: done")


def test_what_is_not_called_for_changes_nothing() -> None:
    facts, now = accepted(), START + 2 * MINUTE
    for action in (Close(State.DONE), ReadBack(), PagePerson("cho"), Close(State.EXPIRED)):
        assert applied(facts, action, now) is facts


def test_two_that_accept_at_one_instant_are_told_apart_by_who_was_offered_first() -> None:
    yes = Answer(yes=True, at=START + 7 * MINUTE)
    offers = (Offer("cho", START + 5 * MINUTE, yes), Offer("ben", START, yes))
    assert receiver(replace(asked(), offers=offers)) == "ben"


def test_a_yes_beats_a_later_cancellation_and_not_an_earlier_one() -> None:
    offers = (Offer("ben", START, Answer(yes=True, at=START + 2 * MINUTE)),)
    assert receiver(replace(asked(), offers=offers, cancelled_at=START + 3 * MINUTE)) == "ben"
    assert receiver(replace(asked(), offers=offers, cancelled_at=START + MINUTE)) is None


def test_of_two_records_of_a_confirmation_the_earlier_counts() -> None:
    facts = accepted()
    twice = tuple(replace(c, at=c.at + HOUR) for c in facts.confirmations)
    assert confirmed_at(replace(facts, confirmations=(*facts.confirmations, *twice))) == confirmed_at(facts)


def test_who_was_put_on_call_is_not_told_that_nothing_was_left() -> None:
    """Half of the overrides stand when a manager gives the rest of the watch to somebody else."""
    now = START + 2 * MINUTE
    facts = accepted()
    facts = applied(facts, due_actions(facts, now)[0], now)
    facts = replace(facts, segments=(segment(Role.PRIMARY, "eve", START, MONDAY, Why.OVERRIDE),))
    assert live(facts, now)[0].ended is not None
    assert state(live(facts, now)[0], now) is State.DONE
    assert state(facts, HOLIDAY) is State.NOTHING_LEFT


def test_an_offer_is_closed_when_the_watch_ends_unanswered() -> None:
    facts, _ = live(asked(), START)
    ended = tuple(s for s in SEGMENTS if s.person != "ana")
    assert state(replace(facts, segments=ended), START + MINUTE) is State.EXPIRED


def test_the_next_instant_to_look_again() -> None:
    facts, _ = live(asked(), START)
    assert next_action_at(facts, START) == START + 5 * MINUTE
    assert next_action_at(facts, START + 5 * MINUTE) == START + HOUR
    over, _ = live(answers.cancel(facts, ANA, START), START)
    assert next_action_at(over, START) is None
    assert next_action_at(accepted(), START + 2 * MINUTE) == HOLIDAY
