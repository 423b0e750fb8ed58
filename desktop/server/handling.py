"""Incidents as they went, read from their history for the review. On a connection, any thread.

Read is what a time needs and no more, in chunks: never what an event said, nor incidents that nobody touched then.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select, union

from desktop.domain.handled import Handled, Paged
from desktop.domain.severity import Severity
from desktop.server import own, schema
from desktop.server.handing_on import HANDED
from desktop.server.records import PAGED

FALSE_ALARM = "false alarm"
"""How a resolution begins that says that there was nothing."""

_incidents, _entries = schema.incidents.c, schema.log_entries.c
_TOLD = (*PAGED, HANDED, "acknowledge", "resolve")
_CHUNK = 500

_BORN: Select[Any] = select(_incidents.id, _incidents.severity, _incidents.created_at, _incidents.resolved_at).where(
    own.not_own()
)
_HISTORY: Select[Any] = select(
    _entries.id, _entries.incident_id, _entries.type, _entries.at, _entries.actor, _entries.data
)
# What triggered it may be half a megabyte, and says nothing that counts.
_TRIGGERS: Select[Any] = select(_entries.id, _entries.incident_id, _entries.type, _entries.at)


def handled(connection: Connection, start: datetime, end: datetime) -> Iterator[Handled]:
    """Yield the incidents that began, paged, or kept somebody at work within ``[start, end)``."""
    ids = list(connection.execute(_touched(start, end)).scalars())
    for first in range(0, len(ids), _CHUNK):
        yield from _chunk(connection, ids[first : first + _CHUNK])


def is_false_alarm(resolution: object) -> bool:
    """Tell whether a resolution says that it was a false alarm: it begins so, in whatever case."""
    return isinstance(resolution, str) and resolution.strip().casefold().startswith(FALSE_ALARM)


def _touched(start: datetime, end: datetime) -> Any:  # noqa: ANN401 - SQLAlchemy's, which has no name of its own
    within = (_entries.at >= start, _entries.at < end, _entries.type.in_(_TOLD))
    at_work = select(_incidents.id).join(schema.acknowledgements)
    still = or_(_incidents.resolved_at >= start, _incidents.resolved_at.is_(None))
    return union(
        select(_incidents.id).where(_incidents.created_at >= start, _incidents.created_at < end),
        select(_entries.incident_id).where(*within),
        at_work.where(_incidents.created_at < start, still),
    )


def _chunk(connection: Connection, ids: Sequence[str]) -> Iterator[Handled]:
    stories = {
        row.id: _Story(row.id, Severity(row.severity), row.created_at, row.resolved_at)
        for row in connection.execute(_BORN.where(_incidents.id.in_(ids)))
    }
    of_them = _entries.incident_id.in_(list(stories))
    history = [*connection.execute(_HISTORY.where(of_them, _entries.type.in_(_TOLD)))]
    history += connection.execute(_TRIGGERS.where(of_them, _entries.type == "trigger"))
    for row in sorted(history, key=lambda row: row.id):
        stories[row.incident_id].take(row)
    return (story.told() for story in stories.values())


@dataclass(slots=True)
class _Answer:
    """One person's pages."""

    at: list[datetime] = field(default_factory=list)
    acknowledged: datetime | None = None
    released: datetime | None = None


@dataclass(slots=True)
class _Story:
    """One incident, told line by line."""

    id: str
    severity: Severity
    triggered: datetime
    resolved: datetime | None
    acknowledged: datetime | None = None
    false_alarm: bool = False
    people: dict[str, _Answer] = field(default_factory=dict)
    over: datetime | None = None
    calm: list[tuple[datetime, datetime]] = field(default_factory=list)

    def take(self, row: Row[Any]) -> None:
        """Take the next line of its history."""
        if row.type == "trigger":
            self._reopen(row.at)
        elif row.type in PAGED:
            self._page(row.data, row.at)
        elif row.type == HANDED:
            self._give_on(row.data, row.at)
        else:
            self._answer(row.actor, row.at)
            if row.type == "resolve":
                self.over, self.false_alarm = row.at, is_false_alarm(row.data.get("resolution"))

    def told(self) -> Handled:
        """Return what became of it."""
        pages = (
            Paged(person, tuple(sorted(a.at)), a.acknowledged, a.released) for person, a in self.people.items() if a.at
        )
        return Handled(
            id=self.id,
            severity=self.severity,
            triggered=self.triggered,
            acknowledged=self.acknowledged,
            resolved=self.resolved,
            false_alarm=self.false_alarm and self.resolved is not None,
            pages=tuple(pages),
            calm=tuple(self.calm),
        )

    def _reopen(self, at: datetime) -> None:
        """Take a trigger: one after a resolution opens it again, any other only says the same once more."""
        if self.over is not None:
            self.calm.append((self.over, at))
            self.over = None

    def _page(self, data: Any, at: datetime) -> None:  # noqa: ANN401 - JSON
        people = _names(data.get("assignees"))
        for person in people:
            answer = self.people.setdefault(person, _Answer())
            answer.at.append(at)
            answer.released = None
        if "giver" in data:
            self._give_on(data, at)
        # Only what somebody gave to others by hand says neither a step nor a reason.
        elif "reason" not in data:
            self._release([person for person in self.people if person not in people], at)

    def _give_on(self, data: Any, at: datetime) -> None:  # noqa: ANN401 - JSON
        """Ask nothing more of who gave it on, but where another role of theirs keeps them on it."""
        if not data.get("stays"):
            self._release(_names([data["giver"]]), at)

    def _release(self, people: Iterable[str], at: datetime) -> None:
        """Ask nothing more of ``people``: it was given to others."""
        for person in people:
            if (answer := self.people.get(person)) is not None:
                answer.released = answer.released or at

    def _answer(self, actor: str, at: datetime) -> None:
        """Take an acknowledgement, or a resolution, which is one where there was none."""
        kind, _, person = actor.partition(":")
        if kind == "person":
            self.acknowledged = self.acknowledged or at
            if person in self.people:
                self.people[person].acknowledged = self.people[person].acknowledged or at


def _names(people: object) -> list[str]:
    listed: Iterable[object] = people if isinstance(people, list) else ()
    return [str(person) for person in listed]
