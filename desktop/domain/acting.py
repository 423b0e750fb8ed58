"""The acting primary: who stands in when the primary is silent, until when, and who is paged meanwhile. Pure.

A primary is silent when a SEV-0 or SEV-1 escalated past them and they have not been heard of since it paged them.
Whoever acknowledges it is offered the watch. Source of the rules: design, section 3, "Escalation".
"""

from dataclasses import dataclass
from datetime import datetime

from desktop.domain.severity import Severity
from desktop.domain.team import Override, Role

_GRAVE = {Severity.SEV0, Severity.SEV1}


@dataclass(frozen=True, slots=True)
class Escalated:
    """An incident that escalated past the primary at ``passed_at``, having paged them at ``paged_at``."""

    id: str
    severity: Severity
    paged_at: datetime
    passed_at: datetime
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """``person`` said yes or no to the offer, ``at``."""

    person: str
    yes: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Shift:
    """One primary's shift, as the schedule has it without an acting primary; times are aware, persons are ids.

    ``heard``: when the primary did anything (acknowledged, wrote a note …) or pressed "I'm back". ``enabled`` is the
    team file's ``acting_primary``. Incidents of every severity may be given: the grave ones count.
    """

    primary: str
    secondary: str | None
    end: datetime
    incidents: tuple[Escalated, ...] = ()
    heard: tuple[datetime, ...] = ()
    replies: tuple[Reply, ...] = ()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class ActingOffer:
    """``person``, who acknowledged ``incident``, is offered the watch until ``until`` at the latest."""

    incident: str
    person: str
    until: datetime


def silent(shift: Shift, now: datetime) -> tuple[Escalated, ...]:
    """Return the grave incidents that show at ``now`` that the primary is silent, the earliest passed first."""
    if not shift.enabled or now >= shift.end:
        return ()
    found = [i for i in shift.incidents if i.severity in _GRAVE and i.passed_at <= now]
    return tuple(sorted((i for i in found if not _heard(shift, i.paged_at, now)), key=lambda i: i.passed_at))


def offers(shift: Shift, now: datetime) -> tuple[ActingOffer, ...]:
    """Return who is offered the watch at ``now``, each person once, who acknowledged first coming first.

    Nobody while somebody acts already; nobody again who has said no to it.
    """
    if acting(shift, now) is not None:
        return ()
    found: dict[str, ActingOffer] = {}
    acknowledged = [(i.acknowledged_at, i) for i in silent(shift, now) if i.acknowledged_at is not None]
    for at, incident in sorted(acknowledged, key=lambda pair: pair[0]):
        person = incident.acknowledged_by
        if person is None or person == shift.primary or at > now or _refused(shift, person, at, now):
            continue
        found.setdefault(person, ActingOffer(incident.id, person, shift.end))
    return tuple(found.values())


def acting(shift: Shift, now: datetime) -> Reply | None:
    """Return the yes by which somebody acts as primary at ``now``: the first one that was offered and still holds."""
    yeses = sorted((r for r in shift.replies if r.yes), key=lambda r: r.at)
    return next((r for r in yeses if r.at <= now < ends_at(shift, r) and _was_offered(shift, r)), None)


def ends_at(shift: Shift, yes: Reply) -> datetime:
    """Return when acting ends that began with ``yes``, as far as is known: the primary heard of, or the shift's end.

    Earlier than the shift's end, the override is to be cut there. A primary who is heard of at the very instant of the
    yes was not silent: it ends as it begins.
    """
    return min((t for t in (*shift.heard, shift.end) if t >= yes.at), default=yes.at)


def override(shift: Shift, yes: Reply) -> Override | None:
    """Return the override that ``yes`` makes on the primary's schedule, None for a yes by which nobody acts.

    Its times are instants. The roles after it are resolved anew, so that an acting secondary is replaced as such.
    """
    if acting(shift, yes.at) != yes:
        return None
    reason = f"Acting primary: {shift.primary} is silent"
    return Override(Role.PRIMARY, yes.person, yes.at, ends_at(shift, yes), reason)


def new_pages_go_to(shift: Shift, now: datetime) -> tuple[str, ...]:
    """Return who is paged first for what is new at ``now``.

    The primary and the secondary together from when the primary was passed, silent, until somebody says yes.
    """
    yes = acting(shift, now)
    if yes is not None:
        return (yes.person,)
    if silent(shift, now) and shift.secondary is not None:
        return tuple(dict.fromkeys((shift.primary, shift.secondary)))
    return (shift.primary,)


def _heard(shift: Shift, since: datetime, until: datetime) -> bool:
    return any(since < t <= until for t in shift.heard)


def _refused(shift: Shift, person: str, since: datetime, now: datetime) -> bool:
    return any(r.person == person and not r.yes and since <= r.at <= now for r in shift.replies)


def _was_offered(shift: Shift, yes: Reply) -> bool:
    """Tell whether ``yes`` answered an offer: they had acknowledged, and the primary was silent until then."""
    return yes.person != shift.primary and any(
        i.acknowledged_by == yes.person and i.acknowledged_at is not None and i.acknowledged_at <= yes.at
        for i in silent(shift, yes.at)
    )
