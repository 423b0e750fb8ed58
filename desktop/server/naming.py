"""What an event of the Events API is called, whatever it lacks: a page without a name is a page all the same. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from desktop.domain.text import plain

TITLE_LIMIT = 1024

Json = Mapping[str, Any]

_SAYS = ("summary", "description", "message", "title", "alertname", "alert_name", "name")
# As Alertmanager lists the alerts of a group in the details of its PagerDuty receiver.
_LISTED = re.compile(r"^\s*-\s*(summary|description|alertname)\s*=\s*(\S.*)$", re.MULTILINE)
_HEADING = re.compile(r"^\s*(labels|annotations|source):?\s*$", re.IGNORECASE)
_READ = 20_000


def name_of(event: Json) -> str:
    """Return what ``event`` is called: by its summary, else by the first thing in it that says something, else ''."""
    found = (plain(name, TITLE_LIMIT) for name in _names(event))
    return next((name for name in found if name), "")


def nameless(service: str) -> str:
    """Return what an event is called that says nothing at all, after the ``service`` that it is about."""
    return plain(f"An alert without a name from {service}", TITLE_LIMIT)


def _names(event: Json) -> Iterator[str]:
    payload = event.get("payload")
    parts = payload if isinstance(payload, dict) else {}
    details = parts.get("custom_details")
    said = details if isinstance(details, dict) else {}
    yield _text(parts.get("summary")) or _nested(parts.get("summary"))
    yield _text(payload)
    yield from _firing(said.get("firing"))
    for where in (said, parts, event):
        yield from (_text(where.get(key)) for key in _SAYS)
    yield _text(details)
    yield _place(parts)
    client = _text(event.get("client"))
    yield f"An alert without a name from {client}" if client else ""


def _firing(value: object) -> Iterator[str]:
    """Yield what the alerts that Alertmanager lists say: as its text, or (newer ones) as JSON."""
    for alert in value if isinstance(value, list) else ():
        words = alert if isinstance(alert, dict) else {}
        for part in (words.get("annotations"), words.get("labels")):
            yield from (_text(part.get(key)) for key in _SAYS if isinstance(part, dict))
    text = _text(value)[:_READ]
    listed = _LISTED.findall(text)
    for wanted in _SAYS:
        yield from (told for key, told in listed if key == wanted)
    yield next((line for line in text.splitlines() if line.strip() and not _HEADING.match(line)), "")


def _place(payload: Json) -> str:
    """Return what is the matter and where, as far as the fields of PagerDuty say so: ``disk on db1``."""
    what = " ".join(filter(None, (_text(payload.get(key)) for key in ("class", "component"))))
    where = _text(payload.get("source")) or _text(payload.get("group"))
    if what and where:
        return f"{what} on {where}"
    return what or (f"An alert without a name from {where}" if where else "")


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def _nested(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) and value else ""
