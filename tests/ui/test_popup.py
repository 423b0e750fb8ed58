from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QColor
from PySide6.QtWidgets import QAbstractButton, QApplication
from pytestqt.qtbot import QtBot

from desktop.domain.attention import Attention, Lost, Tray, attention
from desktop.domain.severity import Severity
from desktop.ui.popup import PagePopup
from desktop.ui.theme import DARK, LIGHT, Mark, Scheme, Theme
from tests.ui.conftest import said
from tools import look_samples as sample

CALM = Attention(Tray.CALM)
Show = Callable[..., PagePopup]


def activate(qtbot: QtBot, popup: PagePopup) -> None:
    popup.activateWindow()
    qtbot.waitUntil(popup.isActiveWindow, timeout=2000)


def visible_buttons(popup: PagePopup) -> list[QAbstractButton]:
    return [b for b in popup.findChildren(QAbstractButton) if b.isVisibleTo(popup)]


def test_a_page_says_what_where_since_when_and_who_is_next(show: Show) -> None:
    popup = show(sample.pages(sample.page()))
    text = " ".join(said(popup)).replace("\N{NO-BREAK SPACE}", " ")
    assert popup.isVisible()
    for part in ("SEV-0 Critical", "payments", "0:28 ago", "Payments API: 5xx", "#1044", "paged: you"):
        assert part in text
    assert "Escalates to Ben Okafor (secondary) at " in text
    ring = popup.page_card.face.ring
    assert ring.state is not None
    assert ring.state.digits == "14:32"
    assert ring.accessibleName() == "14 min to escalation"


def test_nothing_to_show_hides_it_and_stops_the_clock(show: Show) -> None:
    popup = show(sample.pages(sample.page()))
    assert popup.ticking
    show(CALM, 1)
    show(CALM, 8)
    assert not popup.isVisible()
    assert not popup.ticking


def test_it_never_takes_the_focus_and_stays_on_top(show: Show) -> None:
    popup = show(sample.pages(sample.page()))
    assert popup.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    flags = popup.windowFlags()
    for flag in (Qt.WindowType.Tool, Qt.WindowType.FramelessWindowHint, Qt.WindowType.WindowStaysOnTopHint):
        assert flags & flag == flag
    # Were it activated all the same, a space or return typed for another window would press nothing.
    assert popup.focusWidget() is popup


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_control_and_return_acknowledges_the_top_page(qtbot: QtBot, show: Show, key: Qt.Key) -> None:
    popup = show(sample.pages(sample.page(), sample.page(1045)))
    activate(qtbot, popup)
    with qtbot.waitSignal(popup.acknowledge, timeout=1000) as caught:
        qtbot.keyClick(popup, key, Qt.KeyboardModifier.ControlModifier)
    assert caught.args == ["local", "P1044"]


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_A])
def test_other_keys_do_nothing(qtbot: QtBot, show: Show, key: Qt.Key) -> None:
    popup = show(sample.pages(sample.page()))
    activate(qtbot, popup)
    with qtbot.assertNotEmitted(popup.acknowledge), qtbot.assertNotEmitted(popup.mute):
        qtbot.keyClick(popup, key)
    assert popup.isVisible()


def test_everything_can_be_reached_and_pressed_by_keyboard(qtbot: QtBot, show: Show) -> None:
    popup = show(sample.pages(sample.page(), sample.page(1045)))
    activate(qtbot, popup)
    reached = []
    for _ in visible_buttons(popup):
        qtbot.keyClick(QApplication.focusWidget() or popup, Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget())
    assert reached == [
        popup.page_card.acknowledge_button,
        popup.page_card.mute_button,
        popup.page_card.more_button,
        popup.row_list.rows[0].button,
    ]
    with qtbot.waitSignal(popup.acknowledge, timeout=1000) as caught:
        qtbot.keyClick(popup.row_list.rows[0].button, Qt.Key.Key_Space)
    assert caught.args == ["local", "P1045"]


def test_every_control_has_a_name_of_its_own(show: Show) -> None:
    popup = show(sample.pages(sample.page(), sample.page(1045, title="other"), sample.page(1046, title="third")))
    names = [b.accessibleName() for b in visible_buttons(popup)]
    assert all(names)
    assert len(set(names)) == len(names)


