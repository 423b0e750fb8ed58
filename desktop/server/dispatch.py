"""Takes messages that are due, says what they say, and notes what became of them. On the writer's thread."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.exc import SQLAlchemyError

from desktop.channels.outcome import Outcome
from desktop.channels.text import Text
from desktop.server import incidents, links, outbox, turns, wording
from desktop.server.outbox import Kind, State
from desktop.server.places import PERSON
from desktop.server.records import ENGINE, MESSAGE, POSTED
from desktop.server.station import Station
from desktop.server.tables.messages import pages
from desktop.server.writer import Work

log = logging.getLogger(__name__)

_page = pages.c
# Paged again since, whoever stands down would not come.
_PAGED_AGAIN = select(_page.number).where(
    _page.incident_id == bindparam("incident"), _page.person_id == bindparam("person"), _page.ended_at.is_(None)
)
_ENDED = select(_page.ended_at).where(
    _page.incident_id == bindparam("incident"),
    _page.number == bindparam("number"),
    _page.person_id == bindparam("person"),
)
_LOOK_AGAIN = (
    update(pages)
    .where(
        _page.incident_id == bindparam("b_incident"),
        _page.number == bindparam("b_number"),
        _page.person_id == bindparam("b_person"),
        _page.ended_at.is_(None),
    )
    .values(next_at=bindparam("b_at"))
)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that this server has taken: its ``attempt``-th."""

    id: int
    attempt: int
    kind: str
    recipient: str
    address: str
    incident: str | None
    page: int | None
    text: Text


def take(station: Station, work: Work, most: int, ids: Sequence[int] | None = None) -> list[Outgoing]:
    """Lease at most ``most`` messages that are due now, and return what they say; ``ids`` are those found already."""
    connection, now = work.connection, station.clock()
    rows = turns.lock(connection, turns.first(connection, now) if ids is None else ids, now)
    while rows:
        # What is dropped makes room: behind it another one to the same address may be due.
        found = (_outgoing(station, work, row, now) for row in rows if not _dropped(work, row, now))
        if taken := list(islice((outgoing for outgoing in found if outgoing is not None), most)):
            outbox.take(connection, [outgoing.id for outgoing in taken], now)
            return taken
        rows = turns.lock(connection, turns.first(connection, now), now)
    return []


def _outgoing(station: Station, work: Work, row: Row[Any], now: datetime) -> Outgoing | None:
    try:
        text = _text(station, work, row, now)
    except SQLAlchemyError:
        raise
    except Exception:
        # Whatever is wrong with it, it must not hold up the others.
        log.exception("a message cannot be worded", extra={"fields": {"message": row.id}})
        _give_up(work, row, "it cannot be worded", now)
        return None
    return Outgoing(row.id, row.attempts + 1, row.kind, row.recipient, row.address, row.incident_id, row.page, text)


def _dropped(work: Work, row: Row[Any], now: datetime) -> bool:
    """Settle a message that is not to be sent any more; tell whether it was one."""
    if row.attempts >= outbox.MOST_ATTEMPTS:
        _give_up(work, row, "every attempt ended with the server that made it", now)
    elif _over(work, row):
        outbox.drop(work.connection, row.id, State.CANCELLED, "", now)
    else:
        return False
    return True


def _give_up(work: Work, row: Row[Any], reason: str, now: datetime) -> None:
    outbox.drop(work.connection, row.id, State.FAILED, reason, now)
    _climb_on(work, row.kind, row.recipient, row.incident_id, row.page, now)


def _over(work: Work, row: Row[Any]) -> bool:
    """Tell whether a page ended, or began anew for who stands down, while a message waited for another attempt."""
    asked = {"incident": row.incident_id, "number": row.page, "person": row.recipient.removeprefix(PERSON)}
    if row.kind == Kind.STAND_DOWN:
        return work.connection.execute(_PAGED_AGAIN, asked).first() is not None
    return row.kind == Kind.PAGE and work.connection.execute(_ENDED, asked).scalar_one_or_none() is not None


def _text(station: Station, work: Work, row: Row[Any], now: datetime) -> Text:
    """Return what a message says. A page says what its incident is now, with a link of this attempt's own."""
    if row.text is not None:
        return Text(row.text["title"], row.text["body"])
    record, person = incidents.find(station, work.connection, row.incident_id), row.recipient.removeprefix(PERSON)
    link = links.issue(work.connection, record.id, person, links.Action.ACKNOWLEDGE, now, station.public_url)
    return wording.page(record, station.directory, person, link)


def settle(work: Work, outgoing: Outgoing, became: Outcome, now: datetime) -> None:
    """Note what became of an attempt, in its row, in the history of its incident, and in the log."""
    state = outbox.settle(work.connection, outgoing.id, outgoing.attempt, became, now)
    if state == State.SENT and outgoing.incident is not None:
        work.history.append(_line(outgoing, now))
    if state == State.FAILED:
        _climb_on(work, outgoing.kind, outgoing.recipient, outgoing.incident, outgoing.page, now)
    if state in (State.WAITING, State.FAILED):
        fields = {"message": outgoing.id, "to": outgoing.recipient, "attempt": outgoing.attempt, "error": became.reason}
        log.warning("message failed" if state == State.FAILED else "message delayed", extra={"fields": fields})


def _climb_on(work: Work, kind: str, recipient: str, incident: str | None, page: int | None, now: datetime) -> None:
    """Let the ladder of a page be looked at again at once: one of its messages will never arrive."""
    if kind == Kind.PAGE:
        person = recipient.removeprefix(PERSON)
        asked = {"b_incident": incident, "b_number": page, "b_person": person, "b_at": now}
        work.connection.execute(_LOOK_AGAIN, asked)


def _line(outgoing: Outgoing, now: datetime) -> dict[str, Any]:
    """Return what the history of the incident says of a message that was sent."""
    people = [outgoing.recipient.removeprefix(PERSON)] if outgoing.recipient.startswith(PERSON) else []
    data = {"to": outgoing.recipient, "kind": outgoing.kind, **({"assignees": people} if people else {})}
    return {
        "incident_id": outgoing.incident,
        "type": MESSAGE if people else POSTED,
        "at": now,
        "actor": ENGINE,
        "channel": "auto",
        "data": data,
    }
