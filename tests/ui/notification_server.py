"""A notification server on a message bus of its own, that notes every call with its types. One thread."""

import shutil
import subprocess
from collections import deque
from contextlib import suppress
from threading import Event, Thread
from typing import Any, Self

from jeepney import (
    DBusAddress,
    DBusErrorResponse,
    HeaderFields,
    Message,
    MessageType,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
SIGNATURES = {
    "Notify": "susssasa{sv}i",
    "CloseNotification": "u",
    "GetCapabilities": None,
    "GetServerInformation": None,
}


class PrivateBus:
    """A ``dbus-daemon`` for one test."""

    def __enter__(self) -> Self:
        program = shutil.which("dbus-daemon")
        assert program, "the tests of notifications need dbus-daemon (Debian: dbus-daemon)"
        command = [program, "--session", "--nofork", "--nopidfile", "--print-address=1"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(5)
        assert self._process.stdout is not None
        self._process.stdout.close()


class NotificationServer:
    """Answers as the specification says; ``calls`` are (method, arguments); wrong types are refused.

    While ``answers`` is not set, notes are taken and not answered.
    """

    def __init__(
        self, address: str, capabilities: tuple[str, ...] = ("body", "actions", "body-markup"), name: str = "fake"
    ) -> None:
        self.calls: deque[tuple[str, tuple[Any, ...]]] = deque()
        self.refuse = False
        self.answers = Event()
        self.answers.set()
        self._name = name
        self._capabilities = list(capabilities)
        self._next = 7
        self._bus: DBusConnection = open_dbus_connection(address)
        self._bus.send_and_get_reply(message_bus.RequestName(NAME))
        self._thread = Thread(target=self._serve, name="fake-notifications", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.answers.set()
        self._bus.sock.shutdown(2)
        self._thread.join(5)
        self._bus.close()

    def emit(self, member: str, signature: str, *arguments: object) -> None:
        self._bus.send(new_signal(DBusAddress(PATH, interface=NAME), member, signature, arguments))

    def notified(self) -> list[tuple[Any, ...]]:
        return [arguments for method, arguments in self.calls if method == "Notify"]

    def _serve(self) -> None:
        with suppress(ConnectionResetError, OSError, DBusErrorResponse):
            while True:
                message = self._bus.receive()
                if message.header.message_type is MessageType.method_call:
                    self._bus.send(self._answer(message))

    def _answer(self, message: Message) -> Message:
        fields = message.header.fields
        member = fields.get(HeaderFields.member)
        if self.refuse or fields.get(HeaderFields.signature) != SIGNATURES.get(member, "?"):
            return new_error(message, "org.freedesktop.DBus.Error.InvalidArgs", "s", ("wrong types",))
        self.calls.append((member, message.body))
        if member == "GetCapabilities":
            return new_method_return(message, "as", (self._capabilities,))
        if member == "GetServerInformation":
            return new_method_return(message, "ssss", (self._name, "tests", "1", "1.2"))
        if member == "CloseNotification":
            return new_method_return(message)
        self.answers.wait()
        if not message.body[1]:
            self._next += 1
        return new_method_return(message, "u", (message.body[1] or self._next,))
