"""How often a connection is asked, and how long something may fail before it is done another way. Pure but for dice.

All in seconds. Ranges are drawn from, so that many clients do not ask together (design, section 7).
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from desktop.domain.incident import Incident


@dataclass(frozen=True, slots=True)
class Pace:
    """The intervals of one watch.

    ``on_call``, ``off_call``: between two polls. ``first``, ``most``: the ceilings of the wait after failures.
    ``settled``: a stream that lived so long was a good one; after ``short_streams`` others in a row, or one that
    brought rubbish or nothing, polling does for a while, drawn below ``stream_pause`` and doubling up to ``no_stream``.
    An account without a stream is asked for one again after ``no_stream``. ``after_zero``: what a backend may take to
    do what a countdown promised. ``retry``: the ceiling of the wait until a command is sent again.
    """

    on_call: tuple[float, float] = (5.0, 10.0)
    off_call: tuple[float, float] = (30.0, 60.0)
    first: float = 0.5
    most: float = 10.0
    settled: float = 60.0
    short_streams: int = 3
    stream_pause: float = 30.0
    no_stream: float = 600.0
    after_zero: float = 0.3
    retry: float = 5.0
    draw: Callable[[float, float], float] = random.uniform

    def poll(self, *, on_call: bool) -> float:
        """Draw how long to wait until the next poll."""
        return self.draw(*(self.on_call if on_call else self.off_call))


def until_zero(incidents: Iterable[Incident], server_now: datetime) -> float | None:
    """Return how many seconds it is until the next countdown reaches zero, None where none will."""
    coming = (a.at - server_now for i in incidents if i.open for a in i.pending)
    first = min((left for left in coming if left > timedelta(0)), default=None)
    return None if first is None else first.total_seconds()
