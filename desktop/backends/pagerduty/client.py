"""The wire: HTTP requests with timeouts and caps, every failure translated. One instance a thread.

Facts behind the choices (proxy and .netrc leaks, redirects, cancelling a stream) are in docs/decisions/0001.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError as Urllib3Error
from urllib3.exceptions import ReadTimeoutError

from desktop.domain.errors import (
    BackendError,
    BackendFault,
    Forbidden,
    InputError,
    NotFound,
    RateLimited,
    Rejected,
    Unauthorized,
    Unreachable,
)
from desktop.domain.text import plain

Json = dict[str, Any]
Params = Sequence[tuple[str, str]]

ACCEPT = "application/vnd.pagerduty+json;version=2, application/json"
CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 8.0
# The server sends a heartbeat every 10 s: two missed ones and a stream is not trusted (facts, engineering).
STREAM_SILENCE = 25.0
BODY_LIMIT = 32 * 1024 * 1024
# A whole answer may take this long, however steadily it drips.
BODY_SECONDS = 30.0
# More mistakes than anybody reads at once.
MOST_REASONS = 1000


def check_url(url: str) -> str:
    """Return ``url`` without a trailing slash; InputError unless it is https, or http to this machine."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(f"{plain(url, 100)!r} is not an address like https://pager.example.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InputError("an address has no name, password, query or fragment in it; the token goes to standard input")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise InputError(f"http to {parts.hostname} would send the token in clear: use https")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Wire:
    """Requests to one base URL with one token. ``date`` is the backend's clock at its last answer, None if untold."""

    def __init__(self, url: str, token: str) -> None:
        self.url = check_url(url)
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise InputError("the token is no token: it has characters that none has, or is empty")
        self._host = urlsplit(self.url).netloc
        self._session = requests.Session()
        # Neither proxies nor .netrc from the environment: both were seen to carry the token elsewhere.
        self._session.trust_env = False
        self._session.headers.update(
            {
                "Accept": ACCEPT,
                "Authorization": f"Token token={token}",
                "User-Agent": "watchbell",
            }
        )
        self.date: datetime | None = None
        self._streaming: requests.Response | None = None
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
        headers = {"From": sender} if sender else {}
        if file is not None:
            headers["Content-Type"] = file[1]
        with self._translated():
            response = self._session.request(
                method,
                self.url + path,
                params=list(params),
                json=body,
                data=None if file is None else file[0],
                headers=headers,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                allow_redirects=False,
                stream=True,
            )
            self.date = _date(response.headers.get("Date"))
            with response:
                content = self._read(response)
        return self._judge(response, content)

    @contextmanager
    def lines(self, path: str) -> Iterator[Iterator[bytes]]:
        """Open an event stream and give its raw chunks as they come; ends when ``close`` is called."""
        with self._translated():
            response = self._session.get(
                self.url + path,
                headers={"Accept": "text/event-stream"},
                timeout=(CONNECT_TIMEOUT, STREAM_SILENCE),
                allow_redirects=False,
                stream=True,
            )
            with response:
                if response.status_code != requests.codes.ok:
                    self._judge(response, self._read(response))
                if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
                    raise BackendFault(f"{self._host} answered something that is not an event stream")
                self._streaming = response
                try:
                    yield self._chunks(response)
                finally:
                    self._streaming = None

    def _chunks(self, response: requests.Response) -> Iterator[bytes]:
        while not self._closed.is_set():
            try:
                chunk = response.raw.read1(65536)
            except (Urllib3Error, OSError):
                if self._closed.is_set():
                    # The socket was shut down under the reader, by ``close``: that is how it ends.
                    return
                raise
            if not chunk:
                return
            yield chunk

    def close(self) -> None:
        """End the stream, from any thread: only shutting the socket down wakes its reader (facts, engineering)."""
        self._closed.set()
        response = self._streaming
        if response is not None:
            try:
                response.raw.shutdown()
            except (ValueError, OSError):
                # It ended by itself in the meantime.
                return

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed.is_set()

    def _read(self, response: requests.Response) -> bytes:
        deadline = time.monotonic() + BODY_SECONDS
        content = bytearray()
        for chunk in response.iter_content(65536):
            content += chunk
            if len(content) > BODY_LIMIT:
                raise BackendFault(f"{self._host} sent more than {BODY_LIMIT // 1024 // 1024} MiB in one answer")
            if time.monotonic() > deadline:
                raise Unreachable(f"{self._host} answers too slowly")
        return bytes(content)

    def _judge(self, response: requests.Response, content: bytes) -> Json:
        if requests.codes.ok <= response.status_code < requests.codes.multiple_choices:
            return self._parse(content)
        raise failure(self._host, response.status_code, response.headers, content)

    def _parse(self, content: bytes) -> Json:
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            raise BackendFault(
                f"{self._host} answered something that is not JSON: is there a login page between?"
            ) from None
        if not isinstance(value, dict):
            raise BackendFault(f"{self._host} answered JSON that is no object")
        return value

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except requests.exceptions.SSLError as e:
            raise Unreachable(f"the certificate of {self._host} cannot be trusted: {plain(str(e), 160)}") from e
        except (requests.exceptions.Timeout, ReadTimeoutError) as e:
            raise Unreachable(f"{self._host} did not answer in time") from e
        except (requests.exceptions.RequestException, Urllib3Error, OSError) as e:
            raise Unreachable(f"{self._host} cannot be reached: {_reason(e)}") from e


