"""What all tables have in common, and those of incidents and of whom they concern. Values only, any thread.

SQLAlchemy Core, portable between SQLite and PostgreSQL. The other tables stand in ``tables``, by subject.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

# Each needs a file in `migrations.versions`. Under `VERSION_KEY` the table `meta` says which one a database has.
SCHEMA_VERSION = 5
VERSION_KEY = "schema_version"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """Return the whole microseconds from 1970 to ``at`` (aware): exact, unlike a float of seconds."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the UTC instant ``micros`` microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as microseconds since 1970: the same order and precision on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's
        """Turn an instant into its number."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn the number back into an instant in UTC."""
        return None if value is None else from_micros(value)


metadata = MetaData()

# SQLite numbers rows by itself only in a column declared INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")

meta = Table("meta", metadata, Column("key", String(40), primary_key=True), Column("value", Text, nullable=False))

# What Alembic notes for itself; always the same as in `meta`, which every Watchbell can read.
revision = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

# Numbers that must be given out in commit order: `version` of changes, and `team`, the revision of who is in the team
# and on call. A sequence would let a later number commit first; a row's lock does not. `incident`, the number of an
# incident, stands here on SQLite only.
counters = Table(
    "counters",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

# The same on PostgreSQL, where nobody has to wait for a sequence; elsewhere it does not exist.
incident_numbers = Sequence("incident_numbers", metadata=metadata)

people = Table(
    "people",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False, default=""),
    Column("phone", Text, nullable=False, default=""),
    Column("time_zone", Text, nullable=False, default=""),
    Column("access", String(20), nullable=False),
    # Emergency contacts are people who can be paged but never log in; those who left the team keep their history.
    Column("contact", Boolean, nullable=False, default=False),
    Column("active", Boolean, nullable=False, default=True),
)

services = Table(
    "services",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("name", Text, nullable=False),
    Column("runbook", Text, nullable=False, default=""),
    Column("severity", SmallInteger),
    Column("active", Boolean, nullable=False, default=True),
)

# The escalation lists of all severities, frozen: incidents born under the same rules share a row.
policies = Table(
    "policies",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("document", JSON, nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("service_id", ForeignKey("services.id"), nullable=False),
    Column("dedup_key", String(255), nullable=False),
    Column("title", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("severity_note", Text, nullable=False, default=""),
    Column("urgency", String(10), nullable=False),
    Column("link", Text, nullable=False, default=""),
    Column("policy", ForeignKey("policies.digest"), nullable=False),
    # Which severity's list it escalates by; None: assigned to people directly, nobody else is paged.
    Column("escalates_as", SmallInteger),
    Column("progress", JSON, nullable=False),
    Column("next_action_at", Instant),
    Column("version", BigInteger, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("flaps", Integer, nullable=False, default=0),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("resolved_at", Instant),
    # When the acknowledgement was renewed last; when it was told that the target to resolve had passed.
    Column("renewed_at", Instant),
    Column("overdue_told_at", Instant),
    # Until when the acknowledgement holds, because somebody said so; None: as long as its severity lets it.
    Column("snoozed_until", Instant),
    # Until when it pages nobody, for its service was under maintenance when it was triggered.
    Column("held_until", Instant),
    # Who was asked to help, and the latest note, as in `records`; the whole history is in `log_entries`. NULL: none.
    Column("responders", JSON(none_as_null=True)),
    Column("latest_note", JSON(none_as_null=True)),
    # Who changed the status last, as in `log_entries.actor`.
    Column("changed_by", String(300), nullable=False),
    Index("ix_incidents_due", "next_action_at"),
    Index(
        "ix_incidents_held",
        "held_until",
        sqlite_where=text("held_until IS NOT NULL"),
        postgresql_where=text("held_until IS NOT NULL"),
    ),
    # What changed since another server looked last.
    Index("ix_incidents_version", "version"),
    Index("ix_incidents_created", "created_at"),
    Index("ix_incidents_status", "status", "created_at"),
    Index("ix_incidents_key", "service_id", "dedup_key", "resolved_at"),
    Index(
        "ux_incidents_open_key",
        "service_id",
        "dedup_key",
        unique=True,
        sqlite_where=text("status != 'resolved'"),
        postgresql_where=text("status != 'resolved'"),
    ),
)

assignments = Table(
    "assignments",
    metadata,
    Column("incident_id", ForeignKey("incidents.id"), primary_key=True),
    Column("person_id", ForeignKey("people.id"), primary_key=True),
    Column("at", Instant, nullable=False),
    Index("ix_assignments_person", "person_id"),
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("incident_id", ForeignKey("incidents.id"), primary_key=True),
    Column("person_id", ForeignKey("people.id"), primary_key=True),
    Column("at", Instant, nullable=False),
)

# What happened, never changed: `type` without PagerDuty's "_log_entry", `actor` "person:ana", "service:payments" or
# "engine". A trigger's `data` holds the whole event: nothing that was sent is lost.
log_entries = Table(
    "log_entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False),
    Column("type", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(300), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("data", JSON, nullable=False),
    Index("ix_log_entries_incident", "incident_id", "id"),
    Index("ix_log_entries_at", "at", "id"),
)
