"""The settings file: which connections there are, and what was chosen. Holds no secret. Any thread."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from desktop.domain.errors import InputError, StorageError

_NOTHING = '{"connections": []}'
# Seconds. A change takes a few milliseconds, on a slow disk a second.
_PATIENCE = 5.0


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
    return _read(path)[0]


def change(path: Path, make: Callable[[Settings], Settings]) -> Settings:
    """Write what ``make`` makes of the settings at ``path``, and return it; nobody else changes them meanwhile.

    ``make`` must be quick. What a newer Watchbell, or a person, keeps there beside what we know stays.
    """
    with _alone(path):
        settings, found = _read(path)
        made = make(settings)
        if made != settings:
            _write(path, made, found)
        return made


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock of those who change the file at ``path``: the application, and commands in terminals."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=_PATIENCE, mode=0o600):
            yield
    except Timeout as e:
        raise StorageError(f"{path} is being changed by another program, and was left as it is: try again") from e
    except OSError as e:
        raise StorageError(f"{path} cannot be written: {e.strerror}") from e


def _read(path: Path) -> tuple[Settings, dict[str, Any]]:
    """Return the settings, and all that the file holds."""
    try:
        value = json.loads(path.read_text("utf-8"))
        connections = tuple(_connection(c) for c in value["connections"])
        return Settings(connections, value.get("autostart") is True, value.get("systemd") is True), value
    except FileNotFoundError:
        return Settings(), {}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        why = f"{e} is missing" if isinstance(e, KeyError) else str(e)
        # What to do comes first: small windows cut what is long.
        raise InputError(
            f"mend {path}, or let it hold {_NOTHING} to start anew: it cannot be understood ({why})"
        ) from e
    except OSError as e:
        raise StorageError(f"{path} cannot be read: {e.strerror}") from e


def save(path: Path, settings: Settings) -> None:
    """Write ``settings`` to ``path`` in place of all that it holds, whole or not at all."""
    _write(path, settings, {})


def _write(path: Path, settings: Settings, found: dict[str, Any]) -> None:
    """Write ``settings`` over those that were ``found``."""
    before = {str(c["id"]): c for c in found.get("connections", ())}
    connections = [_over(before.get(c.id, {}), c) for c in settings.connections]
    written = {**_over(found, settings), "connections": connections}
    write_private(path, json.dumps(written, indent=2) + "\n")


def _over(found: dict[str, Any], known: ConnectionSettings | Settings) -> dict[str, Any]:
    """Return what was ``found`` with what we know as it is now."""
    ours = {field.name for field in fields(known)}
    # What is not set is left out: an older Watchbell reads that, too.
    chosen = {key: value for key, value in asdict(known).items() if value}
    return {**{key: value for key, value in found.items() if key not in ours}, **chosen}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all; through a link, what that leads to."""
    try:
        path = Path(os.path.realpath(path))
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
