"""What is prepared for whoever does a duty: the sheet of a weekly handover, the next status update. On worker threads.

Nothing is sent from here.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from desktop.domain.announcement import missed_updates, status_update, update_wanted
from desktop.domain.duties import STATUS_EVERY, MajorIncident, duties
from desktop.domain.duty import Duty, Kind, Listed
from desktop.server import incidents, keeping, sheets, things
from desktop.server.api.common import Here, Json
from desktop.server.api.duties import NAMED, Name, look
from desktop.server.failures import invalid, not_found
from desktop.server.keeping import Book
from desktop.server.marks import Act, Made
from desktop.server.station import Station

router = APIRouter()

_ANSWER: dict[int | str, Json] = {
    200: {"content": {"text/markdown": {"schema": {"type": "string"}}}, "description": "The sheet"}
}


@router.get(f"{NAMED}/sheet")
def get_sheet(station: Here, duty_id: Name) -> Json:
    """Answer what is known for a weekly handover, and what was signed, by whom, when, with the text as signed."""
    listed, made = _handover(station, duty_id)
    with station.storage.read() as connection:
        found = sheets.known(connection, station.roster.team, listed.duty, made)
    directory = station.directory
    return {
        "sheet": {
            "id": listed.duty.id,
            "at": things.instant(listed.duty.due),
            "state": listed.state.value,
            "known": sheets.shown(found, directory),
            "markdown": sheets.markdown(station.roster.team, listed, made, found),
            "signatures": [_signature(station, person, made) for person in listed.duty.signers],
        }
    }


@router.get(f"{NAMED}/sheet.md", response_class=Response, responses=_ANSWER)
def get_markdown(
    station: Here,
    duty_id: Name,
    signed_by: Annotated[str, Query(description="Whose signature: the sheet as it was under it")] = "",
) -> Response:
    """Answer the sheet as Markdown: as it was signed last once both have signed, until then as it is now."""
    listed, made = _handover(station, duty_id)
    if signed_by:
        text = sheets.last_signed(made, signed_by)
        if not text:
            raise not_found("signature of theirs")
    elif listed.state.settled and sheets.last_signed(made):
        text = sheets.last_signed(made)
    else:
        with station.storage.read() as connection:
            found = sheets.known(connection, station.roster.team, listed.duty, made)
        text = sheets.markdown(station.roster.team, listed, made, found)
    return Response(text, media_type="text/markdown; charset=utf-8")


@router.get("/watchbell/v1/incidents/{name}/status_update")
def prepared_update(
    station: Here,
    name: str,
    note: Annotated[str, Query(max_length=500, description="What to say beside the facts")] = "",
) -> Json:
    """Answer the status update that is to be posted for a SEV-0 or SEV-1: text to send, which nobody has sent yet."""
    now = station.clock()
    with station.storage.read() as connection:
        record = incidents.find(station, connection, name)
        book = keeping.book_about(connection, record.id, now)
    if not book.majors.incidents:
        raise invalid("only a SEV-0 or SEV-1 asks for status updates")
    incident = book.majors.incidents[0]
    owner = station.directory.person(incident.owner).name if incident.owner else ""
    text = status_update(incident, owner, note, now, station.roster.team.time_zone)
    return {"status_update": {"message": text, "severity": incident.severity.key, **_due(station, book, incident, now)}}


def _due(station: Station, book: Book, incident: MajorIncident, now: datetime) -> Json:
    """Return the duty to post it, when it is due, and how many were missed; None where none is asked for."""
    # The next one is told before it may be done, too.
    listed = duties(station.roster.uncertified, book.facts, now, STATUS_EVERY)
    duty = next((each.duty for each in listed if _to_post(each, incident.id)), None)
    if duty is None or duty.due is None:
        return {"duty": None, "due_at": None, "missed": 0, "says": ""}
    return {
        "duty": duty.id,
        "due_at": things.instant(duty.due),
        "missed": missed_updates(incident, duty.due, now),
        "says": update_wanted(incident, duty.due, now, station.roster.team.time_zone),
    }


def _to_post(each: Listed, incident: str) -> bool:
    duty: Duty = each.duty
    return duty.kind is Kind.STATUS_UPDATE and duty.subject == incident and not each.state.settled


def _handover(station: Station, duty_id: str) -> tuple[Listed, list[Made]]:
    listed, _, made = look(station, duty_id, station.clock())
    if listed.duty.kind is not Kind.HANDOVER:
        raise invalid("only a weekly handover has a sheet")
    return listed, made


def _signature(station: Station, person: str, made: list[Made]) -> Json:
    mark = next((each for each in made if each.act is Act.DONE and each.person == person), None)
    return {
        "user": things.user(station.directory, person, full=False),
        "at": None if mark is None else things.instant(mark.at),
        "text": "" if mark is None else mark.text,
    }
