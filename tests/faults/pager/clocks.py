"""The clocks of a run, shared by its processes: time goes by for everybody at one instant, as when a machine slept.

Told one after the other, a pager that wakes up would for a moment have the time at which it fell asleep.
"""

from datetime import timedelta
from multiprocessing.context import BaseContext


class Clocks:
    """How far the world is ahead of the real time, and the pager's machine of the world. Any thread, any process."""

    def __init__(self, context: BaseContext) -> None:
        self._world = context.RawValue("d", 0.0)
        self._machine = context.RawValue("d", 0.0)

    def world(self) -> timedelta:
        """Return how far the world is ahead of the real time."""
        return timedelta(seconds=self._world.value)

    def machine(self) -> timedelta:
        """Return how far the clock of the pager's machine is ahead of the real time."""
        return timedelta(seconds=self._world.value + self._machine.value)

    def pass_by(self, time: timedelta) -> None:
        """Let time go by for everybody. Only one may do this at a time."""
        self._world.value += time.total_seconds()

    def set_machine(self, by: timedelta) -> None:
        """Set the clock of the pager's machine alone."""
        self._machine.value += by.total_seconds()
