"""Tokens of people, and integration keys. Values only, any thread."""

from sqlalchemy import Column, ForeignKey, String, Table

from desktop.server.schema import Id, Instant, metadata

# `kind` is "user" (acts as a person), "calendar" (opens the calendar of one) or "integration" (may only enqueue);
# `label` names a slot that is replaced as a whole: "embedded", "team".
tokens = Table(
    "tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("person_id", ForeignKey("people.id")),
    Column("service_id", ForeignKey("services.id")),
    Column("label", String(40), nullable=False, default=""),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
)
