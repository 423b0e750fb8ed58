"""Pages for each shift, as a table that a manager can read. The team is that of the duties' examples."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from desktop.domain.review import Handled, Paged, months, review
from desktop.domain.severity import Severity
from desktop.domain.shift_pages import Shift, ShiftPages, pages_per_shift
from desktop.domain.team import Absence, Every, Member, Override, Role, Rotation, Team, Unit, Week
from tests.unit.test_duties_examples import LOS_ANGELES, START, TEAM, WEEKLY, at

JANUARY, FEBRUARY = at("2026-01-01 00:00"), at("2026-02-01 00:00")
# A Wednesday at noon in Ben's week as primary; Cho is secondary.
NOON = at("2026-01-14 12:00")


def pages(*times: tuple[str, str]) -> Handled:
    """Return an incident that paged each person then."""
    found = tuple(Paged(person, (at(when),)) for person, when in times)
    return Handled("I", Severity.SEV0, JANUARY, pages=found)


def put(role: Role, person: str, start: str, end: str) -> Override:
    return Override(role, person, datetime.fromisoformat(start), datetime.fromisoformat(end))


def line(found: ShiftPages) -> str:
    """Return a shift as a line: role, day, whose it is, their own pages, and who stood in with theirs."""
    shift = found.shift
    others = "".join(f", {person} {count}" for person, count in found.stand_ins)
    return f"{shift.role} {shift.start.astimezone(LOS_ANGELES):%d} {shift.person} {found.own}{others}"


def primary(team: Team, *incidents: Handled) -> list[str]:
    found = pages_per_shift(team, incidents, JANUARY, FEBRUARY)
    return [line(p) for p in found if p.shift.role is Role.PRIMARY and p.pages]


BUSY = pages(("ben", "2026-01-13 12:00"), ("dora", "2026-01-14 12:30"), ("ben", "2026-01-14 12:30"))
HOUR = put(Role.PRIMARY, "dora", "2026-01-14 12:00", "2026-01-14 13:00")
AWAY = Absence("ben", datetime(2026, 1, 14), datetime(2026, 1, 15))
# sentence, team, pages, the primary's shifts that had any
TABLE = [
    ("pages of whoever is on call", TEAM, pages(("ben", "2026-01-14 12:00")), ["primary 12 ben 1"]),
    ("as the shift begins", TEAM, pages(("ben", "2026-01-12 09:00")), ["primary 12 ben 1"]),
    ("just before, it is the one before", TEAM, pages(("ana", "2026-01-12 08:59")), ["primary 05 ana 1"]),
    ("as the shift ends, it is over", TEAM, pages(("ben", "2026-01-19 09:00")), []),
    ("somebody else's page is not the primary's", TEAM,
     pages(("cho", "2026-01-14 12:00"), ("dora", "2026-01-14 12:00")), []),
    ("an hour's override leaves one shift, whoever stood in told apart", replace(TEAM, overrides=(HOUR,)), BUSY,
     ["primary 12 ben 1, dora 1"]),
    ("so does an absence", replace(TEAM, absences=(AWAY,)),
     pages(("ben", "2026-01-13 12:00"), ("ana", "2026-01-14 12:00")), ["primary 12 ben 1, ana 1"]),
    ("and a holiday", replace(TEAM, holidays=MappingProxyType({date(2026, 1, 12): "Holiday"})),
     pages(("ana", "2026-01-12 12:00"), ("ben", "2026-01-13 12:00")), ["primary 12 ben 1, ana 1"]),
    ("two stood in", replace(TEAM, overrides=(HOUR, put(Role.PRIMARY, "ana", "2026-01-15 00:00", "2026-01-16 00:00"))),
     pages(("dora", "2026-01-14 12:00"), ("ana", "2026-01-15 12:00"), ("ana", "2026-01-15 13:00")),
     ["primary 12 ben 0, ana 2, dora 1"]),
    ("a whole shift taken over is still the one whose it was",
     replace(TEAM, overrides=(put(Role.PRIMARY, "dora", "2026-01-12 09:00", "2026-01-19 09:00"),)),
     pages(("dora", "2026-01-14 12:00")), ["primary 12 ben 0, dora 1"]),
    ("an explicit week is a shift of its own engineer",
     replace(TEAM, weeks=(Week(date(2026, 1, 12), {Role.PRIMARY: "cho"}),)), pages(("cho", "2026-01-14 12:00")),
     ["primary 12 cho 1"]),
    ("a shift counts where it begins, with all of its pages", TEAM, pages(("ana", "2026-02-01 12:00")),
     ["primary 26 ana 1"]),
    ("those before the period are another's", TEAM,
     pages(("ana", "2026-02-02 09:00"), ("ben", "2025-12-31 12:00")), []),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_pages_per_shift(row: tuple[str, Team, Handled, list[str]]) -> None:
    _, team, incident, lines = row
    assert primary(team, incident) == lines


def test_every_role_but_the_shadows_has_its_shifts_in_order() -> None:
    shadow = replace(
        TEAM, rotations=MappingProxyType({Role.SHADOW: Rotation(("dora",), START, WEEKLY), **TEAM.rotations})
    )
    found = pages_per_shift(
        shadow, [pages(("cho", "2026-01-14 12:00"))], at("2026-01-12 09:00"), at("2026-01-26 09:00")
    )
    assert [line(p) for p in found] == [
        "primary 12 ben 0", "primary 19 cho 0", "secondary 12 cho 1", "secondary 19 ana 0", "manager 12 dora 0",
        "manager 19 dora 0",
    ]  # fmt: skip


def test_a_shift_is_whole_however_it_was_held() -> None:
    (found,) = pages_per_shift(
        replace(TEAM, overrides=(HOUR,)), [BUSY], at("2026-01-12 09:00"), at("2026-01-12 09:01")
    )[:1]
    assert found == ShiftPages(
        Shift(Role.PRIMARY, "ben", at("2026-01-12 09:00"), at("2026-01-19 09:00")), 1, (("dora", 1),)
    )
    assert (found.pages, found.stood_in) == (2, 1)


def test_somebody_in_two_roles_is_paged_once() -> None:
    both = put(Role.SECONDARY, "ben", "2026-01-12 00:00", "2026-01-19 00:00")
    found = pages_per_shift(replace(TEAM, overrides=(both,)), [pages(("ben", "2026-01-14 12:00"))], JANUARY, FEBRUARY)
    assert [line(p) for p in found if p.pages] == ["primary 12 ben 1"]


def test_a_role_that_only_overrides_create_has_their_times_as_shifts() -> None:
    days = (("2025-12-31 00:00", "2026-01-02 00:00"), ("2026-01-14 00:00", "2026-01-15 00:00"))
    late = put(Role.EMERGENCY, "ana", "2026-01-31 00:00", "2026-02-03 00:00")
    team = replace(TEAM, overrides=(*(put(Role.EMERGENCY, "dora", *day) for day in days), late))
    incident = pages(("dora", "2026-01-14 12:00"), ("ana", "2026-02-02 12:00"))
    found = pages_per_shift(replace(team, rotations=MappingProxyType({})), [incident], JANUARY, FEBRUARY)
    assert [line(p) for p in found] == ["emergency 14 dora 1", "emergency 31 ana 1"]
    assert found[1].shift.end == at("2026-02-03 00:00")


def test_an_override_that_begins_with_the_period_is_in_it() -> None:
    team = replace(TEAM, overrides=(put(Role.EMERGENCY, "ana", "2026-01-01 00:00", "2026-01-02 00:00"),))
    found = pages_per_shift(replace(team, rotations=MappingProxyType({})), [], JANUARY, FEBRUARY)
    assert [line(p) for p in found] == ["emergency 01 ana 0"]


def test_a_ring_of_nobody_has_no_shifts() -> None:
    empty = replace(TEAM, rotations=MappingProxyType({Role.PRIMARY: Rotation((), START, WEEKLY)}))
    assert pages_per_shift(empty, [], JANUARY, FEBRUARY) == ()


def test_a_shift_that_nobody_had_is_none() -> None:
    away = (datetime(2026, 1, 5), datetime(2026, 1, 12, 9))
    nobody = replace(TEAM, absences=tuple(Absence(p.id, *away) for p in TEAM.people))
    assert review(nobody, (), JANUARY, FEBRUARY, FEBRUARY).shifts == 3
    somebody = replace(nobody, overrides=(put(Role.PRIMARY, "ana", "2026-01-11 00:00", "2026-01-11 01:00"),))
    assert review(somebody, (), JANUARY, FEBRUARY, FEBRUARY).shifts == 4


def test_a_shift_is_counted_in_the_month_in_which_it_begins() -> None:
    # 5, 12, 19 and 26 January; 2, 9, 16 and 23 February. The week of 26 January reaches into February.
    one, two = months(TEAM, [pages(("ana", "2026-02-01 12:00"))], date(2026, 1, 1), date(2026, 2, 28), FEBRUARY)
    assert (one.shifts, one.shift_pages, one.pages_per_shift) == (4, 1, 0.25)
    assert (two.shifts, two.shift_pages, two.pages_per_shift) == (4, 0, 0.0)
    assert (one.pages, two.pages) == (0, 1)


def test_a_ring_of_one_has_as_many_shifts_as_any_other() -> None:
    alone = Team(ZoneInfo("UTC"), (Member("ana", "Ana"),), MappingProxyType({
        Role.PRIMARY: Rotation(("ana",), datetime(2017, 9, 4, 9), Every(1, Unit.WEEKS)),
    }))  # fmt: skip
    night = datetime(2026, 1, 14, 3, tzinfo=UTC)
    incident = Handled("I", Severity.SEV0, night, pages=(Paged("ana", (night,)),))
    (found,) = months(alone, [incident], date(2026, 1, 1), date(2026, 1, 31), night + timedelta(days=60))
    assert (found.shifts, found.pages_per_shift) == (4, 0.25)


def test_the_instant_at_which_a_shift_ends_is_not_in_it() -> None:
    alone = replace(TEAM, rotations=MappingProxyType({Role.PRIMARY: Rotation(("ana",), START, WEEKLY)}))
    incident = pages(("ana", "2026-01-19 08:59"), ("ana", "2026-01-19 09:00"))
    (found,) = pages_per_shift(alone, [incident], at("2026-01-12 00:00"), at("2026-01-19 00:00"))
    assert found.pages == 1


def test_overrides_make_no_shifts() -> None:
    week = (at("2026-01-12 09:00"), at("2026-01-19 09:00"), FEBRUARY)
    assert review(replace(TEAM, overrides=(HOUR,)), (), *week).shifts == review(TEAM, (), *week).shifts == 1


def test_a_long_shift_is_counted_once() -> None:
    eight = Rotation(("ana", "ben"), START, Every(8, Unit.WEEKS))
    team = replace(TEAM, rotations=MappingProxyType({Role.PRIMARY: eight}))
    found = months(team, [pages(("ana", "2026-02-11 12:00"))], date(2026, 1, 1), date(2026, 3, 31), FEBRUARY)
    assert [(m.shifts, m.shift_pages, m.pages_per_shift) for m in found] == [(1, 1, 1.0), (0, 0, None), (1, 0, 0.0)]


def test_hours_too_are_shifts_and_one_that_the_clock_skips_is_none() -> None:
    hourly = Rotation(("ana", "ben"), START, Every(1, Unit.HOURS))
    team = replace(TEAM, rotations=MappingProxyType({Role.PRIMARY: hourly}))
    found = pages_per_shift(team, [pages(("ana", "2026-03-08 03:30"))], at("2026-03-08 00:00"), at("2026-03-09 00:00"))
    assert (len(found), sum(p.pages for p in found)) == (23, 1)


def test_the_primary_is_told_whose_pages_were_whose() -> None:
    found = review(replace(TEAM, overrides=(HOUR,)), [BUSY], JANUARY, FEBRUARY, FEBRUARY)
    assert (found.pages, found.shift_pages, found.stood_in_pages, found.pages_per_shift) == (3, 2, 1, 0.5)
