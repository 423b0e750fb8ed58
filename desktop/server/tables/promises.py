"""Heartbeats, maintenance windows, and what the engine finds of itself. Values only, any thread."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, SmallInteger, String, Table, Text

from desktop.server.schema import Instant, metadata

# Who promised to call, how often (in whole seconds), and how much later a call may come. `due_at` is when silence
# becomes an incident; it is empty from then (`silent_since`) until the next call.
heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("service_id", ForeignKey("services.id"), nullable=False),
    Column("every", Integer, nullable=False),
    Column("grace", Integer, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(300), nullable=False),
    Column("called_at", Instant),
    Column("due_at", Instant),
    Column("silent_since", Instant),
    Index("ix_heartbeats_due", "due_at"),
)

# `number` is the revision that made it, as an override's.
maintenance_windows = Table(
    "maintenance_windows",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("description", Text, nullable=False, default=""),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(300), nullable=False),
    Index("ix_maintenance_windows_end", "ends_at"),
)

maintenance_services = Table(
    "maintenance_services",
    metadata,
    Column("window_id", ForeignKey("maintenance_windows.id"), primary_key=True),
    Column("service_id", ForeignKey("services.id"), primary_key=True),
)

# What the server found wrong with itself, with the incident that says so. `seen_at` is when it was found last,
# `told_at` when somebody was told last; one that is over has an `ended_at`.
findings = Table(
    "findings",
    metadata,
    Column("kind", String(40), primary_key=True),
    Column("key", String(100), primary_key=True),
    Column("title", Text, nullable=False),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False),
    Column("since", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("told_at", Instant, nullable=False),
    Column("ended_at", Instant),
)
