"""The emergency handover as stories that a manager can read, and its rules one by one."""

from dataclasses import replace
from datetime import datetime

import pytest

from desktop.domain import handover_answers as answers
from desktop.domain.handover import due_actions, next_action, next_action_at, on_call, paged, state
from desktop.domain.handover_actions import AddNote, Close, CreateOverride, Delegate, PagePerson, ReadBack, Tell
from desktop.domain.handover_effects import applied
from desktop.domain.handover_facts import (
    Answer,
    Confirmation,
    Handover,
    Kind,
    Offer,
    Point,
    State,
    accepted_at,
    confirmed_at,
    receiver,
)
from desktop.domain.handover_watch import left_out, wanted_absences, wanted_overrides
from desktop.domain.segments import Why
from desktop.domain.team import Absence, Override, Role
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
        (5, "", "accepted", "ana", ""),
        (6, "", "accepted", "ana", "remind ben, ana, dora of ben; page cho"),
        (11, "", "accepted", "ana", "page dora"),
        (24 * 60, "", "nothing left", "ben", f"close: nothing left; tell {ALL}: nothing left"),
    ],
    "ben confirms late, before anybody else said yes": [
        (0, "", "paging", "ana", "page ben"),
        (1, "ben accepts", "accepted", "ana", "tell ana, ben: accepted"),
        (2, "ben confirms briefing", "accepted", "ana", ""),
        (6, "", "accepted", "ana", "remind ben, ana, dora of ben; page cho"),
        (7, "ben confirms access", "done", "ben", HANDED.replace("ana, ben:", "ana, ben, cho:")),
    ],
    "ben never confirms, and cho takes over": [
        (0, "", "paging", "ana", "page ben"),
        (1, "ben accepts", "accepted", "ana", "tell ana, ben: accepted"),
        (2, "ben confirms briefing", "accepted", "ana", ""),
        (6, "", "accepted", "ana", "remind ben, ana, dora of ben; page cho"),
        (8, "cho accepts", "accepted", "ana", "tell ana, ben, cho: accepted"),
        (9, "cho confirms access", "accepted", "ana", ""),
        (13, "", "accepted", "ana", "remind cho, ana, dora of cho; page dora"),
        (14, "ana waives briefing", "done", "cho", HANDED.replace("ana, ben:", f"{ALL}:").replace("y ben", "y cho")
            .replace("to ben", "to cho")),
    ],
    "ben never confirms, cho does not either, and ben says yes again": [
        (0, "", "paging", "ana", "page ben"),
        (1, "ben accepts", "accepted", "ana", "tell ana, ben: accepted"),
        (2, "ben confirms briefing", "accepted", "ana", ""),
        (6, "", "accepted", "ana", "remind ben, ana, dora of ben; page cho"),
        (8, "cho accepts", "accepted", "ana", "tell ana, ben, cho: accepted"),
        (13, "ben accepts", "accepted", "ana", "tell ana, ben, cho: accepted"),
        (18, "", "accepted", "ana", "remind ben, ana, dora of ben; page dora"),
        (19, "ben confirms access", "done", "ben", HANDED.replace("ana, ben:", f"{ALL}:")),
    ],
    "ben never confirms, and ana calls it off": [
        (0, "", "paging", "ana", "page ben"),
        (1, "ben accepts", "accepted", "ana", "tell ana, ben: accepted"),
        (7, "ana cancels", "cancelled", "ana", "close: cancelled; tell ana, ben: cancelled"),
    ],
}  # fmt: skip


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
        assert (did, state(facts, now), on_call(facts, now)) == (does, stands, person), f"{minute}: {deed}"


@pytest.mark.parametrize("story", STORIES)
def test_story(story: str) -> None:
    play(replace(asked(), incidents=INCIDENTS), STORIES[story])


def test_after_the_watch_the_schedule_says_who_is_on_call_however_it_ended() -> None:
    late = 24 * 60 - 8
    facts = replace(asked(), requested_at=START + late * MINUTE)
    play(
        facts,
        [
            (late, "", "paging", "ana", "page ben"),
            (late + 5, "", "paging", "ana", "page cho"),
            (24 * 60, "", "expired", "ben", "close: expired; tell ana, ben, cho: expired"),
            (48 * 60, "", "expired", "ana", ""),
        ],
    )


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


