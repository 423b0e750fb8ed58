"""PagerDuty's JSON to our values and back. Pure.

Any field that is not required may be null, and lists too (facts on PagerDuty, 2.0): everything is read defensively,
every text made plain. What our own server adds stands under ``watchbell``.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from desktop.domain.errors import BackendFault
from desktop.domain.incident import (
    Acknowledgement,
    ActionKind,
    Asked,
    Incident,
    OnCall,
    PendingAction,
    Person,
    Snapshot,
    Status,
)
from desktop.domain.severity import Severity, Urgency, numbered, of_priority, parse
from desktop.domain.text import plain

Json = dict[str, Any]

TITLE_LIMIT = 1024
NAME_LIMIT = 120
MESSAGE_LIMIT = 300
_READING = ("read_only_user", "read_only_limited_user")
_RESPONDING = ("limited_user", "user", "admin", "owner")


def person(value: object) -> Person:
    """Map a user, or a reference to one."""
    user = _object(value)
    return Person(
        id=_text(user.get("id"), NAME_LIMIT),
        name=_text(user.get("name") or user.get("summary") or user.get("id"), NAME_LIMIT),
        email=_text(user.get("email"), NAME_LIMIT),
    )


def may_acknowledge(value: object) -> bool | None:
    """Tell by a user's role whether they may; None for a role that is unknown, or widened by teams (REST API, User)."""
    role = _object(value).get("role")
    if role in _READING:
        return False
    return True if role in _RESPONDING else None


def incident(value: object, priorities: Sequence[str] = ()) -> Incident:
    """Map one incident; BackendFault when it lacks what makes it one.

    ``priorities`` are the names of its account's, the worst first; wanted where ``needs_priorities`` says so.
    """
    it = _object(value)
    ours = _object(it.get("watchbell"))
    urgency = Urgency.LOW if it.get("urgency") == "low" else Urgency.HIGH
    service = _object(it.get("service"))
    try:
        return Incident(
            id=_required(it, "id"),
            number=int(it.get("incident_number") or 0),
            title=_text(it.get("title") or it.get("summary"), TITLE_LIMIT) or "(no title)",
            status=Status(str(it.get("status"))),
            severity=_severity(it, urgency, priorities),
            urgency=urgency,
            created_at=moment(it.get("created_at")),
            service=_text(service.get("name") or service.get("summary"), NAME_LIMIT),
            service_id=_text(service.get("id"), NAME_LIMIT),
            policy=_text(_object(it.get("escalation_policy")).get("id"), NAME_LIMIT),
            assignees=tuple(person(_object(a).get("assignee")) for a in _list(it.get("assignments"))),
            acknowledgements=tuple(_acknowledgement(a) for a in _list(it.get("acknowledgements"))),
            pending=tuple(_pending(_list(it.get("pending_actions")))),
            resolved_by=_resolver(it),
            dedup_key=_text(it.get("incident_key"), 255),
            note=_text(ours.get("note"), 300),
            runbook=_link(ours.get("runbook")),
            # Our own server tells where the event said that more can be seen; what is PagerDuty's is its page.
            url=_link(ours.get("link") if ours else it.get("html_url")),
            version=int(ours.get("version") or 0),
            pages=int(ours.get("pages") or 0),
            asked=tuple(_asked(it)),
        )
    except (ValueError, TypeError, OverflowError) as e:
        raise BackendFault(f"an incident in the answer makes no sense: {plain(str(e), 120)}") from e


def incidents(answer: Json, priorities: Sequence[str] = ()) -> tuple[Incident, ...]:
    """Map the list of an answer to ``GET`` or ``PUT /incidents``; ``priorities`` as in ``incident``."""
    return tuple(incident(i, priorities) for i in _listed(answer, "incidents"))


def needs_priorities(answer: Json) -> bool:
    """Tell whether an incident in ``answer`` (one, or a list) has a priority that only its account can place."""
    found = [_object(i) for i in (answer.get("incident"), *_list(answer.get("incidents")))]
    return any((name := _priority(it)) and not numbered(name) and _own_severity(it) is None for it in found)


def on_call(answer: Json) -> tuple[OnCall, ...]:
    """Map the list of an answer to ``GET /oncalls``; an entry without a schedule is permanent and has no role."""
    return tuple(_on_call(_object(o)) for o in _listed(answer, "oncalls"))


