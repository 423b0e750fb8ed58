"""Wall-clock times to instants and back, through every clock change. Pure.

A rule of the house (design, section 3, "Rotation"): a wall time that a clock change skips happens at the first instant
after the gap; one that occurs twice happens the first time. Both are one sentence: the first instant at which the
clock shows that time or a later one.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)
_NONE = timedelta(0)


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant (aware, UTC) at which a clock in ``zone`` shows ``wall`` or later.

    An aware ``wall`` names its instant already and is returned in UTC.
    """
    if wall.tzinfo is not None:
        return wall.astimezone(UTC)
    first = zone.utcoffset(wall.replace(fold=0) if wall.fold else wall) or _NONE
    second = zone.utcoffset(wall.replace(fold=1)) or _NONE
    # A gap is where the offset grows; where the clock goes back, fold 0 is the first of the two times (PEP 495).
    if second > first:
        return _end_of_gap(wall, zone, wall - second)
    return (wall - first).replace(tzinfo=UTC, fold=0)


def clock(at: datetime, zone: ZoneInfo) -> datetime:
    """Return what a clock in ``zone`` shows at the instant ``at``, without a zone."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _end_of_gap(wall: datetime, zone: ZoneInfo, before: datetime) -> datetime:
    """Return the end of the gap that swallowed ``wall``; ``before`` lies before it. Clocks change on whole seconds."""
    low = before.replace(microsecond=0, tzinfo=UTC)
    steps = 1
    while clock(low + steps * _SECOND, zone) < wall:
        steps *= 2
    below, above = steps // 2, steps
    while above - below > 1:
        middle = (below + above) // 2
        if clock(low + middle * _SECOND, zone) < wall:
            below = middle
        else:
            above = middle
    return low + above * _SECOND
