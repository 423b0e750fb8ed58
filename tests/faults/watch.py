"""Clients that watch the stream as the tray application does, whatever breaks. A thread each."""

import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import requests
import urllib3

from tests.faults.evidence import Client, Seen
from tests.server.listening import Listener

_TIMEOUTS = (3, 25)
_PAUSES = (0.1, 0.5)


class Watch:
    """One client: it goes from server to server as they end its streams, and keeps what it was told."""

    def __init__(self, name: str, urls: Sequence[str], token: str, dice: Random) -> None:
        self.version = 0
        self._name, self._urls, self._token, self._dice = name, urls, token, dice
        self._known: dict[str, Seen] = {}
        self._streams: list[list[tuple[str, Seen]]] = []
        self._response: requests.Response | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch-{name}")

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Hang up."""
        self._stopping.set()
        while self._thread.is_alive():
            response = self._response
            if response is not None and response.raw is not None:
                _hang_up(response)
            self._thread.join(0.1)

    def caught_up(self, version: int, seconds: float) -> bool:
        """Wait until all up to ``version`` was told, at most so long; tell whether it was."""
        deadline = time.monotonic() + seconds
        while self.version < version and time.monotonic() < deadline:
            self._stopping.wait(0.05)
        return self.version >= version

    def client(self) -> Client:
        """Return what it was told."""
        return Client(self._name, dict(self._known), [list(stream) for stream in self._streams])

    def _run(self) -> None:
        while not self._stopping.is_set():
            url = self._dice.choice(self._urls)
            # OSError is also what requests raises.
            with contextlib.suppress(OSError, EOFError, urllib3.exceptions.HTTPError):
                self._watch(url)
            self._stopping.wait(self._dice.uniform(*_PAUSES))

    def _watch(self, url: str) -> None:
        headers = {"Authorization": f"Token token={self._token}"}
        with requests.Session() as session:
            session.trust_env = False
            with session.get(
                f"{url}/watchbell/v1/stream", headers=headers, stream=True, timeout=_TIMEOUTS
            ) as response:  # fmt: skip
                if response.status_code != 200:
                    return
                self._response = response
                try:
                    self._listen(Listener(response))
                finally:
                    self._response = None

    def _listen(self, listener: Listener) -> None:
        told: list[tuple[str, Seen]] = []
        while not self._stopping.is_set():
            name, number, data = listener.next()
            if name == "snapshot":
                told = [_seen(incident) for incident in data["incidents"]]
                self._known = dict(told)
                self._streams.append(told)
            elif name == "incident":
                incident, seen = _seen(data)
                told.append((incident, seen))
                self._known = {**self._known, incident: seen}
            if number is not None:
                # Last: whoever sees the version finds what it brought.
                self.version = number


def _seen(incident: Mapping[str, Any]) -> tuple[str, Seen]:
    return incident["id"], Seen(
        version=incident["watchbell"]["version"],
        status=incident["status"],
        assigned=frozenset(a["assignee"]["id"] for a in incident["assignments"]),
        # An integration's acknowledgement is shown as its service's; the rows have people's alone.
        acknowledged=frozenset(
            a["acknowledger"]["id"]
            for a in incident["acknowledgements"]
            if a["acknowledger"]["type"] == "user_reference"
        ),
    )


def _hang_up(response: requests.Response) -> None:
    # It may have ended by itself meanwhile.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        response.raw.shutdown()
