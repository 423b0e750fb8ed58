"""The prepared status update for the incident channel, and how the duty to post it is told. Pure; times are aware.

Source of the rules: the procedure's "Internal Communication" and design, section 3, "Duties".
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from desktop.domain.defused import for_chat
from desktop.domain.duties import STATUS_EVERY, MajorIncident
from desktop.domain.severity import Severity
from desktop.domain.wall import clock

TITLE_LIMIT, NAME_LIMIT, NOTE_LIMIT = 200, 60, 500
_INSTANT = timedelta(microseconds=1)


def status_update(incident: MajorIncident, owner: str, note: str, now: datetime, zone: ZoneInfo) -> str:
    """Return the message to post at ``now``, plain text of at most four lines.

    ``owner`` is the name of who has the incident (empty: nobody), ``note`` what they want to say. Only this function's
    own mention is one: ``@channel`` for a SEV-0, else ``@here``.
    """
    mention = "@channel" if incident.severity is Severity.SEV0 else "@here"
    resolved = incident.resolved
    lasted = spoken((resolved or now) - incident.started)
    name = for_chat(owner, NAME_LIMIT)
    lines = [f"{mention} {incident.severity.label}: {for_chat(incident.title, TITLE_LIMIT)}"]
    if resolved is None:
        lines.append(f"Status: open for {lasted}; {f'{name} has it' if name else 'nobody has acknowledged it'}.")
    else:
        lines.append(f"Status: resolved after {lasted}.")
    lines.append(for_chat(note, NOTE_LIMIT))
    if resolved is None:
        lines.append(f"Next update by {clock(now + STATUS_EVERY, zone):%H:%M} ({zone.key}).")
    return "\n".join(line for line in lines if line)


def missed_updates(incident: MajorIncident, due: datetime, now: datetime) -> int:
    """Return how many status updates, of which the first was ``due`` then and was not posted, were missed by ``now``.

    One every 30 minutes; none falls due once the incident has ended. ``duties`` lists them as one.
    """
    until = now if incident.ended is None else min(now, incident.ended - _INSTANT)
    return max((until - due) // STATUS_EVERY + 1, 0)


def update_wanted(incident: MajorIncident, due: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return the line by which the duty to post a status update is told: when it is due, or how many were missed."""
    missed = missed_updates(incident, due, now)
    when = f"{clock(due, zone):%H:%M}"
    return f"Status update: {missed} missed since {when}" if missed else f"Status update by {when}"


def spoken(span: timedelta) -> str:
    """Return ``span`` in hours and minutes: ``1 h 05 min``; less than nothing is nothing."""
    hours, minutes = divmod(max(int(span.total_seconds()) // 60, 0), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
