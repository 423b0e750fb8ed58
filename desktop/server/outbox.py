"""Messages that are to leave, as rows: put in, taken with a lease, settled. On a connection; writing on the writer.

A message is put in by the transaction that causes it and sent outside of any. Who takes it has it for ``LEASE``; if
they are killed, anybody takes it again then, and the only server of a database as soon as it is started again: it may
arrive twice, and never not at all.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, func, select, update

from desktop.channels.outcome import Outcome
from desktop.channels.text import Text
from desktop.server import places
from desktop.server.dialects import insert_new
from desktop.server.roster import Roster
from desktop.server.tables.messages import messages

# Longer than any attempt takes (``guard.DEADLINE_SECONDS``, and a keyring before it), and than two clocks differ.
LEASE = timedelta(seconds=60)
# With the waits below, some four minutes on average; then the ladder and the escalation have long gone on.
MOST_ATTEMPTS = 10
_FIRST_WAIT, LONGEST_WAIT = 2.0, 120.0

Draw = Callable[[float, float], float]


class State(StrEnum):
    """What becomes of a message."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Kind:
    """What a message is: a page says what the incident is when it leaves, everything else what it was told to say."""

    PAGE: Final = "page"
    STAND_DOWN: Final = "stand_down"
    OVERDUE: Final = "overdue"
    TEXT: Final = "text"


@dataclass(frozen=True, slots=True)
class Message:
    """A message to be sent ``at`` to one address of ``recipient``; a second one with the same ``key`` is none."""

    key: str
    kind: str
    recipient: str
    address: str
    at: datetime
    incident: str | None = None
    page: int | None = None
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The last message to one address (by its digest) of a recipient, which will never be sent, and why."""

    recipient: str
    address: str
    at: datetime
    error: str


_message = messages.c
_TAKE = (
    update(messages)
    .where(_message.id == bindparam("b_id"))
    .values(state=State.SENDING, attempts=_message.attempts + 1, leased_until=bindparam("b_until"))
)
_FREE = (
    update(messages)
    .where(_message.state == State.SENDING, _message.leased_until > bindparam("b_now"))
    .values(leased_until=bindparam("b_now"))
)
# Only by whoever has it now: an attempt that outlived its lease says nothing about the next one.
_SETTLE = (
    update(messages)
    .where(
        _message.id == bindparam("b_id"),
        _message.state == State.SENDING,
        _message.attempts == bindparam("b_attempt"),
    )
    .values({name: bindparam(name) for name in ("state", "due_at", "leased_until", "settled_at", "error")})
)
_DROP = update(messages).where(_message.id == bindparam("b_id")).values(
    state=bindparam("state"), settled_at=bindparam("settled_at"), leased_until=None, error=bindparam("error")
)  # fmt: skip


def put(connection: Connection, new: Iterable[Message]) -> None:
    """Put messages in; those that are there already are left out."""
    rows = [_row(message) for message in new]
    if rows:
        connection.execute(insert_new(messages, connection.dialect.name, ("key",)), rows)


def page_key(incident: str, number: int, person: str, address: str) -> str:
    """Return the key of what pages ``person`` at an ``address`` for the ``number``-th time, once."""
    return f"page:{incident}:{number}:{person}:{address}"


def to_person(
    connection: Connection, roster: Roster, person: str, key: str, text: Text, now: datetime, most: int | None = None
) -> None:
    """Put in what ``person`` is told at each of their addresses, or at the first ``most`` of them; paging nobody."""
    put(
        connection,
        [
            Message(f"{key}:{person}:{address}", Kind.TEXT, f"{places.PERSON}{person}", address, now, text=text)
            for address in places.ladder(roster, person)[:most]
        ],
    )


def to_channel(
    connection: Connection, roster: Roster, channel: str, key: str, text: Text, now: datetime, incident: str | None
) -> bool:
    """Put in what is to be said on a ``channel`` of the team ("incidents"); False when the team file names none."""
    address = places.of_channel(roster, channel)
    if address is None:
        return False
    recipient = f"{places.CHANNEL}{channel}"
    put(connection, [Message(key, Kind.TEXT, recipient, address, now, incident, text=text)])
    return True


def take(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """Lease messages: whoever does so sends them."""
    if ids:
        connection.execute(_TAKE, [{"b_id": name, "b_until": now + LEASE} for name in ids])


def free(connection: Connection, now: datetime) -> None:
    """Let go of all that is leased: whoever took it is known to be dead."""
    connection.execute(_FREE, {"b_now": now})


def drop(connection: Connection, name: int, state: str, reason: str, now: datetime) -> None:
    """Settle a message that will not be sent."""
    connection.execute(_DROP, {"b_id": name, "state": state, "settled_at": now, "error": reason})


def settle(
    connection: Connection, name: int, attempt: int, outcome: Outcome, now: datetime, draw: Draw = random.uniform
) -> str | None:
    """Note what became of the ``attempt``-th attempt; return the state, None when it was somebody else's by then."""
    again = outcome.retry and attempt < MOST_ATTEMPTS
    state = State.SENT if outcome.delivered else State.WAITING if again else State.FAILED
    values = {
        "b_id": name,
        "b_attempt": attempt,
        "state": state,
        "due_at": now + timedelta(seconds=wait(attempt, outcome.retry_after, draw)),
        "leased_until": None,
        "settled_at": None if state == State.WAITING else now,
        "error": outcome.reason,
    }
    return state if connection.execute(_SETTLE, values).rowcount else None


def wait(attempt: int, retry_after: float | None, draw: Draw) -> float:
    """Return how many seconds to wait after the ``attempt``-th attempt: full jitter, and what was asked for."""
    return draw(0.0, min(LONGEST_WAIT, _FIRST_WAIT * 2 ** (attempt - 1))) + (retry_after or 0.0)


def next_at(connection: Connection) -> datetime | None:
    """Return when something is due next."""
    waiting = select(_message.due_at).where(_message.state == State.WAITING).order_by(_message.due_at).limit(1)
    sending = select(_message.leased_until).where(_message.state == State.SENDING).order_by(_message.leased_until)
    times = (connection.execute(asked).scalar_one_or_none() for asked in (waiting, sending.limit(1)))
    return min((at for at in times if at is not None), default=None)


def failed(connection: Connection, since: datetime) -> list[Failed]:
    """Return what failed for good ``since`` then and was followed by nothing that was sent to the same address."""
    failures = _message.state == State.FAILED, _message.settled_at > since
    if connection.execute(select(_message.id).where(*failures).limit(1)).scalar_one_or_none() is None:
        return []
    ended = and_(_message.state.in_((State.SENT, State.FAILED)), _message.settled_at > since)
    last = select(func.max(_message.id)).where(ended).group_by(_message.recipient, _message.address)
    asked = select(messages).where(_message.id.in_(last), _message.state == State.FAILED).order_by(_message.id)
    return [Failed(row.recipient, row.address, row.settled_at, row.error) for row in connection.execute(asked)]


def _row(message: Message) -> dict[str, Any]:
    text = message.text
    return {
        "key": message.key,
        "kind": message.kind,
        "incident_id": message.incident,
        "page": message.page,
        "recipient": message.recipient,
        "address": message.address,
        "text": None if text is None else {"title": text.title, "body": text.body},
        "state": State.WAITING,
        "attempts": 0,
        "created_at": message.at,
        "due_at": message.at,
        "error": "",
    }
