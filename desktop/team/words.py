"""Single values of a team file: durations, dates, zones, links, references. Pure; each raises ``Wrong``."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from desktop.domain.severity import Severity
from desktop.domain.severity import parse as parse_severity
from desktop.domain.team import Every, Unit
from desktop.domain.text import plain, shorten

_E = TypeVar("_E", bound=StrEnum)

_DURATION = re.compile(r"(\d{1,9})\s*([a-z]+)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONG_UNITS = {
    "s": "s", "sec": "s", "second": "s", "m": "m", "min": "m", "minute": "m", "h": "h", "hour": "h",
    "d": "d", "day": "d", "w": "w", "week": "w",
}  # fmt: skip
_SHIFT_UNITS = {"h": Unit.HOURS, "d": Unit.DAYS, "w": Unit.WEEKS}
_LONGEST = timedelta(days=3660)

_ID = re.compile(r"\w[\w.@+-]{0,63}")
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*")
_REFERENCE = re.compile(r"keyring:[A-Za-z0-9][\w.@/-]{0,127}|env:[A-Za-z_]\w{0,127}")
_LOOKS_LIKE_REFERENCE = re.compile(r"\b(?:keyring|env):")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@<>\"',;:]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_PHONE = re.compile(r"\+?[0-9(][0-9 ()./,;#*x-]{1,40}")
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


class Wrong(ValueError):
    """What is wrong with a value, and how to mend it; the caller knows where it stands."""


def said(value: object) -> str:
    """Return ``value`` as a message quotes it: one short line, TOML's words for its kind."""
    if isinstance(value, str):
        return f'"{plain(value, 60)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    return shorten(value.isoformat() if isinstance(value, date) else str(value), 60)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean "…"?`` for the known word nearest to ``word``, else a list of a few, else nothing."""
    options = sorted(known)
    folded = {option.casefold(): option for option in options}
    close = get_close_matches(word[:100].casefold(), folded, n=1, cutoff=0.4)
    if close:
        return f'; did you mean "{folded[close[0]]}"?'
    return f"; use one of: {', '.join(options)}." if 0 < len(options) <= 8 else "."


def text(value: object, limit: int = 200) -> str:
    """Return ``value`` as one line of text of 1 to ``limit`` characters."""
    if not isinstance(value, str):
        raise Wrong(f"expected text in quotes, not {said(value)}.")
    line = value.strip()
    if not line:
        raise Wrong("is empty.")
    if len(line) > limit:
        raise Wrong(f"is too long: {len(line)} characters, at most {limit}.")
    if plain(line, limit) != " ".join(line.split()) or not line.isprintable():
        raise Wrong("holds characters that cannot be shown, such as line breaks or controls.")
    if _LOOKS_LIKE_REFERENCE.match(line):
        raise Wrong("refers to a secret, which only notify, integration_key and channels may do.")
    return line


def identifier(value: object) -> str:
    """Return ``value`` as an id: letters, digits and ``. _ @ + -``, at most 64."""
    word = text(value, 64)
    if not _ID.fullmatch(word):
        raise Wrong(f"{said(word)} is no id: use letters, digits and . _ @ + - (no spaces).")
    return word


def one_of(known: Iterable[str], what: str) -> Callable[[object], str]:
    """Return a reader of one of the ``known`` words; ``what`` says what they are."""
    options = frozenset(known)

    def read(value: object) -> str:
        word = text(value)
        if word not in options:
            raise Wrong(f"{said(word)} is no {what}{nearest(word, options)}")
        return word

    return read


def member_of(kind: type[_E], what: str, *, but: Iterable[_E] = ()) -> Callable[[object], _E]:
    """Return a reader of one of the values of the enumeration ``kind``, without those in ``but``."""
    read_word = one_of({e.value for e in kind} - {e.value for e in but}, what)
    return lambda value: kind(read_word(value))


def duration(value: object) -> timedelta:
    """Return the time that ``"90s"``, ``"15m"``, ``"1h"`` or ``"1 week"`` names; ``"0s"`` is allowed."""
    count, unit = _counted(value, 'a duration: write for example "90s", "15m", "1h" or "1 week"')
    found = timedelta(seconds=count * _SECONDS[unit])
    if found > _LONGEST:
        raise Wrong(f"{said(value)} is longer than ten years.")
    return found


