"""The rules of the rotation as a table of cases that a manager can read.

The team: Ana, Ben and Cho take turns as primary from Monday 5 January 2026, 09:00 in Los Angeles, a week each; Ben, Cho
and Ana as secondary; Dora is the manager. A line reads: on this day at this hour, this person, for this reason.
"""

from dataclasses import replace
from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from desktop.domain import rotation
from desktop.domain.team import Absence, Every, Member, Override, Role, Rotation, Team, Unit, Week
from desktop.domain.wall import instant
from tests.unit.teams import wall

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
WEEKLY = Every(1, Unit.WEEKS)
START = wall("2026-01-05 09:00")

TEAM = Team(
    time_zone=LOS_ANGELES,
    people=tuple(Member(p, p.capitalize()) for p in ("ana", "ben", "cho", "dora", "eve")),
    rotations=MappingProxyType(
        {
            Role.PRIMARY: Rotation(("ana", "ben", "cho"), START, WEEKLY),
            Role.SECONDARY: Rotation(("ben", "cho", "ana"), START, WEEKLY),
            Role.MANAGER: Rotation(("dora",), START, WEEKLY),
        }
    ),
)


def holidays(*days: str) -> MappingProxyType[date, str]:
    return MappingProxyType({wall(day).date(): "Holiday" for day in days})


def away(person: str, start: str, end: str, cover: str | None = None) -> Absence:
    return Absence(person, wall(start), wall(end), cover=cover)


def over(role: str, person: str, start: str, end: str) -> Override:
    return Override(Role(role), person, wall(start), wall(end))


def week(start: str, **people: str) -> Week:
    return Week(wall(start).date(), MappingProxyType({Role(role): person for role, person in people.items()}))


NEW_YEAR_RUN = replace(TEAM, holidays=holidays("2026-01-18", "2026-01-19", "2026-01-20"))
THANKSGIVING = replace(TEAM, holidays=holidays("2026-11-26", "2026-11-27"))
TWO = replace(
    TEAM,
    rotations=MappingProxyType({Role.PRIMARY: Rotation(("ana", "ben"), START, WEEKLY)}),
    holidays=holidays("2026-01-18", "2026-01-19"),
)
HANDOVER_DAY = replace(TEAM, holidays=holidays("2026-01-19"))
ROW = replace(TEAM, weeks=(week("2026-01-12", primary="eve"),))
ROW_AND_HOLIDAY = replace(ROW, holidays=holidays("2026-01-21"))
BEN_AWAY = replace(TEAM, absences=(away("ben", "2026-01-13 12:00", "2026-01-15 12:00"),))
BEN_COVERED = replace(TEAM, absences=(away("ben", "2026-01-13 12:00", "2026-01-15 12:00", "eve"),))
TWO_ABSENCES = replace(
    TEAM,
    absences=(
        away("ben", "2026-01-13 12:00", "2026-01-15 12:00"),
        away("ben", "2026-01-13 12:00", "2026-01-14 12:00", "eve"),
    ),
)
COVER_AWAY = replace(BEN_COVERED, absences=(*BEN_COVERED.absences, away("eve", "2026-01-14 00:00", "2026-01-14 12:00")))
COVER_COVERED = replace(
    BEN_COVERED, absences=(*BEN_COVERED.absences, away("eve", "2026-01-14 00:00", "2026-01-14 12:00", "dora"))
)
TWO_AWAY = replace(BEN_AWAY, absences=(*BEN_AWAY.absences, away("ana", "2026-01-14 00:00", "2026-01-14 12:00")))
RING_AWAY = replace(TWO_AWAY, absences=(*TWO_AWAY.absences, away("cho", "2026-01-14 00:00", "2026-01-14 12:00")))
ALL_AWAY = replace(TEAM, absences=tuple(away(p.id, "2026-01-14 00:00", "2026-01-14 12:00") for p in TEAM.people))
OTHER_SECONDARIES = replace(
    RING_AWAY,
    rotations=MappingProxyType({**TEAM.rotations, Role.SECONDARY: Rotation(("eve", "dora"), START, WEEKLY)}),
)
DENTIST = replace(TEAM, overrides=(over("primary", "cho", "2026-01-13 18:00", "2026-01-14 09:00"),))
DENTIST_AGAIN = replace(
    DENTIST, overrides=(*DENTIST.overrides, over("primary", "eve", "2026-01-13 20:00", "2026-01-13 22:00"))
)
AWAY_BUT_ASKED = replace(BEN_AWAY, overrides=(over("primary", "ben", "2026-01-14 00:00", "2026-01-14 01:00"),))
TWO_ROLES = replace(TEAM, overrides=(over("secondary", "ben", "2026-01-14 00:00", "2026-01-14 01:00"),))
A_LEADER = replace(TEAM, overrides=(over("emergency", "eve", "2026-01-14 00:00", "2026-01-14 01:00"),))
BEFORE = replace(TEAM, overrides=(over("primary", "eve", "2026-01-02 00:00", "2026-01-03 00:00"),))
DAILY = replace(
    TEAM,
    rotations=MappingProxyType({Role.PRIMARY: Rotation(("ana", "ben", "cho"), START, Every(1, Unit.DAYS))}),
    holidays=holidays("2026-01-07"),
)
HALF_DAYS = replace(
    TEAM,
    rotations=MappingProxyType({Role.PRIMARY: Rotation(("ana", "ben", "cho"), START, Every(12, Unit.HOURS))}),
    holidays=holidays("2026-01-07"),
)

