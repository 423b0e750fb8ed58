"""How far a backend's clock is ahead of ours, from what its answers say. Pure; every wall time is aware.

An answer took some time, and its clock was read somewhere within: the shorter the round trip, the less doubt (design,
section 7). Countdowns run on the least doubtful reading, which is what one of two clocks jumping would make wrong:
readings that cannot both be true are decided for the later one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

# Clocks drift: however good a reading was, it is replaced after this many seconds.
KEPT = 900.0
# Two readings may differ by so much more than their doubts: clocks that are being set drift visibly meanwhile.
SLACK = timedelta(milliseconds=250)
# A ``Date`` header is cut off to the whole second.
DATE_STEP = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Reading:
    """Backend's time minus local time is ``offset``, give or take ``doubt``; read ``at`` (monotonic seconds)."""

    offset: timedelta
    doubt: timedelta
    at: float


def reading(told: datetime, heard: datetime, trip: float, at: float, step: timedelta = timedelta(0)) -> Reading:
    """Return what ``told`` means: the backend's clock at some moment of the ``trip`` seconds before ``heard``.

    ``step`` is what the backend cut off: its clock showed between ``told`` and ``told + step``.
    """
    half = timedelta(seconds=max(trip, 0.0)) / 2
    return Reading(told + step / 2 - (heard - half), half + step / 2, at)


def better(known: Reading | None, new: Reading | None) -> Reading | None:
    """Return which of two readings to believe; ``new`` is the later one."""
    if known is None or new is None:
        return new or known
    apart = abs(new.offset - known.offset) > new.doubt + known.doubt + SLACK
    return new if apart or new.doubt <= known.doubt or new.at - known.at > KEPT else known
