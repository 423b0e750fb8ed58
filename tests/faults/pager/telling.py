"""Tells by which steps a machine broke a promise: played once more, it may come out otherwise."""

import functools
from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis.stateful import initialize, rule


class Telling:
    """A machine whose ``steps`` of this run are told; ``broken`` tells of all runs in which a promise was."""

    broken: ClassVar[list[str]] = []

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[str] = []


def told(method: Callable[..., None]) -> Callable[..., None]:
    """Let a method be told as a step."""

    @functools.wraps(method)
    def telling(self: Telling, **drawn: Any) -> None:
        self.steps.append(f"{method.__name__}({', '.join(f'{k}={v!r}' for k, v in drawn.items())})")
        try:
            method(self, **drawn)
        except AssertionError as e:
            # Tried once more it may come out otherwise, and what is shown then says nothing of this.
            self.broken.append("\n".join([*self.steps, str(e)]))
            raise

    return telling


def step(**drawn: Any) -> Callable[[Callable[..., None]], Any]:
    """Make a method a step that the machine may take, told with what it drew."""
    return lambda method: rule(**drawn)(told(method))


def first(**drawn: Any) -> Callable[[Callable[..., None]], Any]:
    """Make a method the first step."""
    return lambda method: initialize(**drawn)(told(method))
