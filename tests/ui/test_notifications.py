import threading
import time
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from desktop.domain.attention import Page
from desktop.domain.severity import Severity
from desktop.qt import notification_session
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


@pytest.mark.parametrize(
    ("name", "capabilities"),
    [
        ("fake", ("body", "body-hyperlinks")),
        ("fake", ("body", "body-images")),
        ("dunst", ("body", "actions")),
        ("Dunst", ("body",)),
    ],
)
def test_whoever_may_read_markup_gets_it_escaped(
    qtbot: QtBot, make: Make, bus: PrivateBus, name: str, capabilities: tuple[str, ...]
) -> None:
    with NotificationServer(bus.address, capabilities, name) as server:
        tell(qtbot, make(), title="<b>R&D</b> &amp;")
        assert server.notified()[0][4] == "&lt;b&gt;R&amp;D&lt;/b&gt; &amp;amp;"


def test_a_headline_holds_no_tags(qtbot: QtBot, make: Make, server: NotificationServer) -> None:
    tell(qtbot, make(), service='<a href="http://x">R&D</a>')
    # It cannot be escaped: by the specification it is not markup, and would be shown with its entities.
    assert server.notified()[0][3] == 'SEV-0 Critical: ‹a href="http://x"›R&D‹/a›'


def test_the_tray_gets_no_tags(qtbot: QtBot, make: Make, tray: FakeTray) -> None:
    tell(qtbot, make(), title="<b>R&D</b>", service="<i>")
    assert tray.messages == [("SEV-0 Critical: ‹i›", "‹b›R&D‹/b›")]


def test_the_server_learns_whose_it_is(qtbot: QtBot, make: Make, server: NotificationServer) -> None:
    tell(qtbot, make())
    hints = server.notified()[0][6]
    assert hints["desktop-entry"] == ("s", "watchbell")
    assert "transient" not in hints


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


def pages(count: int) -> tuple[Page, ...]:
    return tuple(sample.page(number) for number in range(2000, 2000 + count))


def test_many_pages_are_one_notification(qtbot: QtBot, make: Make, server: NotificationServer) -> None:
    notifications = make()
    for count in (12, 1):
        with qtbot.waitSignal(notifications.delivered, timeout=5000):
            notifications.summarise(pages(count), news=count == 12)
    notifications.summarise((), news=False)
    qtbot.waitUntil(lambda: ("CloseNotification", (8,)) in server.calls, timeout=5000)
    first, second = server.notified()
    assert (first[1], first[3], first[5], first[7]) == (0, "12 more pages", [], 0)
    assert first[4] == "The most urgent: SEV-0 Critical"
    assert (second[1], second[3]) == (8, "1 more page")


def test_a_correction_brings_back_nothing_that_was_closed(qtbot: QtBot, make: Make, server: NotificationServer) -> None:
    notifications = make()
    with qtbot.waitSignal(notifications.delivered, timeout=5000):
        notifications.summarise(pages(3), news=True)
    server.emit("NotificationClosed", "uu", 8, 2)
    # The bus keeps the order, so this answer comes after the person closed it.
    tell(qtbot, notifications)
    notifications.summarise(pages(2), news=False)
    tell(qtbot, notifications)
    assert [n[3] for n in server.notified()] == ["3 more pages", *["SEV-0 Critical: payments"] * 2]


def test_without_a_bus_only_the_tray_is_told_of_many_and_never_corrected(
    qtbot: QtBot, make: Make, tray: FakeTray
) -> None:
    asked: list[str] = []

    def fallback(headline: str, _text: str) -> bool:
        asked.append(headline)
        return True

    notifications = make(fallback)
    with qtbot.waitSignal(notifications.delivered, timeout=5000):
        notifications.summarise(pages(3), news=True)
    notifications.summarise(pages(2), news=False)
    tell(qtbot, notifications)
    assert asked == ["SEV-0 Critical"]
    assert tray.messages == [("3 more pages", "The most urgent: SEV-0 Critical")]


