"""What people add to a team in the application: which of it holds, from when, and over what."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from desktop import team as teams
from desktop.domain.additions import Additions, Leave, held, merged
from desktop.domain.rotation import on_call
from desktop.domain.team import Absence, Override, Role

START = datetime(2026, 1, 7, 18, 0, tzinfo=UTC)  # Wednesday, ten in the morning in Los Angeles
TEAM = """
time_zone = "America/Los_Angeles"
people = [{ id = "ana", name = "Ana Ruiz" }, { id = "ben", name = "Ben Okafor" }, { id = "cho", name = "Cho Lee" }]
[rotation.primary]
members = ["ana", "ben"]
start = 2026-01-05T09:00:00
every = "1 week"
"""
DAY = timedelta(days=1)
FILE = teams.parse(TEAM, "team.toml")
PUT_IN = date(2026, 1, 5)  # Two days before it starts.


def leave(
    person: str = "ana", *, announced: datetime, confirmed: datetime | None = None, cover: str | None = "cho"
) -> Leave:
    return Leave(person, cover, START - DAY, START + DAY, announced, confirmed)


def primary(added: Additions, at: datetime = START) -> str | None:
    return on_call(merged(FILE, added), at)[Role.PRIMARY].person


def test_without_additions_it_is_the_file() -> None:
    assert merged(FILE, Additions()) == FILE


def test_overrides_of_the_application_win_over_those_of_the_file() -> None:
    span = '[[overrides]]\nrole = "primary"\nperson = "cho"\nstart = 2026-01-07T00:00:00\nend = 2026-01-08T00:00:00\n'
    filed = teams.parse(TEAM + span, "team.toml")
    mine = Override(Role.PRIMARY, "ben", START, START + DAY)
    assert on_call(filed, START)[Role.PRIMARY].person == "cho"
    assert on_call(merged(filed, Additions((mine,))), START)[Role.PRIMARY].person == "ben"


@pytest.mark.parametrize(
    ("announced", "confirmed", "expected"),
    [
        (START - 15 * DAY, None, "cho"),  # 14 days before it begins
        (START - 14 * DAY, None, "ana"),  # 13 days before
        (START - 2 * DAY, None, "ana"),
        (START - 2 * DAY, START - DAY, "cho"),
        (START - 2 * DAY, START, "cho"),
        (START - 2 * DAY, START + timedelta(microseconds=1), "ana"),
        (START - 2 * DAY, START + 2 * DAY, "ana"),
        (START - 15 * DAY, START + 2 * DAY, "cho"),
    ],
)
def test_a_late_absence_holds_from_when_somebody_said_yes(
    announced: datetime, confirmed: datetime | None, expected: str
) -> None:
    assert primary(Additions(leaves=(leave(announced=announced, confirmed=confirmed),))) == expected


def test_the_notice_is_counted_in_days_of_the_team() -> None:
    """The absence begins on the 15th in Los Angeles; it was announced there on the 1st, in UTC already the 2nd."""
    start = datetime(2026, 1, 15, 8, tzinfo=UTC)
    for announced, expected in (
        (datetime(2026, 1, 2, 7, tzinfo=UTC), "cho"),
        (datetime(2026, 1, 2, 9, tzinfo=UTC), "ben"),
    ):
        found = Leave("ben", "cho", start, start + DAY, announced, None)
        assert primary(Additions(leaves=(found,)), start) == expected


def test_the_days_of_a_notice_end_at_midnight_of_the_team() -> None:
    """The absence begins in the evening of the 14th in Los Angeles, in UTC on the 15th; 13 days are too few."""
    late = Leave("ana", "cho", datetime(2026, 1, 15, 4, tzinfo=UTC), START + 30 * DAY, START - 6 * DAY, None)
    assert held(late, FILE.time_zone) is None
    early = replace(late, announced=late.announced - DAY)
    assert held(early, FILE.time_zone) == Absence("ana", late.start, late.end, date(2025, 12, 31), "cho")


@pytest.mark.parametrize("after", [timedelta(0), timedelta(microseconds=1), DAY])
def test_what_is_confirmed_when_it_is_over_is_no_absence(after: timedelta) -> None:
    asked = leave(announced=START - 2 * DAY)
    over = replace(asked, confirmed=asked.end + after)
    assert held(over, FILE.time_zone) is None
    last = replace(asked, confirmed=asked.end - timedelta(microseconds=1))
    assert held(last, FILE.time_zone) == Absence("ana", asked.end - timedelta(microseconds=1), asked.end, PUT_IN, "cho")


def test_who_is_not_in_the_team_neither_stands_in_nor_is_away() -> None:
    gone = Override(Role.PRIMARY, "dee", START, START + DAY)
    early = START - 30 * DAY
    assert primary(Additions((gone,))) == "ana"
    assert primary(Additions(leaves=(leave("dee", announced=early),))) == "ana"
    # A cover who left covers nobody: the ring decides.
    assert primary(Additions(leaves=(leave(cover="dee", announced=early),))) == "ben"
