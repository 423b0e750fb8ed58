"""The escalation of one incident: what must hold whatever the list, the team and the times."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.escalation import (
    EMERGENCY_GRACE,
    Event,
    Page,
    Policy,
    Progress,
    Reason,
    Step,
    advance,
    begin,
    escalate,
    next_action_at,
    next_step_at,
    resume,
    take_over,
)
from tests.unit.test_escalation import DAY, HOURS, MINUTE, SECOND, START, TEAM, team

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
gaps = st.lists(
    st.integers(0, 3 * 24 * 60).map(lambda minutes: minutes * MINUTE)
    | st.integers(0, 120).map(lambda seconds: seconds * SECOND),
    min_size=1,
    max_size=12,
)


@st.composite
def lives(
    draw: st.DrawFn,
) -> Life:
    """Draw a list, and instants at which one of the things happens that can happen to an incident."""
    plan, at = draw(plans()), START
    if draw(st.booleans()):
        plan = replace(plan, page_again=draw(st.integers(1, 120)) * SECOND)
    moments: list[Instant] = []
    for gap in draw(gaps):
        at += gap
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


def nobody_twice(events: tuple[Event, ...]) -> None:
    paged = [p for e in events if isinstance(e, Page) for p in e.people]
    assert len(paged) == len(set(paged))


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
    for _ in range((plan.repeats + 1) * (len(plan.steps) + 1) + 1):
        progress, events = advance(plan, progress, at, team(people), HOURS)
        nobody_twice(events)
        due = next_step_at(plan, progress, HOURS)
        if due is None:
            assert progress.exhausted
            return
        at = due
    raise AssertionError("never exhausted")


@given(lives())
def test_whenever_somebody_looks_nobody_is_paged_twice_and_at_most_one_round_begins(life: Life) -> None:
    plan, moments = life
    progress = begin(START)
    for moment in moments:
        before = progress
        progress, events = live(plan, progress, moment)
        if moment[2] != "escalate":
            nobody_twice(events)
        assert progress.round - before.round <= 1
        assert not (progress.exhausted > before.exhausted and progress.round > before.round)


@given(plans(), teams, gaps)
def test_what_follows_a_round_leaves_its_last_step_the_time_to_answer(
    plan: Policy, people: Holders, waits: list[timedelta]
) -> None:
    progress, at, fired = begin(START), START, START
    for wait in waits:
        before = progress
        at += wait
        progress, _ = advance(plan, progress, at, team(people), HOURS)
        ended = progress.round > before.round or progress.exhausted > before.exhausted
        if ended and before.step == len(plan.steps):
            assert at - fired >= plan.page_again - MINUTE
        assert not ended or before.step == len(plan.steps) or not plan.steps, "a step and the end at one instant"
        if progress.step != before.step or progress.round != before.round:
            fired = at


@given(lives())
def test_whoever_holds_a_role_that_was_paged_is_among_them(life: Life) -> None:
    plan, moments = life
    progress = begin(START)
    for at, people, what in moments:
        progress, _ = live(plan, progress, (at, people, what))
        reached = plan.steps if progress.round else plan.steps[: progress.step]
        progress, _ = take_over(plan, progress, at, team(people))
        assert {p for step in reached for role in step.roles for p in people.get(role, ())} <= set(progress.ever)


@given(
    st.lists(st.integers(0, 100), max_size=3).map(sorted),
    st.lists(st.sampled_from(ROLES[:3]), unique=True),
    st.integers(2, 60),
    st.lists(st.integers(0, 400), min_size=1, max_size=15),
)
def test_emergency_contacts_are_never_paged_in_the_first_moment_after_an_outage(
    afters: list[int], beside: list[str], target: int, waits: list[int]
) -> None:
    steps = tuple(Step(after * MINUTE, (role,)) for after, role in zip(afters, ROLES, strict=False))
    plan = Policy((*steps, Step(120 * MINUTE, (*beside, "emergency"))), target * MINUTE, 3)
    progress, at = begin(START), START
    for wait in waits:
        before, at = progress, at + wait * MINUTE
        progress, events = advance(plan, progress, at, team(TEAM), HOURS)
        stepped = {p for e in events if isinstance(e, Page) and e.reason is not Reason.AGAIN for p in e.people}
        due = before.emergency_at or progress.base + 120 * MINUTE
        if "dir" in stepped:
            assert at - due <= MINUTE or before.graces == 2, "put off twice, they are paged all the same"
        elif progress.step == len(steps) and at - due > MINUTE:
            assert next_step_at(plan, progress, HOURS) == at + EMERGENCY_GRACE
            assert {TEAM[role][0] for role in beside} <= set(progress.paged), "the others are not made to wait"


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