def test_tools_that_hang_do_not_pile_up(qtbot: QtBot, make: Make, tray: FakeTray) -> None:
    hanging, started = threading.Event(), threading.Semaphore(0)

    def fallback(_headline: str, _text: str) -> bool:
        started.release()
        return hanging.wait(30)

    notifications = make(fallback)
    for page in pages(10):
        notifications.notify(page)
    qtbot.waitUntil(lambda: len(tray.messages) == 6, timeout=5000)
    hanging.set()
    with qtbot.waitSignal(notifications.delivered, timeout=5000):
        pass
    assert sum(started.acquire(blocking=False) for _ in range(10)) == 4


@pytest.fixture
def silent(server: NotificationServer) -> NotificationServer:
    """A server that takes a note and does not answer."""
    server.answers.clear()
    return server


def test_a_burst_waits_for_nobody_and_only_the_newest_is_sent(
    qtbot: QtBot, make: Make, silent: NotificationServer
) -> None:
    notifications = make()
    notifications.notify(sample.page(1))
    qtbot.waitUntil(lambda: len(silent.notified()) == 1, timeout=5000)
    start = time.monotonic()
    for number in range(2000):
        notifications.notify(sample.page(2, title=f"{number}"))
        notifications.notify(sample.page(3 + number))
        notifications.withdraw("local", f"P{3 + number}")
    notifications.notify(sample.page(5000))
    # The server keeps silent for longer than that; so does a socket that is full.
    assert time.monotonic() - start < 2.5
    silent.answers.set()
    with qtbot.waitSignal(notifications.delivered, timeout=5000, check_params_cb=lambda key, _: key[1] == "P5000"):
        pass
    assert [n[4] for n in silent.notified()][1:] == ["1999", sample.page().incident.title]
    assert not [m for m, _ in silent.calls if m == "CloseNotification"]


def test_what_was_shown_and_withdrawn_in_a_burst_is_closed(
    qtbot: QtBot, make: Make, silent: NotificationServer
) -> None:
    notifications = make()
    notifications.notify(sample.page())
    qtbot.waitUntil(lambda: len(silent.notified()) == 1, timeout=5000)
    notifications.notify(sample.page(title="again"))
    notifications.withdraw("local", "P1044")
    silent.answers.set()
    qtbot.waitUntil(lambda: ("CloseNotification", (8,)) in silent.calls, timeout=5000)
    assert len(silent.notified()) == 1


def test_a_slow_server_is_not_forgotten(
    qtbot: QtBot, make: Make, server: NotificationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notification_session, "_TIMEOUT", 0.2)
    notifications = make()
    tell(qtbot, notifications)
    server.answers.clear()
    with qtbot.waitSignal(notifications.delivered, timeout=5000):
        notifications.notify(sample.page(1045))
    server.answers.set()
    notifications.withdraw("local", "P1044")
    qtbot.waitUntil(lambda: ("CloseNotification", (8,)) in server.calls, timeout=5000)


def test_closing_takes_ours_away(qtbot: QtBot, make: Make, server: NotificationServer) -> None:
    notifications = make()
    tell(qtbot, notifications)
    with qtbot.waitSignal(notifications.delivered, timeout=5000):
        notifications.summarise(pages(3), news=True)
    notifications.close()
    closed = [arguments for method, arguments in server.calls if method == "CloseNotification"]
    assert closed == [(8,), (9,)]


def test_closing_waits_for_no_server(qtbot: QtBot, make: Make, silent: NotificationServer) -> None:
    notifications = make()
    for page in pages(1000):
        notifications.notify(page)
    qtbot.waitUntil(lambda: len(silent.notified()) == 1, timeout=5000)
    start = time.monotonic()
    notifications.close()
    assert time.monotonic() - start < 2.5
    assert not [t for t in threading.enumerate() if t.name == "watchbell-notify"]


def test_closing_takes_ours_away_from_a_server_that_wakes_up_later(
    qtbot: QtBot, make: Make, server: NotificationServer
) -> None:
    notifications = make()
    tell(qtbot, notifications)
    server.answers.clear()
    notifications.notify(sample.page(1045))
    qtbot.waitUntil(lambda: len(server.notified()) == 2, timeout=5000)
    notifications.close()
    server.answers.set()
    qtbot.waitUntil(lambda: ("CloseNotification", (8,)) in server.calls, timeout=5000)


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
