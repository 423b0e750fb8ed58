"""``/watchbell/v1/calendar/{person}.ics`` and the tokens that open it, and only it. On worker threads.

Calendar programs send no headers of ours, so that their token stands in the address: it opens one person's shifts, can
be revoked by itself, and no log line has it.
"""

import re
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from sqlalchemy import Connection

from desktop.domain.team import Access
from desktop.server import authentication, feeds, rights, things, tokens
from desktop.server.api.common import Body, Here, Json, Me, Whose
from desktop.server.api.strict import CLOSED, known_keys
from desktop.server.audit import By
from desktop.server.failures import invalid, not_found
from desktop.server.station import Station
from desktop.server.tokens import CALENDAR, Holder, Issued, Owner

router = APIRouter()

_FEED = re.compile(r"/watchbell/v1/calendar/([^/]+)\.ics")
_TYPE = "text/calendar"
_ANSWERS: dict[int | str, Json] = {
    200: {"content": {_TYPE: {"schema": {"type": "string"}}}, "description": "iCalendar (RFC 5545)"},
    304: {"description": "Nothing changed since"},
}
_ID = {"type": "string", "maxLength": 255}
_USER = {"type": "object", "required": ["id"], "properties": {"id": _ID}}
_SENT = {"type": "object", "properties": {"person": _ID, "user": _USER}, **CLOSED}
_BODY: Json = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SENT}}}}


def is_feed(method: str, path: str) -> bool:
    """Tell whether a request reads somebody's calendar."""
    return method == "GET" and _FEED.fullmatch(path) is not None


def holder_of(connection: Connection, path: str, query: bytes, now: datetime) -> Holder | None:
    """Return whose calendar the token in ``query`` opens, None where ``path`` is not that very calendar."""
    asked = _FEED.fullmatch(path)
    try:
        values = parse_qs(query.decode("latin-1"), max_num_fields=20).get("token", [])
    except ValueError:
        return None
    found = authentication.find_calendar(connection, values[0], now) if len(values) == 1 else None
    return found if found is not None and asked is not None and found.person == asked[1] else None


@router.get("/watchbell/v1/calendar/{person}.ics", response_class=Response, responses=_ANSWERS)
def get_calendar(
    station: Here,
    person: str,
    token: Annotated[str, Query(description="A token of this calendar, instead of a header")] = "",  # noqa: ARG001
    if_none_match: Annotated[str, Header(max_length=1000)] = "",
) -> Response:
    """Answer when somebody is on call, from 90 days ago to a year ahead, for calendar programs to follow."""
    now, team = station.clock(), station.roster.team
    if team.member(person) is None:
        raise not_found("such person")
    tag = feeds.fingerprint(team, person, now)
    if tag in [part.strip().removeprefix("W/") for part in if_none_match.split(",")]:
        return Response(status_code=304, headers={"etag": tag})
    return Response(feeds.feed(team, person, now, now), media_type=f"{_TYPE}; charset=utf-8", headers={"etag": tag})


@router.get("/watchbell/v1/calendar_tokens")
def list_tokens(station: Here, me: Me) -> Json:
    """List the tokens of one's own calendar, all of them for a manager; never what they are."""
    now = station.clock()
    with station.storage.read() as connection:
        everybodys = rights.access_of(connection, me) is not Access.ENGINEER
        found = [each for each in tokens.calendars(connection) if everybodys or each.owner.id == me]
    return {"calendar_tokens": [_shown(station, each, now) for each in found]}


@router.post("/watchbell/v1/calendar_tokens", status_code=201, openapi_extra=_BODY)
def make_token(station: Here, me: Me, by: Whose, body: Body) -> Json:
    """Make a token for one's own calendar (a manager: for anybody's); it and its address are shown this once."""
    wanted = _whose(body, me)
    known = station.directory.people.get(wanted) if isinstance(wanted, str) else None
    if known is None or not known.active or known.contact:
        raise invalid("person must be somebody of the team")
    with station.storage.read() as connection:
        _allow(connection, me, known.id)
    token, now = tokens.new(), station.clock()
    made = station.writer.run(lambda work: tokens.add(work.connection, token, Owner(CALENDAR, known.id), now, by=by))
    url = f"{station.directory.origin}/watchbell/v1/calendar/{quote(known.id, safe='')}.ics?token={token}"
    issued = Issued(made, Owner(CALENDAR, known.id), "", now, None, None)
    return {"calendar_token": {**_shown(station, issued, now), "token": token, "url": url}}


@router.delete("/watchbell/v1/calendar_tokens/{token_id}", status_code=204)
def revoke_token(station: Here, me: Me, by: Whose, token_id: int) -> Response:
    """Revoke a token of one's own calendar (a manager: of anybody's)."""
    now = station.clock()
    station.writer.run(lambda work: _revoke(work.connection, me, by, token_id, now))
    return Response(status_code=204)


def _whose(body: object, me: str) -> object:
    """Return whose calendar a body is about: by id, or as answers name people; ``me`` when it says nothing."""
    known_keys(body, _SENT)
    if not isinstance(body, dict):
        return None
    if "user" not in body:
        return body.get("person", me)
    if "person" in body:
        raise invalid("give person or user, not both")
    return body["user"].get("id") if isinstance(body["user"], dict) else None


def _revoke(connection: Connection, me: str, by: By, token_id: int, now: datetime) -> None:
    found = next((each for each in tokens.calendars(connection) if each.id == token_id), None)
    if found is None:
        raise not_found("such token of a calendar")
    _allow(connection, me, found.owner.id)
    if found.revoked_at is None:
        tokens.end(connection, found, by, now)


def _allow(connection: Connection, me: str, person: str) -> None:
    if person != me and rights.access_of(connection, me) is Access.ENGINEER:
        raise rights.forbidden("an engineer has tokens for their own calendar only: ask whose it is, or a manager")


def _shown(station: Station, token: Issued, now: datetime) -> dict[str, Any]:
    return {
        "id": token.id,
        "user": things.user(station.directory, token.owner.id, full=False),
        "state": token.state(now),
        "created_at": things.instant(token.created_at),
        "expires_at": things.instant(token.expires_at),
        "revoked_at": things.instant(token.revoked_at),
    }