@dataclass(frozen=True, slots=True)
class _Said:
    """PagerDuty's code, message (with all reasons, shortened) and reasons of a refusal."""

    code: int | None = None
    message: str = ""
    reasons: tuple[str, ...] = ()


def failure(host: str, status: int, headers: Mapping[str, str], content: bytes) -> BackendError:
    """Return the error that an HTTP ``status`` other than 2xx means."""
    found = _said(content)
    said = f": {found.message}" if found.message else ""
    if status < requests.codes.bad_request:
        return BackendFault(f"{host} sent us elsewhere (HTTP {status}): check its address")
    if status in {408, 425} or status >= requests.codes.server_error:
        return BackendFault(f"{host} failed (HTTP {status}){said}", retry_after=_retry_after(headers))
    if status == requests.codes.too_many_requests:
        return RateLimited(f"{host} asks for fewer requests", retry_after=_retry_after(headers))
    return _refusal(host, status, said, found)


def _refusal(host: str, status: int, said: str, found: _Said) -> BackendError:
    if status == requests.codes.unauthorized:
        return Unauthorized(f"{host} does not accept the token: it is unknown, revoked or expired")
    if status == requests.codes.forbidden:
        return Forbidden(f"{host} does not allow this{said}")
    if status == requests.codes.not_found:
        return NotFound(f"{host} knows no such thing{said}")
    return Rejected(f"{host} refused (HTTP {status}){said}", code=found.code, reasons=found.reasons)


def _said(content: bytes) -> _Said:
    """Return what the body of a refusal says; it is not always of its documented shape."""
    try:
        error = json.loads(content).get("error")
    except (ValueError, RecursionError, AttributeError):
        return _Said()
    if isinstance(error, str):
        return _Said(message=plain(error, 200))
    if not isinstance(error, dict):
        return _Said()
    details = error.get("errors")
    reasons = tuple(plain(str(d), 500) for d in details[:MOST_REASONS]) if isinstance(details, list) else ()
    code = error.get("code")
    message = plain(": ".join(p for p in (str(error.get("message", "")), *reasons) if p), 300)
    return _Said(code if isinstance(code, int) else None, message, reasons)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    for name in ("Retry-After", "ratelimit-reset"):
        value = headers.get(name, "").strip()
        if value.isascii() and value.isdigit():
            return min(float(value), 300.0)
    return None


def _date(text: str | None) -> datetime | None:
    """Read a ``Date`` header, which has whole seconds only."""
    try:
        return parsedate_to_datetime(text or "").astimezone(UTC)
    except ValueError:
        return None


def _reason(error: BaseException | None) -> str:
    """Return what the operating system said, which requests wraps three times over."""
    while error is not None:
        if isinstance(error, OSError) and error.strerror:
            return plain(error.strerror, 120)
        error = error.__cause__ or error.__context__
    return "the connection broke"
