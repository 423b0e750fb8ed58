"""PySide6 keeps the interpreter's constants alive (docs/decisions/0002-pyside6-pin.md).

6.12.0 on Python 3.11 loses a reference to None with each call that returns nothing, and one to True with each emit,
until the interpreter aborts: after 6,391 updates of a tooltip, in a program that must run for weeks.
"""

import sys
from collections.abc import Callable

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QSystemTrayIcon
from pytestqt.qtbot import QtBot

CALLS = 2000
NOISE = 50
"""What other code of the interpreter may add or drop meanwhile."""


class Source(QObject):
    happened = Signal(bool)


@pytest.fixture
def emit(qapp: object) -> Callable[[], object]:
    source = Source()
    heard: list[bool] = []
    source.happened.connect(heard.clear)
    return lambda: source.happened.emit(True)


@pytest.fixture
def set_tooltip(qtbot: QtBot) -> Callable[[], object]:
    icon = QSystemTrayIcon()
    return lambda: icon.setToolTip("on call until 09:00")


@pytest.mark.parametrize("call", ["emit", "set_tooltip"])
def test_calls_leave_the_counts_of_none_and_true_unchanged(call: str, request: pytest.FixtureRequest) -> None:
    function: Callable[[], object] = request.getfixturevalue(call)
    function()
    before = sys.getrefcount(None), sys.getrefcount(True)

    for _ in range(CALLS):
        function()

    after = sys.getrefcount(None), sys.getrefcount(True)
    assert after == pytest.approx(before, abs=NOISE)
