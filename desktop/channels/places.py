"""Which machines a message may go to: those of the public internet, unless an operator allows others. Pure."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# https://www.rfc-editor.org/rfc/rfc6052: an IPv4 address behind a translator, in its last 32 bits.
_TRANSLATED = ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Tell whether ``address`` (numeric) is of the public internet: not this machine, its network, or nowhere."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(each.is_global and not each.is_multicast for each in (found, *_within(found)))


def _within(address: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address only wraps: what counts is where the packets arrive."""
    if isinstance(address, IPv4Address):
        return ()
    wrapped = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _TRANSLATED:
        wrapped.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return tuple(each for each in wrapped if each is not None)
