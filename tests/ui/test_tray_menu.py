import gc
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMessageBox
from pytestqt.qtbot import QtBot

from desktop.domain.attention import Attention, Tray
from desktop.ui.tray_menu import TrayPresenter
from tools import look_samples as sample

CALM = Attention(Tray.CALM, on_call=sample.ON_CALL[:1])


@pytest.fixture
def presenter(qtbot: QtBot) -> Iterator[TrayPresenter]:
    made = TrayPresenter()
    yield made
    made.question.withdraw()
    made._pulse.stop()
    made.menu.deleteLater()


def texts(menu: QMenu) -> list[str]:
    return [a.text().replace("&&", "&") for a in menu.actions() if not a.isSeparator()]


def action(menu: QMenu, text: str) -> QAction:
    return next(a for a in menu.actions() if a.text() == text)


def submenu(menu: QMenu, start: str) -> QMenu:
    found = next(a for a in menu.actions() if a.text().startswith(start)).menu()
    assert isinstance(found, QMenu)
    return found


def test_the_menu_is_never_empty_and_its_first_lines_say_the_state(presenter: TrayPresenter) -> None:
    assert "Quit Watchbell" in texts(presenter.menu)
    presenter.show_attention(CALM, sample.NOW, (sample.state(),))
    first, second = texts(presenter.menu)[:2]
    assert first.startswith("You are primary until Mon 30 Nov, ")
    assert second == "Nothing is open"
    assert presenter.tooltip.startswith("Watchbell\nYou are primary until")


def test_open_pages_are_said_with_the_next_escalation(presenter: TrayPresenter) -> None:
    presenter.show_attention(sample.pages(sample.page(), sample.page(1045)), sample.NOW, (sample.state(),))
    lines = presenter.tooltip.splitlines()
    assert "2 open pages" in lines
    assert any(line.startswith("Next escalation at ") and line.endswith("to Ben Okafor") for line in lines)


def test_blind_is_never_said_as_nothing_open(presenter: TrayPresenter) -> None:
    presenter.show_attention(Attention(Tray.LOST, lost=(sample.lost(),)), sample.NOW, (sample.state(),))
    assert "Contact lost" in presenter.tooltip
    assert "No answer from PagerDuty" in presenter.tooltip
    assert "Nothing is open" not in presenter.tooltip
    presenter.show_attention(Attention(Tray.LOST), sample.NOW, ())
    assert "Not connected" in presenter.tooltip


def test_a_page_can_be_acknowledged_from_the_menu(qtbot: QtBot, presenter: TrayPresenter) -> None:
    presenter.show_attention(sample.pages(sample.page(), sample.page(1045, title="R&D <b>x</b>")), sample.NOW, ())
    menu = submenu(presenter.menu, "SEV-0 R&&D <b>x</b>")
    with qtbot.waitSignal(presenter.acknowledge, timeout=1000) as caught:
        action(menu, "Acknowledge").trigger()
    assert caught.args == ["local", "P1045"]


def test_what_is_being_sent_cannot_be_acknowledged_again(presenter: TrayPresenter) -> None:
    presenter.show_attention(sample.pages(sample.page(sending=True)), sample.NOW, ())
    assert not action(submenu(presenter.menu, "SEV-0"), "Sending…").isEnabled()


def test_many_pages_do_not_fill_the_screen(presenter: TrayPresenter) -> None:
    presenter.show_attention(sample.pages(*(sample.page(2000 + i) for i in range(200))), sample.NOW, ())
    assert "and 192 more" in texts(presenter.menu)
    assert len(texts(presenter.menu)) < 20


def test_a_link_is_asked_about_as_plain_text(qtbot: QtBot, presenter: TrayPresenter) -> None:
    presenter.show_attention(sample.pages(sample.page()), sample.NOW, ())
    with qtbot.assertNotEmitted(presenter.open_link):
        action(submenu(presenter.menu, "SEV-0"), "Open in browser…").trigger()
    box = presenter.question.box
    assert box is not None
    assert box.informativeText() == "https://pager.example.com/incidents/P1044"
    with qtbot.waitSignal(presenter.open_link, timeout=1000) as caught:
        press(box, "Open")
    assert caught.args == ["https://pager.example.com/incidents/P1044"]


def press(box: QMessageBox, text: str) -> None:
    next(b for b in box.buttons() if b.text().replace("&", "") == text).click()


