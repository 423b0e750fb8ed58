"""Segments: who has a role from when to when, and why. Pure values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from desktop.domain.team import Role

# Roles are resolved, and segments sorted, in this order.
ORDER = tuple(Role)


class Why(StrEnum):
    """Why somebody has a role: the rule that decided last."""

    ROTATION = "rotation"
    WEEK = "week"
    HOLIDAY = "holiday"
    ABSENCE = "absence"
    COVER = "cover"
    OVERRIDE = "override"


def nobody(role: Role) -> str:
    """Return how every view says that nobody has ``role``: without a primary, nobody is on call at all."""
    return "NOBODY ON CALL" if role is Role.PRIMARY else "nobody"


@dataclass(frozen=True, slots=True)
class Segment:
    """``person`` (None: nobody) has ``role`` in ``[start, end)``, aware UTC, because of ``why``.

    With nobody, ``why`` is what took away the one whose turn it was; before the rotation starts it is rotation.
    """

    role: Role
    person: str | None
    start: datetime
    end: datetime
    why: Why
