"""Commands on incidents: each finds its rows, applies a transition and saves. On the writer's thread.

Every function takes the ``Station`` and the writer's ``Work``; the time is read when the command runs.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_

from desktop.domain.escalation import begin
from desktop.domain.incident import Status
from desktop.domain.severity import Mapped, Severity, Urgency
from desktop.server import ahead, schema, transitions
from desktop.server.events import Action, Event
from desktop.server.failures import DUPLICATE_KEY, InvalidEvent, not_found, refused
from desktop.server.records import Draft, Entry, Record, new_id
from desktop.server.roster import Moment
from desktop.server.rows import load, query, save
from desktop.server.station import Station
from desktop.server.tokens import find_service
from desktop.server.writer import Work

_REOPEN_WITHIN = timedelta(minutes=transitions.REOPEN_WITHIN_MINUTES)
_incidents = schema.incidents.c

_AMONG = _incidents.id.in_(bindparam("ids", expanding=True))
# What another server has in hands is left to it; it is due no more when it lets go. (SQLite knows no such locks, and
# needs none.)
_PAST = _incidents.next_action_at <= bindparam("now")
_DUE = query(_AMONG, _PAST).with_for_update(skip_locked=True)
_NEXT_DUE = (
    query(_PAST, _incidents.id.not_in(bindparam("without", expanding=True)), order=(_incidents.next_action_at,))
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_OPEN = query(_AMONG, _incidents.status != Status.RESOLVED.value).with_for_update()
_TRIGGERED = query(_AMONG, _incidents.status == Status.TRIGGERED.value).with_for_update()
_BY_KEY = query(
    _incidents.service_id == bindparam("service"),
    _incidents.dedup_key == bindparam("key"),
    or_(_incidents.status != Status.RESOLVED.value, _incidents.resolved_at > bindparam("recent")),
    order=(_incidents.resolved_at.is_(None).desc(), _incidents.resolved_at.desc()),
    limit=1,
)


@dataclass(frozen=True, slots=True)
class Opening:
    """An incident that a person opens: with ``people``, it is theirs alone; ``original`` is all that was sent."""

    title: str
    service: str
    severity: Mapped
    urgency: Urgency | None
    key: str | None
    original: Mapping[str, Any]
    people: tuple[str, ...] = ()
    escalates_as: Severity | None = None


def enqueue(station: Station, work: Work, event: Event) -> str:
    """Take an event of the Events API and return its dedup key; InvalidEvent when its key opens no service.

    Flooded when it would open one incident more than are taken by one key in a minute.
    """
    moment = station.moment()
    service = work.services.get(event.routing_key) or find_service(work.connection, event.routing_key, moment.now)
    if service is None:
        raise InvalidEvent(["'routing_key' is unknown or revoked"])
    work.services[event.routing_key] = service
    key = event.dedup_key or secrets.token_hex(16)
    known = _by_key(station, work, service, key, moment.now)
    actor = f"service:{service}"
    draft = None
    if event.action is Action.TRIGGER:
        if known is None:
            station.limits.floods.admit(event.routing_key, service, key, work)
        draft = _trigger(station, moment, event, known, service, key)
    elif known is not None and known.open:
        draft = Draft(known, known)
        if event.action is Action.ACKNOWLEDGE:
            transitions.acknowledge(draft, moment, actor, None)
        else:
            transitions.resolve(draft, moment, actor)
    if draft is not None:
        _save(work, [draft])
    return key


def create(station: Station, work: Work, actor: str, opening: Opening) -> Record:
    """Open an incident at a person's request; refused when one with the same key is open."""
    moment = station.moment()
    known = None if opening.key is None else _by_key(station, work, opening.service, opening.key, moment.now)
    if known is not None and known.open:
        raise refused(DUPLICATE_KEY, "Open incident with matching dedup key already exists on this service")
    key = opening.key or secrets.token_hex(16)
    draft = _new(station, moment, opening.service, key, opening.title, opening.severity, actor)
    draft.change(urgency=opening.urgency or opening.severity.severity.urgency)
    if opening.escalates_as is not None:
        draft.change(escalates_as=opening.escalates_as)
    draft.note(Entry("trigger", moment.now, actor, "web_trigger", {"event": dict(opening.original)}))
    if opening.people:
        transitions.assign_directly(draft, moment, actor, opening.people)
    else:
        transitions.work_off(draft, moment)
    return _save(work, [draft])[0]


def change(
    station: Station,
    work: Work,
    wanted: Sequence[tuple[str, Sequence[Callable[[Draft, Moment], None]]]],
    seen: Callable[[Draft], None] = lambda draft: None,  # noqa: ARG005 - its shape
) -> list[Record]:
    """Apply to each incident (by id or number) its transitions, all of them or none; return what they became.

    ``seen`` is shown each of them before it is saved, in the same transaction.
    """
    moment = station.moment()
    drafts: dict[str, Draft] = {}
    order = []
    for name, steps in wanted:
        record = find(station, work.connection, name)
        # Named twice, it is still one incident: the later wish meets what the earlier one made of it.
        draft = drafts.setdefault(record.id, Draft(record, record))
        for step in steps:
            step(draft, moment)
        order.append(draft)
    for draft in drafts.values():
        seen(draft)
    _save(work, list(drafts.values()))
    return [draft.record for draft in order]


