"""The tray icon, painted: six states told by silhouette before colour, legible on light and dark panels. GUI thread."""

from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPainterPath, QPen, QPixmap, QTransform

from desktop.domain.attention import Tray
from desktop.system.resources import resource

SIZES = (16, 22, 24, 32, 48, 64)
WINDOW_SIZES = (16, 24, 32, 48, 64, 128, 256)
_GRID = 24.0

# Middle tones: nobody tells an application how dark the panel is. At least 3:1 against white and against #20252f.
COLOURS = {
    Tray.OFF_CALL: QColor("#7d8799"),
    Tray.CALM: QColor("#14965f"),
    Tray.ACKNOWLEDGED: QColor("#b27a0c"),
    Tray.PAUSED: QColor("#7d8799"),
    Tray.LOST: QColor("#9068f0"),
    Tray.RINGING: QColor("#ea3f33"),
}


def application_icon() -> QIcon:
    """Return what stands for Watchbell itself: in title bars, task bars and its desktop entry."""
    icon = QIcon()
    for size in WINDOW_SIZES:
        icon.addFile(str(resource(f"icons/watchbell-{size}.png")))
    return icon


def tray_icon(tray: Tray, count: int = 0, frame: int = 0) -> QIcon:
    """Return the icon of a state, with ``count`` pages in the badge; ``frame`` 0 or 1 of the ringing bell."""
    ringing = tray is Tray.RINGING
    return _icon(tray, min(count, 10) if ringing else 0, frame % 2 if ringing else 0)


@lru_cache(maxsize=64)
def _icon(tray: Tray, count: int, frame: int) -> QIcon:
    icon = QIcon()
    for size in SIZES:
        for ratio in (1, 2):
            icon.addPixmap(paint(tray, size, ratio, count=count, frame=frame))
    return icon


def paint(tray: Tray, size: int, ratio: int = 1, *, count: int = 0, frame: int = 0) -> QPixmap:
    """Return the icon at ``size`` logical pixels, ``ratio`` device pixels for each."""
    pixmap = QPixmap(size * ratio, size * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size * ratio / _GRID, size * ratio / _GRID)
    # Thin lines drown at 16 px: strokes grow as the icon shrinks.
    stroke = 1.8 + max(0.0, 24 - size * ratio) * 0.06
    _PAINTERS[tray](painter, COLOURS[tray], stroke, count, frame)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _bell() -> QPainterPath:
    path = QPainterPath(QPointF(5.6, 9.2))
    path.arcTo(QRectF(5.6, 2.6, 12.8, 12.8), 180, -180)
    path.cubicTo(QPointF(18.4, 14.2), QPointF(20.4, 15.6), QPointF(20.8, 17.2))
    path.lineTo(3.2, 17.2)
    path.cubicTo(QPointF(3.6, 15.6), QPointF(5.6, 14.2), QPointF(5.6, 9.2))
    path.closeSubpath()
    return path


def _clapper() -> QPainterPath:
    path = QPainterPath(QPointF(9.4, 19.8))
    path.cubicTo(QPointF(10.2, 22.4), QPointF(13.8, 22.4), QPointF(14.6, 19.8))
    return path


def _pen(colour: QColor, width: float) -> QPen:
    return QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)


def _outline(painter: QPainter, colour: QColor, stroke: float) -> None:
    painter.setPen(_pen(colour, stroke))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(_bell())
    painter.drawPath(_clapper())


def _solid(painter: QPainter, colour: QColor, stroke: float) -> None:
    painter.setPen(_pen(colour, stroke))
    painter.setBrush(colour)
    painter.drawPath(_bell())
    painter.drawPath(_clapper())


def _off_call(painter: QPainter, colour: QColor, stroke: float, _count: int, _frame: int) -> None:
    _outline(painter, colour, stroke)


def _calm(painter: QPainter, colour: QColor, stroke: float, _count: int, _frame: int) -> None:
    _solid(painter, colour, stroke)


def _acknowledged(painter: QPainter, colour: QColor, stroke: float, _count: int, _frame: int) -> None:
    """Paint a solid bell with the check cut out of it."""
    _solid(painter, colour, stroke)
    tick = QPainterPath(QPointF(8.0, 11.2))
    tick.lineTo(11.0, 14.2)
    tick.lineTo(16.2, 7.6)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
    painter.setPen(_pen(colour, stroke + 0.7))
    painter.drawPath(tick)


def _paused(painter: QPainter, colour: QColor, stroke: float, _count: int, _frame: int) -> None:
    _outline(painter, colour, stroke)
    painter.setPen(_pen(colour, stroke + 0.6))
    painter.drawLine(QPointF(10.0, 7.8), QPointF(10.0, 14.0))
    painter.drawLine(QPointF(14.0, 7.8), QPointF(14.0, 14.0))


def _lost(painter: QPainter, colour: QColor, stroke: float, _count: int, _frame: int) -> None:
    pen = QPen(colour, stroke + 0.2)
    pen.setDashPattern([1.5, 1.1])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(_bell())
    painter.drawPath(_clapper())
    slash = (QPointF(3.2, 21.6), QPointF(20.8, 2.4))
    # A gap beside the slash keeps it apart from the dashes.
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
    painter.setPen(_pen(colour, stroke + 3.2))
    painter.drawLine(*slash)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    painter.setPen(_pen(colour, stroke + 0.6))
    painter.drawLine(*slash)


def _ringing(painter: QPainter, colour: QColor, stroke: float, count: int, frame: int) -> None:
    """Paint the bell swung to one side, waves around it, and the badge cut free of it."""
    swing = QTransform().translate(12, 4).rotate(-11 if frame == 0 else 11).scale(0.88, 0.88).translate(-12, -2.6)
    painter.save()
    painter.setTransform(swing, combine=True)
    _solid(painter, colour, stroke)
    painter.restore()
    painter.setPen(_pen(colour, stroke))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    high = 1.0 if frame == 0 else -1.0
    painter.drawArc(QRectF(1.2, 4.2 - high, 4.6, 9.0), 120 * 16, 120 * 16)
    painter.drawArc(QRectF(18.2, 4.2 + high, 4.6, 9.0), -60 * 16, 120 * 16)
    if count:
        _badge(painter, colour, count)


def _badge(painter: QPainter, colour: QColor, count: int) -> None:
    middle = QPointF(17.2, 17.2)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
    painter.drawEllipse(middle, 7.6, 7.6)
    painter.setBrush(Qt.GlobalColor.black)
    painter.drawEllipse(middle, 7.6, 7.6)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    painter.setBrush(colour)
    painter.drawEllipse(middle, 6.4, 6.4)
    font = QFont()
    font.setBold(True)
    font.setPixelSize(10 if count < 10 else 9)
    painter.setFont(font)
    painter.setPen(QColor("#ffffff"))
    text = str(count) if count < 10 else "9+"
    painter.drawText(QRectF(middle.x() - 7, middle.y() - 7, 14, 14), Qt.AlignmentFlag.AlignCenter, text)


_PAINTERS = {
    Tray.OFF_CALL: _off_call,
    Tray.CALM: _calm,
    Tray.ACKNOWLEDGED: _acknowledged,
    Tray.PAUSED: _paused,
    Tray.LOST: _lost,
    Tray.RINGING: _ringing,
}
