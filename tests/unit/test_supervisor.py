"""The supervisor, with small programs in the application's place: real processes, really killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.system import supervisor
from desktop.system.guard import Guard, guard
from desktop.system.liveness import Liveness
from desktop.system.program import child_environment, login_command
from desktop.system.supervisor import Supervisor
from tests.fakes.backend import T0

# Counts its starts in a file, and ends as the line of that number says.
CHILD = """
import os, pathlib, signal, sys
begun = pathlib.Path(sys.argv[1])
with begun.open("a") as file:
    file.write(f"{os.getpid()}\\n")
number = len(begun.read_text().splitlines())
end = sys.argv[1 + min(number, len(sys.argv) - 2)]
if end.startswith("signal"):
    os.kill(os.getpid(), int(end[6:]))
if end == "wait":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    print("waiting", flush=True)
    signal.pause()
raise SystemExit(int(end))
"""
SECONDS = 20


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(supervisor, "_LONGEST_WAIT", 0.05)


def supervised(tmp_path: Path, *ends: str) -> tuple[int, int]:
    """Return the supervisor's exit code, and how often it started the child."""
    begun = tmp_path / "begun"
    command = [sys.executable, "-S", "-c", CHILD, str(begun), *ends]
    code = Supervisor(command, os.environ, lambda: True, lambda: None).run()
    return code, len(begun.read_text().splitlines())


@pytest.mark.parametrize(("end", "code"), [("0", 0), ("2", 2)])
def test_what_was_quit_or_given_wrongly_is_not_started_again(tmp_path: Path, end: str, code: int) -> None:
    assert supervised(tmp_path, end) == (code, 1)


def test_what_crashed_is_started_again_however_it_crashed(tmp_path: Path) -> None:
    crashes = (f"signal{signal.SIGKILL.value}", f"signal{signal.SIGABRT.value}", "1", "3", "139")
    assert supervised(tmp_path, *crashes, "0") == (0, 6)


def test_waits_grow_to_two_seconds_and_begin_anew_after_a_steady_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    lasted = iter([0, 0, 0, 0, 0, 0, 100, 0])
    clock = [0.0]
    waits: list[float] = []
    told: list[int] = []

    def run_child(self: Supervisor) -> int:
        clock[0] += next(lasted, 0)
        return 1 if len(waits) < 8 else 0

    def pause(_self: Supervisor, wait: float) -> bool:
        waits.append(wait)
        return True

    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(Supervisor, "_run_child", run_child)
    monkeypatch.setattr(Supervisor, "_pause", pause)
    Supervisor([], {}, lambda: True, lambda: told.append(len(waits))).run()
    assert waits == [0.5, 1, 2, 2, 2, 2, 0.5, 1]
    # Of the last crash, since which it ran steadily, nothing is told yet.
    assert told == [2]


def test_a_program_that_cannot_be_run_at_the_moment_is_tried_again(tmp_path: Path) -> None:
    program = tmp_path / "program"
    tries = []

    def screen() -> bool:
        tries.append(program.exists())
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(0o700)
        return True

    assert Supervisor([str(program)], os.environ, screen, lambda: None).run() == 0
    assert tries == [False]


def test_without_a_screen_nothing_is_started_and_in_the_end_it_gives_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "_SCREEN_GONE", 0.05)
    begun = tmp_path / "begun"
    command = [sys.executable, "-S", "-c", CHILD, str(begun), "1"]
    assert Supervisor(command, os.environ, lambda: False, lambda: None).run() == 0
    assert len(begun.read_text().splitlines()) == 1


SUPERVISE = """
import os, sys
from desktop.system.supervisor import Supervisor
raise SystemExit(Supervisor(sys.argv[1:], os.environ, lambda: True, lambda: None).run())
"""


@contextmanager
def supervising(tmp_path: Path, *ends: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", SUPERVISE, sys.executable, "-S", "-c", CHILD, str(tmp_path / "begun"), *ends]
    with subprocess.Popen(command, env=child_environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_signal_is_passed_on_and_the_childs_exit_code_is_ours(tmp_path: Path) -> None:
    with supervising(tmp_path, "wait") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.terminate()
        assert process.wait(SECONDS) == 7
    assert len((tmp_path / "begun").read_text().splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_it_starts_nothing_again(tmp_path: Path, number: signal.Signals) -> None:
    program = (
        "import signal; print('waiting', flush=True); signal.signal(signal.SIGINT, signal.SIG_DFL); signal.pause()"
    )
    command = [sys.executable, "-c", SUPERVISE, sys.executable, "-S", "-c", program]
    with subprocess.Popen(command, env=child_environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(number)
        assert process.wait(SECONDS) == 128 + number
        assert process.stdout.read() == ""


def test_killed_it_leaves_the_child_the_end_of_its_input(tmp_path: Path) -> None:
    program = "import sys; print('waiting', flush=True); sys.stdin.read(); print('alone', flush=True)"
    command = [sys.executable, "-c", SUPERVISE, sys.executable, "-S", "-c", program]
    with subprocess.Popen(command, env=child_environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.kill()
        assert process.stdout.readline() == "alone\n"


def test_it_imports_nothing_that_is_large() -> None:
    program = (
        "import sys; import desktop.cli.tray; large = {'PySide6', 'requests', 'keyring', 'apscheduler', 'sqlalchemy'};"
        "print(sorted(large & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=child_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_who_guards_is_known_only_from_who_promised() -> None:
    me = str(os.getpid())
    unit = {"INVOCATION_ID": "0", "SYSTEMD_EXEC_PID": me}
    assert guard({}, supervised=False) is Guard.NOBODY
    # A terminal, or an entry of autostart: systemd's unit is that of something else, or does not restart.
    assert guard(unit, supervised=False) is Guard.NOBODY
    assert guard({}, supervised=True) is Guard.SUPERVISOR
    assert guard({**unit, "SYSTEMD_EXEC_PID": "1"}, supervised=True) is Guard.SUPERVISOR
    assert guard(unit, supervised=True) is Guard.SYSTEMD


def test_the_mark_tells_when_it_last_lived_unless_it_was_quit(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    assert Liveness(path).begin(T0) is None
    mark = Liveness(path)
    assert mark.begin(T0 + timedelta(minutes=3)) == T0
    mark.touch(T0 + timedelta(minutes=4))
    # Not at every tick.
    mark.touch(T0 + timedelta(minutes=4, seconds=1))
    crashed = Liveness(path)
    assert crashed.begin(T0 + timedelta(hours=8)) == T0 + timedelta(minutes=4)
    crashed.end()
    assert Liveness(path).begin(T0 + timedelta(hours=9)) is None


def test_a_mark_from_the_future_tells_of_a_crash_and_one_that_cannot_be_made_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    Liveness(path).begin(T0)
    assert Liveness(path).begin(T0 - timedelta(hours=1)) == T0
    nowhere = Liveness(tmp_path / "no folder" / "alive")
    assert nowhere.begin(T0) is None
    nowhere.touch(T0)
    nowhere.end()


def test_a_login_starts_this_very_program(tmp_path: Path) -> None:
    python = tmp_path / "with a space" / "bin" / "python"
    python.parent.mkdir(parents=True)
    source = tmp_path / "source"
    source.mkdir()
    assert login_command(python, source) == (str(python), "-m", "desktop")
    script = python.with_name("watchbell")
    script.touch()
    assert login_command(python, source) == (str(script),)
    # What else is called main.py in a folder of packages is somebody else's.
    (source / "main.py").touch()
    assert login_command(python, source) == (str(script),)
    (source / "pyproject.toml").touch()
    assert login_command(python, source) == (str(python), str(source / "main.py"))
