"""The session's message bus: await a service, call it, and see the notifications that programs send over it."""

import re
import threading
import time
from dataclasses import dataclass
from typing import Any, Self

from jeepney import (
    DBusAddress,
    HeaderFields,
    MatchRule,
    Message,
    MessageType,
    message_bus,
    new_method_call,
)
from jeepney.bus_messages import Monitoring
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from tests.desktop.inbox import Inbox

NOTIFICATIONS = "org.freedesktop.Notifications"
_NOTIFICATIONS_PATH = "/org/freedesktop/Notifications"


@dataclass(frozen=True)
class Notify:
    """A notification as the program asked for it (freedesktop Notifications 1.2, Notify)."""

    app_name: str
    replaces: int
    icon: str
    summary: str
    body: str
    actions: tuple[str, ...]
    hints: dict[str, Any]
    expires_ms: int


class Bus:
    """The bus at an address; each question opens a connection of its own, so any thread may ask."""

    def __init__(self, address: str) -> None:
        self.address = address

    def call(self, service: str, path: str, member: str, signature: str = "", *arguments: object) -> tuple[Any, ...]:
        """Call `member` ("interface.Method") and return what it answers; AssertionError when that is an error."""
        interface, _, method = member.rpartition(".")
        address = DBusAddress(path, bus_name=service, interface=interface)
        with open_dbus_connection(self.address) as connection:
            reply = connection.send_and_get_reply(new_method_call(address, method, signature, arguments), timeout=5)
        assert reply.header.message_type is MessageType.method_return, f"{member}: {reply.body}"
        return tuple(reply.body)

    def await_service(self, name: str, seconds: float) -> None:
        """Return once a program has taken this name."""
        rule = MatchRule(type="signal", interface="org.freedesktop.DBus", member="NameOwnerChanged")
        rule.add_arg_condition(0, name)
        deadline = time.monotonic() + seconds
        with open_dbus_connection(self.address) as connection, connection.filter(rule) as changes:
            connection.send_and_get_reply(message_bus.AddMatch(rule))
            if connection.send_and_get_reply(message_bus.NameHasOwner(name)).body[0]:
                return
            try:
                connection.recv_until_filtered(changes, timeout=deadline - time.monotonic())
            except TimeoutError:
                raise AssertionError(f"{name} is not on the bus after {seconds} s") from None

    def notifications_on_screen(self) -> int:
        """Return how many notifications the daemon shows now."""
        member = "org.freedesktop.DBus.Properties.Get"
        answer = self.call(NOTIFICATIONS, _NOTIFICATIONS_PATH, member, "ss", "org.dunstproject.cmd0", "displayedLength")
        return int(answer[0][1])

    def close_notifications(self) -> None:
        """Take all notifications from the screen, as a person does who closes them."""
        self.call(NOTIFICATIONS, _NOTIFICATIONS_PATH, "org.dunstproject.cmd0.NotificationCloseAll")


class NotifyCalls:
    """Sees every notification that is asked for from the beginning of the `with` block to its end."""

    def __init__(self, address: str) -> None:
        self._connection: DBusConnection = open_dbus_connection(address)
        self._calls: Inbox[Notify] = Inbox()
        self._thread = threading.Thread(target=self._read, name="desktop-notify-calls", daemon=True)
        self._ending = threading.Event()

    def __enter__(self) -> Self:
        rule = MatchRule(type="method_call", interface=NOTIFICATIONS, member="Notify")
        self._connection.send_and_get_reply(Monitoring().BecomeMonitor([rule.serialise()]))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        self._connection.close()

    def wait(self, summary: str, seconds: float = 10) -> Notify:
        """Return the next notification with this summary (a regular expression)."""
        return self._calls.wait(lambda call: bool(re.search(summary, call.summary)), seconds, f"{summary!r}")

    def _read(self) -> None:
        while not self._ending.is_set():
            try:
                self._keep(self._connection.receive(timeout=0.1))
            except TimeoutError:
                continue
            except ConnectionError:
                return  # the session ended

    def _keep(self, message: Message) -> None:
        if message.header.fields.get(HeaderFields.member) != "Notify":
            return
        app_name, replaces, icon, summary, body, actions, hints, expires = message.body
        values = {name: value for name, (_, value) in hints.items()}
        self._calls.put(Notify(app_name, replaces, icon, summary, body, tuple(actions), values, expires))
