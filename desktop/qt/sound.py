"""Plays the bundled sounds through QtMultimedia, with every effect loaded beforehand. GUI thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, QUrl, Signal, Slot

from desktop.domain.attention import Sound

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QMediaDevices, QSoundEffect

# Cutting a wave short clicks; 3 steps of 12 ms fade it out unheard.
_FADE_STEPS = (0.5, 0.15, 0.0)
_FADE_MS = 12


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
        self._effects: dict[Sound, QSoundEffect] = {}
        self._devices: QMediaDevices | None = None
        self._volume = 1.0
        self._playing: Sound | None = None
        self._loop = False
        self._fade: list[float] = []
        self._fader = QTimer(self)
        self._fader.setInterval(_FADE_MS)
        self._fader.timeout.connect(self._fade_on)
        self._state = SoundState(SoundHealth.LOADING)
        self._missing = self._load(files)
        self._state = self._judge()

    def _load(self, files: Mapping[Sound, Path]) -> str:
        """Load every file; return why QtMultimedia cannot be used, else an empty text."""
        try:
            from PySide6.QtMultimedia import QMediaDevices, QSoundEffect  # noqa: PLC0415 - needs libpulse at run time
        except ImportError as error:
            return str(error)
        self._devices = QMediaDevices(self)
        self._devices.audioOutputsChanged.connect(self._devices_changed)
        for sound, path in files.items():
            effect = QSoundEffect(self)
            effect.statusChanged.connect(self._refresh)
            effect.playingChanged.connect(self._playing_changed)
            effect.setSource(QUrl.fromLocalFile(str(path)))
            self._effects[sound] = effect
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
        if self._playing is sound and loop and self._loop:
            return
        self._silence_now()
        self._playing, self._loop = sound, loop
        self._start()

    def stop(self) -> None:
        """Fade out and stop."""
        if self._playing is None:
            return
        self._fade = list(_FADE_STEPS)
        self._fader.start()

    def set_volume(self, volume: float) -> None:
        """Set how loud: 0.0 to 1.0."""
        self._volume = min(max(volume, 0.0), 1.0)
        for effect in self._effects.values():
            effect.setVolume(self._volume)

    def _start(self) -> None:
        effect = self._effects.get(self._playing) if self._playing is not None else None
        if effect is None:
            return
        effect.setVolume(self._volume)
        effect.setLoopCount(-2 if self._loop else 1)  # QSoundEffect.Loop.Infinite is -2
        effect.play()

    def _silence_now(self) -> None:
        self._fader.stop()
        self._fade = []
        if self._playing is not None and self._playing in self._effects:
            playing = self._effects[self._playing]
            self._playing = None
            playing.stop()
        self._playing = None

    @Slot()
    def _fade_on(self) -> None:
        if not self._fade or self._playing not in self._effects:
            self._silence_now()
            return
        effect = self._effects[self._playing]
        effect.setVolume(self._volume * self._fade.pop(0))

    @Slot()
    def _playing_changed(self) -> None:
        if self._playing is None or self._loop or self._playing not in self._effects:
            return
        if not self._effects[self._playing].isPlaying():
            self._playing = None

    @Slot()
    def _devices_changed(self) -> None:
        """Move to the present default output, and go on there with what should be heard."""
        if self._devices is not None:
            for effect in self._effects.values():
                effect.setAudioDevice(self._devices.defaultAudioOutput())
        if self._playing is not None and self._loop:
            self._start()
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        state = self._judge()
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _judge(self) -> SoundState:
        if self._devices is None:
            text = f"Sounds need the PulseAudio client library (libpulse0): {self._missing[:200]}"
            return SoundState(SoundHealth.NO_LIBRARY, text)
        if not self._devices.audioOutputs():
            return SoundState(SoundHealth.NO_DEVICE, "This machine has no sound output: pages are shown but not heard")
        statuses = {e.status() for e in self._effects.values()}
        names = {s.name for s in statuses}
        if "Error" in names:
            return SoundState(SoundHealth.ERROR, "A sound file cannot be played: reinstall Watchbell")
        return SoundState(SoundHealth.READY if names <= {"Ready"} else SoundHealth.LOADING)
