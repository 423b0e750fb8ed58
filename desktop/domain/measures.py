"""What is measured of answers to pages: counts and sums that add up, and figures that never divide by nothing. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Measure:
    """How long something took, of many: ``within`` the target, ``late``, ``missed`` (never done), ``waiting``.

    ``ended`` are those that ended by themselves within the target, before anybody had to. ``total`` is the sum over
    those that were done, ``within`` and ``late``. Measures add up.
    """

    within: int = 0
    late: int = 0
    missed: int = 0
    waiting: int = 0
    ended: int = 0
    total: timedelta = ZERO

    def __add__(self, other: "Measure") -> "Measure":
        return Measure(
            self.within + other.within,
            self.late + other.late,
            self.missed + other.missed,
            self.waiting + other.waiting,
            self.ended + other.ended,
            self.total + other.total,
        )

    @property
    def mean(self) -> timedelta | None:
        """The mean time of those done; None when there are none. What was missed has no time, and is not fast."""
        done = self.within + self.late
        return self.total / done if done else None

    @property
    def share(self) -> float | None:
        """The share (0 to 1) within target of those that had to be done by now; None when there are none.

        Left out are those that may still make it, and those that ended by themselves in time.
        """
        return ratio(self.within, self.within + self.late + self.missed)


def measured(took: timedelta, target: timedelta) -> Measure:
    """Return the measure of one thing done; clocks that disagree make it no faster than at once."""
    took = max(took, ZERO)
    return Measure(within=1, total=took) if took <= target else Measure(late=1, total=took)


def answered(
    begun: datetime, done: datetime | None, over: datetime | None, target: timedelta, now: datetime
) -> Measure:
    """Return the measure of one thing that began, was ``done`` (None: never) and is ``over`` (None: open).

    Not done when the target has passed is missed; until then it is waiting, or has ended by itself where it is over.
    """
    if done is not None:
        return measured(done - begun, target)
    if (over or now) - begun > target:
        return Measure(missed=1)
    return Measure(waiting=1) if over is None else Measure(ended=1)


def ratio(part: int, whole: int) -> float | None:
    """Return ``part / whole``, None when there is nothing."""
    return part / whole if whole else None
