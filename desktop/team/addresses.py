"""Addresses in a team file: links, hosts, mail, telephone, references to secrets. Pure; readers raise ``Wrong``."""

import re
from urllib.parse import parse_qsl, unquote, urlsplit

from desktop.team.schemas import SCHEMAS
from desktop.team.words import LOOKS_LIKE_REFERENCE, Wrong, nearest, said, text

_REFERENCE = re.compile(r"keyring:[A-Za-z0-9][\w.@/-]{0,127}|env:[A-Za-z_]\w{0,127}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@<>\"',;:]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
# What Slack, GitHub and GitLab begin a token with; else ten letters and digits in a row, mixed; or twenty of either.
_TOKEN = re.compile(
    r"xox[a-z]-|gh[a-z]_|glpat-|(?<![A-Za-z0-9])(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{10}|[A-Za-z0-9]{20}",
    re.IGNORECASE,
)
_SECRET_KEY = re.compile(r"pass|pwd|token|key|secret|auth", re.IGNORECASE)
_MEND = 'keep the whole URL in the keyring or the environment and write "keyring:NAME" or "env:NAME"'
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
    if _holds_login(address):
        raise Wrong("holds a user or a password: secrets never stand in a team file.")
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
    """Return where a message goes: a reference to a secret, or an Apprise URL that holds none, as far as one can see.

    Of mail the user is part of the address; of everything else it is half a login, or a token.
    """
    if isinstance(value, str) and is_reference(value):
        return value
    if not isinstance(value, str) or len(value) > 2000 or not value.isprintable() or not _SCHEME.fullmatch(value):
        raise Wrong('must be "keyring:NAME", "env:NAME" or an Apprise URL such as "mailto://ana@example.com".')
    if LOOKS_LIKE_REFERENCE.search(value):
        raise Wrong("a reference to a secret must be the whole value: keep the whole URL in the keyring.")
    if _holds_secret(value):
        raise Wrong(f"holds what looks like a password or a token: {_MEND}.")
    return value


def doubt(address: str) -> str:
    """Return what is doubtful about where a message goes, empty where nothing is: only of mail it is never a secret."""
    if is_reference(address) or _is_mail(address):
        return ""
    schema = address.partition(":")[0].lower()
    if schema not in SCHEMAS:
        return f"messages are not sent to {said(schema)} addresses{nearest(schema, SCHEMAS)}"
    return f"whoever knows such an address can often write there: {_MEND}."


def _is_mail(url: str) -> bool:
    return url.lower().startswith(("mailto://", "mailtos://"))


def _holds_secret(url: str) -> bool:
    """Tell whether ``url`` has a login, or anything in it that looks like a token, wherever Apprise takes one."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no number, such as the second half of a Telegram token
        query = parse_qsl(parts.query)
    except ValueError:
        return True
    if parts.password is not None or any(_SECRET_KEY.search(key) for key, _ in query):
        return True
    if _is_mail(url):
        return False
    name = parts.hostname or ""
    # Names with dots and addresses are machines; any other is whatever the service takes it for.
    places = [
        "" if set(name) & {".", ":"} else parts.netloc,
        parts.path,
        parts.fragment,
        *(value for _, value in query),
    ]
    return parts.username is not None or any(_TOKEN.search(unquote(place)) for place in places)


def _holds_login(url: str) -> bool:
    """Tell whether ``url``, one that could be read, has a user or a password."""
    return "@" in urlsplit(url).netloc


def link_or_reference(value: object) -> str:
    """Return a link, or a reference to a secret that holds one."""
    return value if isinstance(value, str) and is_reference(value) else link(value)
