"""The stream of changes: a hub that fans out, and the raw ASGI handler of server-sent events. On the event loop.

A stream begins with a snapshot, then brings the full object of each change: nothing is replayed, and a client that
falls behind is cut off to begin anew. Raw ASGI, for a StreamingResponse costs more than twice as much for each stream.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool

from desktop.domain.errors import StorageError
from desktop.domain.incident import Status
from desktop.server import curfew, handover_shown, oncalls, present, schema, things
from desktop.server.access import HOLDER, PERSON, Receive, Scope, Send
from desktop.server.failures import error_body
from desktop.server.records import Record
from desktop.server.rows import current_version, load, query
from desktop.server.station import Station
from desktop.server.tokens import Holder
from desktop.server.writer import touch

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 10.0
QUEUE_LIMIT = 1000
# A client that takes no bytes for this long is gone, whatever its socket says.
SEND_SECONDS = 15.0
_HEARTBEAT = b": heartbeat\n\n"
_END = b""
_OPEN = query(schema.incidents.c.status != Status.RESOLVED.value)


class Subscriber:
    """One open stream of whoever holds a token: what waits to be sent, each with its version (0: always sent)."""

    def __init__(self, holder: Holder | None = None) -> None:
        self.holder = holder
        self.person = "" if holder is None else holder.person
        self.queue: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(QUEUE_LIMIT)
        self.overflowed = False

    def put(self, version: int, event: bytes) -> None:
        """Queue an event; a full queue means that the client does not keep up, and ends the stream."""
        try:
            self.queue.put_nowait((version, event))
        except asyncio.QueueFull:
            self.overflowed = True
            self.end()

    def end(self) -> None:
        """End the stream at once, whatever waits."""
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait((0, _END))


class Hub:
    """Passes each change on to every open stream. ``publish`` may be called from any thread.

    ``came_or_left`` is called, on the event loop, when a stream begins or ends.
    """

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._station: Station | None = None
        self._stopped = False
        self._curfew: asyncio.Task[None] | None = None
        self.came_or_left: Callable[[], None] = lambda: None

    def start(self, station: Station) -> None:
        """Begin to pass on, on the running event loop."""
        self._station = station
        self._loop = asyncio.get_running_loop()
        self._curfew = self._loop.create_task(curfew.watch(station, lambda: self.streams, self._end_what_ended))

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._subscribers)

    @property
    def people(self) -> frozenset[str]:
        """Who has a stream, from any thread."""
        return frozenset(subscriber.person for subscriber in tuple(self._subscribers) if subscriber.person)

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
            self._fan_out(0, encode("oncalls", {"oncalls": _on_call(self._station)}))

    def _event(self, name: str, content: object) -> None:
        if self._subscribers:
            self._fan_out(0, encode(name, content))

    def _fan_out(self, version: int, event: bytes) -> None:
        for subscriber in tuple(self._subscribers):
            subscriber.put(version, event)


class Stream:
    """Serves ``GET /watchbell/v1/stream`` to one client at a time each (ASGI)."""

    def __init__(self, station: Station, hub: Hub) -> None:
        self._station = station
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the snapshot, then every change until one side ends it; 503 while nothing can be written."""
        if trouble := await run_in_threadpool(_still_in_trouble, self._station):
            await _unavailable(send, trouble)
            return
        subscriber = Subscriber(scope[HOLDER])
        # Registered before the snapshot is read: no change can fall between.
        self._hub.add(subscriber)
        gone = asyncio.create_task(_until_gone(receive, subscriber))
        try:
            version, snapshot = await run_in_threadpool(self._snapshot, scope[PERSON])
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await _body(send, snapshot)
            await _follow(subscriber, send, version)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (OSError, TimeoutError):
            log.info("stream cut off", extra={"fields": {"person": scope[PERSON]}})
        finally:
            gone.cancel()
            self._hub.remove(subscriber)
            if subscriber.overflowed:
                log.warning("stream fell behind", extra={"fields": {"person": scope[PERSON]}})

    def _snapshot(self, person: str) -> tuple[int, bytes]:
        station = self._station
        with station.storage.read() as connection:
            version = current_version(connection)
            found = load(connection, station.policies, _OPEN)
            handovers, silences = handover_shown.open_ones(station, connection)
        now = station.clock()
        content = {
            "version": version,
            "server_time": things.instant(now),
            "me": things.user(station.directory, person),
            "incidents": [present.incident(r, station.directory, station.roster) for r in found],
            "oncalls": _on_call(station, now),
            "handovers": handovers,
            "acting": silences,
        }
        return version, encode("snapshot", content, version)


def _still_in_trouble(station: Station) -> str:
    """Return why nothing can be written, after trying once more where that was so; else nothing."""
    if not station.writer.trouble:
        return ""
    try:
        station.writer.run(touch)
    except StorageError as error:
        return error.message
    return ""


async def _unavailable(send: Send, reason: str) -> None:
    body = json.dumps(error_body(503, "Service Unavailable", [reason])).encode()
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"5")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]


def encode(name: str, content: object, version: int | None = None) -> bytes:
    """Return one server-sent event."""
    number = "" if version is None else f"id: {version}\n"
    # JSON escapes every line break, so that the data is one line.
    return f"{number}event: {name}\ndata: {json.dumps(content)}\n\n".encode()


def _on_call(station: Station, now: datetime | None = None) -> list[dict[str, Any]]:
    at = now or station.clock()
    return oncalls.entries(station.roster, station.directory, at, at)


async def _follow(subscriber: Subscriber, send: Send, snapshot: int) -> None:
    while True:
        try:
            version, event = await asyncio.wait_for(subscriber.queue.get(), HEARTBEAT_SECONDS)
        except TimeoutError:
            await _body(send, _HEARTBEAT)
            continue
        if event == _END:
            return
        if version == 0 or version > snapshot:
            await _body(send, event)


async def _body(send: Send, content: bytes) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await send({"type": "http.response.body", "body": content, "more_body": True})


async def _until_gone(receive: Receive, subscriber: Subscriber) -> None:
    """End the stream when the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    subscriber.end()
