"""Roles as PagerDuty's schedules, rendered from the rotation. Pure.

``final_schedule`` is the truth; the layer is the rotation before overrides.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from desktop.domain.policies import levels
from desktop.domain.rotation import on_call
from desktop.domain.rotation import schedule as segments
from desktop.domain.segments import Segment, Why
from desktop.domain.severity import Severity
from desktop.domain.team import Role, Rotation, Team, Unit
from desktop.domain.wall import instant as on_the_wall
from desktop.server import things
from desktop.server.directory import Directory
from desktop.server.roster import Roster

Json = dict[str, Any]

_SECONDS = {Unit.HOURS: 3600, Unit.DAYS: 86_400, Unit.WEEKS: 604_800}
_AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be rendered: the time (None: nothing), its zone; ``overflow`` keeps shifts whole at both ends."""

    window: tuple[datetime, datetime] | None
    zone: ZoneInfo
    overflow: bool = False


def roles(team: Team) -> list[Role]:
    """Return the roles that somebody has: by a rotation, or by an override."""
    overridden = {override.role for override in team.overrides}
    return [role for role in Role if role in team.rotations or role in overridden]


def schedule(directory: Directory, roster: Roster, role: Role, asked: Asked) -> Json:
    """Return a role as a schedule, rendered as ``asked``."""
    team = roster.team
    ref = things.schedule(directory, role)
    final = _segments(team, role, asked)
    overrides = [s for s in final if s.why is Why.OVERRIDE]
    return ref | {
        "type": "schedule",
        "name": ref["summary"],
        "description": "It stands in the team file.",
        "time_zone": str(team.time_zone),
        "schedule_layers": [_layer(directory, team, role, asked)] if role in team.rotations else [],
        "overrides_subschedule": _subschedule(directory, "Overrides", overrides, asked),
        "final_schedule": _subschedule(directory, "Final Schedule", final, asked),
        "escalation_policies": [
            things.policy(directory, severity) for severity in Severity if _targets(roster, severity, role)
        ],
        "users": [things.user(directory, person, full=False) for person in _members(team, role)],
        "teams": [],
    }


def people(team: Team, role: Role, start: datetime, end: datetime) -> list[str]:
    """Return who has ``role`` at some time within ``[start, end)``, in that order."""
    found = (s.person for s in segments(team, start, end) if s.role is role and s.person is not None)
    return list(dict.fromkeys(found))


def next_time(
    directory: Directory, team: Team, role: Role, person: str, now: datetime, asked: Asked
) -> Json | None:  # fmt: skip
    """Return when ``person`` has ``role`` next, or has it now, within a year; None when they do not."""
    for segment in segments(team, now, now + _AHEAD):
        if segment.role is role and segment.person == person:
            return _entry(directory, segment, asked.zone)
    return None


def _segments(team: Team, role: Role, asked: Asked) -> list[Segment]:
    if asked.window is None:
        return []
    found = [s for s in segments(team, *asked.window) if s.role is role]
    if asked.overflow and found:
        first, last = on_call(team, found[0].start).get(role), on_call(team, found[-1].start).get(role)
        found[0] = replace(found[0], start=first.start if first else found[0].start)
        found[-1] = replace(found[-1], end=last.end if last else found[-1].end)
    return found


def _layer(directory: Directory, team: Team, role: Role, asked: Asked) -> Json:
    rotation = team.rotations[role]
    before = _segments(replace(team, overrides=()), role, asked)
    start = on_the_wall(rotation.start, team.time_zone).astimezone(asked.zone).isoformat()
    return {
        "id": f"{role.value}-rotation",
        "name": "Rotation",
        "start": start,
        "rotation_virtual_start": start,
        "rotation_turn_length_seconds": _turn(rotation),
        "users": [{"user": things.user(directory, person, full=False)} for person in rotation.members],
        "restrictions": [],
        **_rendered(directory, before, asked),
    }


def _turn(rotation: Rotation) -> int:
    """Return how long a shift is, as PagerDuty counts; on the day that a clock changes ours is an hour off."""
    return rotation.every.count * _SECONDS[rotation.every.unit]


def _subschedule(directory: Directory, name: str, found: Sequence[Segment], asked: Asked) -> Json:
    return {"name": name, **_rendered(directory, found, asked)}


def _rendered(directory: Directory, found: Iterable[Segment], asked: Asked) -> Json:
    """Return the entries of ``found``, and what part of the time they cover; nothing unless a time was asked for."""
    if asked.window is None:
        return {"rendered_schedule_entries": []}
    held = [s for s in found if s.person is not None]
    start, end = asked.window
    covered = sum((min(s.end, end) - max(s.start, start) for s in held), start=timedelta())
    return {
        "rendered_schedule_entries": [_entry(directory, s, asked.zone) for s in held],
        "rendered_coverage_percentage": round(100 * (covered / (end - start)), 2),
    }


def _entry(directory: Directory, segment: Segment, zone: ZoneInfo) -> Json:
    person = segment.person or ""
    return {
        "id": f"{segment.role.value}-{int(segment.start.timestamp())}",
        "start": segment.start.astimezone(zone).isoformat(),
        "end": segment.end.astimezone(zone).isoformat(),
        "user": things.user(directory, person, full=False),
        "watchbell": {"why": segment.why.value},
    }


def _targets(roster: Roster, severity: Severity, role: Role) -> bool:
    return any(role.value in level.roles for level in levels(roster.policies[severity]))


def _members(team: Team, role: Role) -> Iterator[str]:
    rotation = team.rotations.get(role)
    return iter(dict.fromkeys(rotation.members)) if rotation is not None else iter(())
