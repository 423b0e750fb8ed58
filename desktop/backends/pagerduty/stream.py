"""Our own server's stream: bytes in, our values out, and what is missing or old among them. One thread each."""

import json
import threading
import time
from collections.abc import Iterator

import requests
from urllib3.exceptions import HTTPError as Urllib3Error

from desktop.backends.base import Alive, FullState, IncidentChanged, Missed, OnCallChanged, StreamEvent
from desktop.backends.deadlines import Deadline
from desktop.backends.pagerduty import mapping
from desktop.backends.pagerduty.line import Line
from desktop.backends.pagerduty.sse import ServerEvent
from desktop.domain.errors import BackendFault, Unreachable


class Chunks(Iterator[bytes]):
    """The bytes of a stream as they come, until it ends or is closed; Unreachable when nothing that counts comes.

    Nothing counts but what ``heard`` is called for: bytes can drip for ever. ``sent`` is when the stream was asked
    for (monotonic).
    """

    def __init__(
        self,
        response: requests.Response,
        line: Line,
        beginning: Deadline,
        closed: threading.Event,
        silence: float,
        *,
        sent: float,
    ) -> None:
        self.sent = sent
        self._response, self._line, self._beginning = response, line, beginning
        self._closed, self._silence = closed, silence
        self._until: float | None = None

    def heard(self) -> None:
        """Note that something complete and sensible came."""
        self._beginning.cancel()
        self._until = time.monotonic() + self._silence

    def __next__(self) -> bytes:
        if self._closed.is_set():
            raise StopIteration
        if self._until is not None:
            left = self._until - time.monotonic()
            if left <= 0:
                raise Unreachable("the stream sends nothing that makes sense")
            self._line.patience(left)
        try:
            chunk = self._response.raw.read1(65536)
        except (Urllib3Error, OSError):
            if self._closed.is_set():
                # The socket was shut down under the reader, by whoever closed: that is how it ends.
                raise StopIteration from None
            raise
        if not chunk:
            if self._line.late:
                raise Unreachable("the stream does not begin")
            raise StopIteration
        return bytes(chunk)


class Following:
    """What one stream brought so far: its numbers tell what is old news, and where something may be missing.

    A number is the version of everything at that change. Numbers are skipped by right, too (a change that was taken
    back, another server's): a gap says only that it is worth looking.
    """

    def __init__(self) -> None:
        self._begun = False
        # What was known all in all, and the latest number; None where the events have no numbers.
        self._known: int | None = None
        self._latest: int | None = None

    def caught_up(self) -> None:
        """Note that everything was fetched anew just now: what the stream brought until here is old from now on."""
        self._known = self._latest

    def take(self, event: ServerEvent) -> Iterator[StreamEvent]:
        """Turn one event into ours; unknown names are for newer clients, and nothing counts before the snapshot."""
        try:
            yield from self._take(event)
        except (ValueError, AttributeError, RecursionError, OverflowError) as e:
            raise BackendFault("the stream sent an event that makes no sense") from e

    def _take(self, event: ServerEvent) -> Iterator[StreamEvent]:
        if event.name == "snapshot":
            data = json.loads(event.data)
            self._known = self._latest = event.number
            self._begun = True
            yield FullState(mapping.snapshot(data))
        elif event.name in {"incident", "oncalls"} and not self._begun:
            raise BackendFault("the stream does not begin with everything that is open")
        elif event.name == "incident":
            yield from self._incident(event)
        elif event.name == "oncalls":
            yield OnCallChanged(mapping.on_call(json.loads(event.data)))
        elif self._begun:
            yield Alive()

    def _incident(self, event: ServerEvent) -> Iterator[StreamEvent]:
        number = event.number
        if number is not None and self._known is not None and number <= self._known:
            # What was fetched knew of that; what is resolved since must not come back.
            yield Alive()
            return
        yield IncidentChanged(mapping.incident(json.loads(event.data)))
        if number is not None:
            latest, self._latest = self._latest, max(self._latest or 0, number)
            if latest is not None and number > latest + 1:
                yield Missed()
