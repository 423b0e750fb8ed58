"""Business hours: Monday to Friday, 09:00 to 17:00, no holiday, on the team's clock."""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.business import BusinessHours
from tests.unit.teams import utc, wall

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
HOURS = BusinessHours(LOS_ANGELES)
# Thanksgiving and the day after: a Thursday and a Friday.
THANKSGIVING = BusinessHours(LOS_ANGELES, frozenset({wall("2026-11-26").date(), wall("2026-11-27").date()}))


@pytest.mark.parametrize(
    ("hours", "at", "opens"),
    [
        # Within the hours: at once. The first instant counts, the last does not.
        (HOURS, "2026-01-05 17:00", "2026-01-05 17:00"),
        (HOURS, "2026-01-06 00:59", "2026-01-06 00:59"),
        (HOURS, "2026-01-06 01:00", "2026-01-06 17:00"),
        (HOURS, "2026-01-05 16:59", "2026-01-05 17:00"),
        # Friday evening and the weekend wait for Monday.
        (HOURS, "2026-01-10 01:00", "2026-01-12 17:00"),
        (HOURS, "2026-01-10 20:00", "2026-01-12 17:00"),
        (HOURS, "2026-01-11 20:00", "2026-01-12 17:00"),
        # Over the weekend of a clock change, 09:00 is 09:00: 17:00 in UTC in winter, 16:00 in summer.
        (HOURS, "2026-03-07 20:00", "2026-03-09 16:00"),
        (HOURS, "2026-10-31 20:00", "2026-11-02 17:00"),
        # Holidays, and the weekend after them.
        (THANKSGIVING, "2026-11-26 01:00", "2026-11-30 17:00"),
        (THANKSGIVING, "2026-11-26 20:00", "2026-11-30 17:00"),
    ],
)
def test_next_open(hours: BusinessHours, at: str, opens: str) -> None:
    found = hours.next_open(utc(at))
    assert found == utc(opens)
    assert found.tzinfo is UTC, "whatever zone this machine is in"


def test_a_calendar_without_a_working_day_does_not_wait_for_ever() -> None:
    days = frozenset((wall("2026-01-01") + timedelta(days=n)).date() for n in range(400))
    found = BusinessHours(LOS_ANGELES, days).next_open(wall("2026-01-10 12:00").replace(tzinfo=LOS_ANGELES))
    assert found == utc("2026-01-10 20:00")
    assert found.tzinfo is UTC


def test_months_of_holidays_are_waited_out() -> None:
    days = frozenset((wall("2026-01-01") + timedelta(days=n)).date() for n in range(300))
    assert BusinessHours(LOS_ANGELES, days).next_open(utc("2026-01-10 20:00")) == utc("2026-10-28 16:00")


def test_a_time_of_any_zone_is_answered_in_utc() -> None:
    found = HOURS.next_open(wall("2026-01-05 10:00").replace(tzinfo=LOS_ANGELES))
    assert found == utc("2026-01-05 18:00")
    assert found.tzinfo is UTC


@given(st.datetimes(wall("2000-01-01"), wall("2100-01-01")), st.sampled_from((HOURS, THANKSGIVING)))
def test_it_opens_never_before_and_always_within_the_hours(time: object, hours: BusinessHours) -> None:
    at = utc(str(time))
    opens = hours.next_open(at)
    local = opens.astimezone(LOS_ANGELES)
    assert opens >= at
    assert hours.next_open(opens) == opens
    assert local.weekday() < 5
    assert 9 <= local.hour < 17
    assert local.date() not in hours.holidays
