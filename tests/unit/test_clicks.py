"""Clicks that waited: sent late, they must not answer a page that nobody has seen."""

from dataclasses import replace
from datetime import timedelta

import pytest

from desktop.domain.attention import Command
from desktop.domain.clicks import TRUSTED_FOR, Click, Moment, aged, behind, done, overtaken, set_back
from desktop.domain.incident import Acknowledgement, Person, Status
from tests.fakes.backend import ANA, T0, incident

BEN = Person("ben", "Ben Okafor")
OPEN = replace(incident("I1"), pages=2)
BY_ANA = replace(OPEN, status=Status.ACKNOWLEDGED, acknowledgements=(Acknowledgement(ANA, T0),))
BY_BEN = replace(OPEN, status=Status.ACKNOWLEDGED, acknowledgements=(Acknowledgement(BEN, T0),))
RESOLVED = replace(OPEN, status=Status.RESOLVED)
ACK, RESOLVE = Command.ACKNOWLEDGE, Command.RESOLVE


@pytest.mark.parametrize(
    ("command", "found", "expected"),
    [(ACK, OPEN, False), (ACK, BY_ANA, True), (ACK, BY_BEN, False), (ACK, RESOLVED, True),
     (RESOLVE, OPEN, False), (RESOLVE, BY_ANA, False), (RESOLVE, RESOLVED, True)],
)  # fmt: skip
def test_what_is_so_already_is_not_asked_for_again(command: Command, found: object, expected: bool) -> None:
    assert done(Click(command, T0, 2), found, "ana") is expected  # type: ignore[arg-type]


class TestWhereTheBackendCountsPages:
    @pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=31), timedelta(days=3)])
    def test_the_same_page_is_still_meant_however_late(self, later: timedelta) -> None:
        assert overtaken(Click(ACK, T0, 2), OPEN, T0 + later) == ""

    def test_one_page_is_counted_too(self) -> None:
        assert overtaken(Click(ACK, T0, 1), replace(OPEN, pages=1), T0 + timedelta(days=3)) == ""

    def test_a_click_is_not_taken_for_an_earlier_page_either(self) -> None:
        assert overtaken(Click(ACK, T0, 3), OPEN, T0) == ""

    def test_a_page_that_came_after_the_click_was_not_seen(self) -> None:
        assert overtaken(Click(ACK, T0, 1), OPEN, T0) == (
            "Your acknowledgement did not get through in time, and it has paged again since: "
            "click again if it still holds."
        )
        assert overtaken(Click(RESOLVE, T0, 1), OPEN, T0).startswith("Your resolution did not get through in time")


class TestWhereItDoesNot:
    @pytest.mark.parametrize(("then", "now"), [(0, 2), (2, 0), (0, 0)])
    def test_a_click_is_trusted_for_a_while(self, then: int, now: int) -> None:
        click, found = Click(ACK, T0, then), replace(OPEN, pages=now)
        assert overtaken(click, found, T0 + TRUSTED_FOR) == ""
        assert overtaken(click, found, T0 + TRUSTED_FOR + timedelta(microseconds=1)) == (
            "Your acknowledgement did not get through in time, and it may have paged again since: "
            "click again if it still holds."
        )

    def test_for_as_long_as_pagerduty_lets_an_acknowledgement_hold(self) -> None:
        assert timedelta(minutes=30) == TRUSTED_FOR


class TestWhenTheClockIsSetBack:
    """An age by the wall clock alone would be too young, and a click be trusted for too long."""

    HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)

    @pytest.mark.parametrize(
        ("wall", "steady", "expected"),
        [(60, 60.0, 0), (0, 60.0, 60), (-3600, 60.0, 3660), (60.5, 61.0, 0), (3600, 60.0, 0), (28_800, 1.0, 0)],
    )
    def test_it_is_told_from_sleep_and_from_time_that_passed(self, wall: float, steady: float, expected: int) -> None:
        now = Moment(T0 + timedelta(seconds=wall), 5.0 + steady)
        assert set_back(Moment(T0, 5.0), now) == timedelta(seconds=expected)

    def test_a_click_keeps_its_age(self) -> None:
        click = aged(Click(ACK, T0), self.HOUR)
        set_back_to = T0 + 25 * self.MINUTE - self.HOUR
        assert overtaken(click, replace(OPEN, pages=0), set_back_to) == ""
        assert overtaken(click, replace(OPEN, pages=0), set_back_to + 6 * self.MINUTE) != ""

    def test_what_was_seen_later_than_now_tells_of_it_after_a_start(self) -> None:
        assert behind(T0, [T0 - self.HOUR, T0 + self.HOUR]) == self.HOUR
        assert behind(T0, [T0 - self.HOUR]) == timedelta(0)
        assert behind(T0, []) == timedelta(0)
