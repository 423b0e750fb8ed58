"""Everything that shows or plays, made and tied together once. GUI thread."""

from datetime import datetime

from PySide6.QtCore import QObject, Slot

from desktop.alerting.confirming import Seen
from desktop.domain.attention import Attention, ConnectionState, Sound
from desktop.qt.activation import bring_up
from desktop.qt.activity import Activity, handle_of
from desktop.qt.notifications import Notifications
from desktop.qt.sound import Sounder, SoundHealth, SoundState
from desktop.qt.tray import Tray
from desktop.system import notify_plyer
from desktop.system.resources import resource
from desktop.ui.popup import PagePopup
from desktop.ui.rows import MOST_ROWS
from desktop.ui.status_window import StatusWindow
from desktop.ui.theme import Theme
from desktop.ui.token_dialog import TokenDialog
from desktop.ui.tray_menu import TrayPresenter


class Surfaces(QObject):
    """The pop-up, the tray with its menu, the status window, sound and notifications."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.theme = Theme()
        self.sounder = Sounder({s: resource(f"sounds/{s.value}.wav") for s in Sound}, self)
        self._activity = Activity(self)
        self.popup = PagePopup(self.theme)
        self.status = StatusWindow(self.theme)
        self.token_dialog = TokenDialog(self.theme)
        self.presenter = TrayPresenter(self)
        self.tray = Tray(self.presenter.menu, self)
        self.notifier = Notifications(self.tray, self, fallback=notify_plyer.send)
        self.sounder.state_changed.connect(self._sound_changed)
        self._sound_changed(self.sounder.state)
        self.notifier.delivered.connect(self._delivered)
        self.presenter.icon_changed.connect(self.tray.set_icon)
        self.presenter.tooltip_changed.connect(self.tray.set_tooltip)
        self.presenter.show_status.connect(self.open_status)
        self.tray.activated.connect(self.open_status)
        self.tray.available_changed.connect(self._follow_tray)

    def start(self) -> None:
        """Show the tray icon, or the window that takes its place."""
        self.tray.start(self.presenter.icon, self.presenter.tooltip)
        self._follow_tray(self.tray.available)

    def stop(self) -> None:
        """Take everything away."""
        self.sounder.stop()
        self.notifier.close()
        self.tray.stop()
        for window in (self.popup, self.status, self.token_dialog):
            window.hide()

    def show(self, decided: Attention, states: tuple[ConnectionState, ...], now: datetime) -> None:
        """Show ``decided`` everywhere."""
        self.popup.show_attention(decided, now)
        self.presenter.show_attention(decided, now, states)
        self.status.show_attention(decided, states, now)

    def seen(self) -> Seen:
        """Return what screen and sound really do now, and whether anybody used our windows since the last time."""
        self._activity.watch(self.popup, self.status, self.token_dialog)
        handle = handle_of(self.popup)
        visible = self.popup.isVisible() and handle is not None and handle.isExposed()
        # One in full, others in rows, of which one may be about lost contact; the rest is a number.
        shown = MOST_ROWS if visible else 0
        heard = self.sounder.playing is not None and self.sounder.state.health is SoundHealth.READY
        return Seen(shown=shown, heard=heard, used=self._activity.take())

    @Slot()
    def open_status(self) -> None:
        """Bring the status window to the front."""
        bring_up(self.status)

    @Slot(str)
    def bring_up(self, token: str) -> None:
        """Bring the status window to the front since somebody started Watchbell again, by a launcher's ``token``."""
        bring_up(self.status, token)

    @Slot(bool)
    def _follow_tray(self, available: bool) -> None:
        self.status.stay(None if available else "This desktop has no tray, so this window stays in its place.")
        self.status.set_machine("Tray", "shown" if available else "none on this desktop", good=available)
        if not available:
            self.status.show()

    @Slot(object)
    def _sound_changed(self, state: SoundState) -> None:
        ready = state.health in {SoundHealth.READY, SoundHealth.LOADING}
        self.status.set_machine("Sound", state.health.value, good=ready)
        self.status.set_notice("sound", state.message or None)

    @Slot(object, str)
    def _delivered(self, _key: object, _link: str) -> None:
        self.status.set_machine(
            "Notifications", self.notifier.state, good=self.notifier.state == "desktop notification"
        )
