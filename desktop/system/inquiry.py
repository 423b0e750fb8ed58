"""Asks the running application what it sees of each connection, within a short time. Any thread; no Qt."""

import socket
import sys
import threading
import time
from pathlib import Path

from desktop.domain.second_start import WATCH
from desktop.system.instance import Reply, address, running
from desktop.system.paths import Paths

_MOST_BYTES = 1024 * 1024
# Answers are given at once, or not at all: a person waits for this one.
_SECONDS = 2.0


def ask_what_is_watched(paths: Paths, seconds: float = _SECONDS) -> tuple[Reply, bytes]:
    """Return what became of asking, and the line that was answered: empty where it runs and says nothing of that.

    ABSENT only where none runs; SILENT where one runs and cannot be asked, too.
    """
    where = address(paths)
    reply, line = _by_pipe(where, seconds) if sys.platform == "win32" else _by_socket(where, seconds)
    if reply is Reply.ABSENT and running(paths):
        return Reply.SILENT, b""
    return reply, line


def _by_socket(where: str, seconds: float) -> tuple[Reply, bytes]:
    heard = bytearray()
    deadline = time.monotonic() + seconds
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(where)
            connection.sendall(WATCH)
            while not heard.endswith(b"\n") and len(heard) <= _MOST_BYTES:
                # Whoever drips does not answer either.
                connection.settimeout(max(deadline - time.monotonic(), 0.001))
                part = connection.recv(65536)
                if not part:
                    break
                heard += part
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            return Reply.ABSENT, b""
        except ConnectionResetError:
            # One that does not know the word hangs up.
            return Reply.SHOWN, b""
        except OSError:
            return Reply.SILENT, b""
    return Reply.SHOWN, bytes(heard)


def _by_pipe(where: str, seconds: float) -> tuple[Reply, bytes]:
    """Ask over a named pipe, which knows no timeouts: in a thread that may be left behind."""
    replies = [(Reply.SILENT, b"")]

    def talk() -> None:
        try:
            with Path(where).open("r+b", buffering=0) as pipe:
                pipe.write(WATCH)
                heard = bytearray()
                while not heard.endswith(b"\n") and len(heard) <= _MOST_BYTES and (part := pipe.read(65536)):
                    heard += part
                replies.append((Reply.SHOWN, bytes(heard)))
        except FileNotFoundError:
            replies.append((Reply.ABSENT, b""))
        except OSError:
            replies.append((Reply.SILENT, b""))

    talking = threading.Thread(target=talk, name="watchbell-ask", daemon=True)
    talking.start()
    talking.join(seconds)
    return replies[-1]
