"""Whose turn it is among messages that are due: one for each address. On a connection, any thread; to lock, the writer.

A page of a graver incident goes before all that is milder, however long that has waited. What is due about one incident
stays in its order: where a page waits behind another message about its incident, that goes in the page's turn.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, bindparam, case, func, or_, select, tuple_

from desktop.domain.severity import Severity
from desktop.server import schema
from desktop.server.outbox import Kind, State
from desktop.server.tables.messages import messages

_LOOK = 50
# What is about no incident: whose watch it is, who is away. Pages of this severity go first, milder ones later.
_ABOUT_NONE: Final = Severity.SEV1

_message, _incident = messages.c, schema.incidents.c
_to, _busy = (_message.recipient, _message.address), messages.alias("busy").c
# One at a time: one that hangs holds up nobody else, and nothing overtakes it.
_ON_THEIR_WAY = select(_busy.recipient, _busy.address).where(
    _busy.state == State.SENDING, _busy.leased_until > bindparam("now")
)
_CAN_GO = and_(
    or_(
        and_(_message.state == State.WAITING, _message.due_at <= bindparam("now")),
        and_(_message.state == State.SENDING, _message.leased_until <= bindparam("now")),
    ),
    tuple_(*_to).not_in(_ON_THEIR_WAY),
)
_calls = case((_message.kind == Kind.PAGE, 0), else_=1)
_READY = (
    select(
        _message.id,
        *_to,
        _message.due_at,
        func.coalesce(_incident.severity, _ABOUT_NONE.value).label("severity"),
        func.min(_calls).over(partition_by=(*_to, _message.incident_id)).label("calls"),
    )
    .outerjoin(schema.incidents, _incident.id == _message.incident_id)
    .where(_CAN_GO)
    .subquery()
)
_turn = (_READY.c.severity, _READY.c.calls, _READY.c.due_at, _READY.c.id)
_PLACED = select(
    _READY,
    func.row_number().over(partition_by=(_READY.c.recipient, _READY.c.address), order_by=_turn).label("place"),
).subquery()
_FIRST = (
    select(_PLACED.c.id)
    .where(_PLACED.c.place == 1)
    .order_by(_PLACED.c.severity, _PLACED.c.calls, _PLACED.c.due_at, _PLACED.c.id)
    .limit(_LOOK)
)
# Not in one statement with the above, which PostgreSQL would work out anew for each message.
_LOCKED = (
    select(messages)
    .where(_message.id.in_(bindparam("ids", expanding=True)), _CAN_GO)
    .with_for_update(skip_locked=True, of=messages)
)


def first(connection: Connection, now: datetime) -> list[int]:
    """Return the ids of the messages to be sent now, the most pressing first, one for each address.

    This reads all that is due: what waits for one address may be much, and only the last of it grave.
    """
    return list(connection.execute(_FIRST, {"now": now}).scalars())


def lock(connection: Connection, ids: Sequence[int], now: datetime) -> list[Row[Any]]:
    """Return those of ``ids`` that nobody took since, in their order, locked until the end of the transaction."""
    if not ids:
        return []
    found = {row.id: row for row in connection.execute(_LOCKED, {"now": now, "ids": ids})}
    return [found[name] for name in ids if name in found]
