"""Which of the clicks that wait is sent now."""

from datetime import timedelta

import pytest

from desktop.domain.attention import Command
from desktop.domain.clicks import Click
from desktop.domain.errors import BackendFault, SecretsUnavailable, Unreachable
from desktop.sync.backoff import Backoff
from desktop.sync.commands import Waiting
from desktop.sync.turns import AT_ONCE, Turns
from tests.fakes.backend import T0

ACK, RESOLVE = Command.ACKNOWLEDGE, Command.RESOLVE


def waits(incident: str, command: Command = ACK, after: int = 0) -> Waiting:
    return Waiting(None, incident, Click(command, T0 + timedelta(seconds=after)))


MANY = [waits(f"I{n}", after=n) for n in range(10)]


@pytest.fixture
def turns() -> Turns:
    return Turns(Backoff(first=1.0, most=4.0, draw=lambda _, most: most))


def names(chosen: list[Waiting]) -> list[str]:
    return [w.incident for w in chosen]


def test_what_is_given_now_goes_at_once_until_all_places_are_taken(turns: Turns) -> None:
    for each in MANY:
        turns.given(each.key)
    assert names(turns.begin(MANY, 0.0)) == ["I0", "I1", "I2", "I3"]
    assert AT_ONCE == 4
    assert turns.begin(MANY, 0.0) == []
    assert turns.wait(MANY, 0.0) is None
    turns.answered(MANY[1].key)
    assert names(turns.begin([MANY[0], *MANY[2:]], 0.0)) == ["I4"]


def test_each_incident_has_its_order(turns: Turns) -> None:
    both = [waits("I1"), waits("I1", RESOLVE, 1)]
    for each in both:
        turns.given(each.key)
    assert turns.begin(both, 0.0) == both[:1]
    assert turns.begin(both, 0.0) == []
    turns.answered(both[0].key)
    assert turns.begin(both[1:], 0.0) == both[1:]


def test_what_an_earlier_run_left_keeps_a_place_for_what_is_given_now(turns: Turns) -> None:
    assert names(turns.begin(MANY, 0.0)) == ["I0", "I1", "I2"]
    new = waits("new", after=99)
    turns.given(new.key)
    assert turns.begin([*MANY, new], 0.0) == [new]


@pytest.mark.parametrize("error", [Unreachable("cut"), SecretsUnavailable("locked")])
def test_a_dead_network_is_tried_by_one_at_a_time_after_a_pause_and_in_turn(turns: Turns, error: Exception) -> None:
    three, now, tried = MANY[:3], 0.0, []
    for each in turns.begin(three, now):
        turns.failed(each.key, error, now)
    for _ in range(6):
        assert turns.begin(three, now) == []
        wait = turns.wait(three, now)
        assert wait is not None
        assert wait > 0
        now += wait
        (one,) = turns.begin(three, now)
        assert turns.wait(three, now) is None
        tried.append(one.incident)
        turns.failed(one.key, error, now)
    assert tried == ["I0", "I1", "I2"] * 2


def test_a_click_that_is_given_while_all_fails_is_tried_once_at_once(turns: Turns) -> None:
    (old,) = turns.begin(MANY[:1], 0.0)
    turns.failed(old.key, Unreachable("cut"), 0.0)
    turns.given(MANY[1].key)
    assert turns.begin(MANY[:2], 0.0) == [MANY[1]]
    turns.failed(MANY[1].key, Unreachable("cut"), 0.0)
    assert turns.begin(MANY[:2], 0.0) == []


def test_an_answer_ends_the_pause_of_all_that_could_not_be_reached(turns: Turns) -> None:
    for each in turns.begin(MANY[:3], 0.0):
        turns.failed(each.key, Unreachable("cut"), 0.0)
    turns.given(MANY[5].key)
    turns.begin([MANY[5]], 0.0)
    turns.answered(MANY[5].key)
    assert names(turns.begin(MANY[:3], 0.0)) == ["I0", "I1", "I2"]


def test_a_pause_that_the_backend_asked_for_is_kept(turns: Turns) -> None:
    (one,) = turns.begin(MANY[:1], 0.0)
    turns.failed(one.key, BackendFault("429", retry_after=60.0), 0.0)
    turns.given(MANY[1].key)
    turns.begin([MANY[1]], 0.0)
    turns.answered(MANY[1].key)
    assert turns.begin(MANY[:1], 59.0) == []
    assert turns.wait(MANY[:1], 59.0) == 2.0
    assert turns.begin(MANY[:1], 61.0) == [one]


def test_nothing_that_waits_is_waited_for_for_ever(turns: Turns) -> None:
    assert turns.wait([], 0.0) is None
    assert turns.wait(MANY, 0.0) == 0.0
