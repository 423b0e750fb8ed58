"""One duty: what its marks make of it in whatever order they come, and the edges of the hours without reminders."""

from datetime import UTC, datetime, time, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest

from desktop.domain.duty import NIGHT, Act, Duty, Kind, Mark, Quiet, Standing, State, remind_at, reminder_due, stand
from desktop.domain.errors import InputError
from tests.unit.teams import utc, wall

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
OPENS = utc("2026-01-13 17:00")
LATE = utc("2026-01-13 20:00")
HOUR = timedelta(hours=1)
DUTY = Duty("check-in/2026-01-13", Kind.CHECK_IN, ("ben",), OPENS, OPENS, LATE, ("dashboards", "alerts"))


def tick(point: int, at: datetime, by: str = "ben") -> Mark:
    return Mark(DUTY.id, Act.TICK, by, at, point=point)


def sign(by: str, at: datetime) -> Mark:
    return Mark(DUTY.id, Act.SIGN, by, at)


def waive(by: str, at: datetime, reason: str) -> Mark:
    return Mark(DUTY.id, Act.WAIVE, by, at, reason=reason)


def test_a_waiver_without_a_reason_is_told_what_is_missing() -> None:
    with pytest.raises(InputError, match=r"^A duty is waived with a reason only: say why\.$"):
        waive("dora", OPENS, " ")


MARKS = [
    ("the first signature counts", (sign("cho", OPENS), sign("ben", OPENS + HOUR)),
     Standing(State.DONE, frozenset(), ("cho", "ben"), OPENS)),
    ("the first signature of each person counts", (sign("ben", OPENS), sign("ben", OPENS + HOUR)),
     Standing(State.DONE, frozenset(), ("ben",), OPENS)),
    ("the first tick of each point counts", (tick(1, OPENS), tick(2, OPENS + HOUR), tick(2, OPENS + 2 * HOUR)),
     Standing(State.DONE, frozenset({1, 2}), (), OPENS + HOUR)),
    ("the first waiver counts", (waive("dora", OPENS, "drill"), waive("dora", OPENS + HOUR, "fire")),
     Standing(State.WAIVED, frozenset(), (), OPENS, "drill")),
    ("what was ticked and signed is still shown once it was waived",
     (tick(1, OPENS), waive("dora", OPENS + HOUR, "drill"), sign("cho", OPENS + 2 * HOUR)),
     Standing(State.WAIVED, frozenset({1}), ("cho",), OPENS + HOUR, "drill")),
    ("ticked throughout, then signed", (tick(1, OPENS), tick(2, OPENS + HOUR), sign("ben", OPENS + 2 * HOUR)),
     Standing(State.DONE, frozenset({1, 2}), ("ben",), OPENS + HOUR)),
    ("signed, then ticked throughout", (tick(1, OPENS), sign("ben", OPENS + HOUR), tick(2, OPENS + 2 * HOUR)),
     Standing(State.DONE, frozenset({1, 2}), ("ben",), OPENS + HOUR)),
]  # fmt: skip


@pytest.mark.parametrize(("what", "marks", "expected"), MARKS, ids=[row[0] for row in MARKS])
def test_marks_count_the_same_in_any_order(what: str, marks: tuple[Mark, ...], expected: Standing) -> None:
    assert {stand(DUTY, order, LATE) for order in permutations(marks)} == {expected}


NOON = Quiet(time(12), time(13))
NEVER = Quiet(time(12), time(12))
QUIET = [
    (NIGHT, "2026-01-13 21:59:59", None),
    (NIGHT, "2026-01-13 22:00", "2026-01-14 07:00"),
    (NIGHT, "2026-01-14 00:00", "2026-01-14 07:00"),
    (NIGHT, "2026-01-14 06:59:59", "2026-01-14 07:00"),
    (NIGHT, "2026-01-14 07:00", None),
    (NOON, "2026-01-13 00:00", None),
    (NOON, "2026-01-13 11:59:59", None),
    (NOON, "2026-01-13 12:00", "2026-01-13 13:00"),
    (NOON, "2026-01-13 12:59:59", "2026-01-13 13:00"),
    (NOON, "2026-01-13 13:00", None),
    (NOON, "2026-01-13 22:00", None),
    (NEVER, "2026-01-13 11:59", None),
    (NEVER, "2026-01-13 12:00", None),
    (NEVER, "2026-01-13 12:01", None),
]


