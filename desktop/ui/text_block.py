"""Text from anywhere on the screen: always plain, wrapped, elided, partly bold without any markup. GUI thread."""

from html import escape
from typing import Literal
from unicodedata import bidirectional

from PySide6.QtCore import QPointF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from desktop.ui.theme import Colours, Mark, Theme
from desktop.ui.words import Run

Ink = Literal["ink", "ink2", "ink3"] | Mark
_ELLIPSIS = "…"
_TOOLTIP_LIMIT = 1000
_ANY_WIDTH = 100_000


def ink_colour(colours: Colours, ink: Ink) -> QColor:
    """Return the colour of an ink or accent."""
    if isinstance(ink, Mark):
        return colours.accent(ink)
    return {"ink": colours.ink, "ink2": colours.ink2, "ink3": colours.ink3}[ink]


def plain_tooltip(text: str) -> str:
    """Return a tooltip that shows ``text`` literally: a tooltip guesses whether it is markup, so it gets markup."""
    return f'<p style="white-space:pre-wrap">{escape(text[:_TOOLTIP_LIMIT])}</p>' if text else ""


class TextBlock(QLabel):
    """A label of at most ``max_lines`` lines; what does not fit ends in an ellipsis and stands whole in the tooltip.

    Never markup, never a mnemonic: it paints its text itself. To a screen reader it is a label with the whole text.
    """

    def __init__(  # noqa: PLR0913 - how it looks, all by keyword
        self,
        theme: Theme,
        *,
        size: float = 13,
        weight: int = 400,
        ink: Ink = "ink",
        max_lines: int = 1,
        tabular: bool = False,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeading,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self._theme, self._ink, self._max_lines, self._align = theme, ink, max_lines, align
        self._runs: tuple[Run, ...] = ()
        self._layouts: dict[int, QTextLayout] = {}
        self.setFont(theme.font(size, weight, tabular=tabular))
        self._strong = theme.font(size, 700, tabular=tabular)
        metrics = QFontMetrics(self.font())
        self._pitch = max(metrics.height(), round(self.font().pixelSize() * (1.4 if size < 15 else 1.3)))
        self._base = (self._pitch - metrics.height()) // 2 + metrics.ascent()
        tall = QSizePolicy.Policy.Minimum if max_lines > 1 else QSizePolicy.Policy.Fixed
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, tall)
        policy.setHeightForWidth(max_lines > 1)
        self.setSizePolicy(policy)
        theme.changed.connect(self._recolour)

    def say(self, *runs: Run | str) -> None:
        """Show ``runs`` of text, each a string or (string, bold), one after the other."""
        taken = tuple(r if isinstance(r, tuple) else (r, False) for r in runs)
        if taken == self._runs:
            return
        before = self.sizeHint()
        self._runs = taken
        self._layouts.clear()
        self.setText("".join(text for text, _ in taken))
        if self._max_lines > 1 or self.sizeHint() != before:
            self.updateGeometry()
        self._tip()

    def set_ink(self, ink: Ink) -> None:
        """Show the text in another ink."""
        if ink != self._ink:
            self._ink = ink
            self.update()

    @Slot()
    def _recolour(self) -> None:
        self._layouts.clear()
        self.update()

    @property
    def elided(self) -> bool:
        """Whether some of the text does not fit the present width."""
        return self._laid_out(self.width()).lineCount() > self._max_lines

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """Tell layouts that more width means fewer lines."""
        return self._max_lines > 1

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """Return the height of its lines at ``width``."""
        lines = self._laid_out(width).lineCount() if self._max_lines > 1 else 1
        return self._pitch * min(max(lines, 1), self._max_lines)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of the whole text on one line."""
        wide = self._laid_out(_ANY_WIDTH).lineAt(0).naturalTextWidth() if self.text() else 0
        return QSize(int(wide) + 1, self._pitch)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return room for an ellipsis: anything may be cut."""
        return QSize(QFontMetrics(self.font()).horizontalAdvance(_ELLIPSIS), self._pitch)

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Offer the whole text in the tooltip when it is cut."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._tip()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the lines, the last one cut where needed."""
        painter = QPainter(self)
        painter.setPen(ink_colour(self._theme.colours, self._ink))
        layout = self._laid_out(self.width())
        count = min(layout.lineCount(), self._max_lines)
        cut = layout.lineCount() > count
        for index in range(count - cut):
            self._draw(painter, layout, index, index)
        if cut:
            self._draw(painter, self._cut(layout.lineAt(count - 1).textStart()), 0, count - 1)

    def _draw(self, painter: QPainter, layout: QTextLayout, line: int, row: int) -> None:
        drawn = layout.lineAt(line)
        rtl = layout.textOption().textDirection() is Qt.LayoutDirection.RightToLeft
        left = self.width() - drawn.naturalTextWidth() if rtl or self._align is Qt.AlignmentFlag.AlignRight else 0.0
        # By the baseline: a character from another font makes its line taller.
        top = row * self._pitch + self._base - drawn.ascent()
        drawn.draw(painter, QPointF(left - drawn.position().x(), top - drawn.position().y()))

    @Slot()
    def _tip(self) -> None:
        self.setToolTip(plain_tooltip(self.text()) if self.elided else "")

    def _laid_out(self, width: int) -> QTextLayout:
        if width not in self._layouts:
            if len(self._layouts) > 4:
                self._layouts.clear()
            self._layouts[width] = self._layout(self._runs, width)
        return self._layouts[width]

    def _cut(self, start: int) -> QTextLayout:
        """Return one line: the text from UTF-16 position ``start``, as much of it as fits before an ellipsis."""
        rest = _after(self._runs, start)
        low, high = 0, sum(len(text) for text, _ in rest)
        while low < high:
            middle = (low + high + 1) // 2
            # The layout needs a name: a line does not keep it alive.
            layout = self._layout(_before(rest, middle), _ANY_WIDTH)
            if layout.lineAt(0).naturalTextWidth() <= self.width():
                low = middle
            else:
                high = middle - 1
        return self._layout(_before(rest, low), _ANY_WIDTH)

    def _layout(self, runs: tuple[Run, ...], width: int) -> QTextLayout:
        # QTextLayout breaks lines at its own separator only.
        text = "".join(text for text, _ in runs).replace("\n", "\N{LINE SEPARATOR}")
        layout = QTextLayout(text, self.font())
        option = QTextOption()
        option.setTextDirection(_direction(text))
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        layout.setFormats(_formats(runs, self._strong, self._theme.colours.ink))
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
        layout.endLayout()
        return layout


