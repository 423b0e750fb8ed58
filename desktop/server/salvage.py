"""Reads what can be read of an event whose JSON is broken, so that a mistake in its details loses no page. Pure.

A client may send NaN, a number of a thousand digits, the same key twice, details nested without end, text cut off or in
a wrong encoding. Here only the few words are read that a page needs, without recursion; all the rest is kept as text.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from desktop.domain.text import shorten, storable

Json = dict[str, Any]

KEPT = 100_000
"""How many characters of what was sent are kept."""

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"?'
_SPACE = re.compile(r"[\s,]*")
_COLON = re.compile(r"\s*:\s*")
_TEXT = re.compile(_STRING, re.DOTALL)
_SCALAR = re.compile(r"[^\s,}\]]*")
_NESTING = re.compile(rf"{_STRING}|[{{}}\[\]]", re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)
_WORDS = ("event_action", "dedup_key", "client", "client_url")
_PAYLOAD = ("summary", "source", "severity")


def salvage(content: bytes) -> Json:
    """Return the event that ``content`` means to be, as far as it can be read; nothing of it may be there.

    Its details are the text that was sent, without the routing key, at most ``KEPT`` characters of it.
    """
    text = decoded(content)
    found: Json = {}
    payload: Json = {}
    rest, last = [], 0
    for key, start, end in _members(text, 0):
        value = text[start:end]
        if key == "routing_key":
            rest.append(text[last:start])
            last = end
        if key in ("routing_key", *_WORDS) and (word := _scalar(value)):
            found[key] = word
        elif key == "payload":
            payload |= _read_payload(value)
    if found or payload:
        details = {"unreadable": shorten(storable("".join((*rest, text[last:]))), KEPT)}
        found["payload"] = {**payload, "custom_details": details}
    return found


def _read_payload(text: str) -> Json:
    words = {key: _scalar(text[start:end]) for key, start, end in _members(text, 0) if key in _PAYLOAD}
    return {key: word for key, word in words.items() if word}


def decoded(content: bytes) -> str:
    """Return ``content`` as text, whatever is wrong with its encoding."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")


def _members(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Yield each key of the object that begins at ``at``, and from where to where its value is."""
    at = _after(_SPACE, text, at)
    if text[at : at + 1] != "{":
        return
    at = _after(_SPACE, text, at + 1)
    while (name := _TEXT.match(text, at)) is not None:
        colon = _COLON.match(text, name.end())
        if colon is None:
            return
        end = _end_of_value(text, colon.end())
        yield _scalar(name[0]), colon.end(), end
        at = _after(_SPACE, text, end)


def _end_of_value(text: str, at: int) -> int:
    if text[at : at + 1] not in ("{", "["):
        return _after(_TEXT if text[at : at + 1] == '"' else _SCALAR, text, at)
    depth = 0
    for part in _NESTING.finditer(text, at):
        if part[0] in "{[":
            depth += 1
        elif part[0] in "}]":
            depth -= 1
        if not depth:
            return part.end()
    return len(text)


def _scalar(text: str) -> str:
    """Return a string, or the word that stands there; nothing for what is nested, or for null."""
    if not text.startswith('"'):
        return "" if text[:1] in ("{", "[") or text == "null" else storable(text)
    try:
        return storable(str(_DECODER.raw_decode(text)[0]))
    except ValueError:
        return storable(text.strip('"'))


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()
