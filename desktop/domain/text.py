"""Make text from outside safe to store and to show. Pure.

Alerts are written by strangers: they carry control characters, markup, bidirectional overrides and megabytes. Whatever
is shown goes through ``plain``; whatever is stored goes through ``storable``.
"""

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "…"

# Explicit bidirectional embeddings, overrides and isolates can make a line read as something else (CVE-2021-42574).
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset({"Cf", "Cn", "Mn", "Me", "Zs", "Zl", "Zp"})
_FIRST_STRONG_ISOLATE, _POP_DIRECTIONAL_ISOLATE = "\u2068", "\u2069"


def storable(text: str) -> str:
    """Return ``text`` with NUL and lone surrogates replaced: no database of ours can hold them."""
    if text.isascii() and "\0" not in text:
        return text
    return "".join(REPLACEMENT if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)


def storable_json(value: object) -> object:
    """Return ``value`` (parsed JSON) with every string in it, keys included, made ``storable``."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(k)): storable_json(v) for k, v in value.items()}
    if isinstance(value, list):
        return [storable_json(v) for v in value]
    return value


def shorten(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of ``text``, the last one an ellipsis when something was cut."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + ELLIPSIS


def plain(text: str, limit: int) -> str:
    """Return ``text`` as one line of at most ``limit`` visible characters.

    Control characters and bidirectional overrides are dropped, NUL and surrogates replaced, runs of white space become
    one space. Markup stays as the characters that it is: the screen shows plain text only.
    """
    # Cutting first keeps a 100 KB title cheap; four times leaves room for what is dropped below.
    seen = text[: limit * 4]
    # Nearly all text is this, and needs no look at each character.
    harmless = seen.isascii() and seen.isprintable()
    cleaned = " ".join((seen if harmless else "".join(_visible(c) for c in storable(seen))).split())
    if len(text) > len(seen) and len(cleaned) <= limit:
        cleaned += ELLIPSIS
    # Joiners and marks alone show nothing at all.
    if all(unicodedata.category(c) in _INVISIBLE for c in cleaned):
        return ""
    return shorten(cleaned, limit)


def isolated(text: str) -> str:
    """Return ``text`` wrapped so that its writing direction cannot reorder what stands around it."""
    return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_DIRECTIONAL_ISOLATE}"


def _visible(char: str) -> str:
    if char in _BIDI_CONTROLS:
        return ""
    if char.isspace():
        return " "
    return "" if unicodedata.category(char) == "Cc" else char
