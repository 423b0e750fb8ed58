"""``/watchbell/v1/duties``: what is to be done, by whom, until when, and marking it. On worker threads.

Duties follow from the team, the incidents and the marks (``desktop.domain.duties``); only marks are written.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query

from desktop.domain.duties import duties
from desktop.domain.duty import Kind, Listed, State
from desktop.domain.text import plain
from desktop.server import duty_lines, keeping, marking, marks, sheets
from desktop.server.api.common import Body, Here, Json, Me, Page, Whose, instant
from desktop.server.api.strict import CLOSED, known_keys
from desktop.server.failures import invalid, not_found
from desktop.server.keeping import Book
from desktop.server.marking import Marking
from desktop.server.marks import Made
from desktop.server.station import Station
from desktop.server.writer import Work

router = APIRouter()

_DAY, _FAR = timedelta(days=1), timedelta(days=366)
NAMED = "/watchbell/v1/duties/{duty_id:path}"
Name = Annotated[str, Path(max_length=300, description="The id of a duty, such as check-in/2026-01-05")]

_CHECK = {
    "type": "object",
    "required": ["name", "result"],
    "properties": {"name": {"type": "string", "maxLength": 80}, "result": {"enum": list(marking.CHECKS)}},
    **CLOSED,
}
_MARK = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"enum": [act.value for act in marks.Act]},
        "point": {"type": "integer", "minimum": 1},
        "reason": {"type": "string", "maxLength": marking.REASON_LIMIT},
        "text": {"type": "string", "maxLength": marking.TEXT_LIMIT},
        "checks": {"type": "array", "items": _CHECK, "maxItems": marking.MOST_CHECKS},
    },
    **CLOSED,
}
_LIST = {"type": "array", "items": _MARK, "minItems": 1, "maxItems": marking.MANY}
_SENT = {"type": "object", "required": ["marks"], "properties": {"marks": _LIST}, **CLOSED}
_BODY: Json = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SENT}}}}


@router.get("/watchbell/v1/duties")
def list_duties(  # noqa: PLR0913, PLR0917 - what a list can be narrowed by
    station: Here,
    me: Me,
    page: Page,
    person: Annotated[str, Query(description="`me`, or somebody's id; without it, the team's")] = "",
    state: Annotated[list[State] | None, Query(alias="state[]")] = None,
    kind: Annotated[list[Kind] | None, Query(alias="kind[]")] = None,
    since: str | None = None,
    until: str | None = None,
) -> Json:
    """List the duties, by due time: all that are to be done by ``until`` (a day ahead), however long they were missed.

    Those done or waived are listed when they were due or settled since ``since`` (a day ago). ``left_out`` is how many
    incidents are beyond those whose duties are looked at, which are the latest.
    """
    now = station.clock()
    start, end = instant(since, "since") or now - _DAY, instant(until, "until") or now + _DAY
    if start > end or end - now > _FAR:
        raise invalid("until must follow since, and lie within a year")
    whose = me if person == "me" else person
    if whose and whose not in station.directory.people:
        raise invalid(f"person: there is no {plain(whose, 80)!r}")
    with station.storage.read() as connection:
        book = keeping.book(connection, now, (start, end))
    found = duties(station.roster.uncertified, book.facts, now, max(end - now, timedelta(0)))
    wanted = [
        each
        for each in found
        if (not whose or whose in (*each.duty.people, *each.duty.signers))
        and (not state or each.state in state)
        and (not kind or each.duty.kind in kind)
        and (_settled_within(each, start, end) if each.state.settled else each.duty.opens <= end)
    ]
    cut = wanted[page.offset : page.offset + page.limit]
    more = len(wanted) > page.offset + len(cut)
    answer = page.answer("duties", _shown(station, book, cut, now), more=more, total=len(wanted))
    return {**answer, "left_out": book.majors.left_out}


@router.get(f"{NAMED}/marks")
def list_marks(station: Here, duty_id: Name) -> Json:
    """Answer a duty, and list all that was done about it, in order: who ticked, unticked, noted, signed, waived."""
    now = station.clock()
    listed, book, made = look(station, duty_id, now)
    return {
        "duty": _shown(station, book, [listed], now)[0],
        "marks": [duty_lines.mark(mark, station.directory) for mark in made],
    }


@router.post(f"{NAMED}/marks", openapi_extra=_BODY)
def mark_duty(station: Here, me: Me, by: Whose, duty_id: Name, body: Body) -> Json:
    """Tick or untick points, say that a duty is done, waive it with a reason, or reopen it; add notes.

    What says nothing new changes nothing, so that a request may be sent again. An engineer marks their own duties,
    but for training and certification, which a manager signs off; managers mark all.
    """
    now = station.clock()
    known_keys(body, _SENT)
    listed, _, made = look(station, duty_id, now)
    wanted = marking.read(listed, me, body, now)
    with station.storage.read() as connection:
        marking.allow(connection, listed, me, wanted)
    sheet = _sheet(station, listed, [*made, *wanted]) if listed.duty.signers else None
    team, asked = station.roster.uncertified, Marking(listed, by, now, sheet)

    def command(work: Work) -> bool:
        return marking.write(work.connection, team, asked, wanted)

    if station.writer.run(command):
        station.refresh()
    listed, book, _ = look(station, duty_id, now)
    return {"duty": _shown(station, book, [listed], now)[0]}


def look(station: Station, duty_id: str, now: datetime) -> tuple[Listed, Book, list[Made]]:
    """Return a duty that has opened, what it follows from, and all that was done about it; else it is refused."""
    team = station.roster.uncertified
    with station.storage.read() as connection:
        book = keeping.book_of(connection, duty_id, now)
        made = marks.of_duty(connection, duty_id)
    found = keeping.find(team, book.facts, duty_id, now)
    if found is not None:
        return found, book, made
    coming = (each for each in duties(team, book.facts, now, _FAR) if each.duty.id == duty_id)
    if (later := next(coming, None)) is not None:
        raise invalid(f"this duty can be done from {later.duty.opens.isoformat()} on")
    raise not_found("such duty")


def _sheet(station: Station, listed: Listed, made: Sequence[Made]) -> Callable[[Sequence[Made]], str]:
    """Return what writes the sheet under all marks; what is known for it is read here, not on the writer's thread."""
    team = station.roster.team
    with station.storage.read() as connection:
        found = sheets.known(connection, team, listed.duty, made)
    return lambda marks_then: sheets.markdown(team, listed, marks_then, found)


def _settled_within(each: Listed, start: datetime, end: datetime) -> bool:
    return any(at is not None and start <= at <= end for at in (each.duty.due, each.standing.settled_at))


def _shown(station: Station, book: Book, found: Sequence[Listed], now: datetime) -> list[Json]:
    held = duty_lines.by_duty(book.held)
    incidents = {incident.id: incident for incident in book.majors.incidents}
    team, directory = station.roster.team, station.directory
    return [
        duty_lines.shown(
            each,
            held.get(each.duty.id, ()),
            incidents.get(keeping.incident_of(each.duty.id) or ""),
            team,
            directory,
            now,
        )
        for each in found
    ]
