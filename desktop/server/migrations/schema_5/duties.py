"""What was done about duties, and the indexes by which they are found."""

import sqlalchemy as sa

from desktop.server.migrations.schema_5 import missing

_MAJOR, _RAISED = sa.text("severity <= 1"), sa.text("type = 'priority_change'")


def upgrade() -> None:
    """Add their tables."""
    missing.create_table(
        "duty_marks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("duty_id", sa.String(300), nullable=False),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("person_id", sa.String(255), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("point", sa.SmallInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("data", sa.JSON),
    )
    missing.create_index("ix_duty_marks_duty", "duty_marks", ["duty_id", "id"])
    missing.create_table(
        "settled_incidents",
        sa.Column("incident_id", sa.String(20), sa.ForeignKey("incidents.id"), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    missing.create_index(
        "ix_incidents_major", "incidents", ["created_at"], sqlite_where=_MAJOR, postgresql_where=_MAJOR
    )
    missing.create_index(
        "ix_log_entries_raised", "log_entries", ["incident_id"], sqlite_where=_RAISED, postgresql_where=_RAISED
    )
    missing.drop_index("ix_incidents_resolved", "incidents")
