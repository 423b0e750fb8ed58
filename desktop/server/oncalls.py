"""Who is on call, as PagerDuty's ``/oncalls`` tells it: by policy, level and schedule. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from desktop.domain.flags import flags
from desktop.domain.policies import levels
from desktop.domain.rotation import known_end, on_call, schedule
from desktop.domain.segments import Segment
from desktop.domain.severity import Severity
from desktop.domain.team import Role
from desktop.server import things
from desktop.server.directory import Directory
from desktop.server.roster import Roster

Json = dict[str, Any]
_INSTANT = timedelta(microseconds=1)
_EVERYTHING = frozenset({"users", "schedules", "escalation_policies"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are asked for; an empty set asks for all."""

    users: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()
    schedules: frozenset[str] = frozenset()


def entries(
    roster: Roster,
    directory: Directory,
    since: datetime,
    until: datetime,
    wanted: Wanted | None = None,
    include: Collection[str] = _EVERYTHING,
) -> list[Json]:
    """Return the entries of everybody on call within ``[since, until]``, the worst severity first.

    Level n of the policy SEV-k targets the roles of its steps 1 to n. Emergency contacts hold no schedule: permanent.
    """
    wanted = wanted or Wanted()
    shifts = _shifts(roster, since, until)
    doubts = _doubts(roster, since, until)
    found = []
    for severity in Severity:
        if wanted.policies and severity.key not in wanted.policies:
            continue
        for level, rule in enumerate(levels(roster.policies[severity]), 1):
            for person, segment in _holders(roster, rule.roles, shifts):
                if _asked(wanted, person, segment):
                    end = None if segment is None else known_end(roster.team, segment)
                    entry = _entry(severity, level, directory, person, segment, end, include)
                    if segment is not None:
                        entry["watchbell"]["flags"] = sorted(doubts.get((segment.role, person), ()))
                    found.append(entry)
    return found


def _shifts(roster: Roster, since: datetime, until: datetime) -> dict[Role, list[Segment]]:
    by_role: dict[Role, list[Segment]] = {role: [segment] for role, segment in on_call(roster.team, since).items()}
    if until > since:
        for segment in schedule(roster.team, since, until):
            if segment.start > since:
                # With its real end, which may lie past the time asked for.
                by_role.setdefault(segment.role, []).append(on_call(roster.team, segment.start)[segment.role])
    return by_role


def _doubts(roster: Roster, since: datetime, until: datetime) -> dict[tuple[Role, str | None], set[str]]:
    """Return what is flagged of whoever has a role within ``[since, until]``: absent, two roles, not certified."""
    found: dict[tuple[Role, str | None], set[str]] = {}
    for flag in flags(roster.team, since, max(until, since + _INSTANT)):
        found.setdefault((flag.segment.role, flag.segment.person), set()).add(flag.doubt.value)
    return found


def _holders(
    roster: Roster, roles: Iterable[str], shifts: dict[Role, list[Segment]]
) -> Iterator[tuple[str, Segment | None]]:
    for role in roles:
        for segment in shifts.get(Role(role), []):
            if segment.person is not None:
                yield segment.person, segment
        if role == Role.EMERGENCY:
            for contact in roster.contacts:
                yield contact, None


def _asked(wanted: Wanted, person: str, segment: Segment | None) -> bool:
    if wanted.users and person not in wanted.users:
        return False
    # PagerDuty's literal "null" asks for those who hold no schedule.
    name = "null" if segment is None else segment.role.value
    return not wanted.schedules or name in wanted.schedules


def _entry(
    severity: Severity,
    level: int,
    directory: Directory,
    person: str,
    segment: Segment | None,
    end: datetime | None,
    include: Collection[str],
) -> Json:
    return {
        "escalation_policy": things.policy(directory, severity),
        "escalation_level": level,
        "schedule": None if segment is None else _schedule(directory, segment.role, full="schedules" in include),
        "user": things.user(directory, person, full="users" in include),
        "start": None if segment is None else things.instant(segment.start),
        "end": None if end is None else things.instant(end),
        "watchbell": None if segment is None else {"role": segment.role.value, "why": segment.why.value},
    }


def _schedule(directory: Directory, role: Role, *, full: bool) -> Json:
    ref = things.schedule(directory, role)
    return ref | {"type": "schedule", "name": ref["summary"]} if full else ref


def earliest(found: Iterable[Json]) -> list[Json]:
    """Keep the first entry of each person at each level of each policy: their next time on call."""
    kept: dict[tuple[str, int, str], Json] = {}
    for entry in found:
        key = (entry["escalation_policy"]["id"], entry["escalation_level"], entry["user"]["id"])
        if key not in kept or (entry["start"] or "") < (kept[key]["start"] or ""):
            kept[key] = entry
    return list(kept.values())
