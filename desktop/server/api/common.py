"""What the routers share: the station, the person who asks, lists in pages. On the event loop.

The dependencies are coroutines because FastAPI runs plain functions on a worker thread, which costs more than they do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Depends, Query, Request

from desktop.server.access import PERSON
from desktop.server.api.body import json_body
from desktop.server.audit import By
from desktop.server.failures import invalid
from desktop.server.station import Station

Json = dict[str, Any]
LAST_OFFSET = 10_000
_AMBIGUOUS = "says no offset from UTC: write it as 2026-01-14T09:00:00-08:00, or in UTC as 2026-01-14T17:00:00Z"


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is asked for, as PagerDuty counts: ``total`` is told only when asked for."""

    limit: int
    offset: int
    total: bool

    def answer(self, name: str, items: Sequence[Json], *, more: bool, total: int | None = None) -> Json:
        """Return a page of a list."""
        shown = total if self.total else None
        return {name: list(items), "limit": self.limit, "offset": self.offset, "more": more, "total": shown}

    def cut(self, name: str, items: Sequence[Json]) -> Json:
        """Return this page of the whole list ``items``."""
        page = items[self.offset : self.offset + self.limit]
        return self.answer(name, page, more=len(items) > self.offset + len(page), total=len(items))


async def paging(
    limit: Annotated[int, Query(ge=0)] = 25, offset: Annotated[int, Query(ge=0)] = 0, total: bool = False
) -> Paging:  # fmt: skip
    """Read ``limit`` (at most 100), ``offset`` and ``total``."""
    limit = min(limit or 25, 100)
    if offset + limit > LAST_OFFSET:
        raise invalid(f"offset + limit must not exceed {LAST_OFFSET}")
    return Paging(limit, offset, total)


async def station_of(request: Request) -> Station:
    """Return the running server's parts."""
    return cast("Station", request.app.state.station)


async def person_of(request: Request) -> str:
    """Return the id of the person whose token came with the request."""
    return cast("str", request.scope[PERSON])


async def by_of(request: Request) -> By:
    """Return who asks, and from where: for the audit log."""
    return By(f"person:{request.scope[PERSON]}", request.client.host if request.client else "")


def instant(text: str | None, name: str) -> datetime | None:
    """Read an ISO 8601 time of a query; one without an offset is UTC."""
    return None if text is None else _read(text, name, UTC)


async def zone_of(time_zone: str | None = None) -> ZoneInfo | None:
    """Return the zone in which an answer's times are asked for, None where none is; refused (400) when unknown."""
    if time_zone is None:
        return None
    try:
        return ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise invalid("time_zone is no IANA time zone") from error


def exact_instant(value: object, name: str) -> datetime:
    """Read an ISO 8601 time of a body. It says its offset: nobody may be on call at other hours than they meant."""
    return _read(value if isinstance(value, str) else "", name, None)


def _read(text: str, name: str, zone: tzinfo | None) -> datetime:
    try:
        # A "+" that was not percent-encoded arrives as a space.
        read = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text)
        if read.tzinfo is None and zone is None:
            raise invalid(f"{name} {_AMBIGUOUS}")
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise invalid(f"{name} is no ISO 8601 time") from error


Here = Annotated[Station, Depends(station_of)]
Me = Annotated[str, Depends(person_of)]
Whose = Annotated[By, Depends(by_of)]
Page = Annotated[Paging, Depends(paging)]
Body = Annotated[object, Depends(json_body)]
Zone = Annotated[ZoneInfo | None, Depends(zone_of)]
Include = Annotated[list[str], Query(alias="include[]")]
