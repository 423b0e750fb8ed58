"""Whose turn it is around holidays, turn by turn: nothing overlaps, nothing is missing, no turn is empty."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from desktop.domain.segments import Why
from desktop.domain.shifts import Ring, runs
from desktop.domain.team import Every, Rotation, Unit
from tests.unit.machine import FAR_EAST, FAR_WEST, machine_in
from tests.unit.teams import utc, wall
from tests.unit.test_rotation_examples import LOS_ANGELES, START, WEEKLY

# Who takes turns; holidays in January 2026; the turns from the 5th to the 26th at 09:00, by the day they begin on.
TURNS = [
    ("ana ben cho", "", "5 ana, 12 ben, 19 cho"),
    ("ana ben cho", "7", "5 ana, 7 cho, 8 ana, 12 ben, 19 cho"),
    ("ana ben cho", "7 14", "5 ana, 7 cho, 8 ana, 12 ben, 14 ana, 15 ben, 19 cho"),
    ("ana ben cho", "7 9", "5 ana, 7 cho, 8 ana, 9 cho, 10 ana, 12 ben, 19 cho"),
    ("ana ben cho", "5", "5 cho, 6 ana, 12 ben, 19 cho"),
    ("ana ben cho", "11", "5 ana, 11 cho, 12 ben, 19 cho"),
    ("ana ben cho", "7 12", "5 ana, 7 cho, 8 ana, 12 ana, 13 ben, 19 cho"),
    ("ana ben cho", "11 12", "5 ana, 11 cho, 12 cho, 13 ben, 19 cho"),
    ("ana ana ben", "7 12", "5 ana, 7 ben, 8 ana, 12 ben, 13 ana, 19 ben"),
    # Of two, who covers the run before comes to their own turn within it; the next run in it is covered.
    ("ana ben", "11 12 14", "5 ana, 11 ben, 12 ben, 14 ana, 15 ben, 19 ana"),
]


@pytest.mark.parametrize(("members", "holidays", "expected"), TURNS)
def test_turns_around_holidays(members: str, holidays: str, expected: str) -> None:
    days = [wall(f"2026-01-{int(day):02}").date() for day in holidays.split()]
    ring = Ring(Rotation(tuple(members.split()), START, WEEKLY), LOS_ANGELES, {}, runs(days))
    turns = list(ring.turns(utc("2026-01-05 17:00"), utc("2026-01-26 17:00")))
    assert ", ".join(f"{t.start.day} {t.person}" for t in turns) == expected
    assert all(one.end == other.start for one, other in pairwise(turns))
    assert all(t.start < t.end for t in turns)
    assert (turns[0].start, turns[-1].end) == (utc("2026-01-05 17:00"), utc("2026-01-26 17:00"))
    assert {t.start.hour for t in turns} == {17}
    covered = {t.start.day for t in turns if t.why is Why.HOLIDAY}
    assert covered <= {int(day) for day in holidays.split()}


def hours_of(*members: str, start: str, zone: str) -> Ring:
    return Ring(Rotation(members, wall(start), Every(1, Unit.HOURS)), ZoneInfo(zone), {})


def test_a_turn_that_the_clock_swallowed_is_none() -> None:
    ring = hours_of("ana", "ben", "cho", start="2026-03-08 00:00", zone="America/Los_Angeles")
    turns = list(ring.turns(utc("2026-03-08 08:00"), utc("2026-03-08 12:00")))
    assert [t.person for t in turns] == ["ana", "ben", "ana", "ben"]
    assert [t.start for t in turns] == [utc(f"2026-03-08 {hour:02}:00") for hour in (8, 9, 10, 11)]


def test_a_turn_that_ends_as_the_window_begins_or_begins_as_it_ends_is_not_in_it() -> None:
    ring = Ring(Rotation(("ana", "ben", "cho"), START, WEEKLY), LOS_ANGELES, {})
    first, last = utc("2026-01-12 17:00"), utc("2026-01-19 17:00")
    tick = timedelta(microseconds=1)
    assert [t.person for t in ring.turns(first, last)] == ["ben"]
    assert [t.person for t in ring.turns(first - tick, last + tick)] == ["ana", "ben", "cho"]


@pytest.mark.parametrize(("machine", "zone"), [(FAR_EAST, FAR_WEST), (FAR_WEST, FAR_EAST)])
def test_no_turn_is_missing_where_the_machines_clock_shows_another_day(machine: str, zone: str) -> None:
    ring, start = hours_of("ana", start="2026-01-01 00:00", zone=zone), utc("2026-01-14 00:00")
    with machine_in(machine):
        turns = list(ring.turns(start, start + timedelta(hours=2.5)))
    assert [t.start - start for t in turns] == [timedelta(hours=hour) for hour in range(3)]


def test_a_holiday_goes_on_to_the_handover_where_the_machines_clock_shows_another_day() -> None:
    late = Rotation(("ana", "ben"), wall("2026-01-05 23:30"), WEEKLY)
    ring = Ring(late, ZoneInfo(FAR_WEST), {}, runs([wall("2026-01-07").date()]))
    start = utc("2026-01-09 11:00")  # 23:00 on the 8th there: the holiday has another half hour.
    with machine_in(FAR_EAST):
        turns = [t for t in ring.turns(start, start + timedelta(hours=1)) if t.end > start]
    assert [(t.person, t.why) for t in turns] == [("ben", Why.HOLIDAY), ("ana", Why.ROTATION)]


def test_holidays_that_go_on_beyond_the_window_are_seen() -> None:
    days = [wall(f"2026-01-{day}").date() for day in range(14, 19)]
    ring = Ring(Rotation(("ana", "ben", "cho"), START, WEEKLY), LOS_ANGELES, {}, runs(days))
    turns = list(ring.turns(utc("2026-01-14 16:00"), utc("2026-01-14 18:00")))
    assert [(t.person, t.why) for t in turns][:2] == [("ben", Why.ROTATION), ("ana", Why.HOLIDAY)]


def test_a_question_about_a_far_year_looks_at_the_shifts_of_that_year_only() -> None:
    looked = []

    class Watched(Ring):
        def _begins(self, shift: int) -> datetime:
            looked.append(shift)
            return super()._begins(shift)

    ring = Watched(Rotation(("ana",), START, Every(1, Unit.HOURS)), LOS_ANGELES, {})
    assert len(list(ring.turns(utc("2126-01-01 00:00"), utc("2126-01-01 12:00")))) == 12
    assert len(looked) < 100


def test_somebody_with_several_earlier_shifts_is_asked_once() -> None:
    ring = Ring(Rotation(("ana", "ben", "cho"), START, WEEKLY), LOS_ANGELES, {1: "eve", 2: "eve", 3: "cho"})
    assert tuple(ring.earlier(4)) == ("cho", "eve", "ana")
    assert tuple(ring.earlier(3)) == ("eve", "ana", "ben")
