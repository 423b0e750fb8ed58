"""The socket on which the server listens, and what it is called. On the main thread."""

import contextlib
import os
import socket
import sys
from collections.abc import Iterator

from desktop.domain.errors import InputError


@contextlib.contextmanager
def open_socket(host: str, port: int, *, tell: bool) -> Iterator[socket.socket]:
    """Give a socket bound to ``host`` and ``port``; InputError when it cannot be had.

    ``tell``: a parent reads on standard output that the port is taken, and tells this from every other failure: only
    this one is mended by another port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once only what is said to be TCP; else each answer waits 40 ms for the client's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name != "nt":  # there it would let a second server steal the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        if tell:
            sys.stdout.write("port taken\n")
            sys.stdout.flush()
        raise InputError(f"--port {port}: cannot listen on {host}: {reason}") from error
    try:
        yield listener
    finally:
        listener.close()


def url_of(listener: socket.socket, *, secure: bool) -> str:
    """Return where ``listener`` is reached from this machine."""
    host, port = listener.getsockname()[:2]
    scheme = "https" if secure else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
