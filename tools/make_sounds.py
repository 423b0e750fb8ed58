"""Makes the bundled sounds, byte for byte the same each time: ``tools/make_sounds.py [FOLDER]``.

Every sound begins and ends on a zero crossing of equal slope or in silence, so a loop has no seam to hear.
"""

import io
import struct
import sys
import wave
from collections.abc import Callable, Iterator
from math import cos, exp, pi, sin
from pathlib import Path

RATE = 44_100
FOLDER = Path(__file__).resolve().parent.parent / "resources" / "sounds"


def siren() -> list[float]:
    """Return a two-second wail, 640 to 1280 Hz and back, twice; its phase closes on whole turns."""
    count, turns = 2 * RATE, 0.0
    steps = [960 - 320 * cos(2 * pi * 2 * i / count) for i in range(count)]
    whole = round(sum(steps) / RATE) / (sum(steps) / RATE)
    samples = []
    for step in steps:
        samples.append(0.62 * sin(turns) + 0.16 * sin(2 * turns) + 0.10 * sin(3 * turns))
        turns += 2 * pi * step * whole / RATE
    return samples


def ring() -> list[float]:
    """Return two trilled strokes of a telephone bell, then a breath: 2.4 s."""
    return _placed(2.4, [(0.0, _trill(0.45)), (0.6, _trill(0.45))])


def chime() -> list[float]:
    """Return two struck bars, E5 and B5, dying away: 1.6 s."""
    return _placed(1.6, [(0.0, _bar(659.25, 1.5)), (0.18, _bar(987.77, 1.4))])


def lost() -> list[float]:
    """Return three falling hollow tones, then a breath: 2.6 s; nothing like a page."""
    tones = [(0.0, 622.25), (0.32, 466.16), (0.64, 349.23)]
    return _placed(2.6, [(at, _hollow(pitch, 0.28)) for at, pitch in tones])


def _trill(seconds: float) -> list[float]:
    def wave_at(t: float) -> float:
        beat = 0.5 - 0.5 * cos(2 * pi * 22 * t)
        return (0.3 + 0.7 * beat) * (0.40 * sin(2 * pi * 1046.5 * t) + 0.34 * sin(2 * pi * 1318.5 * t))

    return _shaped(seconds, wave_at, fade=0.012)


def _bar(pitch: float, seconds: float) -> list[float]:
    # A struck bar's overtones lie at 2.76 and 5.40 of its pitch and die sooner.
    def wave_at(t: float) -> float:
        low = 0.34 * exp(-3.2 * t) * sin(2 * pi * pitch * t)
        return (
            low
            + 0.10 * exp(-7 * t) * sin(2 * pi * 2.76 * pitch * t)
            + 0.04 * exp(-14 * t) * sin(2 * pi * 5.4 * pitch * t)
        )

    return _shaped(seconds, wave_at, fade=0.004)


def _hollow(pitch: float, seconds: float) -> list[float]:
    def wave_at(t: float) -> float:
        return 0.46 * sin(2 * pi * pitch * t) + 0.20 * sin(6 * pi * pitch * t) + 0.07 * sin(10 * pi * pitch * t)

    return _shaped(seconds, wave_at, fade=0.02)


def _shaped(seconds: float, wave_at: Callable[[float], float], fade: float) -> list[float]:
    """Return ``wave_at`` over ``seconds``, raised from and lowered to nothing within ``fade`` seconds."""
    count, edge = round(seconds * RATE), round(fade * RATE)

    def gain(i: int) -> float:
        nearest = min(i, count - 1 - i)
        return 1.0 if nearest >= edge else 0.5 - 0.5 * cos(pi * nearest / edge)

    return [gain(i) * wave_at(i / RATE) for i in range(count)]


def _placed(seconds: float, parts: list[tuple[float, list[float]]]) -> list[float]:
    """Return ``seconds`` of silence with each of ``parts`` added from its time on."""
    mixed = [0.0] * round(seconds * RATE)
    for at, samples in parts:
        start = round(at * RATE)
        for i, sample in enumerate(samples[: len(mixed) - start]):
            mixed[start + i] += sample
    return mixed


def encoded(samples: list[float]) -> bytes:
    """Return ``samples`` (-1 to 1) as a WAV file: mono, 16 bits, 44.1 kHz."""
    # Rounded coarsely first: the last bit of sin() may differ between C libraries.
    data = struct.pack(f"<{len(samples)}h", *(round(round(s, 9) * 32_000) for s in samples))
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(data)
    return file.getvalue()


def sounds() -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each sound file."""
    for name, make in (("siren", siren), ("ring", ring), ("chime", chime), ("lost", lost)):
        yield f"{name}.wav", encoded(make())


def main(argv: list[str]) -> int:
    """Write the files."""
    folder = Path(argv[1]) if len(argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in sounds():
        (folder / name).write_bytes(data)
        print(f"{folder / name}: {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
