"""What an alert is called whose sender gave it no name, or an empty one. Pure.

Alertmanager's `{{ .CommonAnnotations.summary }}` is empty as soon as two alerts of a group differ in it.
"""

import re
from collections.abc import Iterator, Mapping

NAMELESS = "An alert without a name"

_DETAILS = ("alertname", "alert_name", "title", "name", "message", "msg", "subject", "description", "reason")
_LABEL = re.compile(r"^\s*-?\s*alertname\s*=\s*(\S.*)$", re.MULTILINE)


def name_of(payload: Mapping[str, object], event: Mapping[str, object]) -> str:
    """Return the summary in ``payload``, else what else there is that says what is the matter; never nothing."""
    return next(_names(payload, event), NAMELESS)


def _names(payload: Mapping[str, object], event: Mapping[str, object]) -> Iterator[str]:
    yield from _words(payload.get("summary"))
    details = payload.get("custom_details")
    if isinstance(details, str):
        yield from _lines(details)
    elif isinstance(details, Mapping):
        # Alertmanager's own details: one text with all labels of what fires.
        yield from _LABEL.findall(str(details.get("firing", "")))
        for key in _DETAILS:
            yield from _lines(details.get(key))
    told = [word for key in ("class", "component", "group", "source") for word in _words(payload.get(key))]
    if told:
        yield f"{NAMELESS}: {', '.join(told)}"
    for word in _words(event.get("client")):
        yield f"{NAMELESS}, from {word}"


def _words(value: object) -> Iterator[str]:
    """Yield ``value`` if it is a text or a number that says anything."""
    if isinstance(value, str | int | float) and not isinstance(value, bool) and (text := str(value).strip()):
        yield text


def _lines(value: object) -> Iterator[str]:
    for text in _words(value):
        yield from (line.strip() for line in text.splitlines() if line.strip())
