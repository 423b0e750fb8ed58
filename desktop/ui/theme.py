"""Colours, fonts and spacing of every surface, light and dark, following the system live. GUI thread."""

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontInfo, QGuiApplication, QPalette

from desktop.domain.severity import Severity

# Spacing goes in steps of 4 px; one radius per kind of surface.
STEP = 4
RADIUS_CARD = 14
RADIUS_BUTTON = 9
EDGE = 6


class Mark(StrEnum):
    """What an accent and its shape stand for."""

    SEV0 = "sev0"
    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    LOST = "lost"
    CALM = "calm"


def mark_of(severity: Severity) -> Mark:
    """Return the mark of a severity."""
    return (Mark.SEV0, Mark.SEV1, Mark.SEV2, Mark.SEV3)[severity.value]


@dataclass(frozen=True, slots=True)
class Colours:
    """One colour scheme: grounds, line, three strengths of ink, button, and the text on an accent."""

    dark: bool
    ground: QColor
    ground2: QColor
    line: QColor
    ink: QColor
    ink2: QColor
    ink3: QColor
    button: QColor
    on_accent: QColor
    accents: dict[Mark, QColor]

    def accent(self, mark: Mark) -> QColor:
        """Return the accent of ``mark``."""
        return self.accents[mark]


def _colours(dark: bool, neutral: str, accent: str) -> Colours:
    ground, ground2, line, ink, ink2, ink3, button, on = (QColor(c) for c in neutral.split())
    accents = dict(zip(Mark, (QColor(c) for c in accent.split()), strict=True))
    return Colours(dark, ground, ground2, line, ink, ink2, ink3, button, on, accents)


LIGHT = _colours(
    False,
    "#ffffff #f5f6f8 #e3e6eb #151a23 #4d5666 #626b7b #eceff3 #ffffff",
    "#c8241b #b54708 #8a6100 #175cd3 #6938c0 #067647",
)
DARK = _colours(
    True,
    "#191d25 #20252f #323947 #eef1f6 #b8c0cf #949daf #2b313d #14171d",
    "#ff7a70 #f79a4b #e5c05c #7fb0ff #b79bff #4fd09a",
)


class Scheme(StrEnum):
    """Which colours: the system's choice, or one of the two."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Theme(QObject):
    """The present colours and fonts; ``changed`` when the system switches between light and dark or its font."""

    changed = Signal()

    def __init__(self, scheme: Scheme = Scheme.SYSTEM, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._scheme = scheme
        self.colours = self._pick()
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(self._refresh)

    @Slot()
    def _refresh(self) -> None:
        picked = self._pick()
        if picked is not self.colours:
            self.colours = picked
            self.changed.emit()

    def set_scheme(self, scheme: Scheme) -> None:
        """Follow the system again, or stay light or dark."""
        self._scheme = scheme
        self._refresh()

    def _pick(self) -> Colours:
        if self._scheme is not Scheme.SYSTEM:
            return DARK if self._scheme is Scheme.DARK else LIGHT
        system = QGuiApplication.styleHints().colorScheme()
        if system is Qt.ColorScheme.Unknown:
            window = QGuiApplication.palette().color(QPalette.ColorRole.Window)
            return DARK if window.lightness() < 128 else LIGHT
        return DARK if system is Qt.ColorScheme.Dark else LIGHT

    def scale(self) -> float:
        """Return how much larger the system's font is than the 13 px that the sizes are drawn for; never below 1."""
        return max(QFontInfo(QGuiApplication.font()).pixelSize() / 13.0, 1.0)

    def px(self, size: float) -> int:
        """Return a length drawn for a 13 px font, grown with the system's font."""
        return round(size * self.scale())

    def font(self, size: float, weight: int = 400, *, tabular: bool = False) -> QFont:
        """Return the system's font at ``size`` px (drawn for 13), weight 400, 600 or 700, digits all equally wide."""
        font = QFont(QGuiApplication.font())
        font.setPixelSize(self.px(size))
        font.setWeight(QFont.Weight(weight))
        if tabular:
            font.setFeature(QFont.Tag("tnum"), 1)
        return font
