"""``/link/SECRET``: the page of a link in a message; looking at it changes nothing. On worker threads.

It is for people, so whatever happens is said on a page; the link itself is the authority. It is no part of the API.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import HTMLResponse, Response

from desktop.domain.errors import StorageError
from desktop.server import incidents, link_notes, links
from desktop.server.api.common import Here
from desktop.server.failures import Refused
from desktop.server.link_page import page
from desktop.server.link_style import POLICY
from desktop.server.link_view import View, view
from desktop.server.link_words import Reader
from desktop.server.links import Link
from desktop.server.records import Record
from desktop.server.station import Station

router = APIRouter(include_in_schema=False)

_HEADERS = {
    "content-security-policy": POLICY,
    "x-robots-tag": "noindex, nofollow, noarchive",
    "cross-origin-resource-policy": "same-origin",
}
_PLACE = f"{links.PATH}{{secret:path}}"


async def _address(request: Request) -> str:
    return request.client.host if request.client else ""


async def _from_elsewhere(
    origin: Annotated[str | None, Header()] = None,
    host: Annotated[str, Header()] = "",
    sec_fetch_site: Annotated[str, Header()] = "same-origin",
) -> bool:
    """Tell whether a page that is not ours sent it. Ours is sent as from ``null``, because it names no referrer."""
    foreign = origin not in {None, "null"} and (origin or "").partition("://")[2].lower() != host.lower()
    return foreign or sec_fetch_site not in ("same-origin", "none")


Address = Annotated[str, Depends(_address)]
Elsewhere = Annotated[bool, Depends(_from_elsewhere)]


@router.api_route(_PLACE, methods=["GET", "HEAD"])
def show(station: Here, address: Address, secret: str) -> Response:
    """Show the incident of a link, and what the link can do; what follows every link changes nothing."""
    try:
        found = _look(station, secret)
    except StorageError:
        return _answer(link_notes.unsure(None), 503)
    if found is None:
        return _not_known(station, address)
    return _answer(*_seen(station, *found))


@router.post(_PLACE)
def act(station: Here, address: Address, secret: str, elsewhere: Elsewhere) -> Response:
    """Do what a link says, once; then the same page shows what became of it."""
    if elsewhere:
        return _answer(link_notes.elsewhere(), 403)
    link = None
    try:
        found = _look(station, secret)
        if found is None:
            return _not_known(station, address)
        link = found[0]
        if _acted(station, *found, address):
            return _shown_next(secret)
        # Somebody may have been faster.
        found = _look(station, secret) or found
        if links.fulfilled(*found, station.clock()):
            return _shown_next(secret)
        shown, status = _seen(station, *found)
        return _answer(shown, 409 if status == 200 else status)
    except StorageError:
        return _answer(link_notes.unsure(link), 503)


def _acted(station: Station, link: Link, record: Record, address: str) -> bool:
    if not links.possible(link, record, station.clock()):
        return False
    try:
        return station.writer.run(lambda work: links.act(station, work, link, address))
    except Refused:
        return False


def _shown_next(secret: str) -> Response:
    return Response(status_code=303, headers={**_HEADERS, "location": f"{links.PATH}{secret}"})


def _look(station: Station, secret: str) -> tuple[Link, Record] | None:
    with station.storage.read() as connection:
        link = links.find(connection, secret)
        return None if link is None else (link, incidents.find(station, connection, link.incident))


def _seen(station: Station, link: Link, record: Record) -> tuple[View, int]:
    reader = Reader(link.person, station.clock(), station.directory, station.roster)
    if link.expired(reader.now):
        return link_notes.expired(link, reader), 410
    return view(link, record, reader), 200


def _not_known(station: Station, address: str) -> Response:
    """Answer that there is no such link. Only these are limited: a true one is never kept waiting by a neighbour."""
    used = station.limits.guesses.take(address)
    if used.allowed:
        return _answer(link_notes.unknown(), 404)
    response = _answer(link_notes.too_many(used.reset), 429)
    response.headers["retry-after"] = str(used.reset)
    return response


def _answer(shown: View, status: int) -> Response:
    return HTMLResponse(page(shown), status, _HEADERS)
