"""Schema 4: who changed what, messages, links, handovers, duties, heartbeats and maintenance."""

from desktop.server.migrations.schema_4 import audit, duties, handovers, links, messages, promises

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Add what schema 4 has; nothing that was there changes."""
    for part in (audit, messages, links, handovers, duties, promises):
        part.upgrade()
