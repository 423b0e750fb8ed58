"""Whether a click that waited is still meant when it can be sent at last. Pure; every time is aware.

An acknowledgement says "I have seen this page". Sent much later, it may answer a page that nobody has seen, which would
be an acknowledgement that nobody gave (design, promise 2).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from desktop.domain.attention import Command
from desktop.domain.incident import Incident, Status

# Where a backend does not count pages: PagerDuty un-acknowledges after 30 minutes unless told otherwise.
TRUSTED_FOR = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Click:
    """A ``command`` that was given ``at``, when the incident had been paged ``pages`` times (0: not counted)."""

    command: Command
    at: datetime
    pages: int = 0


def done(click: Click, incident: Incident, person_id: str) -> bool:
    """Tell whether what ``person_id`` wanted is so already."""
    if incident.status is Status.RESOLVED:
        return True
    return click.command is Command.ACKNOWLEDGE and incident.acknowledged_by(person_id)


def overtaken(click: Click, incident: Incident, now: datetime) -> str:
    """Return why ``click`` must not be sent for ``incident`` as it is ``now``, in words; nothing when it may be."""
    counted = click.pages > 0 and incident.pages > 0
    if not (incident.pages > click.pages if counted else now - click.at > TRUSTED_FOR):
        return ""
    what = "acknowledgement" if click.command is Command.ACKNOWLEDGE else "resolution"
    again = "it has paged again since" if counted else "it may have paged again since"
    return f"Your {what} did not get through in time, and {again}: click again if it still holds."
