"""Schema 2: people change who is on call without a team file, and several servers share one database."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

_instant = sa.BigInteger()


def upgrade() -> None:
    """Add what schema 2 has; nothing that was there changes."""
    _team()
    _overrides()
    _absences()
    _incidents()


def _team() -> None:
    op.add_column("team", sa.Column("applied_by", sa.String(300), nullable=False, server_default="file"))
    op.create_table(
        "team_files",
        sa.Column("place", sa.Text, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("vouched", sa.JSON, nullable=False),
        sa.Column("loaded_at", _instant, nullable=False),
    )
    op.execute("INSERT INTO counters (name, value) VALUES ('team', 0)")


def _overrides() -> None:
    op.create_table(
        "overrides",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("person_id", sa.String(255), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("starts_at", _instant, nullable=False),
        sa.Column("ends_at", _instant, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", _instant, nullable=False),
        sa.Column("created_by", sa.String(300), nullable=False),
    )


def _absences() -> None:
    op.create_table(
        "absences",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("person_id", sa.String(255), sa.ForeignKey("people.id"), nullable=False),
        sa.Column("cover_id", sa.String(255), sa.ForeignKey("people.id")),
        sa.Column("starts_at", _instant, nullable=False),
        sa.Column("ends_at", _instant, nullable=False),
        sa.Column("announced_at", _instant, nullable=False),
        sa.Column("confirmed_at", _instant),
        sa.Column("confirmed_by", sa.String(300)),
        sa.Column("created_at", _instant, nullable=False),
        sa.Column("created_by", sa.String(300), nullable=False),
    )


def _incidents() -> None:
    op.add_column("incidents", sa.Column("renewed_at", _instant))
    op.add_column("incidents", sa.Column("overdue_told_at", _instant))
    op.create_index("ix_incidents_version", "incidents", ["version"])
    if op.get_bind().dialect.name == "postgresql":
        # The numbers of incidents go on where the counter left off.
        op.execute("CREATE SEQUENCE incident_numbers")
        op.execute(
            "SELECT setval('incident_numbers', greatest(value, 1), value > 0) FROM counters WHERE name = 'incident'"
        )
