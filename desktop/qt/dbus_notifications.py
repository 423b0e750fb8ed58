"""Desktop notifications over D-Bus, with an Acknowledge button. One worker thread; signals reach the GUI thread.

PySide6's QtDBus cannot build this call: every integer becomes a 16-bit one and ``replaces_id`` must be an unsigned
32-bit one (PySide6 6.11, ``QDBusArgument << int``). jeepney, which keyring brings along on Linux, can. The protocol:
https://specifications.freedesktop.org/notification-spec/latest/protocol.html
"""

import selectors
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from threading import Lock, Thread
from typing import Any

from PySide6.QtCore import QObject, Signal

_NAME = "org.freedesktop.Notifications"
_PATH = "/org/freedesktop/Notifications"
_TIMEOUT = 3.0
_ACKNOWLEDGE = "acknowledge"
_CRITICAL = 2
_NEVER_EXPIRES = 0


@dataclass(frozen=True, slots=True)
class Note:
    """What a notification says. ``key`` names what it is about: one of the same key replaces the one before."""

    key: tuple[str, str]
    headline: str
    text: str
    critical: bool = True


class DBusLink(QObject):
    """Shows and closes notifications without ever blocking its caller.

    ``answered`` carries the note, whether it was shown, and else why not; ``acknowledge`` the key of a pressed button.
    """

    answered = Signal(object, bool, str)
    acknowledge = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = Lock()
        self._jobs: deque[Callable[[_Session], None]] = deque()
        self._wake, self._waker = socket.socketpair()
        self._thread: Thread | None = None
        self._ended = False

    def show(self, note: Note) -> None:
        """Show ``note``, or update the one with its key; ``answered`` follows."""
        self._add(lambda session: self._show(session, note))

    def withdraw(self, key: tuple[str, str]) -> None:
        """Close the notification of ``key``, if it is still there."""
        if self._thread is not None:
            self._add(lambda session: session.close(key))

    def close(self) -> None:
        """End the thread; what is shown stays."""
        with self._lock:
            self._ended = True
        self._waker.close()
        if self._thread is not None:
            self._thread.join(_TIMEOUT + 1)
        self._wake.close()

    def _add(self, job: "Callable[[_Session], None]") -> None:
        with self._lock:
            if self._ended:
                return
            self._jobs.append(job)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="watchbell-notify", daemon=True)
                self._thread.start()
        self._waker.send(b"1")

    def _show(self, session: "_Session", note: Note) -> None:
        reason = session.show(note)
        self.answered.emit(note, not reason, reason)

    def _run(self) -> None:
        session = _Session(self.acknowledge.emit)
        while not self._ended:
            with selectors.DefaultSelector() as waiting:
                waiting.register(self._wake, selectors.EVENT_READ)
                if (bus := session.socket) is not None:
                    waiting.register(bus, selectors.EVENT_READ)
                waiting.select()
            self._read_wake()
            session.listen()
            self._work(session)
            session.listen()
        session.end()

    def _read_wake(self) -> None:
        self._wake.setblocking(False)
        try:
            while self._wake.recv(64):
                pass
        except BlockingIOError:
            pass

    def _work(self, session: "_Session") -> None:
        while True:
            with self._lock:
                if self._ended or not self._jobs:
                    return
                job = self._jobs.popleft()
            job(session)


class _Session:
    """The connection to the bus and what is shown; used by the worker thread alone."""

    def __init__(self, acknowledge: Callable[[tuple[str, str]], object]) -> None:
        self._acknowledge = acknowledge
        self._bus: Any = None
        self._signals: deque[Any] = deque()
        self._filters: list[Any] = []
        self._markup = False
        self._ids: dict[tuple[str, str], int] = {}

    @property
    def socket(self) -> socket.socket | None:
        """The socket to wait on, None while not connected."""
        return None if self._bus is None else self._bus.sock

    def show(self, note: Note) -> str:
        """Show ``note``; return why that failed, else an empty text."""
        try:
            self._connect()
            text = escape(note.text, quote=False) if self._markup else note.text
            hints = {"urgency": ("y", _CRITICAL if note.critical else 1), "category": ("s", "im.received")}
            body = (
                "Watchbell",
                self._ids.get(note.key, 0),
                "watchbell",
                note.headline,
                text,
                [_ACKNOWLEDGE, "Acknowledge"],
                hints,
                _NEVER_EXPIRES if note.critical else -1,
            )
            (self._ids[note.key],) = self._call("Notify", "susssasa{sv}i", body)
        except Exception as error:  # noqa: BLE001 - whatever a bus, absent or broken, raises: the next link follows
            self.end()
            return f"{type(error).__name__}: {error}"[:200]
        return ""

    def close(self, key: tuple[str, str]) -> None:
        """Close the notification of ``key``."""
        number = self._ids.pop(key, None)
        if number is None:
            return
        try:
            self._call("CloseNotification", "u", (number,))
        except Exception:  # noqa: BLE001 - it is gone already, or the bus is: both are fine
            return

    def listen(self) -> None:
        """Take what the bus sent: buttons pressed, notifications closed."""
        if self._bus is None:
            return
        try:
            while True:
                self._bus.recv_messages(timeout=0)
        except TimeoutError:
            pass
        except Exception:  # noqa: BLE001 - the bus went away; the next note connects anew
            self.end()
        while self._signals:
            self._take(self._signals.popleft())

    def end(self) -> None:
        """Leave the bus."""
        bus, self._bus = self._bus, None
        self._ids.clear()
        self._filters.clear()
        if bus is not None:
            bus.close()

    def _take(self, message: Any) -> None:  # noqa: ANN401 - jeepney is untyped here
        from jeepney import HeaderFields  # noqa: PLC0415 - Linux only

        member = message.header.fields.get(HeaderFields.member)
        keys = [k for k, n in self._ids.items() if message.body and n == message.body[0]]
        if member == "ActionInvoked" and message.body[1:] == (_ACKNOWLEDGE,):
            for key in keys:
                self._acknowledge(key)
        elif member == "NotificationClosed":
            for key in keys:
                del self._ids[key]

    def _connect(self) -> None:
        if self._bus is not None:
            return
        from jeepney import MatchRule, message_bus  # noqa: PLC0415 - Linux only
        from jeepney.io.blocking import Proxy, open_dbus_connection  # noqa: PLC0415

        self._bus = open_dbus_connection("SESSION")
        rule = MatchRule(type="signal", sender=_NAME, interface=_NAME, path=_PATH)
        Proxy(message_bus, self._bus, timeout=_TIMEOUT).AddMatch(rule)
        # The bus names a sender by number, so here the rule must not ask for the well-known name.
        here = MatchRule(type="signal", interface=_NAME, path=_PATH)
        handle = self._bus.filter(here, queue=self._signals)
        self._filters.append(handle)
        (capabilities,) = self._call("GetCapabilities", None, ())
        self._markup = "body-markup" in capabilities

    def _call(self, method: str, signature: str | None, body: tuple[object, ...]) -> tuple[Any, ...]:
        from jeepney import DBusAddress, new_method_call  # noqa: PLC0415 - Linux only
        from jeepney.wrappers import unwrap_msg  # noqa: PLC0415

        address = DBusAddress(_PATH, bus_name=_NAME, interface=_NAME)
        message = new_method_call(address, method, signature, body)
        reply: tuple[Any, ...] = unwrap_msg(self._bus.send_and_get_reply(message, timeout=_TIMEOUT))
        return reply
