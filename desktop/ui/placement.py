"""Where the pop-up goes: the corner beside the tray, inside what the panels leave free. Pure geometry."""

from PySide6.QtCore import QPoint, QRect, QSize

GAP = 16


def corner(screen: QRect, free: QRect, size: QSize, spread: int = 0) -> QPoint:
    """Return the top left of a window of ``size``: top right where the only panel is at the top, else bottom right.

    ``screen`` is the whole screen, ``free`` what panels leave; ``spread`` of the window's rim is shadow, which may lie
    in the gap. A window too large keeps its top left inside.
    """
    panel_above = free.top() > screen.top() and free.bottom() == screen.bottom()
    gap = max(GAP - spread, 0)
    x = free.right() + 1 - gap - size.width()
    y = free.top() + gap if panel_above else free.bottom() + 1 - gap - size.height()
    return QPoint(max(x, free.left()), max(y, free.top()))


def kept_inside(free: QRect, at: QPoint, size: QSize) -> QPoint:
    """Return ``at`` moved as little as needed for a window of ``size`` to lie in ``free``."""
    x = min(at.x(), free.right() + 1 - size.width())
    y = min(at.y(), free.bottom() + 1 - size.height())
    return QPoint(max(x, free.left()), max(y, free.top()))
