"""Turns an ``Attention`` into the tray's icon, tooltip and menu. GUI thread."""

from datetime import datetime

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QMenu

from desktop.domain.attention import Attention, ConnectionState, Page, Tray
from desktop.domain.text import shorten
from desktop.ui import summary, words
from desktop.ui.ask import Question
from desktop.ui.drain import key_of
from desktop.ui.icons import tray_icon
from desktop.ui.page_card import MUTE_SECONDS

_MOST_PAGES = 8
_TITLE = 60
_FRAME_MS = 500


class TrayPresenter(QObject):
    """Fills ``menu`` and says what icon and tooltip to show; asks before it opens a link or quits while on call."""

    icon_changed = Signal(QIcon)
    tooltip_changed = Signal(str)
    acknowledge = Signal(str, str)
    mute = Signal(int)
    open_link = Signal(str)
    test_page = Signal()
    show_status = Signal()
    autostart = Signal(bool)
    quit = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.menu = QMenu()
        self.question = Question(self)
        self.icon = tray_icon(Tray.LOST)
        self.tooltip = summary.tooltip(["Starting"])
        self._attention: Attention | None = None
        self._muted = False
        self._autostart: bool | None = None
        self._drawn: object = None
        self._submenus: list[QMenu] = []
        self._lines: list[str] = []
        self._pages: tuple[Page, ...] = ()
        self._frame = 0
        self._pulse = QTimer(self)
        self._pulse.setInterval(_FRAME_MS)
        self._pulse.timeout.connect(self._swing)
        self._fill(["Starting"], ())

    @Slot(object, object, object)
    def show_attention(self, attention: Attention, now: datetime, states: tuple[ConnectionState, ...]) -> None:
        """Show ``attention`` at ``now`` (aware, local clock); ``states`` tell whether anything is known at all."""
        self._attention = attention
        self._muted = attention.muted_until is not None and now < attention.muted_until
        lines = summary.tray_lines(attention, states, now)
        self._fill(lines, attention.pages)
        self._say(summary.tooltip(lines))
        self._animate(attention.tray is Tray.RINGING)
        self._draw()

    def set_autostart(self, on: bool | None) -> None:
        """Show whether Watchbell starts at login; None where that cannot be set here."""
        self._autostart = on
        self._fill(self._lines, self._pages)

    def _say(self, tooltip: str) -> None:
        if tooltip != self.tooltip:
            self.tooltip = tooltip
            self.tooltip_changed.emit(tooltip)

    def _animate(self, ringing: bool) -> None:
        if ringing and not self._pulse.isActive():
            self._pulse.start()
        elif not ringing:
            self._pulse.stop()
            self._frame = 0

    @Slot()
    def _swing(self) -> None:
        self._frame = 1 - self._frame
        self._draw()

    def _draw(self) -> None:
        if self._attention is None:
            return
        icon = tray_icon(self._attention.tray, len(self._attention.pages), self._frame)
        if icon.cacheKey() != self.icon.cacheKey():
            self.icon = icon
            self.icon_changed.emit(icon)

    def _fill(self, lines: list[str], pages: tuple[Page, ...]) -> None:
        """Build the menu anew, but only when it would read differently: it may be open."""
        self._lines, self._pages = lines, pages
        shown = [(key_of(p), _label(p), p.sending, p.incident.url) for p in pages[:_MOST_PAGES]]
        drawn = (lines, shown, len(pages), self._muted, self._autostart)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self.menu.clear()
        # Clearing deletes a menu's actions, not the menus that some of them open.
        for old in self._submenus:
            old.deleteLater()
        self._submenus.clear()
        for line in lines:
            self._add(line).setEnabled(False)
        self.menu.addSeparator()
        for page in pages[:_MOST_PAGES]:
            self._add_page(page)
        if len(pages) > _MOST_PAGES:
            self._add(f"and {len(pages) - _MOST_PAGES} more").setEnabled(False)
        if pages:
            self.menu.addSeparator()
        self._add("Unmute" if self._muted else "Mute 5 min").triggered.connect(self._toggle_mute)
        self._add("Test page").triggered.connect(self.test_page)
        self._add("Status…").triggered.connect(self.show_status)
        if self._autostart is not None:
            start = self._add("Start at login")
            start.setCheckable(True)
            start.setChecked(self._autostart)
            start.triggered.connect(self.autostart)
        self.menu.addSeparator()
        self._add("Quit Watchbell").triggered.connect(self._quit)

    def _add(self, text: str, menu: QMenu | None = None) -> QAction:
        target = self.menu if menu is None else menu
        action = QAction(_escaped(text), target)
        target.addAction(action)
        return action

    def _add_page(self, page: Page) -> None:
        # Made here, not by the menu: of what Qt makes itself, PySide never lets go.
        menu = QMenu(_escaped(_label(page)), self.menu)
        self.menu.addMenu(menu)
        self._submenus.append(menu)
        acknowledge = self._add("Sending…" if page.sending else "Acknowledge", menu)
        acknowledge.setEnabled(page.sending is None)
        acknowledge.setData(key_of(page))
        acknowledge.triggered.connect(self._acknowledge)
        if url := words.web_link(page.incident.url):
            browse = self._add("Open in browser…", menu)
            browse.setData(url)
            browse.triggered.connect(self._open)

    @Slot()
    def _acknowledge(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            connection, incident_id = action.data()
            self.acknowledge.emit(connection, incident_id)

    @Slot()
    def _open(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            url = str(action.data())
            self.question.ask("Open this in your browser?", url, "Open", lambda: self.open_link.emit(url))

    @Slot()
    def _toggle_mute(self) -> None:
        self.mute.emit(0 if self._muted else MUTE_SECONDS)

    @Slot()
    def _quit(self) -> None:
        if self._attention is None or not summary.is_on_call(self._attention):
            self.quit.emit()
            return
        detail = "After that, no page rings on this machine, and escalations go on without you."
        self.question.ask("Quit while you are on call?", detail, "Quit Watchbell", self.quit.emit)


def _label(page: Page) -> str:
    return f"{page.incident.severity.label} {shorten(words.title_of(page.incident.title), _TITLE)}"


def _escaped(text: str) -> str:
    """Return ``text`` for a menu, where an ampersand would be a mnemonic."""
    return text.replace("&", "&&")