EXAMPLES = [
    # The plain rotation.
    (TEAM, "2026-01-05 09:00", "primary", "ana", "rotation"),
    (TEAM, "2026-01-12 08:59", "primary", "ana", "rotation"),
    (TEAM, "2026-01-12 09:00", "primary", "ben", "rotation"),
    (TEAM, "2026-01-12 09:00", "secondary", "cho", "rotation"),
    (TEAM, "2026-01-12 09:00", "manager", "dora", "rotation"),
    (TEAM, "2026-01-26 09:00", "primary", "ana", "rotation"),
    # Before the start nobody is on call, unless by override.
    (TEAM, "2026-01-05 08:59", "primary", None, "rotation"),
    (BEFORE, "2026-01-02 12:00", "primary", "eve", "override"),
    # A holiday in the middle of Ben's week (Thursday and Friday): last week's engineer has it, from 09:00 to 09:00.
    (THANKSGIVING, "2026-11-26 08:59", "primary", "ben", "rotation"),
    (THANKSGIVING, "2026-11-26 09:00", "primary", "ana", "holiday"),
    (THANKSGIVING, "2026-11-28 08:59", "primary", "ana", "holiday"),
    (THANKSGIVING, "2026-11-28 09:00", "primary", "ben", "rotation"),
    (THANKSGIVING, "2026-11-27 12:00", "secondary", "ben", "holiday"),
    # A ring of one has nobody else: the manager keeps the holiday.
    (THANKSGIVING, "2026-11-27 12:00", "manager", "dora", "rotation"),
    # A holiday on the day of the handover (Monday): the handover moves to Tuesday.
    (HANDOVER_DAY, "2026-01-19 12:00", "primary", "ben", "holiday"),
    (HANDOVER_DAY, "2026-01-20 08:59", "primary", "ben", "holiday"),
    (HANDOVER_DAY, "2026-01-20 09:00", "primary", "cho", "rotation"),
    # A run from Sunday to Tuesday, across the handover: whoever covers Sunday (Ana, for Ben) covers it throughout.
    (NEW_YEAR_RUN, "2026-01-18 12:00", "primary", "ana", "holiday"),
    (NEW_YEAR_RUN, "2026-01-19 12:00", "primary", "ana", "holiday"),
    (NEW_YEAR_RUN, "2026-01-20 12:00", "primary", "ana", "holiday"),
    (NEW_YEAR_RUN, "2026-01-21 09:00", "primary", "cho", "rotation"),
    # Whoever covers a run and comes to their own turn within it has their turn: of two, Ana covers Ben's Sunday.
    (TWO, "2026-01-18 08:59", "primary", "ben", "rotation"),
    (TWO, "2026-01-18 09:00", "primary", "ana", "holiday"),
    (TWO, "2026-01-19 09:00", "primary", "ana", "rotation"),
    # The first week of all has an earlier engineer too: the ring is read backwards.
    (replace(TEAM, holidays=holidays("2026-01-06")), "2026-01-06 12:00", "primary", "cho", "holiday"),
    # An explicit week comes before holidays are looked at.
    (ROW, "2026-01-14 12:00", "primary", "eve", "week"),
    (ROW, "2026-01-14 12:00", "secondary", "cho", "rotation"),
    (ROW_AND_HOLIDAY, "2026-01-21 12:00", "primary", "eve", "holiday"),
    # Away: the nearest earlier engineer; with a cover: the cover.
    (BEN_AWAY, "2026-01-13 11:59", "primary", "ben", "rotation"),
    (BEN_AWAY, "2026-01-13 12:00", "primary", "ana", "absence"),
    (BEN_AWAY, "2026-01-15 12:00", "primary", "ben", "rotation"),
    (BEN_COVERED, "2026-01-14 12:00", "primary", "eve", "absence"),
    # Two absences that overlap: whom the one names covers for as long as that one lasts.
    (TWO_ABSENCES, "2026-01-14 11:59", "primary", "eve", "absence"),
    (TWO_ABSENCES, "2026-01-14 12:00", "primary", "ana", "absence"),
    (COVER_AWAY, "2026-01-14 06:00", "primary", "ana", "absence"),
    (COVER_COVERED, "2026-01-14 06:00", "primary", "dora", "absence"),
    # Ana is away too: one engineer further back, Cho, who is secondary and so is replaced there. Nobody is left there
    # but people who are away, so that there is no secondary.
    (TWO_AWAY, "2026-01-14 06:00", "primary", "cho", "absence"),
    (TWO_AWAY, "2026-01-14 06:00", "secondary", None, "cover"),
    # The secondary who covers the primary is replaced by the rule of the secondary's own ring.
    (replace(TEAM, absences=(away("ana", "2026-01-06 00:00", "2026-01-07 00:00", "ben"),)), "2026-01-06 12:00",
     "secondary", "cho", "cover"),
    # The whole ring is away: the secondary is the last resort, then anyone of the team.
    (OTHER_SECONDARIES, "2026-01-14 06:00", "primary", "dora", "absence"),
    (OTHER_SECONDARIES, "2026-01-14 06:00", "secondary", "eve", "cover"),
    (RING_AWAY, "2026-01-14 06:00", "primary", "dora", "absence"),
    (ALL_AWAY, "2026-01-14 06:00", "primary", None, "absence"),
    # Overrides beat all of it; of two the later wins; the others are resolved around them.
    (DENTIST, "2026-01-13 17:59", "primary", "ben", "rotation"),
    (DENTIST, "2026-01-13 18:00", "primary", "cho", "override"),
    (DENTIST, "2026-01-13 18:00", "secondary", "ben", "cover"),
    (DENTIST, "2026-01-14 09:00", "primary", "ben", "rotation"),
    (DENTIST_AGAIN, "2026-01-13 21:00", "primary", "eve", "override"),
    (DENTIST_AGAIN, "2026-01-13 22:00", "primary", "cho", "override"),
    (AWAY_BUT_ASKED, "2026-01-14 00:30", "primary", "ben", "override"),
    (TWO_ROLES, "2026-01-14 00:30", "secondary", "ben", "override"),
    (TWO_ROLES, "2026-01-14 00:30", "primary", "ben", "rotation"),
    (A_LEADER, "2026-01-14 00:30", "emergency", "eve", "override"),
    # Shifts of a day keep holidays, shorter ones work through them.
    (DAILY, "2026-01-07 12:00", "primary", "ben", "holiday"),
    (DAILY, "2026-01-08 12:00", "primary", "ana", "rotation"),
    (HALF_DAYS, "2026-01-07 12:00", "primary", "ben", "rotation"),
    (HALF_DAYS, "2026-01-07 21:00", "primary", "cho", "rotation"),
]  # fmt: skip


