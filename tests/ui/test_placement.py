from PySide6.QtCore import QPoint, QRect, QSize

from desktop.ui.placement import corner, kept_inside

SCREEN = QRect(0, 0, 1920, 1080)
CARD = QSize(440, 220)


def test_bottom_right_above_a_panel_at_the_bottom() -> None:
    at = corner(SCREEN, QRect(0, 0, 1920, 1040), CARD)
    assert at == QPoint(1920 - 16 - 440, 1040 - 16 - 220)


def test_top_right_below_a_panel_at_the_top() -> None:
    assert corner(SCREEN, QRect(0, 32, 1920, 1048), CARD) == QPoint(1464, 48)


def test_bottom_right_between_two_panels_and_without_any() -> None:
    assert corner(SCREEN, QRect(0, 32, 1920, 1000), CARD).y() == 1032 - 16 - 220
    assert corner(SCREEN, SCREEN, CARD) == QPoint(1464, 844)


def test_on_a_second_screen_left_of_the_first() -> None:
    left = QRect(-1280, 100, 1280, 1024)
    assert corner(left, left, CARD) == QPoint(-16 - 440, 1124 - 16 - 220)


def test_the_shadow_may_lie_in_the_gap() -> None:
    with_shadow = QSize(CARD.width() + 32, CARD.height() + 32)
    at = corner(SCREEN, SCREEN, with_shadow, 16)
    assert at + QPoint(16, 16) == corner(SCREEN, SCREEN, CARD)


def test_too_large_keeps_its_top_left() -> None:
    small = QRect(10, 20, 300, 100)
    assert corner(small, small, CARD) == QPoint(10, 20)
    assert kept_inside(small, QPoint(500, 500), CARD) == QPoint(10, 20)


def test_dragged_it_stays_where_it_fits() -> None:
    assert kept_inside(SCREEN, QPoint(100, 100), CARD) == QPoint(100, 100)
    assert kept_inside(SCREEN, QPoint(1800, -50), CARD) == QPoint(1480, 0)
