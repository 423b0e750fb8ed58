"""Who was paged, in rows: each page of a person, its end, and the messages that follow from both. On the writer.

What happened is told from an incident's draft (``moves``, pure) and written once for all that shares a commit
(``play``), in the transaction of the transition: no page is without its ladder, and none climbs after its end.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, exists, select, update

from desktop.channels.text import Text
from desktop.domain.incident import Status
from desktop.domain.ladder import CONFIRMED_WITHIN, has_ladder
from desktop.server import outbox, places, wording
from desktop.server.contributions import awaited
from desktop.server.dialects import insert_all
from desktop.server.directory import Directory
from desktop.server.outbox import Kind, Message, State
from desktop.server.records import ENGINE, PAGED, Draft, Record
from desktop.server.responding import CALLED_OFF
from desktop.server.roster import Roster
from desktop.server.tables.handovers import handover_offers
from desktop.server.tables.messages import messages, pages

_page, _message = pages.c, messages.c
_END = (
    update(pages)
    .where(_page.incident_id == bindparam("b_incident"), _page.number <= bindparam("b_number"))
    .where(_page.ended_at.is_(None))
    .values(ended_at=bindparam("b_at"), next_at=None)
    .returning(_page.person_id, _page.number)
)
_THEIRS = _END.where(_page.person_id == bindparam("b_person"))
_CANCEL = (
    update(messages)
    .where(
        _message.incident_id == bindparam("b_incident"),
        _message.kind == Kind.PAGE,
        _message.state == State.WAITING,
        _message.recipient == bindparam("b_recipient"),
        _message.page == bindparam("b_page"),
    )
    .values(state=State.CANCELLED, settled_at=bindparam("b_at"))
)
# Whatever was tried may have arrived, also what failed since, or is to be tried again: what became of an attempt that
# was under way until now is noted by another server at any time, between two of our statements, too.
_TRIED = select(_message.recipient, _message.address, _message.page).where(
    _message.incident_id == bindparam("incident"),
    _message.kind == Kind.PAGE,
    _message.attempts > 0,
    # Whoever was offered a watch hears how the handover ended.
    ~exists().where(handover_offers.c.incident_id == _message.incident_id),
)


@dataclass(frozen=True, slots=True)
class Paged:
    """The ``number``-th page of an incident, to ``people``; ``looks`` is when to look at the ladder of each."""

    incident: str
    number: int
    people: tuple[str, ...]
    looks: Mapping[str, datetime]
    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of the pages of an incident up to the ``number``-th, by ``by``: those of ``people``, None for everybody.

    ``text`` says so to who was messaged, but for ``by``; None: nobody has to hear it.
    """

    incident: str
    number: int
    by: str
    at: datetime
    text: Text | None
    people: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Something that ``messages`` say beside all pages."""

    messages: tuple[Message, ...]


Move = Paged | Ended | Told


def moves(draft: Draft, roster: Roster, directory: Directory, now: datetime) -> list[Move]:
    """Return what the transition that made ``draft`` means for pages, in order."""
    record, found = draft.record, list[Move]()
    kinds = {entry.type for entry in draft.entries}
    if kinds & {"acknowledge", "resolve"}:
        found.append(_end(draft, directory, now))
    called_off = _called_off(draft)
    if called_off:
        found.append(Ended(record.id, record.pages, draft.entries[0].actor, now, None, called_off))
    if gone := tuple(person for person in _taken_off(draft) if person not in called_off):
        found.append(_given(draft, directory, gone, now))
    if people := _paged(draft):
        looks = _looks(people, roster, now) if has_ladder(record.severity) else {}
        found.append(Paged(record.id, record.pages, people, looks, now))
    if overdue := [person for entry in draft.entries if entry.type == "overdue" for person in entry.data["told"]]:
        found.append(Told(tuple(_overdue(record, roster, directory, overdue, now))))
    return found


def play(connection: Connection, moves: Sequence[Move]) -> None:
    """Write what ``moves`` say."""
    rows = [row for move in moves if isinstance(move, Paged) for row in _rows(move)]
    insert_all(connection, pages, rows)
    for move in moves:
        if isinstance(move, Ended):
            _play_end(connection, move)
        elif isinstance(move, Told):
            outbox.put(connection, move.messages)


def _paged(draft: Draft) -> tuple[str, ...]:
    people = (p for entry in draft.entries if entry.type in PAGED for p in entry.data.get("assignees", ()))
    return tuple(dict.fromkeys(people))


def _called_off(draft: Draft) -> tuple[str, ...]:
    return tuple(p for entry in draft.entries if entry.type == CALLED_OFF for p in entry.data["unassigned"])


def _looks(people: Sequence[str], roster: Roster, now: datetime) -> dict[str, datetime]:
    """Return when to look at each ladder first: one without addresses, when an application had its time to confirm."""
    return {p: now if places.ladder(roster, p) else now + CONFIRMED_WITHIN for p in people}


def _end(draft: Draft, directory: Directory, now: datetime) -> Ended:
    record, before = draft.record, draft.before
    by = next((e.actor for e in draft.entries if e.type in ("acknowledge", "resolve")), record.changed_by)
    kinds = [entry.type for entry in draft.entries]
    joined = (
        record.open and before is not None and before.status is Status.ACKNOWLEDGED and "unacknowledge" not in kinds
    )
    # A page that follows in the same transition is of the next number, one that came before is over, too.
    answered = max(place for place, kind in enumerate(kinds) if kind in ("acknowledge", "resolve"))
    later = any(entry.type in PAGED and entry.data.get("assignees") for entry in draft.entries[answered:])
    number = record.pages - 1 if record.open and later else record.pages
    if joined:
        return Ended(record.id, number, by, now, None, (by.removeprefix("person:"),))
    return Ended(record.id, number, by, now, wording.stand_down(record, directory))


def _taken_off(draft: Draft) -> tuple[str, ...]:
    """Return who had an open incident and does not any more, those left out whose help is waited for."""
    if draft.before is None or not draft.before.open:
        return ()
    has = {held.person for held in draft.record.assignments}
    had = (held.person for held in draft.before.assignments)
    return tuple(person for person in had if person not in has and not awaited(draft.record.responders, person))


def _given(draft: Draft, directory: Directory, gone: tuple[str, ...], now: datetime) -> Ended:
    """Return the end of the pages of those who have it no longer; they hear to whom a person gave it.

    What the engine takes goes with a watch, of which the handover tells, or was theirs who left the team.
    """
    record, by = draft.record, draft.entries[0].actor
    text = None if by == ENGINE else wording.given(record, directory)
    return Ended(record.id, record.pages, by, now, text, gone)


def _overdue(
    record: Record, roster: Roster, directory: Directory, people: Iterable[str], now: datetime
) -> Iterable[Message]:  # fmt: skip
    for person in people:
        for address in places.ladder(roster, person)[:1]:
            yield Message(
                key=f"overdue:{record.id}:{person}",
                kind=Kind.OVERDUE,
                recipient=f"{places.PERSON}{person}",
                address=address,
                at=now,
                incident=record.id,
                text=wording.overdue(record, directory, person),
            )


def _rows(move: Paged) -> list[dict[str, Any]]:
    return [
        {
            "incident_id": move.incident,
            "number": move.number,
            "person_id": person,
            "paged_at": move.at,
            "used": [],
            "next_at": move.looks.get(person),
        }
        for person in move.people
    ]


def _play_end(connection: Connection, move: Ended) -> None:
    """End pages, cancel what was not sent for them, and tell who was messaged.

    In this order: whoever climbs or sends meanwhile on another server is waited for, and what they did is seen.
    """
    ended = {(f"{places.PERSON}{person}", number) for person, number in _end_rows(connection, move)}
    if not ended:
        return
    connection.execute(
        _CANCEL,
        [{"b_incident": move.incident, "b_recipient": recipient, "b_page": number, "b_at": move.at}
         for recipient, number in sorted(ended)],
    )  # fmt: skip
    if move.text is not None:
        outbox.put(connection, _stand_downs(connection, move, move.text, ended))


def _end_rows(connection: Connection, move: Ended) -> list[tuple[str, int]]:
    """End pages; return of whom each was, and its number."""
    values: dict[str, Any] = {"b_incident": move.incident, "b_number": move.number, "b_at": move.at}
    asked = [(_END, values)] if move.people is None else [(_THEIRS, {**values, "b_person": p}) for p in move.people]
    return [(row.person_id, row.number) for statement, about in asked for row in connection.execute(statement, about)]


def _stand_downs(
    connection: Connection, move: Ended, text: Text, ended: set[tuple[str, int]]
) -> list[Message]:  # fmt: skip
    tried = connection.execute(_TRIED, {"incident": move.incident})
    told = dict.fromkeys((r, address) for r, address, page in tried if (r, page) in ended and r != move.by)
    return [
        Message(
            key=f"stand_down:{move.incident}:{move.number}:{recipient}:{address}",
            kind=Kind.STAND_DOWN,
            recipient=recipient,
            address=address,
            at=move.at,
            incident=move.incident,
            text=text,
        )
        for recipient, address in told
    ]