@pytest.mark.parametrize(("team", "at", "role", "person", "why"), EXAMPLES)
def test_example(team: Team, at: str, role: str, person: str | None, why: str) -> None:
    segment = rotation.on_call(team, instant(wall(at), LOS_ANGELES))[Role(role)]
    assert (segment.person, segment.why.value) == (person, why)


def test_a_role_made_by_an_override_is_gone_after_it() -> None:
    assert Role.EMERGENCY not in rotation.on_call(A_LEADER, instant(wall("2026-01-14 01:00"), LOS_ANGELES))


def single(every: Every, start: str, zone: str, *members: str) -> Team:
    people = tuple(Member(p, p) for p in dict.fromkeys(members))
    ring = {Role.PRIMARY: Rotation(members, wall(start), every)}
    return Team(ZoneInfo(zone), people, MappingProxyType(ring))


DAY_SHIFTS, HOUR_SHIFTS = Every(1, Unit.DAYS), Every(1, Unit.HOURS)

# A clock change, from both sides: (zone, shift, start, at this instant in UTC, person on call).
CLOCKS = [
    # Handed over at 09:00 on the wall, whatever the clock did: 17:00 in UTC in winter, 16:00 in summer.
    ("America/Los_Angeles", WEEKLY, "2026-03-02 09:00", "2026-03-09 15:59", "a"),
    ("America/Los_Angeles", WEEKLY, "2026-03-02 09:00", "2026-03-09 16:00", "b"),
    ("America/Los_Angeles", WEEKLY, "2026-10-26 09:00", "2026-11-02 16:59", "a"),
    ("America/Los_Angeles", WEEKLY, "2026-10-26 09:00", "2026-11-02 17:00", "b"),
    ("Europe/Berlin", WEEKLY, "2026-03-23 09:00", "2026-03-30 06:59", "a"),
    ("Europe/Berlin", WEEKLY, "2026-03-23 09:00", "2026-03-30 07:00", "b"),
    ("Europe/Berlin", WEEKLY, "2026-10-19 09:00", "2026-10-26 07:59", "a"),
    ("Europe/Berlin", WEEKLY, "2026-10-19 09:00", "2026-10-26 08:00", "b"),
    # Lord Howe changes by half an hour: 22:00 in UTC in summer (+11:00), 22:30 in winter (+10:30).
    ("Australia/Lord_Howe", WEEKLY, "2026-03-30 09:00", "2026-04-05 22:29", "a"),
    ("Australia/Lord_Howe", WEEKLY, "2026-03-30 09:00", "2026-04-05 22:30", "b"),
    ("Australia/Lord_Howe", WEEKLY, "2026-09-28 09:00", "2026-10-04 21:59", "a"),
    ("Australia/Lord_Howe", WEEKLY, "2026-09-28 09:00", "2026-10-04 22:00", "b"),
    # A handover at a time that is skipped happens at the first instant after the gap.
    ("America/Los_Angeles", DAY_SHIFTS, "2026-03-07 02:30", "2026-03-08 09:59", "a"),
    ("America/Los_Angeles", DAY_SHIFTS, "2026-03-07 02:30", "2026-03-08 10:00", "b"),
    ("Australia/Lord_Howe", DAY_SHIFTS, "2026-10-03 02:15", "2026-10-03 15:29", "a"),
    ("Australia/Lord_Howe", DAY_SHIFTS, "2026-10-03 02:15", "2026-10-03 15:30", "b"),
    # One at a time that occurs twice happens the first time.
    ("Europe/Berlin", DAY_SHIFTS, "2026-10-24 02:30", "2026-10-25 00:29", "a"),
    ("Europe/Berlin", DAY_SHIFTS, "2026-10-24 02:30", "2026-10-25 00:30", "b"),
    ("Europe/Berlin", DAY_SHIFTS, "2026-10-24 02:30", "2026-10-25 01:30", "b"),
    # Shifts of an hour: 02:00 to 03:00 is swallowed (c's turn, used up), the doubled hour is one shift of two hours.
    ("America/Los_Angeles", HOUR_SHIFTS, "2026-03-08 00:00", "2026-03-08 09:59", "b"),
    ("America/Los_Angeles", HOUR_SHIFTS, "2026-03-08 00:00", "2026-03-08 10:00", "a"),
    ("America/Los_Angeles", HOUR_SHIFTS, "2026-11-01 00:00", "2026-11-01 08:00", "b"),
    ("America/Los_Angeles", HOUR_SHIFTS, "2026-11-01 00:00", "2026-11-01 09:59", "b"),
    ("America/Los_Angeles", HOUR_SHIFTS, "2026-11-01 00:00", "2026-11-01 10:00", "c"),
    # Samoa had no 30 December 2011 at all: that day's shift is skipped, its turn used up.
    ("Pacific/Apia", DAY_SHIFTS, "2011-12-28 00:00", "2011-12-30 09:59", "b"),
    ("Pacific/Apia", DAY_SHIFTS, "2011-12-28 00:00", "2011-12-30 10:00", "a"),
]


