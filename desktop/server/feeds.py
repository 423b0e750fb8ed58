"""Somebody's calendar: their shifts, as other programs follow them. Pure; any thread.

An event keeps its UID as long as its role, person and start are the same, whatever window it is seen through: a
calendar that is read again shows a changed schedule once.
"""

import hashlib
from datetime import UTC, datetime, timedelta

from desktop.domain.flags import flags
from desktop.domain.rotation import on_call, schedule
from desktop.domain.segments import Segment
from desktop.domain.team import Team
from desktop.team.calendar import calendar

BACK, AHEAD = timedelta(days=90), timedelta(days=365)
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


def shifts(team: Team, person: str, now: datetime) -> list[Segment]:
    """Return when ``person`` is on call around ``now``, each time with its real start and end."""
    start, end = window(now)
    found: dict[Segment, None] = {}
    for segment in schedule(team, start, end):
        if segment.person == person:
            found[on_call(team, segment.start)[segment.role]] = None
    return list(found)


def feed(team: Team, person: str, made_at: datetime, now: datetime) -> bytes:
    """Return the calendar of ``person`` (iCalendar), made at ``made_at``; what is flagged stands with its shift."""
    flagged = (flag for flag in flags(team, *window(now)) if flag.segment.person == person)
    return calendar(team, shifts(team, person, now), made_at, flagged)


def fingerprint(team: Team, person: str, now: datetime) -> str:
    """Return what changes with the calendar, and not with when it is asked for: its ETag."""
    return f'"{hashlib.sha256(feed(team, person, _ALWAYS, now)).hexdigest()[:32]}"'


def window(now: datetime) -> tuple[datetime, datetime]:
    """Return from when until when shifts are told: whole days, so that a calendar stays the same for one."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - BACK, today + AHEAD
