"""Checks the tables about the rotation: who is on call at an instant and why, and how long shifts are."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from desktop.domain.flags import flags
from desktop.domain.rotation import on_call
from desktop.domain.segments import Segment, Why
from desktop.domain.team import Role, Team
from tests.unit.procedure import acting, handovers
from tests.unit.procedure.checking import Answers, Check
from tests.unit.procedure.document import Table
from tests.unit.procedure.moments import HOUR, NONE, Wrong, moment, show
from tests.unit.procedure.world import World, named

UTC = ZoneInfo("UTC")
_NOBODY = {Role.PRIMARY: "NOBODY ON CALL"}


def on_call_at(table: Table, world: World) -> Iterator[Answers]:
    """Yield who has each of the table's roles at each instant, and why, where it is not simply their turn."""
    team = _team(table, world)
    roles = [Role(column.lower()) for column in table.header if column.lower() in set(Role)]
    for row in table.rows:
        now = on_call(team, moment(row["At"], team.time_zone))
        segments = {role: now[role] for role in roles if role in now}
        people = {role.capitalize(): _person(team, role, segments.get(role)) for role in roles}
        yield {**people, "Why": _why(segments)}


def _team(table: Table, world: World) -> Team:
    """Return the team that is given, with what the table above did to it."""
    given = world.given(table)
    team = given.team()
    if given.take("the handover above is done"):
        team = handovers.played(world.above(table, handovers.HEADER), world).effect()
    if given.take("the acting primary above"):
        team = acting.with_acting_primary(world.above(table, acting.HEADER), team)
    given.close()
    return team


def _person(team: Team, role: Role, segment: Segment | None) -> str:
    """Return who has ``role``: a name, that nobody has it, or a dash where there is no such role."""
    if segment is None:
        return NONE
    if segment.person is None:
        return _NOBODY.get(role, f"no {role}")
    return named(team, segment.person)


def _why(segments: dict[Role, Segment]) -> str:
    """Return the reasons of all roles where it is not the rotation alone."""
    others = [f"{role}: {s.why}" for role, s in segments.items() if s.why is not Why.ROTATION]
    return ", ".join(others) or (Why.ROTATION.value if segments else NONE)


def reasons(table: Table, world: World) -> Iterator[Answers]:
    """Yield every reason that there is."""
    for why in Why:
        yield {"Reason": why.value}


def lengths(table: Table, world: World) -> Iterator[Answers]:
    """Yield when the shift ends that begins at an instant, and how many hours have passed."""
    for row in table.rows:
        team = world.team(row["Team"])
        start = moment(row["From"], team.time_zone)
        shift = on_call(team, start)[Role.PRIMARY]
        if shift.start != start:
            raise Wrong(f"no shift begins then, but at {show(shift.start, team.time_zone)}")
        yield {
            "Zone": team.time_zone.key,
            "To": show(shift.end, team.time_zone),
            "To, in UTC": show(shift.end, UTC),
            "Hours": f"{(shift.end - shift.start) / HOUR:g}",
        }


def doubts(table: Table, world: World) -> Iterator[Answers]:
    """Yield all that the schedule flags within the time that is given."""
    given = world.given(table)
    team = given.team()
    window = given.need(r"looked at from (.+) to (.+)")
    given.close()
    for flag in flags(team, moment(window[1], team.time_zone), moment(window[2], team.time_zone)):
        yield {
            "From": show(flag.segment.start, team.time_zone),
            "To": show(flag.segment.end, team.time_zone),
            "Role": flag.segment.role.value,
            "Who": named(team, flag.segment.person),
            "Flagged as": flag.doubt.value,
        }


def _columns(*roles: Role) -> tuple[str, ...]:
    return ("Case", "At", *(role.capitalize() for role in roles), "Why")


_SHOWN = (
    (Role.PRIMARY, Role.SECONDARY, Role.MANAGER),
    (Role.PRIMARY, Role.SECONDARY),
    (Role.PRIMARY,),
    (Role.EMERGENCY,),
)
CHECKS = (
    *(Check(_columns(*roles), on_call_at, inputs=("At",)) for roles in _SHOWN),
    Check(("Reason", "Meaning"), reasons),
    Check(("Team", "Zone", "From", "To", "To, in UTC", "Hours"), lengths, inputs=("Team", "From")),
    Check(("From", "To", "Role", "Who", "Flagged as"), doubts),
)
