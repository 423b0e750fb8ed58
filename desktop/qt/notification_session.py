"""What is said to a notification server, and what it says back. One worker thread; every call has a time limit.

The protocol: https://specifications.freedesktop.org/notification-spec/latest/protocol.html
"""

import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from typing import Any

_NAME = "org.freedesktop.Notifications"
_PATH = "/org/freedesktop/Notifications"
_TIMEOUT = 3.0
_ACKNOWLEDGE = "acknowledge"
_CRITICAL = 2
_NEVER_EXPIRES = 0
_NO_ANGLES = str.maketrans("<>", "‹›")

# Whoever shows links or images reads markup, whether or not it says so.
_MARKUP = frozenset({"body-markup", "body-hyperlinks", "body-images"})
# Servers that read markup whatever they announce. dunst announces it only where its settings name it
# (https://github.com/dunst-project/dunst/blob/v1.9.0/src/dbus.c) and reads it where they do not
# (https://github.com/dunst-project/dunst/blob/v1.9.0/src/notification.c). May go once it announces what it reads.
_READS_MARKUP_ANYWAY = frozenset({"dunst"})


@dataclass(frozen=True, slots=True)
class Note:
    """What a notification says. ``key`` names what it is about: one of the same key replaces the one before.

    ``button`` gives it an Acknowledge button. Without ``news`` it only corrects one that is still on screen.
    """

    key: tuple[str, str]
    headline: str
    text: str
    critical: bool = True
    button: bool = True
    news: bool = True


def unmarked(text: str) -> str:
    """Return ``text`` without what could begin a tag, for readers of whom nobody knows whether they read markup."""
    return text.translate(_NO_ANGLES)


def reads_markup(server: str, capabilities: Sequence[str]) -> bool:
    """Tell whether the server of this name, which announces ``capabilities``, takes a body for markup."""
    return server.lower() in _READS_MARKUP_ANYWAY or not _MARKUP.isdisjoint(capabilities)


class NotificationSession:
    """The connection to the bus and what is shown. Only ``cut`` may be called from another thread."""

    def __init__(self, acknowledge: Callable[[tuple[str, str]], object]) -> None:
        self._acknowledge = acknowledge
        self._bus: Any = None
        self._signals: deque[Any] = deque()
        self._filters: list[Any] = []
        self._markup = False
        self._ids: dict[tuple[str, str], int] = {}
        self._cut = False

    @property
    def socket(self) -> socket.socket | None:
        """The socket to wait on, None while not connected."""
        return None if self._bus is None else self._bus.sock

    def shows(self, key: tuple[str, str]) -> bool:
        """Tell whether the notification of ``key`` is on screen, as far as anybody said."""
        return key in self._ids

    def show(self, note: Note) -> str:
        """Show ``note``; return why that failed, else an empty text."""
        try:
            self._connect()
        except Exception as error:  # noqa: BLE001 - whatever a bus, absent or broken, raises: the next link follows
            self.end()
            return _reason(error)
        try:
            (self._ids[note.key],) = self._call("Notify", "susssasa{sv}i", self._arguments(note))
        except TimeoutError as error:
            # It is slow, not gone: what it shows of ours can still be closed.
            return _reason(error)
        except Exception as error:  # noqa: BLE001 - as above
            self.end()
            return _reason(error)
        return ""

    def close(self, key: tuple[str, str]) -> None:
        """Close the notification of ``key``."""
        number = self._ids.pop(key, None)
        if number is None:
            return
        # It is gone already, or the bus is: both are fine.
        with suppress(Exception):
            self._call("CloseNotification", "u", (number,))

    def close_all(self, seconds: float) -> None:
        """Close every notification of ours and leave; wait at most ``seconds`` for the server to have heard."""
        numbers = list(self._ids.values())
        self._ids.clear()
        # Whatever the bus raises now: what is asked for at the end of the program is asked for once.
        with suppress(Exception):
            for number in numbers:
                self._bus.send(_message("CloseNotification", "u", (number,)))
            if numbers:
                # Messages keep their order: whoever answers this one has read those before.
                self._call("GetCapabilities", None, (), seconds)
        self._leave()

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
        """Leave the bus; once cut, only ``close_all`` does."""
        if not self._cut:
            self._leave()

    def cut(self) -> None:
        """Let no call wait for its answer any more; ``close_all`` can still send. From any thread."""
        self._cut = True
        bus = self._bus
        if bus is not None:
            with suppress(OSError):
                bus.sock.shutdown(socket.SHUT_RD)

    def _leave(self) -> None:
        bus, self._bus = self._bus, None
        self._ids.clear()
        self._filters.clear()
        if bus is not None:
            bus.close()

    def _arguments(self, note: Note) -> tuple[object, ...]:
        # A notification outlives a program that crashed, and its button is dead then: the next one cannot know its
        # number, and another program's may have that number by now. The server knows at least whose it was.
        hints = {
            "urgency": ("y", _CRITICAL if note.critical else 1),
            "category": ("s", "im.received"),
            "desktop-entry": ("s", "watchbell"),
        }
        return (
            "Watchbell",
            self._ids.get(note.key, 0),
            "watchbell",
            # Never markup by the specification, so that it cannot be escaped; dunst finds links in it all the same.
            unmarked(note.headline),
            escape(note.text, quote=False) if self._markup else note.text,
            [_ACKNOWLEDGE, "Acknowledge"] if note.button else [],
            hints,
            _NEVER_EXPIRES if note.critical else -1,
        )

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
        server = self._call("GetServerInformation", None, ())[0]
        (capabilities,) = self._call("GetCapabilities", None, ())
        self._markup = reads_markup(server, capabilities)

    def _call(
        self, method: str, signature: str | None, body: tuple[object, ...], seconds: float = _TIMEOUT
    ) -> tuple[Any, ...]:
        from jeepney.wrappers import unwrap_msg  # noqa: PLC0415 - Linux only

        message = _message(method, signature, body)
        reply: tuple[Any, ...] = unwrap_msg(self._bus.send_and_get_reply(message, timeout=seconds))
        return reply


def _message(method: str, signature: str | None, body: tuple[object, ...]) -> Any:  # noqa: ANN401 - jeepney is untyped
    from jeepney import DBusAddress, new_method_call  # noqa: PLC0415 - Linux only

    return new_method_call(DBusAddress(_PATH, bus_name=_NAME, interface=_NAME), method, signature, body)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
