from datetime import timedelta

import pytest

from desktop.ui.clock import next_tick
from desktop.ui.drain import Drain
from tools import look_samples as sample


def test_the_ring_is_full_when_set_and_empty_when_due() -> None:
    drain = Drain()
    page = sample.page(created_at=sample.NOW, pending=sample.escalating(timedelta(minutes=15)))
    drain.follow((page,), sample.NOW)
    assert drain.fraction(page, sample.NOW) == 1.0
    assert drain.fraction(page, sample.NOW + timedelta(minutes=12)) == pytest.approx(0.2)
    assert drain.fraction(page, sample.NOW + timedelta(minutes=16)) == 0.0


def test_the_ring_is_full_again_when_the_escalation_is_set_anew() -> None:
    drain = Drain()
    first = sample.page(pending=sample.escalating(timedelta(seconds=1)))
    drain.follow((first,), sample.NOW)
    later = sample.NOW + timedelta(seconds=1)
    second = sample.page(pending=sample.escalating(timedelta(seconds=901)))
    drain.follow((second,), later)
    assert drain.fraction(second, later) == 1.0
    drain.follow((second,), later + timedelta(seconds=90))
    assert drain.fraction(second, later + timedelta(seconds=450)) == pytest.approx(0.5)


def test_the_servers_clock_counts() -> None:
    """The server is two minutes ahead: what is due at its 03:29 is due here at 03:27."""
    drain = Drain()
    offset = timedelta(minutes=2)
    page = sample.page(created_at=sample.NOW + offset, pending=sample.escalating(timedelta(minutes=12)))
    ahead = type(page)(page.connection, page.connection_name, page.incident, page.on_call, page.me, offset=offset)
    drain.follow((ahead,), sample.NOW)
    assert drain.fraction(ahead, sample.NOW) == 1.0
    assert drain.fraction(ahead, sample.NOW + timedelta(minutes=5)) == pytest.approx(0.5)


def test_nothing_pending_is_an_empty_ring_and_is_forgotten() -> None:
    drain = Drain()
    page = sample.page(pending=())
    drain.follow((page,), sample.NOW)
    assert drain.fraction(page, sample.NOW) == 0.0


def test_ticks_are_rare_until_the_last_ten_seconds() -> None:
    assert next_tick(None) == 1000
    assert next_tick(timedelta(seconds=-3)) == 1000
    assert next_tick(timedelta(seconds=9)) == 250
    assert next_tick(timedelta(seconds=60, milliseconds=400)) == 405
    assert 5 <= next_tick(timedelta(minutes=14)) <= 1005
