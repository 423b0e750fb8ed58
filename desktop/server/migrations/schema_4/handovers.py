"""Emergency handovers."""


def upgrade() -> None:
    """Add their tables."""
