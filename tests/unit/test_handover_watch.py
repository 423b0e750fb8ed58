"""Which time a handover is about, told by teams whose schedule the rotation works out: rings, holidays, roles."""

from dataclasses import replace
from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from desktop.domain import handover_answers as answers
from desktop.domain.handover_facts import Handover, Kind, Offer, Point
from desktop.domain.handover_request import Wish, around, request
from desktop.domain.handover_watch import foremost, left_out, wanted_absences, wanted_overrides, watch
from desktop.domain.rotation import on_call, schedule
from desktop.domain.segments import Why
from desktop.domain.team import Absence, Every, Member, Override, Role, Rotation, Team, Unit
from desktop.domain.watch import shift_at
from tests.unit.handovers import HOLIDAY, HOUR, MINUTE, MONDAY, SEGMENTS, START, asked, segment
from tests.unit.teams import utc, wall

WEEK, BEGAN = Every(1, Unit.WEEKS), wall("2026-01-05 09:00")
PEOPLE = tuple(Member(p, p.capitalize()) for p in ("ana", "ben", "cho", "dora"))
NIGHT = utc("2026-01-07 03:00")  # Ana's week as primary, Ben's as secondary


def team(every: Every = WEEK, **rings: str) -> Team:
    """Return a team whose roles turn through these people."""
    rotations = {Role(role): Rotation(tuple(who.split()), BEGAN, every) for role, who in rings.items()}
    return Team(ZoneInfo("UTC"), PEOPLE, rotations=MappingProxyType(rotations))


def holidays(those: Team, *days: str) -> Team:
    return replace(those, holidays=MappingProxyType({date.fromisoformat(d): "Holiday" for d in days}))


def overridden(those: Team, role: Role, person: str, start: str, end: str) -> Team:
    return replace(those, overrides=(*those.overrides, Override(role, person, wall(start), wall(end))))


def away(those: Team, person: str, start: str, end: str, cover: str | None = None) -> Team:
    return replace(those, absences=(*those.absences, Absence(person, wall(start), wall(end), cover=cover)))


def begun(those: Team, giver: str, at: datetime) -> Handover:
    """Return a handover of the watch of ``giver``, to whoever is named."""
    by_id = {p.id: p for p in PEOPLE}
    to = next(p for p in PEOPLE if p.id != giver)
    found = replace(around(those, giver, at), candidates=(to.id,))
    return request(Wish("H", Kind.ASK, by_id[giver], by_id[giver], "ill"), found, at)


def taken(those: Team, giver: str, to: str, at: datetime) -> Handover:
    """Return a handover that ``to`` accepted and confirmed at once."""
    facts = answers.accept(replace(begun(those, giver, at), offers=(Offer(to, at),)), to, at)
    for point in Point:
        facts = answers.confirm(facts, next(p for p in PEOPLE if p.id == to), point, at)
    return facts


TWO = team(primary="ana ben", secondary="ben ana", manager="dora")
THREE = team(primary="ana ben cho", secondary="ben cho ana", manager="dora")
ONE = team(primary="ana")

