"""How long to wait before the next attempt: exponential with full jitter. Pure but for the dice."""

import random
from collections.abc import Callable


class Backoff:
    """Grows with each failure up to ``most`` seconds; ``reset`` after a success.

    Full jitter: every wait is drawn between 0 and the ceiling, so that many clients do not come back together
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). What the backend asks for is honoured.
    """

    def __init__(
        self, first: float = 0.5, most: float = 10.0, draw: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._first, self._most, self._draw = first, most, draw
        self._failures = 0

    def reset(self) -> None:
        """Start over."""
        self._failures = 0

    def next(self, retry_after: float | None = None) -> float:
        """Return how many seconds to wait now; at least ``retry_after`` where the backend said so."""
        ceiling = min(self._most, self._first * 2**self._failures)
        self._failures = min(self._failures + 1, 16)
        wait = self._draw(0, ceiling)
        return wait if retry_after is None else retry_after + wait
