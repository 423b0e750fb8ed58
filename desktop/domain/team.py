"""A team: who is in it, how it rotates, how it escalates. Pure values, as a team file states them.

Wall-clock times (``datetime`` without a zone) are meant in the team's zone; see ``rotation`` for what they become.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from desktop.domain.errors import Problem
from desktop.domain.escalation import Step
from desktop.domain.severity import DEFAULT_TARGETS, Severity, Targets


class Role(StrEnum):
    """The roles of the procedure; shadow gets silent copies and never escalations."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    MANAGER = "manager"
    EMERGENCY = "emergency"
    SHADOW = "shadow"


class Access(StrEnum):
    """What somebody may do on the server."""

    ENGINEER = "engineer"
    MANAGER = "manager"
    ADMIN = "admin"


class Unit(StrEnum):
    """What shifts are counted in."""

    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"


@dataclass(frozen=True, slots=True)
class Every:
    """The length of a shift, on the wall clock."""

    count: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the team. ``notify`` holds references to secrets or Apprise URLs, in the order of the ladder."""

    id: str
    name: str
    email: str = ""
    phone: str = ""
    time_zone: ZoneInfo | None = None
    notify: tuple[str, ...] = ()
    certified: bool | None = None
    access: Access = Access.ENGINEER


@dataclass(frozen=True, slots=True)
class Rotation:
    """One role's ring: shift n is ``[start + n·every, start + (n+1)·every)``, of ``members[n mod len]``."""

    members: tuple[str, ...]
    start: datetime
    every: Every


@dataclass(frozen=True, slots=True)
class Week:
    """An explicit row: who has which role in the shift that starts on the date ``start``."""

    start: date
    people: Mapping[Role, str]


@dataclass(frozen=True, slots=True)
class Absence:
    """``[start, end)`` on the team's wall clock, in which ``person`` cannot be on call."""

    person: str
    start: datetime
    end: datetime
    announced: date | None = None
    cover: str | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """``[start, end)`` in which ``person`` has ``role``, whatever else says; of two, the later in the list wins."""

    role: Role
    person: str
    start: datetime
    end: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody outside the rotation: an emergency contact, or one who is shown and never paged."""

    name: str
    phone: str = ""
    email: str = ""
    hours: str = ""
    notify: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """What alerts are about. ``integration_key`` is a reference to a secret (``env:NAME``, ``keyring:NAME``)."""

    id: str
    name: str
    runbook: str = ""
    severity: Severity | None = None
    integration_key: str = ""


@dataclass(frozen=True, slots=True)
class AccessCheck:
    """What an engineer must be able to reach: an HTTP answer (``url``, ``expect``) or a TCP port."""

    name: str
    kind: str
    url: str = ""
    expect: int = 200
    host: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True)
class EscalationRules:
    """What the team file says of escalation; None stands for the default of design section 3.

    ``acknowledge_timeout`` of zero lets an acknowledgement hold for ever.
    """

    steps: tuple[Step, ...] | None = None
    steps_by_severity: Mapping[Severity, tuple[Step, ...]] = field(default_factory=lambda: MappingProxyType({}))
    repeat: int | None = None
    acknowledge_timeout: timedelta | None = None
    acting_primary: bool = True


@dataclass(frozen=True, slots=True)
class Team:
    """Everything that a team file says. The mappings are never changed, only replaced: answers about a team are kept.

    ``holidays`` are dates with their names; ``severity_words`` maps what other systems call a severity, in lower case,
    over the usual maps; ``warnings`` are what the reader of the file found allowed but worth a look.
    """

    time_zone: ZoneInfo
    people: tuple[Member, ...]
    rotations: Mapping[Role, Rotation] = field(default_factory=lambda: MappingProxyType({}))
    weeks: tuple[Week, ...] = ()
    holidays: Mapping[date, str] = field(default_factory=lambda: MappingProxyType({}))
    absences: tuple[Absence, ...] = ()
    overrides: tuple[Override, ...] = ()
    escalation: EscalationRules = field(default_factory=EscalationRules)
    targets: Mapping[Severity, Targets] = field(default_factory=lambda: MappingProxyType(DEFAULT_TARGETS))
    severity_words: Mapping[str, Severity] = field(default_factory=lambda: MappingProxyType({}))
    emergency_contacts: tuple[Contact, ...] = ()
    contacts: tuple[Contact, ...] = ()
    services: tuple[Service, ...] = ()
    access_checks: tuple[AccessCheck, ...] = ()
    channels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[Problem, ...] = field(default=(), compare=False)

    def member(self, person_id: str) -> Member | None:
        """Return the person called ``person_id``, None when there is none."""
        return next((p for p in self.people if p.id == person_id), None)
