"""The edges of asking who is on call: windows, errors, what is kept, rings with rows, flags."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from desktop.domain import rotation
from desktop.domain.errors import InputError
from desktop.domain.flags import Doubt, flags
from desktop.domain.segments import Segment, Why
from desktop.domain.shifts import Ring, runs, shifts_on
from desktop.domain.team import Every, Override, Role, Rotation, Team, Unit
from tests.unit.teams import utc, wall
from tests.unit.test_rotation_examples import (
    AWAY_BUT_ASKED,
    LOS_ANGELES,
    START,
    TEAM,
    TWO_ROLES,
    WEEKLY,
    away,
    over,
    week,
)

MONDAY, NEXT = utc("2026-01-05 17:00"), utc("2026-01-12 17:00")


def test_an_empty_or_reversed_window_has_no_segments() -> None:
    assert rotation.schedule(TEAM, MONDAY, MONDAY) == ()
    assert rotation.schedule(TEAM, NEXT, MONDAY) == ()


def test_a_team_without_rotations_or_overrides_has_no_segments() -> None:
    nobody = Team(LOS_ANGELES, ())
    assert rotation.schedule(nobody, MONDAY, NEXT) == ()
    assert dict(rotation.on_call(nobody, MONDAY)) == {}


def test_a_rotation_without_members_is_no_role() -> None:
    empty = Team(LOS_ANGELES, TEAM.people, {Role.PRIMARY: Rotation((), START, WEEKLY)})
    assert rotation.schedule(empty, MONDAY, NEXT) == ()


def test_segments_are_clipped_to_the_window_and_in_utc() -> None:
    start, end = (t.astimezone(LOS_ANGELES) for t in (MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=2)))
    (primary, secondary, manager) = rotation.schedule(TEAM, start, end)
    assert primary == Segment(Role.PRIMARY, "ana", start, end, Why.ROTATION)
    assert primary.start.tzinfo is primary.end.tzinfo is UTC
    assert (secondary.role, manager.role) == (Role.SECONDARY, Role.MANAGER)


OUT_OF_RANGE = "is out of range: schedules are made for the years 1970 to 2199."
REFUSED = [
    (START, "2026-01-05T09:00:00 names no zone: add one, or Z for UTC."),
    (utc("1969-12-31 23:59"), f"1969-12-31T23:59:00+00:00 {OUT_OF_RANGE}"),
    (utc("2200-01-01 00:00"), f"2200-01-01T00:00:00+00:00 {OUT_OF_RANGE}"),
    (utc("9999-12-31 00:00"), f"9999-12-31T00:00:00+00:00 {OUT_OF_RANGE}"),
]


@pytest.mark.parametrize(("at", "why"), REFUSED)
def test_an_instant_without_zone_or_out_of_range_is_refused(at: datetime, why: str) -> None:
    with pytest.raises(InputError) as on_call:
        rotation.on_call(TEAM, at)
    with pytest.raises(InputError) as schedule:
        rotation.schedule(TEAM, at, at)
    assert str(on_call.value) == str(schedule.value) == why


@pytest.mark.parametrize("at", [utc("1970-01-01 00:00"), utc("2199-12-31 23:59")])
def test_the_first_and_last_instants_are_answered(at: datetime) -> None:
    assert Role.PRIMARY in rotation.on_call(TEAM, at)


def test_a_start_with_an_offset_is_read_on_the_teams_clock() -> None:
    rings = {Role.PRIMARY: Rotation(("ana", "ben"), wall("2026-01-05T18:00:00+01:00"), WEEKLY)}
    assert rotation.on_call(replace(TEAM, rotations=rings), utc("2026-07-06 16:00"))[Role.PRIMARY].start == utc(
        "2026-07-06 16:00"
    )


def test_an_override_that_ends_before_it_begins_is_nothing() -> None:
    backwards = over("primary", "cho", "2026-01-13 18:00", "2026-01-13 17:00")
    assert rotation.schedule(replace(TEAM, overrides=(backwards,)), MONDAY, NEXT) == rotation.schedule(
        TEAM, MONDAY, NEXT
    )


@pytest.mark.parametrize(
    ("hours", "whys"), [(0, ["holiday"]), (-1, ["rotation", "holiday"]), (23, ["holiday", "rotation"])]
)
def test_a_window_may_begin_and_end_within_a_holiday(hours: int, whys: list[str]) -> None:
    team = replace(TEAM, holidays={wall("2026-01-14").date(): "Holiday"})
    start = utc("2026-01-14 17:00") + timedelta(hours=hours)
    found = rotation.schedule(team, start, start + timedelta(hours=2))
    assert [s.why.value for s in found if s.role is Role.PRIMARY] == whys


def test_overrides_may_be_instants() -> None:
    exact = Override(Role.PRIMARY, "eve", utc("2026-11-01 09:30"), utc("2026-11-01 09:45"))
    segment = rotation.on_call(replace(TEAM, overrides=(exact,)), utc("2026-11-01 09:30"))[Role.PRIMARY]
    assert (segment.person, segment.start, segment.end) == ("eve", exact.start, exact.end)


def test_asking_again_gives_the_same_and_an_equal_team_the_same() -> None:
    twin = replace(TEAM, people=tuple(replace(p) for p in TEAM.people))
    assert twin is not TEAM
    assert rotation.on_call(TEAM, NEXT) is rotation.on_call(TEAM, NEXT) is rotation.on_call(twin, NEXT)


def test_several_teams_are_kept_beside_each_other() -> None:
    plan = rotation._plan(TEAM)
    rotation._plan(AWAY_BUT_ASKED)
    assert rotation._plan(TEAM) is plan


def test_a_team_that_was_asked_for_before_is_not_compared_with_others_again() -> None:
    compared = []

    class Watched(Team):
        def __eq__(self, other: object) -> bool:
            compared.append(other)
            return self is other

        __hash__ = None  # type: ignore[assignment]

    team = Watched(LOS_ANGELES, TEAM.people, TEAM.rotations)
    rotation._plan(TEAM)
    plan = rotation._plan(team)
    assert compared
    compared.clear()
    assert rotation._plan(team) is plan
    assert compared == []


def test_what_is_kept_does_not_grow_with_teams_or_times() -> None:
    teams = [
        replace(TEAM, overrides=(over("primary", "eve", "2026-01-13 18:00", f"2026-01-{d} 19:00"),))
        for d in range(14, 25)
    ]
    for team in teams:
        for weeks in range(0, 8 * 40, 8):
            rotation.on_call(team, MONDAY + timedelta(weeks=weeks))
    assert len(rotation._plans) <= rotation._KEPT_TEAMS
    assert all(len(plan._blocks) <= rotation._KEPT_BLOCKS for _, plan in rotation._plans.values())
    assert all(len(plan._moments) <= rotation._KEPT_BLOCKS for _, plan in rotation._plans.values())


class Raced(dict[int, str]):
    """Loses what is oldest, or all, to another thread as soon as somebody has looked."""

    def __init__(self, kept: dict[int, str], lost: int) -> None:
        super().__init__(kept)
        self._lost = lost

    def __iter__(self) -> Iterator[int]:
        looked = list(super().keys())
        for key in looked[: self._lost]:
            super().pop(key, None)
        return iter(looked if self._lost < len(looked) else [])


@pytest.mark.parametrize(("lost", "left"), [(0, {2: "b", 3: "c"}), (1, {2: "b", 3: "c"}), (2, {3: "c"})])
def test_what_another_thread_forgot_already_is_forgotten(lost: int, left: dict[int, str]) -> None:
    store = Raced({1: "a", 2: "b"}, lost)
    rotation._keep(store, 3, "c", 2)
    assert dict(store.items()) == left


def test_the_first_question_about_a_large_ring_looks_at_few_of_its_members() -> None:
    """Who covers a run of holidays is the nearest other engineer: nobody needs to walk around the whole ring."""
    looked = []

    class Watched(Ring):
        def engineer(self, shift: int) -> str:
            looked.append(shift)
            return super().engineer(shift)

    members = tuple(f"p{n}" for n in range(500))
    holidays = runs(wall(f"2026-{month:02}-15").date() for month in range(1, 13))
    ring = Watched(Rotation(members, START, WEEKLY), LOS_ANGELES, {}, holidays)
    assert len(list(ring.turns(MONDAY, MONDAY + timedelta(weeks=52)))) > 60
    assert len(looked) < 100


def test_the_next_weeks_are_worked_out_from_what_is_known_around_them() -> None:
    """A manager who never changes makes ``on_call`` look a year around; the next block then needs one more block."""
    team = replace(TEAM, rotations={**TEAM.rotations, Role.MANAGER: Rotation(("eve",), START, WEEKLY)})
    later = MONDAY + timedelta(weeks=100)
    rotation.on_call(team, later)
    blocks = rotation._plan(team)._blocks
    before = set(blocks)
    rotation.on_call(team, later + rotation._BLOCK)
    assert len(before) > 10
    assert len(set(blocks) - before) == 1


def test_no_block_is_worked_out_twice() -> None:
    assert rotation._plan(TEAM)._block(1) is rotation._plan(TEAM)._block(1)


@pytest.mark.parametrize("days", [0, 1, 55])
def test_ends_are_looked_for_as_far_as_promised_and_not_a_block_further(days: int) -> None:
    alone = replace(TEAM, rotations={Role.MANAGER: Rotation(("eve",), wall("1990-01-01 09:00"), WEEKLY)})
    at = rotation._FIRST + 300 * rotation._BLOCK + timedelta(days=days)
    now = rotation.on_call(alone, at)[Role.MANAGER]
    most = rotation.LOOK_AHEAD + 2 * rotation._BLOCK
    assert rotation.LOOK_AHEAD <= at - now.start < most
    assert rotation.LOOK_AHEAD <= now.end - at < most


def test_who_takes_over_between_two_blocks_of_time_begins_there() -> None:
    border = rotation._FIRST + 366 * rotation._BLOCK
    rings = {Role.PRIMARY: Rotation(("ana", "ben"), border - timedelta(weeks=8), WEEKLY)}
    week = timedelta(weeks=1)
    for at, person, start in ((border, "ana", border), (border - week, "ben", border - week)):
        found = rotation.on_call(Team(ZoneInfo("UTC"), TEAM.people, rings), at)[Role.PRIMARY]
        assert (found.person, found.start, found.end) == (person, start, start + week)


def test_two_overrides_of_one_person_on_both_sides_of_a_border_are_two() -> None:
    border = rotation._FIRST + 366 * rotation._BLOCK
    hour = timedelta(hours=1)
    both = tuple(Override(Role.EMERGENCY, "eve", t, t + hour) for t in (border - 2 * hour, border + hour))
    team = replace(TEAM, overrides=both)
    for override in both:
        found = rotation.on_call(team, override.start)[Role.EMERGENCY]
        assert (found.start, found.end) == (override.start, override.end)


def test_the_answer_follows_a_new_value_of_the_team_at_once() -> None:
    at = utc("2026-01-13 20:00")
    assert rotation.on_call(TEAM, at)[Role.PRIMARY].person == "ben"
    changed = replace(TEAM, overrides=(over("primary", "eve", "2026-01-13 00:00", "2026-01-14 00:00"),))
    assert rotation.on_call(changed, at)[Role.PRIMARY].person == "eve"
    assert rotation.on_call(TEAM, at)[Role.PRIMARY].person == "ben"


def test_shifts_on_a_day() -> None:
    half_days = Rotation(("a",), START, Every(12, Unit.HOURS))
    assert shifts_on(half_days, wall("2026-01-05").date()) == range(2)
    assert shifts_on(half_days, wall("2026-01-06").date()) == range(2, 4)
    assert not shifts_on(half_days, wall("2026-01-04").date())
    weekly = Rotation(("a",), START, WEEKLY)
    assert shifts_on(weekly, wall("2026-01-12").date()) == range(1, 2)
    assert not shifts_on(weekly, wall("2026-01-13").date())
    assert not shifts_on(weekly, wall("2025-12-29").date())


def test_runs_of_holidays() -> None:
    days = [wall(f"2026-01-{d}").date() for d in ("20", "18", "19", "22")]
    assert runs(days) == ((days[1], days[0]), (days[3], days[3]))
    assert runs([]) == ()


def test_earlier_engineers_are_met_walking_back_past_rows_and_the_start() -> None:
    rows = (week("2026-01-12", primary="eve"), week("2026-01-19", primary="ana"))
    ring = Ring.of(Role.PRIMARY, TEAM.rotations[Role.PRIMARY], LOS_ANGELES, rows, ())
    assert [ring.engineer(n) for n in range(-1, 4)] == ["cho", "ana", "eve", "ana", "ana"]
    assert tuple(ring.earlier(3)) == ("eve", "cho", "ben")
    assert tuple(ring.earlier(1)) == ("ana", "cho", "ben")


def test_shifts_are_counted_whole() -> None:
    ring = Ring(TEAM.rotations[Role.PRIMARY], LOS_ANGELES, {})
    assert [ring.count(MONDAY, MONDAY + timedelta(days=days)) for days in (0, 6, 7, 13, 14)] == [0, 0, 1, 1, 2]


def test_a_row_for_shifts_of_hours_holds_for_all_that_start_that_day() -> None:
    rings = {Role.PRIMARY: Rotation(("ana", "ben"), START, Every(12, Unit.HOURS))}
    team = replace(TEAM, rotations=rings, weeks=(week("2026-01-06", primary="eve"),))
    (segment,) = [s for s in rotation.schedule(team, MONDAY, NEXT) if s.why is Why.WEEK]
    assert (segment.start, segment.end) == (utc("2026-01-06 17:00"), utc("2026-01-07 17:00"))


def test_what_only_an_override_may_do_is_flagged() -> None:
    (absent,) = flags(AWAY_BUT_ASKED, MONDAY, utc("2026-02-02 17:00"))
    assert (absent.doubt, absent.segment.person) == (Doubt.ABSENT, "ben")
    assert (absent.segment.start, absent.segment.end) == (utc("2026-01-14 08:00"), utc("2026-01-14 09:00"))
    (double,) = flags(TWO_ROLES, MONDAY, utc("2026-02-02 17:00"))
    assert (double.doubt, double.segment.role, double.segment.person) == (Doubt.TWO_ROLES, Role.SECONDARY, "ben")
    assert (double.segment.start, double.segment.end) == (utc("2026-01-14 08:00"), utc("2026-01-14 09:00"))


def test_who_is_not_certified_is_flagged_on_call_but_not_as_a_shadow() -> None:
    people = (replace(TEAM.people[0], certified=False), *TEAM.people[1:])
    rings = {**TEAM.rotations, Role.SHADOW: Rotation(("ana",), START, WEEKLY)}
    found = flags(replace(TEAM, people=people, rotations=rings), MONDAY, NEXT)
    assert [(f.doubt, f.segment.role) for f in found] == [(Doubt.NOT_CERTIFIED, Role.PRIMARY)]
    assert flags(TEAM, MONDAY, NEXT) == ()


def test_only_the_part_of_an_override_that_an_absence_touches_is_flagged() -> None:
    team = replace(
        TEAM,
        absences=(away("eve", "2026-01-13 12:00", "2026-01-20 00:00"),),
        overrides=(over("primary", "eve", "2026-01-13 00:00", "2026-01-14 00:00"),),
    )
    (flag,) = flags(team, MONDAY, utc("2026-02-02 17:00"))
    assert (flag.segment.start, flag.segment.end) == (utc("2026-01-13 20:00"), utc("2026-01-14 08:00"))


@pytest.mark.parametrize("week", [0, 29])
def test_a_long_shift_has_its_real_boundaries_from_either_end(week: int) -> None:
    rings = {Role.PRIMARY: Rotation(("ana", "ben"), wall("2026-01-05 09:00"), Every(30, Unit.WEEKS))}
    team = Team(ZoneInfo("UTC"), TEAM.people, rings)
    begins = utc("2026-01-05 09:00") + timedelta(weeks=30)
    now = rotation.on_call(team, begins + timedelta(weeks=week))[Role.PRIMARY]
    assert now == Segment(Role.PRIMARY, "ben", begins, begins + timedelta(weeks=30), Why.ROTATION)


def test_a_century_of_hours_is_refused_and_eleven_years_are_not() -> None:
    hours = Team(LOS_ANGELES, TEAM.people, {Role.PRIMARY: Rotation(("ana",), START, Every(1, Unit.HOURS))})
    with pytest.raises(InputError, match="That is more than 100,000 shifts of one role: ask for a shorter time"):
        rotation.schedule(hours, MONDAY, MONDAY + timedelta(days=36_525))
    long_ago = utc("1990-01-01 00:00")
    assert len(rotation.schedule(hours, long_ago, long_ago + timedelta(hours=100_000))) == 1
    with pytest.raises(InputError):
        rotation.schedule(hours, long_ago, long_ago + timedelta(hours=100_001))


class TestTheKnownEnd:
    """Decided by whether the looking ended there, not by how long the segment is."""

    ALONE = replace(TEAM, rotations={Role.PRIMARY: Rotation(("ana",), START, WEEKLY)}, overrides=(), absences=())

    def end(self, team: Team, at: datetime) -> datetime | None:
        return rotation.known_end(team, rotation.on_call(team, at)[Role.PRIMARY])

    def test_a_ring_of_one_has_none(self) -> None:
        assert self.end(self.ALONE, MONDAY + timedelta(days=800)) is None

    def test_a_ring_of_one_of_years_has_one_once_something_changes(self) -> None:
        tomorrow = MONDAY + timedelta(days=801)
        team = replace(self.ALONE, overrides=(Override(Role.PRIMARY, "ben", tomorrow, tomorrow + timedelta(hours=1)),))
        assert self.end(team, tomorrow - timedelta(days=1)) == tomorrow
        assert self.end(team, tomorrow) == tomorrow + timedelta(hours=1)

    def test_a_shift_of_years_ends_when_it_ends(self) -> None:
        long = Rotation(("ana", "ben"), START, Every(104, Unit.WEEKS))
        team = replace(self.ALONE, rotations={Role.PRIMARY: long})
        end = self.end(team, MONDAY + timedelta(days=104 * 7 - 1))
        assert end == MONDAY + timedelta(days=104 * 7)

    @pytest.mark.parametrize("end", ["2200-01-01 00:00", "2200-01-01 00:01"])
    def test_nothing_is_known_past_the_last_year(self, end: str) -> None:
        assert self.end(self.ALONE, utc("2199-12-31 12:00")) is None
        over_the_end = Override(Role.PRIMARY, "ben", utc("2199-12-31 00:00"), utc(end))
        assert self.end(replace(self.ALONE, overrides=(over_the_end,)), utc("2199-12-31 12:00")) is None
