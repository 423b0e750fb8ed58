"""Schema 3: an acknowledged incident can be snoozed, people can be asked to help, and each shows its latest note."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Add what schema 3 has; nothing that was there changes."""
    op.add_column("incidents", sa.Column("snoozed_until", sa.BigInteger()))
    op.add_column("incidents", sa.Column("responders", sa.JSON))
    op.add_column("incidents", sa.Column("latest_note", sa.JSON))
    op.create_index("ix_log_entries_at", "log_entries", ["at", "id"])