def test_a_click_right_after_it_appeared_is_not_meant(qtbot: QtBot, theme: Theme) -> None:
    popup = PagePopup(theme, blends=lambda: False, guard_ms=60_000)
    popup.show_attention(sample.pages(sample.page(), sample.page(1045)), sample.NOW)
    with qtbot.assertNotEmitted(popup.acknowledge):
        qtbot.mouseClick(popup.page_card.acknowledge_button, Qt.MouseButton.LeftButton)
        qtbot.mouseClick(popup.row_list.rows[0].button, Qt.MouseButton.LeftButton)
        popup.page_card.press()
    popup.close()


def test_a_click_right_after_the_page_changed_is_not_meant(qtbot: QtBot, theme: Theme) -> None:
    popup = PagePopup(theme, blends=lambda: False, guard_ms=150)
    second = sample.page(1045, severity=Severity.SEV1)
    popup.show_attention(sample.pages(second), sample.NOW)
    qtbot.waitUntil(lambda: not popup._guarded, timeout=2000)
    popup.show_attention(sample.pages(sample.page(), second), sample.NOW)
    with qtbot.assertNotEmitted(popup.acknowledge):
        qtbot.mouseClick(popup.page_card.acknowledge_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not popup._guarded, timeout=2000)
    with qtbot.waitSignal(popup.acknowledge, timeout=1000) as caught:
        qtbot.mouseClick(popup.page_card.acknowledge_button, Qt.MouseButton.LeftButton)
    assert caught.args == ["local", "P1044"]
    popup.close()


def test_sending_is_said_and_cannot_be_pressed_again(qtbot: QtBot, show: Show) -> None:
    popup = show(sample.pages(sample.page(sending=True), sample.page(1045, sending=True)))
    assert popup.page_card.acknowledge_button.words == "Sending…"
    assert not popup.page_card.acknowledge_button.isEnabled()
    assert not popup.row_list.rows[0].button.isEnabled()
    assert any("not confirmed yet" in text for text in said(popup))
    with qtbot.assertNotEmitted(popup.acknowledge):
        popup.page_card.press()


def test_sending_says_why_it_waits_as_soon_as_that_is_known(show: Show) -> None:
    waits = replace(sample.page(sending=True), trouble="api.pagerduty.com does not accept the token")
    popup = show(sample.pages(waits))
    (note,) = [text for text in said(popup) if "has not confirmed it yet" in text]
    assert note.endswith("Reason: api.pagerduty.com does not accept the token")
    assert not any("Sent to" in text for text in said(popup))


def test_sending_does_not_pass_the_focus_to_the_next_button(qtbot: QtBot, show: Show) -> None:
    popup = show(sample.pages(sample.page()))
    activate(qtbot, popup)
    popup.page_card.acknowledge_button.setFocus()
    show(sample.pages(sample.page(sending=True)))
    assert popup.focusWidget() is popup


def test_a_refusal_says_why_and_gives_the_button_back(show: Show) -> None:
    popup = show(sample.pages(sample.page(failed="this incident is not yours <b>now</b>")))
    assert popup.page_card.acknowledge_button.isEnabled()
    assert "Not acknowledged: this incident is not yours <b>now</b>" in said(popup)


def test_a_confirmation_that_is_late_is_said(show: Show) -> None:
    late = replace(sample.page(overdue=True), trouble="api.pagerduty.com does not accept the token")
    popup = show(sample.pages(late))
    (note,) = [text for text in said(popup) if "still not confirmed" in text]
    assert note.endswith("Reason: api.pagerduty.com does not accept the token")


def test_somebody_else_took_it(show: Show) -> None:
    popup = show(sample.pages(sample.page()))
    show(sample.taken_by(sample.BEN))
    assert popup.gone_card.isVisible()
    assert "Ben Okafor acknowledged it 5 s ago" in said(popup)
    assert not visible_buttons(popup)
    assert popup._mark is Mark.CALM
    show(sample.taken_by(sample.BEN), 5)
    assert popup.isVisible()
    show(sample.taken_by(sample.BEN), 7)
    assert not popup.isVisible()


def test_a_page_that_went_without_a_word_is_not_called_calm(show: Show) -> None:
    popup = show(sample.pages(sample.page()))
    show(CALM)
    assert "It no longer pages you" in said(popup)
    assert popup._mark is not Mark.CALM


def test_a_page_that_somebody_else_has_now_says_who_and_does_not_look_settled(show: Show) -> None:
    popup = show(sample.pages(sample.page()))
    theirs = sample.incident(assignees=(sample.BEN,))
    show(attention((sample.state(theirs, left=(theirs.id,)),), sample.NOW))
    assert any(text.startswith("It was given to Ben Okafor at ") for text in said(popup))
    assert popup._mark is not Mark.CALM
    assert not visible_buttons(popup)