def find(station: Station, connection: Any, name: str) -> Record:  # noqa: ANN401 - a connection
    """Return the incident whose id or number is ``name``; refused (404) when there is none."""
    by: ColumnElement[bool] = _incidents.id == name
    if name.isascii() and name.isdigit() and len(name) < 18:
        by = or_(by, _incidents.number == int(name))
    found = load(connection, station.policies, query(by, limit=1))
    if not found:
        raise not_found("such incident")
    return found[0]


def work_off(station: Station, work: Work, ids: Sequence[str]) -> int:
    """Do what is due on ``ids``, those that are due no more left alone; return how many there were."""
    moment = station.moment()
    due = load(work.connection, station.policies, _DUE, ids=ids, now=moment.now)
    return _each(work, due, lambda draft: transitions.work_off(draft, moment))


def work_off_next(station: Station, work: Work, limit: int, without: Sequence[str]) -> int:
    """Do what is due first, on at most ``limit`` incidents and none of ``without``; return how many there were."""
    moment = station.moment()
    due = load(work.connection, station.policies, _NEXT_DUE, now=moment.now, limit=limit, without=without)
    return _each(work, due, lambda draft: transitions.work_off(draft, moment))


def take_over(station: Station, work: Work, ids: Sequence[str]) -> int:
    """Page whoever took over a paged role of ``ids``, as far as they are triggered."""
    moment = station.moment()
    found = load(work.connection, station.policies, _TRIGGERED, ids=ids)
    return _each(work, found, lambda draft: transitions.take_over(draft, moment))


def bring_back(station: Station, work: Work, ids: Sequence[str]) -> int:
    """Count from now what a wrong clock wrote into the future, as far as ``ids`` still are; return how many there were.

    What follows from it is due again at its proper distance.
    """
    moment = station.moment()
    now = ahead.latest_now(work.connection, moment.now)
    found = load(work.connection, station.policies, _OPEN, ids=ids)
    records = [record for record in found if ahead.by_how_much(record, now) > ahead.TOLERANCE]

    def back(draft: Draft) -> None:
        ahead.bring_back(draft, now)
        transitions.schedule(draft, moment)

    return _each(work, records, back)


def _each(work: Work, records: Sequence[Record], transition: Callable[[Draft], None]) -> int:
    drafts = [Draft(record, record) for record in records]
    for draft in drafts:
        transition(draft)
    _save(work, drafts)
    return len(drafts)


def _save(work: Work, drafts: Sequence[Draft]) -> list[Record]:
    saved = save(work.connection, drafts, work.history)
    work.changed.extend(saved)
    return saved


def _by_key(station: Station, work: Work, service: str, key: str, now: datetime) -> Record | None:
    """Return the open incident of ``key``, else the one that was resolved a short while ago."""
    recent = now - _REOPEN_WITHIN
    found = load(work.connection, station.policies, _BY_KEY, service=service, key=key, recent=recent)
    return found[0] if found else None


def _trigger(
    station: Station, moment: Moment, event: Event, known: Record | None, service: str, key: str
) -> Draft:  # fmt: skip
    actor = f"service:{service}"
    data = {"event": dict(event.original)}
    if known is None:
        severity = station.roster.severity(service, event.severity)
        draft = _new(station, moment, service, key, event.title, severity, actor)
        draft.change(link=event.link)
        draft.note(Entry("trigger", moment.now, actor, data=data))
        transitions.work_off(draft, moment)
        return draft
    draft = Draft(known, known)
    if known.open:
        draft.change(updated_at=moment.now)
        draft.note(Entry("trigger", moment.now, actor, data={**data, "repeated": True}))
        _raise(draft, moment, actor, station.roster.severity(service, event.severity))
    else:
        # First, so that it is reopened as what it has become.
        _raise(draft, moment, actor, station.roster.severity(service, event.severity))
        transitions.reopen(draft, moment, actor, data)
    return draft


def _raise(draft: Draft, moment: Moment, actor: str, said: Mapped) -> None:
    """Take over a worse severity of a repeated event (design, section 3); a milder or an unknown one says nothing."""
    if not said.note and said.severity < draft.record.severity:
        transitions.set_severity(draft, moment, actor, said.severity)


def _new(
    station: Station, moment: Moment, service: str, key: str, title: str, severity: Mapped, actor: str
) -> Draft:  # fmt: skip
    now = moment.now
    record = Record(
        id=new_id(),
        number=0,
        service_id=service,
        dedup_key=key,
        title=title,
        status=Status.TRIGGERED,
        severity=severity.severity,
        severity_note=severity.note,
        urgency=severity.severity.urgency,
        policy=station.roster.digest,
        policies=station.roster.policies,
        escalates_as=severity.severity,
        progress=begin(now),
        created_at=now,
        updated_at=now,
        changed_at=now,
        changed_by=actor,
    )
    return Draft(record)
