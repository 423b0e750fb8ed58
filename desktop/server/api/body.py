"""Reading request bodies: strict JSON, limited, safe to store. On the event loop.

Whatever is wrong with a body is a 400 that says what; nothing in one can become a 500.
"""

import json
from collections.abc import Callable
from typing import Any, NoReturn

from fastapi import Request

from desktop.domain.text import storable_json
from desktop.server.failures import invalid

# Deeper than any real event, shallower than any recursion limit.
DEPTH_LIMIT = 64
_NUMBER_LIMIT = 40


class NotJson(ValueError):
    """A body that is no JSON which can be kept; the text says why."""


async def json_body(request: Request) -> object:
    """Return the parsed body of ``request``; refused (400) when it is not JSON."""
    try:
        return parse(await request.body())
    except NotJson as error:
        raise invalid(str(error)) from error


def parse(content: bytes) -> object:
    """Parse strict JSON (no NaN, no duplicate keys, bounded depth and numbers), made storable; NotJson otherwise."""
    try:
        value = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_number(float),
            parse_int=_number(int),
        )
    except NotJson:
        raise
    except UnicodeDecodeError as error:
        raise NotJson("the body is not UTF-8") from error
    except RecursionError as error:
        raise NotJson(f"the JSON is nested deeper than {DEPTH_LIMIT} levels") from error
    except ValueError as error:
        raise NotJson(f"the body is not JSON: {error}") from error
    _check_depth(value)
    return storable_json(value)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotJson("the JSON names a key twice in one object")
    return found


def _constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is not JSON")


def _number(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> object:
        value = kind(text) if len(text) <= _NUMBER_LIMIT else None
        if value is None or value in (float("inf"), float("-inf")):
            raise NotJson(f"the JSON holds a number that is too large: {text[:20]}")
        return value

    return read


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(DEPTH_LIMIT):
        level = [child for part in level for child in _children(part)]
        if not level:
            return
    raise NotJson(f"the JSON is nested deeper than {DEPTH_LIMIT} levels")


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
