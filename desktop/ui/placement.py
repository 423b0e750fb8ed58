"""Where the pop-up goes: the corner beside the tray, inside what the panels leave free. Pure geometry."""

from PySide6.QtCore import QPoint, QRect, QSize

GAP = 16


def corner(screen: QRect, free: QRect, size: QSize) -> QPoint:
    """Return the top left of a window of ``size``: top right where the only panel is at the top, else bottom right.

    ``screen`` is the whole screen, ``free`` what panels leave; the window never leaves ``free`` to the left or top.
    """
    panel_above = free.top() > screen.top() and free.bottom() == screen.bottom()
    x = free.right() + 1 - GAP - size.width()
    y = free.top() + GAP if panel_above else free.bottom() + 1 - GAP - size.height()
    return QPoint(max(x, free.left()), max(y, free.top()))


def kept_inside(free: QRect, at: QPoint, size: QSize) -> QPoint:
    """Return ``at`` moved as little as needed for a window of ``size`` to lie in ``free``."""
    x = min(at.x(), free.right() + 1 - size.width())
    y = min(at.y(), free.bottom() + 1 - size.height())
    return QPoint(max(x, free.left()), max(y, free.top()))
