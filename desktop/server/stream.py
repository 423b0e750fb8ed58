"""The stream of changes: the raw ASGI handler of server-sent events. On the event loop.

A stream begins with a snapshot, then brings the full object of each change: nothing is replayed, and a client that
falls behind is cut off to begin anew. Raw ASGI, for a StreamingResponse costs more than twice as much for each stream.
"""

import asyncio
import json
import logging

from starlette.concurrency import run_in_threadpool

from desktop.domain.errors import StorageError
from desktop.server import things
from desktop.server.access import HOLDER, PERSON, Receive, Scope, Send
from desktop.server.failures import error_body
from desktop.server.hub import Hub, Subscriber
from desktop.server.snapshots import Snapshots
from desktop.server.station import Station
from desktop.server.writer import touch

log = logging.getLogger(__name__)

# A client that takes no bytes for this long is gone, whatever its socket says.
SEND_SECONDS = 15.0
# Said by who only tries whether there is a stream: no page waits for it to be shown there.
_ABSENT = b"present=false"


class Stream:
    """Serves ``GET /watchbell/v1/stream`` to one client at a time each (ASGI)."""

    def __init__(self, station: Station, hub: Hub) -> None:
        self._station = station
        self._hub = hub
        self._snapshots = Snapshots(station)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the snapshot, then every change until one side ends it; 503 while nothing can be written or read."""
        try:
            if self._station.writer.trouble:
                # Perhaps not any more.
                await run_in_threadpool(self._station.writer.run, touch)
            await self._serve(scope, receive, send)
        except StorageError as error:
            await _unavailable(send, error.message)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        subscriber = Subscriber(scope[HOLDER], present=_ABSENT not in scope.get("query_string", b"").split(b"&"))
        # Registered before the snapshot is read: no change can fall between.
        self._hub.add(subscriber)
        gone = asyncio.create_task(_until_gone(receive, subscriber))
        try:
            snapshot = await self._snapshots.take()
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await _body(send, snapshot.event(things.user(self._station.directory, scope[PERSON])))
            await _follow(subscriber, send, snapshot.version)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (OSError, TimeoutError):
            log.info("stream cut off", extra={"fields": {"person": scope[PERSON]}})
        finally:
            gone.cancel()
            self._hub.remove(subscriber)
            if subscriber.overflowed:
                log.warning("stream fell behind", extra={"fields": {"person": scope[PERSON]}})


async def _unavailable(send: Send, reason: str) -> None:
    body = json.dumps(error_body(503, "Service Unavailable", [reason])).encode()
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"5")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]


async def _follow(subscriber: Subscriber, send: Send, snapshot: int) -> None:
    while not subscriber.ended:
        taken = await subscriber.take()
        news = b"".join(event for version, event in taken if version == 0 or version > snapshot)
        if news:
            await _body(send, news)


async def _body(send: Send, content: bytes) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await send({"type": "http.response.body", "body": content, "more_body": True})


async def _until_gone(receive: Receive, subscriber: Subscriber) -> None:
    """End the stream when the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    subscriber.end()
