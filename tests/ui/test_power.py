"""logind's word about sleep, over a bus of the test's own."""

from collections.abc import Iterator

import pytest
from PySide6.QtDBus import QDBusConnection
from pytestqt.qtbot import QtBot

from desktop.qt.power import Power
from tests.fakes.logind import Logind
from tests.ui.notification_server import PrivateBus


@pytest.fixture
def bus() -> Iterator[str]:
    with PrivateBus() as private:
        yield private.address
        QDBusConnection.disconnectFromBus("power")


def test_it_hears_sleep_and_waking_of_logind_alone(qtbot: QtBot, bus: str) -> None:
    heard: list[str] = []
    power = Power(bus=QDBusConnection.connectToBus(bus, "power"))
    power.sleeping.connect(lambda: heard.append("sleeping"))
    power.woke.connect(lambda: heard.append("woke"))
    with Logind(bus) as logind, Logind(bus, "org.example.liar") as liar:
        assert power.start()
        liar.prepare_for_sleep(True)
        for asleep in (True, False):
            logind.prepare_for_sleep(asleep)
        qtbot.waitUntil(lambda: len(heard) == 2)
    assert heard == ["sleeping", "woke"]


def test_without_a_bus_only_the_clock_tells(qtbot: QtBot) -> None:
    assert not Power(bus=QDBusConnection.connectToBus("unix:path=/nonexistent", "power")).start()
