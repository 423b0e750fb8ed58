"""The rows beside incidents as the proof wants them: the watch, handovers, messages. On the test's thread."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from desktop import team as teams
from desktop.domain.additions import merged
from desktop.domain.rotation import schedule
from desktop.server import additions
from desktop.server.places import PERSON, digest_of
from desktop.server.tables import handovers as tables
from desktop.server.tables.additions import overrides
from desktop.server.tables.audit import audit_log
from desktop.server.tables.messages import messages, pages
from tests.faults.plans import ADDRESSES, RINGS, entry, team
from tests.faults.rota import Rota, Shift
from tests.faults.traces import Confirmed, Handover, Made, Message, Offer, Page

# A clock that is wrong writes of times before the run and after it.
_AROUND = timedelta(minutes=2)
# Further than any clock of the suite jumps.
_WRONG = 15.0
_MADE = ("override.create", "absence.create")
_GONE = ("override.delete", "absence.delete")


def rota(connection: Connection, hook: str, began: float, ended: float) -> Rota:
    """Return who was on call from ``began`` to ``ended``, by the team's file and what was added to it."""
    known = merged(teams.parse(team(hook), "team.toml"), additions.read(connection))
    start, end = (datetime.fromtimestamp(at, UTC) for at in (began, ended))
    segments = schedule(known, start - _AROUND, end + _AROUND)
    shifts = [Shift(s.role.value, s.person, _at(s.start), _at(s.end)) for s in segments]
    away = [Shift("", a.person, a.start.timestamp(), a.end.timestamp()) for a in known.absences]
    return Rota(shifts, list(_beside(connection, ended)), list(_taken_back(connection)), away)


def read_pages(connection: Connection) -> list[Page]:
    """Return who was paged, for each time."""
    rows = connection.execute(select(pages).order_by(pages.c.paged_at)).all()
    return [Page(r.incident_id, r.number, r.person_id, _at(r.paged_at), _maybe(r.ended_at)) for r in rows]


def read_messages(connection: Connection, hook: str) -> list[Message]:
    """Return what left, or was to leave."""
    places = {digest_of(entry(hook, name)): name for names in ADDRESSES.values() for name in names}
    return [
        Message(
            id=row.id,
            kind=row.kind,
            incident=row.incident_id or "",
            page=row.page,
            person=row.recipient.removeprefix(PERSON),
            place=places[row.address],
            state=row.state,
            attempts=row.attempts,
            made=_at(row.created_at),
            settled=_maybe(row.settled_at),
            title=str((row.text or {}).get("title", "")) if row.kind in ("text", "page") else "",
        )
        for row in connection.execute(select(messages).order_by(messages.c.id))
    ]


def read_handovers(connection: Connection) -> list[Handover]:
    """Return the handovers with all that belongs to them."""
    closes = Counter(connection.execute(select(audit_log.c.target).where(_closed())).scalars())
    offers, confirmed, works, told = (
        _by_handover(connection, table)
        for table in (
            tables.handover_offers,
            tables.handover_confirmations,
            tables.handover_works,
            tables.handover_notices,
        )
    )
    people = {row.id: row.person_id for row in connection.execute(select(overrides))}
    return [
        Handover(
            id=row.id,
            key=row.key or "",
            asker=row.asker_id,
            giver=row.giver_id,
            role=row.role,
            asked=_at(row.requested_at),
            outcome=row.ended_as,
            ended=_maybe(row.ended_at),
            closes=closes[f"handover:{row.id}"],
            cancelled=_maybe(row.cancelled_at),
            offers=[Offer(o.person_id, _at(o.at), o.incident_id, o.yes, _maybe(o.answered_at)) for o in offers[row.id]],
            confirmed=[Confirmed(c.point, c.receiver_id, c.by_id, _at(c.at), c.waived) for c in confirmed[row.id]],
            made=[Made(w.kind, w.thing_id, _at(w.at), people.get(w.thing_id)) for w in works[row.id]],
            told=[(n.kind, n.about, _maybe(n.said_at)) for n in told[row.id]],
        )
        for row in connection.execute(select(tables.handovers))
    ]


def _closed() -> Any:
    return audit_log.c.action == "handover.close"


def _by_handover(connection: Connection, table: Table) -> Mapping[str, Sequence[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(select(table)):
        found[row.handover_id].append(row)
    return found


def _beside(connection: Connection, ended: float) -> Iterator[Shift]:
    """Yield both sides of each handover, from the first yes to its end."""
    for handover in read_handovers(connection):
        yes = [o for o in handover.offers if o.yes and o.answered is not None]
        first = min((o.answered for o in yes if o.answered is not None), default=None)
        if first is not None:
            for person in (handover.giver, *(o.person for o in yes)):
                yield Shift(handover.role, person, first, handover.ended or ended)


def _taken_back(connection: Connection) -> Iterator[Shift]:
    """Yield who may have been on call by overrides and absences that were made and are no more."""
    audit = audit_log.c
    gone = {row.target: _at(row.at) for row in connection.execute(select(audit_log).where(audit.action.in_(_GONE)))}
    for row in connection.execute(select(audit_log).where(audit.action.in_(_MADE), audit.target.in_(list(gone)))):
        start, end = _at(row.at) - _WRONG, gone[row.target] + _WRONG
        if row.action == "override.create":
            yield Shift(row.after["role"], row.after["person"], start, end)
        else:
            # Whoever covers is of the same ring.
            yield from (Shift(role, person, start, end) for role, ring in RINGS.items() for person in ring)


def _at(at: datetime) -> float:
    return at.timestamp()


def _maybe(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
