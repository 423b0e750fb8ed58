"""Heartbeats: who promised to call, and what silence becomes. On a connection; what writes, on the writer's thread.

A promise that is not kept is an incident of its service, once, however many servers look; the next call resolves that
incident and no other. Whoever resolves it by hand has taken note: it comes back when a later call is missed.

Nobody could call while no server ran. So each promise has its whole time anew when one looks again after more than a
minute in which none did, be it after a start, a sleep or a jump of the clock. That hides a call that was missed shortly
before; but without it a restart would page for everything. While another server on the same database goes on, its looks
count, and nothing begins anew. Servers that share a database go by its clock here: their own may differ.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from desktop.domain.severity import Severity
from desktop.server import enqueueing, schema
from desktop.server.dialects import clock
from desktop.server.events import Action, Event
from desktop.server.failures import invalid, not_found
from desktop.server.records import ENGINE
from desktop.server.rights import forbidden
from desktop.server.schema import from_micros, to_micros
from desktop.server.station import Station
from desktop.server.tables.promises import heartbeats
from desktop.server.writer import Work

DEDUP_KEY: Final = "watchbell-heartbeat-"

# Nobody looked for so long: calls may have been refused meanwhile. A shorter restart is within every promise's grace.
ALONE = timedelta(minutes=1)
MOST = 500
"""How many promises one service may have."""

_WATCHED = "heartbeats"
_counters = schema.counters.c
_table = heartbeats.c


@dataclass(frozen=True, slots=True)
class Promise:
    """``service`` promised to call within ``every`` and ``grace`` (whole seconds) of its last call.

    ``due_at`` is when that time is over; from then until the next call it is None, and ``silent_since`` says when.
    ``created_by`` is "service:ID" when its first call made it.
    """

    name: str
    service: str
    every: int
    grace: int
    severity: Severity
    created_at: datetime
    created_by: str
    called_at: datetime | None = None
    due_at: datetime | None = None
    silent_since: datetime | None = None

    @property
    def state(self) -> str:
        """Return "waiting" (for its first call), "kept" or "silent"."""
        if self.silent_since is not None:
            return "silent"
        return "waiting" if self.called_at is None else "kept"

    def due_from(self, now: datetime) -> datetime:
        """Return when its time is over that begins ``now``."""
        return now + timedelta(seconds=self.every + self.grace)


@dataclass(frozen=True, slots=True)
class Wish:
    """How often somebody promises to call, in whole seconds."""

    every: int
    grace: int


def now_at(station: Station, connection: Connection) -> datetime:
    """Return what time it is to every server that looks after the same promises."""
    return clock(connection) or station.clock()


def every(connection: Connection) -> list[Promise]:
    """Return all promises, by name."""
    return [_promise(row) for row in connection.execute(select(heartbeats).order_by(_table.name))]


def find(connection: Connection, name: str, *, lock: bool = False) -> Promise | None:
    """Return the promise called ``name``, None when there is none; with ``lock``, nobody else changes it meanwhile."""
    asked: Select[Any] = select(heartbeats).where(_table.name == name)
    row = connection.execute(asked.with_for_update() if lock else asked).one_or_none()
    return None if row is None else _promise(row)


def call(station: Station, work: Work, name: str, service: str, wish: Wish | None) -> Promise:
    """Take a call of ``service``; the first one with a ``wish`` makes the promise, as a later one changes its own."""
    now = now_at(station, work.connection)
    known = find(work.connection, name, lock=True)
    if known is None:
        if wish is None:
            raise not_found("such heartbeat: promise one with ?every=5m, or ask a manager to")
        made = Promise(name, service, wish.every, wish.grace, Severity.SEV1, now, f"service:{service}", called_at=now)
        return keep(station, work, made)
    if known.service != service:
        raise forbidden("this heartbeat is another service's")
    if known.silent_since is not None:
        _tell(station, work, known, Action.RESOLVE, f"service:{service}")
    own = wish if wish is not None and known.created_by == f"service:{service}" else Wish(known.every, known.grace)
    changed = replace(known, every=own.every, grace=own.grace, called_at=now, silent_since=None)
    return _write(work.connection, replace(changed, due_at=changed.due_from(now)))


def keep(station: Station, work: Work, wanted: Promise) -> Promise:
    """Write a promise that is made or changed: its time begins now, unless it is silent already and stays so."""
    now = now_at(station, work.connection)
    known = find(work.connection, wanted.name, lock=True)
    if known is None:
        _leave_room(work.connection, wanted.service)
        made = replace(wanted, due_at=wanted.due_from(now))
        work.connection.execute(insert(heartbeats).values(_row(made)))
        return made
    if known.silent_since is not None and known.service != wanted.service:
        # Its incident is one of the service that it was promised for.
        _tell(station, work, known, Action.RESOLVE, ENGINE)
        known = replace(known, silent_since=None)
    due = None if known.silent_since is not None else wanted.due_from(now)
    changed = replace(wanted, created_at=known.created_at, called_at=known.called_at)
    return _write(work.connection, replace(changed, silent_since=known.silent_since, due_at=due))


def remove(station: Station, work: Work, name: str, actor: str) -> Promise:
    """Forget a promise and return it; what its silence opened is resolved, since no call could any more."""
    known = find(work.connection, name, lock=True)
    if known is None:
        raise not_found("such heartbeat")
    if known.silent_since is not None:
        _tell(station, work, known, Action.RESOLVE, actor)
    work.connection.execute(delete(heartbeats).where(_table.name == name))
    return known


def any_promised(connection: Connection) -> bool:
    """Tell whether there is anything to look after."""
    return connection.execute(select(_table.name).limit(1)).first() is not None


def overdue(connection: Connection, now: datetime) -> list[str]:
    """Return whose time is over, the longest first."""
    asked = select(_table.name).where(_table.due_at <= now).order_by(_table.due_at)
    return list(connection.execute(asked).scalars())


def watch(station: Station, work: Work) -> bool:
    """Take note that somebody looks; after a time in which nobody did, let each promise begin anew.

    Tell whether there was such a time: before the first promise ever, nobody had to look.
    """
    now = now_at(station, work.connection)
    asked = select(_counters.value).where(_counters.name == _WATCHED).with_for_update()
    seen = work.connection.execute(asked).scalar_one_or_none()
    if seen is None:
        work.connection.execute(insert(schema.counters).values(name=_WATCHED, value=to_micros(now)))
    else:
        work.connection.execute(update(schema.counters).where(_counters.name == _WATCHED).values(value=to_micros(now)))
    if seen is not None and abs(now - from_micros(seen)) <= ALONE:
        return False
    for promise in every(work.connection):
        if promise.due_at is not None:
            _write(work.connection, replace(promise, due_at=promise.due_from(now)))
    return seen is not None


def silence(station: Station, work: Work, name: str) -> bool:
    """Make an incident of the silence of ``name``, unless it called, or another server did; tell whether it did."""
    now = now_at(station, work.connection)
    asked = select(heartbeats).where(_table.name == name, _table.due_at <= now).with_for_update(skip_locked=True)
    row = work.connection.execute(asked).one_or_none()
    if row is None:
        return False
    promise = _promise(row)
    _tell(station, work, promise, Action.TRIGGER, ENGINE)
    _write(work.connection, replace(promise, due_at=None, silent_since=now))
    return True


def _tell(station: Station, work: Work, promise: Promise, action: Action, actor: str) -> None:
    """Trigger or resolve the incident of a promise: an event like any sender's."""
    called = promise.called_at
    last = "never" if called is None else called.isoformat(timespec="seconds")
    details = {"heartbeat": promise.name, "every": said(promise.every), "grace": said(promise.grace), "last_call": last}
    title = f"Heartbeat {promise.name} is missing: no call within {said(promise.every + promise.grace)}"
    key = DEDUP_KEY + promise.name
    event = Event("", action, key, title, promise.severity.key, "", details)
    enqueueing.take(station, work, event, promise.service, actor)


def said(seconds: int) -> str:
    """Return a time as a person writes it: 90s, 5m, 2h."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _leave_room(connection: Connection, service: str) -> None:
    asked = select(func.count()).select_from(heartbeats).where(_table.service_id == service)
    if connection.execute(asked).scalar_one() >= MOST:
        raise invalid(f"a service may promise {MOST} heartbeats: remove one first")


def _write(connection: Connection, promise: Promise) -> Promise:
    connection.execute(update(heartbeats).where(_table.name == promise.name).values(_row(promise)))
    return promise


def _row(promise: Promise) -> dict[str, object]:
    values = asdict(promise)
    service = values.pop("service")
    return {**values, "service_id": service, "severity": promise.severity.value}


def _promise(row: Row[Any]) -> Promise:
    values = dict(row._mapping)  # noqa: SLF001 - public, despite its name
    return Promise(service=values.pop("service_id"), severity=Severity(values.pop("severity")), **values)
