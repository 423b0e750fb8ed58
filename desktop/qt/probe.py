"""Asks this desktop what it can do, and prints the answer as JSON. A process of its own: without a screen Qt aborts.

Its argument is the folder of the sounds.
"""

import json
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QElapsedTimer, QLoggingCategory
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from desktop.domain.attention import Sound
from desktop.qt.sound import Sounder, SoundHealth

# Effects are loaded by the event loop, and a sound server may have to be started first.
_SOUND_MS = 3_000


def main() -> int:
    """Print what the screen, the tray and the sound output can do."""
    QLoggingCategory.setFilterRules("qt.multimedia.*=false")
    application = QApplication([sys.argv[0]])
    sounder = Sounder({s: Path(sys.argv[1]) / f"{s.value}.wav" for s in Sound})
    waited = QElapsedTimer()
    waited.start()
    while sounder.state.health is SoundHealth.LOADING and waited.elapsed() < _SOUND_MS:
        QCoreApplication.processEvents()
    found = {
        "screen": application.platformName(),
        "tray": QSystemTrayIcon.isSystemTrayAvailable(),
        "sound": sounder.state.health.value,
        "sound_message": sounder.state.message,
        "notifications": notification_server(),
    }
    print(json.dumps(found))
    return 0


def notification_server() -> str:
    """Return the name of the desktop's notification server, empty where there is none."""
    if not sys.platform.startswith("linux"):
        return sys.platform
    from jeepney import DBusAddress, new_method_call  # noqa: PLC0415 - Linux only
    from jeepney.io.blocking import open_dbus_connection  # noqa: PLC0415
    from jeepney.wrappers import DBusErrorResponse, unwrap_msg  # noqa: PLC0415

    name = "org.freedesktop.Notifications"
    address = DBusAddress("/org/freedesktop/Notifications", bus_name=name, interface=name)
    try:
        with open_dbus_connection("SESSION") as bus:
            reply = bus.send_and_get_reply(new_method_call(address, "GetServerInformation"), timeout=3)
            return str(unwrap_msg(reply)[0])
    except (OSError, KeyError, TimeoutError, DBusErrorResponse):
        return ""


if __name__ == "__main__":
    raise SystemExit(main())
