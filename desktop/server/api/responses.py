"""``/notes``, ``/snooze``, ``/status_updates``, ``/responder_requests`` of an incident: what those who work on it do.

On worker threads; the writer does the changes. Who acts is whose token it is: neither ``From`` nor ``requester_id``
changes that.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from fastapi import APIRouter

from desktop.domain.policies import levels
from desktop.domain.severity import parse as parse_severity
from desktop.domain.team import Role
from desktop.server import broadcast, history, incidents, lines, present, responding, things
from desktop.server.api import acting
from desktop.server.api.acting import Also, Step
from desktop.server.api.common import Body, Here, Json, Me, Whose
from desktop.server.audit import By
from desktop.server.contributions import Answer
from desktop.server.failures import invalid
from desktop.server.records import Draft, Record, new_id
from desktop.server.responding import Call
from desktop.server.roster import Moment
from desktop.server.station import Station

router = APIRouter()

_TEXT_LIMIT = 25_000
_LONGEST_SNOOZE = 604_800
_MOST_TARGETS = 50
POLICY = "escalation_policy"


@router.get("/incidents/{name}/notes")
def list_notes(station: Here, name: str) -> Json:
    """List the notes of an incident, the latest first."""
    with station.storage.read() as connection:
        found = history.notes(connection, incidents.find(station, connection, name).id)
    return {
        "notes": [
            lines.note(row.data["note"], things.instant(row.at), row.actor, row.data["content"], station.directory)
            for row in found
        ]
    }


@router.post("/incidents/{name}/notes")
def add_note(station: Here, person: Me, by: Whose, name: str, body: Body) -> Json:
    """Write a note; it renews an acknowledgement."""
    note, text = new_id(), _text(_part(body, "note").get("content"), "content")
    record = _change(station, by, "incident.note", name, partial(responding.note, person=person, name=note, text=text))
    return {"note": lines.note(note, things.instant(record.updated_at), f"person:{person}", text, station.directory)}


@router.post("/incidents/{name}/status_updates")
def add_status_update(station: Here, person: Me, by: Whose, name: str, body: Body) -> Json:
    """Write a status update; it renews an acknowledgement. That of a SEV-0 or SEV-1 goes to the incident channel."""
    sent = body if isinstance(body, dict) else {}
    update = {"message": _text(sent.get("message"), "message")}
    if sent.get("subject") is not None or sent.get("html_message") is not None:
        update |= {key: _text(sent.get(key), key) for key in ("subject", "html_message")}
    made = new_id()
    record = _change(
        station,
        by,
        "incident.status_update",
        name,
        partial(responding.status_update, person=person, name=made, update=update),
        lambda work, record: broadcast.update(station, work, record.id, made, update["message"], record.updated_at),
    )
    sender = things.user(station.directory, person, full=False)
    return {"status_update": {"id": made, **update, "created_at": things.instant(record.updated_at), "sender": sender}}


@router.post("/incidents/{name}/snooze", status_code=201)
def snooze(station: Here, person: Me, by: Whose, name: str, body: Body) -> Json:
    """Let the acknowledgement end after ``duration`` seconds."""
    seconds = body.get("duration") if isinstance(body, dict) else None
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 1 <= seconds <= _LONGEST_SNOOZE:
        raise invalid(f"duration must be a whole number of seconds from 1 to {_LONGEST_SNOOZE}")
    step = partial(responding.snooze, actor=f"person:{person}", duration=timedelta(seconds=seconds))
    return {
        "incident": present.incident(
            _change(station, by, "incident.snooze", name, step), station.directory, station.roster
        )
    }


@router.post("/incidents/{name}/responder_requests")
def ask_for_help(station: Here, person: Me, by: Whose, name: str, body: Body) -> Json:
    """Ask people, or those at the first level of an escalation policy, to help: they are paged."""
    sent = body if isinstance(body, dict) else {}
    message = sent.get("message")
    asked = Call(person, "" if message in (None, "") else _text(message, "message"), _targets(station, sent))
    record = _change(station, by, "incident.call", name, partial(responding.call, asked=asked))
    return {"responder_request": _request(station, record, asked)}


@router.put("/incidents/{name}/responder_requests/cancel")
def cancel_requests(station: Here, person: Me, by: Whose, name: str, body: Body) -> Json:
    """Ask people, or those who were asked by way of an escalation policy, no more, unless they came."""
    wanted = [_reference(part) for part in _parts(body if isinstance(body, dict) else {})]
    with station.storage.read() as connection:
        known = history.called(connection, incidents.find(station, connection, name).id)
    people = [known.get(target, ()) if target[0] == POLICY else (target[1],) for target in wanted]
    results: list[str] = []

    def step(draft: Draft, moment: Moment) -> None:
        states = {responder.person: responder.state for responder in draft.record.responders}
        results[:] = [_result([states[p] for p in those if p in states]) for those in people]
        everybody = [p for those in people for p in those]
        responding.call_off(draft, moment, f"person:{person}", everybody)

    _change(station, by, "incident.call_off", name, step)
    return {
        "responder_request_targets": [
            {"type": f"{kind}_reference", "id": target, "result": result}
            for (kind, target), result in zip(wanted, results, strict=True)
        ]
    }


def _result(states: Sequence[Answer]) -> str:
    if Answer.PENDING in states:
        return "cancelled"
    return "joined" if states else "not_found"


def _change(station: Station, by: By, action: str, name: str, step: Step, also: Also | None = None) -> Record:
    return acting.change(station, by, action, [(name, [step])], also)[0]


def _part(body: object, name: str) -> Json:
    part = body.get(name) if isinstance(body, dict) else None
    if not isinstance(part, dict):
        raise invalid(f"the body must be an object with an object {name!r}")
    return part


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _TEXT_LIMIT:
        raise invalid(f"{name} must be a text of 1 to {_TEXT_LIMIT} characters")
    return value


def _targets(station: Station, sent: Json) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """Read the targets: PagerDuty's document has them flat, its example and every client in a wrapping."""
    return tuple(_target(station, part) for part in _parts(sent))


