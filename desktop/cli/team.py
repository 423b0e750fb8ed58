"""The commands that work from a team file alone."""

import sys
from argparse import Namespace
from pathlib import Path

from desktop import team as team_file
from desktop.cli import output
from desktop.cli.oncall import parse_time
from desktop.domain.errors import InputError
from desktop.domain.rotation import Segment
from desktop.domain.rotation import schedule as schedule_of
from desktop.system.clock import utc_now


def no_command(_options: Namespace) -> int:
    """Say what 'team' lacks."""
    raise InputError("team what? See 'watchbell team check --help'")


def check(options: Namespace) -> int:
    """Read a team file; every mistake is a line, and so is everything worth a second look."""
    team = team_file.load(Path(options.file))
    roles = [r.value for r in team.rotations]
    if options.json:
        output.data({"people": len(team.people), "roles": roles, "warnings": [str(w) for w in team.warnings]})
        return 0
    for warning in team.warnings:
        output.line(f"note: {warning}")
    output.line(f"{options.file} is right: {len(team.people)} people, {', '.join(roles) or 'no rotation'}")
    return 0


def schedule(options: Namespace) -> int:
    """Print who has which role from when to when."""
    team = team_file.load(Path(options.team))
    start, end = parse_time(options.start, team.time_zone), parse_time(options.end, team.time_zone)
    if start >= end:
        raise InputError("--from must be before --to")
    segments = schedule_of(team, start, end)
    if options.ics:
        from desktop.team.calendar import calendar  # noqa: PLC0415 - icalendar only where it is asked for

        sys.stdout.write(calendar(team, segments, utc_now()).decode("utf-8"))
    elif options.json:
        output.data({"segments": [_shape(s) for s in segments]})
    else:
        names = {p.id: p.name for p in team.people}
        for s in segments:
            who = "NOBODY ON CALL" if s.person is None else names.get(s.person, s.person)
            output.line(f"{s.role.value}  {output.local(s.start)} – {output.local(s.end)}  {who}  ({s.why.value})")
    return 0


def _shape(segment: Segment) -> dict[str, object]:
    return {
        "role": segment.role.value,
        "person": segment.person,
        "start": output.instant(segment.start),
        "end": output.instant(segment.end),
        "why": segment.why.value,
    }
