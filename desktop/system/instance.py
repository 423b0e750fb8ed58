"""One application for each person: finds the one that runs, and asks it to show itself. Any thread; no Qt.

Whether one runs, the operating system's lock tells, which is gone with its process however that ended. This is only
the way to it: a socket in the data folder (a named pipe on Windows) that takes the words "show", "reload" and "watch"
(``desktop.system.inquiry``), and no secret.
"""

import contextlib
import hashlib
import os
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from filelock import FileLock, Timeout

from desktop.domain.errors import InputError
from desktop.domain.second_start import DONE, RELOAD, request
from desktop.system.paths import Paths, private_folder

# Room for the folder that Qt makes beside the socket for a moment; a socket's path may have 107 bytes, 103 on macOS.
_LONGEST_PATH = 80
_PAUSE = 0.05
_LOCK, _SOCKET = "lock", "show"
# Where we may not even look, no application of ours listens.
_NOBODY_THERE = (FileNotFoundError, ConnectionRefusedError, NotADirectoryError, PermissionError)


class Reply(StrEnum):
    """What became of asking."""

    SHOWN = "shown"
    ABSENT = "nobody there"
    SILENT = "no answer"


def address(paths: Paths) -> str:
    """Return where the application of these folders listens: the path of a socket, on Windows the name of a pipe."""
    *near, elsewhere = addresses(paths)
    # One elsewhere is of an application whose home could not be written: the next that can write takes it away.
    return near[0] if near and not _is_our_socket(Path(elsewhere)) else elsewhere


def addresses(paths: Paths) -> tuple[str, ...]:
    """Return where it may listen, the best first: elsewhere where the data folder has no room for a socket."""
    if sys.platform == "win32":
        return (rf"\\.\pipe\watchbell-{_digest(paths)}",)
    near, elsewhere = str(paths.data / _SOCKET), str(_elsewhere(paths) / _SOCKET)
    return (near, elsewhere) if len(os.fsencode(near)) <= _LONGEST_PATH else (elsewhere,)


def locks(paths: Paths) -> tuple[Path, ...]:
    """Return the locks that the one application of these folders holds, where it can."""
    return (paths.lock,) if sys.platform == "win32" else (paths.lock, _elsewhere(paths) / _LOCK)


def _is_our_socket(path: Path) -> bool:
    """Tell whether there is a socket in a folder of ours: all may write where that folder is."""
    try:
        return _is_ours(path.parent) and path.is_socket()
    except OSError:
        return False


def _is_ours(folder: Path) -> bool:
    return not folder.is_symlink() and folder.lstat().st_uid == os.getuid()


def _elsewhere(paths: Paths) -> Path:
    """Return a folder for what does not fit, or cannot be, in the data folder."""
    return _temporary() / f"watchbell-{os.getuid()}-{_digest(paths)}"


def _temporary() -> Path:
    """Return the folder for what is temporary, also where no disk has room for the file that Python tries it with."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        return Path("/tmp")  # noqa: S108 - nothing is written but by prepare(), which looks whose the folder is


def _digest(paths: Paths) -> str:
    return hashlib.sha256(os.fsencode(paths.data)).hexdigest()[:16]


def prepare(where: str) -> None:
    """Make the folder of a socket, and see that it is nobody else's; InputError when it is."""
    if sys.platform == "win32":
        return
    folder = private_folder(Path(where).parent)
    if not _is_ours(folder):
        raise InputError(f"{folder} is somebody else's: remove it")


def clear(where: str) -> None:
    """Take a socket that a crash left away, and its folder where that was made for it and nothing else is in it."""
    if sys.platform == "win32" or Path(where).parent.parent != _temporary():
        return
    with contextlib.suppress(OSError):
        if _is_our_socket(Path(where)):
            Path(where).unlink()
        Path(where).parent.rmdir()


def activation_token(environment: Mapping[str, str]) -> str:
    """Return what a launcher gave us for the window that we open: Wayland's token or X11's startup id."""
    return environment.get("XDG_ACTIVATION_TOKEN") or environment.get("DESKTOP_STARTUP_ID") or ""


