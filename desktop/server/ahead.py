"""What a wrong clock wrote into the future: finding it, and counting it from now. Pure, but for ``Ahead``.

A clock that was an hour fast and was put right leaves incidents that would escalate an hour late. What is said to have
happened lies in the past, so that its times tell. ``Ahead`` is used by the engine's thread alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from desktop.domain.escalation import Progress
from desktop.domain.incident import Status
from desktop.server import schema
from desktop.server.dialects import clock
from desktop.server.records import Draft, Record
from desktop.server.roster import Roster
from desktop.server.rows import IS_OPEN
from desktop.server.station import Station

TOLERANCE = timedelta(minutes=1)
"""Servers' clocks differ, and what is this little ahead is late by no more."""

# A clock that is wrong for a moment only, and backwards, must not make everything look ahead: it has to stay so.
LOOK_EVERY = timedelta(minutes=1)

_table = schema.incidents.c
_NONE = timedelta(0)


def by_how_much(record: Record, now: datetime) -> timedelta:
    """Return how far the latest that is said to have happened to ``record`` lies after ``now``; zero for the past."""
    happened = [record.updated_at, record.changed_at, *(held.at for held in record.acknowledgements)]
    if record.renewed_at is not None:
        happened.append(record.renewed_at)
    return max(*(at - now for at in happened), _progress_ahead(record, now), _NONE)


def bring_back(draft: Draft, now: datetime) -> None:
    """Let what is said to have happened after ``now`` have happened now, and count from there what follows from it."""
    record = draft.record
    by = _progress_ahead(record, now)
    snoozed = record.snoozed_until
    draft.change(
        # When that was said is not kept: rather too short, which pages, than too long.
        snoozed_until=snoozed and max(snoozed - by_how_much(record, now), now),
        updated_at=min(record.updated_at, now),
        changed_at=min(record.changed_at, now),
        renewed_at=record.renewed_at and min(record.renewed_at, now),
        acknowledgements=tuple(replace(held, at=min(held.at, now)) for held in record.acknowledgements),
        progress=_earlier(record.progress, by) if by > _NONE else record.progress,
    )


class Ahead:
    """Looks for incidents that are ahead of the time, and gives those that stay so."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._looked: datetime | None = None
        self._suspected: frozenset[str] = frozenset()

    def look(self, now: datetime) -> Sequence[str]:
        """Return those that were ahead at the last look too; at most once in a minute, or when the clock jumped."""
        if self._looked is not None and abs(now - self._looked) < LOOK_EVERY:
            return ()
        self._looked = now
        with self._station.storage.read() as connection:
            latest = latest_now(connection, now)
            found = connection.execute(select(_table.id).where(_suspicious(self._station.roster, latest))).scalars()
            suspected = frozenset(found)
        certain, self._suspected = self._suspected & suspected, suspected
        return sorted(certain)


def latest_now(connection: Connection, now: datetime) -> datetime:
    """Return ``now``, or the time of a database that several servers share: the clock that is behind may be ours."""
    theirs = clock(connection)
    return now if theirs is None else max(now, theirs)


def _suspicious(roster: Roster, now: datetime) -> ColumnElement[bool]:
    """Return a condition that holds for whatever is ahead, and for little else."""
    latest = now + TOLERANCE
    triggered = _table.status == Status.TRIGGERED.value
    # A repeated event is no sign of when it began: but nobody who was paged waits for longer than to be paged again.
    waits = [
        and_(triggered, _table.severity == severity.value, _table.next_action_at > latest + policy.page_again)
        for severity, policy in roster.policies.items()
    ]
    return and_(IS_OPEN, or_(_table.updated_at > latest, _table.changed_at > latest, *waits))


def _progress_ahead(record: Record, now: datetime) -> timedelta:
    progress = record.progress
    happened = [progress.base]
    if progress.fired_at is not None:
        happened.append(progress.fired_at)
    if progress.again_at is not None:
        happened.append(progress.again_at - record.plan.page_again)
    return max(happened) - now


def _earlier(progress: Progress, by: timedelta) -> Progress:
    def moved(at: datetime | None) -> datetime | None:
        return at and at - by

    return replace(
        progress,
        base=progress.base - by,
        again_at=moved(progress.again_at),
        emergency_at=moved(progress.emergency_at),
        next_at=moved(progress.next_at),
        fired_at=moved(progress.fired_at),
    )
