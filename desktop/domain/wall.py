"""Wall-clock times to instants and back, through every clock change. Pure.

A rule of the house (design, section 3, "Rotation"): a wall time that a clock change skips happens at the first instant
after the gap; one that occurs twice happens the first time. Both are one sentence: the first instant at which the
clock shows that time or a later one.
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)
_NONE = timedelta(0)
# Adding to an instant takes a quarter of the time of replacing the zone of a wall time, and this is asked most of all.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WALL = _EPOCH.replace(tzinfo=None)


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant (aware, UTC) at which a clock in ``zone`` shows ``wall`` or later.

    An aware ``wall`` names its instant already and is returned in UTC.
    """
    if wall.tzinfo is not None:
        return wall.astimezone(UTC)
    # Where the clock goes back, fold 0 is the first of the two times; in a gap it is the offset before it (PEP 495).
    offset = zone.utcoffset(wall.replace(fold=0) if wall.fold else wall) or _NONE
    at = _EPOCH + (wall - _EPOCH_WALL - offset)
    offset_then = at.astimezone(zone).utcoffset() or _NONE
    if offset_then == offset:
        return at
    return _end_of_gap(wall, zone, wall - offset_then, offset_then - offset)


def clock(at: datetime, zone: ZoneInfo) -> datetime:
    """Return what a clock in ``zone`` shows at the instant ``at``, without a zone."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _end_of_gap(wall: datetime, zone: ZoneInfo, before: datetime, gap: timedelta) -> datetime:
    """Return the end of the ``gap`` that swallowed ``wall``; ``before`` lies before it, by no more than its length.

    Clocks change on whole seconds.
    """
    low = before.replace(microsecond=0, tzinfo=UTC)
    seconds = range(gap // _SECOND)
    return low + bisect_left(seconds, wall, key=lambda passed: clock(low + passed * _SECOND, zone)) * _SECOND
