"""A backend in memory, for tests of what stands on one. Any thread."""

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from desktop.backends.base import FullState, IncidentChanged, NewPage, Receipt, StreamEvent
from desktop.domain.errors import NotFound, Unreachable, WatchbellError
from desktop.domain.incident import Acknowledgement, Incident, OnCall, Person, Snapshot, Status
from desktop.domain.server_clock import Reading
from desktop.domain.severity import Severity

ANA = Person("ana", "Ana Ruiz", "ana@example.com")
T0 = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ON_CALL = (OnCall(ANA, "primary", 1, "SEV0"),)


class FakeServer:
    """The state behind any number of ``FakeBackend``; ``fail`` is raised by the next calls until it is taken away."""

    def __init__(self) -> None:
        self.incidents: dict[str, Incident] = {}
        self.ever: dict[str, set[str]] = {}
        self.fail: list[WatchbellError] = []
        self.calls: list[tuple[str, str]] = []
        self.streams: list[queue.Queue[StreamEvent | WatchbellError | None]] = []
        self.lock = threading.RLock()
        self.has_stream = True
        self.receipts: list[Receipt] = []
        self.connected = threading.Event()

    def check(self, call: str, about: str = "") -> None:
        """Note a call, and raise what was asked for."""
        with self.lock:
            self.calls.append((call, about))
            if self.fail:
                raise self.fail.pop(0)

    def put(self, incident: Incident) -> Incident:
        """Store a new state of an incident and tell every stream."""
        with self.lock:
            before = self.incidents.get(incident.id)
            incident = replace(incident, version=(before.version if before else 0) + 1)
            self.incidents[incident.id] = incident
            self.ever.setdefault(incident.id, set()).update(p.id for p in incident.assignees)
            for stream in self.streams:
                stream.put(IncidentChanged(incident))
            return incident

    def snapshot(self) -> Snapshot:
        """Return everything that is open."""
        with self.lock:
            return Snapshot(ANA, tuple(i for i in self.incidents.values() if i.open), ON_CALL, T0)

    def cut(self, error: WatchbellError | None = None) -> None:
        """End every stream as a broken wire does."""
        with self.lock:
            for stream in self.streams:
                stream.put(error or Unreachable("the wire is cut"))


class FakeBackend:
    """Implements ``backends.base.Backend`` on a ``FakeServer``."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server
        self._events: queue.Queue[StreamEvent | WatchbellError | None] = queue.Queue()

    def me(self) -> Person:
        """Return Ana."""
        self._server.check("me")
        return ANA

    def may_acknowledge(self) -> bool | None:
        """Return that Ana may."""
        self._server.check("may_acknowledge")
        return True

    def snapshot(self) -> Snapshot:
        """Return everything that is open."""
        self._server.check("snapshot")
        return self._server.snapshot()

    @contextmanager
    def stream(self, *, present: bool = True) -> Iterator[Iterator[StreamEvent]]:
        """Follow the server."""
        self._server.check("stream")
        if not self._server.has_stream:
            raise NotFound("no stream here")
        with self._server.lock:
            self._events.put(FullState(self._server.snapshot()))
            self._server.streams.append(self._events)
        self._server.connected.set()
        try:
            yield self._read()
        finally:
            self._server.connected.clear()
            self._server.streams.remove(self._events)

    def _read(self) -> Iterator[StreamEvent]:
        while (event := self._events.get()) is not None:
            if isinstance(event, WatchbellError):
                raise event
            yield event

    def incident(self, incident_id: str) -> Incident:
        """Return one incident."""
        self._server.check("incident", incident_id)
        found = self._server.incidents.get(incident_id)
        if found is None:
            raise NotFound(f"no incident {incident_id}")
        return found

    def incidents(self, *, resolved: bool = False, since: datetime | None = None) -> tuple[Incident, ...]:
        """Return what is open, and what is resolved where asked; of all time, or opened ``since`` then."""
        self._server.check("incidents")
        wanted = [i for i in self._server.incidents.values() if resolved or i.open]
        return tuple(i for i in wanted if since is None or i.created_at >= since)

    def paged(self, incident_id: str, person_id: str) -> bool:
        """Tell whether it was ever this person's."""
        self._server.check("paged", incident_id)
        return person_id in self._server.ever.get(incident_id, ())

    def on_call(self) -> tuple[OnCall, ...]:
        """Return that Ana is primary."""
        self._server.check("on_call")
        return ON_CALL

    def acknowledge(self, incident_id: str) -> Incident:
        """Acknowledge as Ana."""
        it = self.incident(incident_id)
        if it.status is not Status.TRIGGERED and it.request_to(ANA.id) is None:
            return it
        taken = (*it.acknowledgements, Acknowledgement(ANA, T0))
        asked = tuple(a for a in it.asked if a.person != ANA)
        return self._server.put(
            replace(it, status=Status.ACKNOWLEDGED, acknowledgements=taken, asked=asked, pending=())
        )

    def resolve(self, incident_id: str, *, false_alarm: bool = False) -> Incident:
        """Resolve as Ana."""
        it = self.incident(incident_id)
        if not it.open:
            return it
        return self._server.put(replace(it, status=Status.RESOLVED, resolved_by=ANA, pending=()))

    def trigger(self, page: NewPage) -> Incident:
        """Open an incident that is assigned to Ana."""
        self._server.check("trigger", page.title)
        for it in self._server.incidents.values():
            if page.dedup_key and it.open and it.dedup_key == page.dedup_key:
                return it
        number = len(self._server.incidents) + 1
        return self._server.put(
            incident(
                f"I{number}",
                number=number,
                title=page.title,
                severity=Severity.SEV1 if page.severity is None else page.severity,
                dedup_key=page.dedup_key or "",
            )
        )

    def confirm(self, receipts: Sequence[Receipt]) -> None:
        """Keep what is confirmed; NotFound where nothing of it is about an incident here."""
        self._server.check("confirm")
        known = [receipt for receipt in receipts if receipt.incident in self._server.incidents]
        if receipts and not known:
            raise NotFound("no such page")
        self._server.receipts.extend(known)

    def clock(self) -> Reading | None:
        """Return that the clocks agree."""
        return Reading(timedelta(0), timedelta(0), 0.0)

    def close(self) -> None:
        """End the stream."""
        self._events.put(None)


def incident(incident_id: str = "I1", **changes: object) -> Incident:
    """Return a triggered SEV-0 that is assigned to Ana, with ``changes``."""
    severity = changes.get("severity", Severity.SEV0)
    assert isinstance(severity, Severity)
    base = Incident(
        id=incident_id,
        number=1,
        title="Payments API: 5xx above 20 %",
        status=Status.TRIGGERED,
        severity=severity,
        urgency=severity.urgency,
        created_at=T0,
        policy="SEV0",
        assignees=(ANA,),
        version=1,
        pages=1,
    )
    return replace(base, **changes)  # type: ignore[arg-type]
