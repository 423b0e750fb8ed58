"""A logind that says when the machine sleeps, on a bus of the test's own. Any thread."""

from typing import Self

from jeepney import DBusAddress, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

NAME, PATH = "org.freedesktop.login1", "/org/freedesktop/login1"


class Logind:
    """Owns logind's name at the bus of ``address`` and emits its signal."""

    def __init__(self, address: str, name: str = NAME) -> None:
        self._bus: DBusConnection = open_dbus_connection(address)
        self._bus.send_and_get_reply(message_bus.RequestName(name))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bus.close()

    def prepare_for_sleep(self, asleep: bool) -> None:
        """Say that the machine goes to sleep, or that it woke up."""
        address = DBusAddress(PATH, interface="org.freedesktop.login1.Manager")
        self._bus.send(new_signal(address, "PrepareForSleep", "b", (asleep,)))