def test_a_page_that_went_is_a_row_while_another_rings(show: Show) -> None:
    popup = show(sample.pages(sample.page(), sample.page(1045, title="other")))
    settled = sample.taken_by(sample.BEN).settled
    show(replace(sample.pages(sample.page(1045, title="other")), settled=settled))
    assert popup.page_card.view is not None
    assert popup.page_card.view.key == ("local", "P1045")
    assert any(text.startswith("Ben Okafor acknowledged it") for text in said(popup))


def test_a_page_that_comes_back_is_no_longer_gone(show: Show) -> None:
    popup = show(sample.pages(sample.page()))
    show(sample.taken_by(sample.BEN))
    show(sample.pages(sample.page()), 1)
    assert popup.page_card.isVisible()
    assert not popup.gone_card.isVisible()
    assert not any("acknowledged it" in text for text in said(popup))


def test_two_hundred_pages_at_once(show: Show) -> None:
    popup = show(sample.pages(*(sample.page(2000 + i, title=f"Host {i} is down") for i in range(200))))
    text = said(popup)
    assert "and 195 more" in text
    assert "Host 4 is down" in text
    assert "Host 5 is down" not in text
    assert "paged: you · 199 more pages below" in text
    assert len(popup.row_list.rows) == 4
    free = popup.screen().availableGeometry()
    assert popup.height() < free.height()


def test_contact_lost(qtbot: QtBot, show: Show) -> None:
    lost = Attention(Tray.LOST, lost=(sample.lost(),), on_call=sample.ON_CALL[:1])
    popup = show(lost)
    text = said(popup)
    assert "No answer from PagerDuty while you are on call" in text
    assert "Contact lost" in text
    state = popup.lost_card.face.ring.state
    assert state is not None
    assert (state.digits, state.caption, state.dashed) == ("1:34", "blind for", True)
    assert popup._mark is Mark.LOST
    with qtbot.waitSignal(popup.try_now, timeout=1000) as caught:
        qtbot.mouseClick(popup.lost_card.try_button, Qt.MouseButton.LeftButton)
    assert caught.args == ["pd"]
    with qtbot.waitSignal(popup.silence, timeout=1000):
        qtbot.mouseClick(popup.lost_card.silence_button, Qt.MouseButton.LeftButton)


def test_contact_lost_beside_a_page_is_a_row(qtbot: QtBot, show: Show) -> None:
    popup = show(replace(sample.pages(sample.page()), lost=(sample.lost(),)))
    row = popup.row_list.rows[0]
    assert row.title.text() == "No answer from PagerDuty"
    with qtbot.waitSignal(popup.try_now, timeout=1000):
        qtbot.mouseClick(row.button, Qt.MouseButton.LeftButton)


def test_contact_that_is_not_yet_lost_for_long_shows_no_window(show: Show) -> None:
    popup = show(Attention(Tray.LOST, lost=(sample.lost(loud=False),)))
    assert not popup.isVisible()


def test_mute_and_unmute(qtbot: QtBot, show: Show) -> None:
    popup = show(sample.pages(sample.page()))
    with qtbot.waitSignal(popup.mute, timeout=1000) as caught:
        qtbot.mouseClick(popup.page_card.mute_button, Qt.MouseButton.LeftButton)
    assert caught.args == [300]
    show(replace(sample.pages(sample.page()), muted_until=sample.NOW + timedelta(minutes=5)))
    assert popup.page_card.mute_button.words == "Unmute"
    assert any(text.startswith("Sound off until") for text in said(popup))
    with qtbot.waitSignal(popup.mute, timeout=1000) as caught:
        qtbot.mouseClick(popup.page_card.mute_button, Qt.MouseButton.LeftButton)
    assert caught.args == [0]


def test_a_link_is_asked_about_with_its_whole_address(qtbot: QtBot, show: Show) -> None:
    popup = show(sample.pages(sample.page()))
    with qtbot.assertNotEmitted(popup.open_link):
        popup.page_card.runbook_action.trigger()
    assert "https://runbooks.example.com/payments/5xx" in said(popup)
    assert popup.focusWidget() is popup.link_ask.cancel_button
    with qtbot.waitSignal(popup.open_link, timeout=1000) as caught:
        qtbot.mouseClick(popup.link_ask.open_button, Qt.MouseButton.LeftButton)
    assert caught.args == ["https://runbooks.example.com/payments/5xx"]
    assert not popup.link_ask.isVisible()


