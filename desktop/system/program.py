"""How this very program is started: as a child of ours, or by the desktop at login. Any thread."""

import os
import sys
from pathlib import Path

import desktop

_SOURCE = Path(desktop.__file__).parent.parent


def child_environment() -> dict[str, str]:
    """Return the environment in which ``python -m desktop`` finds this very program."""
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{_SOURCE}{os.pathsep}{path}" if path else str(_SOURCE)}


def child_command(*arguments: str) -> list[str]:
    """Return what starts this program within ``child_environment``."""
    return [sys.executable, "-m", "desktop", *arguments]


def login_command(python: Path | None = None, source: Path = _SOURCE) -> tuple[str, ...]:
    """Return what starts the application from anywhere and in any environment, every path whole.

    ``python`` is the interpreter (default: this one; of a virtual environment, its own), ``source`` where the package
    lies: a source tree is started by its ``main.py``, an installed package by the script beside the interpreter.
    """
    python = Path(sys.executable) if python is None else python
    entry = source / "main.py"
    if entry.is_file() and (source / "pyproject.toml").is_file():
        return str(_windowed(python)), str(entry)
    script = python.with_name("watchbell.exe" if sys.platform == "win32" else "watchbell")
    return (str(script),) if script.is_file() else (str(_windowed(python)), "-m", "desktop")


def _windowed(python: Path) -> Path:
    """Return the interpreter that opens no console, where there is one (Windows)."""
    windowed = python.with_name("pythonw.exe")
    return windowed if windowed.is_file() else python
