"""The settings file, changed by several at once: no change is lost, and nothing that somebody else keeps there."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from desktop.domain.errors import InputError, StorageError
from desktop.system import settings as settings_file
from desktop.system.program import child_environment
from desktop.system.settings import ConnectionSettings, Settings

# Adds connections one by one, as `watchbell connect` does, from when its standard input ends.
ADDS = """
import sys
from dataclasses import replace
from pathlib import Path
from desktop.system import settings
name, path = sys.argv[1], Path(sys.argv[2])
print("ready", flush=True)
sys.stdin.read()
for number in range(25):
    one = settings.ConnectionSettings(f"{name}-{number}", name, f"https://{name}-{number}.example")
    settings.change(path, lambda known: replace(known, connections=(*known.connections, one)))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def test_two_processes_that_change_it_at_once_lose_nothing_of_each_other(path: Path) -> None:
    started = []
    for name in ("window", "command"):
        command = [sys.executable, "-c", ADDS, name, str(path)]
        process = subprocess.Popen(
            command, env=child_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        started.append(process)
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
    for process in started:
        with process:
            assert process.wait(20) == 0
    found = {c.id for c in settings_file.load(path).connections}
    assert found == {f"{name}-{number}" for name in ("window", "command") for number in range(25)}
    assert all(file.stat().st_mode & 0o077 == 0 for file in path.parent.iterdir())


def test_what_we_do_not_know_stays(path: Path) -> None:
    path.parent.mkdir()
    one = {"id": "one", "name": "One", "url": "https://one.example", "colour": "blue"}
    two = {"id": "two", "name": "Two", "url": "https://two.example", "proxy": "none"}
    path.write_text(json.dumps({"newer": {"a": [1]}, "systemd": True, "connections": [one, two]}))

    def changed(known: Settings) -> Settings:
        first, second = known.connections
        return replace(known, connections=(replace(first, ca="/ca.pem"), replace(second, proxy="")), systemd=False)

    settings_file.change(path, changed)
    del two["proxy"]
    assert json.loads(path.read_text()) == {"newer": {"a": [1]}, "connections": [{**one, "ca": "/ca.pem"}, two]}


def test_what_changes_nothing_writes_nothing(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"connections":   []}')
    assert settings_file.change(path, lambda known: known) == Settings()
    assert path.read_text() == '{"connections":   []}'


def test_who_does_not_get_at_it_in_time_says_so_and_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_file.save(path, Settings((ConnectionSettings("one", "One", "https://x"),)))
    monkeypatch.setattr(settings_file, "_PATIENCE", 0.01)
    before = path.read_text()
    with FileLock(path.with_name("settings.lock")), pytest.raises(StorageError, match="being changed by another"):
        settings_file.change(path, lambda _known: Settings())
    assert path.read_text() == before


def test_what_cannot_be_understood_is_not_written_over(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(InputError):
        settings_file.change(path, lambda known: replace(known, autostart=True))
    assert path.read_text() == "{"


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        settings_file.change(tmp_path / "file" / "settings.json", lambda known: known)


def test_a_link_stays_one_and_what_it_leads_to_is_changed(tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles" / "settings.json"
    link = tmp_path / "settings.json"
    link.symlink_to(kept)
    settings_file.change(link, lambda settings: replace(settings, autostart=True))
    assert link.is_symlink()
    assert settings_file.load(kept) == settings_file.load(link) == Settings(autostart=True)