def test_escape_declines_a_link_and_leaves_the_page(qtbot: QtBot, show: Show) -> None:
    popup = show(sample.pages(sample.page()))
    popup.page_card.browser_action.trigger()
    with qtbot.assertNotEmitted(popup.open_link):
        qtbot.keyClick(popup.link_ask.cancel_button, Qt.Key.Key_Escape)
    assert not popup.link_ask.isVisible()
    assert popup.isVisible()


def test_links_that_are_none_are_not_offered(show: Show) -> None:
    popup = show(sample.pages(sample.page(url="javascript:alert(1)", runbook="file:///etc/passwd")))
    assert not popup.page_card.more_button.isVisible()


def test_an_acknowledge_of_html_is_spoken_literally(show: Show) -> None:
    popup = show(sample.pages(sample.page(title="<b>R&D</b> is down")))
    button = popup.page_card.acknowledge_button
    assert button.accessibleName() == "Acknowledge SEV-0 Critical: <b>R&D</b> is down"
    assert popup.page_card.face.title.text() == "<b>R&D</b> is down"


def test_the_desktop_cannot_close_it_but_the_application_can(show: Show) -> None:
    popup = show(sample.pages(sample.page()))
    by_user = SpontaneousClose()
    popup.closeEvent(by_user)
    assert not by_user.isAccepted()
    assert popup.close()
    assert not popup.isVisible()


class SpontaneousClose(QCloseEvent):
    def spontaneous(self) -> bool:
        return True


@pytest.mark.parametrize(("scheme", "colours"), [(Scheme.LIGHT, LIGHT), (Scheme.DARK, DARK)])
def test_light_and_dark_change_while_it_shows(
    qtbot: QtBot, show: Show, theme: Theme, scheme: Scheme, colours: Any
) -> None:
    theme.set_scheme(Scheme.DARK if scheme is Scheme.LIGHT else Scheme.LIGHT)
    popup = show(sample.pages(sample.page()))
    theme.set_scheme(scheme)
    image = popup.grab().toImage()
    assert image.pixelColor(image.width() // 2, 8) == colours.ground
    assert image.pixelColor(3, image.height() // 2) == colours.accent(Mark.SEV0)
    assert image.pixelColor(image.width() // 2, image.height() - 6) == colours.ground2


@pytest.fixture
def blending(qtbot: QtBot, theme: Theme) -> Iterator[tuple[PagePopup, list[bool]]]:
    now = [True]
    popup = PagePopup(theme, blends=lambda: now[0], guard_ms=0)
    yield popup, now
    popup.close()


def test_corners_follow_whether_the_desktop_blends(blending: tuple[PagePopup, list[bool]]) -> None:
    popup, now = blending
    popup.show_attention(sample.pages(sample.page()), sample.NOW)
    wide = popup.width()
    assert popup.testAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
    assert popup.mask().isEmpty()
    now[0] = False
    popup.show_attention(CALM, sample.NOW + timedelta(seconds=1))
    popup.show_attention(CALM, sample.NOW + timedelta(seconds=9))
    popup.show_attention(sample.pages(sample.page()), sample.NOW + timedelta(seconds=10))
    assert not popup.testAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
    assert popup.width() < wide
    assert not popup.mask().contains(popup.rect().topLeft())
    assert popup.mask().contains(popup.rect().center())
    assert popup.grab().toImage().pixelColor(popup.width() // 2, 4) == QColor("#ffffff")


def test_the_digits_go_on_between_two_updates(qtbot: QtBot, show: Show) -> None:
    popup = show(sample.pages(sample.page(pending=sample.escalating(timedelta(seconds=8)))))
    first = popup.page_card.face.ring.state
    assert first is not None
    assert first.digits == "0:08"

    def moved() -> None:
        state = popup.page_card.face.ring.state
        assert state is not None
        assert state.fraction < first.fraction

    qtbot.waitUntil(moved, timeout=3000)


def test_a_sev3_is_a_notification_and_takes_no_piece_of_the_screen(show: Show) -> None:
    popup = show(sample.pages(sample.page(severity=Severity.SEV3)))
    assert not popup.isVisible()
    popup = show(sample.pages(sample.page(), sample.page(1045, severity=Severity.SEV3)), 1)
    assert popup.isVisible()
    assert "#1045" not in " ".join(said(popup))


def test_lost_contact_warns_first_and_then_gives_the_reason_as_it_was(show: Show) -> None:
    trouble = "api.pagerduty.com timed out"
    popup = show(Attention(Tray.LOST, lost=(Lost("one", "PagerDuty", sample.NOW, trouble, loud=True),)))
    text = " ".join(said(popup))
    assert "Keep your phone near. Reason: api.pagerduty.com timed out" in text
