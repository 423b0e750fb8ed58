"""Addresses in a team file: links, hosts, mail, telephone, references to secrets. Pure; readers raise ``Wrong``."""

import re
from urllib.parse import urlsplit

from desktop.team.words import LOOKS_LIKE_REFERENCE, Wrong, said, text

_REFERENCE = re.compile(r"keyring:[A-Za-z0-9][\w.@/-]{0,127}|env:[A-Za-z_]\w{0,127}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@<>\"',;:]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_PHONE = re.compile(r"\+?[0-9(][0-9 ()./,;#*x-]{1,40}")


def link(value: object) -> str:
    """Return an http or https address without a password."""
    address = text(value, 2000)
    try:
        parts = urlsplit(address)
        usable = bool(parts.hostname) and parts.port != 0 and parts.scheme in {"http", "https"} and " " not in address
    except ValueError:
        usable = False
    if not usable:
        raise Wrong(f"{said(address)} is no link: it must begin with https:// or http:// and name a host.")
    if _holds_password(address):
        raise Wrong("holds a password: secrets never stand in a team file.")
    return address


def host(value: object) -> str:
    """Return the name or address of a host."""
    name = text(value, 253)
    if not re.fullmatch(r"[A-Za-z0-9_.:-]+", name) or name.startswith("-"):
        raise Wrong(f"{said(name)} is no host name.")
    return name


def mail(value: object) -> str:
    """Return a mail address."""
    address = text(value, 254)
    if not _MAIL.fullmatch(address):
        raise Wrong(f"{said(address)} is no mail address: write for example ana@example.com.")
    return address


def phone(value: object) -> str:
    """Return a telephone number."""
    number = text(value, 42)
    if not _PHONE.fullmatch(number):
        raise Wrong(f"{said(number)} is no telephone number: write for example +1 555 0100.")
    return number


def reference(value: object) -> str:
    """Return a reference to a secret: ``keyring:NAME`` or ``env:NAME``, and nothing around it."""
    if not isinstance(value, str) or not is_reference(value):
        # The value itself is not repeated: it may be the secret.
        raise Wrong('must be a reference to a secret: "keyring:NAME" or "env:NAME", and nothing else.')
    return value


def is_reference(value: object) -> bool:
    """Tell whether ``value`` is a reference to a secret."""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def channel(value: object) -> str:
    """Return where a message goes: a reference to a secret, or an Apprise URL that holds no password."""
    if isinstance(value, str) and is_reference(value):
        return value
    if not isinstance(value, str) or len(value) > 2000 or not value.isprintable() or not _SCHEME.fullmatch(value):
        raise Wrong('must be "keyring:NAME", "env:NAME" or an Apprise URL such as "mailto://ana@example.com".')
    if LOOKS_LIKE_REFERENCE.search(value):
        raise Wrong("a reference to a secret must be the whole value: keep the whole URL in the keyring.")
    if _holds_password(value):
        raise Wrong('holds a password: keep the whole URL in the keyring and write "keyring:NAME".')
    return value


def _holds_password(url: str) -> bool:
    try:
        return urlsplit(url).password is not None
    except ValueError:
        return True


def link_or_reference(value: object) -> str:
    """Return a link, or a reference to a secret that holds one."""
    return value if isinstance(value, str) and is_reference(value) else link(value)
