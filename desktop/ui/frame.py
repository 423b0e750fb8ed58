"""A frameless, rounded window on top of everything, that never takes the focus. GUI thread."""

from PySide6.QtCore import QRectF, Qt, Slot
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
    QScreen,
)
from PySide6.QtWidgets import QWidget

from desktop.ui.placement import corner, kept_inside
from desktop.ui.theme import EDGE, RADIUS_CARD, Mark, Theme

WIDTH = 440
# Qt warns on the other platforms; there "stays on top" must do.
_CAN_RAISE = frozenset({"xcb", "windows", "cocoa"})


class Frame(QWidget):
    """Ground, border and accent edge; the corner of the screen; dragging. What is inside, a subclass says.

    ``composited`` tells whether the desktop blends windows: then corners are smooth, else they are cut out.
    """

    def __init__(self, theme: Theme, *, composited: bool) -> None:
        flags = Qt.WindowType.Tool | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        super().__init__(None, flags)
        self._theme = theme
        self._mark = Mark.SEV1
        self._composited = composited
        self._dragged = False
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground, composited)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setFixedWidth(theme.px(WIDTH))
        theme.changed.connect(self.update)

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
        layout = self.layout()
        if layout is None:
            return
        layout.activate()
        height = (
            layout.totalHeightForWidth(self.width()) if layout.hasHeightForWidth() else layout.totalSizeHint().height()
        )
        if height != self.height():
            self.setFixedHeight(height)
        screen = self._screen()
        free = screen.availableGeometry()
        at = (
            kept_inside(free, self.pos(), self.size())
            if self._dragged
            else corner(screen.geometry(), free, self.size())
        )
        if at != self.pos():
            self.move(at)

    def appear(self) -> None:
        """Show it without taking the focus."""
        if not self.isVisible():
            self._dragged = False
            self.fit()
            # The window itself has the focus: a space meant for another window must press no button.
            self.setFocus(Qt.FocusReason.OtherFocusReason)
            self.show()
            self.bring_up()

    def bring_up(self) -> None:
        """Put it above other windows, where the desktop lets a window do that itself."""
        if QGuiApplication.platformName() in _CAN_RAISE:
            self.raise_()

    def _screen(self) -> QScreen:
        """Return the screen that it is on, else the one with the cursor: there somebody looks."""
        if self.isVisible():
            return self.screen()
        return QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Cut the corners out where nothing blends them."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        if not self._composited:
            self._cut_corners()

    @Slot()
    def _cut_corners(self) -> None:
        # A mask is made of whole device pixels; a path drawn without smoothing gives the same edge as the border.
        mask = QBitmap(self.size())
        mask.fill(Qt.GlobalColor.color0)
        painter = QPainter(mask)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(Qt.GlobalColor.color1)
        radius = self._theme.px(RADIUS_CARD)
        painter.drawRoundedRect(self.rect(), radius, radius)
        painter.end()
        self.setMask(mask)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint ground, edge and border."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = self._theme.colours
        if not self._composited:
            painter.fillRect(self.rect(), colours.line)
        radius = self._theme.px(RADIUS_CARD)
        shape = QPainterPath()
        shape.addRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
        painter.fillPath(shape, colours.ground)
        painter.setClipPath(shape)
        painter.fillRect(0, self.foot_top(), self.width(), self.height(), colours.ground2)
        painter.fillRect(0, self.foot_top(), self.width(), 1, colours.line)
        painter.fillRect(0, 0, self._theme.px(EDGE), self.height(), colours.accent(self._mark))
        painter.setClipping(False)
        painter.setPen(QPen(colours.line, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(shape)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Let the person move it out of the way."""
        handle = self.windowHandle()
        if event.button() is Qt.MouseButton.LeftButton and handle is not None:
            self._dragged = handle.startSystemMove()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Stay when the person's desktop asks it to close: a page goes away by being taken care of."""
        event.setAccepted(not event.spontaneous())
