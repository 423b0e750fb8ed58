"""Starting at login, from the switch to the file and back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.app.login import LoginStart
from desktop.app.surfaces import Surfaces
from desktop.qt.bridge import Bridge
from desktop.system import settings as settings_file
from desktop.system.autostart import DesktopEntry
from desktop.system.paths import Paths, paths_under
from tests.ui.screens import screens


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path)


@pytest.fixture
def surfaces(qtbot: QtBot, paths: Paths) -> Iterator[Surfaces]:
    made, bridge = screens(), Bridge()
    login = LoginStart(paths, made, bridge)
    login.look()
    qtbot.waitUntil(lambda: made.status.autostart_switch.isVisibleTo(made.status))
    yield made
    bridge.close()
    made.stop()


def entry(home: Path) -> Path:
    return home / "config" / "autostart" / "watchbell.desktop"


def test_the_switch_writes_what_the_desktop_reads(qtbot: QtBot, surfaces: Surfaces, paths: Paths, home: Path) -> None:
    switch = surfaces.status.autostart_switch
    assert not switch.isChecked()
    switch.click()
    qtbot.waitUntil(lambda: settings_file.load(paths.settings).autostart)
    assert "main.py" in entry(home).read_text()
    qtbot.waitUntil(lambda: action_checked(surfaces))
    switch.click()
    qtbot.waitUntil(lambda: not entry(home).exists())
    qtbot.waitUntil(lambda: not settings_file.load(paths.settings).autostart)


def test_what_somebody_removed_is_seen_when_the_window_opens(qtbot: QtBot, surfaces: Surfaces, home: Path) -> None:
    switch = surfaces.status.autostart_switch
    switch.click()
    qtbot.waitUntil(lambda: action_checked(surfaces))
    entry(home).unlink()
    surfaces.status.opened.emit()
    qtbot.waitUntil(lambda: not switch.isChecked())


def test_what_cannot_be_written_is_said_and_shown_as_it_is(qtbot: QtBot, surfaces: Surfaces, home: Path) -> None:
    (home / "config" / "autostart").write_text("a file in the folder's place")
    switch = surfaces.status.autostart_switch
    switch.click()
    qtbot.waitUntil(lambda: "autostart" in surfaces.status.notices.by_key)
    assert not switch.isChecked()


def test_broken_settings_are_no_failure_to_switch_until_somebody_switches(
    qtbot: QtBot, surfaces: Surfaces, paths: Paths, home: Path
) -> None:
    DesktopEntry(home / "config" / "autostart").switch_on(("/usr/bin/watchbell",))
    paths.config.mkdir()
    paths.settings.write_text("{")
    surfaces.status.opened.emit()
    qtbot.waitUntil(lambda: action_checked(surfaces))
    assert "autostart" not in surfaces.status.notices.by_key
    surfaces.status.autostart_switch.click()
    qtbot.waitUntil(lambda: "autostart" in surfaces.status.notices.by_key)
    assert surfaces.status.autostart_switch.isChecked()
    # Whoever looks again still reads it.
    entry(home).unlink()
    surfaces.status.opened.emit()
    qtbot.waitUntil(lambda: not action_checked(surfaces))
    assert "autostart" in surfaces.status.notices.by_key


def action_checked(surfaces: Surfaces) -> bool:
    found = [a for a in surfaces.presenter.menu.actions() if a.text() == "Start at login"]
    return bool(found) and found[0].isChecked()