# What is odd about it, the team, whose watch, when, and the role and the pieces that are handed over.
WATCHES = [
    ("the rest of the week", THREE, "ana", NIGHT, "primary 07T03-12T09"),
    ("a ring of one", ONE, "ana", NIGHT, "primary 07T03-12T09"),
    ("a ring of one, at the first instant of a shift", ONE, "ana", utc("2026-01-12 09:00"), "primary 12T09-19T09"),
    ("a ring of one, a minute before its end", ONE, "ana", utc("2026-01-12 08:00"), "primary 12T08-12T09"),
    ("two whose roles swap", TWO, "ana", NIGHT, "primary 07T03-12T09"),
    ("the secondary of two, primary next week", TWO, "ben", NIGHT, "secondary 07T03-12T09"),
    ("the secondary of three, primary next week", THREE, "ben", NIGHT, "secondary 07T03-12T09"),
    ("a manager who is always it", THREE, "dora", NIGHT, "manager 07T03-12T09"),
    ("a holiday splits the shift", holidays(THREE, "2026-01-08"), "ana", NIGHT, "primary 07T03-08T09"),
    ("a holiday moves the end", holidays(THREE, "2026-01-12"), "ana", NIGHT, "primary 07T03-12T09 12T09-13T09"),
    ("a run of holidays moves it", holidays(THREE, "2026-01-12", "2026-01-13"), "ana", NIGHT,
     "primary 07T03-12T09 12T09-14T09"),
    ("on the holiday that moved it", holidays(THREE, "2026-01-12"), "ana", utc("2026-01-12 12:00"),
     "primary 12T12-13T09"),
    ("they cover next week too", away(THREE, "ben", "2026-01-10", "2026-01-20"), "ana", NIGHT, "primary 07T03-12T09"),
    ("they cover the holiday of somebody", holidays(THREE, "2026-01-14"), "ana", utc("2026-01-14 12:00"),
     "primary 14T12-15T09"),
    ("they cover somebody who is away", away(THREE, "ana", "2026-01-07", "2026-01-08", "dora"), "dora", NIGHT,
     "primary 07T03-08T00"),
    ("an override splits the shift", overridden(THREE, Role.PRIMARY, "ana", "2026-01-08", "2026-01-09"), "ana", NIGHT,
     "primary 07T03-08T00 08T00-09T00 09T00-12T09"),
    ("they stand in tonight", overridden(THREE, Role.PRIMARY, "cho", "2026-01-07", "2026-01-07 08:00"), "cho", NIGHT,
     "primary 07T03-07T08"),
    ("somebody stands in tomorrow", overridden(THREE, Role.PRIMARY, "cho", "2026-01-08", "2026-01-09"), "ana", NIGHT,
     "primary 07T03-08T00"),
    ("primary and manager", team(primary="ana", manager="ana"), "ana", NIGHT, "primary 07T03-12T09"),
    ("they get a role before theirs", overridden(THREE, Role.PRIMARY, "dora", "2026-01-08", "2026-01-09"), "dora",
     NIGHT, "manager 07T03-08T00"),
    ("an override puts them in both", overridden(overridden(THREE, Role.SECONDARY, "dora", "2026-01-07", "2026-01-10"),
     Role.PRIMARY, "dora", "2026-01-08", "2026-01-09"), "dora", NIGHT, "secondary 07T03-08T00"),
    ("a role without a rotation", overridden(ONE, Role.EMERGENCY, "cho", "2026-01-07", "2026-01-28"), "cho", NIGHT,
     "emergency 07T03-28T00"),
    ("the same, of somebody who is secondary from Monday on",
     overridden(THREE, Role.EMERGENCY, "cho", "2026-01-07", "2026-01-28"), "cho", NIGHT, "emergency 07T03-12T09"),
]  # fmt: skip


def shown(facts: Handover, at: datetime) -> str:
    pieces = [f"{s.start:%dT%H}-{s.end:%dT%H}" for s in watch(facts, at)]
    return " ".join([facts.role, *pieces])


@pytest.mark.parametrize("row", WATCHES, ids=[row[0] for row in WATCHES])
def test_what_is_handed_over(row: tuple[str, Team, str, datetime, str]) -> None:
    _, those, giver, at, expected = row
    assert shown(begun(those, giver, at), at) == expected


def test_daily_and_hourly_shifts_end_as_they_do() -> None:
    daily = team(Every(1, Unit.DAYS), primary="ana")
    assert shown(begun(holidays(daily, "2026-01-07"), "ana", NIGHT), NIGHT) == "primary 07T03-08T09"
    hourly = team(Every(5, Unit.HOURS), primary="ana")
    assert shown(begun(holidays(hourly, "2026-01-07"), "ana", NIGHT), NIGHT) == "primary 07T03-07T06"


def test_there_is_no_shift_before_the_first_and_none_without_a_rotation() -> None:
    assert shift_at(THREE, Role.PRIMARY, utc("2026-01-05 08:59")) is None
    assert shift_at(THREE, Role.SHADOW, NIGHT) is None
    assert shift_at(team(primary=""), Role.PRIMARY, NIGHT) is None


def test_a_watch_is_of_one_role_and_of_one_stretch() -> None:
    """Ana is secondary right after her watch as primary, and primary again a day later."""
    segments = (*SEGMENTS, segment(Role.SECONDARY, "ana", MONDAY, MONDAY + HOUR))
    assert [s.end for s in watch(replace(asked(), segments=segments, until=None), START)] == [HOLIDAY, MONDAY]
    assert [s.end for s in watch(replace(asked(), until=HOLIDAY + HOUR), START)] == [HOLIDAY, HOLIDAY + HOUR]
    assert [s.end for s in watch(replace(asked(), until=HOLIDAY), START)] == [HOLIDAY]
    assert [s.start for s in watch(asked(), HOLIDAY)] == [HOLIDAY]
    assert watch(asked(), MONDAY) == ()
    assert watch(replace(asked(), until=START + HOUR), START + HOUR) == ()
    assert [s.end for s in watch(replace(asked(), segments=SEGMENTS[::-1]), START)] == [HOLIDAY, MONDAY]


