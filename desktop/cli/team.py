"""The commands about a team file: on it alone, and making it the server's."""

import os
import sys
from argparse import Namespace
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from desktop import team as team_file
from desktop.channels import checking
from desktop.cli import output, shifts
from desktop.cli.oncall import parse_time
from desktop.connections.accounts import TEAM_NEEDS_FORCE, apply_team, find_account
from desktop.domain.errors import InputError, Rejected
from desktop.domain.flags import flags
from desktop.domain.rotation import schedule as schedule_of
from desktop.domain.text import plain
from desktop.system.clock import utc_now
from desktop.system.paths import user_paths
from desktop.system.secrets import Secrets
from desktop.team import destinations, document

_LINE = 500
_A_YEAR = timedelta(days=365)


def no_command(_options: Namespace) -> int:
    """Say what 'team' lacks."""
    raise InputError("team what? See 'watchbell team check --help' and 'watchbell team apply --help'")


def check(options: Namespace) -> int:
    """Read a team file; every mistake is a line, and so is everything worth a second look."""
    path = Path(options.file)
    text = document.load(path)
    team = team_file.parse(text, path.name)
    addressed = destinations.check(text, path.name, checking.check)
    roles = [r.value for r in team.rotations]
    now = utc_now()
    notes = [*map(str, team.warnings), *map(str, addressed), *destinations.without(team)]
    notes += shifts.notes(team, flags(team, now, now + _A_YEAR))
    if options.json:
        output.data({"people": len(team.people), "roles": roles, "warnings": notes})
        return 0
    for note in notes:
        output.line(f"note: {note}")
    output.line(f"{options.file} is right: {len(team.people)} people, {', '.join(roles) or 'no rotation'}")
    return 0


def apply(options: Namespace) -> int:
    """Make a team file the team of the server, and say what that changes; every mistake is a line."""
    path = Path(options.file)
    text = document.load(path)
    # Here first: every mistake is told without a server, and none of them by half.
    team_file.parse(text, path.name)
    destinations.check(text, path.name, checking.check)
    account = find_account(os.environ, user_paths(), Secrets())
    try:
        answer = apply_team(account, text, path.name, force=options.force)
    except Rejected as e:
        raise _refusal(e) from e
    if options.json:
        output.data(answer)
    else:
        _tell(answer, path.name)
    return 0


def _refusal(error: Rejected) -> InputError:
    """Return the refusal in lines of its own, with the mend where there is one."""
    if error.code == TEAM_NEEDS_FORCE and error.reasons:
        return InputError(f"{'; '.join(error.reasons)}: say --force")
    return InputError("\n".join(error.reasons) or error.message)


def _tell(answer: Mapping[str, object], name: str) -> None:
    if answer.get("unchanged"):
        output.line(f"{name} is the team already: nothing was done")
        return
    for line in _lines(answer, "changes"):
        output.line(line)
    reliefs = answer.get("on_call_changes")
    for relief in reliefs if isinstance(reliefs, list) else []:
        output.line(f"on call now: {_relief(relief)}")
    incidents = answer.get("incident_changes")
    for left in incidents if isinstance(incidents, list) else []:
        output.line(plain(str(left.get("says") if isinstance(left, dict) else ""), _LINE))
    for line in _lines(answer, "warnings"):
        output.line(f"note: {line}")
    output.line(f"{name} is the team now")


def _lines(answer: Mapping[str, object], key: str) -> list[str]:
    found = answer.get(key)
    return [plain(str(line), _LINE) for line in found] if isinstance(found, list) else []


def _relief(relief: object) -> str:
    """Return who has a role now instead of whom."""
    told = relief if isinstance(relief, dict) else {}
    after, before = (
        who.get("name") if isinstance(who := told.get(key), dict) else "nobody" for key in ("after", "before")
    )
    return plain(f"{told.get('role')} {after} instead of {before}", _LINE)


def schedule(options: Namespace) -> int:
    """Print who has which role from when to when."""
    team = team_file.load(Path(options.team))
    start, end = parse_time(options.start, team.time_zone), parse_time(options.end, team.time_zone)
    if start >= end:
        raise InputError("--from must be before --to")
    segments = schedule_of(team, start, end)
    flagged = flags(team, start, end)
    if options.ics:
        from desktop.team.calendar import calendar  # noqa: PLC0415 - icalendar only where it is asked for

        sys.stdout.write(calendar(team, segments, utc_now(), flagged).decode("utf-8"))
    elif options.json:
        output.data(
            {
                "segments": [shifts.shape(s) for s in segments],
                "flags": [{**shifts.shape(f.segment), "doubt": f.doubt.value} for f in flagged],
            }
        )
    else:
        for line in (*shifts.lines(team, segments), *(f"note: {note}" for note in shifts.notes(team, flagged))):
            output.line(line)
    return 0
