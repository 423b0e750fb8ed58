"""What happened while nobody watched: told once, in a few sentences, and never rung. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from desktop.domain.incident import Incident, Snapshot, Status
from desktop.domain.text import plain
from desktop.domain.waking import Gap

_NAMED = 3
_TITLE = 60
_NAME = 40
# Of how many incidents that were this person's, or may have been, it is asked one by one what became of them.
ASKED = 20


@dataclass(frozen=True, slots=True)
class Missed:
    """A time in which nobody watched; ``when`` begins the sentence about it ("While this machine slept").

    ``held`` are the open incidents that were this person's before, by their ids, and whether somebody had them.
    """

    gap: Gap
    when: str
    held: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Happened:
    """What is told: incidents that came and ``went``, are ``over`` though theirs, or are ``elsewhere``."""

    went: tuple[Incident, ...] = ()
    over: tuple[Incident, ...] = ()
    elsewhere: tuple[Incident, ...] = ()


def held(snapshot: Snapshot | None) -> Mapping[str, bool]:
    """Return what is this person's, for ``Missed``."""
    if snapshot is None:
        return MappingProxyType({})
    mine = (i for i in snapshot.incidents if i.open and i.concerns(snapshot.me.id))
    return MappingProxyType({i.id: i.status is Status.ACKNOWLEDGED for i in mine})


def came_and_went(incidents: Sequence[Incident], since: datetime, until: datetime) -> tuple[Incident, ...]:
    """Return those that were opened from ``since`` to ``until`` (server time) and are over; the most urgent first."""
    return _sorted(i for i in incidents if not i.open and since <= i.created_at <= until)


def may_have_paged(
    incidents: Sequence[Incident], since: datetime, until: datetime, me: str, before: Mapping[str, bool]
) -> tuple[Incident, ...]:
    """Return those opened then and open elsewhere: only their history says whether they paged ``me``."""
    others = (i for i in incidents if i.open and not i.concerns(me) and i.id not in before)
    return _sorted(i for i in others if since <= i.created_at <= until)


def happened(
    incidents: Sequence[Incident], since: datetime, until: datetime, me: str, before: Mapping[str, bool]
) -> Happened:
    """Decide what is told of ``incidents``: those opened meanwhile that concern ``me``, and those of ``before``."""
    went = came_and_went(incidents, since, until)
    known = {i.id for i in went}
    over = (i for i in incidents if i.id in before and i.id not in known and not i.open and not _by(i, me))
    return Happened(went, _sorted(over), _sorted(i for i in incidents if i.open and _left(i, me, before)))


def _left(incident: Incident, me: str, before: Mapping[str, bool]) -> bool:
    """Tell whether an open incident that paged ``me`` does not any more, by another's doing."""
    if not incident.concerns(me):
        return True
    if incident.request_to(me) is not None:
        return False
    taken = incident.status is Status.ACKNOWLEDGED and not incident.acknowledged_by(me)
    return taken and not before.get(incident.id, False)


def _by(incident: Incident, me: str) -> bool:
    return incident.resolved_by is not None and incident.resolved_by.id == me


def sentences(told: Happened, when: str) -> str:
    """Say what happened ``when`` ("While this machine slept"); empty when nothing did."""
    parts = [
        _part(told.went, "came and went", "came and went"),
        _part(told.over, "that you had was resolved", "that you had were resolved"),
        _part(told.elsewhere, "that paged you went to others", "that paged you went to others"),
    ]
    said = " ".join(part for part in parts if part)
    return f"{when}, {said[0].lower()}{said[1:]}" if said else ""


def _part(incidents: Sequence[Incident], one: str, many: str) -> str:
    if not incidents:
        return ""
    named = [f"{i.severity.label} {plain(i.title, _TITLE)}{_whose(i)}" for i in incidents[:_NAMED]]
    if len(incidents) > _NAMED:
        named.append(f"{len(incidents) - _NAMED} more")
    count = f"An incident {one}" if len(incidents) == 1 else f"{len(incidents)} incidents {many}"
    return f"{count}: {'; '.join(named)}."


def _whose(incident: Incident) -> str:
    """Return who has an open incident now, in brackets."""
    if not incident.open:
        return ""
    if incident.acknowledgements:
        last = max(incident.acknowledgements, key=lambda a: a.at)
        return f" (acknowledged by {plain(last.person.name, _NAME)})"
    people = [plain(p.name, _NAME) for p in incident.assignees]
    more = f" and {len(people) - 2} more" if len(people) > 2 else ""
    return f" (with {', '.join(people[:2])}{more})" if people else ""


def _sorted(incidents: Iterable[Incident]) -> tuple[Incident, ...]:
    return tuple(sorted(incidents, key=lambda i: (i.severity.value, i.created_at)))
