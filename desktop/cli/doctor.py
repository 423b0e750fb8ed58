"""The command that tests what Watchbell needs, and says what to do about each failure."""

import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from desktop.cli import output
from desktop.connections import EMBEDDED_NAME, URL_VARIABLE, Account, find_account, open_backend, stored_account
from desktop.domain.errors import BackendError, SecretsUnavailable, WatchbellError
from desktop.system import settings as settings_file
from desktop.system.clock import utc_now
from desktop.system.paths import Paths, user_paths
from desktop.system.program import child_environment
from desktop.system.resources import resource
from desktop.system.secrets import Secrets

_PROBE_SECONDS = 20
# Past this, countdowns would lie without the correction that the application makes (design, section 7).
CLOCK_TOLERANCE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was tested, whether it works, what was seen, what to do."""

    name: str
    ok: bool
    message: str
    mend: str = ""


def run(options: Namespace) -> int:
    """Test everything; exit 0 when all is well, 3 when a connection does not answer, else 1."""
    paths, secrets = user_paths(), Secrets()
    checks = [*_desktop(), _keyring(secrets), *_connections(paths, secrets)]
    if options.json:
        output.data({"checks": [{"name": c.name, "ok": c.ok, "message": c.message, "mend": c.mend} for c in checks]})
    else:
        for check in checks:
            output.line(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.message}")
            if check.mend:
                output.line(f"      {check.mend}")
    failed = [c.name for c in checks if not c.ok]
    if any(name.startswith("connection") for name in failed):
        return 3
    return 1 if failed else 0


def _desktop() -> Iterator[Check]:
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


def _keyring(secrets: Secrets) -> Check:
    """Keep a secret and read it back: that a keyring is there says little about whether it is unlocked."""
    probe = "doctor"
    try:
        name = secrets.backend()
        secrets.set(probe, "probe")
        kept = secrets.get(probe) == "probe"
        secrets.delete(probe)
    except SecretsUnavailable as e:
        mend = "Unlock or install a keyring (gnome-keyring, KWallet); without one a token lasts until Watchbell ends."
        return Check("keyring", False, e.message, mend)
    if not kept:
        return Check("keyring", False, f"{name} lost what it was given", "Use another keyring.")
    return Check("keyring", True, name)


def _connections(paths: Paths, secrets: Secrets) -> Iterator[Check]:
    accounts: list[tuple[str, Callable[[], Account]]] = []
    try:
        configured = settings_file.load(paths.settings).connections
        accounts.extend((c.name, partial(stored_account, c, secrets)) for c in configured)
    except WatchbellError as e:
        yield Check("settings", False, e.message)
        return
    if URL_VARIABLE in os.environ:
        accounts = [("environment", partial(find_account, os.environ, paths, secrets))]
    for name, account in accounts or [(EMBEDDED_NAME, partial(find_account, os.environ, paths, secrets))]:
        try:
            yield from _connection(f"connection {name}", account())
        except WatchbellError as e:
            yield Check(f"connection {name}", False, e.message)


def _connection(name: str, account: Account) -> Iterator[Check]:
    backend = open_backend(account)
    try:
        me = backend.me()
    except BackendError as e:
        mend = "Check the network and the address." if e.retryable else "Run 'watchbell connect' with a new token."
        yield Check(name, False, e.message, mend)
        return
    yield Check(name, True, f"answers as {me.name}")
    skew = backend.clock_skew(utc_now())
    if skew is not None:
        wrong = abs(skew) > CLOCK_TOLERANCE
        seconds = skew.total_seconds()
        yield Check(
            f"clock of {name.removeprefix('connection ')}",
            not wrong,
            f"{seconds:+.0f} s",
            "Let the system set its clock (timedatectl set-ntp true)." if wrong else "",
        )