def show(where: str, token: str = "", seconds: float = 3.0) -> Reply:
    """Ask the application that listens at ``where`` to bring its window to the front."""
    return _say(where, request(token), seconds)


def _say(where: str, words: bytes, seconds: float) -> Reply:
    """Say ``words`` to the application that listens at ``where``, and await that it took them."""
    if sys.platform == "win32":
        return _say_by_pipe(where, words, seconds)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(where)
            connection.sendall(words)
            return Reply.SHOWN if connection.recv(len(DONE)) == DONE else Reply.SILENT
        except _NOBODY_THERE:
            return Reply.ABSENT
        except OSError:
            return Reply.SILENT


def tell_of_settings(paths: Paths, seconds: float = 3.0) -> bool:
    """Tell the running application that the settings changed; False where one runs and does not take that."""
    reply = _say(address(paths), RELOAD, seconds)
    return reply is Reply.SHOWN or (reply is Reply.ABSENT and not running(paths))


def running(paths: Paths) -> bool:
    """Tell whether an application runs for these folders, also where nothing can be said to it."""
    return any(held(lock) for lock in locks(paths))


def held(lock: Path) -> bool:
    """Tell whether somebody holds a lock: not made where there is none, and nobody else's is believed."""
    try:
        if sys.platform == "win32":
            return lock.exists() and _taken(lock)
        return lock.exists() and _is_ours(lock.parent) and _locked(lock)
    except OSError:
        return False


def _taken(lock: Path) -> bool:
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True


def _locked(lock: Path) -> bool:
    """Try it for reading, which works on a disk that cannot be written, too, and is over at once."""
    import fcntl  # noqa: PLC0415 - not on Windows

    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Looked:
    """Whether somebody listens and answers, and in which process, where the system says so."""

    reply: Reply
    process: int = 0


def look(where: str, seconds: float = 3.0) -> Looked:
    """Tell whether an application listens at ``where`` and answers, without asking it for anything."""
    if sys.platform == "win32":
        return Looked(Reply.SHOWN if Path(where).exists() else Reply.ABSENT)
    process = 0
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(where)
            process = _peer(connection)
            # Whoever hangs up without a word is hung up on, by one that is not stuck.
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)
        except _NOBODY_THERE:
            return Looked(Reply.ABSENT)
        except ConnectionResetError:
            return Looked(Reply.SHOWN, process)
        except OSError:
            return Looked(Reply.SILENT, process)
    return Looked(Reply.SHOWN, process)


def _peer(connection: socket.socket) -> int:
    """Return the process that listens there, 0 where the system does not say (unix(7), SO_PEERCRED)."""
    if not sys.platform.startswith("linux"):
        return 0
    size = struct.calcsize("3i")
    return int(struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[0])


def bring_to_front(paths: Paths, environment: Mapping[str, str], patience: float = 0.0) -> bool:
    """Bring the running application to the front; False when none runs, InputError when it does not answer.

    ``patience`` is how many seconds one may still take until it listens.
    """
    token = activation_token(environment)
    deadline = time.monotonic() + patience
    while (reply := show(address(paths), token)) is Reply.ABSENT and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    if reply is Reply.SILENT:
        raise InputError(
            "Watchbell is running already, and does not answer: look for its bell in the tray, "
            "or end its process and start it again"
        )
    return reply is Reply.SHOWN


def _say_by_pipe(where: str, words: bytes, seconds: float) -> Reply:
    """Say it over a named pipe, which knows no timeouts: in a thread that may be left behind."""
    replies = [Reply.SILENT]

    def talk() -> None:
        try:
            with Path(where).open("r+b", buffering=0) as pipe:
                pipe.write(words)
                replies.append(Reply.SHOWN if pipe.read(len(DONE)) == DONE else Reply.SILENT)
        except FileNotFoundError:
            replies.append(Reply.ABSENT)
        except OSError:
            replies.append(Reply.SILENT)

    talking = threading.Thread(target=talk, name="watchbell-show", daemon=True)
    talking.start()
    talking.join(seconds)
    return replies[-1]
