from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop import team
from desktop.domain.policies import policy
from desktop.domain.rotation import on_call
from desktop.domain.severity import Severity
from desktop.domain.team import Role
from desktop.team.starter import demonstration, newcomer, starter

ZONE = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("day", range(1, 29))
@pytest.mark.parametrize("hour", [0, 8, 9, 23])
def test_a_newcomer_is_primary_at_once(day: int, hour: int) -> None:
    now = datetime(2026, 3, day, hour, tzinfo=ZONE)
    who = newcomer("ana", "Ana Ruiz", "Europe/Berlin")
    for text in (starter(who, now), demonstration(who, now)):
        assert on_call(team.parse(text, "team.toml"), now)[Role.PRIMARY].person == "ana"


@given(st.text(max_size=50), st.text(max_size=200))
def test_any_name_that_a_machine_has_makes_a_good_team_file(login: str, name: str) -> None:
    who = newcomer(login, name, "UTC")
    now = datetime(2026, 3, 2, 9, tzinfo=ZONE)
    for text in (starter(who, now), demonstration(who, now)):
        assert team.parse(text, "team.toml").people[0].id == who.id


@pytest.mark.parametrize("login", ["ben", "mia", "cho"])
def test_the_demonstration_has_three_different_people(login: str) -> None:
    text = demonstration(newcomer(login, "", "UTC"), datetime(2026, 3, 2, 9, tzinfo=ZONE))
    assert len({p.id for p in team.parse(text, "team.toml").people}) == 3


def test_a_demonstrated_sev0_goes_to_a_second_person_after_a_minute() -> None:
    now = datetime(2026, 3, 2, 9, tzinfo=ZONE)
    shown = team.parse(demonstration(newcomer("ana", "", "Europe/Berlin"), now), "team.toml")
    steps = policy(shown, Severity.SEV0).steps
    assert [(s.after.total_seconds(), s.roles) for s in steps[:2]] == [(0, ("primary",)), (60, ("secondary",))]
    assert {on_call(shown, now)[role].person for role in (Role.PRIMARY, Role.SECONDARY)} == {"ana", "ben"}
