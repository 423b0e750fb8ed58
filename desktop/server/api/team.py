"""``/watchbell/v1/team``: the team file of a running server. On worker threads; the writer applies."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from desktop.domain.errors import TeamFileError
from desktop.domain.text import plain
from desktop.server import applying, replacing, rights, things
from desktop.server.api.common import Here, Json, Me, Whose
from desktop.server.failures import INVALID, Refused, error_body, not_found
from desktop.server.replacing import NEEDS_FORCE, Examined, Sent
from desktop.team import document
from desktop.team.relief import Relief, name, say

router = APIRouter()

_TYPES = ("application/toml", "text/plain")
_BODY = {"requestBody": {"required": True, "content": {kind: {"schema": {"type": "string"}} for kind in _TYPES}}}


async def _content(request: Request) -> bytes:
    """Return the body of ``request`` as it came; refused (415) when it is said to be no team file."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise Refused(415, INVALID, "Unsupported Media Type", [f"send the team file as {' or '.join(_TYPES)}"])
    return await request.body()


@router.get("/watchbell/v1/team")
def get_team(station: Here, person: Me) -> Json:
    """Answer the team file that was applied last; to admins only, for it may hold the addresses of channels."""
    with station.storage.read() as connection:
        rights.need_admin(connection, person)
        found = applying.current(connection)
    if found is None:
        raise not_found("team")
    return {
        "document": found.document,
        "source": found.source,
        "digest": found.digest,
        "applied_at": things.instant(found.at),
        "applied_by": found.by,
    }


@router.put("/watchbell/v1/team", response_model=None, openapi_extra=_BODY)
def put_team(
    station: Here,
    person: Me,
    by: Whose,
    content: Annotated[bytes, Depends(_content)],
    source: Annotated[str, Query(max_length=200)] = "team.toml",
    force: bool = False,
    dry_run: bool = False,
) -> Json | JSONResponse:
    """Apply a team file (TOML, UTF-8), or only say what it would change (``dry_run``); ``source`` is its name.

    It is refused with 400 and every mistake, with 409 when it leaves nobody who could change it again. Also with 409,
    unless ``force`` is said, when somebody else would be on call at this moment, or when all who have an open incident,
    or acknowledged it, would leave (``incident_changes``): then whoever is on call is paged for it.
    """
    called = plain(source, 100) or "team.toml"
    try:
        sent = Sent(person, document.decode(content, called), called, by.address)
        examined, applied = replacing.replace(station, sent, force=force, dry_run=dry_run)
    except TeamFileError as error:
        raise Refused(400, INVALID, "The team file has mistakes", [str(p) for p in error.problems]) from error
    answer = _answer(examined, applied=applied)
    if applied or dry_run or examined.same:
        return answer
    return JSONResponse({**error_body(NEEDS_FORCE, "Conflict", examined.doubts), **answer}, 409)


def _answer(examined: Examined, *, applied: bool) -> Json:
    return {
        "applied": applied,
        "unchanged": examined.same,
        "digest": examined.applied.digest,
        "source": examined.applied.source,
        "applied_at": things.instant(examined.applied.at) if applied or examined.same else None,
        "changes": list(examined.changes),
        "incident_changes": [{"id": one.id, "number": one.number, "says": str(one)} for one in examined.left],
        "on_call_changes": [_relief(examined, relief) for relief in examined.reliefs],
        "warnings": list(examined.notes),
    }


def _relief(examined: Examined, relief: Relief) -> Json:
    old, new = examined.old, examined.roster.team
    return {
        "role": relief.role.value,
        "before": None if relief.before is None else {"id": relief.before, "name": name(old, relief.before)},
        "after": None if relief.after is None else {"id": relief.after, "name": name(new, relief.after)},
        "says": say(relief, old, new),
    }
