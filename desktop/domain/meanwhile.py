"""What came and went while nobody watched: told once, in one sentence, and never rung. Pure."""

from collections.abc import Sequence
from datetime import datetime

from desktop.domain.incident import Incident
from desktop.domain.text import plain

_NAMED = 3
_TITLE = 60


def came_and_went(incidents: Sequence[Incident], since: datetime, until: datetime) -> tuple[Incident, ...]:
    """Return those that were opened from ``since`` to ``until`` (server time) and are over; the most urgent first."""
    gone = (i for i in incidents if not i.open and since <= i.created_at <= until)
    return tuple(sorted(gone, key=lambda i: (i.severity.value, i.created_at)))


def sentence(gone: Sequence[Incident], when: str) -> str:
    """Say what came and went ``when`` ("While this machine slept"); at least one did."""
    named = [f"{i.severity.label} {plain(i.title, _TITLE)}" for i in gone[:_NAMED]]
    if len(gone) > _NAMED:
        named.append(f"{len(gone) - _NAMED} more")
    count = "an incident" if len(gone) == 1 else f"{len(gone)} incidents"
    return f"{when}, {count} came and went: {'; '.join(named)}."
