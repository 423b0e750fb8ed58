import io
import itertools
import wave

import pytest

from desktop.domain.attention import Sound
from desktop.system.resources import resource
from tools.make_sounds import RATE, sounds

MADE = dict(sounds())


def samples(name: str) -> list[int]:
    with wave.open(io.BytesIO(MADE[name])) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        data = file.readframes(file.getnframes())
    return [int.from_bytes(data[i : i + 2], "little", signed=True) for i in range(0, len(data), 2)]


def test_every_sound_is_made() -> None:
    assert set(MADE) == {f"{sound.value}.wav" for sound in Sound}


@pytest.mark.parametrize("name", MADE)
def test_what_is_bundled_is_what_is_made(name: str) -> None:
    assert resource(f"sounds/{name}").read_bytes() == MADE[name]
    assert len(MADE[name]) < 300_000


@pytest.mark.parametrize("name", MADE)
def test_a_loop_has_no_seam(name: str) -> None:
    wave_ = samples(name)
    steps = [abs(b - a) for a, b in itertools.pairwise(wave_)]
    assert abs(wave_[0] - wave_[-1]) <= max(steps)
    # Neither does the slope jump: the curve goes on as it ended.
    bend = abs((wave_[1] - wave_[0]) - (wave_[0] - wave_[-1]))
    bends = [abs(c - 2 * b + a) for a, b, c in zip(wave_, wave_[1:], wave_[2:], strict=False)]
    assert bend <= max(bends)


@pytest.mark.parametrize("name", MADE)
def test_loud_enough_to_wake_and_never_clipped(name: str) -> None:
    peak = max(abs(s) for s in samples(name))
    assert 0.4 * 32_767 <= peak <= 0.95 * 32_767


def test_a_missing_file_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"sounds/none\.wav"):
        resource("sounds/none.wav")
