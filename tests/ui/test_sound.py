import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QLoggingCategory
from pytestqt.qtbot import QtBot

from desktop.domain.attention import Sound
from desktop.qt.sound import Sounder, SoundHealth
from desktop.system.resources import resource

FILES = {sound: resource(f"sounds/{sound.value}.wav") for sound in Sound}


@pytest.fixture
def players(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of the desktop's players."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def sounder(qtbot: QtBot, players: Path) -> Iterator[Sounder]:
    yield from made()


def made() -> Iterator[Sounder]:
    one = Sounder(FILES)
    yield one
    one._silence_now()
    one.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def player(folder: Path, code: int) -> Path:
    """Put a player into ``folder`` that notes what it is given and ends with ``code``; return its notes."""
    notes = folder / "notes"
    script = folder / "paplay"
    script.write_text(f"#!/bin/sh\necho \"$@\" >> '{notes}'\nexit {code}\n")
    script.chmod(0o755)
    return notes


def test_no_device_is_a_state(sounder: Sounder) -> None:
    assert sounder.state.health is SoundHealth.NO_DEVICE
    assert "not heard" in sounder.state.message


def test_playing_without_a_device_harms_nobody(sounder: Sounder) -> None:
    for sound in Sound:
        sounder.play(sound, True)
        assert sounder.playing is sound
    sounder.set_volume(0.5)
    sounder.stop()
    sounder.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Qt chooses")
def test_sounds_load_nothing_that_decodes_videos(sounder: Sounder) -> None:
    assert "QtMultimedia" in Path("/proc/self/maps").read_text()
    assert "ffmpegmediaplugin" not in Path("/proc/self/maps").read_text()
    assert QCoreApplication.libraryPaths()
    assert QLoggingCategory.defaultCategory().isWarningEnabled()


def test_a_missing_library_is_a_state(qtbot: QtBot, players: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PySide6.QtMultimedia", None)
    for sounder in made():
        assert sounder.state.health is SoundHealth.NO_LIBRARY
        assert "libpulse0" in sounder.state.message
        sounder.play(Sound.SIREN, True)
        sounder.stop()


def test_the_desktops_own_player_helps_out_again_and_again(qtbot: QtBot, players: Path) -> None:
    notes = player(players, 0)
    for sounder in made():
        assert "paplay is tried instead" in sounder.state.message
        sounder.play(Sound.RING, True)
        qtbot.waitUntil(lambda: notes.exists() and len(notes.read_text().splitlines()) >= 3, timeout=5000)
        assert set(notes.read_text().splitlines()) == {str(FILES[Sound.RING])}
        sounder.stop()
        assert sounder.playing is None


def test_a_player_that_fails_is_not_run_in_a_tight_loop(qtbot: QtBot, players: Path) -> None:
    notes = player(players, 1)
    for sounder in made():
        with qtbot.waitSignal(sounder._process.failed, timeout=5000):
            sounder.play(Sound.RING, True)
        qtbot.wait(200)
        assert len(notes.read_text().splitlines()) == 1


def test_a_sound_that_does_not_advance_is_noticed(qtbot: QtBot, players: Path) -> None:
    """The sound server went away, and Qt goes on claiming to play."""
    notes = player(players, 0)
    for sounder in made():
        sounder._has_device = lambda: True  # type: ignore[method-assign]
        sounder.play(Sound.SIREN, True)
        sounder._watchdog.setInterval(1)
        with qtbot.waitSignal(sounder.state_changed, timeout=2000) as caught:
            sounder._watchdog.start()
        assert caught.args is not None
        assert caught.args[0].health is SoundHealth.ERROR
        assert sounder.playing is Sound.SIREN
        qtbot.waitUntil(notes.exists, timeout=5000)
