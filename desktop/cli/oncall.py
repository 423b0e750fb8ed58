"""The command that says who is on call, from a team file alone or from the connection."""

import os
from argparse import Namespace
from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from desktop.cli import output
from desktop.connections.accounts import find_account, open_backend
from desktop.domain.errors import InputError
from desktop.domain.incident import OnCall
from desktop.domain.segments import nobody
from desktop.domain.team import Role
from desktop.domain.wall import instant
from desktop.system.clock import utc_now
from desktop.system.paths import user_paths
from desktop.system.secrets import Secrets

# Asked for whether somebody has them or not: nobody is an answer (promise 3).
_ALWAYS = ("primary", "secondary")
_Roles = Mapping[str, dict[str, object] | None]


def run(options: Namespace) -> int:
    """Say who has which role."""
    if options.team is not None:
        at, roles, names, zone = _from_file(Path(options.team), options.at)
    elif options.at is not None:
        raise InputError("--at needs --team FILE: the connection says who is on call now")
    else:
        at, roles, names = _from_connection()
        zone = None
    if options.json:
        output.data({"at": output.instant(at), "roles": roles})
    else:
        for role, held in roles.items():
            output.line(_line(role, held, names, zone))
    return 0


def _from_file(path: Path, at: str | None) -> tuple[datetime, _Roles, Mapping[str, str], tzinfo]:
    from desktop import team as team_file  # noqa: PLC0415 - only needed with --team
    from desktop.domain.rotation import known_end, on_call  # noqa: PLC0415

    team = team_file.load(path)
    when = utc_now() if at is None else parse_time(at, team.time_zone)
    segments = on_call(team, when)
    roles: dict[str, dict[str, object] | None] = dict.fromkeys(_ALWAYS)
    for role, segment in segments.items():
        held: dict[str, object] = {
            "person": segment.person,
            "until": output.instant(known_end(team, segment)),
            "why": segment.why.value,
        }
        roles[role.value] = held if segment.person is not None else None
    return when, roles, {p.id: p.name for p in team.people}, team.time_zone


def parse_time(text: str, zone: ZoneInfo) -> datetime:
    """Read a time; one without a zone is meant on the team's wall clock."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text[:40]!r} is no time: write it as 2026-11-23T09:00 or 2026-11-23T17:00Z") from None
    return instant(read, zone)


def _from_connection() -> tuple[datetime, _Roles, Mapping[str, str]]:
    entries = open_backend(find_account(os.environ, user_paths(), Secrets())).on_call()
    roles: dict[str, dict[str, object] | None] = dict.fromkeys(_ALWAYS)
    for entry in sorted(entries, key=lambda o: o.level):
        if entry.role and roles.get(entry.role) is None:
            roles[entry.role] = _held(entry)
    return utc_now(), roles, {o.person.id: o.person.name for o in entries}


def _held(entry: OnCall) -> dict[str, object]:
    return {"person": entry.person.id, "until": output.instant(entry.until), "why": entry.why or None}


def _line(role: str, held: Mapping[str, object] | None, names: Mapping[str, str], zone: tzinfo | None) -> str:
    if held is None:
        return f"{role}: {nobody(Role.PRIMARY) if role == Role.PRIMARY else 'nobody'}"
    person, until = str(held["person"]), held["until"]
    line = f"{role}: {names.get(person, person)}"
    if isinstance(until, str):
        line += f" until {output.local(datetime.fromisoformat(until), zone)}"
    return line
