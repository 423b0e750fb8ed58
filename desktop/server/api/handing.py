"""What a request about a handover says, read and checked before any row is touched. Pure."""

from desktop.domain.handover import next_candidate
from desktop.domain.handover_facts import Handover, Kind, Point
from desktop.domain.handover_request import Wish
from desktop.domain.team import Member
from desktop.domain.text import plain
from desktop.server.api.common import Json
from desktop.server.api.strict import CLOSED, known_keys
from desktop.server.failures import invalid
from desktop.server.handover_refusals import conflict
from desktop.server.records import new_id
from desktop.server.station import Station

_REASON_LIMIT = 500

_USER = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string", "minLength": 1}, "type": {"type": "string"}},
}
_POINTS = {"type": "string", "enum": [point.value for point in Point]}


def _body(schema: Json, *, required: bool = True) -> Json:
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}


_HANDOVER = {
    "type": "object",
    "required": ["reason"],
    "properties": {
        "kind": {"type": "string", "enum": [kind.value for kind in Kind]},
        "giver": _USER,
        "receiver": _USER,
        "reason": {"type": "string", "minLength": 1, "maxLength": _REASON_LIMIT},
        "auto_next": {"type": "boolean"},
        "stays_available": {"type": "boolean"},
    },
    **CLOSED,
}
_REQUEST = {"type": "object", "required": ["handover"], "properties": {"handover": _HANDOVER}, **CLOSED}
_CONFIRMED = {"type": "array", "items": _POINTS, "maxItems": len(Point)}
_ACCEPTANCE = {"type": "object", "properties": {"points": _CONFIRMED}, **CLOSED}
_POINT = {"type": "object", "required": ["point"], "properties": {"point": _POINTS}, **CLOSED}
_NEXT = {"type": "object", "properties": {"user": _USER}, **CLOSED}
REQUEST, ACCEPTANCE, POINT, NEXT = (_body(schema) for schema in (_REQUEST, _ACCEPTANCE, _POINT, _NEXT))


def wish(station: Station, person: str, body: object) -> Wish:
    """Return what ``person`` asks for. Without a ``giver`` it is their own watch; else they have to say how."""
    part = _object(body, _REQUEST).get("handover")
    if not isinstance(part, dict):
        raise invalid("the body must be an object with an object 'handover'")
    asker = member(station, person)
    giver = _user(station, part, "giver") or asker
    kind = _kind(part, own=giver.id == asker.id)
    return Wish(
        id="H" + new_id()[1:],
        kind=kind,
        giver=giver,
        asker=asker,
        reason=_reason(part),
        receiver=_user(station, part, "receiver"),
        auto_next=_flag(part, "auto_next", usual=True),
        stays_available=_flag(part, "stays_available", usual=False),
    )


def member(station: Station, person: str) -> Member:
    """Return the person of the team whose token came."""
    found = station.roster.team.member(person)
    if found is None:
        raise invalid(f"there is no {plain(person, 80)!r} in the team")
    return found


def points(body: object) -> tuple[Point, ...]:
    """Return what is confirmed with a yes."""
    found = _object(body, _ACCEPTANCE).get("points", [])
    if not isinstance(found, list) or len(found) > len(Point):
        raise invalid("points must be a list of briefing and access")
    return tuple(_point(each) for each in found)


def point(body: object) -> Point:
    """Return what is confirmed, or waived."""
    return _point(_object(body, _POINT).get("point"))


def next_one(station: Station, body: object) -> str | None:
    """Return who is to be asked next, None for whoever it is by the order."""
    found = _user(station, _object(body, _NEXT), "user")
    return None if found is None else found.id


def candidate(facts: Handover) -> str:
    """Return the next candidate; refused when everybody was asked."""
    found = next_candidate(facts)
    if found is None:
        raise conflict("everybody was asked already: name somebody")
    return found


def _kind(part: Json, *, own: bool) -> Kind:
    value = part.get("kind", Kind.ASK.value if own else None)
    if value not in {kind.value for kind in Kind} or not isinstance(value, str):
        raise invalid("kind must be ask (one's own watch), give (somebody else's, by a manager) or take")
    return Kind(value)


def _reason(part: Json) -> str:
    value = part.get("reason")
    if not isinstance(value, str) or not value.strip() or len(value) > _REASON_LIMIT:
        raise invalid(f"reason must be a text of 1 to {_REASON_LIMIT} characters")
    return value


def _flag(part: Json, name: str, *, usual: bool) -> bool:
    value = part.get(name, usual)
    if not isinstance(value, bool):
        raise invalid(f"{name} must be true or false")
    return value


def _user(station: Station, part: Json, name: str) -> Member | None:
    if name not in part:
        return None
    value = part[name]
    wanted = value.get("id") if isinstance(value, dict) else None
    if not isinstance(wanted, str) or not wanted or not isinstance(value.get("type", ""), str):
        raise invalid(f"{name} must be a reference with an id")
    found = station.roster.team.member(wanted)
    if found is None:
        raise invalid(f"{name}: there is no {plain(wanted, 80)!r}")
    return found


def _point(value: object) -> Point:
    if not isinstance(value, str) or value not in {p.value for p in Point}:
        raise invalid("point must be briefing or access")
    return Point(value)


def _object(body: object, schema: Json) -> Json:
    if not isinstance(body, dict):
        raise invalid("the body must be an object")
    known_keys(body, schema)
    return body
