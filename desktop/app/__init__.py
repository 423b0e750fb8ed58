"""The tray application: the one place that names its concrete parts and ties them together. GUI thread."""

import gc
import logging
import logging.handlers
import os
import shutil
import sys
import tempfile
from pathlib import Path

from filelock import Timeout
from PySide6.QtCore import QLoggingCategory, QTimer
from PySide6.QtWidgets import QApplication

from desktop.app.fleet import Fleet
from desktop.app.login import LoginStart
from desktop.app.pager import Pager
from desktop.app.presence import Presence
from desktop.app.surfaces import Surfaces
from desktop.backends.base import NewPage
from desktop.connections.accounts import TOKEN_VARIABLE
from desktop.domain.errors import InputError, StorageError
from desktop.domain.severity import Severity
from desktop.qt.bridge import Bridge
from desktop.qt.signals import TerminationSignals
from desktop.system.guard import Guard
from desktop.system.instance import bring_to_front
from desktop.system.only_one import only_one
from desktop.system.paths import Paths, paths_under, private_folder, user_paths
from desktop.system.session_secrets import SessionSecrets
from desktop.system.vault_process import ProcessKeyring
from desktop.ui.icons import application_icon

log = logging.getLogger(__name__)

# Seconds in which an application that is starting begins to listen.
_PATIENCE = 10.0
DEMO_AFTER_MS = 3_000
DEMO_TITLE = "Payments API: 5xx above 20 % in eu-west-1"


def run(guard: Guard) -> int:
    """Run the tray application until it is quit; return the exit code."""
    paths = user_paths()
    try:
        locks = only_one(paths)
    except Timeout:
        # It was started at the same moment, and may not listen yet.
        if bring_to_front(paths, os.environ, _PATIENCE):
            return 0
        raise InputError("Watchbell is running already: look for its bell in the tray") from None
    with locks:
        return _run(paths, guard, demo=False)


def run_demo() -> int:
    """Run on a throw-away team and server, with a SEV-0 page after three seconds; nothing is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="watchbell-demo-"))
    try:
        return _run(paths_under(folder), Guard.NOBODY, demo=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(paths: Paths, guard: Guard, *, demo: bool) -> int:
    _log_to_file(paths)
    # QSoundEffect needs none of what Qt looks for and misses here, and says so on every start.
    QLoggingCategory.setFilterRules("qt.multimedia.symbolsresolver=false\nqt.multimedia.ffmpeg=false")
    application = QApplication.instance() or QApplication([sys.argv[0]])
    if not isinstance(application, QApplication):
        raise InputError("there is no graphical application in this process")
    application.setApplicationName("watchbell")
    application.setApplicationDisplayName("Watchbell")
    application.setWindowIcon(application_icon())
    application.setQuitOnLastWindowClosed(False)
    bridge = Bridge()
    surfaces = Surfaces()
    secrets = SessionSecrets(vault=ProcessKeyring())
    fleet = Fleet(paths, secrets, bridge.post_states, bridge.post_notice, demo=demo, environment=_take_environment())
    presence = Presence(paths, guard, surfaces, bridge, lambda: fleet.states)
    pager = Pager(fleet, bridge, surfaces, presence)
    signals = TerminationSignals()
    signals.requested.connect(application.quit)
    surfaces.presenter.quit.connect(pager.quit)
    if demo:
        page = NewPage(DEMO_TITLE, Severity.SEV0, "payments")
        QTimer.singleShot(DEMO_AFTER_MS, pager, lambda: fleet.trigger(lambda _me: page))
    # What there is now stays: to look through it for garbage would stop the screen for 40 ms, again and again.
    gc.collect()
    gc.freeze()
    try:
        pager.start()
        if not demo:
            LoginStart(paths, surfaces, bridge).look()
        return int(application.exec())
    finally:
        pager.stop(by_person=signals.interrupted)
        signals.close()


def _take_environment() -> dict[str, str]:
    """Return the environment, and take the token out of it: no program that we start needs it."""
    environment = dict(os.environ)
    os.environ.pop(TOKEN_VARIABLE, None)
    return environment


def _log_to_file(paths: Paths) -> None:
    """Keep a log that a person can send: no secret ever reaches a logger."""
    # A log that cannot be written (a full disk) is no reason to fill the terminal.
    logging.raiseExceptions = False
    root = logging.getLogger()
    try:
        file = private_folder(paths.log) / "watchbell.log"
        handler = logging.handlers.RotatingFileHandler(file, maxBytes=1_000_000, backupCount=3, encoding="utf-8")
    except (StorageError, OSError) as e:
        log.warning("no log is kept: %s", e)
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.addHandler(handler)
    root.setLevel(min(root.level, logging.INFO))
    # It would tell of every tick.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