def accepted(minute: int = 2, *, stays: bool = False, facts: Handover | None = None) -> Handover:
    """Return a handover that Ben accepted a minute before, and confirmed, ``minute`` minutes after the start."""
    facts, _ = live(facts or asked(stays=stays), START)
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


def test_the_absence_lasts_as_long_as_the_watch_unless_they_say_otherwise() -> None:
    now = START + 2 * MINUTE
    assert wanted_absences(accepted(), now) == (Absence("ana", now, MONDAY, cover="ben"),)
    assert wanted_absences(asked(), START) == ()
    assert wanted_overrides(asked(), START) == ()
    facts, did = live(accepted(stays=True), now)
    assert "absence" not in did
    assert facts.ended is not None


def test_nothing_is_wanted_before_both_confirmations_and_the_reason_names_the_handover() -> None:
    now = START + 2 * MINUTE
    half = replace(accepted(), confirmations=accepted().confirmations[:1])
    assert wanted_overrides(half, now) == ()
    assert wanted_absences(half, now) == ()
    assert {o.reason for o in wanted_overrides(accepted(), now)} == {"Handover H1"}


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
    assert paged(facts, MONDAY + 24 * HOUR) == ("ana",)


def test_whoever_else_the_schedule_names_is_said_and_paged() -> None:
    """A manager gives an hour of the watch to somebody else, and nobody the rest."""
    now = START + 2 * MINUTE
    given = (segment(Role.PRIMARY, "eve", START, START + HOUR, Why.OVERRIDE),)
    facts = replace(accepted(), segments=given)
    assert (on_call(facts, now), paged(facts, now)) == ("eve", ("eve",))
    facts = replace(facts, overrides=(Override(Role.PRIMARY, "ben", now, MONDAY),))
    assert paged(facts, now) == ("eve", "ben")
    assert (on_call(facts, START + HOUR), paged(facts, START + HOUR)) == (None, ("ben",))
    assert paged(asked(), MONDAY + 999 * HOUR) == ()


def test_on_call_is_about_the_role_that_changes_hands() -> None:
    facts, _ = live(accepted(), START + 2 * MINUTE)
    others = (Override(Role.SECONDARY, "ben", START, MONDAY),)
    assert on_call(replace(facts, overrides=others), START + HOUR) == "ana"
    assert on_call(replace(facts, segments=SEGMENTS[::-1]), START + HOUR) == "ben"


def test_an_incident_is_delegated_with_its_policy_and_only_in_place_of_the_giver() -> None:
    facts, _ = live(accepted(), START + 2 * MINUTE)
    assert [h.assigned for h in facts.incidents] == [("ben",), ("ben", "dora")]
    noted = replace(accepted(), incidents=(replace(INCIDENTS[0], noted=True),))
    noted = replace(
        noted,
        overrides=wanted_overrides(noted, START + 2 * MINUTE),
        absences=wanted_absences(noted, START + 2 * MINUTE),
    )
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
    for first, second in (("ben", "cho"), ("cho", "ben")):
        offers = (Offer(second, START + 5 * MINUTE, yes), Offer(first, START, yes))
        assert receiver(replace(asked(), offers=offers)) == first


def test_the_first_to_accept_wins_whoever_was_offered_first() -> None:
    offers = (
        Offer("ben", START, Answer(yes=True, at=START + 9 * MINUTE)),
        Offer("cho", START + 5 * MINUTE, Answer(yes=True, at=START + 7 * MINUTE)),
    )
    assert receiver(replace(asked(), offers=offers)) == "cho"


def test_a_yes_beats_a_later_cancellation_and_not_an_earlier_one() -> None:
    offers = (Offer("ben", START, Answer(yes=True, at=START + 2 * MINUTE)),)
    assert receiver(replace(asked(), offers=offers, cancelled_at=START + 3 * MINUTE)) == "ben"
    assert receiver(replace(asked(), offers=offers, cancelled_at=START + 2 * MINUTE)) == "ben"
    assert receiver(replace(asked(), offers=offers, cancelled_at=START + MINUTE)) is None