def positive(value: object) -> timedelta:
    """Return a duration that is longer than nothing."""
    found = duration(value)
    if not found:
        raise Wrong(f"{said(value)} is no time at all: it must be longer than 0s.")
    return found


def every(value: object) -> Every:
    """Return the shift length that ``"12 hours"``, ``"1 day"`` or ``"2 weeks"`` names."""
    count, unit = _counted(value, 'the length of a shift: write for example "12 hours", "1 day" or "1 week"')
    if unit not in _SHIFT_UNITS or count < 1:
        raise Wrong(f'{said(value)} is no length of a shift: write for example "12 hours", "1 day" or "1 week".')
    if count * _SECONDS[unit] > _LONGEST.total_seconds():
        raise Wrong(f"{said(value)} is longer than ten years.")
    return Every(count, _SHIFT_UNITS[unit])


def _counted(value: object, what: str) -> tuple[int, str]:
    """Return the count and the one-letter unit of ``value``."""
    found = _DURATION.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    unit = _LONG_UNITS.get(found[2]) or _LONG_UNITS.get(found[2].removesuffix("s")) if found else None
    if found is None or unit is None:
        raise Wrong(f"{said(value)} is not {what}.")
    return int(found[1]), unit


def day(value: object) -> date:
    """Return the date that ``value`` is; a time of day is one mistake, quotes another."""
    if isinstance(value, datetime):
        raise Wrong(f"is a date without a time: write {value.date().isoformat()}.")
    if not isinstance(value, date):
        raise Wrong(_no_date(value, "2026-01-05"))
    return _in_range(value)


def moment(value: object) -> datetime:
    """Return the date and time that ``value`` is: on the team's wall clock, unless it names an offset."""
    if not isinstance(value, datetime):
        if isinstance(value, date):
            raise Wrong(f"needs a time of day: write for example {value.isoformat()}T09:00:00.")
        raise Wrong(_no_date(value, "2026-01-05T09:00:00"))
    return _in_range(value)


def _no_date(value: object, example: str) -> str:
    if not isinstance(value, str):
        return f"expected a date like {example}, not {said(value)}."
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return f"{said(value)} is not in the calendar: write a date like {example}."
    return f"{said(value)}: write it without quotes, like {example if 'T' in example else found.date().isoformat()}."


_D = TypeVar("_D", bound=date)


def _in_range(value: _D) -> _D:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise Wrong(f"{value.isoformat()} is out of range: use the years {_FIRST_YEAR} to {_LAST_YEAR}.")
    return value


def zone(value: object) -> ZoneInfo:
    """Return the IANA time zone called ``value``."""
    name = text(value)
    if not _ZONE.fullmatch(name):
        raise Wrong(f"{said(name)} is no IANA time zone: write for example America/Los_Angeles.")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        # A folder of the database, such as "America", is an OSError.
        raise Wrong(f"{said(name)} is no IANA time zone{nearest(name, available_timezones())}") from error


def severity(value: object) -> Severity:
    """Return the severity that ``"sev0"`` … ``"sev3"`` names."""
    found = parse_severity(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong(f"{said(value)} is no severity; use one of: sev0, sev1, sev2, sev3.")
    return found


def whole(low: int, high: int) -> Callable[[object], int]:
    """Return a reader of whole numbers from ``low`` to ``high``."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Wrong(f"expected a whole number from {low} to {high}, not {said(value)}.")
        return value

    return read


def flag(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise Wrong(f"expected true or false, not {said(value)}.")
    return value


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
    if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
        # The value itself is not repeated: it may be the secret.
        raise Wrong('must be a reference to a secret: "keyring:NAME" or "env:NAME", and nothing else.')
    return value


def channel(value: object) -> str:
    """Return where a message goes: a reference to a secret, or an Apprise URL that holds no password."""
    if isinstance(value, str) and _REFERENCE.fullmatch(value):
        return value
    if not isinstance(value, str) or len(value) > 2000 or not value.isprintable() or not _SCHEME.fullmatch(value):
        raise Wrong('must be "keyring:NAME", "env:NAME" or an Apprise URL such as "mailto://ana@example.com".')
    if _LOOKS_LIKE_REFERENCE.search(value):
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
    return value if isinstance(value, str) and _REFERENCE.fullmatch(value) else link(value)
