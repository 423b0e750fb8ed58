"""Commands on incidents: each finds its rows, applies a transition and saves. On the writer's thread.

Every function takes the ``Station`` and the writer's ``Work``; the time is read when the command runs.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_

from desktop.domain.escalation import begin
from desktop.domain.incident import Status
from desktop.domain.severity import Mapped, Severity
from desktop.server import ahead, escalation_path, maintenance, pages, passes, rows, schema, transitions
from desktop.server.failures import DUPLICATE_KEY, not_found, refused
from desktop.server.records import Draft, Entry, Record, new_id
from desktop.server.roster import Moment
from desktop.server.rows import load, query
from desktop.server.station import Station
from desktop.server.writer import Work

_incidents = schema.incidents.c

# What another server has in hands is left to it; it is due no more when it lets go. (SQLite knows no such locks, and
# needs none.)
_PAST = _incidents.next_action_at <= bindparam("now")
_NEXT_DUE = (
    query(_PAST, _incidents.id.not_in(bindparam("without", expanding=True)), order=(_incidents.next_action_at,))
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_OPEN_BY_KEY = query(
    _incidents.service_id == bindparam("service"),
    _incidents.dedup_key == bindparam("key"),
    _incidents.status != Status.RESOLVED.value,
    limit=1,
)


@dataclass(frozen=True, slots=True)
class Opening:
    """An incident that a person opens: with ``people``, it is theirs alone; ``original`` is all that was sent."""

    title: str
    service: str
    severity: Mapped
    key: str | None
    original: Mapping[str, Any]
    people: tuple[str, ...] = ()
    escalates_as: Severity | None = None


def create(station: Station, work: Work, actor: str, opening: Opening) -> Record:
    """Open an incident at a person's request; refused when one with the same key is open."""
    moment = station.moment()
    if opening.key is not None and _is_open(station, work, opening.service, opening.key):
        raise refused(DUPLICATE_KEY, "Open incident with matching dedup key already exists on this service")
    key = opening.key or secrets.token_hex(16)
    draft = new(station, moment, opening.service, key, opening.title, opening.severity, actor)
    if opening.escalates_as is not None:
        draft.change(escalates_as=opening.escalates_as)
    draft.note(Entry("trigger", moment.now, actor, "web_trigger", {"event": dict(opening.original)}))
    if opening.people:
        transitions.assign_directly(draft, moment, actor, opening.people)
    else:
        maintenance.begin(station, work, draft, moment)
    return save(station, work, [draft], moment.now)[0]


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
    save(station, work, list(drafts.values()), moment.now)
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
    found = rows.locked(work.connection, station.policies, ids, leave_locked=True)
    due = [r for r in found if r.next_action_at is not None and r.next_action_at <= moment.now]
    station.counts.late(moment.now, (record.next_action_at for record in due))
    return _each(station, work, due, moment, transitions.work_off)


def work_off_next(station: Station, work: Work, limit: int, without: Sequence[str]) -> int:
    """Do what is due first, on at most ``limit`` incidents and none of ``without``; return how many there were."""
    moment = station.moment()
    due = load(work.connection, station.policies, _NEXT_DUE, now=moment.now, limit=limit, without=without)
    station.counts.late(moment.now, (record.next_action_at for record in due))
    return _each(station, work, due, moment, transitions.work_off)


def take_over(station: Station, work: Work, ids: Sequence[str]) -> int:
    """Page whoever took over a paged role of ``ids``, as far as they are triggered.

    Those who are paged beside the holder of a role took nothing over: they are paged for what is new.
    """
    moment = station.moment()
    by_schedule = station.roster.moment(moment.now, by_schedule=True)
    locked = rows.locked(work.connection, station.policies, ids)
    found = [record for record in locked if record.status is Status.TRIGGERED]
    # What is due is done on the way.
    station.counts.late(moment.now, (record.next_action_at for record in found))

    def taken_over(draft: Draft, moment: Moment) -> None:
        transitions.work_off(draft, moment)
        escalation_path.take_over(draft, by_schedule)

    return _each(station, work, found, moment, taken_over)


def bring_back(station: Station, work: Work, ids: Sequence[str]) -> int:
    """Count from now what a wrong clock wrote into the future, as far as ``ids`` still are; return how many there were.

    What follows from it is due again at its proper distance.
    """
    moment = station.moment()
    now = ahead.latest_now(work.connection, moment.now)
    found = rows.locked(work.connection, station.policies, ids)
    records = [record for record in found if record.open and ahead.by_how_much(record, now) > ahead.TOLERANCE]

    def back(draft: Draft, moment: Moment) -> None:
        ahead.bring_back(draft, now)
        escalation_path.schedule(draft, moment)

    return _each(station, work, records, moment, back)


def _each(
    station: Station, work: Work, records: Sequence[Record], moment: Moment, transition: Callable[[Draft, Moment], None]
) -> int:  # fmt: skip
    drafts = [Draft(record, record) for record in records]
    for draft in drafts:
        transition(draft, moment)
    save(station, work, drafts, moment.now)
    return len(drafts)


def save(station: Station, work: Work, drafts: Sequence[Draft], now: datetime) -> list[Record]:
    """Write what became of ``drafts``, as part of ``work``; return the incidents that changed."""
    passes.note(work.connection, drafts)
    saved = rows.save(work.connection, drafts, work.history)
    work.changed.extend(saved)
    for draft in drafts:
        work.moves.extend(pages.moves(draft, station.roster, station.directory, now))
    return saved


def _is_open(station: Station, work: Work, service: str, key: str) -> bool:
    return bool(load(work.connection, station.policies, _OPEN_BY_KEY, service=service, key=key))


def new(
    station: Station, moment: Moment, service: str, key: str, title: str, severity: Mapped, actor: str
) -> Draft:  # fmt: skip
    """Return a draft of a new incident that is triggered now, which nobody was paged for yet."""
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
