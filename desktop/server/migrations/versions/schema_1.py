"""Schema 1, from which every migration starts: nothing comes before it, and an empty database never gets it."""

revision = "1"
down_revision = None


def upgrade() -> None:
    """Do nothing: whoever has this schema was given it when the database was made."""
