"""The rotation against the slow and obvious one of ``oracle``."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from desktop.domain import rotation
from desktop.domain.team import Every, Unit
from tests.unit import oracle
from tests.unit.teams import WHOLE_DAYS, Case, cases, utc, wall


@settings(max_examples=60)
@given(cases())
def test_every_half_hour_is_as_the_oracle_says(case: Case) -> None:
    assert rotation.schedule(case.team, case.start, case.end) == oracle.schedule(case.team, case.start, case.end)


@settings(max_examples=60)
@given(cases(shifts=WHOLE_DAYS, days=6, most=3))
def test_shifts_that_keep_holidays_are_as_the_oracle_says(case: Case) -> None:
    assert rotation.schedule(case.team, case.start, case.end) == oracle.schedule(case.team, case.start, case.end)


@pytest.mark.full
@pytest.mark.timeout(1800)
@settings(max_examples=2000)
@given(cases() | cases(shifts=WHOLE_DAYS, days=6, most=3))
def test_many_more_teams(case: Case) -> None:
    assert rotation.schedule(case.team, case.start, case.end) == oracle.schedule(case.team, case.start, case.end)


@pytest.mark.full
@pytest.mark.timeout(1800)
@settings(max_examples=5)
@given(cases(shifts=(Every(1, Unit.WEEKS), Every(1, Unit.DAYS), Every(12, Unit.HOURS)), days=3650))
def test_ten_years(case: Case) -> None:
    """Ten years around the clock change that the team was drawn for, every half hour of them."""
    assert rotation.schedule(case.team, case.start, case.end) == oracle.schedule(case.team, case.start, case.end)


def test_the_oracle_sees_both_directions_of_a_clock_change() -> None:
    """The oracle itself, against times worked out by hand from the IANA database."""
    zone = ZoneInfo("America/Los_Angeles")
    assert oracle.shown(zone, wall("2026-03-08 02:30")) == utc("2026-03-08 10:00")
    assert oracle.shown(zone, wall("2026-11-01 01:30")) == utc("2026-11-01 08:30")
    assert oracle.shown(zone, wall("2026-07-01 09:00")) == utc("2026-07-01 16:00")
