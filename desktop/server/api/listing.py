"""Finding incidents by PagerDuty's filters. On worker threads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, false, func, select

from desktop.domain.incident import Status
from desktop.domain.severity import Urgency
from desktop.server import schema
from desktop.server.api.common import Paging, instant
from desktop.server.failures import invalid
from desktop.server.records import Record
from desktop.server.rows import IS_OPEN, load, query
from desktop.server.station import Station

_MONTH, _LONGEST = timedelta(days=31), timedelta(days=184)
_table = schema.incidents.c
_SORTABLE = {
    "incident_number": _table.number,
    "created_at": _table.created_at,
    "resolved_at": _table.resolved_at,
    "urgency": _table.urgency,
}
_Word = TypeVar("_Word", bound=StrEnum)

Window = tuple[datetime, datetime] | None
Where = list[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which incidents are asked for; None asks for all."""

    statuses: list[str] | None = None
    users: list[str] | None = None
    services: list[str] | None = None
    urgencies: list[str] | None = None
    key: str | None = None
    teams: list[str] | None = None

    def where(self) -> Where:
        """Return it as conditions; refused (400) when a word is none of PagerDuty's."""
        found: Where = []
        if self.statuses:
            found.append(_table.status.in_(_words(self.statuses, Status, "statuses[]")))
        if self.urgencies:
            found.append(_table.urgency.in_(_words(self.urgencies, Urgency, "urgencies[]")))
        if self.services:
            found.append(_table.service_id.in_(self.services))
        if self.teams:
            # There are no teams: none of them has an incident.
            found.append(false())
        if self.key is not None:
            found.append(_table.dedup_key == self.key)
        if self.users:
            held = schema.assignments.c
            found.append(_table.id.in_(select(held.incident_id).where(held.person_id.in_(self.users))))
            # PagerDuty never gives resolved ones to who asks by person: nobody is assigned to them any more.
            found.append(IS_OPEN)
        return found


def window(since: str | None, until: str | None, date_range: str | None, now: datetime) -> Window:
    """Return the time within which incidents were created; None for all time."""
    if date_range not in (None, "all"):
        raise invalid("date_range must be all")
    if date_range == "all":
        return None
    end = instant(until, "until") or now + timedelta(minutes=1)
    start = instant(since, "since") or end - _MONTH
    if start > end or end - start > _LONGEST:
        raise invalid("until must follow since within 6 months")
    return start, end


def order(sort_by: str | None) -> list[ColumnElement[Any]]:
    """Return the order that ``sort_by`` (``created_at:desc``, two at most) asks for, made definite by the number."""
    parts = [part.partition(":") for part in sort_by.split(",")] if sort_by else []
    if len(parts) > 2 or any(name not in _SORTABLE or way not in ("", "asc", "desc") for name, _, way in parts):
        raise invalid(f"sort_by must be at most two of {', '.join(_SORTABLE)}, each with :asc or :desc")
    found = [_SORTABLE[name].desc() if way == "desc" else _SORTABLE[name].asc() for name, _, way in parts]
    return [*found, _table.number.asc()]


def find(
    station: Station, asked: Asked, within: Window, ordered: list[ColumnElement[Any]], page: Paging
) -> tuple[list[Record], int | None]:
    """Return one page of incidents and one more, and how many there are in all (when asked for)."""
    where = asked.where()
    if within is not None:
        where.append(_table.created_at.between(*within))
    with station.storage.read() as connection:
        ids = select(_table.id).where(*where).order_by(*ordered).limit(page.limit + 1).offset(page.offset)
        names = list(connection.execute(ids).scalars())
        found = {record.id: record for record in load(connection, station.policies, query(_table.id.in_(names)))}
        total = None
        if page.total:
            total = connection.execute(select(func.count()).select_from(schema.incidents).where(*where)).scalar_one()
    return [found[name] for name in names], total


def _words(values: Iterable[str], kind: type[_Word], name: str) -> list[str]:
    known = {word.value for word in kind}
    wrong = [value for value in values if value not in known]
    if wrong:
        raise invalid(f"{name} must be of {', '.join(sorted(known))}")
    return list(values)
