"""Tells people of overrides that change who is on call now or soon: an override asks nobody. On the writer's thread.

What is told is put in by the transaction that makes an override or takes it back. Those that a handover makes, and
those by which somebody acts as primary, are told of there.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from operator import attrgetter

from sqlalchemy import Connection

from desktop.channels.text import Text, bounded
from desktop.domain.additions import NOTICE
from desktop.domain.rotation import schedule
from desktop.domain.segments import Segment
from desktop.domain.team import Override, Role, Team
from desktop.domain.watch import Watch
from desktop.server import outbox
from desktop.server.leave_telling import team_now
from desktop.server.overrides import Kept
from desktop.server.station import Station
from desktop.server.wording import local, names, said

# Whoever is needed within a day is told at all of their addresses at once.
_SOON = timedelta(days=1)
_MOST_TIMES = 5
_REASON = 500
_UNASKED = "You were not asked. If you cannot: hand over (watchbell handover), or ask a manager."


@dataclass(frozen=True, slots=True)
class Change:
    """``after`` has ``role`` in ``[start, end)`` instead of ``before`` (people's ids; None: nobody)."""

    role: Role
    start: datetime
    end: datetime
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Telling:
    """What ``actor`` (a person's id) does ``now`` to overrides; ``action`` says it ("made", "taken back")."""

    station: Station
    connection: Connection
    actor: str
    action: str
    now: datetime


def tell(telling: Telling, kept: Sequence[Kept], before: Team) -> None:
    """Tell whoever is on call by what was done to the overrides ``kept``, whoever is not any more, and the managers.

    Not the actor, who knows. ``before`` is the team as it was; the rows of this transaction say how it is now.
    """
    after = team_now(telling.station, telling.connection)
    found = changes(before, after, [each.override for each in kept], telling.now)
    if not found:
        return
    why = dict.fromkeys(said(each.override.reason, _REASON) for each in kept if each.override.reason)
    reasons = [f"Why: {'; '.join(why)}"] if why else []
    key = f"override:{kept[0].id}:{telling.action}"
    concerned = dict.fromkeys(p for change in found for p in (change.after, change.before) if p is not None)
    for person in concerned:
        _put(telling, key, person, found, [*_theirs(telling, person, found), *reasons])
    for person in Watch(after).managers(telling.now):
        if person not in concerned:
            _put(telling, key, person, found, [*_all(telling, person, found), *reasons])


def changes(before: Team, after: Team, overrides: Iterable[Override], now: datetime) -> list[Change]:
    """Return who is on call instead of whom in the times of those ``overrides`` (aware) that hold now or soon."""
    near = [each for each in overrides if each.start < now + NOTICE and each.end > now]
    if not near:
        return []
    start, end = max(now, min(each.start for each in near)), max(each.end for each in near)
    was, will = schedule(before, start, end), schedule(after, start, end)
    found = [change for role in Role if role is not Role.SHADOW for change in _changes(role, was, will)]
    return [change for change in found if change.start < now + NOTICE]


def _changes(role: Role, was: Iterable[Segment], will: Iterable[Segment]) -> Iterator[Change]:
    """Yield how ``role`` differs, in order of time; neighbours that differ alike are one."""
    old, new = ([s for s in segments if s.role is role] for segments in (was, will))
    edges = sorted({at for segment in (*old, *new) for at in (segment.start, segment.end)})
    last: Change | None = None
    for start, end in pairwise(edges):
        this = Change(role, start, end, _holder(old, start), _holder(new, start))
        if last is not None and (last.end, last.before, last.after) == (start, this.before, this.after):
            last = Change(role, last.start, end, last.before, last.after)
            continue
        if last is not None and last.before != last.after:
            yield last
        last = this
    if last is not None and last.before != last.after:
        yield last


def _holder(segments: Sequence[Segment], at: datetime) -> str | None:
    """Return who has a role at ``at``, by its ``segments`` in order of time."""
    found = bisect_right(segments, at, key=attrgetter("start")) - 1
    return segments[found].person if found >= 0 and at < segments[found].end else None


def _theirs(telling: Telling, person: str, found: Sequence[Change]) -> list[str]:
    """Return what concerns ``person`` themselves."""
    gained, lost = ([c for c in found if getattr(c, side) == person] for side in ("after", "before"))
    lines = ["You are on call:", *_times(telling, person, gained)] if gained else []
    lines += ["You are not on call any more:", *_times(telling, person, lost)] if lost else []
    return [*lines, _UNASKED] if gained else lines


def _all(telling: Telling, person: str, found: Sequence[Change]) -> list[str]:
    """Return everything, for a manager."""
    return ["Who is on call changes:", *_times(telling, person, found, named=True)]


def _times(telling: Telling, person: str, found: Sequence[Change], *, named: bool = False) -> list[str]:
    """Return what ``found`` says, on the clock of ``person``."""
    zone = telling.station.roster.zone(person).key
    shown = sorted(found, key=lambda change: change.start)[:_MOST_TIMES]
    lines = [
        f"{c.role.value} from {local(c.start, zone)} to {local(c.end, zone)}{_instead(telling, c) if named else ''}"
        for c in shown
    ]
    return [*lines, f"and {len(found) - _MOST_TIMES} more times"] if len(found) > _MOST_TIMES else lines


def _instead(telling: Telling, change: Change) -> str:
    old, new = ("nobody" if p is None else names(telling.station.directory, [p]) for p in (change.before, change.after))
    return f": {new} instead of {old}"


def _put(telling: Telling, key: str, person: str, found: Sequence[Change], lines: Sequence[str]) -> None:
    if person == telling.actor:
        return
    title = f"Override {telling.action} by {names(telling.station.directory, [telling.actor])}"
    text = bounded(Text(title, "\n".join(lines)))
    theirs = [c.start for c in found if person in (c.before, c.after)] or [c.start for c in found]
    most = None if min(theirs) - telling.now < _SOON else 1
    outbox.to_person(telling.connection, telling.station.roster, person, key, text, telling.now, most)
