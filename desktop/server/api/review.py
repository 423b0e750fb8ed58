"""``/watchbell/v1/review``: how the watch did, month by month, as JSON and as CSV. On worker threads."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from desktop.domain import review_csv
from desktop.domain.review import Review
from desktop.domain.wall import clock
from desktop.server import reviewing
from desktop.server.api.common import Here, Json
from desktop.server.failures import invalid
from desktop.server.station import Station

router = APIRouter()

# A longer time is asked for in parts: each month is worked out from its incidents.
_MOST_MONTHS = 36
_FIRST_YEAR, _LAST_YEAR = 1971, 2198
_MONTH = {"pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])$", "description": "YYYY-MM, on the team's clock"}

Table = Literal["severities", "people", "months"]
_CSV = {"severities": review_csv.severities_csv, "people": review_csv.people_csv, "months": review_csv.months_csv}
_ANSWER: dict[int | str, Json] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "A table (RFC 4180)"}
}


async def _asked(
    month: Annotated[str | None, Query(**_MONTH)] = None,
    first: Annotated[str | None, Query(alias="from", **_MONTH)] = None,
    last: Annotated[str | None, Query(alias="to", **_MONTH)] = None,
) -> tuple[date | None, date | None]:
    """Return the first and the last month that are asked for; None: the present one."""
    if month is not None and (first is not None or last is not None):
        raise invalid("give a month, or from and to: not both")
    start, end = _month(month or first), _month(month or last)
    if start is None and end is not None:
        raise invalid("to needs a from")
    return start, end


Asked = Annotated[tuple[date | None, date | None], Depends(_asked)]


@router.get("/watchbell/v1/review")
def get_review(station: Here, asked: Asked) -> Json:
    """Answer the figures of a month, or of each month ``from`` … ``to``; of the present one where none is named."""
    found = _reviews(station, asked)
    return {"review": [reviewing.shown(station.roster.team, station.directory, each) for each in found]}


@router.get("/watchbell/v1/review.csv", response_class=Response, responses=_ANSWER)
def get_review_csv(station: Here, asked: Asked, table: Table = "months") -> Response:
    """Answer one table of the same, with a line for each month (and severity, or person)."""
    content = _CSV[table](station.roster.team, _reviews(station, asked))
    name = {"content-disposition": f'attachment; filename="review-{table}.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=name)


def _reviews(station: Station, asked: tuple[date | None, date | None]) -> Sequence[Review]:
    team, now = station.roster.team, station.clock()
    present = clock(now, team.time_zone).date()
    first = asked[0] or present
    last = asked[1] or max(first, present)
    if last < first:
        raise invalid("to must not be before from")
    if (last.year - first.year) * 12 + last.month - first.month >= _MOST_MONTHS:
        raise invalid(f"at most {_MOST_MONTHS} months are worked out at once: ask for the time in parts")
    return [reviewing.month(station.storage, team, day, now) for day in _days(first, last)]


def _days(first: date, last: date) -> Iterator[date]:
    """Yield the first day of each month from that of ``first`` to that of ``last``."""
    day = first.replace(day=1)
    while day <= last:
        yield day
        day = (day + timedelta(days=31)).replace(day=1)


def _month(text: str | None) -> date | None:
    if text is None:
        return None
    year, month = (int(part) for part in text.split("-"))
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise invalid(f"a month must lie in the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return date(year, month, 1)
