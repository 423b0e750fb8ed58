"""What every escalation backend can do for the person on call. Called on worker threads; every call may block.

Every method raises ``domain.errors.BackendError`` (or one of its kinds) and nothing else.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from desktop.domain.incident import Incident, OnCall, Person, Snapshot
from desktop.domain.server_clock import Reading
from desktop.domain.severity import Severity


@dataclass(frozen=True, slots=True)
class FullState:
    """Everything anew: replaces all that was known."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class IncidentChanged:
    """One incident, whole, as it is now."""

    incident: Incident


@dataclass(frozen=True, slots=True)
class OnCallChanged:
    """Who is on call, whole, as it is now."""

    on_call: tuple[OnCall, ...]


@dataclass(frozen=True, slots=True)
class Alive:
    """The backend said that it is there, and nothing changed."""


@dataclass(frozen=True, slots=True)
class Missed:
    """Changes may have been missed: everything should be fetched anew, soon (``Backend.snapshot``)."""


StreamEvent = FullState | IncidentChanged | OnCallChanged | Alive | Missed


@dataclass(frozen=True, slots=True)
class NewPage:
    """An incident to open. Without ``severity`` the service decides, without ``service`` the first one is meant.

    ``to`` (a person's id) pages that one alone and leaves the escalation policy out.
    """

    title: str
    severity: Severity | None = None
    service: str | None = None
    dedup_key: str | None = None
    to: str | None = None


class Confirmed(StrEnum):
    """What this application can confirm of a page."""

    DISPLAYED = "displayed"
    SOUNDED = "sounded"
    INPUT = "input"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A page was ``confirmed`` here: that of an incident which had been paged ``page`` times by then."""

    incident: str
    page: int
    confirmed: Confirmed


class Backend(Protocol):
    """One account on one escalation backend. An instance serves one thread; only ``close`` may come from another."""

    def me(self) -> Person:
        """Return whose token this is."""

    def may_acknowledge(self) -> bool | None:
        """Tell whether this token may acknowledge, by reading alone; None where only an acknowledgement would tell."""

    def snapshot(self) -> Snapshot:
        """Return all open incidents and who is on call."""

    def stream(self, *, present: bool = True) -> AbstractContextManager[Iterator[StreamEvent]]:
        """Follow the backend live, beginning with a ``FullState``; ``NotFound`` where there is no stream.

        ``present`` lets the backend wait for pages to be shown here; not for who only looks.
        Everything can be fetched beside it, on the same thread.
        """

    def incident(self, incident_id: str) -> Incident:
        """Return one incident by its id or number."""

    def incidents(self, *, resolved: bool = False, since: datetime | None = None) -> tuple[Incident, ...]:
        """Return the open incidents, the resolved ones too where asked; newest last.

        ``since`` (server time) leaves out what was opened before it.
        """

    def paged(self, incident_id: str, person_id: str) -> bool:
        """Tell by an incident's history whether it was ever this person's, or paged them."""

    def on_call(self) -> tuple[OnCall, ...]:
        """Return who is on call now, at every level of every policy."""

    def acknowledge(self, incident_id: str) -> Incident:
        """Acknowledge; one that is acknowledged or resolved already is returned as it is."""

    def resolve(self, incident_id: str, *, false_alarm: bool = False) -> Incident:
        """Resolve, saying so if it was a false alarm; one that is resolved already is returned as it is."""

    def trigger(self, page: NewPage) -> Incident:
        """Open an incident; the open one that has its dedup key is returned instead where there is one."""

    def confirm(self, receipts: Sequence[Receipt]) -> None:
        """Tell what became of pages here; only a backend that counts pages (``Incident.pages``) wants to know."""

    def clock(self) -> Reading | None:
        """Return the best reading of the backend's clock that its answers gave, None when it never told."""

    def close(self) -> None:
        """End what is under way, from any thread; a reader of the stream ends at once."""
