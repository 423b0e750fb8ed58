"""What the doctor finds, and what to do about each failure of a connection. Pure."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import requests
from urllib3 import exceptions as urllib3_errors

from desktop.domain.errors import (
    BackendFault,
    Forbidden,
    KeyringAbsent,
    NotFound,
    RateLimited,
    SecretsUnavailable,
    Unauthorized,
    WatchbellError,
)

# How much libraries wrap around what really happened, at the most.
_MOST_CAUSES = 50


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was tested, whether it works, what was seen, what to do."""

    name: str
    ok: bool
    message: str
    mend: str = ""


def mend_of(error: WatchbellError, url: str) -> str:
    """Return what a person can do about a connection to ``url`` that fails with ``error``."""
    for kind, mend in _BY_KIND:
        if isinstance(error, kind):
            return mend.format(url=url)
    causes = tuple(_causes(error))
    for found, mend in _BY_CAUSE:
        if any(isinstance(cause, found) for cause in causes):
            return mend.format(url=url)
    return "Check the network, and the address: 'watchbell connections' lists it." if error.retryable else ""


_FAULT = (
    "Open {url} in a browser: a login page of the network wants an answer first, and a site that moved says where to. "
    "If it is right, whoever runs it must look at it."
)
_CERTIFICATE = (
    "Check this machine's date first. If that is right, whoever runs {url} must renew or replace its certificate; "
    "one of your organisation's own authority must be named when connecting."
)
_SWALLOWED = "Check the network: a VPN that is off or a firewall swallows what is sent to {url}."
_BY_KIND: tuple[tuple[type[WatchbellError], str], ...] = (
    (Unauthorized, "Run 'watchbell connect {url} --token-stdin' with a new token, or enter one in Watchbell's window."),
    (Forbidden, "The token is known and may not do this: have one made that belongs to you and may read and write."),
    (NotFound, "Something else answers there: connect to the address of the API itself."),
    (RateLimited, "Wait a minute; if it stays so, find out what else uses the same token."),
    (BackendFault, _FAULT),
    (KeyringAbsent, "Install a keyring (gnome-keyring, KWallet), or set WATCHBELL_URL and WATCHBELL_TOKEN."),
    (SecretsUnavailable, "Unlock the keyring, or run 'watchbell connect {url} --token-stdin' again."),
)
_BY_CAUSE: tuple[tuple[type[BaseException], str], ...] = (
    (requests.exceptions.ProxyError, "Check the proxy: its address, and whether it lets you through to {url}."),
    (urllib3_errors.ProxyError, "Check the proxy: its address, and whether it lets you through to {url}."),
    (requests.exceptions.SSLError, _CERTIFICATE),
    (socket.gaierror, "Check the name in the address, and the network: some names are known within a VPN only."),
    (urllib3_errors.NameResolutionError, "Check the name in the address, and the network: some need a VPN."),
    (ConnectionRefusedError, "Nothing listens there: start the server, or check the port in the address."),
    (requests.exceptions.Timeout, _SWALLOWED),
    # Not its parent TimeoutError: a refused connection is one of those there.
    (
        urllib3_errors.ReadTimeoutError,
        _SWALLOWED,
    ),
    (TimeoutError, _SWALLOWED),
)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what an error was made of, the outermost first: libraries keep that in several places."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_CAUSES:
        found = waiting.pop(0)
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            waiting += [found.__cause__, found.__context__, getattr(found, "reason", None), *found.args]
