from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QAbstractButton, QScrollArea
from pytestqt.qtbot import QtBot

from desktop.domain.attention import Attention, ConnectionState, Contact, Tray
from desktop.ui.status_window import StatusWindow
from desktop.ui.theme import Theme
from tests.ui.conftest import said
from tools import look_samples as sample

CALM = Attention(Tray.CALM, on_call=sample.ON_CALL[:1])


@pytest.fixture
def window(qtbot: QtBot, theme: Theme) -> Iterator[StatusWindow]:
    made = StatusWindow(theme)
    yield made
    made.close()
    made.deleteLater()


def shown(window: StatusWindow, attention: Attention, *states: ConnectionState) -> list[str]:
    window.show_attention(attention, states, sample.NOW)
    window.show()
    return said(window)


def test_calm(window: StatusWindow) -> None:
    text = shown(window, CALM, sample.state())
    assert "You are primary" in text
    assert "Nothing is open." in text
    for part in ("Primary", "you", "Secondary", "Ben Okafor", "Manager", "Mia Lund", "Watchbell server", "live"):
        assert part in text
    lines = window.lines.text().splitlines()
    assert lines[0].startswith("until Mon 30 Nov, ")
    assert lines[1] == "4 days 13 hours left"


def test_a_page_of_before_does_not_claim_to_ring(window: StatusWindow) -> None:
    old = replace(sample.page(), old=True)
    shown(window, sample.pages(old), sample.state())
    assert "as last known" in said(window)
    assert "ringing" not in said(window)


def test_pages_are_listed_with_what_they_are_doing(window: StatusWindow) -> None:
    pages = sample.pages(sample.page(), sample.page(1045, title="<i>second</i>", sending=True))
    text = shown(window, pages, sample.state())
    for part in ("Payments API: 5xx above 20 % in eu-west-1", "ringing", "<i>second</i>", "sending"):
        assert part in text
    many = sample.pages(*(sample.page(2000 + i) for i in range(200)))
    assert "and 194 more" in shown(window, many, sample.state())


def test_blind_is_said_first_and_never_as_nothing_open(window: StatusWindow) -> None:
    blind = Attention(Tray.LOST, lost=(sample.lost(),), on_call=sample.ON_CALL[:1])
    silent = sample.state(contact=Contact.LOST, heard_at=sample.NOW - timedelta(seconds=94))
    text = shown(window, blind, silent)
    assert text[0] == "Contact lost"
    assert "No answer from PagerDuty for 1 min 34 s.\nWhen contact broke, you were primary." in text
    assert "silent for 1 min 34 s" in text
    assert "Nothing known to be open." in text


def test_not_knowing_yet_is_said(window: StatusWindow) -> None:
    connecting = sample.state(contact=Contact.CONNECTING, snapshot=None, heard_at=None)
    assert shown(window, Attention(Tray.LOST), connecting)[0] == "Connecting"
    assert shown(window, Attention(Tray.LOST))[0] == "Not connected"
    assert shown(window, Attention(Tray.OFF_CALL), sample.state())[0] == "You are not on call"


def test_notices_come_change_and_go(window: StatusWindow) -> None:
    shown(window, CALM, sample.state())
    window.set_notice("keyring", "No keyring: <b>the token</b> is asked for again next time")
    window.set_notice("sound", "No sound output")
    assert "No keyring: <b>the token</b> is asked for again next time" in said(window)
    window.set_notice("sound", "Still none")
    window.set_notice("keyring", None)
    window.set_notice("never", None)
    assert "Still none" in said(window)
    assert not any("keyring" in text for text in said(window))


def test_this_machine(window: StatusWindow) -> None:
    shown(window, CALM, sample.state())
    window.set_machine("Sound", "no device", good=False)
    window.set_machine("Notifications", "desktop notification", good=True)
    assert {"This machine", "Sound", "no device", "Notifications"} <= set(said(window))


def test_buttons(qtbot: QtBot, window: StatusWindow) -> None:
    shown(window, CALM, sample.state())
    with qtbot.waitSignal(window.test_page, timeout=1000):
        qtbot.mouseClick(window.test_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(window.mute, timeout=1000) as caught:
        qtbot.mouseClick(window.mute_button, Qt.MouseButton.LeftButton)
    assert caught.args == [300]
    shown(window, replace(CALM, muted_until=sample.NOW + timedelta(minutes=5)), sample.state())
    assert window.mute_button.words == "Unmute"
    assert all(b.accessibleName() for b in window.findChildren(QAbstractButton))


def test_no_clock_runs_while_it_is_hidden(window: StatusWindow) -> None:
    window.show_attention(CALM, (sample.state(),), sample.NOW)
    seen = [window.ticking]
    for move in (window.show, window.hide):
        move()
        seen.append(window.ticking)
    assert seen == [False, True, False]


class SpontaneousClose(QCloseEvent):
    def spontaneous(self) -> bool:
        return True


def stays(window: StatusWindow) -> bool:
    by_user = SpontaneousClose()
    window.closeEvent(by_user)
    return not by_user.isAccepted()


def test_in_the_trays_place_it_stays_and_says_why(window: StatusWindow) -> None:
    shown(window, CALM, sample.state())
    window.stay("This desktop has no tray")
    assert "This desktop has no tray" in said(window)
    assert stays(window)
    window.stay(None)
    assert not stays(window)


def test_it_is_as_high_as_what_it_says(window: StatusWindow) -> None:
    shown(window, CALM, sample.state())
    calm = window.height()
    bar = window.findChildren(QScrollArea)[0].verticalScrollBar()
    assert bar.maximum() == 0
    assert calm < 560


def test_starting_at_login_is_switched_by_keyboard_and_named(qtbot: QtBot, window: StatusWindow) -> None:
    shown(window, CALM, sample.state())
    switch = window.autostart_switch
    assert not switch.isVisible()
    window.set_autostart(False)
    assert switch.isVisible()
    assert (switch.accessibleName(), switch.isChecked()) == ("Start at login", False)
    assert switch.focusPolicy() is Qt.FocusPolicy.StrongFocus
    with qtbot.waitSignal(window.autostart) as asked:
        qtbot.keyClick(switch, Qt.Key.Key_Space)
    assert asked.args == [True]
    with qtbot.waitSignal(window.autostart) as asked:
        qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=switch.rect().center())
    assert asked.args == [False]
    window.set_autostart(None)
    assert not switch.isVisible()


def test_a_notice_can_have_a_button_that_says_what_it_is_about(qtbot: QtBot, window: StatusWindow) -> None:
    shown(window, CALM, sample.state())
    window.set_notice("away", "Watchbell was not running from 02:11 to 02:14 (3 min).", "OK")
    button = window.notices.by_key["away"].button
    assert button.isVisible()
    assert button.accessibleName() == "OK: Watchbell was not running from 02:11 to 02:14 (3 min)."
    with qtbot.waitSignal(window.notice_pressed) as pressed:
        qtbot.keyClick(button, Qt.Key.Key_Space)
    assert pressed.args == ["away"]
    window.set_notice("away", "Now without")
    assert not button.isVisible()
