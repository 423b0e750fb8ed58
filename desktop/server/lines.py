"""Lines of the history as PagerDuty's log entries, notes and alerts. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

from desktop.domain.severity import Severity
from desktop.server import departures, escalations, handing_on, holding, present, responding, things
from desktop.server.directory import Directory
from desktop.server.events import link_of
from desktop.server.history import Line
from desktop.server.records import MESSAGE, NO_ADDRESS, PAGED, POSTED, RECEIPTS, UNREACHED, Record
from desktop.server.roster import Roster

Json = dict[str, Any]

# Ours that PagerDuty has no word for, as its nearest.
_KINDS = {
    "priority_change": "field_value_change",
    "overdue": "annotate",
    holding.HELD: "annotate",
    holding.OVER: "annotate",
    departures.LEFT: "annotate",
    handing_on.HANDED: "assign",
    "stand_down": "annotate",
    responding.CALL: "annotate",
    responding.CALLED_OFF: "annotate",
    responding.STATUS_UPDATE: "annotate",
    MESSAGE: "notify",
    POSTED: "annotate",
    NO_ADDRESS: "annotate",
    UNREACHED: "annotate",
    **dict.fromkeys(RECEIPTS, "notify"),
}
_KNOWN = frozenset(
    {
        *("acknowledge", "annotate", "assign", "delegate", "escalate", "exhaust_escalation_path", "notify"),
        *("repeat_escalation_path", "resolve", "snooze", "trigger", "unacknowledge", "urgency_change"),
        "field_value_change",
    }
)
_WORDS = {
    "acknowledge": "Acknowledged",
    "annotate": "Note added",
    "assign": "Assigned to {people}",
    "delegate": "Delegated",
    "escalate": "Escalated to {people}",
    "exhaust_escalation_path": "Nobody is left to escalate to",
    "field_value_change": "Changed",
    "displayed": "Displayed to {people}",
    "input": "{people} used keyboard or mouse there",
    MESSAGE: "Messaged {people}",
    POSTED: "Posted to a channel of the team",
    NO_ADDRESS: "{people} could not be reached: no address, and no application showed it",
    UNREACHED: "{people} could not be reached: every address failed, and no application showed it",
    "sounded": "Sounded for {people}",
    "notify": "Paged {people}",
    "overdue": "The target to resolve has passed",
    holding.HELD: "Under maintenance: it pages nobody before that ends",
    holding.OVER: "Maintenance is over",
    departures.LEFT: "Somebody who had it left the team",
    handing_on.HANDED: "Handed over to {people}",
    "priority_change": "Severity changed",
    "repeat_escalation_path": "Escalated from the top again to {people}",
    "resolve": "Resolved",
    "snooze": "Snoozed",
    "stand_down": "Told to stand down",
    "trigger": "Triggered",
    "unacknowledge": "Unacknowledged",
    "urgency_change": "Urgency changed",
    responding.CALL: "Help asked for",
    responding.CALLED_OFF: "Help asked for no more",
    responding.STATUS_UPDATE: "Status update",
}
# PagerDuty's words for how bad an event is.
_EVENT_WORDS = {
    Severity.SEV0: "critical",
    Severity.SEV1: "error",
    Severity.SEV2: "warning",
    Severity.SEV3: "info",
}


def entry(line: Line, directory: Directory, roster: Roster, include: Collection[str] = ()) -> Json:
    """Return a line as a log entry; ``include`` names what is given whole (services, channels)."""
    kind = line.type if line.type in _KNOWN else _KINDS.get(line.type, "annotate")
    people = [str(person) for person in line.data.get("assignees") or ()]
    ref = things.reference(directory, f"{kind}_log_entry", line.id, _summary(line, people, directory), "log_entries")
    return ref | {
        "type": f"{kind}_log_entry",
        "created_at": things.instant(line.at),
        "agent": things.agent(line.actor, directory),
        "channel": _channel(line, full="channels" in include),
        "service": escalations.service(directory, roster, line.service_id, full="services" in include),
        "incident": present.reference(directory, line.incident_id, line.number, line.title),
        "teams": [],
        "contexts": _contexts(line.data.get("event")),
        **_particulars(line, kind, people, directory),
        "watchbell": {"type": line.type},
    }


def note(name: str, at: str | None, actor: str, content: str, directory: Directory) -> Json:
    """Return a note that ``actor`` wrote."""
    return {
        "id": name,
        "user": things.agent(actor, directory),
        "channel": {"summary": "The API"},
        "content": content,
        "created_at": at,
        "updated_at": at,
    }


def alert_id(incident_id: str) -> str:
    """Return the id of the alert of an incident: each has one."""
    return f"A{incident_id[1:]}"


def alert(record: Record, event: object, directory: Directory) -> Json:
    """Return the alert of an incident; ``event`` is what triggered it last, as it was sent."""
    return {
        "id": alert_id(record.id),
        "type": "alert",
        "summary": record.title,
        "self": f"{directory.origin}/incidents/{record.id}/alerts/{alert_id(record.id)}",
        "html_url": f"{directory.origin}/incidents/{record.id}",
        "created_at": things.instant(record.created_at),
        "status": "triggered" if record.open else "resolved",
        "alert_key": record.dedup_key,
        "service": things.service(directory, record.service_id),
        "first_trigger_log_entry": present.first_trigger(record, directory),
        "incident": present.reference(directory, record.id, record.number, record.title),
        "suppressed": False,
        "severity": _EVENT_WORDS[record.severity],
        "body": {"type": "alert_body", "contexts": _contexts(event), "details": _details(event)},
    }


def _summary(line: Line, people: list[str], directory: Directory) -> str:
    names = ", ".join(directory.person(person).name for person in people)
    return _WORDS.get(line.type, line.type).format(people=names or "nobody")


def _channel(line: Line, *, full: bool) -> Json:
    channel: Json = {"type": line.channel}
    event = line.data.get("event")
    if full and event is not None:
        channel |= {"summary": line.title, "details": event if isinstance(event, dict) else {"event": event}}
    return channel


def _particulars(line: Line, kind: str, people: list[str], directory: Directory) -> Json:
    """Return what only entries of this kind have."""
    found: Json = {}
    if text := _text(line.data):
        found["note"] = text
    shown = [things.user(directory, person, full=False) for person in people]
    if kind in PAGED:
        found["assignees"] = shown
    if kind == "notify" and shown:
        found["user"] = shown[0]
    if kind == "snooze":
        found["changed_actions"] = list(line.data.get("changed_actions") or ())
    if kind == "trigger":
        found["event_details"] = {"description": line.title}
    return found


def _text(data: Mapping[str, Any]) -> str:
    """Return what somebody wrote: a note, a status update, a call for help, how it was resolved."""
    found = (data.get(name) for name in ("content", "message", "resolution"))
    return next((text for text in found if isinstance(text, str) and text), "")


def _contexts(event: object) -> list[Json]:
    """Return the links and pictures of an event that are addresses of the web."""
    sent = event if isinstance(event, dict) else {}
    links = [(part, link_of(part.get("href"))) for part in _parts(sent.get("links"))]
    images = [(part, link_of(part.get("src"))) for part in _parts(sent.get("images"))]
    return [
        *({"type": "link", "href": link, "text": str(part.get("text") or link)} for part, link in links if link),
        *({"type": "image", "src": source, "text": str(part.get("alt") or "")} for part, source in images if source),
    ]


def _parts(value: object) -> list[Json]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _details(event: object) -> Json:
    """Return what an event says in detail: its own details, else all of it."""
    sent = event if isinstance(event, dict) else {}
    payload = sent.get("payload")
    details = payload.get("custom_details") if isinstance(payload, dict) else None
    if isinstance(details, dict):
        return details
    return sent if details is None else {"details": details}