@pytest.mark.parametrize(("zone", "every", "start", "at", "person"), CLOCKS)
def test_clock_change(zone: str, every: Every, start: str, at: str, person: str) -> None:
    segment = rotation.on_call(single(every, start, zone, "a", "b", "c"), datetime.fromisoformat(at + "+00:00"))
    assert segment[Role.PRIMARY].person == person


@pytest.mark.parametrize(
    ("zone", "start", "end", "hours"),
    [
        ("America/Los_Angeles", "2026-03-02 09:00", "2026-03-09 09:00", 167),
        ("America/Los_Angeles", "2026-10-26 09:00", "2026-11-02 09:00", 169),
        ("Europe/Berlin", "2026-03-23 09:00", "2026-03-30 09:00", 167),
        ("Europe/Berlin", "2026-10-19 09:00", "2026-10-26 09:00", 169),
        ("Australia/Lord_Howe", "2026-03-30 09:00", "2026-04-06 09:00", 168.5),
        ("Australia/Lord_Howe", "2026-09-28 09:00", "2026-10-05 09:00", 167.5),
    ],
)
def test_the_week_of_a_clock_change_is_longer_or_shorter(zone: str, start: str, end: str, hours: float) -> None:
    team = single(WEEKLY, start, zone, "a", "b")
    begins, ends = (instant(wall(t), team.time_zone) for t in (start, end))
    (segment,) = rotation.schedule(team, begins, ends)
    assert (segment.end - segment.start).total_seconds() == hours * 3600
    assert rotation.on_call(team, begins)[Role.PRIMARY] == segment


