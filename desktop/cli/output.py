"""How commands print: plain lines for people, JSON for programs."""

import json
from datetime import UTC, datetime, tzinfo

from desktop.domain.incident import Incident


def line(text: str) -> None:
    """Print one line."""
    print(text)


def data(value: object) -> None:
    """Print ``value`` as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def instant(at: datetime | None) -> str | None:
    """Return ``at`` as a UTC instant that ends in Z."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="auto").replace("+00:00", "Z")


def local(at: datetime, zone: tzinfo | None = None) -> str:
    """Return ``at`` for a reader: what the clock shows in ``zone`` (None: here), and which clock that is."""
    there = at.astimezone(zone)
    return f"{there:%a %d %b %Y %H:%M} {there.tzname()}"


def incident(it: Incident) -> dict[str, object]:
    """Return the JSON shape of one incident (design, section 5); people and the service by their ids."""
    return {
        "id": it.id,
        "title": it.title,
        "severity": it.severity.key,
        "status": it.status.value,
        "service": it.service_id or it.service,
        "created_at": instant(it.created_at),
        "escalates_at": instant(it.escalates_at),
        "assignees": [p.id for p in it.assignees],
        "acknowledged_by": [a.person.id for a in it.acknowledgements],
    }


def incident_line(it: Incident) -> str:
    """Return one incident in one line."""
    who = ", ".join(a.person.name for a in it.acknowledgements)
    state = f"acknowledged by {who}" if who and it.open else it.status.value
    return f"{it.id}  {it.severity.label}  {state}  {it.title}"
