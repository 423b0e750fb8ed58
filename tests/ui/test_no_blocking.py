"""Nothing on the screen waits: no nested event loops, no sleeping, no markup."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = (ROOT / "desktop" / "ui", ROOT / "desktop" / "qt")
# The probe is a program of its own, that nobody looks at while it waits.
FILES = sorted(path for folder in FOLDERS for path in folder.glob("*.py") if path.name != "probe.py")
FORBIDDEN = {"exec", "exec_", "sleep", "processEvents", "setHtml", "getText", "question", "warning", "critical"}


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 20


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_nothing_waits(path: Path) -> None:
    calls = [n.func for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    called = {f.attr for f in calls if isinstance(f, ast.Attribute)}
    assert not called & FORBIDDEN