def test_a_yes_an_hour_after_the_last_offer_comes_too_late() -> None:
    late = Offer("ben", START, Answer(yes=True, at=START + HOUR))
    assert receiver(replace(asked(), offers=(late,))) is None
    assert receiver(replace(asked(), offers=(late, Offer("cho", START + MINUTE)))) == "ben"


# Ben accepted at minute 1 | the points that he confirmed and when | Cho's yes | a cancellation | whose it is
LAPSES = [
    ((), None, None, "ben"),
    ((), 5, None, "ben"),
    ((), 6, None, "cho"),
    ((), None, 5, "ben"),
    ((), None, 6, None),
    ((3, 6), 6, None, "ben"),
    ((3, 7), 6, None, "cho"),
    ((3,), 6, None, "cho"),
    ((3, 6), None, 6, "ben"),
    ((3, 7), None, 6, None),
    ((), 6, 3, "cho"),
    ((), 8, 7, None),
    ((), 8, 9, "cho"),
    ((), 8, 13, None),
]


@pytest.mark.parametrize(("confirmed", "chos_yes", "cancelled", "expected"), LAPSES)
def test_a_yes_that_is_not_confirmed_holds_for_five_minutes_and_then_until_somebody_else_acts(
    confirmed: tuple[int, ...], chos_yes: int | None, cancelled: int | None, expected: str | None
) -> None:
    def at(minute: int) -> datetime:
        return START + minute * MINUTE

    offers = [Offer("ben", START, Answer(yes=True, at=at(1)))]
    if chos_yes is not None:
        offers.append(Offer("cho", START, Answer(yes=True, at=at(chos_yes))))
    facts = replace(
        asked(),
        offers=tuple(offers),
        confirmations=tuple(Confirmation(p, "ben", "ben", at(m)) for p, m in zip(Point, confirmed, strict=False)),
        cancelled_at=None if cancelled is None else at(cancelled),
    )
    assert receiver(facts) == expected


def test_the_watch_changes_hands_from_the_last_of_the_yes_and_both_confirmations_on() -> None:
    yes = replace(asked(), offers=(Offer("ben", START, Answer(yes=True, at=START + 3 * MINUTE)),))
    for minutes in ((4, 5), (5, 4), (1, 2), (1, 4)):
        confirmations = tuple(
            Confirmation(p, "ben", "ben", START + m * MINUTE) for p, m in zip(Point, minutes, strict=True)
        )
        at = confirmed_at(replace(yes, confirmations=confirmations))
        assert at == START + max(3, *minutes) * MINUTE
    assert accepted_at(yes) == START + 3 * MINUTE
    assert accepted_at(asked()) is confirmed_at(asked()) is None


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
    assert next_action_at(facts, MONDAY - MINUTE) == MONDAY
    over, _ = live(answers.cancel(facts, ANA, START), START)
    assert next_action_at(over, START) is None
    now = START + 2 * MINUTE
    assert next_action_at(accepted(), now) == HOLIDAY
    unconfirmed = replace(accepted(), confirmations=())
    assert next_action_at(unconfirmed, now) == START + 5 * MINUTE
    assert next_action_at(unconfirmed, START + 5 * MINUTE) == START + 6 * MINUTE
    assert next_action_at(unconfirmed, START + 6 * MINUTE) == HOLIDAY
    assert next_action_at(unconfirmed, MONDAY + 99 * HOUR) is None


def test_an_earlier_offer_does_not_decide_when_the_next_one_is_made() -> None:
    facts, _ = live(answers.decline(live(asked(), START)[0], "ben", START + MINUTE), START + MINUTE)
    assert [o.person for o in facts.offers] == ["ben", "cho"]
    assert next_action_at(facts, START + MINUTE) == START + 6 * MINUTE


def test_asked_for_and_nobody_paged_yet_is_requested() -> None:
    assert state(asked(), START) is State.REQUESTED


