"""Keys that no endpoint of ours knows are refused: a wish that is misspelt must not become another one.

On the event loop, or any thread. PagerDuty ignores them, and so do the endpoints that it has, too.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant

from desktop.domain.text import plain
from desktop.server.api.common import Json
from desktop.server.failures import invalid

_OURS = "/watchbell/v1/"
# Called with an address that somebody else puts together: a sender, a calendar program.
_OPEN = (f"{_OURS}ingest/", f"{_OURS}calendar/")

CLOSED: Json = {"additionalProperties": False}
"""What the schema of an object says whose keys are all named in it."""


def known_keys(body: object, schema: Json) -> None:
    """Refuse (400) a ``body`` with keys that ``schema``, where it is ``CLOSED``, does not have: name both.

    References to what has its own shape in answers (``{"id": …, "summary": …}``) are not closed.
    """
    errors = list(_unknown(body, schema, ""))
    if errors:
        raise invalid(*errors)


async def known_query(request: Request) -> None:
    """Refuse (400) an address with keys behind the question mark that its endpoint, one of ours, does not have."""
    route = request.scope["route"]
    if not request.query_params or not route.path.startswith(_OURS) or route.path.startswith(_OPEN):
        return
    known = list(dict.fromkeys(_asked(route.dependant)))
    errors = [_named(name, known, "the query") for name in request.query_params if name not in known]
    if errors:
        raise invalid(*errors)


def _asked(dependant: Dependant) -> Iterator[str]:
    """Yield what an endpoint, and what it depends on, reads of the query."""
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _asked(inner)


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
    return f"{where or 'the body'}: there is no key {plain(name, 40)!r}{meant}; there are {', '.join(known) or 'none'}"
