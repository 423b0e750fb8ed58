"""A choice that is on or off: a check box by keyboard and screen reader, painted as a switch. GUI thread."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QSizePolicy, QWidget

from desktop.ui.theme import Mark, Theme


class Switch(QCheckBox):
    """Words on the left, a switch on the right; its state is told by place and mark as well as by colour."""

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._theme = theme
        self.setFont(theme.font(13))
        self.setAccessibleName(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return room for the words and the switch."""
        wide = QFontMetrics(self.font()).horizontalAdvance(self.text()) + self._theme.px(12 + 34)
        return QSize(wide, self._theme.px(30))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the same: words are never cut."""
        return self.sizeHint()

    def hitButton(self, position: object) -> bool:  # noqa: N802, ARG002 - Qt's
        """Take a click anywhere: Qt would take one on the box that is not painted."""
        return True

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint words, switch and the focus ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, metrics = self._theme.colours, QFontMetrics(self.font())
        painter.setPen(colours.ink)
        painter.setFont(self.font())
        base = (self.height() + metrics.ascent() - metrics.descent()) / 2
        painter.drawText(QPointF(0, base), self.text())
        wide, high = self._theme.px(34), self._theme.px(20)
        track = QRectF(self.width() - wide - 1, (self.height() - high) / 2, wide, high)
        self._paint_switch(painter, track)
        if self.hasFocus() and self.window().isActiveWindow():
            painter.setPen(QPen(colours.ink, 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(track.adjusted(-2, -2, 1, 2), high / 2 + 2, high / 2 + 2)

    def _paint_switch(self, painter: QPainter, track: QRectF) -> None:
        colours, on = self._theme.colours, self.isChecked()
        painter.setPen(QPen(colours.accent(Mark.CALM) if on else colours.ink3, 1))
        painter.setBrush(colours.accent(Mark.CALM) if on else QColor(0, 0, 0, 0))
        painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)
        gap = self._theme.px(3)
        side = track.height() - 2 * gap
        left = track.right() - gap - side if on else track.left() + gap
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colours.on_accent if on else colours.ink3)
        painter.drawEllipse(QRectF(left, track.top() + gap, side, side))
