"""The ladder of channels: when a page leaves the tray application for a person's other addresses."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.ladder import BETWEEN, CONFIRMED_WITHIN, UNTOUCHED, Climb, Rung, has_ladder, next_rung
from desktop.domain.severity import Severity

T0 = datetime(2026, 1, 7, 3, 0, tzinfo=UTC)
PAGED = Climb(T0)
LADDER = ("chat", "mail", "phone")


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def test_without_a_stream_the_first_address_is_due_at_once() -> None:
    assert next_rung(LADDER, PAGED, T0, live=False) == Rung("chat", after(60))


def test_with_a_stream_it_has_thirty_seconds_to_confirm() -> None:
    assert next_rung(LADDER, PAGED, T0, live=True) == Rung(None, after(30))
    assert next_rung(LADDER, PAGED, after(29.9), live=True) == Rung(None, after(30))
    assert next_rung(LADDER, PAGED, after(30), live=True) == Rung("chat", after(90))


def test_a_stream_that_is_lost_before_it_confirmed_is_none() -> None:
    assert next_rung(LADDER, PAGED, after(10), live=False).address == "chat"


@pytest.mark.parametrize("live", [True, False])
def test_displayed_it_waits_two_minutes_from_the_page(live: bool) -> None:
    shown = replace(PAGED, displayed_at=after(30))
    assert next_rung(LADDER, shown, after(119), live=live) == Rung(None, after(120))
    assert next_rung(LADDER, shown, after(120), live=live) == Rung("chat", after(180))


def test_confirmed_too_late_is_not_confirmed() -> None:
    assert next_rung(LADDER, replace(PAGED, displayed_at=after(30.1)), after(31), live=True).address == "chat"


def test_whoever_is_at_the_keyboard_needs_no_other_channel() -> None:
    there = replace(PAGED, displayed_at=after(1), input_at=after(100))
    assert next_rung(LADDER, there, after(120), live=True) == Rung()


def test_input_without_a_page_on_the_screen_says_nothing() -> None:
    assert next_rung(LADDER, replace(PAGED, input_at=after(5)), after(30), live=True).address == "chat"


def test_once_begun_it_goes_on_whatever_the_application_confirms() -> None:
    begun = Climb(T0, ("chat",), after(0), displayed_at=after(5), input_at=after(6))
    assert next_rung(LADDER, begun, after(59), live=True) == Rung(None, after(60))
    assert next_rung(LADDER, begun, after(60), live=True) == Rung("mail", after(120))


def test_the_last_address_is_the_end() -> None:
    assert next_rung(LADDER, Climb(T0, ("chat", "mail"), after(60)), after(120), live=False) == Rung("phone", None)
    assert next_rung(LADDER, Climb(T0, LADDER, after(120)), after(500), live=False) == Rung()


@pytest.mark.parametrize("live", [True, False])
def test_without_an_address_an_application_has_thirty_seconds_then_nobody_was_reached(live: bool) -> None:
    assert next_rung((), PAGED, after(29.9), live=live) == Rung(look_at=after(30))
    assert next_rung((), PAGED, after(30), live=live) == Rung(unreached=True)


@pytest.mark.parametrize("at", [1, 400])
def test_whoever_was_shown_it_at_any_time_was_reached(at: float) -> None:
    shown = replace(PAGED, displayed_at=after(at))
    assert next_rung((), shown, after(500), live=False) == Rung()
    assert next_rung((), shown, after(20), live=True) == Rung()
    failed = replace(shown, used=LADDER, climbed_at=after(2), failed=frozenset(LADDER))
    assert next_rung(LADDER, failed, after(500), live=True) == Rung()


def test_nobody_was_reached_only_when_every_address_failed() -> None:
    top = Climb(T0, LADDER, after(2))
    for failed in ((), ("phone",), ("chat", "mail")):
        assert next_rung(LADDER, replace(top, failed=frozenset(failed)), after(500), live=False) == Rung()
    every = replace(top, failed=frozenset(LADDER))
    assert next_rung(LADDER, every, after(29), live=False) == Rung(look_at=after(30))
    assert next_rung(LADDER, every, after(30), live=False) == Rung(unreached=True)


@pytest.mark.parametrize("used", [(), LADDER])
def test_behind_other_pages_on_the_screen_it_is_looked_at_again_later(used: tuple[str, ...]) -> None:
    behind = replace(PAGED, used=used, failed=frozenset(used))
    assert next_rung(used, behind, after(29), live=True, showing=True) == Rung(look_at=after(30))
    assert next_rung(used, behind, after(30), live=True, showing=True) == Rung(look_at=after(150))
    assert next_rung(LADDER, PAGED, after(30), live=True, showing=True) == Rung("chat", after(90))


def test_an_address_that_is_not_the_team_s_any_more_reached_somebody_too() -> None:
    assert next_rung((), Climb(T0, ("chat",), T0), after(500), live=False) == Rung()


def test_what_failed_for_good_is_not_waited_for() -> None:
    refused = Climb(T0, ("chat",), after(1), failed=frozenset({"chat"}))
    assert next_rung(LADDER, refused, after(2), live=True) == Rung("mail", after(62))
    # A look that was late is no reason to wait, nor is a clock that went back a reason to be early.
    assert next_rung(LADDER, refused, after(0), live=True) == Rung(look_at=after(1))


def test_only_the_last_one_s_failure_counts() -> None:
    one = Climb(T0, ("chat", "mail"), after(10), failed=frozenset({"chat"}))
    assert next_rung(LADDER, one, after(69), live=False) == Rung(look_at=after(70))
    assert next_rung(LADDER, replace(one, failed=frozenset({"mail"})), after(11), live=False).address == "phone"


def test_an_address_that_was_taken_out_skips_none_of_the_others() -> None:
    assert next_rung(("mail", "phone"), Climb(T0, ("chat",), T0), after(60), live=False).address == "mail"


def test_only_sev3_has_no_ladder() -> None:
    assert [has_ladder(severity) for severity in Severity] == [True, True, True, False]


LADDERS = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6)
SECONDS = st.integers(0, 400)
LOOKS = st.lists(st.tuples(st.integers(0, 120), st.booleans()), max_size=30)


def walk(addresses: Sequence[str], climb: Climb, looks: Sequence[tuple[int, bool]]) -> list[tuple[datetime, str]]:
    """Look as often and as late as ``looks`` say, and whenever something is due; return what was sent when."""
    now, sent = T0, []
    for wait, live in looks:
        rung = next_rung(addresses, climb, now, live=live)
        if rung.address is not None:
            sent.append((now, rung.address))
            climb = replace(climb, used=(*climb.used, rung.address), climbed_at=now)
        now += timedelta(seconds=wait)
    return sent


@given(LADDERS, LOOKS, st.none() | SECONDS, st.none() | SECONDS)
def test_each_address_once_in_order_a_minute_apart(
    addresses: list[str], looks: list[tuple[int, bool]], shown: int | None, touched: int | None
) -> None:
    climb = Climb(
        T0,
        displayed_at=None if shown is None else after(shown),
        input_at=None if touched is None else after(touched),
    )
    sent = walk(addresses, climb, looks)
    assert [address for _, address in sent] == addresses[: len(sent)]
    assert all(later - earlier >= BETWEEN for (earlier, _), (later, _) in itertools.pairwise(sent))
    if shown is not None and shown <= 30:
        assert all(at - T0 >= UNTOUCHED for at, _ in sent)
        assert touched is None or not sent


@given(LADDERS, SECONDS, st.booleans(), st.none() | SECONDS, st.none() | SECONDS)
def test_whoever_looks_when_told_finds_something_due(
    addresses: list[str], seconds: int, live: bool, shown: int | None, touched: int | None
) -> None:
    climb = Climb(
        T0,
        displayed_at=None if shown is None else after(shown),
        input_at=None if touched is None else after(touched),
    )
    rung = next_rung(addresses, climb, after(seconds), live=live)
    if rung.address is None and rung.look_at is not None:
        assert rung.look_at > after(seconds)
        found = next_rung(addresses, climb, rung.look_at, live=live)
        assert found.address == addresses[0] if addresses else found.unreached


@given(LADDERS.filter(bool), st.booleans(), st.none() | SECONDS)
def test_nobody_waits_for_ever_but_who_touched_it(addresses: list[str], live: bool, shown: int | None) -> None:
    climb = Climb(T0, displayed_at=None if shown is None else after(shown))
    rung = next_rung(addresses, climb, T0 + max(UNTOUCHED, CONFIRMED_WITHIN), live=live)
    assert rung.address == addresses[0]
