"""What a schedule shows that somebody should look at: absentees, people in two roles, people not certified. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from desktop.domain.rotation import schedule
from desktop.domain.segments import Segment, Why
from desktop.domain.team import Role, Team
from desktop.domain.wall import instant

# A shadow gets silent copies only, so that being one beside another role is nothing to look at.
_ACTING = (Role.PRIMARY, Role.SECONDARY, Role.MANAGER, Role.EMERGENCY)
_CERTIFIED = (Role.PRIMARY, Role.SECONDARY)


class Doubt(StrEnum):
    """Why a segment is flagged."""

    ABSENT = "absent"
    TWO_ROLES = "two roles"
    NOT_CERTIFIED = "not certified"


@dataclass(frozen=True, slots=True)
class Flag:
    """``segment`` is the time in which ``doubt`` holds: all of a segment of the schedule, or a part of one."""

    segment: Segment
    doubt: Doubt


def flags(team: Team, start: datetime, end: datetime) -> tuple[Flag, ...]:
    """Return what to look at within ``[start, end)``, by time.

    An absentee on call is always an override's doing. Of somebody in two roles the segment of the later role (in the
    order of ``Role``) is flagged. Only who is said not to be certified counts as such.
    """
    segments = [s for s in schedule(team, start, end) if s.person is not None and s.role in _ACTING]
    found = [*_absent(team, segments), *_two_roles(segments), *_not_certified(team, segments)]
    return tuple(sorted(found, key=lambda f: (f.segment.start, f.segment.role)))


def _absent(team: Team, segments: Iterable[Segment]) -> Iterator[Flag]:
    away: dict[str | None, list[tuple[datetime, datetime]]] = {}
    for absence in team.absences:
        span = (instant(absence.start, team.time_zone), instant(absence.end, team.time_zone))
        away.setdefault(absence.person, []).append(span)
    for segment in segments:
        if segment.why is Why.OVERRIDE:
            for start, end in away.get(segment.person, ()):
                yield from _within(segment, start, end, Doubt.ABSENT)


def _two_roles(segments: Iterable[Segment]) -> Iterator[Flag]:
    open_now: list[Segment] = []
    for segment in sorted(segments, key=lambda s: s.start):
        open_now = [other for other in open_now if other.end > segment.start]
        for other in open_now:
            if other.person == segment.person:
                later = max(segment, other, key=lambda s: _ACTING.index(s.role))
                yield from _within(later, segment.start, min(segment.end, other.end), Doubt.TWO_ROLES)
        open_now.append(segment)


def _not_certified(team: Team, segments: Iterable[Segment]) -> Iterator[Flag]:
    uncertified = {person.id for person in team.people if person.certified is False}
    return (
        Flag(segment, Doubt.NOT_CERTIFIED)
        for segment in segments
        if segment.person in uncertified and segment.role in _CERTIFIED
    )


def _within(segment: Segment, start: datetime, end: datetime, doubt: Doubt) -> Iterator[Flag]:
    start, end = max(start, segment.start), min(end, segment.end)
    if start < end:
        yield Flag(replace(segment, start=start, end=end), doubt)
