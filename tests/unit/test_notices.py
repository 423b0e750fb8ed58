"""Who is told without being paged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desktop.domain.escalation import default_policy
from desktop.domain.notices import resolve_due_at, stand_down, told_of_overdue
from desktop.domain.severity import DEFAULT_TARGETS, Severity

START = datetime(2026, 1, 7, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("paged", "by", "told"),
    [
        (("ana", "ben", "cho"), "ben", ("ana", "cho")),
        (("ana",), "ana", ()),
        (("ana", "ben"), None, ("ana", "ben")),
        (("ana",), "eve", ("ana",)),
        ((), "ana", ()),
    ],
    ids=["one of them", "the only one", "an integration", "somebody else", "nobody was paged"],
)
def test_everyone_who_was_paged_stands_down(paged: tuple[str, ...], by: str | None, told: tuple[str, ...]) -> None:
    assert stand_down(paged, by) == told


@pytest.mark.parametrize(("severity", "hours"), [(0, 1), (1, 4), (2, 8), (3, 24)])
def test_when_the_target_to_resolve_passes(severity: int, hours: int) -> None:
    policy = default_policy(Severity(severity), DEFAULT_TARGETS[Severity(severity)])
    assert resolve_due_at(policy, START) == START + timedelta(hours=hours)
    assert resolve_due_at(replace(policy, resolve=None), START) is None


def test_the_manager_is_told_and_nobody_else() -> None:
    assert told_of_overdue({"primary": ("ana",), "manager": ("cho", "dev")}.__getitem__) == ("cho", "dev")
