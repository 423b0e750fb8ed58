"""As much of the X11 protocol as it takes to watch a screen: a few questions and events. One thread per connection.

Spoken directly instead of read from the output of xev and xwininfo: an event's time is then the time when it came, and
no process per question blurs it. Numbers of requests, replies and events: X Window System Protocol, appendix B.
"""

import select
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

PROPERTY_CHANGE = 0x400000
STRUCTURE = 0x020000
SUBSTRUCTURE = 0x080000

DESTROYED = 17
UNMAPPED = 18
MAPPED = 19

_ERROR, _REPLY, _GENERIC_EVENT = 0, 1, 35


@dataclass(frozen=True)
class Event:
    """Something that happened to `window`; `at` is when it was read, in seconds of time.monotonic()."""

    kind: int
    window: int
    at: float


@dataclass(frozen=True)
class Geometry:
    """A window's place on the screen, in pixels."""

    x: int
    y: int
    width: int
    height: int


class Display:
    """A connection to the X server whose screen has `number`, on this machine and without a password."""

    def __init__(self, number: int) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(f"/tmp/.X11-unix/X{number}")
        self._buffer = b""
        self._events: deque[Event] = deque()
        self._sequence = 0
        self._atoms: dict[str, int] = {}
        self.root = self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def stop(self) -> None:
        """End a wait for events in another thread: ConnectionError there."""
        self._socket.shutdown(socket.SHUT_RDWR)

    # --- questions ---

    def listen(self, window: int, mask: int) -> None:
        """Ask for the window's events of these kinds, and return when the server sends them."""
        self._send(struct.pack("<BxHIII", 2, 4, window, 0x800, mask))
        self._ask(struct.pack("<BxH", 43, 1))

    def atom(self, name: str) -> int:
        """Return the number that stands for a name."""
        if name not in self._atoms:
            data = name.encode()
            request = struct.pack("<BBHHxx", 16, 0, 2 + (len(data) + 3) // 4, len(data)) + _padded(data)
            self._atoms[name] = struct.unpack_from("<I", self._ask(request), 8)[0]
        return self._atoms[name]

    def property(self, window: int, name: str) -> bytes:
        """Return a property's first 4 KiB; empty when it, or the window, is not there."""
        reply = self._ask(struct.pack("<BBHIIIII", 20, 0, 6, window, self.atom(name), 0, 0, 1024))
        if not reply:
            return b""
        length = struct.unpack_from("<I", reply, 16)[0] * reply[1] // 8
        return reply[32 : 32 + length]

    def title(self, window: int) -> str:
        """Return what the window calls itself."""
        name = self.property(window, "_NET_WM_NAME") or self.property(window, "WM_NAME")
        return name.decode(errors="replace")

    def wm_class(self, window: int) -> str:
        """Return the program's name and class, as "name.Class"."""
        return ".".join(
            part.decode(errors="replace") for part in self.property(window, "WM_CLASS").split(b"\0") if part
        )

    def owner(self, selection: str) -> int:
        """Return the window that owns a selection; 0 when none does."""
        reply = self._ask(struct.pack("<BxHI", 23, 2, self.atom(selection)))
        return int(struct.unpack_from("<I", reply, 8)[0])

    def children(self, window: int) -> list[int]:
        """Return the windows inside a window, the lowest first."""
        reply = self._ask(struct.pack("<BxHI", 15, 2, window))
        return list(struct.unpack_from(f"<{struct.unpack_from('<H', reply, 16)[0]}I", reply, 32)) if reply else []

    def inside(self, window: int) -> Iterator[int]:
        """Yield the window and all that are inside it, the outer ones first."""
        queue = deque([window])
        while queue:
            window = queue.popleft()
            yield window
            queue.extend(self.children(window))

    def geometry(self, window: int) -> Geometry:
        """Return the window's place on the screen; LookupError when it is gone."""
        size = self._ask(struct.pack("<BxHI", 14, 2, window))
        place = self._ask(struct.pack("<BxHIIhh", 40, 4, window, self.root, 0, 0))
        if not size or not place:
            raise LookupError(f"there is no window {window:#x}")
        return Geometry(*struct.unpack_from("<hh", place, 12), *struct.unpack_from("<HH", size, 16))

    # --- events ---

    def next_event(self, seconds: float | None = None) -> Event | None:
        """Return the next event; None when none came in time. ConnectionError when the server is gone."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self._events:
            if not self._read(deadline):
                return None
        return self._events.popleft()

    def until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Return when the condition holds: it is looked at after every event, and a few times a second besides."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {seconds} s")
            self.next_event(0.2)

    def settle(self, seconds: float) -> None:
        """Return when no event came for so long."""
        while self.next_event(seconds):
            pass

    # --- the wire ---

    def _begin(self) -> int:
        self._socket.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, 0, 0))
        head = self._bytes(8, None)
        data = self._bytes(struct.unpack_from("<H", head, 6)[0] * 4, None)
        if head[0] != 1:
            raise ConnectionError(f"the X server refuses: {data[: head[1]].decode(errors='replace')}")
        vendor, formats = struct.unpack_from("<H", data, 16)[0], data[21]
        return int(struct.unpack_from("<I", data, 32 + len(_padded(b" " * vendor)) + 8 * formats)[0])

    def _send(self, request: bytes) -> None:
        self._socket.sendall(request)
        self._sequence = (self._sequence + 1) & 0xFFFF

    def _ask(self, request: bytes) -> bytes:
        """Return the reply to a request; empty when the server answers with an error (a window that is gone)."""
        self._send(request)
        while True:
            packet = self._packet(None)
            if packet[0] == _REPLY:
                return packet
            if packet[0] != _ERROR:
                self._keep(packet)
            elif struct.unpack_from("<H", packet, 2)[0] == self._sequence:
                return b""

    def _read(self, deadline: float | None) -> bool:
        try:
            packet = self._packet(deadline)
        except TimeoutError:
            return False
        if packet[0] != _ERROR:
            self._keep(packet)
        return True

    def _keep(self, packet: bytes) -> None:
        # In all events that are used here, the window that it is about stands at 8, after the one that told it.
        self._events.append(Event(packet[0] & 0x7F, struct.unpack_from("<I", packet, 8)[0], time.monotonic()))

    def _packet(self, deadline: float | None) -> bytes:
        head = self._bytes(32, deadline)
        if head[0] & 0x7F not in {_REPLY, _GENERIC_EVENT}:
            return head
        return head + self._bytes(struct.unpack_from("<I", head, 4)[0] * 4, None)

    def _bytes(self, count: int, deadline: float | None) -> bytes:
        while len(self._buffer) < count:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([self._socket], [], [], left)[0]:
                raise TimeoutError
            more = self._socket.recv(65536)
            if not more:
                raise ConnectionError("the X server has closed the connection")
            self._buffer += more
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
