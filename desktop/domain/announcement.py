"""The prepared status update for the incident channel. Pure; every time is aware.

Source of the rules: the procedure's "Internal Communication" and design, section 3, "Duties".
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from desktop.domain.defused import for_chat
from desktop.domain.duties import STATUS_EVERY, MajorIncident
from desktop.domain.severity import Severity
from desktop.domain.wall import clock

TITLE_LIMIT, NAME_LIMIT, NOTE_LIMIT = 200, 60, 500


def status_update(incident: MajorIncident, owner: str, note: str, now: datetime, zone: ZoneInfo) -> str:
    """Return the message to post at ``now``, plain text of at most four lines.

    ``owner`` is the name of who has the incident (empty: nobody), ``note`` what they want to say. Only this function's
    own mention is one: ``@channel`` for a SEV-0, else ``@here``.
    """
    mention = "@channel" if incident.severity is Severity.SEV0 else "@here"
    state = "resolved" if incident.resolved is not None else "open"
    lasted = spoken((incident.resolved or now) - incident.started)
    name = for_chat(owner, NAME_LIMIT)
    lines = [
        f"{mention} {incident.severity.label}: {for_chat(incident.title, TITLE_LIMIT)}",
        f"Status: {state} for {lasted}; {f'{name} has it' if name else 'nobody has acknowledged it'}."
        if incident.resolved is None
        else f"Status: resolved after {lasted}.",
        for_chat(note, NOTE_LIMIT),
    ]
    if incident.resolved is None:
        lines.append(f"Next update by {clock(now + STATUS_EVERY, zone):%H:%M} ({zone.key}).")
    return "\n".join(line for line in lines if line)


def spoken(span: timedelta) -> str:
    """Return ``span`` in hours and minutes: ``1 h 05 min``; less than nothing is nothing."""
    hours, minutes = divmod(max(int(span.total_seconds()) // 60, 0), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
