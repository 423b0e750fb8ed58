"""Links in messages, by which an incident is acknowledged."""

import sqlalchemy as sa

from desktop.server.migrations.schema_5 import missing


def upgrade() -> None:
    """Add their tables."""
    missing.create_table(
        "links",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("incident_id", sa.String(20), sa.ForeignKey("incidents.id"), nullable=False),
        sa.Column("person_id", sa.String(255), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("spent_at", sa.BigInteger),
    )
    missing.create_index("ix_links_expires", "links", ["expires_at"])
