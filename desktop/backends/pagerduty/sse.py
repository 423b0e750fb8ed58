"""Server-sent events: bytes in, events out. Pure.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from desktop.domain.errors import BackendFault

# A snapshot of 10,000 incidents is some 15 MB.
EVENT_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One complete event; a comment (heartbeat) has the name ``:``. ``number`` is its id where that is a number."""

    name: str
    data: str
    number: int | None = None


def events(chunks: Iterable[bytes]) -> Iterator[ServerEvent]:
    """Yield each complete event of ``chunks``; an unfinished one at the end is dropped, as the format says."""
    name, data, size, number = "", list[str](), 0, None
    for line in _lines(chunks):
        if not line:
            if data:
                yield ServerEvent(name or "message", "\n".join(data), number)
            name, data, size, number = "", [], 0, None
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not field:
            yield ServerEvent(":", value)
        elif field == "event":
            name = value
        elif field == "id":
            number = _number(value)
        elif field == "data":
            data.append(value)
            size += len(value)
            if size > EVENT_LIMIT:
                raise BackendFault("the event stream sent one event without end")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    rest: list[bytes] = []
    size = 0
    for chunk in chunks:
        *complete, last = chunk.split(b"\n")
        for piece in complete:
            yield (b"".join((*rest, piece))).rstrip(b"\r").decode("utf-8", "replace")
            rest, size = [], 0
        rest.append(last)
        size += len(last)
        if size > EVENT_LIMIT:
            raise BackendFault("the event stream sent one line without end")
