"""The doctor's look at this machine: screen, tray, sound, notifications, keyring, start at login. Main thread."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping

from desktop.cli.findings import Check
from desktop.domain.errors import KeyringAbsent, KeyringLocked, SecretsUnavailable, WatchbellError
from desktop.system import settings as settings_file
from desktop.system.autostart import Autostart, autostart, missing_program
from desktop.system.paths import Paths
from desktop.system.program import child_environment
from desktop.system.resources import resource
from desktop.system.secrets import Secrets

_PROBE_SECONDS = 20
_SWITCH_ON = "Switch 'Start at login' on in Watchbell's window."
_SWITCH_ON_AGAIN = "Somebody removed it: switch 'Start at login' on again in Watchbell's window."
_SWITCHED_OFF = "Switch it on where it was switched off (the desktop's startup applications), or in Watchbell's window."
_WRITE_ANEW = "Start Watchbell from where it is now, and switch 'Start at login' off and on again in its window."


def desktop() -> Iterator[Check]:
    """Test what a page needs to be seen and heard."""
    found = _probe()
    if found is None:
        yield Check(
            "screen",
            False,
            "no screen can be opened",
            "Start it within a desktop session (DISPLAY or WAYLAND_DISPLAY).",
        )
        return
    yield Check("screen", True, str(found["screen"]))
    tray = bool(found["tray"])
    yield Check(
        "tray",
        tray,
        "there is a tray" if tray else "this desktop has no tray: a small window takes its place",
        "" if tray else "On GNOME, install the AppIndicator extension.",
    )
    ready = found["sound"] == "ready"
    yield Check(
        "sound",
        ready,
        str(found["sound_message"] or found["sound"]),
        "" if ready else "Plug in or switch on an output, and start PulseAudio or PipeWire; pages are shown meanwhile.",
    )
    server = str(found["notifications"])
    yield Check(
        "notifications",
        bool(server),
        server or "no notification server answers: pages are shown in our own window only",
        "" if server else "Start your desktop's notification service (dunst, for instance).",
    )


def _probe() -> dict[str, object] | None:
    """Ask the desktop in a process of its own; None where no screen can be opened."""
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "desktop.qt.probe", str(resource("sounds/siren.wav").parent)],
            capture_output=True,
            text=True,
            env=child_environment(),
            timeout=_PROBE_SECONDS,
            check=True,
        )
        found = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, OSError, ValueError, IndexError):
        return None
    return found if isinstance(found, dict) else None


def keyring(secrets: Secrets) -> Check:
    """Keep a secret, which reads it back: that a keyring is there says little about whether it is unlocked."""
    probe = "doctor"
    try:
        name = secrets.backend()
        secrets.set(probe, "probe")
        secrets.delete(probe)
    except SecretsUnavailable as e:
        return Check("keyring", False, e.message, _keyring_mend(e))
    return Check("keyring", True, name)


def _keyring_mend(error: SecretsUnavailable) -> str:
    if isinstance(error, KeyringLocked):
        return "Unlock it and answer its prompt; until then a token lasts until Watchbell ends."
    if isinstance(error, KeyringAbsent):
        return "Install and start a keyring (gnome-keyring, KWallet); without one a token lasts until Watchbell ends."
    return "Repair or replace the keyring; without one a token lasts until Watchbell ends."


def login(paths: Paths, environment: Mapping[str, str]) -> Check:
    """Compare what was chosen with what this system starts at login."""
    name = "start at login"
    try:
        settings = settings_file.load(paths.settings)
    except WatchbellError:
        # That file has a finding of its own.
        settings = settings_file.Settings()
    return _login(name, autostart(environment, systemd=settings.systemd), wanted=settings.autostart)


def _login(name: str, way: Autostart, *, wanted: bool) -> Check:
    entry = way.read()
    if entry is None:
        if wanted:
            return Check(name, False, "it was switched on, and what the system had is gone", _SWITCH_ON_AGAIN)
        return Check(name, True, "off: Watchbell runs only when somebody starts it", _SWITCH_ON)
    if not entry.on:
        off = "it was switched off in the system's own settings"
        return Check(name, not wanted, off, _SWITCHED_OFF if wanted else "")
    if not entry.command:
        return Check(name, False, "what the system has starts nothing", _WRITE_ANEW)
    if gone := missing_program(entry):
        return Check(name, False, f"it points to {gone}, which is not there, or cannot be started", _WRITE_ANEW)
    return Check(name, True, f"on: {' '.join(entry.command)}")
