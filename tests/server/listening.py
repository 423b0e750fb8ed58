"""A client of the stream for tests: events awaited, never slept for. The test's own thread."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
import urllib3


class Listener:
    """One open stream; ``next`` gives its events in order."""

    def __init__(self, response: requests.Response) -> None:
        self._lines = _lines(response)

    def next(self) -> tuple[str, int | None, dict[str, Any]]:
        """Return the next event: its name, its id, its data; comments come as ``("", None, {})``."""
        name, number, data = "", None, "{}"
        for line in self._lines:
            if not line:
                return name, number, json.loads(data)
            field, _, value = line.partition(": ")
            name = value if field == "event" else name
            number = int(value) if field == "id" else number
            data = value if field == "data" else data
        raise EOFError

    def ended(self) -> bool:
        """Tell whether nothing more comes, reading what there still is."""
        try:
            while True:
                self.next()
        except (EOFError, urllib3.exceptions.ProtocolError):
            return True


def _lines(response: requests.Response) -> Iterator[str]:
    rest = b""
    while chunk := response.raw.read1(65536):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode() for line in whole)


@contextmanager
def listening(url: str, token: str, query: str = "") -> Iterator[Listener]:
    """Open the stream of the server at ``url``."""
    with requests.Session() as session:
        session.trust_env = False
        headers = {"Authorization": f"Token token={token}"}
        with session.get(f"{url}/watchbell/v1/stream{query}", headers=headers, stream=True, timeout=15) as response:
            assert response.status_code == 200, response.text
            assert response.headers["content-type"].startswith("text/event-stream")
            assert response.headers["cache-control"] == "no-store"
            yield Listener(response)
