"""What a system starts at login, and the small files in which some keep that. Any thread."""

from dataclasses import dataclass
from pathlib import Path

from desktop.domain.errors import StorageError


@dataclass(frozen=True, slots=True)
class Entry:
    """What the system starts at login: the program and its arguments, ``on`` unless somebody switched it off there."""

    command: tuple[str, ...]
    on: bool


def read_text(path: Path) -> str | None:
    """Return a small file's text, None when there is none that can be read."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None


def remove(path: Path) -> None:
    """Remove a file that may be gone already; StorageError when that is refused."""
    try:
        path.unlink(missing_ok=True)
    except OSError as e:
        raise StorageError(f"{path} cannot be removed: {e.strerror}") from e
