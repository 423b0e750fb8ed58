"""Duties: what was done about them, and the indexes by which they are found. Values only, any thread."""

from sqlalchemy import JSON, Column, ForeignKey, Index, SmallInteger, String, Table, Text, text

from desktop.server.schema import Id, Instant, incidents, log_entries, metadata

# A mark is added and never changed: of those about the same thing the last one holds. `act` says which ("tick", "done",
# "waive", ...; "remind" is the server's own: it told the person that the duty is due), `text` is what was written: a
# note, or the sheet of a handover as it was signed. `data`: access checks.
duty_marks = Table(
    "duty_marks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("duty_id", String(300), nullable=False),
    Column("act", String(20), nullable=False),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("point", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("data", JSON(none_as_null=True)),
    Index("ix_duty_marks_duty", "duty_id", "id"),
)

# Incidents of whose duties nothing was left to do at `at`: they need not be looked at, unless they came back since.
settled_incidents = Table(
    "settled_incidents",
    metadata,
    Column("incident_id", ForeignKey("incidents.id"), primary_key=True),
    Column("at", Instant, nullable=False),
)

_MAJOR, _RAISED = text("severity <= 1"), text("type = 'priority_change'")
Index("ix_incidents_major", incidents.c.created_at, sqlite_where=_MAJOR, postgresql_where=_MAJOR)
Index("ix_log_entries_raised", log_entries.c.incident_id, sqlite_where=_RAISED, postgresql_where=_RAISED)