def _after(runs: tuple[Run, ...], start: int) -> tuple[Run, ...]:
    """Return ``runs`` without their first ``start`` UTF-16 units."""
    rest: list[Run] = []
    for text, bold in runs:
        units = text.encode("utf-16-le")
        skipped = min(start, len(units) // 2)
        start -= skipped
        rest.append((units[skipped * 2 :].decode("utf-16-le", "replace"), bold))
    return tuple(r for r in rest if r[0])


def _before(runs: tuple[Run, ...], count: int) -> tuple[Run, ...]:
    """Return the first ``count`` characters of ``runs`` and an ellipsis."""
    kept: list[Run] = []
    for text, bold in runs:
        kept.append((text[:count], bold))
        count -= min(count, len(text))
        if not count:
            break
    if not kept:
        return ((_ELLIPSIS, False),)
    return (*kept[:-1], (kept[-1][0].rstrip() + _ELLIPSIS, kept[-1][1]))


def _direction(text: str) -> Qt.LayoutDirection:
    """Return the writing direction of the first letter outside an isolate that has one (Unicode's rule P2)."""
    depth = 0
    for kind in map(bidirectional, text):
        if kind in {"LRI", "RLI", "FSI"}:
            depth += 1
        elif kind == "PDI":
            depth -= 1
        elif depth == 0 and kind in {"R", "AL"}:
            return Qt.LayoutDirection.RightToLeft
        elif depth == 0 and kind == "L":
            break
    return Qt.LayoutDirection.LeftToRight


def _formats(runs: tuple[Run, ...], strong: QFont, ink: QColor) -> list[QTextLayout.FormatRange]:
    formats, start = [], 0
    for text, bold in runs:
        # QTextLayout counts UTF-16 units.
        length = len(text.encode("utf-16-le", "surrogatepass")) // 2
        if bold:
            span, char = QTextLayout.FormatRange(), QTextCharFormat()
            char.setFont(strong)
            char.setForeground(ink)
            span.start, span.length, span.format = start, length, char
            formats.append(span)
        start += length
    return formats
