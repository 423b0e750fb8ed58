"""What holds of the rotation of every team, however odd."""

from bisect import bisect_right
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.domain import rotation
from desktop.domain.flags import Doubt, flags
from desktop.domain.segments import ORDER, Segment, Why
from desktop.domain.team import Override, Role, Team
from tests.unit import oracle
from tests.unit.teams import DAY, Case, absences, cases

examples = settings(max_examples=60)
# Asking for one instant looks a year around it: dear, for shifts of an hour.
fewer = settings(max_examples=25)


def by_role(segments: tuple[Segment, ...]) -> dict[Role, list[Segment]]:
    return {role: those for role in Role if (those := [s for s in segments if s.role is role])}


def at_every_edge(case: Case) -> list[dict[Role, Segment]]:
    """Return who holds what at every instant at which anything changes, and half a minute later."""
    roles = by_role(rotation.schedule(case.team, case.start, case.end))
    edges = {s.start for those in roles.values() for s in those}
    instants = sorted(edges | {t + timedelta(seconds=30) for t in edges})
    return [{r: s for r, those in roles.items() if (s := holding(those, at)) is not None} for at in instants]


def holding(segments: list[Segment], at: datetime) -> Segment | None:
    place = bisect_right(segments, at, key=lambda s: s.start) - 1
    return segments[place] if place >= 0 and at < segments[place].end else None


@examples
@given(cases())
def test_segments_are_sorted_gapless_and_merged(case: Case) -> None:
    segments = rotation.schedule(case.team, case.start, case.end)
    assert list(segments) == sorted(segments, key=lambda s: (ORDER.index(s.role), s.start))
    for role, those in by_role(segments).items():
        assert all(s.start < s.end for s in those)
        for one, next_one in pairwise(those):
            assert one.end == next_one.start or (one.end < next_one.start and role not in case.team.rotations)
            assert one.end < next_one.start or (one.person, one.why) != (next_one.person, next_one.why)
    for role in case.team.rotations:
        those = by_role(segments)[role]
        assert (those[0].start, those[-1].end) == (case.start, case.end)


@fewer
@given(cases(), st.integers(0, 9 * 24 * 60 - 1))
def test_on_call_is_the_segment_that_holds_the_instant(case: Case, minute: int) -> None:
    at = case.start + timedelta(minutes=minute)
    wide = by_role(rotation.schedule(case.team, at - 20 * DAY, at + 20 * DAY))
    now = rotation.on_call(case.team, at)
    assert list(now) == [role for role in Role if role in now]
    assert set(now) == {role for role, those in wide.items() if holding(those, at)}
    for role, segment in now.items():
        expected = holding(wide[role], at)
        assert expected is not None
        assert (segment.person, segment.why) == (expected.person, expected.why)
        assert segment.start <= at < segment.end
        if expected.start > wide[role][0].start:
            assert segment.start == expected.start
        if expected.end < wide[role][-1].end:
            assert segment.end == expected.end


@examples
@given(cases(), st.integers(1, 9 * 24 * 60 - 1))
def test_a_window_cut_in_two_says_the_same(case: Case, minute: int) -> None:
    middle = case.start + timedelta(minutes=minute)
    parts = rotation.schedule(case.team, case.start, middle) + rotation.schedule(case.team, middle, case.end)
    whole = by_role(rotation.schedule(case.team, case.start, case.end))
    cut = [
        part
        for those in whole.values()
        for s in those
        for part in (replace(s, end=min(s.end, middle)), replace(s, start=max(s.start, middle)))
        if part.start < part.end
    ]
    assert sorted(parts, key=lambda s: (ORDER.index(s.role), s.start)) == cut


@examples
@given(cases())
def test_nobody_absent_is_on_call_without_an_override_while_anyone_else_could_be(case: Case) -> None:
    for now in at_every_edge(case):
        for segment in now.values():
            if segment.person is not None and segment.why is not Why.OVERRIDE:
                assert not oracle.absent(case.team, segment.person, segment.start)


@examples
@given(cases())
def test_somebody_is_primary_while_anyone_of_the_team_is_present(case: Case) -> None:
    for now in at_every_edge(case):
        primary = now[Role.PRIMARY]
        begun = oracle.shift_number(case.team, Role.PRIMARY, primary.start) >= 0
        if primary.person is None and begun:
            assert all(oracle.absent(case.team, p.id, primary.start) for p in case.team.people)


@examples
@given(cases())
def test_primary_and_secondary_are_two_people_but_by_override(case: Case) -> None:
    for now in at_every_edge(case):
        primary, secondary = now[Role.PRIMARY], now.get(Role.SECONDARY)
        if secondary is not None and secondary.person == primary.person is not None:
            assert secondary.why is Why.OVERRIDE


@examples
@given(cases())
def test_there_is_a_secondary_whenever_the_ring_allows_one(case: Case) -> None:
    for now in at_every_edge(case):
        secondary = now.get(Role.SECONDARY)
        if secondary is None or secondary.person is not None or secondary.why is Why.ROTATION:
            continue
        at = max(s.start for s in now.values())
        ring = case.team.rotations[Role.SECONDARY].members
        assert all(p == now[Role.PRIMARY].person or oracle.absent(case.team, p, at) for p in ring)


@examples
@given(cases(), st.data())
def test_an_override_always_wins(case: Case, data: st.DataObject) -> None:
    hours = data.draw(st.tuples(st.integers(0, 200), st.integers(1, 50)))
    start = case.start + timedelta(hours=hours[0])
    end = min(start + timedelta(hours=hours[1]), case.end)
    role, person = data.draw(st.sampled_from(list(Role))), data.draw(st.sampled_from(case.team.people)).id
    team = replace(case.team, overrides=(*case.team.overrides, Override(role, person, start, end)))
    those = by_role(rotation.schedule(team, start, end))[role]
    assert those == [Segment(role, person, start, end, Why.OVERRIDE)]


@examples
@given(cases(), st.data())
def test_an_absence_changes_nothing_outside_it(case: Case, data: st.DataObject) -> None:
    people = [p.id for p in case.team.people]
    absence = data.draw(absences(people, case.start.replace(tzinfo=None), 9))
    team = replace(case.team, absences=(*case.team.absences, absence))
    start = oracle.shown(team.time_zone, absence.start)
    end = oracle.shown(team.time_zone, absence.end)
    for low, high in ((case.start, start), (end, case.end)):
        assert rotation.schedule(team, low, high) == rotation.schedule(case.team, low, high)


@fewer
@given(cases())
def test_what_an_override_does_against_the_rules_is_flagged(case: Case) -> None:
    found = flags(case.team, case.start, case.end)
    for flag in found:
        now = rotation.on_call(case.team, flag.segment.start)
        assert now[flag.segment.role].person == flag.segment.person
        if flag.doubt is Doubt.ABSENT:
            assert oracle.absent(case.team, flag.segment.person or "", flag.segment.start)
    doubled = [n for n in at_every_edge(case) if Role.SECONDARY in n and same_person(n)]
    assert bool(doubled) == any(f.doubt is Doubt.TWO_ROLES and both_held(case.team, f.segment) for f in found)


def same_person(now: dict[Role, Segment]) -> bool:
    return now[Role.PRIMARY].person is not None and now[Role.PRIMARY].person == now[Role.SECONDARY].person


def both_held(team: Team, segment: Segment) -> bool:
    return (
        segment.role is Role.SECONDARY and rotation.on_call(team, segment.start)[Role.PRIMARY].person == segment.person
    )