def test_the_foremost_role_is_one_that_is_held_at_that_instant() -> None:
    assert foremost("ana", SEGMENTS, MONDAY - MINUTE) is Role.PRIMARY
    assert foremost("ana", SEGMENTS, MONDAY) is None
    assert foremost("ben", SEGMENTS, MONDAY) is Role.PRIMARY


def test_a_role_before_theirs_that_is_over_cuts_nothing() -> None:
    segments = (segment(Role.PRIMARY, "ana", START, HOLIDAY), segment(Role.SECONDARY, "ana", START, MONDAY))
    facts = replace(asked(), role=Role.SECONDARY, segments=segments)
    assert watch(facts, HOLIDAY - MINUTE) == ()
    assert [(s.start, s.end) for s in watch(facts, HOLIDAY)] == [(HOLIDAY, MONDAY)]


def test_a_shadow_has_no_watch_and_can_take_one() -> None:
    those = team(primary="ben", shadow="ana")
    assert around(those, "ana", NIGHT).candidates == ()
    assert len(wanted_overrides(taken(those, "ben", "ana", NIGHT), NIGHT)) == 1


def test_the_receiver_of_a_swapping_ring_of_two_is_not_in_two_roles() -> None:
    """One night's handover is one override, and next week the two have swapped as always."""
    facts = taken(TWO, "ana", "ben", NIGHT)
    assert len(wanted_overrides(facts, NIGHT)) == 1
    after = replace(TWO, overrides=wanted_overrides(facts, NIGHT), absences=wanted_absences(facts, NIGHT))
    now = {role: s.person for role, s in on_call(after, NIGHT).items()}
    assert now == {Role.PRIMARY: "ben", Role.SECONDARY: None, Role.MANAGER: "dora"}
    monday, later = utc("2026-01-12 09:00"), utc("2026-03-12 09:00")
    assert schedule(after, monday, later) == schedule(TWO, monday, later)


# What is odd about it, the team, whose watch, to whom: what they get, and what is left out.
SHARES = [
    ("away tomorrow", away(THREE, "cho", "2026-01-08", "2026-01-09"), "ana", "cho", "07T03-08T00 09T00-12T09",
     "08T00-09T00"),
    ("away from tomorrow on", away(THREE, "cho", "2026-01-08", "2026-02-09"), "ana", "cho", "07T03-08T00",
     "08T00-12T09"),
    ("away until now, and after the watch", away(away(THREE, "cho", "2026-01-06", "2026-01-07 03:00"), "cho",
     "2026-01-12 09:00", "2026-01-13"), "ana", "cho", "07T03-12T09", ""),
    ("somebody else is away", away(THREE, "dora", "2026-01-08", "2026-01-09"), "ana", "cho", "07T03-12T09", ""),
    ("away twice", away(away(THREE, "cho", "2026-01-10", "2026-01-11"), "cho", "2026-01-08", "2026-01-09"), "ana",
     "cho", "07T03-08T00 09T00-10T00 11T00-12T09", "08T00-09T00 10T00-11T00"),
    ("primary for a day, of a watch as secondary", overridden(THREE, Role.PRIMARY, "cho", "2026-01-08", "2026-01-09"),
     "ben", "cho", "07T03-08T00 09T00-12T09", "08T00-09T00"),
    ("secondary, of a watch as primary", THREE, "ana", "ben", "07T03-12T09", ""),
    ("a shadow, of a watch as primary", team(primary="ana", shadow="cho"), "ana", "cho", "07T03-12T09", ""),
]  # fmt: skip


@pytest.mark.parametrize("row", SHARES, ids=[row[0] for row in SHARES])
def test_what_the_receiver_cannot_have_is_left_out(row: tuple[str, Team, str, str, str, str]) -> None:
    _, those, giver, to, gets, out = row
    facts = taken(those, giver, to, NIGHT)
    assert " ".join(f"{o.start:%dT%H}-{o.end:%dT%H}" for o in wanted_overrides(facts, NIGHT)) == gets
    assert " ".join(f"{s.start:%dT%H}-{s.end:%dT%H}" for s in left_out(facts)) == out


def test_a_piece_that_is_past_is_no_longer_handed_over() -> None:
    facts = taken(overridden(THREE, Role.PRIMARY, "ana", "2026-01-08", "2026-01-09"), "ana", "cho", NIGHT)
    late = utc("2026-01-08 00:00")
    assert [o.start for o in wanted_overrides(facts, NIGHT + MINUTE)][:1] == [NIGHT]
    assert [o.start for o in wanted_overrides(facts, late)] == [late, utc("2026-01-09 00:00")]
    assert [(a.start, a.end) for a in wanted_absences(facts, late)] == [(late, utc("2026-01-12 09:00"))]
    assert {s.why for s in watch(facts, NIGHT)} == {Why.ROTATION, Why.OVERRIDE}
