"""Messages to people on their other channels, and what their applications confirmed. Values only, any thread."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text

from desktop.server.schema import Id, Instant, metadata

# Each time that a person was paged: `number` is `incidents.pages` after it. `next_at` is when to look at its ladder
# (NULL: never again), `used` the digests of the addresses that were tried, `ended_at` when somebody took it.
pages = Table(
    "pages",
    metadata,
    Column("incident_id", ForeignKey("incidents.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("person_id", ForeignKey("people.id"), primary_key=True),
    Column("paged_at", Instant, nullable=False),
    Column("displayed_at", Instant),
    Column("sounded_at", Instant),
    Column("input_at", Instant),
    Column("used", JSON, nullable=False),
    Column("climbed_at", Instant),
    Column("next_at", Instant),
    Column("ended_at", Instant),
    Index("ix_pages_due", "next_at"),
)

# What is to be said to whom: `recipient` is "person:ana" or "channel:incidents", `address` the digest of one of their
# addresses, never the address. `state` is waiting, sending (until `leased_until`, then anybody takes it again), sent,
# failed (for good) or cancelled. `text` is NULL where it is made when it is sent. `error` is in our own words.
messages = Table(
    "messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(400), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("incident_id", ForeignKey("incidents.id")),
    Column("page", Integer),
    Column("recipient", String(300), nullable=False),
    Column("address", String(64), nullable=False),
    Column("text", JSON(none_as_null=True)),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("leased_until", Instant),
    Column("settled_at", Instant),
    Column("error", Text, nullable=False),
    Index("ix_messages_due", "state", "due_at"),
    Index("ix_messages_settled", "settled_at"),
    Index("ix_messages_incident", "incident_id"),
)

# Who has a live stream, at which server; one that is killed does not renew it, so that it ends at `until`.
presences = Table(
    "presences",
    metadata,
    Column("server", String(32), primary_key=True),
    Column("person_id", ForeignKey("people.id"), primary_key=True),
    Column("until", Instant, nullable=False),
)
