"""Messages to people on their other channels, and what their applications confirmed."""

import sqlalchemy as sa

from desktop.server.migrations.schema_5 import missing


def upgrade() -> None:
    """Add their tables."""
    _pages()
    _messages()
    missing.create_table(
        "presences",
        sa.Column("server", sa.String(32), primary_key=True),
        sa.Column("person_id", sa.String(255), sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
    )


def _pages() -> None:
    missing.create_table(
        "pages",
        sa.Column("incident_id", sa.String(20), sa.ForeignKey("incidents.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("person_id", sa.String(255), sa.ForeignKey("people.id"), primary_key=True),
        sa.Column("paged_at", sa.BigInteger, nullable=False),
        sa.Column("displayed_at", sa.BigInteger),
        sa.Column("sounded_at", sa.BigInteger),
        sa.Column("input_at", sa.BigInteger),
        sa.Column("used", sa.JSON, nullable=False),
        sa.Column("climbed_at", sa.BigInteger),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
    )
    missing.create_index("ix_pages_due", "pages", ["next_at"])


def _messages() -> None:
    missing.create_table(
        "messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("key", sa.String(400), nullable=False, unique=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("incident_id", sa.String(20), sa.ForeignKey("incidents.id")),
        sa.Column("page", sa.Integer),
        sa.Column("recipient", sa.String(300), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("text", sa.JSON),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("leased_until", sa.BigInteger),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("error", sa.Text, nullable=False),
    )
    missing.create_index("ix_messages_due", "messages", ["state", "due_at"])
    missing.create_index("ix_messages_settled", "messages", ["settled_at"])
    missing.create_index("ix_messages_incident", "messages", ["incident_id"])
