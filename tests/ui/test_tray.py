from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QMenu, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from desktop.domain.attention import Tray as State
from desktop.qt.tray import Tray
from desktop.ui.icons import tray_icon


class Desktop:
    """A desktop whose panel can come and go."""

    def __init__(self) -> None:
        self.has_tray = False
        self.takes_messages = True


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Desktop:
    one = Desktop()
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: one.has_tray))
    monkeypatch.setattr(QSystemTrayIcon, "supportsMessages", staticmethod(lambda: one.takes_messages))
    return one


@pytest.fixture
def tray(qtbot: QtBot, desktop: Desktop) -> Iterator[Tray]:
    menu = QMenu()
    menu.addAction("Quit")
    made = Tray(menu)
    made.start(tray_icon(State.CALM), "Watchbell")
    yield made
    made.stop()
    made.deleteLater()
    menu.deleteLater()


def test_without_a_tray_it_says_so(tray: Tray) -> None:
    assert not tray.available
    assert not tray.show_message("title", "text")


def test_a_panel_that_comes_up_later_and_goes_again_is_noticed(qtbot: QtBot, desktop: Desktop, tray: Tray) -> None:
    for present in (True, False, True):
        desktop.has_tray = present
        tray._watch.setInterval(5)
        with qtbot.waitSignal(tray.available_changed, timeout=2000) as caught:
            pass
        assert caught.args == [present]
        assert tray.available is present


def test_without_a_tray_it_looks_often_for_a_minute_then_seldom(qtbot: QtBot, tray: Tray) -> None:
    assert tray._watch.interval() == 1000
    for _ in range(60):
        tray._look()
    assert tray._watch.interval() == 15_000
    tray.stop()
    assert not tray._watch.isActive()


def test_where_there_is_a_tray_it_hardly_looks(qtbot: QtBot, desktop: Desktop, tray: Tray) -> None:
    desktop.has_tray = True
    tray._look()
    assert tray._watch.interval() == 60_000
    desktop.has_tray = False
    tray._look()
    assert tray._watch.interval() == 1000


def test_messages_go_out_where_the_panel_takes_them(qtbot: QtBot, desktop: Desktop, tray: Tray) -> None:
    desktop.has_tray = True
    tray._look()
    assert tray.show_message("title", "text")
    desktop.takes_messages = False
    assert not tray.show_message("title", "text")


def test_only_a_plain_click_opens_the_window(qtbot: QtBot, tray: Tray) -> None:
    reason = QSystemTrayIcon.ActivationReason
    with qtbot.waitSignal(tray.activated, timeout=1000):
        tray._icon.activated.emit(reason.Trigger)
    with qtbot.assertNotEmitted(tray.activated):
        tray._icon.activated.emit(reason.Context)
