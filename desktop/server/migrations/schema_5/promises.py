"""Heartbeats, maintenance windows, and what the engine finds of itself."""

import sqlalchemy as sa

from desktop.server.migrations.schema_5 import missing


def upgrade() -> None:
    """Add their tables, and until when an incident is held back."""
    _heartbeats()
    _maintenance()
    missing.create_table(
        "findings",
        sa.Column("kind", sa.String(40), primary_key=True),
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("incident_id", sa.String(20), sa.ForeignKey("incidents.id"), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("told_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
    )


def _heartbeats() -> None:
    missing.create_table(
        "heartbeats",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("service_id", sa.String(255), sa.ForeignKey("services.id"), nullable=False),
        sa.Column("every", sa.Integer, nullable=False),
        sa.Column("grace", sa.Integer, nullable=False),
        sa.Column("severity", sa.SmallInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(300), nullable=False),
        sa.Column("called_at", sa.BigInteger),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("silent_since", sa.BigInteger),
    )
    missing.create_index("ix_heartbeats_due", "heartbeats", ["due_at"])


def _maintenance() -> None:
    missing.create_table(
        "maintenance_windows",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.String(300), nullable=False),
    )
    missing.create_index("ix_maintenance_windows_end", "maintenance_windows", ["ends_at"])
    missing.create_table(
        "maintenance_services",
        sa.Column("window_id", sa.String(20), sa.ForeignKey("maintenance_windows.id"), primary_key=True),
        sa.Column("service_id", sa.String(255), sa.ForeignKey("services.id"), primary_key=True),
    )
    missing.add_column("incidents", sa.Column("held_until", sa.BigInteger))
    held = sa.text("held_until IS NOT NULL")
    missing.create_index("ix_incidents_held", "incidents", ["held_until"], sqlite_where=held, postgresql_where=held)
