"""What people add to an incident: notes, and requests to others to help; and both as JSON and back. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from desktop.server.schema import from_micros, to_micros

Json = dict[str, Any]

# What of a note comes with its incident; the whole of it is in the history.
SHOWN_NOTE = 1000


class Answer(StrEnum):
    """What became of the request to a person to help, in PagerDuty's words."""

    PENDING = "pending"
    JOINED = "joined"


@dataclass(frozen=True, slots=True)
class Responder:
    """A person whom ``requester`` (both are ids) asked to help ``at``; ``answered_at`` is when they joined."""

    person: str
    requester: str
    message: str
    at: datetime
    state: Answer = Answer.PENDING
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """The latest that ``person`` (an id) wrote about an incident; at most ``SHOWN_NOTE`` characters of it."""

    id: str
    person: str
    text: str
    at: datetime


def joined(responders: tuple[Responder, ...], person: str, now: datetime) -> tuple[Responder, ...]:
    """Return ``responders`` after ``person`` took the incident: who was asked has joined."""
    return tuple(
        replace(responder, state=Answer.JOINED, answered_at=now) if _waits_for(responder, person) else responder
        for responder in responders
    )


def passed_on(responders: tuple[Responder, ...], giver: str, to: str) -> tuple[Responder, ...]:
    """Return ``responders`` after the watch of ``giver`` went ``to`` another: who has not come is waited for no longer.

    The request is theirs now, unless they were asked themselves.
    """
    known = {responder.person for responder in responders}
    return tuple(
        replace(responder, person=to) if _waits_for(responder, giver) else responder
        for responder in responders
        if not (_waits_for(responder, giver) and to in known)
    )


def awaited(responders: tuple[Responder, ...], person: str) -> bool:
    """Tell whether ``person`` was asked to help and has not come yet."""
    return any(_waits_for(responder, person) for responder in responders)


def _waits_for(responder: Responder, person: str) -> bool:
    return responder.person == person and responder.state is Answer.PENDING


def responders_to_json(responders: tuple[Responder, ...]) -> list[Json] | None:
    """Return the JSON of those who were asked; None for nobody."""
    return [_responder_to_json(responder) for responder in responders] or None


def responders_from_json(document: list[Json] | None) -> tuple[Responder, ...]:
    """Return those whom ``responders_to_json`` wrote."""
    return tuple(_responder_from_json(part) for part in document or ())


def note_to_json(note: Note | None) -> Json | None:
    """Return the JSON of a note."""
    return None if note is None else {"id": note.id, "person": note.person, "text": note.text, "at": to_micros(note.at)}


def note_from_json(document: Json | None) -> Note | None:
    """Return the note that ``note_to_json`` wrote."""
    if document is None:
        return None
    return Note(document["id"], document["person"], document["text"], from_micros(document["at"]))


def _responder_to_json(responder: Responder) -> Json:
    return {
        "person": responder.person,
        "requester": responder.requester,
        "message": responder.message,
        "at": to_micros(responder.at),
        "state": responder.state.value,
        "answered_at": None if responder.answered_at is None else to_micros(responder.answered_at),
    }


def _responder_from_json(part: Json) -> Responder:
    answered = part["answered_at"]
    return Responder(
        person=part["person"],
        requester=part["requester"],
        message=part["message"],
        at=from_micros(part["at"]),
        state=Answer(part["state"]),
        answered_at=None if answered is None else from_micros(answered),
    )
