"""Emergency handovers, and acting primaries."""

import sqlalchemy as sa

from desktop.server.migrations.schema_5 import missing

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add their tables."""
    _handovers()
    _of_a_handover()
    _acting()


def _person(name: str, *, primary_key: bool = False, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(255), sa.ForeignKey("people.id"), primary_key=primary_key, nullable=nullable)


def _handover() -> "sa.Column[str]":
    return sa.Column("handover_id", sa.String(20), sa.ForeignKey("handovers.id"), primary_key=True)


def _handovers() -> None:
    missing.create_table(
        "handovers",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        _person("giver_id"),
        _person("asker_id"),
        _person("receiver_id", nullable=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("auto_next", sa.Boolean, nullable=False),
        sa.Column("stays_available", sa.Boolean, nullable=False),
        sa.Column("key", sa.String(200)),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("candidates", sa.JSON, nullable=False),
        sa.Column("managers", sa.JSON, nullable=False),
        sa.Column("allowed", sa.JSON, nullable=False),
        sa.Column("read_at", sa.BigInteger),
        sa.Column("cancelled_at", sa.BigInteger),
        sa.Column("ended_as", sa.String(20)),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("next_action_at", sa.BigInteger),
    )
    missing.create_index("ix_handovers_due", "handovers", ["next_action_at"])
    missing.create_index("ix_handovers_version", "handovers", ["version"])
    missing.create_index("ix_handovers_requested", "handovers", ["requested_at", "id"])
    missing.create_index("ix_handovers_open", "handovers", ["giver_id", "ended_at"])
    missing.create_index("ux_handovers_key", "handovers", ["asker_id", "key"], unique=True)


def _of_a_handover() -> None:
    missing.create_table(
        "handover_offers",
        _handover(),
        _person("person_id", primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("incident_id", sa.String(20), sa.ForeignKey("incidents.id")),
        sa.Column("yes", sa.Boolean),
        sa.Column("answered_at", sa.BigInteger),
    )
    missing.create_index("ix_handover_offers_incident", "handover_offers", ["incident_id"])
    missing.create_table(
        "handover_confirmations",
        _handover(),
        sa.Column("point", sa.String(20), primary_key=True),
        _person("receiver_id", primary_key=True),
        _person("by_id"),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("waived", sa.Boolean, nullable=False),
    )
    missing.create_table(
        "handover_notices",
        _handover(),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("about", sa.String(255), nullable=False),
        sa.Column("said_at", sa.BigInteger),
        sa.Column("people", sa.JSON, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    missing.create_table(
        "handover_works",
        _handover(),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("thing_id", sa.String(20), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    missing.create_table(
        "companions",
        sa.Column("source", sa.String(40), primary_key=True),
        sa.Column("role", sa.String(20), primary_key=True),
        _person("person_id", primary_key=True),
        sa.Column("ends_at", sa.BigInteger),
    )


def _acting() -> None:
    missing.create_table(
        "passes",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("incident_id", sa.String(20), sa.ForeignKey("incidents.id"), nullable=False),
        sa.Column("severity", sa.SmallInteger, nullable=False),
        sa.Column("people", sa.JSON, nullable=False),
        sa.Column("paged_at", sa.BigInteger, nullable=False),
        sa.Column("passed_at", sa.BigInteger, nullable=False),
        _person("acknowledged_by", nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger),
        sa.Column("next_action_at", sa.BigInteger),
    )
    missing.create_index("ix_passes_due", "passes", ["next_action_at"])
    missing.create_index("ix_passes_incident", "passes", ["incident_id"])
    missing.create_index("ix_passes_passed", "passes", ["passed_at"])
    missing.create_table(
        "silences",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        _person("primary_id"),
        sa.Column("paged_at", sa.BigInteger, nullable=False),
        sa.Column("passed_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("shown", sa.JSON, nullable=False),
    )
    missing.create_index("ix_silences_version", "silences", ["version"])
    still_open = sa.text("ended_at IS NULL")
    missing.create_index(
        "ux_silences_open",
        "silences",
        ["primary_id"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    missing.create_table(
        "silence_replies",
        sa.Column("silence_id", _ID, sa.ForeignKey("silences.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        _person("person_id"),
        sa.Column("yes", sa.Boolean, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("override_id", sa.String(20)),
    )
