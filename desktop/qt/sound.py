"""Plays the bundled sounds through QtMultimedia, every effect loaded beforehand, and notices when nothing comes out.

GUI thread. Qt's PulseAudio connection is made once and never mended (Qt 6.11): after the sound server restarted, or
came up late, effects claim to play while nothing is heard. A loop that does not come round shows it; from then on the
desktop's own player is used.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QLoggingCategory, QObject, QTimer, QtMsgType, QUrl, Signal, Slot

from desktop.domain.attention import Sound
from desktop.qt.player_process import PlayerProcess

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QMediaDevices, QSoundEffect

# Cutting a wave short clicks: fade out, then wait until the silence has gone through the buffers (about 150 ms).
_FADE_STEPS = (0.7, 0.45, 0.25, 0.12, 0.05, *(0.0,) * 10)
_FADE_MS = 15
# Counted, not infinite, since only counted loops tell that they came round; half a day of ringing.
_LOOPS = 20_000
# The longest sound lasts 2.6 s.
_STALLED_MS = 5_000


class SoundHealth(StrEnum):
    """Whether a sound can be heard."""

    LOADING = "loading"
    READY = "ready"
    NO_DEVICE = "no device"
    NO_LIBRARY = "library missing"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class SoundState:
    """The health, and a sentence for the person that says what to do (empty while all is well)."""

    health: SoundHealth
    message: str = ""


class Sounder(QObject):
    """Plays one of ``files`` at a time. No device, no library or a broken file is a ``state``, never an exception."""

    state_changed = Signal(object)

    def __init__(self, files: Mapping[Sound, Path], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._files = dict(files)
        self._effects: dict[Sound, QSoundEffect] = {}
        self._devices: QMediaDevices | None = None
        self._volume = 1.0
        self._playing: Sound | None = None
        self._loop = False
        self._stalled = False
        self._fade: list[float] = []
        self._fader = QTimer(self)
        self._fader.setInterval(_FADE_MS)
        self._fader.timeout.connect(self._fade_on)
        self._watchdog = QTimer(self)
        self._watchdog.setSingleShot(True)
        self._watchdog.setInterval(_STALLED_MS)
        self._watchdog.timeout.connect(self._nothing_came)
        self._process = PlayerProcess(self)
        self._process.failed.connect(self._refresh)
        self._state = SoundState(SoundHealth.LOADING)
        self._missing = self._load()
        self._state = self._judge()

    def _load(self) -> str:
        """Load every file; return why QtMultimedia cannot be used, else an empty text."""
        try:
            from PySide6.QtMultimedia import QMediaDevices, QSoundEffect  # noqa: PLC0415 - needs libpulse at run time
        except ImportError as error:
            return str(error)
        with _without_decoders():
            self._devices = QMediaDevices(self)
            self._effects = {sound: QSoundEffect(self) for sound in self._files}
        self._devices.audioOutputsChanged.connect(self._devices_changed)
        for sound, effect in self._effects.items():
            effect.statusChanged.connect(self._refresh)
            effect.playingChanged.connect(self._playing_changed)
            effect.loopsRemainingChanged.connect(self._came_round)
            effect.setSource(QUrl.fromLocalFile(str(self._files[sound])))
        return ""

    @property
    def state(self) -> SoundState:
        """Whether sounds can be heard now."""
        return self._state

    @property
    def playing(self) -> Sound | None:
        """What is meant to be heard now."""
        return self._playing

    def play(self, sound: Sound, loop: bool) -> None:
        """Play ``sound``, again and again when ``loop``; the same one already looping goes on undisturbed."""
        fading = bool(self._fade)
        if self._playing is sound and loop and self._loop and not fading:
            return
        self._silence_now()
        self._playing, self._loop = sound, loop
        self._start()

    def stop(self) -> None:
        """Fade out and stop."""
        if self._playing is None:
            return
        effect = self._effects.get(self._playing)
        if effect is None or not effect.isPlaying():
            self._silence_now()
            return
        self._fade = list(_FADE_STEPS)
        self._fader.start()

    def set_volume(self, volume: float) -> None:
        """Set how loud: 0.0 to 1.0."""
        self._volume = min(max(volume, 0.0), 1.0)
        for effect in self._effects.values():
            effect.setVolume(self._volume)

    def _start(self) -> None:
        if self._playing is None:
            return
        effect = self._effects.get(self._playing)
        if effect is None or self._stalled or not self._has_device():
            self._process.play(self._files[self._playing], loop=self._loop)
            return
        effect.setVolume(self._volume)
        effect.setLoopCount(_LOOPS if self._loop else 1)
        effect.play()
        self._watchdog.start()

    def _has_device(self) -> bool:
        return self._devices is not None and bool(self._devices.audioOutputs())

    def _silence_now(self) -> None:
        self._fader.stop()
        self._watchdog.stop()
        self._fade = []
        effect = self._effects.get(self._playing) if self._playing is not None else None
        # First forget, then stop: its signal must not look like a sound that ended by itself.
        self._playing = None
        self._process.stop()
        if effect is not None:
            effect.stop()

    @Slot()
    def _fade_on(self) -> None:
        effect = self._effects.get(self._playing) if self._playing is not None else None
        if not self._fade or effect is None or not effect.isPlaying():
            self._silence_now()
            return
        effect.setVolume(self._volume * self._fade.pop(0))

    @Slot()
    def _came_round(self) -> None:
        if self._playing is not None and self._loop:
            self._watchdog.start()

    @Slot()
    def _playing_changed(self) -> None:
        effect = self._effects.get(self._playing) if self._playing is not None else None
        if effect is None or effect.isPlaying() or self._fade:
            return
        if self._loop:
            # Nobody stopped it: what is wrong, the watchdog finds out.
            effect.play()
        else:
            self._watchdog.stop()
            self._playing = None

    @Slot()
    def _nothing_came(self) -> None:
        """Give up on QtMultimedia: it claims to play, but the sound does not advance."""
        self._stalled = True
        if self._playing is not None:
            playing, loop = self._playing, self._loop
            self._silence_now()
            self._playing, self._loop = playing, loop
            self._start()
        self._refresh()

    @Slot()
    def _devices_changed(self) -> None:
        """Move to the present default output, and go on there with what should be heard."""
        if self._devices is None:
            return
        # A change of devices proves that Qt hears from the sound server again.
        self._stalled = False
        for effect in self._effects.values():
            effect.setAudioDevice(self._devices.defaultAudioOutput())
        if self._playing is not None and self._loop and not self._fade:
            self._process.stop()
            self._start()
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        state = self._judge()
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _judge(self) -> SoundState:
        instead = f"; {self._process.name} is tried instead" if self._process.name else ""
        if self._devices is None:
            text = f"Sounds need the PulseAudio client library libpulse0 ({self._missing[:120]}){instead}"
            return SoundState(SoundHealth.NO_LIBRARY, text)
        if not self._has_device():
            return SoundState(SoundHealth.NO_DEVICE, f"No sound output was found{instead or ': pages are not heard'}")
        if self._stalled:
            text = f"The sound server no longer answers: restart Watchbell{instead}"
            return SoundState(SoundHealth.ERROR, text)
        statuses = {e.status().name for e in self._effects.values()}
        if "Error" in statuses:
            return SoundState(SoundHealth.ERROR, f"A sound file cannot be played: reinstall Watchbell{instead}")
        return SoundState(SoundHealth.READY if statuses <= {"Ready"} else SoundHealth.LOADING)


@contextmanager
def _without_decoders() -> Iterator[None]:
    """Let Qt find no FFmpeg: effects need none, and it costs 12 MiB for as long as we run. Linux, where it was heard.

    Qt decides on its decoders once, with the first effect, and warns that videos cannot be played.
    """
    if sys.platform != "linux":
        yield
        return
    warnings, paths = QLoggingCategory.defaultCategory(), QCoreApplication.libraryPaths()
    heard = warnings.isWarningEnabled()
    warnings.setEnabled(QtMsgType.QtWarningMsg, False)
    QCoreApplication.setLibraryPaths([])
    try:
        yield
    finally:
        QCoreApplication.setLibraryPaths(paths)
        warnings.setEnabled(QtMsgType.QtWarningMsg, heard)
