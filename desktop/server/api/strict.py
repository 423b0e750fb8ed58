"""Keys that no endpoint of ours knows are refused: a wish that is misspelt must not become another one. Pure.

PagerDuty ignores them, and so do the endpoints that it has, too.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from desktop.domain.text import plain
from desktop.server.api.common import Json
from desktop.server.failures import invalid

CLOSED: Json = {"additionalProperties": False}
"""What the schema of an object says whose keys are all named in it."""


def known_keys(body: object, schema: Json) -> None:
    """Refuse (400) a ``body`` with keys that ``schema``, where it is ``CLOSED``, does not have: name both.

    References to what has its own shape in answers (``{"id": …, "summary": …}``) are not closed.
    """
    errors = list(_unknown(body, schema, ""))
    if errors:
        raise invalid(*errors)


def _unknown(value: object, schema: Json, where: str) -> Iterator[str]:
    if isinstance(value, list):
        for place, each in enumerate(value):
            yield from _unknown(each, schema.get("items", {}), f"{where}[{place}]")
    elif isinstance(value, dict):
        known: dict[str, Any] = schema.get("properties", {})
        for name in value:
            if name not in known and schema.get("additionalProperties") is False:
                yield _named(name, list(known), where)
        for name, inner in known.items():
            yield from _unknown(value.get(name), inner, f"{where}.{name}" if where else name)


def _named(name: str, known: list[str], where: str) -> str:
    near = get_close_matches(name, known, 1)
    meant = f" (is {near[0]} meant?)" if near else ""
    return f"{where or 'the body'}: there is no key {plain(name, 40)!r}{meant}; there are {', '.join(known)}"
