"""An incident and its history as the columns of their rows, and back. Values only, any thread."""

from typing import Any

from sqlalchemy import Row

from desktop.domain.incident import Status
from desktop.domain.severity import Severity, Urgency
from desktop.server.codec import Frozen, progress_from_json, progress_to_json
from desktop.server.contributions import note_from_json, note_to_json, responders_from_json, responders_to_json
from desktop.server.records import Entry, Held, Record

HistoryRow = dict[str, Any]
"""A row of ``log_entries``."""


def of_record(record: Record) -> dict[str, Any]:
    """Return what the columns of an incident say, but for its id, number and version: those are given out elsewhere."""
    return {
        "service_id": record.service_id,
        "dedup_key": record.dedup_key,
        "title": record.title,
        "status": record.status.value,
        "severity": record.severity.value,
        "severity_note": record.severity_note,
        "urgency": record.urgency.value,
        "link": record.link,
        "policy": record.policy,
        "escalates_as": None if record.escalates_as is None else record.escalates_as.value,
        "progress": progress_to_json(record.progress),
        "next_action_at": record.next_action_at,
        "pages": record.pages,
        "flaps": record.flaps,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "changed_at": record.changed_at,
        "changed_by": record.changed_by,
        "resolved_at": record.resolved_at,
        "renewed_at": record.renewed_at,
        "overdue_told_at": record.overdue_told_at,
        "snoozed_until": record.snoozed_until,
        "held_until": record.held_until,
        "responders": responders_to_json(record.responders),
        "latest_note": note_to_json(record.latest_note),
    }


def to_record(row: Row[Any], policies: Frozen, assigned: tuple[Held, ...], acknowledged: tuple[Held, ...]) -> Record:
    """Return the incident whose columns are ``row``; its ``policies`` and who has it stand in other tables."""
    return Record(
        id=row.id,
        number=row.number,
        service_id=row.service_id,
        dedup_key=row.dedup_key,
        title=row.title,
        status=Status(row.status),
        severity=Severity(row.severity),
        urgency=Urgency(row.urgency),
        policy=row.policy,
        policies=policies,
        escalates_as=None if row.escalates_as is None else Severity(row.escalates_as),
        progress=progress_from_json(row.progress),
        created_at=row.created_at,
        updated_at=row.updated_at,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        severity_note=row.severity_note,
        link=row.link,
        next_action_at=row.next_action_at,
        resolved_at=row.resolved_at,
        renewed_at=row.renewed_at,
        overdue_told_at=row.overdue_told_at,
        snoozed_until=row.snoozed_until,
        held_until=row.held_until,
        responders=responders_from_json(row.responders),
        latest_note=note_from_json(row.latest_note),
        version=row.version,
        pages=row.pages,
        flaps=row.flaps,
        assignments=assigned,
        acknowledgements=acknowledged,
    )


def of_entry(incident_id: str, entry: Entry) -> HistoryRow:
    """Return the row of a line of the history of ``incident_id``."""
    return {
        "incident_id": incident_id,
        "type": entry.type,
        "at": entry.at,
        "actor": entry.actor,
        "channel": entry.channel,
        "data": entry.data,
    }
