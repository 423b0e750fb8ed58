"""The shape of each severity, painted: told apart without colour. GUI thread."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.ui.theme import Mark, Theme

# Corners on a 16 x 16 grid.
_OCTAGON = ((5, 1), (11, 1), (15, 5), (15, 11), (11, 15), (5, 15), (1, 11), (1, 5))
_TRIANGLE = ((8, 2), (14.5, 13.5), (1.5, 13.5))
_DIAMOND = ((8, 1), (15, 8), (8, 15), (1, 8))


def paint_mark(painter: QPainter, mark: Mark, rect: QRectF, accent: QColor, on_accent: QColor) -> None:
    """Paint the shape of ``mark`` into the square ``rect``."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    painter.scale(rect.width() / 16, rect.height() / 16)
    if mark in {Mark.SEV0, Mark.SEV1, Mark.SEV2}:
        _filled(painter, mark, accent, on_accent)
    elif mark is Mark.CALM:
        _check(painter, accent, on_accent)
    else:
        _hollow(painter, accent, dashed=mark is Mark.LOST)
    painter.restore()


def _filled(painter: QPainter, mark: Mark, accent: QColor, on_accent: QColor) -> None:
    corners = {Mark.SEV0: _OCTAGON, Mark.SEV1: _TRIANGLE, Mark.SEV2: _DIAMOND}[mark]
    painter.setPen(QPen(accent, 1.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(accent)
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
    if mark is Mark.SEV0:
        painter.setPen(QPen(on_accent, 1.9, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(8, 4.4), QPointF(8, 8.8))
        painter.drawPoint(QPointF(8, 11.7))


def _hollow(painter: QPainter, accent: QColor, *, dashed: bool) -> None:
    pen = QPen(accent, 2.5)
    if dashed:
        pen.setDashPattern([1.5, 0.99])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QPointF(8, 8), 6.2, 6.2)


def _check(painter: QPainter, accent: QColor, on_accent: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(accent)
    painter.drawEllipse(QPointF(8, 8), 7.2, 7.2)
    tick = QPainterPath(QPointF(4.8, 8.3))
    tick.lineTo(7.1, 10.6)
    tick.lineTo(11.3, 5.9)
    pen = QPen(on_accent, 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(tick)


class MarkIcon(QWidget):
    """The shape of a severity beside its word; says nothing to a screen reader, the word does."""

    def __init__(self, theme: Theme, size: int = 14, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._mark = Mark.SEV1
        side = theme.px(size)
        self.setFixedSize(side, side)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def set_mark(self, mark: Mark) -> None:
        """Show the shape of ``mark``."""
        if mark is not self._mark:
            self._mark = mark
            self.update()

    def paintEvent(self, _event: object) -> None:  # noqa: N802 - Qt's name
        """Paint it."""
        painter = QPainter(self)
        colours = self._theme.colours
        paint_mark(painter, self._mark, QRectF(self.rect()), colours.accent(self._mark), colours.on_accent)
