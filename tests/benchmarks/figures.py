"""How the benchmarks of the rules measure and print. Main thread.

Rules wait for nothing, so that the time of the processor is what they cost, however busy the machine is.
"""

import time
from collections.abc import Callable
from statistics import median


def typical(work: Callable[[], object], times: int) -> float:
    """Return the median of ``times`` runs, in seconds, after one that warms up."""
    work()
    return median(cost(work) for _ in range(times))


def cost(work: Callable[[], object]) -> float:
    """Return what one run takes, in seconds of the processor."""
    began = time.process_time()
    work()
    return time.process_time() - began


def show(what: str, seconds: float) -> None:
    """Print one figure."""
    print(f"{what:.<60} {seconds * 1e3:10.3f} ms")
