"""What the tests of the screen share: a theme, a pop-up whose clock can be moved, and the words of its parts."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.domain.attention import Attention
from desktop.ui.popup import PagePopup
from desktop.ui.text_block import TextBlock
from desktop.ui.theme import Scheme, Theme
from tools import look_samples as sample

# What Qt says about a desktop that is not there: the offscreen platform has no window manager, no tray and no sound.
NO_DESKTOP = ("This plugin does not support", "systemTrayWindowChanged", "pipewire-0.3", "PulseAudio", "QSoundEffect")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/ui/" in item.path.as_posix():
            item.add_marker(pytest.mark.qt_log_ignore(*NO_DESKTOP))


@pytest.fixture
def theme(qtbot: QtBot) -> Theme:
    return Theme(Scheme.LIGHT)


@pytest.fixture
def popup(qtbot: QtBot, theme: Theme) -> Iterator[PagePopup]:
    """A pop-up that takes clicks at once; taken away at the end."""
    made = PagePopup(theme, blends=lambda: False, guard_ms=0)
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def show(popup: PagePopup) -> Callable[..., PagePopup]:
    """Show an attention, so many seconds after the samples' present."""

    def shown(attention: Attention, after: float = 0, now: datetime = sample.NOW) -> PagePopup:
        popup.show_attention(attention, now + timedelta(seconds=after))
        return popup

    return shown


def said(widget: QWidget) -> list[str]:
    """Return every text that is visible in ``widget``."""
    blocks = widget.findChildren(TextBlock)
    return [b.text() for b in blocks if b.isVisibleTo(widget) and b.text()]
