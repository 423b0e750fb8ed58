"""The Run key of Windows' registry. Any thread."""

import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Protocol

from desktop.domain.errors import StorageError
from desktop.system.autostart_entry import Entry

RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
# Where the Task Manager keeps what a person switched off there: the first byte is odd then.
APPROVED = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
NAME = "Watchbell"


class Registry(Protocol):
    """The current user's part of the registry. OSError where it cannot be written."""

    def get(self, key: str, name: str) -> str | bytes | None:
        """Return a value, None when there is none."""

    def set(self, key: str, name: str, value: str) -> None:
        """Keep a text, making the key where there is none."""

    def delete(self, key: str, name: str) -> None:
        """Remove a value, if there is one."""


class RunKey:
    """A value in the Run key, unless the Task Manager says otherwise."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def read(self) -> Entry | None:
        """Return what is started."""
        line = self._registry.get(RUN, NAME)
        if not isinstance(line, str):
            return None
        approved = self._registry.get(APPROVED, NAME)
        off = isinstance(approved, bytes) and bool(approved) and approved[0] % 2 == 1
        return Entry(split_line(line), not off)

    def switch_on(self, command: Sequence[str]) -> None:
        """Write the value, and take back that it was switched off."""
        try:
            self._registry.set(RUN, NAME, subprocess.list2cmdline(command))
            self._registry.delete(APPROVED, NAME)
        except OSError as e:
            raise StorageError(f"the registry's Run key cannot be written: {e.strerror}") from e

    def switch_off(self) -> None:
        """Remove the value."""
        try:
            self._registry.delete(RUN, NAME)
        except OSError as e:
            raise StorageError(f"the registry's Run key cannot be written: {e.strerror}") from e


def split_line(line: str) -> tuple[str, ...]:
    """Return the arguments of a command line as Windows' C library divides it, for what ``list2cmdline`` joined."""
    parts = re.findall(r'(?:[^\s"\\]|\\+"?|"(?:[^"\\]|\\+"?)*"?)+', line)
    return tuple(_unquoted(part) for part in parts)


def _unquoted(part: str) -> str:
    def meant(found: re.Match[str]) -> str:
        slashes, quote = len(found[1]), found[2]
        if not quote:
            return "\\" * slashes
        # Before a quotation mark, two backslashes are one; an odd one makes the mark itself a character.
        return "\\" * (slashes // 2) + ('"' if slashes % 2 else "")

    return re.sub(r'(\\*)("?)', meant, part)


if sys.platform == "win32":
    import winreg

    class WindowsRegistry:
        """The real one."""

        def get(self, key: str, name: str) -> str | bytes | None:
            """Return a value, None when there is none."""
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
                    value = winreg.QueryValueEx(opened, name)[0]
            except FileNotFoundError:
                return None
            return value if isinstance(value, (str, bytes)) else None

        def set(self, key: str, name: str, value: str) -> None:
            """Keep a text, making the key where there is none."""
            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, key) as opened:
                winreg.SetValueEx(opened, name, 0, winreg.REG_SZ, value)

        def delete(self, key: str, name: str) -> None:
            """Remove a value, if there is one."""
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key, 0, winreg.KEY_SET_VALUE) as opened:
                    winreg.DeleteValue(opened, name)
            except FileNotFoundError:
                return
