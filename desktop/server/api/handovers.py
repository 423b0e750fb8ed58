"""``/watchbell/v1/handovers``: the emergency handover, from the request to the end. On worker threads."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import JSONResponse
from sqlalchemy import func, select

from desktop.domain import handover_answers as answers
from desktop.domain.handover_facts import Handover
from desktop.server import handover_rows, handover_shown, handovers
from desktop.server.api import handing
from desktop.server.api.common import Body, Here, Json, Me, Page, Whose
from desktop.server.audit import By
from desktop.server.failures import not_found
from desktop.server.handover_refusals import senseless
from desktop.server.handover_rights import check_offered, check_part, check_receiver, check_request
from desktop.server.handovers import Asked, Deed
from desktop.server.station import Station
from desktop.server.tables import handovers as tables

router = APIRouter()

PLACE = "/watchbell/v1/handovers"

_KNOWN: dict[int | str, Json] = {200: {"description": "Asked for already: what that began."}}
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=200)]


@router.post(PLACE, status_code=201, response_model=None, responses=_KNOWN, openapi_extra=handing.REQUEST)
def request_handover(station: Here, person: Me, by: Whose, body: Body, idempotency_key: Key = "") -> JSONResponse:
    """Ask for a handover of one's own watch, give somebody's away (managers), or take it (certified).

    The same request again, or another one with the same `Idempotency-Key`, is answered 200 with what the first began.
    """
    wish = handing.wish(station, person, body)
    check_request(wish)
    handover_id, new = handovers.ask(station, by, Asked(wish, idempotency_key))
    return JSONResponse(_shown(station, handover_id), 201 if new else 200)


@router.get(PLACE)
def list_handovers(station: Here, page: Page, ended: bool = True) -> Json:
    """List the handovers, the latest first; ``ended=false`` leaves out those that are over.

    ``left_out`` is how many of them are not shown, because no sense can be made of what is kept of them.
    """
    table = tables.handovers
    asked = select(table) if ended else select(table).where(table.c.ended_at.is_(None))
    latest = asked.order_by(table.c.requested_at.desc(), table.c.id.desc())
    with station.storage.read() as connection:
        total = connection.execute(select(func.count()).select_from(asked.subquery())).scalar_one()
        rows = connection.execute(latest.offset(page.offset).limit(page.limit + 1)).all()
        shown = [handover_shown.shown_or_none(station, connection, row) for row in rows[: page.limit]]
    found = [each for each in shown if each is not None]
    answer = page.answer("handovers", found, more=len(rows) > page.limit, total=total)
    return {**answer, "left_out": len(shown) - len(found)}


@router.get(PLACE + "/{handover_id}")
def get_handover(station: Here, handover_id: str) -> Json:
    """Answer one handover."""
    return _shown(station, handover_id)


@router.post(PLACE + "/{handover_id}/accept", openapi_extra=handing.ACCEPTANCE)
def accept(station: Here, person: Me, by: Whose, handover_id: str, body: Body) -> Json:
    """Take the watch; what of ``points`` is named is confirmed with it. It moves when both are confirmed or waived."""
    me, points = handing.member(station, person), handing.points(body)

    def deed(facts: Handover, now: datetime) -> Handover:
        check_offered(facts, person)
        facts = answers.accept(facts, person, now)
        for point in points:
            facts = handovers.confirmed(facts, me, point, now)
        return facts

    return _said(station, by, handover_id, "handover.accept", deed)


@router.post(PLACE + "/{handover_id}/decline")
def decline(station: Here, person: Me, by: Whose, handover_id: str) -> Json:
    """Do not take the watch; a yes may still follow while somebody is asked."""

    def deed(facts: Handover, now: datetime) -> Handover:
        check_offered(facts, person)
        return answers.decline(facts, person, now)

    return _said(station, by, handover_id, "handover.decline", deed)


@router.post(PLACE + "/{handover_id}/confirm", openapi_extra=handing.POINT)
def confirm(station: Here, person: Me, by: Whose, handover_id: str, body: Body) -> Json:
    """Confirm that the ``briefing`` was given, or that the ``access`` check passed: who takes the watch says that."""
    me, point = handing.member(station, person), handing.point(body)

    def deed(facts: Handover, now: datetime) -> Handover:
        check_receiver(facts, me)
        return handovers.confirmed(facts, me, point, now)

    return _said(station, by, handover_id, "handover.confirm", deed)


@router.post(PLACE + "/{handover_id}/waive", openapi_extra=handing.POINT)
def waive(station: Here, person: Me, by: Whose, handover_id: str, body: Body) -> Json:
    """Do without the ``briefing`` or the ``access`` check: whoever waives it is named."""
    me, point = handing.member(station, person), handing.point(body)

    def deed(facts: Handover, now: datetime) -> Handover:
        check_part(facts, me)
        return handovers.confirmed(facts, me, point, now, waived=True)

    return _said(station, by, handover_id, "handover.waive", deed)


@router.post(PLACE + "/{handover_id}/cancel")
def cancel(station: Here, person: Me, by: Whose, handover_id: str) -> Json:
    """Call the handover off."""
    me = handing.member(station, person)

    def deed(facts: Handover, now: datetime) -> Handover:
        check_part(facts, me)
        return answers.cancel(facts, me, now)

    return _said(station, by, handover_id, "handover.cancel", deed)


@router.post(PLACE + "/{handover_id}/next", openapi_extra=handing.NEXT)
def ask_next(station: Here, person: Me, by: Whose, handover_id: str, body: Body) -> Json:
    """Offer the watch to somebody else at once: the next candidate, or ``user``. Earlier offers stay open."""
    me, wanted = handing.member(station, person), handing.next_one(station, body)

    def deed(facts: Handover, now: datetime) -> Handover:
        check_part(facts, me)
        return answers.allow(facts, me, wanted or handing.candidate(facts), now)

    return _said(station, by, handover_id, "handover.next", deed)


def _said(station: Station, by: By, handover_id: str, action: str, deed: Deed) -> Json:
    handovers.say(station, by, handover_id, action, deed)
    return _shown(station, handover_id)


def _shown(station: Station, handover_id: str) -> Json:
    with station.storage.read() as connection:
        row = handover_rows.find(connection, handover_id)
        if row is None:
            raise not_found("such handover")
        shown = handover_shown.shown_or_none(station, connection, row)
    if shown is None:
        raise senseless()
    return {"handover": shown}
