"""A unit of systemd's user manager: it starts the application with the session and again after a crash. Any thread."""

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from desktop.domain.errors import StorageError
from desktop.system.autostart_entry import Entry, read_text, remove
from desktop.system.settings import write_private

NAME = "watchbell.service"
# Said to the application, which then starts no supervisor of its own (``desktop.system.guard``).
GUARDED = "--supervised"
# KillMode: the built-in server outlives a crash of the application, pages meanwhile, and ends with it otherwise.
_UNIT = """[Unit]
Description=Watchbell pages the engineer on call
PartOf=graphical-session.target
After=graphical-session.target
StartLimitIntervalSec=0

[Service]
ExecStart={command}
KillMode=process
Restart=on-failure
RestartSec=1
RestartPreventExitStatus=2

[Install]
WantedBy=graphical-session.target
"""


class SystemdUnit:
    """``watchbell.service`` in the user's folder of units, wanted by the graphical session: what ``enable`` does."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._wanted = folder / "graphical-session.target.wants" / NAME

    def read(self) -> Entry | None:
        """Return what the unit starts; it is on while the session wants it. A person's own of that name is not ours."""
        text = read_text(self._path)
        found = re.search(r"^ExecStart=(.*)$", text or "", re.MULTILINE)
        command = split_line(found[1]) if found else ()
        if GUARDED not in command:
            return None
        return Entry(tuple(p for p in command if p != GUARDED), self._wanted.is_symlink())

    def switch_on(self, command: Sequence[str]) -> None:
        """Write the unit and have the session want it."""
        write_private(self._path, _UNIT.format(command=join_line([*command, GUARDED])))
        try:
            self._wanted.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileExistsError):
                self._wanted.symlink_to(self._path)
        except OSError as e:
            raise StorageError(f"{self._wanted} cannot be made: {e.strerror}") from e

    def switch_off(self) -> None:
        """Remove the unit; what runs goes on until it is quit."""
        remove(self._wanted)
        remove(self._path)


def join_line(command: Sequence[str]) -> str:
    """Return a command line as systemd reads it: quoted, escaped, with neither specifiers nor variables.

    Variables are read in arguments only: in the program's path a dollar sign stands for itself (systemd.service(5)).
    """
    escaped = [re.sub(r'(["\\])', r"\\\1", part).replace("%", "%%") for part in command]
    parts = [*escaped[:1], *(part.replace("$", "$$") for part in escaped[1:])]
    return " ".join(f'"{part}"' for part in parts)


def split_line(line: str) -> tuple[str, ...]:
    """Return the arguments of such a line."""
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', line)
    found = [(bare or re.sub(r"\\(.)", r"\1", quoted)).replace("%%", "%") for quoted, bare in parts]
    return (*found[:1], *(part.replace("$$", "$") for part in found[1:]))
