"""What a sender reports of one alert, and how that becomes an event. Pure.

The event has the shape of PagerDuty's, so that all that reads events (history, links, details) reads these as well.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from desktop.domain.text import shorten
from desktop.server.events import Action, Event, dedup_key, link_of, title_of

Json = dict[str, Any]

MOST = 500
"""How many alerts of one request page one by one: real groups are smaller, and it must fit into a minute's limit."""

MOST_ENDING = 2_000
"""How many are acknowledged or resolved: more than fit into a body, unless it is made up."""

_SAID = 200
_SUMMARY = 4_096


@dataclass(frozen=True, slots=True)
class Report:
    """One alert: ``key`` tells it from others, ``severities`` are the sender's words for it, the most telling first.

    ``links`` are (what it leads to, address), the best first; ``details`` are whatever else was said.
    """

    sender: str
    action: Action
    key: str
    title: str
    severities: tuple[object, ...] = ()
    source: str = ""
    links: tuple[tuple[str, str], ...] = ()
    image: str = ""
    details: Json = field(default_factory=dict)


def event(report: Report, routing_key: str, severity: object) -> Event:
    """Return ``report`` as an event whose severity is the word ``severity``."""
    key, link = dedup_key(report.key), report.links[0][1] if report.links else ""
    original: Json = {
        "event_action": report.action.value,
        "dedup_key": key,
        "client": report.sender,
        "client_url": link,
        "links": [{"href": address, "text": name} for name, address in report.links],
        "images": [{"src": report.image}] if report.image else [],
        "payload": {
            # All of it is in the details, unless it is its group's: then there may be many of them.
            "summary": shorten(report.title, _SUMMARY),
            "source": report.source,
            "severity": severity,
            "custom_details": report.details,
        },
    }
    return Event(routing_key, report.action, key, title_of(report.title), severity, link, original)


def unreadable(sender: str, value: object) -> Report:
    """Return the report of an alert of which nothing is understood: it pages, with what it says."""
    title = f"Unreadable alert from {sender}: {said(value)}"
    return Report(sender, Action.TRIGGER, digest(sender, value), title, details={"unreadable": value})


def bounded(reports: Sequence[Report]) -> list[Report]:
    """Return at most ``MOST`` of the ``reports`` that page; one more speaks for those that are left out.

    What ends an alert is kept beyond that: left out, it would leave an incident open.
    """
    taken: list[Report] = []
    left_out: list[Report] = []
    room = {Action.TRIGGER: MOST, Action.ACKNOWLEDGE: MOST_ENDING, Action.RESOLVE: MOST_ENDING}
    for report in reports:
        if room[report.action] > 0:
            room[report.action] -= 1
            taken.append(report)
        elif report.action is Action.TRIGGER:
            left_out.append(report)
    return [*taken, _left_out(left_out)] if left_out else taken


def _left_out(reports: Sequence[Report]) -> Report:
    sender = reports[0].sender
    title = f"{len(reports)} more alerts from {sender} in one request were not taken one by one"
    details = {"alerts left out": [shorten(report.title, _SAID) for report in reports[:100]]}
    return Report(sender, Action.TRIGGER, f"left-out-{digest(sender)}", title, details=details)


def text(value: object) -> str:
    """Return ``value`` as text where it is a text or a number, else nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def first(*values: object) -> str:
    """Return the first of ``values`` that says something, as text."""
    return next((found for value in values if (found := text(value))), "")


def part(value: object, name: str) -> Mapping[str, Any]:
    """Return the object ``name`` of ``value``, an empty one where there is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def links(found: Iterable[tuple[str, object]]) -> tuple[tuple[str, str], ...]:
    """Return those of the (name, address) that are links to offer: http(s) only, each address once."""
    known: dict[str, str] = {}
    for name, value in found:
        address = link_of(text(value))
        if address:
            known.setdefault(address, name)
    return tuple((name, address) for address, name in known.items())


def said(value: object) -> str:
    """Return shortly what ``value`` says: a text itself, anything else as JSON."""
    return shorten(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), _SAID)


def digest(*parts: object) -> str:
    """Return a key made of ``parts``: the same for the same, whatever the order of their objects' keys."""
    written = json.dumps(parts, sort_keys=True).encode()
    return hashlib.sha256(written).hexdigest()[:32]
