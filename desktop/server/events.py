"""PagerDuty's Events API v2: what an event must look like. Pure.

Laxer than PagerDuty: whatever says which service and what to do is taken, and all of it is kept. A page that is refused
is a page that nobody gets, for a sender takes a 400 as the last word.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from desktop.domain.text import plain
from desktop.server.failures import InvalidEvent
from desktop.server.naming import TITLE_LIMIT, name_of

KEY_LIMIT = 255


class Action(StrEnum):
    """What an event asks for."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``severity`` is the sender's own word; ``original`` is all that was sent.

    ``title`` is plain, and empty where nothing in the event says what is the matter.
    """

    routing_key: str
    action: Action
    dedup_key: str | None
    title: str
    severity: object
    link: str
    original: Mapping[str, Any]


def parse(value: object, header_key: str = "") -> Event:
    """Read an event from parsed JSON; InvalidEvent names every mistake.

    ``header_key`` stands in where the event carries no routing key (PagerDuty's ``X-Routing-Key``).
    """
    if not isinstance(value, dict):
        raise InvalidEvent(["the event must be a JSON object"])
    errors: list[str] = []
    key = value.get("routing_key") or header_key
    key = key.strip() if isinstance(key, str) else ""
    if not key:
        errors.append("'routing_key' is missing or blank")
    action = value.get("event_action")
    action = action.strip().lower() if isinstance(action, str) else ""
    if action not in {a.value for a in Action}:
        errors.append("'event_action' must be one of trigger, acknowledge, resolve")
    dedup = dedup_key(value.get("dedup_key"))
    if dedup is None and action in (Action.ACKNOWLEDGE, Action.RESOLVE):
        errors.append("'dedup_key' is missing or blank")
    if errors:
        raise InvalidEvent(errors)
    payload = value.get("payload")
    return Event(
        routing_key=key,
        action=Action(action),
        dedup_key=dedup,
        title=name_of(value),
        severity=payload.get("severity") if isinstance(payload, dict) else None,
        link=link_of(value.get("client_url")),
        original={name: part for name, part in value.items() if name != "routing_key"},
    )


def title_of(text: str) -> str:
    """Return ``text`` as a title: one plain line; what it loses is kept in the details."""
    return plain(text, TITLE_LIMIT) or "(unreadable title)"


def link_of(value: object) -> str:
    """Return a link that may be offered to a person: http(s) only, of sane length, else nothing."""
    if not isinstance(value, str) or not value.startswith(("https://", "http://")) or len(value) > 2000:
        return ""
    return plain(value, 2000)


def dedup_key(value: object) -> str | None:
    """Return the key as text; one that is too long is cut, and told from others by a digest of all of it."""
    if value is None or value == "":
        return None
    key = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    if len(key) <= KEY_LIMIT:
        return key
    digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
    return f"{key[: KEY_LIMIT - len(digest) - 1]}~{digest}"
