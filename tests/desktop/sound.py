"""What comes out of the loudspeaker: records the sink's monitor and tells sound from silence; a thread of its own."""

import array
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Self

from tests.parts import need

RATE = 44_100
CHUNK = 441
"""Samples measured together: 10 ms."""

LOUD = 100.0
"""Root mean square of the samples, of 32,768, from which a chunk counts as sound."""

PAUSE = 0.2
"""How long, in seconds, a sound may pause and still be the same sound."""


class Listener:
    """Hears from the beginning of the `with` block to its end; times are of time.monotonic()."""

    def __init__(self, environment: Mapping[str, str], device: str) -> None:
        self._environment = environment
        self._command = [
            *(str(need("parec")), f"--device={device}", "--raw", "--latency-msec=5"),
            *("--format=s16le", f"--rate={RATE}", "--channels=1"),
        ]
        self._news = threading.Condition()
        self._first_at: float | None = None
        self._read_at = 0.0
        self._began_at: float | None = None
        self._loud_at: float | None = None
        self._ended = False

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, env=self._environment, stdout=subprocess.PIPE)
        self._thread = threading.Thread(target=self._listen, name="desktop-listener", daemon=True)
        self._thread.start()
        self._wait(lambda: self._first_at, 5, "the recording's beginning")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()

    @property
    def is_sounding(self) -> bool:
        """Tell whether there is sound now, or was a moment ago."""
        with self._news:
            return self._sounding()

    def wait_for_sound(self, seconds: float = 5) -> float:
        """Return when the sound that is heard now began; wait for one that long."""
        return self._wait(lambda: self._began_at if self._sounding() else None, seconds, "sound")

    def wait_for_silence(self, seconds: float = 5, hold: float = 1.0) -> float:
        """Return when the last sound ended, once there was silence for `hold` seconds: longer than a tune's pauses."""
        return self._wait(lambda: self._silent_since(hold), seconds, f"{hold} s of silence")

    def _sounding(self) -> bool:
        return self._loud_at is not None and self._read_at - self._loud_at < PAUSE

    def _silent_since(self, hold: float) -> float | None:
        since = self._first_at if self._loud_at is None else self._loud_at
        return since if since is not None and self._read_at - since >= hold else None

    def _wait(self, answer: Callable[[], float | None], seconds: float, what: str) -> float:
        with self._news:
            self._news.wait_for(lambda: self._ended or answer() is not None, seconds)
            found = answer()
        if found is None:
            raise AssertionError(f"{what}: not within {seconds} s" + (", the recording ended" if self._ended else ""))
        return found

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        with stream:
            while chunk := stream.read(2 * CHUNK):
                self._note(loudness(chunk) >= LOUD)
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _note(self, loud: bool) -> None:
        with self._news:
            self._read_at = time.monotonic()
            self._first_at = self._first_at or self._read_at
            if loud:
                if not self._sounding():
                    self._began_at = self._read_at
                self._loud_at = self._read_at
            self._news.notify_all()


def loudness(chunk: bytes) -> float:
    """Return the root mean square of 16-bit little-endian samples, of 32,768."""
    samples = array.array("h", chunk[: len(chunk) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return math.sqrt(sum(sample * sample for sample in samples) / max(1, len(samples)))
