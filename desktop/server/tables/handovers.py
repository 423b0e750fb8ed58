"""Emergency handovers and acting primaries: what happened, as rows. Values only, any thread.

Nothing here is a plan: what is to be done next is worked out from these facts each time (``domain.handover``,
``domain.acting``). ``version`` is the number of the latest change, in the order of the commits, for the streams.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from desktop.server.schema import Id, Instant, metadata

# The wish, and what was found when it was made: `candidates` and `managers` are lists of ids, and `allowed` whom the
# asker said yes to since. `key` is the Idempotency-Key of the request. Open until `ended_at`.
handovers = Table(
    "handovers",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("giver_id", ForeignKey("people.id"), nullable=False),
    Column("asker_id", ForeignKey("people.id"), nullable=False),
    Column("receiver_id", ForeignKey("people.id")),
    Column("role", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("auto_next", Boolean, nullable=False),
    Column("stays_available", Boolean, nullable=False),
    Column("key", String(200)),
    Column("requested_at", Instant, nullable=False),
    Column("until", Instant),
    Column("candidates", JSON, nullable=False),
    Column("managers", JSON, nullable=False),
    Column("allowed", JSON, nullable=False),
    Column("read_at", Instant),
    Column("cancelled_at", Instant),
    Column("ended_as", String(20)),
    Column("ended_at", Instant),
    Column("next_action_at", Instant),
    Index("ix_handovers_due", "next_action_at"),
    Index("ix_handovers_version", "version"),
    Index("ix_handovers_requested", "requested_at", "id"),
    Index("ix_handovers_open", "giver_id", "ended_at"),
    Index("ux_handovers_key", "asker_id", "key", unique=True),
)

# `incident_id` is the page, None for whoever took the watch unasked; `yes` None as long as nobody answered.
handover_offers = Table(
    "handover_offers",
    metadata,
    Column("handover_id", ForeignKey("handovers.id"), primary_key=True),
    Column("person_id", ForeignKey("people.id"), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("incident_id", ForeignKey("incidents.id")),
    Column("yes", Boolean),
    Column("answered_at", Instant),
    Index("ix_handover_offers_incident", "incident_id"),
)

handover_confirmations = Table(
    "handover_confirmations",
    metadata,
    Column("handover_id", ForeignKey("handovers.id"), primary_key=True),
    Column("point", String(20), primary_key=True),
    Column("receiver_id", ForeignKey("people.id"), primary_key=True),
    Column("by_id", ForeignKey("people.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("waived", Boolean, nullable=False),
)

# What was said to whom: `kind` is tell, ask or remind; `about` the state that is told of, or the person asked about;
# `said_at` when the yes was said that held then.
handover_notices = Table(
    "handover_notices",
    metadata,
    Column("handover_id", ForeignKey("handovers.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("about", String(255), nullable=False),
    Column("said_at", Instant),
    Column("people", JSON, nullable=False),
    Column("text", Text, nullable=False),
)

# What a handover made: `kind` is override, absence, note or delegation, `thing_id` the override, absence or incident.
handover_works = Table(
    "handover_works",
    metadata,
    Column("handover_id", ForeignKey("handovers.id"), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("thing_id", String(20), primary_key=True),
    Column("at", Instant, nullable=False),
)

# Who is paged beside whoever holds a role, until `ends_at` (None: until it is taken back), because of `source`.
companions = Table(
    "companions",
    metadata,
    Column("source", String(40), primary_key=True),
    Column("role", String(20), primary_key=True),
    Column("person_id", ForeignKey("people.id"), primary_key=True),
    Column("ends_at", Instant),
)

# A SEV-0 or SEV-1 escalated past `people`, who had been paged for it; due until the engine has looked whether the
# primary is among them. `acknowledged_by` is who acknowledged it first after that.
passes = Table(
    "passes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("people", JSON, nullable=False),
    Column("paged_at", Instant, nullable=False),
    Column("passed_at", Instant, nullable=False),
    Column("acknowledged_by", ForeignKey("people.id")),
    Column("acknowledged_at", Instant),
    Column("next_action_at", Instant),
    Index("ix_passes_due", "next_action_at"),
    Index("ix_passes_incident", "incident_id"),
    Index("ix_passes_passed", "passed_at"),
)

# Something grave escalated past a primary who has not been heard of since; `shown` is what was told of it last.
silences = Table(
    "silences",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("primary_id", ForeignKey("people.id"), nullable=False),
    Column("paged_at", Instant, nullable=False),
    Column("passed_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("shown", JSON, nullable=False),
    Index("ix_silences_version", "version"),
    Index(
        "ux_silences_open",
        "primary_id",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

silence_replies = Table(
    "silence_replies",
    metadata,
    Column("silence_id", ForeignKey("silences.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("yes", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    Column("override_id", String(20)),
)