def test_the_note_in_an_incident_says_what_happened_and_names_the_handover() -> None:
    facts = accepted()
    now = START + 2 * MINUTE
    facts = replace(facts, overrides=wanted_overrides(facts, now), absences=wanted_absences(facts, now))
    action = next_action(facts, now)
    assert isinstance(action, AddNote)
    assert action.text == "Handover H1: the watch goes from ana to ben, this incident with it."


def test_when_it_ended_is_on_the_record() -> None:
    facts, _ = live(accepted(), START + 7 * MINUTE)
    assert facts.ended is not None
    assert facts.ended.at == START + 7 * MINUTE


def test_what_the_receiver_cannot_have_is_said_when_they_accept() -> None:
    away = (Absence("ben", START + 2 * HOUR, START + 3 * HOUR),)
    facts = answers.accept(live(replace(asked(), away=away), START)[0], "ben", START + MINUTE)
    told = next_action(facts, START + MINUTE)
    assert isinstance(told, Tell)
    assert told.receiver == "ben"
    assert [(s.person, s.start, s.end) for s in told.left_out] == [("ana", START + 2 * HOUR, START + 3 * HOUR)]
    # The same an hour later, so that what somebody else does late is still what was called for.
    assert next_action(facts, START + HOUR) == told
    assert left_out(asked()) == ()


def test_what_is_left_out_stays_with_the_giver_and_they_are_not_absent_for_it() -> None:
    now, away = START + 2 * MINUTE, (Absence("ben", START + 2 * HOUR, START + 3 * HOUR),)
    facts = accepted(facts=replace(asked(), away=away))
    made = [(o.person, o.start, o.end) for o in wanted_overrides(facts, now)]
    assert made == [
        ("ben", now, START + 2 * HOUR),
        ("ben", START + 3 * HOUR, HOLIDAY),
        ("ben", HOLIDAY, MONDAY),
    ]
    absences = [(a.person, a.start, a.end) for a in wanted_absences(facts, now)]
    assert absences == [("ana", now, START + 2 * HOUR), ("ana", START + 3 * HOUR, MONDAY)]
    facts, _ = live(facts, now)
    assert [on_call(facts, START + n * HOUR) for n in (1, 2, 3)] == ["ben", "ana", "ben"]


def test_a_receiver_who_has_become_absent_for_all_of_it_has_nothing_to_take_over() -> None:
    facts = replace(accepted(), away=(Absence("ben", START, MONDAY),))
    assert state(facts, START + 2 * MINUTE) is State.NOTHING_LEFT
    # Unconfirmed, their yes lapses, and others are asked.
    assert state(replace(facts, confirmations=()), START + 2 * MINUTE) is State.ACCEPTED


def test_an_absence_recorded_late_is_not_recorded_twice() -> None:
    now = START + 2 * MINUTE
    facts = replace(accepted(), overrides=wanted_overrides(accepted(), now))
    later = now + MINUTE
    assert named(next_action(facts, later) or Close(State.DONE)) == "absence ana"
    facts = replace(facts, absences=(Absence("ana", later, MONDAY, cover="ben"),))
    assert "absence" not in live(facts, later)[1]
    short = replace(facts, absences=(Absence("ana", now, HOLIDAY, cover="ben"),))
    assert live(short, later)[1].startswith("absence ana")


def test_who_took_the_watch_and_fell_silent_is_not_asked_whom_to_ask() -> None:
    play(
        asked(Kind.TAKE, BEN, auto_next=False),
        [
            (0, "", "accepted", "ana", "tell ben, ana: accepted"),
            (5, "", "accepted", "ana", "remind ben, ana, dora of ben; page cho"),
        ],
    )


def test_without_auto_next_the_asker_decides_who_is_asked_after_a_yes_that_was_not_confirmed() -> None:
    play(
        asked(auto_next=False),
        [
            (0, "", "paging", "ana", "page ben"),
            (1, "ben accepts", "accepted", "ana", "tell ana, ben: accepted"),
            (6, "", "accepted", "ana", "remind ben, ana, dora of ben; ask ana about cho"),
            (7, "ana allows dora", "accepted", "ana", "page dora"),
            (8, "dora accepts", "accepted", "ana", "tell ana, ben, dora: accepted"),
        ],
    )
