"""How the server is reached from outside: its own names, TLS or a proxy that has it, what it refuses. Values only.

Tokens travel in headers, so that nobody on the way may read them: beyond this machine there is TLS, or a proxy's.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from desktop.domain.errors import InputError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_URL_FORM = "--public-url: write https://NAME or https://NAME:PORT, nothing behind it"


@dataclass(frozen=True, slots=True)
class Reach:
    """``names`` are the server's own beside its address; ``proxies`` are believed about whom they speak for.

    ``proxies_only``: others than these and this machine itself are refused, for they would come without TLS.
    ``public_url`` is what links begin with, empty where nobody said it.
    """

    names: frozenset[str] = frozenset()
    proxies: tuple[Network, ...] = ()
    proxies_only: bool = False
    public_url: str = ""

    def is_own(self, host: str, server: tuple[str, int | None]) -> bool:
        """Tell whether the Host header ``host`` names this server, which was reached at its address ``server``.

        A name that an attacker chose can be made to mean our address (DNS rebinding), an address cannot.
        """
        name, port = split_host(host)
        if name in self.names:
            return True
        own_port = server[1] or 0
        if port != own_port and not (port is None and own_port in (80, 443)):
            return False
        return is_loopback(name) or (address(name) is not None and address(name) == address(server[0]))

    def speaks_for_others(self, peer: str) -> bool:
        """Tell whether ``peer`` is one of the proxies."""
        found = address(peer)
        return found is not None and any(found in network for network in self.proxies)


def reach(host: str, *, tls: bool, proxies: Sequence[str] = (), public_url: str = "") -> Reach:
    """Return how a server on ``host`` is reached; InputError when others could read what is sent to it."""
    if not (is_loopback(host) or tls or proxies):
        raise InputError(
            f"--host {host}: whoever is on the way could read tokens: give --tls-cert FILE and --tls-key FILE, or "
            "--behind-proxy IP of the proxy that has TLS"
        )
    names = {host.lower()} if host and not is_loopback(host) and not _is_wildcard(host) else set()
    public = _public_url(public_url, secure=tls or bool(proxies))
    if public:
        names.add(split_host(urlsplit(public).netloc.lower())[0])
    return Reach(frozenset(names), tuple(_network(proxy) for proxy in proxies), bool(proxies) and not tls, public)


def split_host(header: str) -> tuple[str, int | None]:
    """Return the name (an IPv6 address without its brackets) and the port in a Host header."""
    text = header.strip().lower()
    name, colon, port = text.rpartition(":")
    if not (colon and port.isascii() and port.isdigit() and len(port) <= 5):
        name, port = text, ""
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    return name, int(port) if port else None


def is_loopback(name: str) -> bool:
    """Tell whether ``name`` is this machine itself."""
    found = address(name)
    return name.lower() == "localhost" or (found is not None and found.is_loopback)


def address(text: str) -> Address | None:
    """Return the address that ``text`` writes out, None when it is none; IPv4 as IPv6 maps it is IPv4."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _is_wildcard(host: str) -> bool:
    found = address(host)
    return found is not None and found.is_unspecified


def _network(text: str) -> Network:
    try:
        found = ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise InputError(f"--behind-proxy {text[:80]}: not an IP address, nor a network like 10.0.0.0/24") from error
    if found.prefixlen == 0:
        raise InputError(f"--behind-proxy {text[:80]}: that is everybody, who could then pass for anybody")
    return found


def _public_url(text: str, *, secure: bool) -> str:
    """Check ``--public-url`` and return it without a slash at its end."""
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        whole = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise InputError(_URL_FORM) from error
    if not whole or parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise InputError(_URL_FORM)
    if not text.isascii() or not text.isprintable() or set(text) & set(" \"'<>\\"):
        raise InputError("--public-url: a name has only letters, digits, dots and hyphens (others in their xn-- form)")
    if parts.scheme == "http" and (secure or not is_loopback(parts.hostname or "")):
        raise InputError(f"--public-url: write https://{parts.netloc}, for tokens must not be readable on the way")
    return f"{parts.scheme}://{parts.netloc}"
