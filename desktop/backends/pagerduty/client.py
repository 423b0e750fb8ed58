"""The wire: HTTP requests with timeouts and caps, every failure translated. One instance a thread.

Facts behind the choices (proxy and .netrc leaks, redirects, cancelling a stream) are in docs/decisions/0001 and 0013.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError as Urllib3Error

from desktop.backends import trust
from desktop.backends.pagerduty.failures import ailment, failure, http_date, no_protocol, reason
from desktop.backends.pagerduty.line import Line
from desktop.backends.pagerduty.stream import Chunks
from desktop.backends.route import Route, is_loopback, shown, without_login
from desktop.backends.token import check_token
from desktop.domain.ailment import Ailment
from desktop.domain.errors import BackendFault, InputError, Unreachable
from desktop.domain.server_clock import DATE_STEP, Reading, better, reading
from desktop.domain.text import plain

Json = dict[str, Any]
Params = Sequence[tuple[str, str]]

ACCEPT = "application/vnd.pagerduty+json;version=2, application/json"
BODY_LIMIT = 32 * 1024 * 1024
_DIRECT = Route()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds, for a connection, for the next bytes of an answer, and for an answer in all.

    ``begin`` is for a stream's first event; ``silence`` for each further one: the server sends a heartbeat every 10 s,
    and two missed ones mean that the stream is not to be trusted (facts, engineering).
    """

    connect: float = 5.0
    read: float = 8.0
    answer: float = 30.0
    begin: float = 15.0
    silence: float = 25.0


_USUAL = Patience()


