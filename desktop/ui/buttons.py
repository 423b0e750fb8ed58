"""Buttons of the pop-up and the windows: painted, so that they look the same under every desktop style. GUI thread."""

from enum import StrEnum

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from desktop.ui.theme import RADIUS_BUTTON, Mark, Theme


class Look(StrEnum):
    """How much a button asks to be pressed."""

    PRIMARY = "primary"
    PLAIN = "plain"
    TINTED = "tinted"


class ActionButton(QPushButton):
    """A rounded button with an optional key hint (``Ctrl ↵``) after its words, which are never a mnemonic."""

    def __init__(
        self,
        theme: Theme,
        text: str,
        *,
        look: Look = Look.PLAIN,
        hint: str = "",
        small: bool = False,
        grows: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._look, self._hint, self._small = theme, look, hint, small
        self._mark = Mark.CALM
        self._words = ""
        self.setFont(theme.font(12 if small else 13, 600))
        self._hint_font = theme.font(11, 400)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        wide = QSizePolicy.Policy.Expanding if grows or look is Look.PRIMARY else QSizePolicy.Policy.Fixed
        self.setSizePolicy(wide, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)
        self.set_words(text)

    def set_words(self, text: str, spoken: str = "") -> None:
        """Show ``text``; a screen reader says ``spoken`` instead where the words alone would not tell which one."""
        self.setAccessibleName(spoken or text)
        if text != self._words:
            self._words = text
            # Qt reads an ampersand as a mnemonic.
            self.setText(text.replace("&", "&&"))
            self.updateGeometry()
            self.update()

    @property
    def words(self) -> str:
        """The words shown."""
        return self._words

    def set_mark(self, mark: Mark) -> None:
        """Take the accent of ``mark``."""
        if mark is not self._mark:
            self._mark = mark
            self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return room for words, hint and padding."""
        pad = self._theme.px(10 if self._small else 14)
        wide = QFontMetrics(self.font()).horizontalAdvance(self._words)
        if self._hint:
            wide += QFontMetrics(self._hint_font).horizontalAdvance(self._hint) + self._theme.px(8)
        return QSize(wide + 2 * pad, self._theme.px(28 if self._small else 36))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the same: words on a button are never cut."""
        return self.sizeHint()

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Show that it can be pressed."""
        super().enterEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint ground, words, hint and the focus ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground, ink = self._paints()
        radius = self._theme.px(7 if self._small else RADIUS_BUTTON)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        self._paint_words(painter, ink)
        if self.hasFocus() and self.window().isActiveWindow():
            painter.setPen(QPen(ink, 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(2.5, 2.5, -2.5, -2.5), radius - 2, radius - 2)

    def _paints(self) -> tuple[QColor, QColor]:
        """Return ground and ink for the present state."""
        colours = self._theme.colours
        accent = colours.accent(self._mark)
        if not self.isEnabled():
            return colours.button, colours.ink3
        primary = self._look is Look.PRIMARY
        ground = QColor(accent if primary else colours.button)
        ink = colours.on_accent if primary else accent if self._look is Look.TINTED else colours.ink
        shade = 112 if self.isDown() else 106 if self.underMouse() else 100
        return (ground.darker(shade) if not colours.dark or primary else ground.lighter(2 * shade - 100)), ink

    def _paint_words(self, painter: QPainter, ink: QColor) -> None:
        metrics, hint_metrics = QFontMetrics(self.font()), QFontMetrics(self._hint_font)
        gap = self._theme.px(8) if self._hint and self.isEnabled() else 0
        hint = self._hint if gap else ""
        total = metrics.horizontalAdvance(self._words) + gap + hint_metrics.horizontalAdvance(hint)
        left = (self.width() - total) / 2
        base = (self.height() + metrics.ascent() - metrics.descent()) / 2
        painter.setPen(ink)
        painter.setFont(self.font())
        painter.drawText(QPointF(left, base), self._words)
        if hint:
            painter.setOpacity(0.8)
            painter.setFont(self._hint_font)
            painter.drawText(QPointF(left + metrics.horizontalAdvance(self._words) + gap, base), hint)
            painter.setOpacity(1.0)
