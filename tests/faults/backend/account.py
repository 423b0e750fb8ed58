"""An account on an escalation backend, in memory: what is open, who is on call, and what was done. Any thread."""

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

PEOPLE = {"ana": "Ana Ruiz", "ben": "Ben Okafor"}
SEVERITIES = ("SEV-0", "SEV-1", "SEV-2", "SEV-3")


@dataclass(frozen=True)
class Deed:
    """Something that was done to an incident, and by whom ("" by nobody).

    ``at`` is when (monotonic), ``shown`` what the account's clock showed; it had been paged ``pages`` times then.
    ``looked`` is when the client had looked at it just before it asked for this, by the account's clock.
    """

    incident: str
    what: str
    who: str = ""
    at: float = field(default=0.0, compare=False)
    shown: datetime = field(default=datetime.min.replace(tzinfo=UTC), compare=False)
    pages: int = field(default=0, compare=False)
    looked: datetime | None = field(default=None, compare=False)


@dataclass
class Account:
    """The account of Ana, who is primary. ``ours`` is a Watchbell server; else it speaks as PagerDuty does.

    ``ahead`` is how far its clock is ahead of this machine's, beside what ``world`` says that time went by.
    """

    token: str = "wb_fault_tests"
    ours: bool = True
    ahead: timedelta = timedelta(0)
    world: Callable[[], timedelta] = timedelta
    incidents: dict[str, Json] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)
    receipts: list[Json] = field(default_factory=list)
    version: int = 0
    on_call: list[str] = field(default_factory=lambda: ["ana", "ben"])
    # Of many other schedules, as the API tells them.
    other_shifts: list[Json] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    streams: list["queue.Queue[bytes | None]"] = field(default_factory=list)
    ever: dict[str, set[str]] = field(default_factory=dict)
    _quiet: bool = False
    _looks: dict[str, datetime] = field(default_factory=dict)
    _looked: dict[str, datetime | None] = field(default_factory=dict)

    def now(self) -> datetime:
        """Return what its clock shows."""
        return datetime.now(UTC) + self.ahead + self.world()

    def asked(self, method: str, path: str) -> None:
        """Note what the client asks for, whether that is answered or not."""
        folder, _, incident = path.rpartition("/")
        if folder == "/incidents" and method == "GET":
            self._looks[incident] = self.now()
        elif folder == "/incidents":
            self._looked[incident] = self._looks.pop(incident, None)

    def trigger(self, title: str = "Disk full", severity: int = 0, dedup: str = "", to: str = "ana") -> str:
        """Open an incident that pages ``to``; return its id."""
        with self.lock:
            incident = f"Q{len(self.incidents) + 1:05}"
            self.incidents[incident] = {
                "id": incident,
                "type": "incident",
                "incident_number": len(self.incidents) + 1,
                "title": title,
                "status": "triggered",
                "urgency": "low" if severity == 3 else "high",
                "priority": {"id": SEVERITIES[severity], "type": "priority", "summary": SEVERITIES[severity]},
                "created_at": instant(self.now()),
                "service": {"id": "payments", "type": "service_reference", "summary": "Payments"},
                "escalation_policy": {"id": f"SEV{severity}", "type": "escalation_policy_reference"},
                "assignments": [{"at": instant(self.now()), "assignee": user(to)}],
                "acknowledgements": [],
                "pending_actions": [{"type": "escalate", "at": instant(self.now() + timedelta(minutes=15))}],
                "incident_key": dedup,
                "watchbell": {"version": 0, "pages": 0, "severity": f"sev{severity}"},
            }
            self._change(incident, "trigger", "", pages=1)
            return incident

    def acknowledge(self, incident: str, by: str = "ben") -> None:
        """Let somebody acknowledge."""
        with self.lock:
            said = {"at": instant(self.now()), "acknowledger": user(by)}
            self._change(
                incident, "acknowledge", by, status="acknowledged", acknowledgements=[said], pending_actions=[]
            )

    def resolve(self, incident: str, by: str = "ben") -> None:
        """Let somebody resolve."""
        self._change(incident, "resolve", by, status="resolved", pending_actions=[], last_status_change_by=user(by))

    def unacknowledge(self, incident: str) -> None:
        """Let an acknowledgement time out, which pages those assigned again."""
        self._change(incident, "unacknowledge", "", pages=1, status="triggered", acknowledgements=[])

    def reassign(self, incident: str, to: str) -> None:
        """Give it to somebody else alone."""
        self._change(incident, "reassign", "ben", pages=1, assignments=self._assigned(to))

    def escalate(self, incident: str, to: str) -> None:
        """Add somebody."""
        with self.lock:
            assignments = [*self.incidents[incident]["assignments"], *self._assigned(to)]
            self._change(incident, "escalate", "", pages=1, assignments=assignments)

    def put_on_call(self, *people: str) -> None:
        """Let others be on call, the primary first."""
        with self.lock:
            self.on_call = list(people)
            self.tell(encode("oncalls", {"oncalls": self.oncalls()}))

    def due(self, incident: str, at: datetime) -> None:
        """Set when it will escalate."""
        self._change(incident, "due", "", pending_actions=[{"type": "escalate", "at": instant(at)}])

    @property
    def newest(self) -> str:
        """The incident that was opened last; "" where there is none."""
        with self.lock:
            return max(self.incidents, default="")

    def pages(self, incident: str, who: str) -> bool:
        """Tell whether an incident pages somebody now."""
        with self.lock:
            it = self.incidents[incident]
            assigned = any(a["assignee"]["id"] == who for a in it["assignments"])
            return it["status"] == "triggered" and assigned

    def times(self, incident: str, what: str, who: str = "ana") -> int:
        """Return how often something was done to an incident."""
        with self.lock:
            return self.deeds.count(Deed(incident, what, who))

    @contextmanager
    def untold(self) -> Iterator[None]:
        """Tell no stream of what is changed meanwhile: their numbers will have a gap."""
        with self.lock:
            self._quiet = True
            try:
                yield
            finally:
                self._quiet = False

    def shown(self, incident: str) -> Json:
        """Return an incident as it is told."""
        with self.lock:
            it = deepcopy(self.incidents[incident])
            if not self.ours:
                del it["watchbell"]
            return it

    def open_ones(self) -> list[Json]:
        """Return all that is open."""
        with self.lock:
            return [self.shown(i) for i, it in self.incidents.items() if it["status"] != "resolved"]

    def oncalls(self) -> list[Json]:
        """Return who is on call, one below the other on every policy."""
        roles = ("primary", "secondary")
        own = [
            {
                "user": user(who),
                "schedule": {"id": role, "summary": role},
                "escalation_policy": {"id": f"SEV{n}"},
                "escalation_level": level,
                "start": None,
                "end": None,
            }
            for n in range(4)
            for level, (role, who) in enumerate(zip(roles, self.on_call, strict=False), 1)
        ]
        return [*self.other_shifts, *own]

    def snapshot(self) -> Json:
        """Return what a stream begins with."""
        with self.lock:
            return {
                "me": user("ana"),
                "version": self.version,
                "server_time": instant(self.now()),
                "incidents": self.open_ones(),
                "oncalls": self.oncalls(),
            }

    def event(self, incident: str) -> bytes:
        """Return the event that tells of an incident as it is now."""
        with self.lock:
            return encode("incident", self.shown(incident), self.incidents[incident]["watchbell"]["version"])

    def tell(self, content: bytes) -> None:
        """Send every stream some bytes, whatever they are."""
        with self.lock:
            for stream in self.streams:
                stream.put(content)

    def _assigned(self, to: str) -> list[Json]:
        return [{"at": instant(self.now()), "assignee": user(to)}]

    def _change(self, incident: str, what: str, who: str, *, pages: int = 0, **changes: object) -> None:
        with self.lock:
            self.version += 1
            it = self.incidents[incident]
            it.update(changes)
            it["watchbell"]["version"] = self.version
            self.ever.setdefault(incident, set()).update(a["assignee"]["id"] for a in it["assignments"])
            it["watchbell"]["pages"] += pages
            times = it["watchbell"]["pages"]
            looked = self._looked.get(incident)
            self.deeds.append(Deed(incident, what, who, time.monotonic(), self.now(), times, looked))
            if not self._quiet:
                self.tell(self.event(incident))


def encode(name: str, content: object, number: int | None = None) -> bytes:
    """Return one server-sent event."""
    head = "" if number is None else f"id: {number}\n"
    return f"{head}event: {name}\ndata: {json.dumps(content)}\n\n".encode()


def instant(at: datetime) -> str:
    """Return a moment as PagerDuty writes it, with what is below a second."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def user(person: str) -> Json:
    """Return somebody as an answer shows them."""
    return {"id": person, "type": "user", "name": PEOPLE[person], "email": f"{person}@example.com"}
