"""Incidents as the person on call knows them, and who is on call. Pure values; every time is aware."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from desktop.domain.severity import Severity, Urgency


class Status(StrEnum):
    """PagerDuty's three states of an incident."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class ActionKind(StrEnum):
    """What a backend will do by itself (PagerDuty's ``pending_actions``)."""

    ESCALATE = "escalate"
    UNACKNOWLEDGE = "unacknowledge"
    RESOLVE = "resolve"
    URGENCY_CHANGE = "urgency_change"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody known to a backend; ``id`` is the backend's."""

    id: str
    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class PendingAction:
    """What the backend will do by itself, and when."""

    kind: ActionKind
    at: datetime


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who acknowledged, and when."""

    person: Person
    at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """``person`` was asked ``by`` somebody to help with an incident, and has not answered. ``message`` is plain."""

    person: Person
    by: Person
    message: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident, as a backend last told it. ``title`` and every name are plain, one line, of limited length."""

    id: str
    number: int
    title: str
    status: Status
    severity: Severity
    urgency: Urgency
    created_at: datetime
    service: str = ""
    service_id: str = ""
    policy: str = ""
    assignees: tuple[Person, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    pending: tuple[PendingAction, ...] = ()
    resolved_by: Person | None = None
    dedup_key: str = ""
    note: str = ""
    runbook: str = ""
    url: str = ""
    version: int = 0
    # Raised by the backend each time that those assigned are paged (again); 0 where the backend does not tell.
    pages: int = 0
    # Who was asked to help and has not answered: paged whether or not somebody has the incident.
    asked: tuple[Asked, ...] = ()

    def action_at(self, kind: ActionKind) -> datetime | None:
        """Return when the backend will do ``kind``, None when it will not."""
        return min((a.at for a in self.pending if a.kind is kind), default=None)

    @property
    def escalates_at(self) -> datetime | None:
        """When it escalates, None when it does not."""
        return self.action_at(ActionKind.ESCALATE)

    @property
    def open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.status is not Status.RESOLVED

    def assigned_to(self, person_id: str) -> bool:
        """Tell whether ``person_id`` is among the assignees."""
        return person_id in [p.id for p in self.assignees]

    def acknowledged_by(self, person_id: str) -> bool:
        """Tell whether ``person_id`` is among those who acknowledged."""
        return person_id in [a.person.id for a in self.acknowledgements]

    def request_to(self, person_id: str) -> Asked | None:
        """Return the request for help that ``person_id`` has still to answer; whoever acknowledged has answered."""
        if not self.open or self.acknowledged_by(person_id):
            return None
        return next((a for a in self.asked if a.person.id == person_id), None)

    def pages_person(self, person_id: str) -> bool:
        """Tell whether ``person_id`` is paged now: it is triggered and theirs, or they are asked to help."""
        mine = self.status is Status.TRIGGERED and self.assigned_to(person_id)
        return mine or self.request_to(person_id) is not None

    def concerns(self, person_id: str) -> bool:
        """Tell whether it is (also) for ``person_id``: assigned to them, acknowledged by them, or asked of them."""
        mine = self.assigned_to(person_id) or self.acknowledged_by(person_id)
        return mine or self.request_to(person_id) is not None


@dataclass(frozen=True, slots=True)
class OnCall:
    """Who stands at one level of one escalation policy: ``role`` is the schedule's name, in lower case.

    ``until`` is the end of the shift, None when it has none; ``level`` counts from 1; ``why`` is what the shift comes
    from (rotation, holiday, override …) where the backend tells.
    """

    person: Person
    role: str
    level: int
    policy: str
    since: datetime | None = None
    until: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The full state of one connection as its backend told it at ``taken_at`` (server time).

    ``whole`` unless more is open than was read.
    """

    me: Person
    incidents: tuple[Incident, ...]
    on_call: tuple[OnCall, ...]
    taken_at: datetime
    whole: bool = True


def next_responders(incident: Incident, on_call: tuple[OnCall, ...]) -> tuple[OnCall, ...]:
    """Return who is added when ``incident`` escalates: the first level of its policy that holds somebody new.

    A guess from who is on call now: a shift may change before the escalation (facts on PagerDuty, 2.5).
    """
    assigned = {p.id for p in incident.assignees}
    levels = [o for o in on_call if o.policy == incident.policy and o.person.id not in assigned]
    first = min((o.level for o in levels), default=0)
    return tuple(o for o in levels if o.level == first)
