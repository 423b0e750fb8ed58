"""Every way to be started at login, held to the same: what is switched on is read back, whatever is in its path."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.errors import InputError, StorageError
from desktop.system import autostart_systemd, autostart_windows
from desktop.system.autostart import (
    Autostart,
    DesktopEntry,
    LaunchAgent,
    autostart,
    join_exec,
    missing_program,
    split_exec,
)
from desktop.system.autostart_entry import Entry
from desktop.system.autostart_systemd import SystemdUnit
from desktop.system.autostart_windows import APPROVED, NAME, RUN, Registry, RunKey
from tests.fakes.registry import MemoryRegistry
from tests.parts import need

KINDS: dict[str, Callable[[Path], Autostart]] = {
    "xdg": DesktopEntry,
    "systemd": SystemdUnit,
    "macos": LaunchAgent,
    "windows": lambda _folder: RunKey(MemoryRegistry()),
}
COMMAND = ("/home/ana/my env/bin/python", '/home/ana/100 % "sure" $HOME `x` \\ it\'s/main.py')


@pytest.fixture(params=KINDS)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Autostart:
    return KINDS[request.param](tmp_path / "a folder that is not there yet")


def test_what_is_switched_on_is_read_back(way: Autostart) -> None:
    assert way.read() is None
    way.switch_on(COMMAND)
    way.switch_on(COMMAND)
    assert way.read() == Entry(COMMAND, on=True)
    way.switch_on(("/new/watchbell",))
    assert way.read() == Entry(("/new/watchbell",), on=True)


def test_off_is_off_however_often(way: Autostart) -> None:
    way.switch_off()
    way.switch_on(COMMAND)
    way.switch_off()
    way.switch_off()
    assert way.read() is None


ARGUMENTS = st.lists(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1))


@given(ARGUMENTS)
def test_any_path_comes_back_from_a_desktop_entry(command: list[str]) -> None:
    assert split_exec(join_exec(command)) == tuple(command)


@given(ARGUMENTS)
def test_any_path_comes_back_from_a_unit(command: list[str]) -> None:
    assert autostart_systemd.split_line(autostart_systemd.join_line(command)) == tuple(command)


@given(st.lists(st.text("ab \"\\'%", min_size=1)))
def test_any_path_comes_back_from_the_run_key(command: list[str]) -> None:
    assert autostart_windows.split_line(subprocess.list2cmdline(command)) == tuple(command)


def test_a_desktop_entry_is_quoted_as_the_specification_says() -> None:
    assert join_exec(["/my env/python", "a$b\\c%"]) == r'"/my env/python" "a\\$b\\\\c%%"'
    assert split_exec("/usr/bin/watchbell --x %U") == ("/usr/bin/watchbell", "--x")
    with pytest.raises(InputError):
        join_exec(["/a\nHidden=true"])


@pytest.mark.parametrize("line", ["Hidden=true", "X-GNOME-Autostart-enabled=false"])
def test_a_desktop_entry_that_somebody_switched_off_is_off(tmp_path: Path, line: str) -> None:
    way = DesktopEntry(tmp_path)
    way.switch_on(COMMAND)
    file = tmp_path / "watchbell.desktop"
    kept = [x for x in file.read_text().splitlines() if not x.startswith("X-GNOME")]
    file.write_text("\n".join([*kept, line, "[Desktop Action x]", "Exec=other", "Hidden=false"]))
    assert way.read() == Entry(COMMAND, on=False)


def test_a_unit_that_somebody_disabled_is_off(tmp_path: Path) -> None:
    way = SystemdUnit(tmp_path)
    way.switch_on(COMMAND)
    (tmp_path / "graphical-session.target.wants" / "watchbell.service").unlink()
    assert way.read() == Entry(COMMAND, on=False)


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    analyze = need("systemd-analyze")
    program = tmp_path / "a $HOME 100%" / "python"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    SystemdUnit(tmp_path).switch_on((str(program), "an argument"))
    command = [str(analyze), "--user", "verify", "--man=no", str(tmp_path / "watchbell.service")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "watchbell.service" not in done.stderr, done.stderr


@pytest.mark.parametrize("content", [b"", b"no plist", b"<plist><array/></plist>"])
def test_an_agent_that_cannot_be_read_starts_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "watchbell.plist").write_bytes(content)
    found = LaunchAgent(tmp_path).read()
    assert found is not None
    assert not found.on


def test_what_the_task_manager_switched_off_is_off_until_it_is_switched_on_here() -> None:
    registry = MemoryRegistry()
    way = RunKey(registry)
    way.switch_on(COMMAND)
    registry.values[APPROVED, NAME] = b"\x03" + bytes(11)
    assert way.read() == Entry(COMMAND, on=False)
    registry.values[APPROVED, NAME] = b"\x02" + bytes(11)
    assert way.read() == Entry(COMMAND, on=True)
    registry.values[APPROVED, NAME] = b"\x03" + bytes(11)
    way.switch_on(COMMAND)
    assert way.read() == Entry(COMMAND, on=True)
    registry.values[RUN, NAME] = b"no text"
    assert way.read() is None


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    registry = MemoryRegistry()
    registry.refuse = True
    blocked = tmp_path / "file"
    blocked.touch()
    for way in (RunKey(registry), DesktopEntry(blocked), LaunchAgent(blocked), SystemdUnit(blocked)):
        with pytest.raises(StorageError):
            way.switch_on(COMMAND)
    with pytest.raises(StorageError):
        RunKey(registry).switch_off()


def test_this_machine_has_its_way(tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_RUNTIME_DIR": str(tmp_path)}
    autostart(environment, systemd=False).switch_on(COMMAND)
    # Wanted and not there: the desktop's own way.
    assert autostart(environment, systemd=True).read() == Entry(COMMAND, on=True)
    assert (tmp_path / "config" / "autostart" / "watchbell.desktop").exists()
    assert not (tmp_path / "config" / "systemd").exists()


@pytest.mark.parametrize("systemd", [True, False])
def test_another_way_is_seen_and_ends_when_it_is_switched(tmp_path: Path, systemd: bool) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_RUNTIME_DIR": str(tmp_path)}
    (tmp_path / "systemd").mkdir()
    entry, unit = DesktopEntry(tmp_path / "config" / "autostart"), SystemdUnit(tmp_path / "config" / "systemd" / "user")
    before, after = (entry, unit) if systemd else (unit, entry)
    before.switch_on(COMMAND)
    way = autostart(environment, systemd=systemd)
    assert way.read() == Entry(COMMAND, on=True)
    way.switch_on(("/new/watchbell",))
    assert (before.read(), after.read()) == (None, Entry(("/new/watchbell",), on=True))
    assert way.read() == after.read()
    before.switch_on(COMMAND)
    way.switch_off()
    assert (before.read(), after.read(), way.read()) == (None, None, None)


def test_a_persons_own_unit_of_that_name_is_left_alone(tmp_path: Path) -> None:
    unit = tmp_path / "config" / "systemd" / "user" / "watchbell.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/usr/bin/watchbell serve\n")
    way = autostart({"XDG_CONFIG_HOME": str(tmp_path / "config")}, systemd=False)
    assert way.read() is None
    way.switch_on(COMMAND)
    way.switch_off()
    assert unit.exists()


def test_a_program_that_is_gone_is_named(tmp_path: Path) -> None:
    there = tmp_path / "python"
    there.touch(mode=0o700)
    assert missing_program(Entry((str(there), "-m", "desktop"), on=True)) == ""
    assert missing_program(Entry((str(there), "/gone/main.py"), on=True)) == "/gone/main.py"


@pytest.mark.skipif(sys.platform == "win32", reason="there, a name's ending says whether it can be started")
def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    unstartable, dangling, folder = tmp_path / "watchbell", tmp_path / "python", tmp_path / "folder"
    unstartable.touch(mode=0o600)
    dangling.symlink_to(tmp_path / "python3.gone")
    folder.mkdir()
    for program in (str(unstartable), str(dangling), str(folder), "no-such-watchbell"):
        assert missing_program(Entry((program,), on=True)) == program
    assert missing_program(Entry(("sh", "-c", "true"), on=True)) == ""


def registries() -> list[Registry]:
    found: list[Registry] = [MemoryRegistry()]
    if sys.platform == "win32":
        found.append(autostart_windows.WindowsRegistry())
    return found


@pytest.mark.parametrize("registry", registries(), ids=lambda r: type(r).__name__)
def test_a_registry_keeps_and_forgets(registry: Registry) -> None:
    key = r"Software\Watchbell tests"
    registry.delete(key, "one")
    assert registry.get(key, "one") is None
    registry.set(key, "one", "a")
    registry.set(key, "one", "b")
    assert registry.get(key, "one") == "b"
    registry.delete(key, "one")
    assert registry.get(key, "one") is None
