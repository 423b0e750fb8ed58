"""``ingest/generic``: a small body for scripts and for whatever has no module of its own. Pure.

``{title, severity, key, status, link, details}``, of which the title is enough; a list of those; or a bare text, whose
first line is the title. Without a key, alerts of the same title are one incident.
"""

from collections.abc import Mapping
from typing import Any

from desktop.server.events import Action
from desktop.server.ingest.report import Report, digest, first, links, said, text, unreadable

SENDER = "Webhook"

_ACTIONS = {
    **dict.fromkeys(("resolved", "resolve", "recovered", "ok", "closed", "cleared"), Action.RESOLVE),
    **dict.fromkeys(("acknowledged", "acknowledge", "ack"), Action.ACKNOWLEDGE),
}
_TITLES = ("title", "summary", "message", "text", "name", "subject")


def read(value: object, sender: str = SENDER) -> list[Report]:
    """Return the reports in a parsed body; none where it is empty."""
    if isinstance(value, list):
        return [_one(part, sender) for part in value]
    return [] if value in (None, "", {}) else [_one(value, sender)]


def action_of(word: object) -> Action:
    """Return what a status asks for: one that is unknown or absent pages."""
    return _ACTIONS.get(text(word).lower(), Action.TRIGGER)


def title_in(value: Mapping[str, Any]) -> str:
    """Return the title in an object, nothing where it has none."""
    return first(*(value.get(name) for name in _TITLES))


def _one(value: object, sender: str) -> Report:
    if isinstance(value, dict):
        return _object(value, sender)
    content = text(value)
    if not content:
        return unreadable(sender, value)
    return Report(sender, Action.TRIGGER, digest(content), content.splitlines()[0], details={"text": content})


def _object(value: Mapping[str, Any], sender: str) -> Report:
    named = title_in(value)
    given = value.get("key") or value.get("dedup_key")
    title = named or f"Alert from {sender} without a title: {said(value)}"
    return Report(
        sender,
        action_of(value.get("status")),
        text(given) or (digest(given or named) if given or named else digest(sender, value)),
        title,
        (value.get("severity"),),
        first(value.get("source"), value.get("host")),
        links((("Link", value.get("link")), ("Link", value.get("url")))),
        details=_details(value),
    )


def _details(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return all that was said: the details by themselves where there is little else."""
    details = value.get("details")
    others = {name: part for name, part in value.items() if name != "details"}
    return {**others, **(details if isinstance(details, dict) else {} if details is None else {"details": details})}
