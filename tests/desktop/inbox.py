"""What a reading thread saw, handed to a test that awaits one of it; any thread."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Inbox(Generic[Item]):
    """Keeps what came until somebody asks for it; each item is handed out once, the oldest that is wanted first."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._came = threading.Condition()

    def put(self, item: Item) -> None:
        """Add an item and wake whoever waits for one."""
        with self._came:
            self._items.append(item)
            self._came.notify_all()

    def wait(self, wanted: Callable[[Item], bool], seconds: float, what: str) -> Item:
        """Take out the first item that is wanted; after `seconds` fail, saying what came instead."""
        with self._came:
            found = self._came.wait_for(lambda: [item for item in self._items if wanted(item)][:1], seconds)
            if not found:
                raise AssertionError(f"{what} did not come within {seconds} s; what came: {self._items}")
            self._items.remove(found[0])
            return found[0]

    def pending(self) -> list[Item]:
        """Return what came and was not taken out."""
        with self._came:
            return list(self._items)