def test_a_ring_of_one_is_one_segment_for_as_far_as_is_looked() -> None:
    team = single(WEEKLY, "2026-01-05 09:00", "UTC", "a")
    now = rotation.on_call(team, instant(wall("2027-01-05 09:00"), team.time_zone))[Role.PRIMARY]
    assert now.start == instant(START, team.time_zone)
    assert now.end - instant(wall("2027-01-05 09:00"), team.time_zone) >= rotation.LOOK_AHEAD


def test_a_ring_of_two_swaps_both_roles() -> None:
    rings = {
        Role.PRIMARY: Rotation(("a", "b"), START, WEEKLY),
        Role.SECONDARY: Rotation(("b", "a"), START, WEEKLY),
    }
    team = Team(LOS_ANGELES, (Member("a", "A"), Member("b", "B")), rings, holidays=holidays("2026-01-07"))
    noon = instant(wall("2026-01-07 12:00"), LOS_ANGELES)
    assert {role: s.person for role, s in rotation.on_call(team, noon).items()} == {"primary": "b", "secondary": "a"}
    alone = replace(team, absences=(away("a", "2026-01-07 00:00", "2026-01-08 00:00"),))
    assert {role: s.person for role, s in rotation.on_call(alone, noon).items()} == {"primary": "b", "secondary": None}


def test_a_ring_of_fifty_comes_round_after_fifty_weeks() -> None:
    members = tuple(f"p{n}" for n in range(50))
    team = single(WEEKLY, "2026-01-05 09:00", "UTC", *members)
    begins = instant(START, team.time_zone)
    segments = rotation.schedule(team, begins, instant(wall("2026-12-28 09:00"), team.time_zone))
    assert [s.person for s in segments] == [*members, "p0"]
    everyone_but_last = tuple(away(p, "2026-01-05 09:00", "2026-01-12 09:00") for p in members if p != "p7")
    busy = replace(team, absences=everyone_but_last)
    assert rotation.on_call(busy, begins)[Role.PRIMARY].person == "p7"