def test_quitting_while_on_call_is_asked_about(qtbot: QtBot, presenter: TrayPresenter) -> None:
    presenter.show_attention(CALM, sample.NOW, (sample.state(),))
    with qtbot.assertNotEmitted(presenter.quit):
        action(presenter.menu, "Quit Watchbell").trigger()
        assert presenter.question.box is not None
        press(presenter.question.box, "Cancel")
    action(presenter.menu, "Quit Watchbell").trigger()
    with qtbot.waitSignal(presenter.quit, timeout=1000):
        assert presenter.question.box is not None
        press(presenter.question.box, "Quit Watchbell")


def test_quitting_off_call_is_not(qtbot: QtBot, presenter: TrayPresenter) -> None:
    presenter.show_attention(Attention(Tray.OFF_CALL), sample.NOW, (sample.state(),))
    with qtbot.waitSignal(presenter.quit, timeout=1000):
        action(presenter.menu, "Quit Watchbell").trigger()


def test_mute_test_and_status(qtbot: QtBot, presenter: TrayPresenter) -> None:
    presenter.show_attention(CALM, sample.NOW, (sample.state(),))
    for text, signal in (("Test page", presenter.test_page), ("Status…", presenter.show_status)):
        with qtbot.waitSignal(signal, timeout=1000):
            action(presenter.menu, text).trigger()
    with qtbot.waitSignal(presenter.mute, timeout=1000) as caught:
        action(presenter.menu, "Mute 5 min").trigger()
    assert caught.args == [300]
    muted = replace(CALM, tray=Tray.PAUSED, muted_until=sample.NOW + timedelta(minutes=5))
    presenter.show_attention(muted, sample.NOW, (sample.state(),))
    with qtbot.waitSignal(presenter.mute, timeout=1000) as caught:
        action(presenter.menu, "Unmute").trigger()
    assert caught.args == [0]


def test_the_tooltip_holds_no_markup(presenter: TrayPresenter) -> None:
    named = replace(sample.ON_CALL[0], role="<b>primary</b>")
    presenter.show_attention(Attention(Tray.CALM, on_call=(named,)), sample.NOW, (sample.state(),))
    assert "‹b›primary‹/b›" in presenter.tooltip
    assert "<" not in presenter.tooltip


def test_the_menu_is_left_alone_while_it_would_read_the_same(presenter: TrayPresenter) -> None:
    shown = sample.pages(sample.page())
    presenter.show_attention(shown, sample.NOW, (sample.state(),))
    before = presenter.menu.actions()
    presenter.show_attention(shown, sample.NOW + timedelta(seconds=5), (sample.state(),))
    assert presenter.menu.actions() == before


def test_what_the_menu_showed_before_is_gone(qtbot: QtBot, presenter: TrayPresenter) -> None:
    gc.collect()
    before = sum(isinstance(o, QMenu) for o in gc.get_objects())
    for number in range(20):
        shown = (sample.page(number * 10 + i, title=f"Disk {i} is full for the {number}. time") for i in range(5))
        presenter.show_attention(sample.pages(*shown), sample.NOW, ())
    qtbot.waitUntil(lambda: len(presenter.menu.findChildren(QMenu)) == 5)
    gc.collect()
    assert sum(isinstance(o, QMenu) for o in gc.get_objects()) <= before + 5


def test_only_a_ringing_bell_moves(qtbot: QtBot, presenter: TrayPresenter) -> None:
    with qtbot.waitSignals([presenter.icon_changed] * 3, timeout=5000):
        presenter.show_attention(sample.pages(sample.page()), sample.NOW, ())
    presenter.show_attention(CALM, sample.NOW, (sample.state(),))
    assert not presenter._pulse.isActive()


def test_starting_at_login_is_in_the_menu_where_it_can_be_set(qtbot: QtBot, presenter: TrayPresenter) -> None:
    presenter.show_attention(CALM, sample.NOW, (sample.state(),))
    assert "Start at login" not in texts(presenter.menu)
    presenter.set_autostart(True)
    start = action(presenter.menu, "Start at login")
    assert start.isChecked()
    with qtbot.waitSignal(presenter.autostart) as asked:
        start.trigger()
    assert asked.args == [False]
    presenter.set_autostart(None)
    assert "Start at login" not in texts(presenter.menu)
