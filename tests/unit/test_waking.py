"""Waking up, found once though two tell of it; and what came and went meanwhile."""

from datetime import timedelta

import pytest

from desktop.domain.incident import Status
from desktop.domain.meanwhile import came_and_went, sentence
from desktop.domain.severity import Severity
from desktop.domain.waking import Gap, Waking
from tests.fakes.backend import T0, incident

MORNING = T0 + timedelta(hours=8)
SOON = timedelta(seconds=2)


@pytest.fixture
def waking() -> Waking:
    """Ticked at T0, and asleep 5 s later."""
    made = Waking()
    assert made.tick(T0, jumped=False) is None
    return made


def test_the_clock_alone_tells(waking: Waking) -> None:
    assert waking.tick(MORNING, jumped=True) == Gap(T0, MORNING)
    assert waking.tick(MORNING + SOON, jumped=False) is None


def test_two_jumps_in_a_row_are_two(waking: Waking) -> None:
    assert waking.tick(MORNING, jumped=True) == Gap(T0, MORNING)
    later = MORNING + timedelta(hours=1)
    assert waking.tick(later, jumped=True) == Gap(MORNING, later)


def test_both_tell_and_it_is_found_once_whichever_comes_first(waking: Waking) -> None:
    asleep = T0 + timedelta(seconds=5)
    waking.sleeping(asleep)
    assert waking.woke(MORNING) == Gap(asleep, MORNING)
    assert waking.tick(MORNING + SOON, jumped=True) is None
    # The next night the clock is first.
    night = MORNING + timedelta(hours=15)
    waking.tick(night, jumped=False)
    waking.sleeping(night + SOON)
    woke = night + timedelta(hours=8)
    assert waking.tick(woke, jumped=True) == Gap(night, woke)
    assert waking.woke(woke + SOON) is None


def test_both_at_one_instant_are_one_waking(waking: Waking) -> None:
    assert waking.woke(MORNING) == Gap(T0, MORNING)
    assert waking.tick(MORNING, jumped=True) is None
    assert waking.woke(MORNING) is None


def test_the_systems_word_alone_comes_after_a_clock_that_told(waking: Waking) -> None:
    assert waking.tick(MORNING, jumped=True) == Gap(T0, MORNING)
    assert waking.woke(MORNING + SOON) is None


def test_two_short_sleeps_are_two(waking: Waking) -> None:
    at = T0
    for _ in range(3):
        waking.sleeping(at)
        at += timedelta(seconds=25)
        assert waking.woke(at) == Gap(at - timedelta(seconds=25), at)
        at += SOON
        assert waking.tick(at, jumped=True) is None


def test_after_a_sleep_that_was_told_the_clock_is_still_heard(waking: Waking) -> None:
    waking.sleeping(T0)
    waking.woke(MORNING)
    waking.tick(MORNING + SOON, jumped=True)
    later = MORNING + timedelta(hours=1)
    assert waking.tick(later, jumped=True) == Gap(MORNING + SOON, later)


def test_a_clock_that_was_set_back_leaves_no_time_in_between(waking: Waking) -> None:
    back = T0 - timedelta(hours=1)
    assert waking.tick(back, jumped=True) == Gap(back, back)


def test_waking_without_having_said_so_before(waking: Waking) -> None:
    assert waking.woke(MORNING) == Gap(T0, MORNING)
    assert Waking().woke(T0) == Gap(T0, T0)


def test_what_came_and_went_is_what_was_opened_meanwhile_and_is_over() -> None:
    def at(number: int, hours: float, **changes: object) -> None:
        them.append(incident(f"I{number}", created_at=T0 + timedelta(hours=hours), **changes))

    them: list = []  # type: ignore[type-arg]
    at(1, -1, status=Status.RESOLVED)
    at(2, 1, status=Status.RESOLVED, severity=Severity.SEV2)
    at(3, 2, status=Status.RESOLVED)
    at(4, 3)
    at(5, 9, status=Status.RESOLVED)
    assert [i.id for i in came_and_went(them, T0, MORNING)] == ["I3", "I2"]
    # From the first instant to the last.
    two = them[2].created_at
    assert [i.id for i in came_and_went(them, two, two)] == ["I3"]


def test_it_is_said_in_one_sentence() -> None:
    gone = [incident(f"I{n}", title="Disk full\n" * 40) for n in range(5)]
    said = sentence(gone, "While this machine slept")
    assert said.startswith("While this machine slept, 5 incidents came and went: SEV-0 Disk full")
    assert said.endswith("; 2 more.")
    assert "more" not in sentence(gone[:3], "While this machine slept")
    assert "\n" not in said
    assert sentence(gone[:1], "While Watchbell was not running").startswith(
        "While Watchbell was not running, an incident came and went: SEV-0"
    )
