"""``ingest/datadog``: Datadog's webhook, with the payload that docs/senders.md gives. Pure.

https://docs.datadoghq.com/integrations/webhooks/: the sender's user writes the payload, of variables. One that Datadog
does not know stays as it is written, one that has no value is empty or ``null``. Its own default payload is read, too.
"""

import re
from collections.abc import Mapping
from typing import Any

from desktop.server.events import Action, link_of
from desktop.server.ingest import generic
from desktop.server.ingest.report import Report, digest, first, links, text, unreadable

SENDER = "Datadog"

Json = Mapping[str, Any]

_OVER = frozenset({"recovered"})
# A monitor's own priority, P1 the highest, in words that every team's map has.
_PRIORITIES = {"p1": "critical", "p2": "error", "p3": "warning", "p4": "info", "p5": "info"}
_WARNS = frozenset({"warn", "re-warn"})
# "[Triggered on {host:db1}] Disk is full", also "[P1] [Recovered] …": the default payload has the transition only here.
_IN_TITLE = re.compile(
    r"(?P<before>(?:\[P[1-5]\]\s*)?\[)(?P<transition>(?:Re-)?(?:Triggered|No Data|Warn)|Recovered|Renotify)\b"
)


def read(value: object) -> list[Report]:
    """Return the report in a parsed body; none where it is empty."""
    if not isinstance(value, dict):
        return generic.read(value, SENDER)
    return [_one(value)] if value else []


def _one(value: Json) -> Report:
    told = {name: _known(part) for name, part in value.items()}
    title = first(generic.title_in(told), told.get("alert_title"), told.get("status"), told.get("body"))
    found = _IN_TITLE.match(title)
    transition = first(told.get("transition")) or (found["transition"] if found else "")
    kind = first(told.get("type"), told.get("alert_type")).lower()
    return Report(
        SENDER,
        _action(transition.lower(), kind),
        _key(told, title),
        title or unreadable(SENDER, value).title,
        _severities(first(told.get("priority")), transition.lower(), kind),
        first(told.get("hostname"), told.get("scope")),
        links((("Monitor", told.get("link")),)),
        link_of(told.get("snapshot")),
        dict(value),
    )


def _known(value: object) -> object:
    """Return what a variable became: nothing where it has no value, or is none of Datadog's."""
    word = text(value)
    return None if word.lower() == "null" or (word.startswith("$") and word[1:].isupper()) else value


def _action(transition: str, kind: str) -> Action:
    """Return what to do: only a recovery ends it; no data, a warning and what is unknown page."""
    over = transition in _OVER or (not transition and kind == "success")
    return Action.RESOLVE if over else Action.TRIGGER


def _key(told: Json, title: str) -> str:
    """Return what the events of one alert have in common: Datadog's aggregation key is one for a monitor and scope."""
    given = first(told.get("aggregation_key"), told.get("cycle_key"))
    if given:
        return given
    monitor = text(told.get("alert_id"))
    return (
        digest(monitor, text(told.get("scope")))
        if monitor
        else digest(_IN_TITLE.sub(r"\g<before>", title, count=1) or told)
    )


def _severities(priority: str, transition: str, kind: str) -> tuple[object, ...]:
    """Return the words for the severity: the monitor's priority, else what the alert is."""
    if priority.lower() in _PRIORITIES:
        return priority, _PRIORITIES[priority.lower()]
    return ("warning",) if transition in _WARNS else tuple(word for word in (priority, kind) if word)