@pytest.mark.parametrize(("quiet", "at", "end"), QUIET)
def test_quiet_hours_begin_and_end_to_the_second(quiet: Quiet, at: str, end: str | None) -> None:
    asked = wall(at).replace(tzinfo=LOS_ANGELES)
    assert quiet.end_after(asked, LOS_ANGELES) == wall(end or at).replace(tzinfo=LOS_ANGELES)


@pytest.mark.parametrize("quiet", [Quiet(time(1), time(1, 30)), Quiet(time(22), time(1, 30))])
def test_quiet_hours_that_ended_do_not_begin_again_as_the_clock_goes_back(quiet: Quiet) -> None:
    first, again = utc("2026-11-01 08:15"), utc("2026-11-01 09:15")  # Both are 01:15 in Los Angeles.
    assert quiet.end_after(first, LOS_ANGELES) == utc("2026-11-01 08:30")
    assert quiet.end_after(again, LOS_ANGELES) == again


@pytest.mark.parametrize(("late", "at"), [("14:59", "07:00"), ("15:00", "07:00"), ("15:01", "15:00")])
def test_a_reminder_that_would_come_as_the_duty_is_late_comes_as_it_opens(late: str, at: str) -> None:
    opens = utc("2026-01-13 07:00")  # 23:00 in Los Angeles, where it is night until 15:00 in UTC.
    duty = DUTY._replace(opens=opens, due=opens, late=utc(f"2026-01-13 {late}"))
    assert remind_at(duty, LOS_ANGELES) == utc(f"2026-01-13 {at}")


@pytest.mark.parametrize("kind", [Kind.CHECK_IN, Kind.STATUS_PAGE])
def test_a_reminder_is_in_utc_whatever_the_duty_is_in(kind: Kind) -> None:
    duty = DUTY._replace(kind=kind, opens=OPENS.astimezone(LOS_ANGELES))
    assert remind_at(duty, LOS_ANGELES).tzinfo is UTC


# It is night in Los Angeles from 06:00 until 15:00 in UTC. The duty opens at 17:00 and is overdue from `late`.
DUE = [
    ("before it opens", Kind.CHECK_IN, "2026-01-13 20:00", "2026-01-13 16:59:59", False),
    ("as it opens", Kind.CHECK_IN, "2026-01-13 20:00", "2026-01-13 17:00", True),
    ("late, but by day", Kind.CHECK_IN, "2026-01-13 20:00", "2026-01-14 05:59:59", True),
    ("late, as the night begins", Kind.CHECK_IN, "2026-01-13 20:00", "2026-01-14 06:00", False),
    ("late, at the end of the night", Kind.CHECK_IN, "2026-01-13 20:00", "2026-01-14 14:59:59", False),
    ("late, in the morning", Kind.CHECK_IN, "2026-01-13 20:00", "2026-01-14 15:00", True),
    ("at night, when it would be overdue before the morning", Kind.CHECK_IN, "2026-01-14 12:00", "2026-01-14 08:00",
     True),
    ("at night, when it would be overdue in the morning", Kind.CHECK_IN, "2026-01-14 15:00", "2026-01-14 08:00", True),
    ("at night, when there is time after it", Kind.CHECK_IN, "2026-01-14 15:00:01", "2026-01-14 08:00", False),
    ("at night, overdue since now", Kind.CHECK_IN, "2026-01-14 08:00", "2026-01-14 08:00", False),
    ("at night, when nothing presses", Kind.CHECK_IN, None, "2026-01-14 08:00", False),
    ("at night, when others wait", Kind.STATUS_PAGE, "2026-01-13 20:00", "2026-01-14 08:00", True),
]  # fmt: skip


@pytest.mark.parametrize(("what", "kind", "late", "now", "due"), DUE, ids=[row[0] for row in DUE])
def test_a_reminder_that_is_late_wakes_nobody(what: str, kind: Kind, late: str | None, now: str, due: bool) -> None:
    duty = DUTY._replace(kind=kind, late=None if late is None else utc(late))
    assert reminder_due(duty, LOS_ANGELES, utc(now)) is due


def test_a_reminder_follows_the_quiet_hours_it_is_told() -> None:
    assert not reminder_due(DUTY._replace(late=None), LOS_ANGELES, OPENS, Quiet(time(9), time(10)))
    assert reminder_due(DUTY._replace(late=None), LOS_ANGELES, OPENS + HOUR, Quiet(time(9), time(10)))


def test_a_reminder_that_comes_as_the_duty_opens_at_night_is_due_then() -> None:
    opens = utc("2026-01-13 07:00")
    duty = DUTY._replace(opens=opens, due=opens, late=utc("2026-01-13 14:59"))
    assert reminder_due(duty, LOS_ANGELES, opens)
