"""The server's audit of itself: late, undelivered, soon without anybody. On the keeper's thread; changes nothing.

A step is overdue when it was worked off more than five seconds late, or still is not. All of them are one finding,
whatever their number: an incident about lateness that is late itself adds none. So is a role that will have nobody.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from desktop.domain.rotation import schedule
from desktop.domain.segments import Segment
from desktop.domain.severity import Severity
from desktop.domain.team import Role, Team
from desktop.server import outbox, places, schema, things
from desktop.server.findings import MESSAGE, OVERDUE, SCHEDULE, TEAM_FILE, Finding
from desktop.server.station import Station

LATE = timedelta(seconds=5)
AHEAD = timedelta(days=14)
_SOON = _A_DAY = timedelta(days=1)
# Whom an escalation list can page by a rotation: the emergency contacts have none, a shadow is never paged.
_ROLES = (Role.PRIMARY, Role.SECONDARY, Role.MANAGER)
_due = schema.incidents.c.next_action_at


def overdue(station: Station, worst: float) -> Iterator[Finding]:
    """Yield what says that steps are late; ``worst`` is how late (in seconds) one was worked off lately."""
    now = station.clock()
    stuck, since = backlog(station, now - LATE)
    if since is None and worst <= LATE.total_seconds():
        return
    details = {
        "waiting": stuck,
        "longest_wait_seconds": 0 if since is None else round((now - since).total_seconds()),
        "worked_off_late_by_seconds": round(worst),
        "meaning": "People were paged later than the team file says. Was the server down, asleep, or overloaded?",
    }
    title = "Escalations are late: a step was due more than 5 seconds before it was done"
    yield Finding(OVERDUE, "escalation", title, details, Severity.SEV1)


def backlog(station: Station, until: datetime) -> tuple[int, datetime | None]:
    """Return how many incidents have been due since ``until`` or before, and since when the first."""
    asked = select(func.count(), func.min(_due)).where(_due <= until)
    with station.storage.read() as connection:
        many, first = connection.execute(asked).one()
    return many, first


def undelivered(station: Station) -> Iterator[Finding]:
    """Yield what says that messages to an address fail: the last one within a day did, for good."""
    with station.storage.read() as connection:
        found = outbox.failed(connection, station.clock() - _A_DAY)
    for failure in found:
        kind, _, who = failure.recipient.partition(":")
        name = station.directory.person(who).name if f"{kind}:" == places.PERSON else f"the channel {who}"
        details = {
            "recipient": failure.recipient,
            "failed_at": things.instant(failure.at),
            "error": failure.error,
            "mend": "Correct the address in the team file; the next message that arrives there ends this.",
        }
        # The digest tells two addresses of one person apart, and says neither.
        yield Finding(MESSAGE, f"{failure.address} {failure.recipient}", f"Messages to {name} fail", details)


def unused(station: Station) -> Iterator[Finding]:
    """Yield what says that this server runs on an older team than the file says that it was started with."""
    if (found := station.unused) is None:
        return
    file, many = found
    details = {
        "file": file,
        "mistakes": many,
        "meaning": "The server was started, and pages by the team that was applied last, not by this file.",
        "mend": "'watchbell team check FILE' names every mistake, as the server's log does: mend it, and start again.",
    }
    title = f"The team file {file} cannot be used: the team that was applied last is on call"
    yield Finding(TEAM_FILE, file, title, details, Severity.SEV1)


def unmanned(team: Team, now: datetime) -> dict[Role, list[Segment]]:
    """Return the times within the next 14 days in which a role that has a schedule, and is paged, has nobody."""
    found: dict[Role, list[Segment]] = {role: [] for role in _ROLES if role in team.rotations}
    for segment in schedule(team, now, now + AHEAD):
        if segment.person is None and segment.role in found:
            found[segment.role].append(segment)
    return found


def missing(
    gaps: dict[Role, list[Segment]], looked: datetime, now: datetime, zone: ZoneInfo
) -> Iterator[Finding]:  # fmt: skip
    """Yield what says that somebody will be missing, as found when it was ``looked``; louder from a day before.

    One for a role, whose times are the wall clock's in ``zone``.
    """
    for role, those in gaps.items():
        segments = [s for s in those if s.end > now]
        if not segments:
            continue
        first = segments[0]
        when = "now" if first.start <= now else f"from {_wall(first.start, zone)}"
        # What lasts longer than was looked has no end that could be named.
        until = "" if first.end >= looked + AHEAD else f" until {_wall(first.end, zone)}"
        named = f" ({zone.key})" if until or first.start > now else ""
        title = f"Nobody is {role.value} {when}{until}{named}"
        details = {
            "role": role.value,
            "times": [{"from": _wall(s.start, zone), "until": _wall(s.end, zone)} for s in segments[:20]],
            "time_zone": zone.key,
            "mend": "Make an override, or change the team file.",
        }
        if first.start - now > _SOON:
            yield Finding(SCHEDULE, role.value, title, details, Severity.SEV3)
        else:
            yield Finding(SCHEDULE, f"{role.value} soon", title, details, Severity.SEV1, instead_of=role.value)


def _wall(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
