"""Single values of a team file: texts, ids, choices, numbers. Pure; each reader raises ``Wrong``."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from desktop.domain.severity import Severity
from desktop.domain.severity import parse as parse_severity
from desktop.domain.text import plain, shorten

_E = TypeVar("_E", bound=StrEnum)

_ID = re.compile(r"\w[\w.@+-]{0,63}")
# Where nothing is near, so many of what is known are named.
_FEW = 10
LOOKS_LIKE_REFERENCE = re.compile(r"\b(?:keyring|env):")


@dataclass(frozen=True, slots=True)
class Near:
    """What a wrong ``word`` may have meant: looked up when it is made a text, for that is slow where much is known.

    The text ends a message: ``; did you mean "…"?`` for what is nearest, else what to write instead: ``otherwise``, or
    a few of what is known. Beginnings count too: ``tiem`` is near ``time_zone``. ``also`` are other names for what is
    known.
    """

    word: str
    known: Collection[str]
    also: Mapping[str, str]
    otherwise: str = ""

    @property
    def comparisons(self) -> int:
        """How many names the word is compared with, about."""
        return 2 * len(self.known) + len(self.also)

    def __str__(self) -> str:
        """Look it up."""
        options = sorted(self.known)
        word = self.word[:100].casefold()
        names = {option.casefold()[: len(word)]: option for option in reversed(options)}
        names |= {name.casefold(): option for name, option in self.also.items()}
        names |= {option.casefold(): option for option in options}
        close = get_close_matches(word, names, n=1, cutoff=0.6)
        if close:
            return f'; did you mean "{names[close[0]]}"?'
        return f": {self.otherwise}." if self.otherwise else _a_few(options)


def _a_few(options: Sequence[str]) -> str:
    more = f" and {len(options) - _FEW} more" if len(options) > _FEW else ""
    return f"; use one of: {', '.join(options[:_FEW])}{more}." if options else "."


class Wrong(ValueError):
    """What is wrong with a value, and how to mend it; the caller knows where it stands. ``near`` ends the message."""

    def __init__(self, message: str, near: Near | None = None) -> None:
        super().__init__(message)
        self.near = near


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


def nearest(word: str, known: Collection[str], also: Mapping[str, str] | None = None, *, otherwise: str = "") -> Near:
    """Return what ``word`` may have meant among what is ``known``; ``otherwise`` is the mend where nothing is near."""
    return Near(word, known, also or {}, otherwise)


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
    if LOOKS_LIKE_REFERENCE.match(line):
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
            raise Wrong(f"{said(word)} is no {what}", nearest(word, options))
        return word

    return read


def member_of(kind: type[_E], what: str, *, but: Iterable[_E] = ()) -> Callable[[object], _E]:
    """Return a reader of one of the values of the enumeration ``kind``, without those in ``but``."""
    read_word = one_of({e.value for e in kind} - {e.value for e in but}, what)
    return lambda value: kind(read_word(value))


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
