"""A frameless, rounded window on top of everything, that never takes the focus. GUI thread."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import (
    QBitmap,
    QCloseEvent,
    QCursor,
    QGuiApplication,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QScreen,
)
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from desktop.qt.compositor import composited
from desktop.ui.placement import corner, kept_inside
from desktop.ui.shadow import shadow
from desktop.ui.theme import EDGE, RADIUS_CARD, Mark, Theme

WIDTH = 440
SHADOW = 16
# Qt warns on the other platforms; there "stays on top" must do.
_CAN_RAISE = frozenset({"xcb", "windows", "cocoa"})


class Frame(QWidget):
    """Ground, border and accent edge; the corner of the screen; dragging. What is inside, a subclass says.

    Where the desktop blends windows, which ``blends`` tells, corners are smooth and a shadow is around; else they are
    cut out.
    """

    def __init__(self, theme: Theme, *, blends: Callable[[], bool] = composited) -> None:
        flags = Qt.WindowType.Tool | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        super().__init__(None, flags)
        self._theme = theme
        self._mark = Mark.SEV1
        self._blends = blends
        self._blended = blends()
        self._dragged = False
        self._pressed_at = QPoint()
        self.column = QVBoxLayout(self)
        self.column.setSpacing(0)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._take_blending()
        theme.changed.connect(self.update)

    def _take_blending(self) -> None:
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground, self._blended)
        edge = self._spread() + 1
        self.column.setContentsMargins(edge, edge, edge, edge)
        self.setFixedWidth(self._theme.px(WIDTH) + 2 * self._spread())

    def _spread(self) -> int:
        return SHADOW if self._blended else 0

    def card_rect(self) -> QRect:
        """Return the card without its shadow, in the window."""
        spread = self._spread()
        return self.rect().adjusted(spread, spread, -spread, -spread)

    def foot_top(self) -> int:
        """Return where the foot begins, which has a ground of its own."""
        return self.height()

    def set_mark(self, mark: Mark) -> None:
        """Take the accent of ``mark``."""
        if mark is not self._mark:
            self._mark = mark
            self.update()

    def fit(self) -> None:
        """Take the height that the contents need, and the corner, unless it was dragged elsewhere."""
        self.column.activate()
        height = self.column.totalHeightForWidth(self.width())
        if height != self.height():
            self.setFixedHeight(height)
        screen = self._screen()
        free, size = screen.availableGeometry(), self.size()
        if self._dragged:
            at = kept_inside(free, self.pos(), size)
        else:
            at = corner(screen.geometry(), free, size, self._spread())
        if at != self.pos():
            self.move(at)

    def appear(self) -> None:
        """Show it without taking the focus."""
        if self.isVisible():
            return
        self._dragged = False
        self._look_at_desktop()
        self.fit()
        # The window itself has the focus: a space meant for another window must press no button.
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.show()

    def _look_at_desktop(self) -> None:
        """Notice that blending began or ended: at login the pager may be up first."""
        blended = self._blends()
        if blended != self._blended:
            self._blended = blended
            self.clearMask()
            # A native window cannot become translucent: it is made anew when shown.
            self.destroy()
            self._take_blending()

    def bring_up(self) -> None:
        """Put it above other windows, where the desktop lets a window do that itself."""
        if QGuiApplication.platformName() in _CAN_RAISE:
            self.raise_()

    def _screen(self) -> QScreen:
        """Return the screen that it is on, else the one with the cursor: there somebody looks."""
        if self.isVisible():
            return self.screen()
        return QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Cut the corners out where nothing blends them."""
        super().resizeEvent(event)
        if not self._blended:
            self.setMask(self._cut_out())

    def _cut_out(self) -> QBitmap:
        mask = QBitmap(self.size())
        mask.fill(Qt.GlobalColor.color0)
        painter = QPainter(mask)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(Qt.GlobalColor.color1)
        radius = self._theme.px(RADIUS_CARD)
        painter.drawRoundedRect(self.rect(), radius, radius)
        painter.end()
        return mask

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint shadow, ground, foot, edge and border."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, radius = self._theme.colours, self._theme.px(RADIUS_CARD)
        if self._blended:
            size = self.size()
            soft = shadow(size.width(), size.height(), self._spread(), radius, self.devicePixelRatioF())
            painter.drawPixmap(0, 0, soft)
        else:
            # What the cut leaves of the corner is part of the border.
            painter.fillRect(self.rect(), colours.line)
        card = self.card_rect()
        shape = QPainterPath()
        shape.addRoundedRect(QRectF(card).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
        painter.fillPath(shape, colours.ground)
        painter.setClipPath(shape)
        self._paint_inside(painter, card)
        painter.setClipping(False)
        painter.setPen(QPen(colours.line, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(shape)

    def _paint_inside(self, painter: QPainter, card: QRect) -> None:
        colours = self._theme.colours
        painter.fillRect(card.left(), self.foot_top(), card.width(), self.height(), colours.ground2)
        painter.fillRect(card.left(), self.foot_top(), card.width(), 1, colours.line)
        painter.fillRect(card.left(), card.top(), self._theme.px(EDGE), card.height(), colours.accent(self._mark))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Remember where a drag may begin."""
        self._pressed_at = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Let the person move it out of the way."""
        far = (event.position().toPoint() - self._pressed_at).manhattanLength() >= QApplication.startDragDistance()
        handle = self.windowHandle()
        # Only once it is a drag: a window manager asked at a mere click may wait for a release that was before.
        if far and event.buttons() & Qt.MouseButton.LeftButton and handle is not None:
            self._dragged = handle.startSystemMove()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Stay when the person's desktop asks it to close: a page goes away by being taken care of."""
        event.setAccepted(not event.spontaneous())
