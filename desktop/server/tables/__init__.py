"""All tables, those of ``schema`` and the others by subject: importing this brings them into its ``metadata``."""

from desktop.server.schema import metadata
from desktop.server.tables import additions, audit, duties, handovers, links, messages, promises, team, tokens

__all__ = ["additions", "audit", "duties", "handovers", "links", "messages", "metadata", "promises", "team", "tokens"]
