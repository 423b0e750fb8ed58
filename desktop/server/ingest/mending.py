"""Reads JSON that is broken: as much of it as can be read, in one pass and without recursion. Pure.

A sender may write NaN, a number of a thousand digits, text cut off in the middle or in a wrong encoding, details nested
without end. Of many alerts in one body, the whole ones are read as they are, and the broken one as far as it goes.
"""

import json
import math
import re
from typing import Any

from desktop.domain.text import ELLIPSIS, storable_json

DEPTH_LIMIT = 32
"""Deeper nesting is left out, an ellipsis in its place."""

_NUMBER_LIMIT = 40
# The string's end may be missing; a bare word is whatever is neither.
_TOKEN = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"?|([{}\[\],:])|([^\s{}\[\],:"]+)', re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)


def mend(text: str) -> object:
    """Return what ``text`` means to be: an object or a list as far as it can be read, else the text itself."""
    stripped = text.strip()
    if not stripped.startswith(("{", "[")):
        return storable_json(stripped)
    builder = _Builder()
    for token in _TOKEN.finditer(stripped):
        if token[2]:
            builder.sign(token[2])
        else:
            builder.value(_word(token[3]) if token[3] else _string(token[1] or ""))
    return storable_json(builder.result())


class _Builder:
    """Puts together what is read; ``_open`` are the objects and lists that have not ended, each object with its key."""

    def __init__(self) -> None:
        self._top: list[Any] = []
        self._open: list[dict[str, Any] | list[Any]] = [self._top]
        self._keys: list[str | None] = [None]

    def sign(self, sign: str) -> None:
        """Take a bracket, a comma or a colon."""
        if sign in "{[":
            self._begin({} if sign == "{" else [])
        elif sign in "}]":
            self._drop_key()
            if len(self._open) > 1:
                self._open.pop()
                self._keys.pop()
        elif sign == ",":
            self._drop_key()

    def value(self, value: object) -> None:
        """Take a string, a number or a word: in an object, the first of two is the key."""
        place = self._open[-1]
        if isinstance(place, list):
            place.append(value)
        elif (key := self._keys[-1]) is None and not isinstance(value, dict | list):
            self._keys[-1] = str(value)
        else:
            place[key or ""] = value
            self._keys[-1] = None

    def result(self) -> object:
        """Return the first thing that was read."""
        return self._top[0]

    def _begin(self, inner: dict[str, Any] | list[Any]) -> None:
        self.value(inner if len(self._open) <= DEPTH_LIMIT else ELLIPSIS)
        self._open.append(inner)
        self._keys.append(None)

    def _drop_key(self) -> None:
        """Keep a key that has no value."""
        place, key = self._open[-1], self._keys[-1]
        if isinstance(place, dict) and key is not None:
            place[key] = None
        self._keys[-1] = None


def _string(body: str) -> str:
    if "\\" not in body:
        return body
    try:
        return str(_DECODER.decode(f'"{body}"'))
    except ValueError:
        return body


def _word(word: str) -> object:
    """Return what a bare word stands for; a number that is too large, and what is none, stay text."""
    if len(word) > _NUMBER_LIMIT:
        return word
    try:
        value = json.loads(word, parse_constant=str)
    except ValueError:
        return word
    return word if isinstance(value, float) and not math.isfinite(value) else value
