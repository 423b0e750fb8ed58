"""Links in messages, by which an incident is acknowledged. Values only, any thread."""

from sqlalchemy import Column, ForeignKey, Index, String, Table

from desktop.server.schema import Instant, metadata

# `hash` is the SHA-256 of what stands in the link, which is nowhere else; `spent_at` is when it acted.
links = Table(
    "links",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False),
    Column("person_id", ForeignKey("people.id"), nullable=False),
    Column("action", String(20), nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("spent_at", Instant),
    Index("ix_links_expires", "expires_at"),
)
