"""What messages say: plain text, the words of alerts in it as strange as they come. Pure."""

import re
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from desktop.channels.text import Text, bounded
from desktop.domain.incident import Status
from desktop.domain.text import plain
from desktop.server.directory import Directory
from desktop.server.records import Record

_TITLE = 300
# Chats make a call to everybody of these, wherever they stand; only people may call.
_CALLS = re.compile(r"@(?=everyone|here|channel|all)|<(?=[@!#])", re.IGNORECASE)
_WORD_JOINER = "\N{WORD JOINER}"


def page(record: Record, directory: Directory, person: str, link: str = "") -> Text:
    """Return what pages ``person`` for an incident; ``link`` is where they can acknowledge it, nothing: nowhere."""
    lines = [
        f"You are paged: {said(record.title)}",
        f"Incident {record.number}, {record.severity.label}, {said(directory.service(record.service_id).name)}",
        f"since {local(record.created_at, directory.person(person).time_zone)}",
        f"Paged: {names(directory, [held.person for held in record.assignments])}",
    ]
    if link:
        lines.append(f"Acknowledge: {link}")
    return bounded(Text(f"[{record.severity.label}] {said(record.title)}", "\n".join(lines)))


def stand_down(record: Record, directory: Directory) -> Text:
    """Return what tells those who were paged that they need not come any more, and why."""
    if record.status is Status.RESOLVED:
        kind, _, who = record.changed_by.partition(":")
        by = f" by {said(directory.person(who).name)}" if kind == "person" else ""
        why = f"It is resolved{by}."
    else:
        who = names(directory, [held.person for held in record.acknowledgements])
        why = f"{who} has it." if who else f"It was acknowledged{_by_service(record, directory)}; nobody has it yet."
    body = f"{why}\nIncident {record.number}, {record.severity.label}: {said(record.title)}"
    return bounded(Text(f"Stand down: {said(record.title)}", body))


def given(record: Record, directory: Directory) -> Text:
    """Return what tells those who were paged for it that it went to others instead."""
    who = names(directory, [held.person for held in record.assignments])
    body = f"It was given to {who}.\nIncident {record.number}, {record.severity.label}: {said(record.title)}"
    return bounded(Text(f"Stand down: {said(record.title)}", body))


def _by_service(record: Record, directory: Directory) -> str:
    service = record.acknowledged_by_service
    return f" by the service {said(directory.service(service).name)}" if service else ""


def overdue(record: Record, directory: Directory, person: str) -> Text:
    """Return what tells a manager that an incident is open longer than it should be."""
    since = local(record.created_at, directory.person(person).time_zone)
    body = f"Incident {record.number}, {record.severity.label}, is open since {since}: the target to resolve it passed."
    return bounded(Text(f"Overdue: {said(record.title)}", body))


def said(text: str, limit: int = _TITLE) -> str:
    """Return ``text`` from outside as a part of a message: one line that calls nobody."""
    return _CALLS.sub(lambda found: found[0] + _WORD_JOINER, plain(text, limit))


def names(directory: Directory, people: Iterable[str]) -> str:
    """Return what ``people`` are called, one after another."""
    return ", ".join(said(directory.person(person).name) for person in people)


def local(at: datetime, zone: str) -> str:
    """Return an instant as a clock in ``zone`` shows it; without one, in UTC."""
    shown = at.astimezone(ZoneInfo(zone or "UTC"))
    return f"{shown:%Y-%m-%d %H:%M} ({zone or 'UTC'})"
