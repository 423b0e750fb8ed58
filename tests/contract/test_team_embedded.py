"""The embedded server of the tray application: a team that was applied to it lasts, whatever its team file says."""

import json
import logging
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from desktop.cli import main
from desktop.connections.accounts import EMBEDDED
from desktop.connections.setting_up import ensure_team, new_token
from desktop.system.embedded import EmbeddedServer
from desktop.system.paths import Paths, user_paths
from desktop.system.secrets import Secrets

Capture = pytest.CaptureFixture[str]

STARTER = """
time_zone = "UTC"
[[people]]
id = "kim"
name = "Kim Vale"
access = "admin"
[rotation.primary]
members = ["kim"]
start = 2020-01-06T09:00:00
every = "1 week"
"""
GROWN = STARTER + '[[people]]\nid = "ana"\nname = "Ana Ruiz"\n'
GROWN = GROWN.replace('members = ["kim"]', 'members = ["ana"]')


@pytest.fixture
def paths(monkeypatch: pytest.MonkeyPatch) -> Paths:
    # A command sets up logging for its process, which here is everybody's.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    paths = user_paths()
    paths.team.parent.mkdir(parents=True, exist_ok=True)
    paths.team.write_text(STARTER, "utf-8")
    return paths


@contextmanager
def embedded(paths: Paths) -> Iterator[None]:
    """Run the server as the tray application does, its token in the keyring."""
    token = new_token()
    Secrets().set(EMBEDDED, token)
    urls: queue.Queue[str | None] = queue.Queue()
    server = EmbeddedServer(paths, token, lambda: ensure_team(paths), urls.put)
    server.start()
    try:
        assert urls.get(timeout=20), server.trouble
        yield
    finally:
        server.stop()


def who(capsys: Capture) -> str:
    capsys.readouterr()
    assert main(["oncall", "--json"]) == 0
    return str(json.loads(capsys.readouterr().out)["roles"]["primary"]["person"])


def test_what_was_applied_lasts_until_the_file_changes(paths: Paths, capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "grown.toml"
    file.write_text(GROWN, "utf-8")
    with embedded(paths):
        assert who(capsys) == "kim"
        assert main(["team", "apply", str(file)]) == 2
        assert "Ana Ruiz would be primary instead of Kim Vale at this moment: say --force" in capsys.readouterr().err
        assert main(["team", "apply", str(file), "--force"]) == 0
        assert who(capsys) == "ana"
    with embedded(paths):
        assert who(capsys) == "ana"
    paths.team.write_text(f"# changed\n{STARTER}", "utf-8")
    with embedded(paths):
        assert who(capsys) == "kim"


def test_the_application_does_not_lock_itself_out(paths: Paths, capsys: Capture) -> None:
    with embedded(paths):
        paths.team.write_text(STARTER.replace("kim", "lea"), "utf-8")
        assert main(["team", "apply", str(paths.team), "--force"]) == 2
        assert "keep kim among [[people]], or change the team file there and start it again" in capsys.readouterr().err
    with embedded(paths):
        assert who(capsys) == "lea"
