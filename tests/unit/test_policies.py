"""How a team's file changes the escalation of each severity."""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from desktop.domain.escalation import Policy, Step, default_policy
from desktop.domain.policies import Level, business_hours, levels, policies, policy
from desktop.domain.severity import DEFAULT_TARGETS, Severity, Targets
from desktop.domain.team import EscalationRules, Team
from tests.unit.teams import utc, wall

TEAM = Team(ZoneInfo("America/Los_Angeles"), ())
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ONLY_MANAGER = (Step(HOUR, ("manager",), business=True),)
ONLY_PRIMARY = (Step(timedelta(0), ("primary",)),)


def ruled(**rules: object) -> Team:
    return replace(TEAM, escalation=EscalationRules(**rules))  # type: ignore[arg-type]


@pytest.mark.parametrize("severity", Severity)
def test_a_team_that_says_nothing_has_the_defaults(severity: Severity) -> None:
    assert policy(TEAM, severity) == default_policy(severity, DEFAULT_TARGETS[severity])
    assert policies(TEAM)[severity] == policy(TEAM, severity)


def test_the_procedure_of_a_sev0_is_15_30_and_60_minutes() -> None:
    found = policy(TEAM, Severity.SEV0)
    assert [(s.after / MINUTE, s.roles) for s in found.steps] == [
        (0, ("primary",)),
        (15, ("secondary",)),
        (30, ("manager",)),
        (60, ("emergency",)),
    ]
    assert (found.page_again, found.repeats, found.acknowledge_timeout) == (15 * MINUTE, 9, 30 * MINUTE)


@pytest.mark.parametrize(("severity", "hours"), [(0, 1), (1, 4), (2, 8), (3, 24)])
def test_how_soon_each_severity_has_to_be_resolved(severity: int, hours: int) -> None:
    assert policy(TEAM, Severity(severity)).resolve == hours * HOUR


def test_targets_move_the_default_steps() -> None:
    team = replace(TEAM, targets=MappingProxyType({Severity.SEV0: Targets(MINUTE, 2 * HOUR)}))
    assert [s.after / MINUTE for s in policy(team, Severity.SEV0).steps] == [0, 1, 2, 4]
    assert policy(team, Severity.SEV0).resolve == 2 * HOUR
    assert policy(team, Severity.SEV1) == policy(TEAM, Severity.SEV1)


def test_a_severitys_own_steps_come_before_the_teams_before_the_default() -> None:
    team = ruled(steps=ONLY_PRIMARY, steps_by_severity=MappingProxyType({Severity.SEV2: ONLY_MANAGER}))
    assert policy(team, Severity.SEV2).steps == ONLY_MANAGER
    assert policy(team, Severity.SEV0).steps == ONLY_PRIMARY
    assert policy(team, Severity.SEV2).page_again == DEFAULT_TARGETS[Severity.SEV2].acknowledge


def test_repeat_and_timeout_hold_for_every_severity() -> None:
    team = ruled(repeat=0, acknowledge_timeout=10 * MINUTE)
    assert {p.repeats for p in policies(team).values()} == {0}
    assert {p.acknowledge_timeout for p in policies(team).values()} == {10 * MINUTE}


def test_a_timeout_of_zero_holds_for_ever() -> None:
    assert policy(ruled(acknowledge_timeout=timedelta(0)), Severity.SEV0).acknowledge_timeout is None


def test_levels_add_roles_where_pagerduty_would_replace_them() -> None:
    assert levels(policy(TEAM, Severity.SEV0)) == (
        Level(("primary",), 15),
        Level(("primary", "secondary"), 15),
        Level(("primary", "secondary", "manager"), 30),
        Level(("primary", "secondary", "manager", "emergency"), 15),
    )


def test_levels_round_delays_up_and_merge_equal_times() -> None:
    steps = (
        Step(timedelta(0), ("primary",)),
        Step(timedelta(seconds=61), ("secondary",)),
        Step(timedelta(seconds=61), ("manager",)),
        Step(timedelta(seconds=62), ("emergency", "primary")),
    )
    assert levels(Policy(steps, page_again=timedelta(seconds=90))) == (
        Level(("primary",), 2),
        Level(("primary", "secondary", "manager"), 1),
        Level(("primary", "secondary", "manager", "emergency"), 2),
    )


def test_the_teams_holidays_are_no_business_hours() -> None:
    team = replace(TEAM, holidays=MappingProxyType({wall("2026-01-05").date(): "Holiday"}))
    assert business_hours(team).next_open(utc("2026-01-05 18:00")) == utc("2026-01-06 17:00")
    assert business_hours(TEAM).next_open(utc("2026-01-05 18:00")) == utc("2026-01-05 18:00")


@pytest.mark.parametrize(("minutes", "by_machine"), [(None, 30), (10, 10), (30, 30), (60, 30)])
def test_what_a_machine_acknowledges_holds_half_an_hour_at_most(minutes: int | None, by_machine: int) -> None:
    timeout = None if minutes is None else minutes * MINUTE
    found = Policy((), MINUTE, acknowledge_timeout=timeout)
    assert found.holds(by_person=True) == timeout
    assert found.holds(by_person=False) == by_machine * MINUTE
