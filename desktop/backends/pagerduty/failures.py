"""What an HTTP answer other than 2xx means: one table from status to error; and what broke without one. Pure."""

import errno
import json
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, ProxyError

from desktop.domain.ailment import Ailment
from desktop.domain.errors import (
    BackendError,
    BackendFault,
    Forbidden,
    NotFound,
    RateLimited,
    Rejected,
    Unauthorized,
)
from desktop.domain.text import plain

# More mistakes than anybody reads at once.
MOST_REASONS = 1000
# Nobody keeps a watch blind for longer, whatever they ask for.
LONGEST_WAIT = 300.0
_RESET = "ratelimit-reset"
_OFFLINE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})


@dataclass(frozen=True, slots=True)
class _Said:
    """PagerDuty's code, message (with all reasons, shortened) and reasons of a refusal."""

    code: int | None = None
    message: str = ""
    reasons: tuple[str, ...] = ()


def failure(host: str, status: int, headers: Mapping[str, str], content: bytes, now: datetime) -> BackendError:
    """Return the error that an HTTP ``status`` other than 2xx means, heard ``now`` (local time)."""
    found = _said(content)
    said = f": {found.message}" if found.message else ""
    if status < requests.codes.bad_request:
        return BackendFault(
            f"{host} sent us elsewhere (HTTP {status}{_target(headers)}): check its address", ailment=Ailment.REDIRECT
        )
    limited = status == requests.codes.too_many_requests
    # Every answer may say when the limit begins anew; only here it is why there is no better one.
    wait = retry_after(headers, now, limited=limited)
    if status in {408, 425} or status >= requests.codes.server_error:
        said = f"{host} failed (HTTP {status}){said}"
        return BackendFault(said, retry_after=wait, ailment=Ailment.SERVER_FAILS)
    if limited:
        until = "" if wait is None else f", and none for {wait:.0f} s"
        return RateLimited(f"{host} asks for fewer requests{until}", retry_after=wait)
    if status not in {401, 403} and _web_page(headers.get("Content-Type", ""), content):
        # Whoever stands between says so, and does not know what the backend would have said: no click ends with that.
        said = f"{host} answered a web page (HTTP {status}): does something between us refuse this?"
        return BackendFault(said, ailment=Ailment.WEB_PAGE)
    return _refusal(host, status, said, found)


def no_protocol(host: str, kind: str, content: bytes) -> BackendFault:
    """Return what it means that an answer of the media type ``kind``, with a status of success, is no JSON."""
    if _web_page(kind, content):
        said = f"{host} answered a web page, which is not JSON: is there a login page between?"
        return BackendFault(said, ailment=Ailment.WEB_PAGE)
    return BackendFault(f"{host} answered something that is not JSON, or broken", ailment=Ailment.BROKEN_ANSWER)


def _web_page(kind: str, content: bytes) -> bool:
    return kind.lower().startswith("text/html") or content.lstrip()[:1] == b"<"


def retry_after(headers: Mapping[str, str], now: datetime, *, limited: bool = True) -> float | None:
    """Return in how many seconds to come back, None where it is not said; never more than ``LONGEST_WAIT``.

    When the limit begins anew is the answer only where requests were ``limited``. A moment is counted from the
    answer's own ``Date``, since the clocks may differ, else from ``now``.
    """
    for name in ("Retry-After", *([_RESET] if limited else [])):
        value = headers.get(name, "").strip()
        if value.isascii() and value.isdigit():
            return min(float(value[:12]), LONGEST_WAIT)
        if (until := http_date(value)) is not None:
            wait = until - (http_date(headers.get("Date")) or now)
            return min(max(wait.total_seconds(), 0.0), LONGEST_WAIT)
    return None


def http_date(text: str | None) -> datetime | None:
    """Read an HTTP date, which has whole seconds only; None where it is none."""
    try:
        return parsedate_to_datetime(text or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it wraps: the libraries do so three times over."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def reason(error: BaseException) -> str:
    """Return what the operating system, or a proxy, said."""
    for cause in causes(error):
        if isinstance(cause, OSError) and not isinstance(cause, requests.exceptions.RequestException):
            said = cause.strerror or (str(cause.args[0]) if len(cause.args) == 1 else "")
            if said:
                return plain(said, 120)
    return "the connection broke"


def ailment(error: BaseException, *, proxied: bool) -> Ailment:
    """Return what exactly broke, without an answer; certificates are told apart by whoever believes them."""
    found = tuple(causes(error))
    if proxied and any(isinstance(cause, (ProxyError, requests.exceptions.ProxyError)) for cause in found):
        return _of_proxy(found)
    for kind, meant in _BROKE:
        if any(isinstance(cause, kind) for cause in found):
            return meant
    if any(isinstance(cause, OSError) and cause.errno in _OFFLINE for cause in found):
        return Ailment.OFFLINE
    # Only now: what could not connect is made of these, whatever the reason.
    if any(isinstance(cause, (requests.exceptions.ConnectTimeout, ConnectTimeoutError)) for cause in found):
        return Ailment.SWALLOWED
    if any(isinstance(cause, (requests.exceptions.Timeout, TimeoutError)) for cause in found):
        return Ailment.SILENT
    return Ailment.CUT_OFF


_BROKE: tuple[tuple[type[BaseException], Ailment], ...] = (
    (socket.gaierror, Ailment.UNKNOWN_NAME),
    (ConnectionRefusedError, Ailment.REFUSING),
)


def _of_proxy(found: tuple[BaseException, ...]) -> Ailment:
    """Tell what a proxy answered; http.client passes its status on in words alone (``HTTPConnection._tunnel``)."""
    said = (re.match(r"Tunnel connection failed: (\d{3})\b", str(cause)) for cause in found)
    status = next((match[1] for match in said if match), None)
    if status is None:
        return Ailment.PROXY_GONE
    return Ailment.PROXY_LOGIN if status == "407" else Ailment.PROXY_REFUSES


def _target(headers: Mapping[str, str]) -> str:
    """Return where a redirect leads, without what may be in its path; empty where that is no address."""
    try:
        parts = urlsplit(headers.get("Location", ""))
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return f", to {plain(f'{parts.scheme}://{host}', 100)}" if parts.scheme in {"http", "https"} and host else ""


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
