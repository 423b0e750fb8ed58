"""The tables of ``schema`` by subject: importing this brings all of them into its ``metadata``."""

from desktop.server.schema import metadata
from desktop.server.tables import duties, handovers, links, messages, promises

__all__ = ["duties", "handovers", "links", "messages", "metadata", "promises"]
