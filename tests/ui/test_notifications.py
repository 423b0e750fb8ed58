import threading
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from desktop.domain.severity import Severity
from desktop.qt.notifications import Notifications, note_of
from tests.ui.notification_server import NotificationServer, PrivateBus
from tools import look_samples as sample

Make = Callable[..., Notifications]
HTML = '<b>R&D</b> <img src="http://x/y">'


class FakeTray:
    def __init__(self) -> None:
        self.works = True
        self.messages: list[tuple[str, str]] = []

    def show_message(self, title: str, text: str) -> bool:
        if self.works:
            self.messages.append((title, text))
        return self.works


@pytest.fixture
def tray() -> FakeTray:
    return FakeTray()


@pytest.fixture
def make(qtbot: QtBot, tray: FakeTray) -> Iterator[Make]:
    made: list[Notifications] = []

    def one(fallback: Callable[[str, str], bool] | None = None) -> Notifications:
        made.append(Notifications(tray, fallback=fallback))
        return made[-1]

    yield one
    for notifications in made:
        notifications.close()


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateBus]:
    with PrivateBus() as private:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", private.address)
        yield private


@pytest.fixture
def server(bus: PrivateBus) -> Iterator[NotificationServer]:
    with NotificationServer(bus.address) as one:
        yield one


def tell(qtbot: QtBot, notifications: Notifications, **changes: object) -> str:
    """Tell about a page; return the name of the link that showed it."""
    with qtbot.waitSignal(notifications.delivered, timeout=5000) as caught:
        notifications.notify(sample.page(**changes))  # type: ignore[arg-type]
    assert caught.args is not None
    assert caught.args[0] == ("local", "P1044")
    return str(caught.args[1])


def test_over_dbus_critical_with_a_button_and_escaped(qtbot: QtBot, make: Make, server: NotificationServer) -> None:
    assert tell(qtbot, make(), title=HTML) == "desktop notification"
    ((app, replaces, _icon, summary, body, actions, hints, expires),) = server.notified()
    assert (app, replaces, summary) == ("Watchbell", 0, "SEV-0 Critical: payments")
    assert body == '&lt;b&gt;R&amp;D&lt;/b&gt; &lt;img src="http://x/y"&gt;'
    assert actions == ["acknowledge", "Acknowledge"]
    assert hints["urgency"] == ("y", 2)
    assert expires == 0


def test_a_server_without_markup_gets_the_text_as_it_is(qtbot: QtBot, make: Make, bus: PrivateBus) -> None:
    with NotificationServer(bus.address, ("body", "actions")) as plain:
        tell(qtbot, make(), title=HTML)
        assert plain.notified()[0][4] == HTML


def test_low_severities_are_not_critical(qtbot: QtBot, make: Make, server: NotificationServer) -> None:
    tell(qtbot, make(), severity=Severity.SEV2)
    assert server.notified()[0][6]["urgency"] == ("y", 1)
    assert server.notified()[0][7] == -1


def test_told_anew_it_replaces_itself_unless_it_was_closed(
    qtbot: QtBot, make: Make, server: NotificationServer
) -> None:
    notifications = make()
    tell(qtbot, notifications)
    tell(qtbot, notifications)
    assert [n[1] for n in server.notified()] == [0, 8]
    with qtbot.waitSignal(notifications.delivered, timeout=5000):
        notifications.notify(sample.page(1045))
    with qtbot.waitSignal(notifications.acknowledge, timeout=5000):
        server.emit("NotificationClosed", "uu", 8, 2)
        # The bus keeps the order: once this one is heard, the one before was.
        server.emit("ActionInvoked", "us", 9, "acknowledge")
    tell(qtbot, notifications)
    assert [n[1] for n in server.notified()] == [0, 8, 0, 0]


def test_its_button_acknowledges(qtbot: QtBot, make: Make, server: NotificationServer) -> None:
    notifications = make()
    tell(qtbot, notifications)
    with qtbot.waitSignal(notifications.acknowledge, timeout=5000) as caught:
        server.emit("ActionInvoked", "us", 99, "acknowledge")
        server.emit("ActionInvoked", "us", 8, "default")
        server.emit("ActionInvoked", "us", 8, "acknowledge")
    assert caught.args == ["local", "P1044"]


def test_withdrawn_it_is_closed_once(qtbot: QtBot, make: Make, server: NotificationServer) -> None:
    notifications = make()
    tell(qtbot, notifications)
    notifications.withdraw("local", "P1044")
    notifications.withdraw("local", "P1044")
    notifications.withdraw("local", "unknown")
    qtbot.waitUntil(lambda: ("CloseNotification", (8,)) in server.calls, timeout=5000)
    tell(qtbot, notifications)
    assert [m for m, _ in server.calls].count("CloseNotification") == 1


def test_without_a_bus_plyer_is_asked_in_a_thread(qtbot: QtBot, make: Make, tray: FakeTray) -> None:
    asked: list[tuple[str, str, bool]] = []

    def fallback(headline: str, text: str) -> bool:
        asked.append((headline, text, threading.current_thread() is threading.main_thread()))
        return True

    notifications = make(fallback)
    assert tell(qtbot, notifications, title="-rf /") == "desktop notification"
    # What comes first is ours: a title from outside could be taken for an option.
    assert asked == [("SEV-0 Critical", "-rf /", False)]
    assert not tray.messages
    assert "(" in notifications.state


def test_where_nobody_can_tell_the_tray_shows_it_too(qtbot: QtBot, make: Make, tray: FakeTray) -> None:
    assert tell(qtbot, make(lambda _h, _t: False)) == "tray message"
    assert tray.messages == [("SEV-0 Critical: payments", "Payments API: 5xx above 20 % in eu-west-1")]


def test_the_last_link_cannot_fail(qtbot: QtBot, make: Make, tray: FakeTray) -> None:
    tray.works = False
    assert tell(qtbot, make()) == "pop-up only"


def test_a_server_that_refuses_is_not_a_delivery(
    qtbot: QtBot, make: Make, server: NotificationServer, tray: FakeTray
) -> None:
    notifications = make()
    server.refuse = True
    assert tell(qtbot, notifications) == "tray message"
    assert "wrong types" in notifications.state
    server.refuse = False
    assert tell(qtbot, notifications) == "desktop notification"


def test_a_bus_that_went_away_is_found_again(
    qtbot: QtBot, make: Make, monkeypatch: pytest.MonkeyPatch, tray: FakeTray
) -> None:
    notifications = make()
    for _ in range(2):
        with PrivateBus() as private, NotificationServer(private.address):
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", private.address)
            assert tell(qtbot, notifications) == "desktop notification"
        assert tell(qtbot, notifications) == "tray message"


def test_closing_ends_the_thread_and_later_calls_are_ignored(qtbot: QtBot, make: Make) -> None:
    notifications = make()
    tell(qtbot, notifications)
    notifications.close()
    assert not [t for t in threading.enumerate() if t.name == "watchbell-notify"]
    with qtbot.assertNotEmitted(notifications.delivered, wait=50):
        notifications.notify(sample.page())
        notifications.withdraw("local", "P1044")


def test_a_note_is_plain_and_short() -> None:
    note = note_of(sample.page(title="x\0\n" + "y" * 100_000, service=""))
    assert note.headline == "SEV-0 Critical"
    assert len(note.text) == 300
    assert "\n" not in note.text