def check_url(url: str) -> str:
    """Return ``url`` without a trailing slash; InputError unless it is https, or http to this machine."""
    parts = urlsplit(url)
    wrong = ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        wrong = f"{plain(without_login(url), 100)!r} is not an address like https://pager.example.com"
    elif parts.username or parts.password or parts.query or parts.fragment:
        wrong = "an address has no name, password, query or fragment in it; the token goes to standard input"
    elif parts.scheme == "http" and not is_loopback(parts.hostname):
        wrong = f"http to {parts.hostname} would send the token in clear: use https"
    if wrong:
        raise InputError(wrong, ailment=Ailment.ADDRESS_UNUSABLE)
    return url.rstrip("/")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Wire:
    """Requests to one base URL with one token.

    ``host`` is the URL's host and port; ``clock`` is the best reading of the backend's clock so far, None before the
    first.
    """

    def __init__(
        self,
        url: str,
        token: str,
        route: Route = _DIRECT,
        patience: Patience = _USUAL,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.url = check_url(url)
        check_token(token)
        self.clock: Reading | None = None
        self.host = urlsplit(self.url).netloc
        self._route, self._patience, self._now = route, patience, now
        self._headers = {"Accept": ACCEPT, "Authorization": f"Token token={token}", "User-Agent": "watchbell"}
        # The stream keeps its line to itself.
        self._line, self._stream_line = Line(self.url, route), Line(self.url, route)
        self._asking = False
        self._closed = threading.Event()

    def get(self, path: str, params: Params = ()) -> Json:
        """GET ``path`` and return the JSON object."""
        return self._request("GET", path, params=params)

    def put(self, path: str, body: Mapping[str, object], sender: str = "") -> Json:
        """PUT ``body``; ``sender`` is the From address that PagerDuty wants."""
        return self._request("PUT", path, body=body, sender=sender)

    def post(self, path: str, body: Mapping[str, object], sender: str = "") -> Json:
        """POST ``body``."""
        return self._request("POST", path, body=body, sender=sender)

    def put_file(self, path: str, content: bytes, kind: str, params: Params = ()) -> Json:
        """PUT ``content`` as it is, a file of the media type ``kind``."""
        return self._request("PUT", path, params=params, file=(content, kind))

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Params = (),
        body: Mapping[str, object] | None = None,
        sender: str = "",
        file: tuple[bytes, str] | None = None,
    ) -> Json:
        headers = {**self._headers, **({"From": sender} if sender else {})}
        if file is not None:
            headers["Content-Type"] = file[1]
        with self._translated(self._line), self._line.within(self._patience.answer), self._cuttable(method):
            sent = time.monotonic()
            response = self._line.session.request(
                method,
                self.url + path,
                params=list(params),
                json=body,
                data=None if file is None else file[0],
                headers=headers,
                timeout=(self._patience.connect, self._patience.read),
                allow_redirects=False,
                stream=True,
            )
            answered = time.monotonic()
            heard = self._now()
            with response:
                content = self._read(response)
            if self._line.late:
                # What was cut off may look like an answer that ended.
                raise Unreachable(f"{self.host} answers too slowly", ailment=Ailment.TOO_SLOW)
        value = self._judge(response, content)
        self._read_clock(http_date(_fresh_date(response.headers)), heard, answered - sent, answered)
        return value

    def heard_clock(self, told: datetime, sent: float) -> None:
        """Take the backend's clock from an event that was asked for at ``sent`` (monotonic) and heard just now."""
        at = time.monotonic()
        self.clock = better(self.clock, reading(told, self._now(), at - sent, at))

    def _read_clock(self, date: datetime | None, heard: datetime, trip: float, at: float) -> None:
        if date is not None:
            self.clock = better(self.clock, reading(date, heard, trip, at, DATE_STEP))

    @contextmanager
    def lines(self, path: str) -> Iterator[Chunks]:
        """Open an event stream and give its raw chunks as they come; ends when ``close`` is called."""
        line = self._stream_line
        with self._translated(line), line.within(self._patience.begin) as beginning:
            sent = time.monotonic()
            response = line.session.get(
                self.url + path,
                headers={**self._headers, "Accept": "text/event-stream", "Accept-Encoding": "identity"},
                timeout=(self._patience.connect, self._patience.begin),
                allow_redirects=False,
                stream=True,
            )
            with response:
                if response.status_code != requests.codes.ok:
                    self._judge(response, self._read(response))
                if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
                    raise BackendFault(f"{self.host} answered something that is not an event stream")
                yield Chunks(response, line, beginning, self._closed, self._patience.silence, sent=sent)

    def close(self) -> None:
        """End the stream and what only asks, from any thread; a command under way is left to its answer."""
        self._closed.set()
        self._stream_line.cut()
        if self._asking:
            self._line.cut()

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed.is_set()

    @contextmanager
    def _cuttable(self, method: str) -> Iterator[None]:
        self._asking = method == "GET"
        try:
            if self._asking and self.closed:
                raise Unreachable("the connection was closed")
            yield
        finally:
            self._asking = False

    def _read(self, response: requests.Response) -> bytes:
        content = bytearray()
        for chunk in response.iter_content(65536):
            content += chunk
            if len(content) > BODY_LIMIT:
                said = f"{self.host} sent more than {BODY_LIMIT // 1024 // 1024} MiB in one answer"
                raise BackendFault(said, ailment=Ailment.TOO_LARGE)
        return bytes(content)

    def _judge(self, response: requests.Response, content: bytes) -> Json:
        if requests.codes.ok <= response.status_code < requests.codes.multiple_choices:
            return self._parse(content, response.headers.get("Content-Type", ""))
        raise failure(self.host, response.status_code, response.headers, content, self._now())

    def _parse(self, content: bytes, kind: str) -> Json:
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            raise no_protocol(self.host, kind, content) from None
        if not isinstance(value, dict):
            raise BackendFault(f"{self.host} answered JSON that is no object", ailment=Ailment.STRANGER_ANSWERS)
        return value

    @contextmanager
    def _translated(self, line: Line) -> Iterator[None]:
        where = self.host if line.proxy is None else f"{self.host} (through the proxy {shown(line.proxy)})"
        try:
            yield
        except requests.exceptions.SSLError as e:
            raise trust.distrust(self.host, e, self._route.ca) from e
        except (requests.exceptions.RequestException, Urllib3Error, OSError) as e:
            if line.late:
                raise Unreachable(f"{where} answers too slowly", ailment=Ailment.TOO_SLOW) from e
            found = ailment(e, proxied=line.proxy is not None)
            if found in {Ailment.SILENT, Ailment.SWALLOWED}:
                raise Unreachable(f"{where} did not answer in time", ailment=found) from e
            raise Unreachable(f"{where} cannot be reached: {reason(e)}", ailment=found) from e


def _fresh_date(headers: Mapping[str, str]) -> str | None:
    """Return the ``Date`` of an answer, unless somebody kept it for a while."""
    return None if "Age" in headers else headers.get("Date")
