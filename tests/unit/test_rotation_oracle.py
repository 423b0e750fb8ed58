"""The rotation against the slow and obvious one of ``oracle``."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from desktop.domain import rotation
from desktop.domain.segments import Segment
from desktop.domain.team import Every, Role, Unit
from tests.unit import oracle
from tests.unit.oracle import HOUR, MINUTE, SECOND
from tests.unit.teams import ODD_CHANGES, WHOLE_DAYS, Case, cases, odd_cases, utc, wall

HALF_HOUR = timedelta(minutes=30)
LONG_SHIFTS = (Every(1, Unit.WEEKS), Every(1, Unit.DAYS), Every(12, Unit.HOURS))


def check_half_hours(case: Case) -> None:
    """All times of the team are half hours, so that the oracle finds the very segments."""
    slow = oracle.schedule(case.team, case.start, case.end, HALF_HOUR)
    assert rotation.schedule(case.team, case.start, case.end) == slow


def check_instants(case: Case, start: datetime, end: datetime, tick: timedelta) -> None:
    """At every tick within ``[start, end)``, and around whatever is said to happen there, both answer the same."""
    answers = Answers(rotation.schedule(case.team, start, end))
    for at, slow in oracle.ticking(case.team, start, end, tick):
        assert answers.at(at) == slow, at
    for at in (t for edge in edges(case, answers) for t in (edge - SECOND, edge, edge + SECOND)):
        if start <= at < end:
            assert answers.at(at) == oracle.on_call(case.team, at), at


class Answers:
    """Who has which role, and why, read from the segments of a schedule."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = {role: [s for s in segments if s.role is role] for role in Role}
        self._starts = {role: [s.start for s in those] for role, those in self.segments.items()}

    def at(self, at: datetime) -> dict[Role, oracle.Held]:
        found = {}
        for role, starts in self._starts.items():
            place = bisect_right(starts, at) - 1
            if place >= 0 and at < self.segments[role][place].end:
                found[role] = (self.segments[role][place].person, self.segments[role][place].why)
        return found


def edges(case: Case, answers: Answers) -> Iterator[datetime]:
    """Yield the ends of all segments, and of all that the team itself names."""
    for those in answers.segments.values():
        yield from (s.end for s in those)
    spans = [(each.start, each.end) for each in case.team.absences]
    spans += [(each.start, each.end) for each in case.team.overrides]
    for span in spans:
        yield from (oracle.shown(case.team.time_zone, t) for t in span)


@settings(max_examples=15)
@given(cases())
def test_every_half_hour_is_as_the_oracle_says(case: Case) -> None:
    check_half_hours(case)


@settings(max_examples=15)
@given(cases(shifts=WHOLE_DAYS, days=6, most=3))
def test_shifts_that_keep_holidays_are_as_the_oracle_says(case: Case) -> None:
    check_half_hours(case)


@pytest.mark.parametrize("change", ODD_CHANGES, ids=str)
@settings(max_examples=3, phases=[Phase.generate])
@given(st.data())
def test_every_minute_is_as_the_oracle_says(change: tuple[str, datetime], data: st.DataObject) -> None:
    """The minutes around the change of the clock, every second hour of six days, and each second that counts."""
    case = data.draw(odd_cases(days=6, least=2, changes=(change,)))
    changes = oracle.shown(case.team.time_zone, change[1])
    check_instants(case, changes - HOUR, changes + 2 * HOUR, MINUTE)
    check_instants(case, case.start, case.end, 2 * HOUR)


@pytest.mark.full
@pytest.mark.timeout(1800)
@settings(max_examples=1000)
@given(cases() | cases(shifts=WHOLE_DAYS, days=6, most=3))
def test_many_more_teams(case: Case) -> None:
    check_half_hours(case)


@pytest.mark.full
@pytest.mark.timeout(3600)
@settings(max_examples=300)
@given(odd_cases(days=3) | odd_cases(shifts=WHOLE_DAYS, days=3, least=2))
def test_every_minute_of_many_more_teams(case: Case) -> None:
    check_instants(case, case.start, case.end, MINUTE)


# Making a failing example smaller would take days.
@pytest.mark.full
@pytest.mark.timeout(4 * 3600)
@settings(max_examples=3, phases=[Phase.generate])
@given(odd_cases(shifts=LONG_SHIFTS, days=3650, least=3))
def test_every_minute_of_ten_years(case: Case) -> None:
    """Ten years around the clock change that the team was drawn for; ten minutes to an hour of a processor a team."""
    check_instants(case, case.start, case.end, MINUTE)


def test_the_oracle_sees_both_directions_of_a_clock_change() -> None:
    """The oracle itself, against times worked out by hand from the IANA database."""
    zone = ZoneInfo("America/Los_Angeles")
    assert oracle.shown(zone, wall("2026-03-08 02:30")) == utc("2026-03-08 10:00")
    assert oracle.shown(zone, wall("2026-11-01 01:30")) == utc("2026-11-01 08:30")
    assert oracle.shown(zone, wall("2026-11-01 01:59:59")) == utc("2026-11-01 08:59:59")
    assert oracle.shown(zone, wall("2026-07-01 09:00:07")) == utc("2026-07-01 16:00:07")
    assert oracle.shown(ZoneInfo("Pacific/Apia"), wall("2011-12-30 12:00")) == utc("2011-12-30 10:00")
    assert oracle.shown(ZoneInfo("Asia/Kathmandu"), wall("1986-01-01 00:10")) == utc("1985-12-31 18:30")
    assert oracle.shown(zone, wall("2026-07-01 09:00+02:00")) == utc("2026-07-01 07:00")
