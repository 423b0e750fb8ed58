from dataclasses import replace
from datetime import timedelta

from desktop.domain.incident import ActionKind, PendingAction, Status
from desktop.sync.pace import Pace, until_zero
from tests.fakes.backend import T0, incident


def test_polls_are_drawn_from_the_range_of_whoever_is_on_call_or_not() -> None:
    drawn = Pace(draw=lambda least, most: least + most)
    assert (drawn.poll(on_call=True), drawn.poll(on_call=False)) == (15.0, 90.0)


def test_the_next_countdown_is_the_first_that_is_not_over() -> None:
    pending = tuple(PendingAction(ActionKind.ESCALATE, T0 + timedelta(seconds=s)) for s in (-5, 0, 7, 90))
    waiting = incident(pending=pending)
    assert until_zero([replace(waiting, id="I2", pending=pending[3:]), waiting], T0) == 7.0
    assert until_zero([incident(pending=pending[:2])], T0) is None
    assert until_zero([replace(waiting, status=Status.RESOLVED)], T0) is None
    assert until_zero([], T0) is None
