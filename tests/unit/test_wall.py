"""Wall-clock times to instants."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.wall import clock, instant
from tests.unit.teams import utc, wall

ZONES = ("America/Los_Angeles", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Monrovia", "UTC")


@pytest.mark.parametrize(
    ("zone", "time", "expected"),
    [
        ("America/Los_Angeles", "2026-01-05 09:00", "2026-01-05 17:00"),
        ("America/Los_Angeles", "2026-07-05 09:00", "2026-07-05 16:00"),
        ("America/Los_Angeles", "2026-03-08 01:59:59", "2026-03-08 09:59:59"),
        ("America/Los_Angeles", "2026-03-08 02:00", "2026-03-08 10:00"),
        ("America/Los_Angeles", "2026-03-08 02:15", "2026-03-08 10:00"),
        ("America/Los_Angeles", "2026-03-08 02:59:59.999999", "2026-03-08 10:00"),
        ("America/Los_Angeles", "2026-03-08 03:00", "2026-03-08 10:00"),
        ("America/Los_Angeles", "2026-11-01 01:00", "2026-11-01 08:00"),
        ("America/Los_Angeles", "2026-11-01 02:00", "2026-11-01 10:00"),
        ("Australia/Lord_Howe", "2026-10-04 02:29", "2026-10-03 15:30"),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45"),
        ("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 10:00"),
        # Liberia moved by 44 minutes and 30 seconds in 1972.
        ("Africa/Monrovia", "1972-01-07 00:10", "1972-01-07 00:44:30"),
    ],
)
def test_instant(zone: str, time: str, expected: str) -> None:
    assert instant(wall(time), ZoneInfo(zone)) == utc(expected)


def test_a_time_with_an_offset_is_its_own_instant() -> None:
    assert instant(wall("2026-01-05T09:00:00-05:00"), ZoneInfo("Europe/Berlin")) == utc("2026-01-05 14:00")
    assert instant(wall("2026-01-05T09:00:00-05:00"), ZoneInfo("Europe/Berlin")).tzinfo is UTC


@pytest.mark.parametrize("at", ["2026-11-01 08:30", "2026-11-01 09:30"])
def test_what_a_clock_shows_does_not_say_which_of_two_times_it_is(at: str) -> None:
    shown = clock(utc(at), ZoneInfo("America/Los_Angeles"))
    assert (shown, shown.fold, shown.tzinfo) == (wall("2026-11-01 01:30"), 0, None)


def test_a_fold_in_what_is_given_changes_nothing() -> None:
    twice = wall("2026-11-01 01:30")
    zone = ZoneInfo("America/Los_Angeles")
    assert instant(twice.replace(fold=1), zone) == instant(twice, zone) == utc("2026-11-01 08:30")
    assert instant(twice.replace(fold=1), zone).fold == 0


@given(st.sampled_from(ZONES), st.datetimes(wall("1970-01-02"), wall("2199-12-01")))
def test_it_is_the_first_instant_that_shows_the_time_or_a_later_one(name: str, time: datetime) -> None:
    zone = ZoneInfo(name)
    at = instant(time, zone)
    assert at.tzinfo is UTC
    assert clock(at, zone) >= time
    assert clock(at - timedelta(microseconds=1), zone) < time


@given(
    st.sampled_from(ZONES),
    st.datetimes(wall("1970-01-02"), wall("2199-12-01")),
    st.timedeltas(timedelta(0), timedelta(3)),
)
def test_a_later_time_is_never_an_earlier_instant(name: str, time: datetime, step: timedelta) -> None:
    zone = ZoneInfo(name)
    assert instant(time, zone) <= instant(time + step, zone)
