"""What is flagged of a schedule: in which order, and for exactly how long."""

from dataclasses import replace
from datetime import datetime

import pytest

from desktop.domain.flags import Doubt, flags
from desktop.domain.team import Absence, Role, Team
from tests.unit.teams import utc
from tests.unit.test_rotation_examples import TEAM, away, over

START, END = utc("2026-01-12 17:00"), utc("2026-01-19 17:00")  # Ben's week; Cho is secondary, Dora manager.


def found(team: Team) -> list[tuple[Doubt, Role, datetime, datetime]]:
    return [(f.doubt, f.segment.role, f.segment.start, f.segment.end) for f in flags(team, START, END)]


def test_flags_come_by_time_whatever_their_doubt() -> None:
    team = replace(
        TEAM,
        people=(*TEAM.people[:2], replace(TEAM.people[2], certified=False), *TEAM.people[3:]),
        absences=(away("eve", "2026-01-16 00:00", "2026-01-17 00:00"),),
        overrides=(
            over("manager", "eve", "2026-01-16 00:00", "2026-01-16 12:00"),
            over("manager", "ben", "2026-01-14 00:00", "2026-01-14 12:00"),
        ),
    )
    assert found(team) == [
        (Doubt.NOT_CERTIFIED, Role.SECONDARY, START, END),
        (Doubt.TWO_ROLES, Role.MANAGER, utc("2026-01-14 08:00"), utc("2026-01-14 20:00")),
        (Doubt.ABSENT, Role.MANAGER, utc("2026-01-16 08:00"), utc("2026-01-16 20:00")),
    ]


# Eve is on call by override from 08:00 to 16:00; she is away; flagged is
AWAY = [
    ("06:00", "07:00", None),
    ("06:00", "08:00", None),
    ("06:00", "09:00", ("08:00", "09:00")),
    ("09:00", "10:00", ("09:00", "10:00")),
    ("15:00", "18:00", ("15:00", "16:00")),
    ("16:00", "18:00", None),
    ("06:00", "18:00", ("08:00", "16:00")),
]


@pytest.mark.parametrize(("start", "end", "flagged"), AWAY)
def test_an_absence_is_flagged_where_it_meets_the_override(
    start: str, end: str, flagged: tuple[str, str] | None
) -> None:
    day = "2026-01-14"
    on_call = over("primary", "eve", f"{day}T08:00+00:00", f"{day}T16:00+00:00")
    absence = Absence("eve", utc(f"{day} {start}"), utc(f"{day} {end}"))
    expected = [] if flagged is None else [(Doubt.ABSENT, Role.PRIMARY, *(utc(f"{day} {t}") for t in flagged))]
    assert found(replace(TEAM, overrides=(on_call,), absences=(absence,))) == expected
