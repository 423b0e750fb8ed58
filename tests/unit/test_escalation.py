"""The escalation of one incident: every rule of design section 3 as a row of a table, and what must hold always."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.business import BusinessHours
from desktop.domain.escalation import (
    EMERGENCY_GRACE,
    MAX_REPEATS,
    Event,
    Exhausted,
    Page,
    Policy,
    Progress,
    Reason,
    Step,
    WhoIsOnCall,
    advance,
    begin,
    default_policy,
    escalate,
    next_action_at,
    next_step_at,
    resume,
    take_over,
)
from desktop.domain.severity import DEFAULT_TARGETS, Severity

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 1, 7, 3, 0, tzinfo=UTC)  # a Wednesday, three in the morning
HOURS = BusinessHours(ZoneInfo("UTC"), frozenset({date(2026, 1, 8)}))
TEAM = {"primary": ("ana",), "secondary": ("ben",), "manager": ("cho",), "emergency": ("dir",)}


def team(people: Mapping[str, tuple[str, ...]]) -> WhoIsOnCall:
    return lambda role: people.get(role, ())


def policy(severity: Severity) -> Policy:
    return default_policy(severity, DEFAULT_TARGETS[severity])


def told(events: tuple[Event, ...]) -> list[tuple[str, ...]]:
    """Name each event shortly: its reason and whom it pages."""
    return [(e.reason.value, *e.people) if isinstance(e, Page) else ("exhausted",) for e in events]


def run(plan: Policy, progress: Progress, until: datetime, who: WhoIsOnCall) -> list[tuple[timedelta, Event]]:
    """Live through an escalation at exactly the instants that it asks for; return what happened when."""
    story: list[tuple[timedelta, Event]] = []
    while (due := next_action_at(plan, progress, HOURS)) is not None and due <= until:
        progress, events = advance(plan, progress, due, who, HOURS)
        story += [(due - START, event) for event in events]
    return story


def steps_of(story: list[tuple[timedelta, Event]]) -> list[tuple[timedelta, tuple[str, ...]]]:
    return [(at, e.people) for at, e in story if isinstance(e, Page) and e.reason is Reason.STEP]


class TestTheTimes:
    """Primary at once; secondary, manager and emergency after 1, 2 and 4 acknowledge targets."""

    @pytest.mark.parametrize(
        ("severity", "expected"),
        [
            (Severity.SEV0, [(0, "ana"), (15, "ben"), (30, "cho"), (60, "dir")]),
            (Severity.SEV1, [(0, "ana"), (30, "ben"), (60, "cho"), (120, "dir")]),
            # Manager in business hours only: at 09:00, six hours after the trigger.
            (Severity.SEV2, [(0, "ana"), (60, "ben"), (360, "cho")]),
            # 4 h to the secondary, 8 h to the manager: 11:00, in business hours.
            (Severity.SEV3, [(0, "ana"), (240, "ben"), (480, "cho")]),
        ],
    )
    def test_each_severity(self, severity: Severity, expected: list[tuple[int, str]]) -> None:
        story = run(policy(severity), begin(START), START + 12 * HOUR, team(TEAM))
        assert steps_of(story) == [(minutes * MINUTE, (person,)) for minutes, person in expected]

    def test_those_paged_are_paged_again_every_target(self) -> None:
        story = run(policy(Severity.SEV0), begin(START), START + HOUR, team(TEAM))
        again = [(at / MINUTE, e.people) for at, e in story if isinstance(e, Page) and e.reason is Reason.AGAIN]
        assert again == [
            (15, ("ana",)),
            (30, ("ana", "ben")),
            (45, ("ana", "ben", "cho")),
            (60, ("ana", "ben", "cho")),
        ]

    def test_rounds_start_a_target_after_the_last_step(self) -> None:
        story = run(policy(Severity.SEV0), begin(START), START + 4 * HOUR, team(TEAM))
        rounds = [(at / MINUTE, e.people) for at, e in story if isinstance(e, Page) and e.reason is Reason.ROUND]
        assert rounds[:5] == [(75, ("ana",)), (90, ("ben",)), (105, ("cho",)), (135, ("dir",)), (150, ("ana",))]

    @pytest.mark.parametrize(("severity", "rounds"), [(s, MAX_REPEATS if s.repeats else 0) for s in Severity])
    def test_exhausted_once_after_the_last_round_and_still_ringing(self, severity: Severity, rounds: int) -> None:
        story = run(policy(severity), begin(START), START + 30 * DAY, team(TEAM))
        ends = [at for at, e in story if isinstance(e, Exhausted)]
        starts = [e for _, e in story if isinstance(e, Page) and e.reason is Reason.ROUND and e.people == ("ana",)]
        assert (len(ends), len(starts)) == (1, rounds)
        assert [e for at, e in story if at > ends[0] and isinstance(e, Page) and e.reason is Reason.AGAIN]


class TestWhoIsAdded:
    """Each step adds; nobody is released, nobody paged twice by one round."""

    @pytest.mark.parametrize(
        ("people", "expected"),
        [
            ({**TEAM, "secondary": ()}, [(0, "ana"), (15, "cho"), (60, "dir")]),
            ({**TEAM, "secondary": ("ana",)}, [(0, "ana"), (15, "cho"), (60, "dir")]),
            ({**TEAM, "primary": ()}, [(0, "ben"), (30, "cho"), (60, "dir")]),
            ({**TEAM, "primary": (), "secondary": ()}, [(0, "cho"), (60, "dir")]),
            ({**TEAM, "manager": ("ana",)}, [(0, "ana"), (15, "ben"), (30, "dir")]),
            ({"primary": ("ana",)}, [(0, "ana")]),
            ({"emergency": ("dir",)}, [(0, "dir")]),
        ],
        ids=["no secondary", "same person", "no primary", "neither", "manager is primary", "alone", "emergency only"],
    )
    def test_a_step_that_adds_nobody_fires_the_next_at_once(
        self, people: dict[str, tuple[str, ...]], expected: list[tuple[int, str]]
    ) -> None:
        story = run(policy(Severity.SEV0), begin(START), START + HOUR, team(people))
        assert steps_of(story) == [(minutes * MINUTE, (person,)) for minutes, person in expected]

    def test_nobody_at_all_is_exhausted_and_asks_for_nothing_more(self) -> None:
        plan = Policy((Step(timedelta(0), ("primary",)), Step(HOUR, ("secondary",))), HOUR)
        progress, events = advance(plan, begin(START), START, team({}), HOURS)
        assert events == ()
        progress, events = advance(plan, progress, START + DAY, team({}), HOURS)
        assert told(events) == [("exhausted",)]
        assert next_action_at(plan, progress, HOURS) is None

    def test_an_empty_step_does_not_wake_who_waits_for_business_hours(self) -> None:
        story = run(policy(Severity.SEV2), begin(START), START + 12 * HOUR, team({**TEAM, "secondary": ()}))
        assert steps_of(story) == [(timedelta(0), ("ana",)), (6 * HOUR, ("cho",))]

    def test_both_who_hold_a_role_are_paged(self) -> None:
        _, events = advance(policy(Severity.SEV0), begin(START), START, team({"primary": ("ana", "ben")}), HOURS)
        assert told(events) == [("step", "ana", "ben")]

    def test_a_step_of_several_roles_pages_each_person_once(self) -> None:
        plan = Policy((Step(timedelta(0), ("primary", "secondary")),), MINUTE)
        _, events = advance(plan, begin(START), START, team({"primary": ("ana",), "secondary": ("ana",)}), HOURS)
        assert told(events) == [("step", "ana")]


class TestBusinessHours:
    def test_later_steps_wait_equally(self) -> None:
        plan = Policy(
            (Step(timedelta(0), ("manager",), business=True), Step(HOUR, ("primary",)), Step(2 * HOUR, ("secondary",))),
            HOUR,
        )
        story = run(plan, begin(START), START + 12 * HOUR, team(TEAM))
        assert steps_of(story) == [(6 * HOUR, ("cho",)), (7 * HOUR, ("ana",)), (8 * HOUR, ("ben",))]

    def test_a_holiday_is_waited_out(self) -> None:
        at = datetime(2026, 1, 7, 16, 30, tzinfo=UTC)  # the next day is a holiday
        plan = Policy((Step(HOUR, ("manager",), business=True),), HOUR)
        assert next_step_at(plan, begin(at), HOURS) == datetime(2026, 1, 9, 9, 0, tzinfo=UTC)

    def test_found_overdue_at_night_it_waits_for_the_morning(self) -> None:
        plan = Policy((Step(7 * HOUR, ("manager",), business=True), Step(8 * HOUR, ("primary",))), HOUR)
        night = datetime(2026, 1, 10, 2, 0, tzinfo=UTC)  # a Saturday
        progress, events = advance(plan, begin(START), night, team(TEAM), HOURS)
        assert events == ()
        monday = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)
        assert next_step_at(plan, progress, HOURS) == monday
        progress, events = advance(plan, progress, monday, team(TEAM), HOURS)
        assert told(events) == [("step", "cho")]
        assert next_step_at(plan, progress, HOURS) == monday + HOUR

    def test_a_moment_late_at_closing_time_is_not_a_night(self) -> None:
        due = datetime(2026, 1, 7, 16, 59, 59, tzinfo=UTC)
        plan = Policy((Step(due - START, ("manager",), business=True),), HOUR)
        _, events = advance(plan, begin(START), due + 2 * SECOND, team(TEAM), HOURS)
        assert told(events) == [("step", "cho")]


class TestAfterAnOutage:
    def test_overdue_steps_fire_at_once_and_emergency_five_minutes_later(self) -> None:
        plan = policy(Severity.SEV0)
        progress, _ = advance(plan, begin(START), START, team(TEAM), HOURS)
        back = START + 10 * HOUR
        progress, events = advance(plan, progress, back, team(TEAM), HOURS)
        assert told(events) == [("step", "ben"), ("step", "cho"), ("again", "ana")]
        assert next_action_at(plan, progress, HOURS) == back + EMERGENCY_GRACE
        progress, events = advance(plan, progress, back + EMERGENCY_GRACE, team(TEAM), HOURS)
        assert told(events)[0] == ("step", "dir")

    def test_it_does_not_burn_the_rounds(self) -> None:
        plan = policy(Severity.SEV0)
        back = START + 7 * DAY
        progress, _ = advance(plan, begin(START), back, team(TEAM), HOURS)
        progress, events = advance(plan, progress, back + EMERGENCY_GRACE, team(TEAM), HOURS)
        assert told(events)[0] == ("step", "dir")
        assert progress.round == 0
        assert next_step_at(plan, progress, HOURS) == back + EMERGENCY_GRACE + plan.page_again
        # Once more asleep, in the middle of a round: the next round starts when it wakes, one at a time.
        progress, _ = advance(plan, progress, back + DAY, team(TEAM), HOURS)
        assert (progress.round, progress.exhausted) == (1, False)

    def test_an_acknowledgement_in_the_grace_forgets_it(self) -> None:
        plan = policy(Severity.SEV0)
        back = START + 10 * HOUR
        progress, _ = advance(plan, begin(START), back, team(TEAM), HOURS)
        progress, _ = resume(plan, progress, back + HOUR, team(TEAM), HOURS)
        # After its original gap: the manager at 2, emergency at 4 targets.
        assert next_step_at(plan, progress, HOURS) == back + HOUR + 30 * MINUTE

    def test_a_step_a_moment_late_is_no_outage(self) -> None:
        plan = policy(Severity.SEV0)
        progress, _ = advance(plan, begin(START), START + 30 * MINUTE, team(TEAM), HOURS)
        _, events = advance(plan, progress, START + HOUR + 30 * SECOND, team(TEAM), HOURS)
        assert ("step", "dir") in told(events)


class TestWhenAnAcknowledgementEnds:
    def test_everyone_is_paged_and_the_next_step_follows_after_its_gap(self) -> None:
        plan = policy(Severity.SEV0)
        progress, _ = advance(plan, begin(START), START, team(TEAM), HOURS)
        progress, _ = advance(plan, progress, START + 15 * MINUTE, team(TEAM), HOURS)
        at = START + 2 * HOUR
        progress, events = resume(plan, progress, at, team(TEAM), HOURS)
        assert told(events) == [("acknowledgement ended", "ana", "ben")]
        assert next_step_at(plan, progress, HOURS) == at + 15 * MINUTE
        assert progress.again_at == at + 15 * MINUTE

    def test_nobody_was_paged_then_nobody_is(self) -> None:
        assert resume(policy(Severity.SEV0), begin(START), START + HOUR, team({}), HOURS)[1] == ()

    def test_after_the_last_step_a_round_follows(self) -> None:
        plan = policy(Severity.SEV0)
        progress = begin(START)
        for minutes in (0, 15, 30, 60):
            progress, _ = advance(plan, progress, START + minutes * MINUTE, team(TEAM), HOURS)
        progress, _ = resume(plan, progress, START + 3 * HOUR, team(TEAM), HOURS)
        progress, events = advance(plan, progress, START + 3 * HOUR + 15 * MINUTE, team(TEAM), HOURS)
        assert told(events)[0] == ("round", "ana")


class TestTakingOver:
    def test_the_new_primary_is_added_at_once(self) -> None:
        plan = policy(Severity.SEV0)
        progress, _ = advance(plan, begin(START), START, team(TEAM), HOURS)
        changed = team({**TEAM, "primary": ("eve",), "secondary": ("fay",)})
        progress, events = take_over(plan, progress, START + MINUTE, changed)
        # The secondary has not been reached: the new one waits for that step.
        assert told(events) == [("took over", "eve")]
        assert progress.ever == ("ana", "eve")
        assert take_over(plan, progress, START + MINUTE, changed) == (progress, ())

    def test_in_a_later_round_every_role_counts(self) -> None:
        plan = policy(Severity.SEV0)
        progress = replace(begin(START), round=1, ever=("ana", "ben", "cho", "dir"))
        _, events = take_over(plan, progress, START, team({**TEAM, "manager": ("eve",)}))
        assert told(events) == [("took over", "eve")]

    def test_the_first_on_call_after_nobody_is_paged_again_like_any_other(self) -> None:
        plan = policy(Severity.SEV2)
        progress, _ = advance(plan, begin(START), START + DAY, team({}), HOURS)
        progress, events = take_over(plan, progress, START + DAY, team(TEAM))
        assert events
        assert next_action_at(plan, progress, HOURS) == START + DAY + plan.page_again


class TestEscalatingByHand:
    @pytest.mark.parametrize(
        ("upto", "people", "expected", "next_in"),
        [
            (2, TEAM, [("ben",)], 15),
            (3, TEAM, [("ben",), ("cho",)], 30),
            (4, TEAM, [("ben",), ("cho",), ("dir",)], 15),
            (9, TEAM, [("ben",), ("cho",), ("dir",)], 15),
            (2, {**TEAM, "secondary": ()}, [("cho",)], 30),
        ],
        ids=["one", "two", "all", "more than there are", "past an empty one"],
    )
    def test_up_to_a_step(
        self, upto: int, people: dict[str, tuple[str, ...]], expected: list[tuple[str, ...]], next_in: int
    ) -> None:
        plan = policy(Severity.SEV0)
        progress, _ = advance(plan, begin(START), START, team(people), HOURS)
        at = START + MINUTE
        progress, events = escalate(plan, progress, at, upto, team(people))
        assert [e.people for e in events] == expected
        assert next_step_at(plan, progress, HOURS) == at + next_in * MINUTE

    def test_it_does_not_wait_for_business_hours(self) -> None:
        plan = policy(Severity.SEV2)
        progress, _ = advance(plan, begin(START), START, team(TEAM), HOURS)
        _, events = escalate(plan, progress, START, 3, team(TEAM))
        assert [e.people for e in events] == [("ben",), ("cho",)]

    def test_a_list_without_steps_has_nothing_to_escalate(self) -> None:
        plan = Policy((), MINUTE)
        assert escalate(plan, begin(START), START, 3, team(TEAM)) == (begin(START), ())


# --- what must hold whatever the list, the team and the times ---------------------------------------------------------

Holders = dict[str, tuple[str, ...]]
Instant = tuple[datetime, Holders, str]
Life = tuple[Policy, list[Instant]]

PEOPLE = tuple("abcdef")
ROLES = ("primary", "secondary", "manager", "emergency")
durations = st.integers(0, 600).map(lambda minutes: minutes * MINUTE)


@st.composite
def plans(draw: st.DrawFn) -> Policy:
    afters = sorted(draw(st.lists(durations, max_size=5)))
    steps = tuple(
        Step(after, tuple(draw(st.lists(st.sampled_from(ROLES), min_size=1, max_size=2))), draw(st.booleans()))
        for after in afters
    )
    return Policy(steps, draw(st.integers(1, 300)) * MINUTE, draw(st.integers(0, 3)))


teams = st.dictionaries(st.sampled_from(ROLES), st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True).map(tuple))
gaps = st.lists(st.integers(0, 3 * 24 * 60), min_size=1, max_size=12)


@st.composite
def lives(
    draw: st.DrawFn,
) -> Life:
    """Draw a list, and instants at which one of the things happens that can happen to an incident."""
    plan, at = draw(plans()), START
    moments: list[Instant] = []
    for gap in draw(gaps):
        at += gap * MINUTE
        what = draw(st.sampled_from(["advance", "advance", "take over", "resume", "escalate"]))
        moments.append((at, draw(teams), what))
    return plan, moments


def live(plan: Policy, progress: Progress, moment: Instant) -> tuple[Progress, tuple[Event, ...]]:
    at, people, what = moment
    if what == "take over":
        return take_over(plan, progress, at, team(people))
    if what == "resume":
        return resume(plan, progress, at, team(people), HOURS)
    if what == "escalate":
        return escalate(plan, progress, at, progress.step + 1, team(people))
    return advance(plan, progress, at, team(people), HOURS)


@given(lives())
def test_it_only_ever_adds(life: Life) -> None:
    plan, moments = life
    progress = begin(START)
    for moment in moments:
        before = progress
        progress, events = live(plan, progress, moment)
        assert progress.ever[: len(before.ever)] == before.ever
        assert len(set(progress.ever)) == len(progress.ever)
        paged = {p for e in events if isinstance(e, Page) for p in e.people}
        assert paged <= set(progress.ever)
        assert set(progress.ever) - set(before.ever) <= paged
        assert progress.round >= before.round
        assert progress.exhausted >= before.exhausted


@given(lives())
def test_advancing_again_at_the_same_instant_does_nothing(life: Life) -> None:
    plan, moments = life
    progress = begin(START)
    for moment in moments:
        progress, _ = live(plan, progress, moment)
        at, people, _ = moment
        progress, _ = advance(plan, progress, at, team(people), HOURS)
        assert advance(plan, progress, at, team(people), HOURS) == (progress, ())
        due = next_action_at(plan, progress, HOURS)
        assert due is None or due > at


@given(plans(), teams)
def test_it_ends_and_pages_nobody_twice_at_one_instant(plan: Policy, people: Holders) -> None:
    progress, at = begin(START), START
    for _ in range(400):
        progress, events = advance(plan, progress, at, team(people), HOURS)
        if progress.round == 0:
            paged = [p for e in events if isinstance(e, Page) for p in e.people]
            assert len(paged) == len(set(paged))
        due = next_action_at(plan, progress, HOURS)
        if due is None or progress.exhausted:
            return
        at = due
    raise AssertionError("never exhausted")


@given(plans(), teams, st.lists(st.integers(0, 3000), max_size=20))
def test_restarts_anywhere_give_each_step_exactly_once(plan: Policy, people: Holders, looks: list[int]) -> None:
    """However often, and however irregularly, somebody looks: the steps of a round are the same, each once."""
    alone = replace(plan, repeats=0)
    long_after = START + 60 * DAY
    expected = _steps_fired(alone, people, [])
    assert _steps_fired(alone, people, sorted(START + m * MINUTE for m in looks)) == expected
    progress, _ = advance(alone, begin(START), long_after, team(people), HOURS)
    while not progress.exhausted:
        due = next_step_at(alone, progress, HOURS)
        assert due is not None
        progress, _ = advance(alone, progress, due, team(people), HOURS)
    assert set(progress.ever) == {p for e in expected for p in e}


def _steps_fired(plan: Policy, people: Holders, looks: list[datetime]) -> list[tuple[str, ...]]:
    """Return whom each step added, looking at the instants that the list asks for and at ``looks`` besides."""
    progress, fired, extra = begin(START), [], list(looks)
    while not progress.exhausted:
        due = next_step_at(plan, progress, HOURS)
        assert due is not None
        at = min(due, extra.pop(0)) if extra else due
        progress, events = advance(plan, progress, max(at, START), team(people), HOURS)
        fired += [e.people for e in events if isinstance(e, Page) and e.reason is Reason.STEP]
    return fired
