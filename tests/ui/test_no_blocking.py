"""Nothing on the screen waits: no nested event loops, no sleeping, no markup."""

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ui.notification_server import NotificationServer, PrivateBus

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


# Pages come, and come again, as fast as the program can take them, and the notification server has hung.
BURST = """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from desktop.qt.notifications import Notifications
from desktop.qt.signals import TerminationSignals
from tools import look_samples as sample

class Tray:
    def show_message(self, title, text):
        return False

app, turns = QApplication([]), 0
signals, notifications = TerminationSignals(), Notifications(Tray())
signals.requested.connect(app.quit)

def burst():
    global turns
    turns += 1
    for number in range(300):
        notifications.notify(sample.page(turns * 1000 + number))
        notifications.withdraw("local", f"P{(turns - 1) * 1000 + number}")
    if turns == 10:
        print("told", flush=True)

timer = QTimer()
timer.timeout.connect(burst)
timer.start(0)
app.exec()
notifications.close()
print("ended", flush=True)
"""


def test_a_burst_of_pages_leaves_the_program_able_to_end() -> None:
    with PrivateBus() as bus, NotificationServer(bus.address) as server:
        server.answers.clear()
        env = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus.address}
        with subprocess.Popen([sys.executable, "-c", BURST], cwd=ROOT, env=env, stdout=subprocess.PIPE) as program:
            try:
                assert program.stdout is not None
                assert program.stdout.readline() == b"told\n"
                program.send_signal(signal.SIGTERM)
                assert program.communicate(timeout=10)[0] == b"ended\n"
                assert program.returncode == 0
            finally:
                program.kill()
