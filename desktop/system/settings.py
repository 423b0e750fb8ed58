"""The settings file: which connections there are, and what was chosen. Holds no secret. Any thread."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from desktop.domain.errors import InputError, StorageError


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """One connection: its token lies in the keyring under ``id``.

    ``proxy`` is the way to it: an address, ``none``, or empty for what the environment says. ``ca`` names the PEM file
    of the one authority that it is believed by; empty: those of the system. No secret: a proxy's password stays out.
    """

    id: str
    name: str
    url: str
    proxy: str = ""
    ca: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a person set."""

    connections: tuple[ConnectionSettings, ...] = ()
    # Whether a person switched starting at login on; the system knows whether it still is.
    autostart: bool = False
    # Whether systemd's user manager starts and guards the application, instead of the desktop and our supervisor.
    systemd: bool = False


def load(path: Path) -> Settings:
    """Read the settings at ``path``; without a file, the settings of a newcomer."""
    try:
        value = json.loads(path.read_text("utf-8"))
        connections = tuple(_connection(c) for c in value["connections"])
        return Settings(connections, value.get("autostart") is True, value.get("systemd") is True)
    except FileNotFoundError:
        return Settings()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        why = f"{e} is missing" if isinstance(e, KeyError) else str(e)
        raise InputError(f"{path} cannot be understood ({why}): mend it, or move it away to start anew") from e
    except OSError as e:
        raise StorageError(f"{path} cannot be read: {e.strerror}") from e


def save(path: Path, settings: Settings) -> None:
    """Write ``settings`` to ``path``, whole or not at all."""
    # What is not set is left out: an older Watchbell reads that, too.
    connections = [{key: value for key, value in asdict(c).items() if value} for c in settings.connections]
    chosen = {key: value for key, value in asdict(settings).items() if value}
    write_private(path, json.dumps({**chosen, "connections": connections}, indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as e:
        raise StorageError(f"{path} cannot be written: {e.strerror}") from e


def _connection(value: Any) -> ConnectionSettings:  # noqa: ANN401 - whatever the file holds
    return ConnectionSettings(
        id=str(value["id"]),
        name=str(value["name"]),
        url=str(value["url"]),
        proxy=str(value.get("proxy") or ""),
        ca=str(value.get("ca") or ""),
    )
