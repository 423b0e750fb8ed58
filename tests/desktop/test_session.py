"""The desktop of the tests is a real one: what a program does on it is seen, heard and answered."""

import array
import math
import re
import time
from pathlib import Path

import pytest
import requests
from PySide6.QtGui import QImage

from tests.desktop.processes import await_line
from tests.desktop.session import Session
from tests.desktop.sound import RATE, loudness

SAMPLE = "tests/desktop/sample_program.py"
ASK_KEYRING = """
import keyring
print(type(keyring.get_keyring()).__module__)
keyring.set_password("watchbell-tests", "ana", "wb_secret")
print(keyring.get_password("watchbell-tests", "ana"))
keyring.delete_password("watchbell-tests", "ana")
print(keyring.get_password("watchbell-tests", "ana"))
print("done")
"""
NOTIFY = """
import sys
from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import open_dbus_connection
name = "org.freedesktop.Notifications"
address = DBusAddress("/org/freedesktop/Notifications", name, name)
call = ("sample", 0, "", "SEV-0", "-rf <b>disk</b> full", ["ack", "Acknowledge"], {"urgency": ("y", 2)}, 0)
with open_dbus_connection() as connection:
    print("id", connection.send_and_get_reply(new_method_call(address, "Notify", "susssasa{sv}i", call)).body[0])
"""
ALERTMANAGER = """
route: {receiver: nobody}
receivers: [{name: nobody}]
"""


def tone(folder: Path, seconds: float) -> Path:
    """Write a tone of 440 Hz as raw 16-bit samples."""
    wave = (int(8000 * math.sin(2 * math.pi * 440 * i / RATE)) for i in range(int(seconds * RATE)))
    file = folder / "tone.raw"
    file.write_bytes(array.array("h", wave).tobytes())
    return file


def test_a_sound_is_heard_and_then_silence(session: Session, tmp_path: Path) -> None:
    file = tone(tmp_path, 0.5)
    with session.listen() as loudspeaker:
        assert not loudspeaker.is_sounding
        start = time.monotonic()
        command = ("pacat", "--raw", "--format=s16le", f"--rate={RATE}", "--channels=1", "--latency-msec=20", str(file))
        with session.program(*command):
            began = loudspeaker.wait_for_sound()
            ended = loudspeaker.wait_for_silence(hold=0.3)

    assert start < began < start + 2
    assert ended - began == pytest.approx(0.5, abs=0.15)


def test_without_a_sound_there_is_none(session: Session) -> None:
    with session.listen() as loudspeaker:
        with pytest.raises(AssertionError, match="sound: not within"):
            loudspeaker.wait_for_sound(seconds=0.3)
        loudspeaker.wait_for_silence(hold=0.2)


def test_loudness_is_the_root_mean_square() -> None:
    assert loudness(array.array("h", [300, -400]).tobytes()) == pytest.approx(353.55, abs=0.01)
    assert loudness(b"") == 0


def test_a_window_is_seen_clicked_and_typed_into(session: Session) -> None:
    with session.map_events() as maps, session.python(SAMPLE) as program:
        before = time.monotonic()
        shown = maps.wait("^Sample program$")
        assert before < shown.at < time.monotonic()
        assert session.windows("^Sample program$") == [shown.window]

        session.click(shown.window, 100, 50)
        await_line(program, re.compile("^clicked$"), 5)
        session.key("F5", window=shown.window)
        await_line(program, re.compile("^clicked$"), 5)

        with session.python("-c", f"import os, signal; os.kill({program.pid}, signal.SIGTERM)"):
            assert maps.wait_gone(shown) > shown.at
    assert session.windows("^Sample program$") == []


def test_a_picture_of_the_screen_shows_the_window(session: Session, tmp_path: Path) -> None:
    empty = QImage(str(session.screenshot(tmp_path / "empty.png")))
    with session.map_events() as maps, session.python(SAMPLE) as program:
        await_line(program, re.compile("^shown$"), 10)
        maps.wait("^Sample program$")
        full = QImage(str(session.screenshot(tmp_path / "full.png")))

    assert (full.width(), full.height()) == (1920, 1080)
    assert full != empty


def test_a_tray_icon_is_embedded_and_can_be_clicked(session: Session) -> None:
    session.await_tray_icons(0)
    with session.python(SAMPLE, "--tray") as program:
        (icon,) = session.await_tray_icons(1)
        assert 0 < icon.width <= 32
        assert icon.y > 1000

        session.click_at(icon.x + icon.width // 2, icon.y + icon.height // 2)
        await_line(program, re.compile("^activated Trigger$"), 5)
    session.await_tray_icons(0)


def test_a_secret_goes_to_the_keyring_of_the_session(session: Session) -> None:
    with session.python("-c", ASK_KEYRING) as program:
        await_line(program, re.compile("^done$"), 10)

    assert program.lines.pending()[:3] == ["keyring.backends.SecretService", "wb_secret", "None"]


def test_a_notification_reaches_the_daemon(session: Session) -> None:
    session.bus.close_notifications()  # of the tests before
    with session.notify_calls() as calls, session.python("-c", NOTIFY) as program:
        call = calls.wait("^SEV-0$")
        await_line(program, re.compile(r"^id [1-9]"), 5)
        assert session.bus.notifications_on_screen() == 1
    session.bus.close_notifications()

    assert (call.app_name, call.body, call.actions) == ("sample", "-rf <b>disk</b> full", ("ack", "Acknowledge"))
    assert call.hints == {"urgency": 2}
    assert session.bus.notifications_on_screen() == 0


def test_alertmanager_takes_an_alert_and_its_end(session: Session) -> None:
    with session.alertmanager(ALERTMANAGER) as alertmanager:
        alertmanager.fire({"alertname": "DiskFull", "severity": "critical"}, {"summary": "Disk is full"})
        (alert,) = requests.get(f"{alertmanager.url}/api/v2/alerts", timeout=5).json()
        assert alert["labels"] == {"alertname": "DiskFull", "severity": "critical"}
        assert alert["status"]["state"] in {"active", "unprocessed"}

        alertmanager.resolve({"alertname": "DiskFull", "severity": "critical"})
        assert requests.get(f"{alertmanager.url}/api/v2/alerts", timeout=5).json() == []


def test_a_program_that_does_not_do_its_part_is_told_with_what_it_said(session: Session) -> None:
    with (
        session.python("-c", "import sys; print('hello'); sys.exit('no screen')") as program,
        pytest.raises(AssertionError, match=r"hello.*no screen"),
    ):
        await_line(program, re.compile("^ready$"), 5)
