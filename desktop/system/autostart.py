"""Starting at login, as each system does it; what is switched here is read back from there. Any thread.

Linux: an entry of the XDG autostart specification, or a unit of systemd's user manager where the settings want that one
(https://specifications.freedesktop.org/autostart-spec/latest/). macOS: a LaunchAgent. Windows: the Run key.
"""

import plistlib
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from desktop.domain.errors import InputError
from desktop.system.autostart_entry import Entry, read_text, remove
from desktop.system.autostart_systemd import SystemdUnit
from desktop.system.settings import write_private

LABEL = "watchbell"
# Field codes stand for files that a desktop entry is opened with (Desktop Entry Specification, the Exec key).
_FIELD_CODE = re.compile("%[fFuUdDnNickvm]")
_KEY_ESCAPES = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


class Autostart(Protocol):
    """One way to be started at login. StorageError where it cannot be written."""

    def read(self) -> Entry | None:
        """Return what the system has now; None when there is nothing of ours."""

    def switch_on(self, command: Sequence[str]) -> None:
        """Have ``command`` started at login, in place of what was; the same twice is the same once."""

    def switch_off(self) -> None:
        """Start nothing at login any more."""


def autostart(environment: Mapping[str, str], *, systemd: bool) -> Autostart:
    """Return this machine's way; ``systemd`` prefers its unit, which also restarts it, where its manager runs.

    What was switched on in another way is read, too, and ends when this one is switched.
    """
    if sys.platform == "win32":
        from desktop.system.autostart_windows import RunKey, WindowsRegistry  # noqa: PLC0415 - there only

        return RunKey(WindowsRegistry())
    if sys.platform == "darwin":
        return LaunchAgent(Path.home() / "Library" / "LaunchAgents")
    config = Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    unit, entry = SystemdUnit(config / "systemd" / "user"), DesktopEntry(config / "autostart")
    if systemd and runtime and (Path(runtime) / "systemd").is_dir():
        return OneWay(unit, entry)
    return OneWay(entry, unit)


def missing_program(entry: Entry) -> str:
    """Return what ``entry`` names and what is not there, or cannot be started; empty when all is well."""
    program, *arguments = entry.command or ("",)
    if program and shutil.which(program) is None:
        return program
    return next((part for part in arguments if Path(part).is_absolute() and not Path(part).exists()), "")


class OneWay:
    """Starts in the way that is ``chosen``, and in no ``other`` one beside it."""

    def __init__(self, chosen: Autostart, other: Autostart) -> None:
        self._chosen = chosen
        self._other = other

    def read(self) -> Entry | None:
        """Return what is on, in whichever way; else what is there, the chosen way first."""
        found = [entry for way in (self._chosen, self._other) if (entry := way.read()) is not None]
        return next((entry for entry in found if entry.on), found[0] if found else None)

    def switch_on(self, command: Sequence[str]) -> None:
        """Switch the chosen way on, then the other one off: for a moment there are two, never none."""
        self._chosen.switch_on(command)
        self._end_other()

    def switch_off(self) -> None:
        """Switch both off."""
        self._chosen.switch_off()
        self._end_other()

    def _end_other(self) -> None:
        # What is not ours there is nobody's to remove.
        if self._other.read() is not None:
            self._other.switch_off()


class DesktopEntry:
    """``watchbell.desktop`` in the autostart folder of XDG."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{LABEL}.desktop"

    def read(self) -> Entry | None:
        """Return the entry; desktops switch one off by ``Hidden`` or a key of their own."""
        text = read_text(self._path)
        if text is None:
            return None
        keys = _keys(text)
        off = keys.get("Hidden") == "true" or keys.get("X-GNOME-Autostart-enabled") == "false"
        return Entry(split_exec(keys.get("Exec", "")), not off)

    def switch_on(self, command: Sequence[str]) -> None:
        """Write the entry."""
        lines = (
            "[Desktop Entry]",
            "Type=Application",
            "Name=Watchbell",
            "Comment=Pages the engineer on call",
            f"Exec={join_exec(command)}",
            "Terminal=false",
            "StartupNotify=false",
            "X-GNOME-Autostart-enabled=true",
        )
        write_private(self._path, "\n".join(lines) + "\n")

    def switch_off(self) -> None:
        """Remove the entry."""
        remove(self._path)


class LaunchAgent:
    """A property list in the LaunchAgents folder; launchd reads it at the next login (launchd.plist(5))."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{LABEL}.plist"

    def read(self) -> Entry | None:
        """Return the agent; one that nobody can read starts nothing."""
        try:
            found = plistlib.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, plistlib.InvalidFileException):
            return Entry((), on=False)
        arguments = found.get("ProgramArguments", ()) if isinstance(found, dict) else ()
        on = bool(arguments) and bool(found.get("RunAtLoad")) and not found.get("Disabled")
        return Entry(tuple(str(a) for a in arguments), on)

    def switch_on(self, command: Sequence[str]) -> None:
        """Write the agent. It restarts nothing: the supervisor does."""
        agent = {
            "Label": LABEL,
            "ProgramArguments": list(command),
            "RunAtLoad": True,
            "ProcessType": "Interactive",
            "LimitLoadToSessionType": "Aqua",
        }
        write_private(self._path, plistlib.dumps(agent).decode("utf-8"))

    def switch_off(self) -> None:
        """Remove the agent."""
        remove(self._path)


def join_exec(command: Sequence[str]) -> str:
    """Return the value of an Exec key: every argument quoted, then escaped as any string of a desktop entry is."""
    if any(c < " " for part in command for c in part):
        raise InputError("a program whose path has control characters in it cannot be started at login")
    quoted = (re.sub(r'(["`$\\])', r"\\\1", part).replace("%", "%%") for part in command)
    return " ".join(f'"{part}"' for part in quoted).replace("\\", "\\\\")


def split_exec(value: str) -> tuple[str, ...]:
    """Return the arguments of an Exec key's value, without field codes."""
    text = re.sub(r"\\(.)", lambda found: _KEY_ESCAPES.get(found[1], found[0]), value)
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', text, re.DOTALL)
    arguments = (bare or re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) for quoted, bare in parts)
    return tuple(a.replace("%%", "%") for a in arguments if not _FIELD_CODE.fullmatch(a))


def _keys(text: str) -> dict[str, str]:
    """Return the keys of the first group of a desktop entry."""
    keys: dict[str, str] = {}
    groups = 0
    for line in text.splitlines():
        groups += line.startswith("[")
        name, found, value = line.partition("=")
        if groups == 1 and found and not line.startswith("#"):
            keys[name.strip()] = value.strip()
    return keys
