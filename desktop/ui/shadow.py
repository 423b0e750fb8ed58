"""A soft shadow around a rounded rectangle, painted once for each size. GUI thread."""

from functools import lru_cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap

_OFFSET = 4


@lru_cache(maxsize=4)
def shadow(width: int, height: int, spread: int, radius: int, ratio: float) -> QPixmap:
    """Return a shadow ``width`` x ``height`` logical pixels, whose inner rectangle is ``spread`` smaller each side."""
    pixmap = QPixmap(round(width * ratio), round(height * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    inner = QRectF(spread, spread, width - 2 * spread, height - 2 * spread).translated(0, _OFFSET)
    reach = spread - _OFFSET
    for step in range(reach):
        # Rings laid over each other: the alphas add up towards the card, quadratically as a blur does.
        grown = reach - step
        painter.setBrush(QColor(0, 0, 0, round(1 + 7 * (step / reach) ** 2)))
        painter.drawRoundedRect(inner.adjusted(-grown, -grown, grown, grown), radius + grown, radius + grown)
    painter.end()
    return pixmap
