"""What a handover does to the schedule of any team, worked out by the rotation itself after each of its actions.

Which time the watch is, whom the receiver is kept from, and who is absent are worked out here once more, the slow and
obvious way, half hour by half hour: nothing of ``handover_watch`` is asked.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from desktop.domain import handover_answers as answers
from desktop.domain.errors import InputError
from desktop.domain.handover import next_action, on_call
from desktop.domain.handover_effects import applied
from desktop.domain.handover_facts import Handover, Kind, Point, State
from desktop.domain.handover_request import Wish, around, request
from desktop.domain.rotation import schedule
from desktop.domain.shifts import length
from desktop.domain.team import Access, Member, Role, Team, Unit
from tests.unit.oracle import absent, shift_number, shown
from tests.unit.teams import DAY, HALF_HOUR, SHIFTS, Case, cases
from tests.unit.test_handover_watch import NIGHT, ONE, holidays

People = dict[Role, str | None]
LEADING = (Role.PRIMARY, Role.SECONDARY, Role.MANAGER, Role.EMERGENCY)


def plan(team: Team, times: list[datetime]) -> list[People]:
    """Return who has each role at each of ``times``."""
    found: list[People] = [{} for _ in times]
    for s in schedule(team, times[0], times[-1] + HALF_HOUR):
        for people in found[(s.start - times[0]) // HALF_HOUR : (s.end - times[0]) // HALF_HOUR]:
            people[s.role] = s.person
    return found


def watch(team: Team, giver: str, times: list[datetime], before: list[People]) -> tuple[Role, int]:
    """Return the role that ``giver`` hands over and for how many of ``times``."""
    role = next(r for r in LEADING if before[0].get(r) == giver)
    for n, (at, people) in enumerate(zip(times, before, strict=True)):
        foremost = next((r for r in LEADING if people.get(r) == giver), None)
        if foremost is not role or handed_over(team, role, times[0], at):
            return role, n
    return role, len(times)


def handed_over(team: Team, role: Role, since: datetime, at: datetime) -> bool:
    """Tell whether the shift of ``role`` that ran at ``since`` has been handed over at ``at``."""
    if role not in team.rotations or shift_number(team, role, since) < 0:
        return False
    rotation = team.rotations[role]
    every = length(rotation.every)
    ends = rotation.start + (shift_number(team, role, since) + 1) * every
    while every >= DAY and ends.date() in team.holidays:
        ends += DAY
    return at >= shown(team.time_zone, ends)


def hindered(team: Team, person: str, role: Role, at: datetime, people: People) -> bool:
    """Tell whether ``person`` is absent, or has a role before ``role``."""
    higher = LEADING[: LEADING.index(role)]
    return absent(team, person, at) or any(people.get(r) == person for r in higher)


def after(team: Team, facts: Handover) -> Team:
    """Return the team with what the handover has done so far."""
    overrides, absences = (*team.overrides, *facts.overrides), (*team.absences, *facts.absences)
    return replace(team, overrides=overrides, absences=absences)


def taken(facts: Handover, to: Member, at: datetime) -> Handover:
    """Return the handover after ``to``, who was paged, accepted and confirmed."""
    while not facts.offers:
        action = next_action(facts, at)
        assert action is not None
        facts = applied(facts, action, at)
    facts = answers.accept(facts, to.id, at)
    for point in Point:
        facts = answers.confirm(facts, to, point, at)
    return facts


def steps(facts: Handover, at: datetime) -> Iterator[Handover]:
    """Do all that is to be done, and yield the facts after each thing."""
    while (action := next_action(facts, at)) is not None:
        facts = applied(facts, action, at)
        yield facts


def roles(people: People, person: str) -> list[Role]:
    return [r for r in LEADING if people.get(r) == person]


@settings(max_examples=50)
@given(cases(SHIFTS[1:], days=5), st.integers(0, 239), st.integers(0, 9), st.integers(0, 9), st.booleans())
def test_after_every_action_nobody_is_lost_and_done_the_receiver_has_exactly_the_watch(
    case: Case, step: int, whose: int, whom: int, stays: bool
) -> None:
    team = case.team
    times = [t for n in range(240) if (t := case.start + n * HALF_HOUR) >= case.start + step * HALF_HOUR]
    at, before = times[0], plan(team, times)
    givers = sorted({p for r, p in before[0].items() if p is not None and r in LEADING})
    assume(givers)
    by_id = {p.id: replace(p, access=Access.MANAGER) for p in team.people}
    giver = by_id[givers[whose % len(givers)]]
    others = [p for p in team.people if p.id != giver.id]
    assume(others)
    to = others[whom % len(others)]
    role, lasts = watch(team, giver.id, times, before)
    wish = Wish("H", Kind.ASK, giver, giver, "ill", to, stays_available=stays)
    if hindered(team, to.id, role, at, before[0]):
        try:
            request(wish, around(team, giver.id, at), at)
        except InputError:
            return
        raise AssertionError("the receiver cannot have it, and was not refused")
    facts = taken(request(wish, around(team, giver.id, at), at), to, at)
    free = [not hindered(team, to.id, role, t, p) for t, p in zip(times[:lasts], before[:lasts], strict=True)]

    now, done = before, facts
    for done in steps(facts, at):
        now = plan(after(team, done), times)
        # Never, not after a single action, is there nobody where there was somebody.
        assert all(p[Role.PRIMARY] is not None or b[Role.PRIMARY] is None for b, p in zip(before, now, strict=True))
        if done.ended is None:
            assert on_call(done, at) == giver.id

    assert done.ended is not None
    assert done.ended.state is State.DONE
    for n, (old, new) in enumerate(zip(before, now, strict=True)):
        if n >= lasts or not free[n]:
            assert new == old, "what is not the receiver's watch is as it was"
            continue
        assert new[role] == to.id == on_call(done, times[n])
        by_hand = {o.role for o in team.overrides}
        assert stays or set(roles(new, giver.id)) <= by_hand
        beside = [r for r in roles(new, to.id) if r is not role and r not in by_hand]
        # The rotation prefers a manager in two roles to none; everybody else has one.
        assert beside in ([], [Role.MANAGER])


def test_the_oracle_knows_the_shift_and_its_holidays() -> None:
    """A ring of one by the week: its shift ends on a Monday, or on the Tuesday after a holiday."""
    monday = NIGHT + timedelta(days=5, hours=6)
    assert ONE.rotations[Role.PRIMARY].every.unit is Unit.WEEKS
    for those, end in ((ONE, monday), (holidays(ONE, "2026-01-12"), monday + DAY)):
        times = [NIGHT + n * HALF_HOUR for n in range(480)]
        _, lasts = watch(those, "ana", times, plan(those, times))
        assert times[lasts] == end
