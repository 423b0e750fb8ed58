"""Which way requests take: through which proxy, and whose certificates are believed. Pure but for its errors.

The environment's proxies are read here, explicitly, and never by the HTTP library: that one sent a request for this
machine's own server, with its token, to a proxy (docs/decisions/0013).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from desktop.domain.ailment import Ailment
from desktop.domain.errors import InputError
from desktop.domain.text import plain

# In the settings: no proxy, whatever the environment says.
NO_PROXY = "none"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Route:
    """A connection's own way: ``proxy`` (an address, ``none``, or empty for the environment's); ``ca`` (a PEM file)."""

    proxy: str = ""
    ca: str = ""


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_proxy(proxy: str) -> str:
    """Return ``proxy`` as it may stand in the settings; InputError when it is none, or holds a password."""
    if proxy in {"", NO_PROXY}:
        return proxy
    if "@" in proxy:
        raise InputError(
            "a proxy's name and password do not belong into the settings, which are no place for secrets: "
            "put the whole address into the environment variable HTTPS_PROXY, and leave the proxy out here",
            ailment=Ailment.PROXY_LOGIN,
        )
    return _usable(proxy, "the proxy")


def proxy_for(url: str, wish: str, environment: Mapping[str, str]) -> str | None:
    """Return the proxy for ``url``: what is wished for (``Route.proxy``), else the environment's; None for none.

    This machine is never reached through one. NO_PROXY speaks of the environment's proxies only.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or wish == NO_PROXY:
        return None
    if wish:
        return check_proxy(wish)
    found = _variable(environment, f"{parts.scheme}_proxy") or _variable(environment, "all_proxy")
    if not found or _excepted(host, parts.port or _DEFAULT_PORTS.get(parts.scheme, 0), environment):
        return None
    return _usable(found if "://" in found else f"http://{found}", "the proxy of the environment")


def shown(proxy: str) -> str:
    """Return a proxy's host and port, without the password that its address may hold."""
    return plain(urlsplit(proxy).netloc.rpartition("@")[2], 100)


def without_login(address: str) -> str:
    """Return an address without a name and password before its host: whoever edits settings may have put some there."""
    scheme, slashes, rest = address.partition("://")
    # A password may hold anything, these, too.
    head = f"{scheme}{slashes}" if slashes and scheme.isalnum() else ""
    return plain(f"{head}{(rest if head else address).rpartition('@')[2]}", 300)


def _variable(environment: Mapping[str, str], name: str) -> str:
    """Return a variable, of which the lower case comes first (as curl has it)."""
    return (environment.get(name) or environment.get(name.upper()) or "").strip()


def _usable(proxy: str, what: str) -> str:
    try:
        parts = urlsplit(proxy)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _no_address(what) from None
    if parts.scheme.startswith("socks"):
        raise InputError(
            f"{what} {shown(proxy)} speaks SOCKS, which Watchbell does not: "
            f"name an HTTP proxy for the connection, or {NO_PROXY!r} for none",
            ailment=Ailment.PROXY_UNUSABLE,
        )
    if parts.scheme not in _DEFAULT_PORTS or not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise _no_address(what)
    return proxy.rstrip("/")


def _no_address(what: str) -> InputError:
    return InputError(f"{what} is no address like http://proxy.example.com:3128", ailment=Ailment.PROXY_UNUSABLE)


def _excepted(host: str, port: int, environment: Mapping[str, str]) -> bool:
    """Tell whether NO_PROXY names ``host``: exactly, as a domain above it, with a port, as a network, or all (*)."""
    entries = (e.strip().lower() for e in _variable(environment, "no_proxy").split(","))
    return any(_names(entry, host.lower().rstrip("."), port) for entry in entries if entry)


def _names(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    if (address := _address(host)) is not None:
        try:
            return address in ip_network(entry.strip("[]"), strict=False)
        except ValueError:
            pass
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isascii() and wanted.isdigit():
        if int(wanted) != port:
            return False
        entry = name.strip("[]")
    entry = entry.removeprefix("*").strip(".")
    return bool(entry) and (host == entry or host.endswith(f".{entry}"))


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
