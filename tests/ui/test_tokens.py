"""A token that is not accepted: asked for once, by keyboard alone, shown nowhere, and kept where it belongs."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from desktop.app.fleet import Fleet
from desktop.app.token_asker import TokenAsker
from desktop.domain.attention import ConnectionState, Contact
from desktop.qt.bridge import Bridge
from desktop.system import settings as settings_file
from desktop.system.paths import paths_under
from desktop.system.session_secrets import SessionSecrets
from desktop.system.settings import ConnectionSettings, Settings
from desktop.ui.theme import Theme
from desktop.ui.token_dialog import TokenDialog
from tests.fakes.http import Answer, Asked, ScriptedServer
from tests.ui.conftest import said
from tests.ui.screens import screens
from tools import look_samples as sample

GOOD = "wb_good"
ME = json.dumps({"user": {"id": "ana", "name": "Ana", "email": "ana@example.com"}}).encode()


def answer(asked: Asked) -> Answer:
    return Answer(body=ME) if asked.headers["Authorization"] == f"Token token={GOOD}" else Answer(401)


class Asking:
    """An asker with its parts; ``notices`` are those of the fleet."""

    def __init__(self, folder: Path, server: ScriptedServer) -> None:
        paths = paths_under(folder)
        settings_file.save(paths.settings, Settings((ConnectionSettings("pd", "PagerDuty", server.url),)))
        self.notices: dict[str, str | None] = {}
        self.surfaces, self.bridge, self.secrets = screens(), Bridge(), SessionSecrets()
        self.fleet = Fleet(paths, self.secrets, lambda _: None, self.notices.__setitem__, demo=False)
        self.asker = TokenAsker(self.fleet.tokens, self.surfaces, self.bridge)
        self.dialog = self.surfaces.token_dialog

    def lose(self, **changes: object) -> None:
        state = ConnectionState("pd", "PagerDuty", Contact.LOST, sample.NOW, trouble="it does not accept the token")
        self.asker.follow((replace(state, needs_token=True, **changes),))  # type: ignore[arg-type]

    def find(self) -> None:
        self.asker.follow((ConnectionState("pd", "PagerDuty", Contact.LIVE, sample.NOW),))


@pytest.fixture
def asking(qtbot: QtBot, tmp_path: Path) -> Iterator[Asking]:
    with ScriptedServer() as server:
        server.answer = answer
        made = Asking(tmp_path, server)
        yield made
        made.bridge.close()
        made.surfaces.stop()


def enter(qtbot: QtBot, dialog: TokenDialog, token: str) -> None:
    QApplication.clipboard().setText(token)
    qtbot.keyClick(dialog.field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(dialog.field, Qt.Key.Key_Return)


def test_it_is_asked_for_once_and_then_when_a_person_wants_it(qtbot: QtBot, asking: Asking) -> None:
    asking.lose()
    assert asking.dialog.isVisible()
    qtbot.keyClick(asking.dialog, Qt.Key.Key_Escape)
    assert not asking.dialog.isVisible()
    for _ in range(5):
        asking.lose(trouble="still not")
    assert not asking.dialog.isVisible()
    notice = asking.surfaces.status.notices.by_key["token of pd"]
    assert notice.text.text() == "PagerDuty: still not. What is shown of it is old."
    notice.button.click()
    assert asking.dialog.isVisible()
    asking.find()
    assert not asking.dialog.isVisible()
    assert "token of pd" not in asking.surfaces.status.notices.by_key


def test_meanwhile_every_other_window_can_be_used(qtbot: QtBot, asking: Asking) -> None:
    asking.surfaces.open_status()
    asking.lose()
    with qtbot.waitSignal(asking.surfaces.status.test_page):
        qtbot.mouseClick(asking.surfaces.status.test_button, Qt.MouseButton.LeftButton)


def test_a_good_token_is_kept_in_the_keyring(qtbot: QtBot, asking: Asking) -> None:
    asking.lose()
    enter(qtbot, asking.dialog, f"  {GOOD}\n")
    qtbot.waitUntil(lambda: not asking.dialog.isVisible())
    assert SessionSecrets().get("pd") == GOOD
    assert asking.notices["token of pd not kept"] is None


def test_a_bad_token_is_said_and_another_can_be_typed(qtbot: QtBot, asking: Asking) -> None:
    asking.lose()
    enter(qtbot, asking.dialog, "wb_bad")
    assert not asking.dialog.connect_button.isEnabled()
    qtbot.waitUntil(asking.dialog.connect_button.isEnabled)
    assert any("does not accept" in text for text in said(asking.dialog))
    assert asking.dialog.field.text() == ""
    assert SessionSecrets().get("pd") is None
    enter(qtbot, asking.dialog, GOOD)
    qtbot.waitUntil(lambda: not asking.dialog.isVisible())


def test_without_a_keyring_it_lasts_until_the_end_and_a_banner_says_so(
    qtbot: QtBot, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring.core, "_keyring_backend", NoKeyring())
    asking.lose()
    enter(qtbot, asking.dialog, GOOD)
    qtbot.waitUntil(lambda: not asking.dialog.isVisible())
    assert "lost when Watchbell ends" in str(asking.notices["token of pd not kept"])
    assert asking.secrets.get("pd") == GOOD


def test_the_field_shows_nothing_and_is_named(qtbot: QtBot, asking: Asking) -> None:
    asking.lose()
    field = asking.dialog.field
    assert field.echoMode() is QLineEdit.EchoMode.Password
    assert field.accessibleName() == "Token for PagerDuty"
    qtbot.keyClicks(field, GOOD)
    assert GOOD not in field.displayText()
    assert not any(GOOD in text for text in said(asking.dialog))
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == ""


@pytest.mark.parametrize("text", ["", "two words", "tökén", "   "])
def test_what_is_no_token_is_not_tried(qtbot: QtBot, theme: Theme, text: str) -> None:
    dialog = TokenDialog(theme)
    given: list[str] = []
    dialog.given.connect(lambda _connection, token: given.append(token))
    dialog.ask("pd", "<b>PagerDuty</b>", "why")
    assert "A new token for <b>PagerDuty</b>" in said(dialog)
    dialog.field.setText(text)
    qtbot.keyClick(dialog.field, Qt.Key.Key_Return)
    assert given == []
    assert any("no token" in shown for shown in said(dialog))
    dialog.reject()
    dialog.deleteLater()


def test_it_goes_by_keyboard_alone(qtbot: QtBot, theme: Theme) -> None:
    dialog = TokenDialog(theme)
    dialog.ask("pd", "PagerDuty", "why")
    order: list[str] = []
    widget = dialog.field.nextInFocusChain()
    while widget is not None and widget is not dialog.field:
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            order.append(widget.accessibleName())
        widget = widget.nextInFocusChain()
    assert order == ["Connect", "Later"]
    dialog.reject()
    dialog.deleteLater()


def test_the_embedded_server_needs_nobodys_token(qtbot: QtBot, asking: Asking) -> None:
    assert not asking.fleet.tokens.takes("embedded")
