"""``POST /watchbell/v1/receipts``: a tray application confirms what became of a page there. On worker threads."""

from typing import Any

from fastapi import APIRouter

from desktop.domain.text import plain
from desktop.server import receipts
from desktop.server.api.common import Body, Here, Json, Me, Whose
from desktop.server.api.strict import CLOSED, known_keys
from desktop.server.failures import invalid, not_found
from desktop.server.receipts import Receipt
from desktop.server.records import RECEIPTS

router = APIRouter()

MOST = 100
_LAST_PAGE = 2**31 - 1
_ID_LIMIT = 20

_RECEIPT: Json = {
    "type": "object",
    **CLOSED,
    "required": ["incident", "page", "type"],
    "properties": {
        "incident": {"type": "string", "minLength": 1, "maxLength": _ID_LIMIT, "description": "Its id."},
        "page": {
            "type": "integer",
            "minimum": 1,
            "maximum": _LAST_PAGE,
            "description": "How often it had been paged then: `watchbell.pages`. Earlier pages are confirmed with it.",
        },
        "type": {
            "type": "string",
            "enum": list(RECEIPTS),
            "description": "It is on the screen, its sound has begun, or keyboard or mouse was used there since.",
        },
    },
}
_LIST = {"type": "array", "minItems": 1, "maxItems": MOST, "items": _RECEIPT}
_SENT: Json = {"type": "object", "required": ["receipts"], "properties": {"receipts": _LIST}, **CLOSED}
_CONTENT: Json = {"application/json": {"schema": _SENT}}


@router.post("/watchbell/v1/receipts", openapi_extra={"requestBody": {"required": True, "content": _CONTENT}})
def confirm(station: Here, me: Me, by: Whose, body: Body) -> Json:
    """Confirm pages of one's own; answers those that are, 404 when none is. Doing so twice changes nothing."""
    asked = _read(body)
    known = station.writer.run(lambda work: receipts.confirm(work, by, me, asked, station.clock()))
    if not known:
        raise not_found("such page of yours")
    return {"receipts": [{"incident": r.incident, "page": r.page, "type": r.type} for r in known]}


def _read(body: object) -> list[Receipt]:
    """Return the receipts in a body, each once; refused (400) with all that is wrong."""
    listed = body.get("receipts") if isinstance(body, dict) else None
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST:
        raise invalid(f"receipts must be a list of 1 to {MOST}")
    known_keys(body, _SENT)
    errors = [f"receipts[{place}]: {wrong}" for place, part in enumerate(listed) for wrong in _mistakes(part)]
    if errors:
        raise invalid(*errors)
    return list(dict.fromkeys(Receipt(part["incident"], part["page"], part["type"]) for part in listed))


def _mistakes(part: Any) -> list[str]:  # noqa: ANN401 - JSON
    if not isinstance(part, dict):
        return ["must be an object"]
    incident, page, kind = part.get("incident"), part.get("page"), part.get("type")
    found = []
    if not isinstance(incident, str) or not 1 <= len(incident) <= _ID_LIMIT:
        found.append("incident must be the id of one")
    if not isinstance(page, int) or isinstance(page, bool) or not 1 <= page <= _LAST_PAGE:
        found.append("page must be a number from 1")
    if not isinstance(kind, str) or kind not in RECEIPTS:
        found.append(f"type must be one of {', '.join(RECEIPTS)}, not {plain(str(kind), 40)!r}")
    return found
