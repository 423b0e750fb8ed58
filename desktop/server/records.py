"""Incidents as the server knows them, and the drafts on which transitions work. Values only, any thread."""

import base64
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from desktop.domain import notices
from desktop.domain.escalation import Policy, Progress
from desktop.domain.incident import Status
from desktop.domain.severity import Severity, Urgency
from desktop.server.codec import Frozen, Json
from desktop.server.contributions import Note, Responder

ENGINE = "engine"
MESSAGE, POSTED = "message", "posted"
"""The types of the history's lines about messages that were sent: to a person, to a channel of the team."""
PAGED = ("assign", "escalate", "repeat_escalation_path", "notify")
"""The types of its lines by which people are paged."""
NO_ADDRESS, UNREACHED = "no_address", "unreached"
"""The types of its lines about a page that reached nobody: there was no address, or every one failed."""
RECEIPTS = ("displayed", "sounded", "input")
"""The types of its lines about what the tray application of somebody who was paged confirmed."""


@dataclass(frozen=True, slots=True)
class Held:
    """A person who is assigned, or acknowledged, since ``at``."""

    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """One incident as its rows say; ``policies`` are frozen from birth, named by ``policy``.

    ``escalates_as`` is the severity whose list it follows, None when it was assigned directly. ``changed_by`` is who
    changed the status last: "person:ana", "service:payments" or "engine". ``renewed_at`` is when the acknowledgement
    was renewed last, ``overdue_told_at`` when it was told that the target to resolve had passed. ``snoozed_until`` is
    how long the acknowledgement holds because somebody said so, ``held_until`` how long it pages nobody because its
    service is under maintenance.
    """

    id: str
    number: int
    service_id: str
    dedup_key: str
    title: str
    status: Status
    severity: Severity
    urgency: Urgency
    policy: str
    policies: Frozen
    escalates_as: Severity | None
    progress: Progress
    created_at: datetime
    updated_at: datetime
    changed_at: datetime
    changed_by: str
    severity_note: str = ""
    link: str = ""
    next_action_at: datetime | None = None
    resolved_at: datetime | None = None
    renewed_at: datetime | None = None
    overdue_told_at: datetime | None = None
    snoozed_until: datetime | None = None
    held_until: datetime | None = None
    responders: tuple[Responder, ...] = ()
    latest_note: Note | None = None
    version: int = 0
    pages: int = 0
    flaps: int = 0
    assignments: tuple[Held, ...] = ()
    acknowledgements: tuple[Held, ...] = ()

    @property
    def plan(self) -> Policy:
        """The escalation list that it follows: nobody but those assigned when it was assigned directly."""
        if self.escalates_as is not None:
            return self.policies[self.escalates_as]
        frozen = self.policies[self.severity]
        return Policy((), frozen.page_again, 0, frozen.acknowledge_timeout)

    @property
    def acknowledged_by_service(self) -> str:
        """The service whose integration acknowledged it, nothing when a person was first (or nobody did)."""
        kind, _, name = self.changed_by.partition(":")
        return name if self.status is Status.ACKNOWLEDGED and kind == "service" else ""

    @property
    def resolve_due_at(self) -> datetime | None:
        """When it has to be told that the target to resolve passes; None when there is none, or it was told."""
        if self.overdue_told_at is not None:
            return None
        return notices.resolve_due_at(self.policies[self.severity], self.created_at)

    @property
    def open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.status is not Status.RESOLVED


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of an incident's history; ``type`` is PagerDuty's name without "_log_entry"."""

    type: str
    at: datetime
    actor: str
    channel: str = "api"
    data: Json = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """What becomes of one incident in one transaction: ``before`` is None for a new one."""

    record: Record
    before: Record | None = None
    entries: list[Entry] = field(default_factory=list)

    def change(self, **values: Any) -> None:  # noqa: ANN401 - the fields of Record
        """Set fields of the record."""
        self.record = replace(self.record, **values)

    def note(self, entry: Entry) -> None:
        """Add a line to the history."""
        self.entries.append(entry)

    @property
    def touched(self) -> bool:
        """Whether anything has to be written."""
        return self.record != self.before or bool(self.entries)


def new_id() -> str:
    """Return a new incident id: short, capital letters and digits, like PagerDuty's."""
    return "Q" + base64.b32encode(secrets.token_bytes(8)).decode("ascii").rstrip("=")
