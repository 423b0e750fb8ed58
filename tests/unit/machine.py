"""The machine's own clock, set to another zone for a while: the rules run on the team's, and must not look at it."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

FAR_WEST, FAR_EAST = "Etc/GMT+12", "Pacific/Kiritimati"
"""Half a day behind UTC, and more than half a day ahead of it."""


@contextmanager
def machine_in(zone: str) -> Iterator[None]:
    """Let the machine's clock run in ``zone``."""
    if sys.platform == "win32":
        pytest.skip("Windows takes its zone from nowhere but its settings")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TZ", zone)
            time.tzset()
            yield
    finally:
        time.tzset()
