"""A schedule and what is flagged in it, as lines for people and as JSON."""

from collections.abc import Iterable, Iterator

from desktop.cli import output
from desktop.domain.flags import Doubt, Flag
from desktop.domain.segments import Segment, nobody
from desktop.domain.team import Role, Team

_DOUBTS = {
    Doubt.ABSENT: "is absent, and on call by an override",
    Doubt.TWO_ROLES: "has a second role besides",
    Doubt.NOT_CERTIFIED: "is not certified",
}
# A ring with somebody who is not certified is flagged each time that it is their turn: one line says it.
_AT_MOST = 20


def shape(segment: Segment) -> dict[str, object]:
    """Return the JSON shape of one segment (design, section 5)."""
    return {
        "role": segment.role.value,
        "person": segment.person,
        "start": output.instant(segment.start),
        "end": output.instant(segment.end),
        "why": segment.why.value,
    }


def lines(team: Team, segments: Iterable[Segment]) -> Iterator[str]:
    """Return one line for each segment, on the team's clock; a team without any primary says so first."""
    held = tuple(segments)
    if all(s.role is not Role.PRIMARY for s in held):
        yield f"primary  {nobody(Role.PRIMARY)}  (the team file has no [rotation.primary])"
    names = {p.id: p.name for p in team.people}
    for s in held:
        who = nobody(s.role) if s.person is None else names.get(s.person, s.person)
        yield f"{s.role.value}  {_span(team, s)}  {who}  ({s.why.value})"


def notes(team: Team, flagged: Iterable[Flag]) -> list[str]:
    """Return one line for each person, role and doubt: the first time, and how often it comes again."""
    by: dict[tuple[str, Role, Doubt], list[Segment]] = {}
    for flag in flagged:
        by.setdefault((flag.segment.person or "", flag.segment.role, flag.doubt), []).append(flag.segment)
    names = {p.id: p.name for p in team.people}
    told = [
        f"{names.get(person, person)} {_DOUBTS[doubt]}: {role.value} {_span(team, those[0])}{_more(those)}"
        for (person, role, doubt), those in by.items()
    ]
    rest = len(told) - _AT_MOST
    return [*told[:_AT_MOST], *([f"and {rest} more like these"] if rest > 0 else [])]


def _more(those: list[Segment]) -> str:
    again = len(those) - 1
    return "" if not again else f", and {again} more {'time' if again == 1 else 'times'}"


def _span(team: Team, segment: Segment) -> str:
    return f"{output.local(segment.start, team.time_zone)} – {output.local(segment.end, team.time_zone)}"