def _parts(sent: Json) -> list[object]:
    parts = sent.get("responder_request_targets")
    if not isinstance(parts, list) or not 1 <= len(parts) <= _MOST_TARGETS:
        raise invalid(f"responder_request_targets must be a list of 1 to {_MOST_TARGETS} targets")
    return parts


def _target(station: Station, part: object) -> tuple[str, str, tuple[str, ...]]:
    kind, name = _reference(part)
    if kind == POLICY:
        return kind, name, _first_level(station, name)
    known = station.directory.people.get(name)
    if known is None or not known.active:
        raise invalid(f"there is no user {name[:80]!r}")
    return kind, name, (name,)


def _reference(part: object) -> tuple[str, str]:
    """Return the type of a target, without "_reference", and its id."""
    target = part.get("responder_request_target", part) if isinstance(part, dict) else None
    kind, name = (target.get("type"), target.get("id")) if isinstance(target, dict) else (None, None)
    if not isinstance(kind, str) or not isinstance(name, str):
        raise invalid("each target must be a reference with an id and a type")
    for known in ("user", POLICY):
        if kind.startswith(known):
            return known, name
    raise invalid("a target must be a user or an escalation_policy")


def _first_level(station: Station, name: str) -> tuple[str, ...]:
    severity = parse_severity(name)
    if severity is None:
        raise invalid(f"there is no escalation policy {name[:80]!r}")
    moment = station.moment()
    roles = levels(station.roster.policies[severity])[0].roles
    people = tuple(dict.fromkeys(person for role in roles for person in moment.who(Role(role).value)))
    if not people:
        raise invalid(f"nobody is on call at the first level of {severity.label}")
    return people


def _request(station: Station, record: Record, asked: Call) -> Json:
    """Return the request as it was just made."""
    directory = station.directory
    shown = {each["user"]["id"]: each for each in present.responders(record, directory)}
    return {
        "incident": present.reference(directory, record.id, record.number, record.title),
        "requester": things.user(directory, asked.person, full=False),
        "requested_at": things.instant(record.updated_at),
        "message": asked.message,
        "responder_request_targets": [
            {"type": kind, "id": name, "incident_responders": [shown[person] for person in people]}
            for kind, name, people in asked.targets
        ],
    }
