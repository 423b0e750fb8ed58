"""Where Watchbell keeps its files on this machine. Any thread."""

from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs

from desktop.domain.errors import StorageError


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders: ``config`` for settings and the team file, ``data`` for databases, ``log`` for logs."""

    config: Path
    data: Path
    log: Path

    @property
    def settings(self) -> Path:
        """The connections and choices of this person."""
        return self.config / "settings.json"

    @property
    def team(self) -> Path:
        """The team file of the embedded server."""
        return self.config / "team.toml"

    @property
    def store(self) -> Path:
        """Commands that the backend has not confirmed, and a copy of what was known of each connection."""
        return self.data / "client.db"

    @property
    def lock(self) -> Path:
        """What the one running application holds locked."""
        return self.data / "application.lock"

    @property
    def alive(self) -> Path:
        """The file whose time says when the application last ran; there only until it is quit."""
        return self.data / "alive"

    @property
    def untold(self) -> Path:
        """The times in which nobody watched and of which it was not told yet what happened in them."""
        return self.data / "untold.json"

    @property
    def server_database(self) -> Path:
        """The embedded server's database."""
        return self.data / "watchbell.db"


def user_paths() -> Paths:
    """Return this person's folders, after the habits of the platform."""
    dirs = PlatformDirs("watchbell", appauthor=False)
    return Paths(Path(dirs.user_config_dir), Path(dirs.user_data_dir), Path(dirs.user_log_dir))


def paths_under(folder: Path) -> Paths:
    """Return folders below ``folder``, for a demonstration that leaves nothing behind."""
    return Paths(folder / "config", folder / "data", folder / "log")


def private_folder(path: Path) -> Path:
    """Make the folder ``path`` where there is none, for its owner only, and return it; StorageError when impossible."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as e:
        raise StorageError(f"{path} cannot be made: {e.strerror}; Watchbell keeps its files there") from e
    return path
