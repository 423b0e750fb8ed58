"""Who is told something of an incident without being paged, and when: nothing rings. Pure; every time is aware.

Source of the rules: design, section 3, "Escalation".
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum

from desktop.domain.escalation_list import Policy


class Notice(StrEnum):
    """What is told, as the history of an incident names it."""

    STAND_DOWN = "stand_down"
    OVERDUE = "overdue"


def stand_down(paged: Iterable[str], by: str | None) -> tuple[str, ...]:
    """Return who is told that somebody has it: all who were ``paged`` but for ``by``, who acknowledged."""
    return tuple(person for person in paged if person != by)


def resolve_due_at(policy: Policy, triggered_at: datetime) -> datetime | None:
    """Return when the target to resolve passes, counted from the trigger; None when there is none."""
    return None if policy.resolve is None else triggered_at + policy.resolve


def told_of_overdue(who: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    """Return who is told that the target to resolve has passed: the managers, whatever the hour."""
    return who("manager")
