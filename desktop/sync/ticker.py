"""Wakes a function now and then, and tells when the wall clock jumped. APScheduler's thread.

Deadlines live in the state as instants; this only makes somebody look at them. A jump of the wall clock means that the
machine slept or that its clock was set; no monotonic clock shows it (https://github.com/borgbase/vorta/pull/2537).
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

SOON, IDLE = timedelta(seconds=1), timedelta(seconds=15)
# A tick that is this much later than it should be was not late: time was lost.
GAP = timedelta(seconds=20)
_JOB = "tick"


class Ticker:
    """Calls ``tick(jumped)`` every second while ``hurry``, else every 15 s."""

    def __init__(self, tick: Callable[[bool], None], now: Callable[[], datetime]) -> None:
        self._tick = tick
        self._now = now
        self._expected: datetime | None = None
        self._jumped = False
        self._every = IDLE
        self._scheduler = BackgroundScheduler(timezone="UTC")
        # misfire_grace_time=None: by default a job that is a second late is dropped (facts on libraries).
        self._scheduler.add_job(
            self._run, self._trigger(), id=_JOB, misfire_grace_time=None, coalesce=True, max_instances=1
        )

    def start(self) -> None:
        """Begin ticking."""
        self._scheduler.start()

    def stop(self) -> None:
        """End ticking; a tick that is under way finishes."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def lost_time(self) -> bool:
        """Tell whether the wall clock jumped before the latest tick, or did since; from any thread.

        A thread that is slow to take up the ticks lost none.
        """
        return self._jumped or self._past(self._now())

    def hurry(self, hurry: bool) -> None:
        """Tick every second from now on, or every 15."""
        every = SOON if hurry else IDLE
        if every is not self._every:
            expected, before, now = self._expected, self._every, self._now()
            self._every = every
            if expected is not None and expected - before - GAP <= now <= expected + GAP:
                # Else time was lost before this: the next tick is to find that.
                self._expected = now + every
            self._scheduler.reschedule_job(_JOB, trigger=self._trigger())

    def _trigger(self) -> IntervalTrigger:
        return IntervalTrigger(seconds=int(self._every.total_seconds()))

    def _run(self) -> None:
        now = self._now()
        # Before the next is expected: whoever asks in between is told of it, too.
        self._jumped = jumped = self._past(now)
        self._expected = now + self._every
        self._tick(jumped)

    def _past(self, now: datetime) -> bool:
        return self._expected is not None and abs(now - self._expected) > GAP
