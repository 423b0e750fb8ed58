"""Overrides and absences. Values only, any thread."""

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table, Text

from desktop.server.schema import Instant, metadata

# What people change in the application stands in rows of its own, which applying a team file never touches. `number` is
# the revision that an override made: of two that overlap the later one holds.
overrides = Table(
    "overrides",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(300), nullable=False),
)

absences = Table(
    "absences",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("cover_id", ForeignKey("people.id")),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("announced_at", Instant, nullable=False),
    # Announced late, it holds from when the cover or a manager said yes.
    Column("confirmed_at", Instant),
    Column("confirmed_by", String(300)),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(300), nullable=False),
)
