"""Who is away, who covers whom, and what overrides that overlap come to: the edges that whole schedules seldom meet."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice, permutations
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from desktop.domain import rotation
from desktop.domain.covering import Presence
from desktop.domain.overriding import Overriding
from desktop.domain.segments import nobody
from desktop.domain.team import Absence, Override, Role, Rotation
from tests.unit.teams import utc
from tests.unit.test_rotation_examples import RING_AWAY, START, TEAM, WEEKLY

UTC_ZONE = ZoneInfo("UTC")


def hour(number: int) -> datetime:
    return utc("2026-01-14 00:00") + timedelta(hours=number)


def away(start: int, end: int, person: str = "ben", cover: str | None = None) -> Absence:
    return Absence(person, hour(start), hour(end), cover=cover)


def over(start: int, end: int, person: str) -> Override:
    return Override(Role.PRIMARY, person, hour(start), hour(end))


@pytest.mark.parametrize(
    "spans",
    [
        [(1, 2), (4, 5), (7, 8)],
        [(1, 3), (3, 5), (5, 7)],
        [(1, 6), (2, 3)],
        [(1, 2), (4, 8), (5, 6)],
        [(1, 2), (4, 6), (5, 8)],
        [(1, 5), (2, 3), (4, 8)],
        [(1, 2), (4, 8), (5, 6), (7, 9)],
    ],
)
def test_somebody_is_away_in_the_hours_of_any_absence_and_in_no_other(spans: list[tuple[int, int]]) -> None:
    for order in permutations(spans):
        presence = Presence([away(*span) for span in order], UTC_ZONE)
        expected = [any(start <= h < end for start, end in spans) for h in range(10)]
        assert [presence.absent("ben", hour(h)) for h in range(10)] == expected
        last = timedelta(microseconds=1)
        assert [presence.absent("ben", hour(h + 1) - last) for h in range(10)] == expected


def test_a_cover_covers_to_the_end_of_that_absence_only() -> None:
    presence = Presence([away(1, 3, cover="eve"), away(3, 5, cover="dora")], UTC_ZONE)
    assert [list(presence.covers("ben", hour(h))) for h in range(6)] == [[], ["eve"], ["eve"], ["dora"], ["dora"], []]


def test_covers_who_cover_each_other_are_each_asked_once() -> None:
    circle = [away(1, 3, "ben", "eve"), away(1, 3, "eve", "dora"), away(1, 3, "dora", "eve"), away(1, 3, "dora", "ben")]
    assert list(islice(Presence(circle, UTC_ZONE).covers("ben", hour(1)), 9)) == ["eve", "dora"]


def test_the_last_resort_is_the_secondary_before_anyone_else() -> None:
    rings = {**TEAM.rotations, Role.SECONDARY: Rotation(("dora", "eve"), START, WEEKLY)}
    team = replace(RING_AWAY, rotations=MappingProxyType(rings))
    assert [person.id for person in team.people][3:] == ["dora", "eve"]
    assert rotation.on_call(team, utc("2026-01-14 14:00"))[Role.PRIMARY].person == "eve"


@pytest.mark.parametrize(("ring", "manager", "why"), [("ben", "ben", "rotation"), ("ana ben", "ana", "cover")])
def test_a_manager_in_two_roles_is_better_than_none_but_worse_than_another(ring: str, manager: str, why: str) -> None:
    """Ben is primary, and it is his turn as manager, too."""
    rings = {**TEAM.rotations, Role.MANAGER: Rotation(tuple(ring.split()), START, WEEKLY)}
    team = replace(TEAM, rotations=MappingProxyType(rings))
    found = rotation.on_call(team, utc("2026-01-14 20:00"))[Role.MANAGER]
    assert (found.person, found.why.value) == (manager, why)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([over(5, 7, "ana"), over(1, 3, "ben")], ".bb..aa."),
        ([over(1, 7, "ana"), over(2, 4, "ben")], ".abbaaa."),
        ([over(2, 4, "ben"), over(1, 7, "ana")], ".aaaaaa."),
        ([over(3, 7, "ana"), over(1, 5, "ben")], ".bbbbaa."),
        ([over(1, 7, "ana"), over(2, 6, "ben"), over(3, 4, "cho")], ".abcbba."),
        ([over(4, 5, "ana"), over(1, 7, "ben"), over(2, 3, "cho"), over(5, 6, "ana")], ".bcbbab."),
    ],
)
def test_of_overrides_that_overlap_the_later_in_the_list_holds(overrides: list[Override], expected: str) -> None:
    found = Overriding(overrides, UTC_ZONE)
    assert "".join(found.at(hour(h)).get(Role.PRIMARY, ".")[0] for h in range(8)) == expected


def test_nobody_is_said_loudly_of_the_primary_only() -> None:
    assert [nobody(role) for role in Role] == ["NOBODY ON CALL", *["nobody"] * (len(Role) - 1)]
    assert next(iter(Role)) is Role.PRIMARY
