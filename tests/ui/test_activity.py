"""Keyboard and mouse in our own windows are noticed; what goes on elsewhere, or by itself, is not."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.qt.activity import Activity, handle_of


def test_a_key_and_a_click_are_noticed_once(qtbot: QtBot) -> None:
    window, other = QWidget(), QWidget()
    button = QPushButton("x", window)
    activity = Activity()
    for each in (window, other):
        qtbot.addWidget(each)
    activity.watch(window)
    assert handle_of(window) is None
    for each in (window, other):
        each.show()
        qtbot.waitExposed(each)
    activity.watch(window)
    activity.watch(window)
    button.setText("by itself")
    QTest.keyClick(other.windowHandle(), Qt.Key.Key_A)
    assert not activity.take()
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_A)
    assert (activity.take(), activity.take()) == (True, False)
    QTest.mouseClick(window.windowHandle(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(5, 5))
    assert activity.take()
