"""The team that was applied, and the files that it came from. Values only, any thread."""

from sqlalchemy import JSON, Column, SmallInteger, String, Table, Text

from desktop.server.schema import Instant, metadata

team = Table(
    "team",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("document", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("applied_at", Instant, nullable=False),
    # Who applied it, as in `log_entries.actor`; "file" when it came with the start of a server.
    Column("applied_by", String(300), nullable=False, server_default="file"),
)

# The team files that whoever runs a server named at its start: `digest` of what stood there when it was last loaded,
# `vouched` the references to secrets that it named. An unchanged file never replaces a team that was applied later.
team_files = Table(
    "team_files",
    metadata,
    Column("place", Text, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("vouched", JSON, nullable=False),
    Column("loaded_at", Instant, nullable=False),
)
