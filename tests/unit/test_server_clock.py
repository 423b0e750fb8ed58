from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.server_clock import DATE_STEP, KEPT, SLACK, Reading, better, reading

T0 = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def test_the_servers_clock_was_read_somewhere_within_the_round_trip() -> None:
    read = reading(T0 + HOUR, T0 + SECOND, 2.0, 10.0)
    assert read == Reading(HOUR, SECOND, 10.0)


def test_a_date_is_cut_off_to_the_second() -> None:
    assert reading(T0, T0, 0.0, 0.0, DATE_STEP) == Reading(SECOND / 2, SECOND / 2, 0.0)


seconds = st.floats(0, 10, allow_nan=False)


@given(ahead=st.integers(-10_000, 10_000), there=seconds, back=seconds, step=st.sampled_from([timedelta(0), DATE_STEP]))
def test_the_truth_lies_within_the_doubt(ahead: int, there: float, back: float, step: timedelta) -> None:
    """However the round trip divides into the way there and the way back."""
    offset = timedelta(seconds=ahead)
    shown = T0 + timedelta(seconds=there) + offset
    if step:
        shown = shown.replace(microsecond=0)
    read = reading(shown, T0 + timedelta(seconds=there + back), there + back, 0.0, step)
    assert abs(read.offset - offset) <= read.doubt + timedelta(milliseconds=1)


def test_the_shortest_round_trip_wins() -> None:
    good = reading(T0 + HOUR, T0, 0.02, 0.0)
    slow = reading(T0 + HOUR - SECOND, T0, 3.0, 7.0)
    assert better(good, slow) is good
    assert better(slow, good) is good
    assert better(None, slow) is slow
    assert better(slow, None) is slow
    assert better(None, None) is None


def test_an_equally_good_reading_is_taken_when_it_is_newer() -> None:
    old, new = reading(T0, T0, 0.1, 0.0), reading(T0, T0, 0.1, 7.0)
    assert better(old, new) is new


def test_a_good_reading_grows_old() -> None:
    good = reading(T0, T0, 0.02, 0.0)
    assert better(good, late := reading(T0, T0, 1.0, KEPT + 1)) is late
    assert better(good, soon := reading(T0, T0, 1.0, KEPT)) is not soon
    # What counts is how long ago it was read, not since when this machine runs.
    later = replace(good, at=KEPT)
    assert better(later, again := reading(T0, T0, 1.0, KEPT + 1)) is not again


def test_readings_that_their_doubts_explain_are_not_apart() -> None:
    good = Reading(timedelta(0), SECOND, 0.0)
    far = 3 * SECOND + SLACK
    assert better(good, Reading(far, 2 * SECOND, 1.0)) is good
    assert better(good, beyond := Reading(far + timedelta(microseconds=1), 2 * SECOND, 1.0)) is beyond


def test_a_jump_of_either_clock_is_believed_at_once() -> None:
    good = reading(T0, T0, 0.02, 0.0)
    for told, heard in ((T0 + HOUR, T0), (T0, T0 + HOUR)):
        jumped = reading(told, heard, 3.0, 7.0)
        assert better(good, jumped) is jumped


def test_what_a_slow_answer_cannot_tell_is_no_jump() -> None:
    good = reading(T0, T0, 0.02, 0.0)
    assert better(good, reading(T0 - SECOND / 2, T0, 2.0, 7.0)) is good
