"""The nets under the other tests hold: a thread or a window left behind, a missing program, the real home."""

import os
import threading
from pathlib import Path

import platformdirs
import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tests import isolation
from tests.isolation import nothing_left_behind
from tests.parts import need


def test_home_is_the_tests_own_and_empty(home: Path, tmp_path: Path) -> None:
    assert Path.home() == home
    assert home.is_relative_to(tmp_path)
    assert Path(platformdirs.user_data_dir("watchbell")).is_relative_to(home)
    assert not [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("name", "daemon"), [("watchbell-watcher", True), ("anything", False)])
def test_a_thread_left_behind_fails(name: str, daemon: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "GRACE", 0.01)
    release = threading.Event()
    thread = threading.Thread(target=release.wait, name=name, daemon=daemon)

    with pytest.raises(AssertionError, match=f"threads left behind: {name}"), nothing_left_behind():
        thread.start()

    release.set()
    thread.join()


def test_a_thread_that_is_just_ending_does_not_fail() -> None:
    with nothing_left_behind():
        timer = threading.Timer(0.05, lambda: None)
        timer.start()


def test_a_window_left_behind_fails(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.setWindowTitle("Page")

    with pytest.raises(AssertionError, match="windows left behind: QWidget 'Page'"), nothing_left_behind():
        window.show()


def test_a_missing_program_skips_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    assert need("sh").name == "sh"
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        need("no-such-program")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-program is not installed"):
        need("no-such-program")


def test_nothing_of_the_persons_own_desktop_is_within_reach() -> None:
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"
    assert "DISPLAY" not in os.environ
    assert "nonexistent" in os.environ["DBUS_SESSION_BUS_ADDRESS"]
