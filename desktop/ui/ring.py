"""The ring that drains towards the escalation, or counts up while blind. Paints only; it owns no timer. GUI thread."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.ui.shapes import paint_mark
from desktop.ui.theme import Mark, Theme

SIDE = 104
_STROKE = 7.0
# The arc of a 104 px ring is 276 px long: below this step nothing moves on the screen.
_VISIBLE = 1 / 600


@dataclass(frozen=True, slots=True)
class RingState:
    """What the ring shows: digits, a caption below, how full; ``spoken`` for a screen reader."""

    digits: str
    caption: str
    fraction: float
    mark: Mark
    spoken: str
    dashed: bool = False
    done: bool = False


class CountdownRing(QWidget):
    """A draining ring around digits that do not dance; ``done`` shows a calm check instead of digits."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._state: RingState | None = None
        self.setFixedSize(theme.px(SIDE), theme.px(SIDE))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_state(self, state: RingState) -> None:
        """Show ``state``; repaints only when something visible changed."""
        before, after = self._state, state
        if before is not None and abs(before.fraction - after.fraction) < _VISIBLE:
            after = RingState(
                state.digits, state.caption, before.fraction, state.mark, state.spoken, state.dashed, state.done
            )
        if after == before:
            return
        self._state = after
        if self.accessibleName() != after.spoken:
            self.setAccessibleName(after.spoken)
        self.update()

    @property
    def state(self) -> RingState | None:
        """What is shown."""
        return self._state

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return its one size."""
        return self.minimumSize()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint track, arc, digits and caption."""
        if self._state is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale = self.width() / SIDE
        inset = (4.5 + _STROKE / 2) * scale
        circle = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        self._paint_arc(painter, circle, self._state, scale)
        if self._state.done:
            side = 36 * scale
            middle = QRectF(self.width() / 2 - side / 2, self.height() / 2 - side / 2, side, side)
            colours = self._theme.colours
            paint_mark(painter, Mark.CALM, middle, colours.accent(self._state.mark), colours.on_accent)
        else:
            self._paint_words(painter, self._state, circle)

    def _paint_arc(self, painter: QPainter, circle: QRectF, state: RingState, scale: float) -> None:
        colours = self._theme.colours
        track = QPen(colours.line, _STROKE * scale)
        painter.setPen(track)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if not state.dashed:
            painter.drawEllipse(circle)
        pen = QPen(colours.accent(state.mark), _STROKE * scale)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap if state.dashed else Qt.PenCapStyle.RoundCap)
        if state.dashed:
            # 24 dashes, whole ones: circumference / stroke / 24 is one dash and one gap.
            period = circle.width() * 3.14159265 / (_STROKE * scale) / 24
            pen.setDashPattern([period * 0.62, period * 0.38])
        painter.setPen(pen)
        if state.fraction > 0:
            painter.drawArc(circle, 90 * 16, -round(360 * 16 * state.fraction))

    def _paint_words(self, painter: QPainter, state: RingState, circle: QRectF) -> None:
        colours = self._theme.colours
        room = circle.width() - self._theme.px(13)
        font, cell = self._digit_font(state.digits, room)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setPen(colours.ink)
        left = circle.center().x() - sum(cell.get(c, 0.0) for c in state.digits) / 2
        base = circle.center().y() + metrics.capHeight() / 2 - self._theme.px(4 if state.caption else 0)
        for char in state.digits:
            width = metrics.horizontalAdvance(char)
            painter.drawText(QPointF(left + (cell[char] - width) / 2, base), char)
            left += cell[char]
        caption = self._theme.font(10.5)
        painter.setFont(caption)
        painter.setPen(colours.ink3)
        wide = QFontMetricsF(caption).horizontalAdvance(state.caption)
        painter.drawText(QPointF(circle.center().x() - wide / 2, base + self._theme.px(17)), state.caption)

    def _digit_font(self, digits: str, room: float) -> tuple[QFont, dict[str, float]]:
        """Return the largest font whose ``digits`` fit into ``room``, and the cell of each character in it.

        Every digit gets the widest one's cell, so they stand still in fonts without tabular figures too.
        """
        sizes = (24, 22, 20, 18, 16)
        for size in sizes:
            font, cell = self._digit_cells(digits, size)
            if sum(cell[c] for c in digits) <= room:
                return font, cell
        return self._digit_cells(digits, 14)

    def _digit_cells(self, digits: str, size: int) -> tuple[QFont, dict[str, float]]:
        font = self._theme.font(size, 700, tabular=True)
        metrics = QFontMetricsF(font)
        digit = max(metrics.horizontalAdvance(c) for c in "0123456789")
        return font, {c: digit if c.isdigit() else metrics.horizontalAdvance(c) for c in digits}
