"""Duties, signatures and calendars."""


def upgrade() -> None:
    """Add their tables."""
