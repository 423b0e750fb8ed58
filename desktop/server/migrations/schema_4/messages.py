"""Messages to people on their other channels, and what their applications confirmed."""


def upgrade() -> None:
    """Add their tables."""
