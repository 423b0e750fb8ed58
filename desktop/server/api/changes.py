"""What a request asks of an incident, read and checked before any row is touched. Pure."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from desktop.domain.incident import Status
from desktop.domain.severity import Mapped, Severity, Urgency
from desktop.domain.severity import parse as parse_severity
from desktop.server import transitions
from desktop.server.events import KEY_LIMIT, title_of
from desktop.server.failures import ALREADY_RESOLVED, invalid, refused
from desktop.server.incidents import Opening
from desktop.server.records import Draft
from desktop.server.roster import Moment
from desktop.server.station import Station

Json = Mapping[str, Any]
Step = Callable[[Draft, Moment], None]

_TEXT_LIMIT = 25_000


def steps(station: Station, person: str, part: Json) -> list[Step]:
    """Return what ``part`` (an incident in a PUT) asks for, in the order in which it has to happen."""
    actor = f"person:{person}"
    found: list[Step] = []
    if part.get("title") is not None:
        found.append(partial(transitions.set_title, actor=actor, title=_title(part)))
    if part.get("priority") is not None:
        found.append(partial(transitions.set_severity, actor=actor, severity=severity(part["priority"])))
    urgency = None if part.get("urgency") is None else _urgency(part["urgency"])
    # With a severity it is the severity's: none is a SEV-0 that only notifies.
    if urgency is not None and part.get("priority") is None:
        found.append(partial(transitions.set_urgency, actor=actor, urgency=urgency))
    if part.get("escalation_policy") is not None:
        found.append(partial(transitions.delegate, actor=actor, severity=_policy(part["escalation_policy"])))
    if part.get("assignments") is not None:
        people = _people(station, part["assignments"])
        found.append(partial(_give, actor=actor, people=people, reopens=part.get("status") == Status.TRIGGERED))
    if part.get("escalation_level") is not None:
        found.append(partial(transitions.escalate, actor=actor, level=_level(part["escalation_level"])))
    if part.get("status") is not None:
        found.append(_status(part, actor, person))
    if not found:
        raise invalid("nothing to change: give a status, title, priority, urgency, assignments or escalation_level")
    return found


def opening(station: Station, part: Json) -> Opening:
    """Return what ``part`` (an incident in a POST) opens."""
    service = _id(part.get("service"), "service")
    known = station.directory.services.get(service)
    if known is None or not known.active:
        raise invalid(f"there is no service {service[:80]!r}")
    if part.get("assignments") is not None and part.get("escalation_policy") is not None:
        raise invalid("give assignments or an escalation_policy, not both")
    urgency = None if part.get("urgency") is None else _urgency(part["urgency"])
    people = () if part.get("assignments") is None else _people(station, part["assignments"])
    policy = None if part.get("escalation_policy") is None else _policy(part["escalation_policy"])
    return Opening(
        title=_title(part),
        service=service,
        severity=_opening_severity(station, service, part, urgency),
        key=_key(part.get("incident_key")),
        original=part,
        people=people,
        escalates_as=policy,
    )


def severity(value: object) -> Severity:
    """Read a priority: its name, or a reference by id or name."""
    names = [value.get("id"), value.get("name"), value.get("summary")] if isinstance(value, dict) else [value]
    found = next((s for name in names if isinstance(name, str) and (s := parse_severity(name)) is not None), None)
    if found is None:
        raise refused(1020, "Invalid Priority", "there are SEV-0, SEV-1, SEV-2 and SEV-3")
    return found


def _opening_severity(station: Station, service: str, part: Json, urgency: Urgency | None) -> Mapped:
    if part.get("priority") is not None:
        return Mapped(severity(part["priority"]))
    if urgency is not None:
        return Mapped(Severity.SEV3 if urgency is Urgency.LOW else Severity.SEV1)
    return station.roster.severity(service, None)


def _status(part: Json, actor: str, person: str) -> Step:
    wanted = part["status"]
    if wanted == Status.ACKNOWLEDGED:
        return partial(transitions.acknowledge, actor=actor, person=person)
    if wanted == Status.RESOLVED:
        return partial(transitions.resolve, actor=actor, resolution=_text(part.get("resolution"), "resolution"))
    if wanted == Status.TRIGGERED:
        return partial(_trigger_again, actor=actor)
    raise refused(1003, "Invalid Status Provided", "status must be triggered, acknowledged or resolved")


def _give(draft: Draft, moment: Moment, actor: str, people: tuple[str, ...], *, reopens: bool) -> None:
    """Give it to ``people``; what is over pages nobody, and whoever gives it must not believe that it does."""
    record = draft.record
    if record.status is Status.RESOLVED and not reopens:
        raise refused(ALREADY_RESOLVED, "Incident Already Resolved", f"incident {record.number} is already resolved")
    transitions.assign_directly(draft, moment, actor, people)


def _trigger_again(draft: Draft, moment: Moment, actor: str) -> None:
    if draft.record.status is Status.RESOLVED:
        transitions.reopen(draft, moment, actor)
    else:
        transitions.unacknowledge(draft, moment, actor)


def _title(part: Json) -> str:
    title = part.get("title")
    if not isinstance(title, str) or not title.strip():
        raise invalid("title is missing or blank")
    return title_of(title)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str | None) or len(value or "") > _TEXT_LIMIT:
        raise invalid(f"{name} must be a text of at most {_TEXT_LIMIT} characters")
    return value or ""


def _key(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > KEY_LIMIT:
        raise invalid(f"incident_key must be a text of at most {KEY_LIMIT} characters")
    return value


def _urgency(value: object) -> Urgency:
    if value not in ("high", "low"):
        raise invalid("urgency must be high or low")
    return Urgency(str(value))


def _level(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid("escalation_level must be a whole number")
    return value


def _policy(value: object) -> Severity:
    found = parse_severity(_id(value, "escalation_policy"))
    if found is None:
        raise invalid("there is no such escalation policy: there are sev0, sev1, sev2 and sev3")
    return found


def _people(station: Station, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise invalid("assignments must be a list of at least one assignee")
    found = tuple(dict.fromkeys(_id(a.get("assignee") if isinstance(a, dict) else a, "assignee") for a in value))
    for person in found:
        known = station.directory.people.get(person)
        if known is None or not known.active:
            raise refused(1011, "Incident Cannot Be Reassigned", f"there is no user {person[:80]!r}")
    return found


def _id(value: object, name: str) -> str:
    found = value.get("id") if isinstance(value, dict) else value
    if not isinstance(found, str) or not found:
        raise invalid(f"{name} must be a reference with an id")
    return found
