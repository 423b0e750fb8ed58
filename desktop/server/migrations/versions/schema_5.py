"""Schema 5: messages, links, handovers, duties, heartbeats and maintenance.

Databases that say 4 may have any of it: each has what it lacks added.
"""

from desktop.server.migrations.schema_5 import duties, handovers, links, messages, promises

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Add what schema 5 has and this database lacks; nothing that was there changes."""
    for part in (messages, links, handovers, duties, promises):
        part.upgrade()
