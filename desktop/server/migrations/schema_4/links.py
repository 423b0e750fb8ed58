"""Links in messages, by which an incident is acknowledged."""


def upgrade() -> None:
    """Add their tables."""
