"""A handover as the API and the stream show it: where it stands, who is on call, what it waits for. On a connection."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.exc import SQLAlchemyError

from desktop.domain.handover import next_action_at, next_candidate, paged, state
from desktop.domain.handover_facts import Confirmation, Handover, Point, State, expires_at, lapses_at, receiver
from desktop.domain.handover_watch import left, left_out
from desktop.domain.segments import Segment
from desktop.server import handover_rows, schema, silences, things
from desktop.server.directory import Directory
from desktop.server.station import Station
from desktop.server.tables import handovers as tables
from desktop.server.things import instant

log = logging.getLogger(__name__)

Json = dict[str, Any]
AnyRow = Row[Any]


def handover(station: Station, connection: Connection, row: AnyRow) -> Json:
    """Return one handover, whole; ``on_call`` is who has the role now by the schedule, which alone says so."""
    now, directory = station.clock(), station.directory
    facts = handover_rows.facts(station, connection, row)
    holder = station.roster.shifts(now).get(facts.role)
    return {
        "id": facts.id,
        "type": "handover",
        "version": row.version,
        "kind": facts.kind.value,
        "state": state(facts, now).value,
        "role": facts.role.value,
        "reason": facts.reason,
        "giver": _person(directory, facts.giver),
        "asker": _person(directory, facts.asker),
        "receiver": _person(directory, receiver(facts)),
        "on_call": _person(directory, None if holder is None else holder.person),
        "paged": [] if facts.ended else [_person(directory, p) for p in paged(facts, now)],
        "requested_at": instant(facts.requested_at),
        "until": instant(facts.until),
        "auto_next": facts.auto_next,
        "stays_available": facts.stays_available,
        "waits_for": _waits_for(directory, facts, now),
        "offers": _offers(directory, facts, handover_rows.offers(connection, facts.id), now),
        "next_candidate": None if facts.ended else _person(directory, next_candidate(facts)),
        "confirmations": [_confirmation(directory, c) for c in facts.confirmations],
        "briefing": None if facts.ended else _briefing(connection, facts, now),
        "left_out": None if facts.ended else _segments(left_out(facts)),
        "notices": [_notice(directory, n) for n in handover_rows.notices(connection, facts.id)],
        "made": {kind: list(ids) for kind, ids in handover_rows.works(connection, facts.id).items()},
        "read_back_at": instant(facts.read_at),
        "cancelled_at": instant(facts.cancelled_at),
        "ended_at": None if facts.ended is None else instant(facts.ended.at),
    }


def open_ones(station: Station, connection: Connection) -> tuple[list[Json], list[Json]]:
    """Return the handovers that are not over, and the primaries who are silent."""
    table = tables.handovers
    rows = connection.execute(select(table).where(table.c.ended_at.is_(None)).order_by(table.c.requested_at)).all()
    found = (shown_or_none(station, connection, row) for row in rows)
    return [each for each in found if each is not None], silences.shown(station, connection)


def shown_or_none(station: Station, connection: Connection, row: AnyRow) -> Json | None:
    """Return one handover; None for one of which no sense can be made: it must not hide the others, or end a stream."""
    try:
        return handover(station, connection, row)
    except SQLAlchemyError:
        raise
    except Exception:
        log.exception("a handover cannot be shown", extra={"fields": {"handover": row.id}})
        return None


def _waits_for(directory: Directory, facts: Handover, now: datetime) -> Json | None:
    """Return whose word comes next and until when it is waited for: then something else is done, or it is over."""
    stage, to = state(facts, now), receiver(facts)
    if facts.ended is not None or stage not in {State.REQUESTED, State.PAGING, State.ACCEPTED}:
        return None
    until = instant(next_action_at(facts, now))
    if to is not None:
        said = {c.point for c in facts.confirmations if c.receiver == to}
        points = [point.value for point in Point if point not in said]
        lapse = {"lapses_at": instant(lapses_at(facts))}
        return {"what": "confirmation", "people": [_person(directory, to)], "points": points, "until": until} | lapse
    people = [_person(directory, o.person) for o in facts.offers if o.answer is None]
    asked = next_candidate(facts)
    about = _person(directory, asked if asked in facts.asked else None)
    ask = {"asks": None if about is None else {"asker": _person(directory, facts.asker), "about": about}}
    return {"what": "answer", "people": people, "until": until, "expires_at": instant(expires_at(facts))} | ask


def _offers(directory: Directory, facts: Handover, rows: Iterable[AnyRow], now: datetime) -> list[Json]:
    waiting = facts.ended is None and facts.cancelled_at is None and now < expires_at(facts)
    return [
        {
            "user": _person(directory, offer.person),
            "at": instant(offer.at),
            "incident": row.incident_id,
            "acknowledged_at": instant(offer.acknowledged_at),
            "answer": None if offer.answer is None else "yes" if offer.answer.yes else "no",
            "answered_at": None if offer.answer is None else instant(offer.answer.at),
            "open": waiting and receiver(facts) != offer.person,
        }
        for offer, row in zip(facts.offers, rows, strict=True)
    ]


def _briefing(connection: Connection, facts: Handover, now: datetime) -> Json:
    """Return what whoever takes the watch has to know: what is open, and for which times it is."""
    table = schema.incidents.c
    asked = select(table.id, table.number, table.title, table.severity, table.status, table.created_at)
    held = [incident.id for incident in facts.incidents if incident.open]
    rows = connection.execute(asked.where(table.id.in_(held)).order_by(table.severity, table.number))
    incidents = [
        {
            "id": r.id,
            "incident_number": r.number,
            "title": r.title,
            "severity": f"sev{r.severity}",
            "status": r.status,
            "created_at": instant(r.created_at),
        }
        for r in rows
    ]
    return {"incidents": incidents, "watch": _segments(left(facts, now))}


def _segments(found: Iterable[Segment]) -> list[Json]:
    return [{"role": s.role.value, "start": instant(s.start), "end": instant(s.end)} for s in found]


def _confirmation(directory: Directory, said: Confirmation) -> Json:
    return {
        "point": said.point.value,
        "by": _person(directory, said.by),
        "for": _person(directory, said.receiver),
        "at": instant(said.at),
        "waived": said.waived,
    }


def _notice(directory: Directory, row: AnyRow) -> Json:
    people = [_person(directory, person) for person in row.people]
    return {"at": instant(row.at), "kind": row.kind, "about": row.about, "people": people, "text": row.text}


def _person(directory: Directory, person: str | None) -> Json | None:
    return None if person is None else things.user(directory, person, full=False)
