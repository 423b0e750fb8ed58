"""The doctor's look at what Watchbell keeps on this machine: its folders, its store, and itself. Main thread."""

import errno
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from desktop.cli import output
from desktop.cli.click_checks import clicks
from desktop.cli.findings import Check
from desktop.domain.errors import StorageError
from desktop.sync.store import Unreadable, examine
from desktop.system import instance
from desktop.system.instance import Reply
from desktop.system.paths import Paths, private_folder
from desktop.system.supervising import supervised

# Less than this, and the store or the log is next.
_ROOM = 50 * 1024 * 1024
_START = "Start Watchbell: nobody watches now. What was left behind hinders it in nothing."


def files(paths: Paths) -> Iterator[Check]:
    """Test whether there is room for what must survive, and whether it can be written and read."""
    # On some systems, two of them are one.
    folders = {paths.log: "log folder", paths.config: "settings folder", paths.data: "files"}
    for folder, name in reversed(folders.items()):
        yield _folder(name, folder)
    yield _store(paths)
    yield from clicks(paths.store)


def _folder(name: str, folder: Path) -> Check:
    probe = folder / ".doctor"
    try:
        free = shutil.disk_usage(private_folder(folder)).free
        _write(probe)
    except StorageError as e:
        return _unwritable(name, folder, e.__cause__)
    except OSError as e:
        return _unwritable(name, folder, e)
    if free < _ROOM:
        mend = f"Make room on its disk soon: past that, no click survives a crash ('df {folder}' says which it is)."
        return Check(name, False, f"{folder} has {free // 1024 // 1024} MiB left", mend)
    return Check(name, True, f"{folder} can be written")


def _unwritable(name: str, folder: Path, error: BaseException | None) -> Check:
    number = error.errno if isinstance(error, OSError) else 0
    if number in {errno.ENOSPC, errno.EDQUOT}:
        mend = f"Make room on it now: until then no click survives a crash ('df {folder}' says which it is)."
        return Check(name, False, f"the disk of {folder} is full", mend)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    said = f"{folder} cannot be written: {reason}"
    if number == errno.EROFS:
        mend = "Its disk is mounted read-only, often since it had errors ('dmesg' says so): mount it writable again."
        return Check(name, False, said, mend)
    if number in {errno.ENOTDIR, errno.EEXIST}:
        return Check(name, False, said, f"A file is where a folder belongs: move away what is in the way of {folder}.")
    return Check(name, False, said, f"Make {folder} yours and writable: what you click must survive a crash.")


def _write(probe: Path) -> None:
    try:
        with probe.open("wb") as file:
            file.write(bytes(65536))
            file.flush()
            os.fsync(file.fileno())
    finally:
        probe.unlink(missing_ok=True)


def _store(paths: Paths) -> Check:
    name = "store"
    try:
        there = examine(paths.store)
    except Unreadable as e:
        if e.newer:
            return Check(
                name, False, e.message, "Start the newer Watchbell; this one sets that file aside and goes on."
            )
        mend = "Start Watchbell: it sets the file aside, saves the clicks that can be read and fetches the rest anew."
        return Check(name, False, e.message, mend)
    except StorageError as e:
        return Check(name, False, e.message, f"Make {paths.store} yours, readable and writable.")
    return Check(name, True, "sound" if there else "none yet")


def application(paths: Paths, patience: float = 3.0) -> Check:
    """Tell whether the application runs and answers within ``patience`` seconds, and what a crashed one left behind."""
    name, where = "application", instance.address(paths)
    found = instance.look(where, patience)
    if found.reply is Reply.SHOWN:
        return Check(name, True, "it runs, and answers")
    if found.reply is Reply.SILENT:
        process = f" (process {found.process})" if found.process else ""
        mend = "Wait a minute; if it still does not answer, end its process and start it again."
        return Check(name, False, f"it runs{process}, and does not answer at {where}", mend)
    if instance.running(paths):
        mend = (
            "Open its window by the bell in the tray, since a second start cannot. If it did not start just now, mend "
            "what is said of its files, if anything is; then quit it there and start it again."
        )
        return Check(name, False, f"it runs, and cannot be asked at {where}", mend)
    return _none(paths, name, where)


def _none(paths: Paths, name: str, where: str) -> Check:
    """Say that no application runs, and what is left of the last one."""
    if supervised(paths):
        mend = f"Wait a minute; if it is not back then, {paths.log} says why: mend that, and start Watchbell again."
        return Check(name, False, "it does not run, and its supervisor tries to start it: nobody watches now", mend)
    try:
        last = datetime.fromtimestamp(paths.alive.stat().st_mtime, UTC)
    except OSError:
        if os.path.lexists(where):
            return Check(name, False, f"it crashed, and left {where} behind", _START)
        return Check(name, True, "it does not run: nobody watches", "Start Watchbell.")
    left = f"; {where} is left of it" if os.path.lexists(where) else ""
    return Check(name, False, f"it ended without being quit, and ran last at {output.local(last)}{left}", _START)