def named(answer: Json, key: str) -> tuple[tuple[str, str], ...]:
    """Return (id, name) of each thing in the list ``key`` of an answer."""
    things = (person(thing) for thing in _list(answer.get(key)))
    return tuple((thing.id, thing.name) for thing in things if thing.id)


def snapshot(event: Json) -> Snapshot:
    """Map the first event of our server's stream."""
    return Snapshot(
        me=person(event.get("me")),
        incidents=incidents(event),
        on_call=on_call(event),
        taken_at=moment(event.get("server_time")),
    )


def moment(value: object) -> datetime:
    """Read an ISO 8601 time with an offset; ValueError otherwise."""
    if not isinstance(value, str):
        raise ValueError(f"no time: {value!r}")  # noqa: TRY004 - one error for all that is no time
    read = datetime.fromisoformat(value)
    if read.tzinfo is None:
        raise ValueError(f"a time without a zone: {value!r}")
    return read.astimezone(UTC)


def _severity(it: Json, urgency: Urgency, priorities: Sequence[str]) -> Severity:
    own = _own_severity(it)
    return own if own is not None else of_priority(_priority(it), urgency, priorities)


def _own_severity(it: Json) -> Severity | None:
    """Return what our own server says, which needs no guess."""
    own = _object(it.get("watchbell")).get("severity")
    return parse(own) if isinstance(own, str) else None


def _priority(it: Json) -> str | None:
    """Return the name of an incident's priority, None where it has none."""
    priority = _object(it.get("priority"))
    return _text(priority.get("name") or priority.get("summary"), NAME_LIMIT) or None


def _acknowledgement(value: object) -> Acknowledgement:
    it = _object(value)
    who = person(it.get("acknowledger"))
    if _text(_object(it.get("acknowledger")).get("type"), NAME_LIMIT) in ("service", "service_reference"):
        # A person may have the same id: ids tell apart only what is of one kind.
        who = Person(f"service:{who.id}", f"the service {who.name}")
    return Acknowledgement(who, moment(it.get("at")))


def _pending(values: Iterable[object]) -> Iterable[PendingAction]:
    kinds = {k.value for k in ActionKind}
    for value in values:
        it = _object(value)
        if it.get("type") in kinds:
            yield PendingAction(ActionKind(it["type"]), moment(it.get("at")))


def _asked(it: Json) -> Iterable[Asked]:
    """Yield who was asked to help and has not answered; an account whose plan lacks that has no such list."""
    for value in _list(it.get("incidents_responders")):
        responder = _object(value)
        if responder.get("state") == "pending":
            message = _text(responder.get("message"), MESSAGE_LIMIT)
            yield Asked(person(responder.get("user")), person(responder.get("requester")), message)


def _resolver(it: Json) -> Person | None:
    """Whoever changed the status last resolved a resolved incident."""
    if it.get("status") != Status.RESOLVED or not isinstance(it.get("last_status_change_by"), dict):
        return None
    return person(it["last_status_change_by"])


def _on_call(it: Json) -> OnCall:
    start, end = it.get("start"), it.get("end")
    schedule = _object(it.get("schedule"))
    try:
        return OnCall(
            person=person(it.get("user")),
            role=_text(schedule.get("name") or schedule.get("summary"), NAME_LIMIT).lower(),
            level=int(it.get("escalation_level") or 1),
            policy=_text(_object(it.get("escalation_policy")).get("id"), NAME_LIMIT),
            since=moment(start) if start else None,
            until=moment(end) if end else None,
            why=_text(_object(it.get("watchbell")).get("why"), NAME_LIMIT),
        )
    except (ValueError, TypeError, OverflowError) as e:
        raise BackendFault(f"an on-call entry in the answer makes no sense: {plain(str(e), 120)}") from e


def _required(it: Json, key: str) -> str:
    value = it.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"no {key}")
    return value


def _link(value: object) -> str:
    """Return a link that may be offered: http(s) only."""
    text = _text(value, 2000)
    return text if text.startswith(("https://", "http://")) else ""


def _text(value: object, limit: int) -> str:
    return plain(value, limit) if isinstance(value, str) else ""


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _listed(answer: Json, key: str) -> list[Any]:
    """Return the list that an answer is about: without it, it is no answer, and must not look like an empty one."""
    value = answer.get(key)
    if not isinstance(value, list):
        raise BackendFault(f"the answer has no {key} in it: is it from the right server?")
    return value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
