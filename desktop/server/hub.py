"""Passes every change on to every open stream, and keeps quiet ones alive. On the event loop."""

import asyncio
import contextlib
import json
import logging
import random
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from desktop.server import curfew, oncalls, present
from desktop.server.records import Record
from desktop.server.station import Station
from desktop.server.tokens import Holder

log = logging.getLogger(__name__)

# A stream is silent for no longer than this.
HEARTBEAT_SECONDS = 10.0
QUEUE_LIMIT = 1000
_HEARTBEAT = b": heartbeat\n\n"


class Subscriber:
    """One open stream of whoever holds a token: what waits to be sent, each with its version (0: always sent).

    ``present``: whoever reads it can be shown a page there. No task or timer of its own: with thousands of streams,
    these cost more than what is sent.
    """

    __slots__ = ("_last", "_patience", "_taker", "_waiting", "ended", "holder", "overflowed", "person", "present")

    def __init__(self, holder: Holder | None = None, *, present: bool = True) -> None:
        self.holder = holder
        self.present = present
        self.person = "" if holder is None else holder.person
        self.ended = False
        self.overflowed = False
        self._waiting: list[tuple[int, bytes]] = []
        self._taker: asyncio.Future[None] | None = None
        self._last = time.monotonic()
        # Streams that were told the same at the same time must not all beat at the same time.
        self._patience = random.uniform(0.5, 0.9)  # noqa: S311 - no secret

    def put(self, version: int, event: bytes) -> None:
        """Queue an event; a full queue means that the client does not keep up, and ends the stream."""
        if self.ended:
            return
        if len(self._waiting) == QUEUE_LIMIT:
            self.overflowed = True
            self.end()
            return
        self._waiting.append((version, event))
        self._last = time.monotonic()
        self._wake()

    def beat(self, now: float) -> None:
        """Queue a heartbeat when nothing was queued for a while."""
        if now - self._last >= HEARTBEAT_SECONDS * self._patience:
            self.put(0, _HEARTBEAT)

    def end(self) -> None:
        """End the stream at once, whatever waits."""
        self.ended = True
        self._waiting.clear()
        self._wake()

    async def take(self) -> list[tuple[int, bytes]]:
        """Return all that waits as soon as something does; nothing when the stream has ended."""
        if not self._waiting and not self.ended:
            self._taker = asyncio.get_running_loop().create_future()
            await self._taker
        taken, self._waiting = self._waiting, []
        return taken

    def _wake(self) -> None:
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)


class Hub:
    """Passes each change on to every open stream. ``publish`` may be called from any thread.

    ``came_or_left`` is called, on the event loop, when a stream begins or ends.
    """

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._station: Station | None = None
        self._stopped = False
        self._tasks: list[asyncio.Task[None]] = []
        self.came_or_left: Callable[[], None] = lambda: None

    def start(self, station: Station) -> None:
        """Begin to pass on, on the running event loop."""
        self._station = station
        self._loop = asyncio.get_running_loop()
        watching = curfew.watch(station, lambda: self.streams, self._end_what_ended)
        self._tasks = [self._loop.create_task(watching), self._loop.create_task(self._beat())]

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._subscribers)

    @property
    def people(self) -> frozenset[str]:
        """Who can be shown a page by a stream, from any thread."""
        return frozenset(s.person for s in tuple(self._subscribers) if s.person and s.present)

    def add(self, subscriber: Subscriber) -> None:
        """Let ``subscriber`` have every change from now on."""
        self._subscribers.add(subscriber)
        self.came_or_left()
        if self._stopped:
            subscriber.end()

    def remove(self, subscriber: Subscriber) -> None:
        """Forget ``subscriber``."""
        self._subscribers.discard(subscriber)
        self.came_or_left()

    def publish(self, changed: Sequence[Record]) -> None:
        """Tell every stream of incidents that changed."""
        self._call(self._incidents, tuple(changed))

    def publish_oncalls(self) -> None:
        """Tell every stream who is on call now."""
        self._call(self._oncalls)

    def publish_event(self, name: str, content: object) -> None:
        """Tell every stream of something that has versions of its own."""
        self._call(self._event, name, content)

    def close(self) -> None:
        """End every stream, and those that come. From any thread: streams that stay open would hold up the end."""
        self._stopped = True
        self._call(self._end_all)

    def drop(self) -> None:
        """End every stream that is open: the server cannot take pages, and whoever watches it must not look calm."""
        self._call(self._end_all)

    def dismiss(self, people: Collection[str]) -> None:
        """End the streams of ``people``, who are not in the team any more. From any thread."""
        self._call(self._end_those_of, people)

    def _end_all(self) -> None:
        for subscriber in self._subscribers:
            subscriber.end()

    def _end_those_of(self, people: Collection[str]) -> None:
        for subscriber in self._subscribers:
            if subscriber.person in people:
                subscriber.end()

    def _end_what_ended(self, revoked: frozenset[str], now: datetime) -> None:
        for subscriber in self._subscribers:
            holder = subscriber.holder
            if holder is not None and (holder.digest in revoked or holder.expired(now)):
                log.info("stream ended with its token", extra={"fields": {"person": holder.person}})
                subscriber.end()

    def _call(self, function: Any, *arguments: object) -> None:  # noqa: ANN401 - a method of ours
        loop = self._loop
        if loop is None or not self._subscribers:
            return
        # The loop may have ended between the two: then nobody listens any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(function, *arguments)

    def _incidents(self, changed: tuple[Record, ...]) -> None:
        if self._station is None or not self._subscribers:
            return
        for record in changed:
            event = encode("incident", present.incident(record, self._station.directory, self._station.roster),
                           record.version)  # fmt: skip
            self._fan_out(record.version, event)

    def _oncalls(self) -> None:
        if self._station is not None and self._subscribers:
            self._fan_out(0, encode("oncalls", {"oncalls": on_call(self._station)}))

    def _event(self, name: str, content: object) -> None:
        if self._subscribers:
            self._fan_out(0, encode(name, content))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS / 10)
            now = time.monotonic()
            for subscriber in tuple(self._subscribers):
                subscriber.beat(now)

    def _fan_out(self, version: int, event: bytes) -> None:
        for subscriber in tuple(self._subscribers):
            subscriber.put(version, event)


def encode(name: str, content: object, version: int | None = None) -> bytes:
    """Return one server-sent event."""
    number = "" if version is None else f"id: {version}\n"
    # JSON escapes every line break, so that the data is one line.
    return f"{number}event: {name}\ndata: {json.dumps(content)}\n\n".encode()


def on_call(station: Station, now: datetime | None = None) -> list[dict[str, Any]]:
    """Return who is on call, as the stream tells it."""
    at = now or station.clock()
    return oncalls.entries(station.roster, station.directory, at, at)
