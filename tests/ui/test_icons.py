from itertools import combinations

import pytest
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from desktop.domain.attention import Tray
from desktop.system.resources import resource
from desktop.ui.icons import COLOURS, SIZES, WINDOW_SIZES, application_icon, paint, tray_icon
from desktop.ui.theme import DARK, LIGHT, Mark

PANELS = ("#ffffff", "#20252f")


def grey(tray: Tray, size: int, frame: int = 0) -> list[int]:
    """Return how opaque each pixel is: the silhouette, without any colour."""
    image = paint(tray, size, count=3, frame=frame).toImage()
    return [image.pixelColor(x, y).alpha() for y in range(size) for x in range(size)]


@pytest.mark.parametrize("size", [16, 22])
@pytest.mark.parametrize(("one", "other"), list(combinations(Tray, 2)), ids=lambda t: t.name)
def test_the_states_stay_apart_in_grey(qtbot: QtBot, size: int, one: Tray, other: Tray) -> None:
    pairs = zip(grey(one, size), grey(other, size), strict=True)
    different = sum(abs(a - b) > 96 for a, b in pairs)
    # A twentieth of the picture is 13 pixels of 256 or 24 of 484.
    assert different >= size * size / 20


@pytest.mark.parametrize("size", [16, 22])
def test_the_ringing_bell_moves(qtbot: QtBot, size: int) -> None:
    assert grey(Tray.RINGING, size, 0) != grey(Tray.RINGING, size, 1)


def test_the_badge_counts_to_nine(qtbot: QtBot) -> None:
    assert paint(Tray.RINGING, 32, count=2).toImage() != paint(Tray.RINGING, 32, count=3).toImage()
    assert tray_icon(Tray.RINGING, 11).cacheKey() == tray_icon(Tray.RINGING, 200).cacheKey()
    assert tray_icon(Tray.RINGING, 0).cacheKey() != tray_icon(Tray.RINGING, 1).cacheKey()


@pytest.mark.parametrize("tray", list(Tray), ids=lambda t: t.name)
def test_every_size_is_there_and_sharp_at_double_density(qtbot: QtBot, tray: Tray) -> None:
    sizes = {(s.width(), s.height()) for s in tray_icon(tray, 1).availableSizes()}
    assert {(s, s) for s in SIZES} <= sizes
    double = paint(tray, 22, 2, count=1)
    assert (double.width(), double.devicePixelRatio()) == (44, 2.0)


def luminance(colour: QColor) -> float:
    linear = [c / 12.92 if c <= 0.04045 else pow((c + 0.055) / 1.055, 2.4) for c in parts(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def parts(colour: QColor) -> tuple[float, float, float]:
    return colour.redF(), colour.greenF(), colour.blueF()


def contrast(one: QColor, other: QColor) -> float:
    """Return the contrast ratio of WCAG 2.2, 1.4.3."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("tray", list(Tray), ids=lambda t: t.name)
def test_icons_are_legible_on_light_and_dark_panels(tray: Tray, panel: str) -> None:
    assert contrast(COLOURS[tray], QColor(panel)) >= 3


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_is_legible(colours: object) -> None:
    c = LIGHT if colours is LIGHT else DARK
    for ground in (c.ground, c.ground2):
        for ink in (c.ink, c.ink2, c.ink3, *c.accents.values()):
            assert contrast(ink, ground) >= 4.5, (ink.name(), ground.name())
    assert contrast(c.ink, c.button) >= 4.5
    for mark in Mark:
        assert contrast(c.on_accent, c.accent(mark)) >= 4.5, mark


@pytest.mark.parametrize("size", WINDOW_SIZES)
def test_the_bundled_icon_is_the_painted_one(qtbot: QtBot, size: int) -> None:
    kind = QImage.Format.Format_ARGB32
    bundled = QImage(str(resource(f"icons/watchbell-{size}.png"))).convertToFormat(kind)
    assert bundled == paint(Tray.CALM, size).toImage().convertToFormat(kind)


def test_the_applications_icon_has_every_size(qtbot: QtBot) -> None:
    assert {size.width() for size in application_icon().availableSizes()} == set(WINDOW_SIZES)
