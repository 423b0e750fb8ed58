"""Heartbeats, maintenance windows, and what the engine finds of itself."""


def upgrade() -> None:
    """Add their tables."""
