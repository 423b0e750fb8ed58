"""Whether a click that waited is still meant when it can be sent at last. Pure; every time is aware.

An acknowledgement says "I have seen this page". Sent much later, it may answer a page that nobody has seen, which would
be an acknowledgement that nobody gave (design, promise 2).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from desktop.domain.attention import Command
from desktop.domain.incident import Incident, Status

# Where a backend does not count pages: PagerDuty un-acknowledges after 30 minutes unless told otherwise.
TRUSTED_FOR = timedelta(minutes=30)
# Clocks that nobody set differ by less, from one look to the next.
UNEVEN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Click:
    """A ``command`` that was given ``at``, when the incident had been paged ``pages`` times (0: not counted)."""

    command: Command
    at: datetime
    pages: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as the ``wall`` clock showed it, and in ``steady`` seconds, of a clock that nobody sets."""

    wall: datetime
    steady: float


def set_back(before: Moment, now: Moment) -> timedelta:
    """Return by how much the wall clock was set back between two moments; nothing where it went ahead.

    That may be time in which the machine slept, which the steady clock does not count.
    """
    return _worth(timedelta(seconds=now.steady - before.steady) - (now.wall - before.wall))


def behind(now: datetime, seen: Iterable[datetime]) -> timedelta:
    """Return by how much a clock that shows ``now`` was set back at least, after it had shown the times ``seen``."""
    return _worth(max(seen, default=now) - now)


def _worth(lag: timedelta) -> timedelta:
    return lag if lag > UNEVEN else timedelta(0)


def aged(click: Click, by: timedelta) -> Click:
    """Return ``click`` on a clock that was set back ``by`` so much since: no younger than it was."""
    return replace(click, at=click.at - by)


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
