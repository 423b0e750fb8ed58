"""Emergency handovers: asked for, answered, and carried through step by step. On any thread; the writer writes.

What is to be done next is asked of ``domain.handover`` each time, of facts that are read under the row's lock in the
transaction that does it: whoever stops half way, any server goes on, and nothing is done twice. Each step is one
transaction. ``next_action_at`` says when somebody has to look again.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from desktop.domain.errors import StorageError
from desktop.domain.handover import next_action, next_action_at, paged, state
from desktop.domain.handover_actions import Action, AddNote, Delegate
from desktop.domain.handover_answers import confirm
from desktop.domain.handover_effects import applied
from desktop.domain.handover_facts import Handover, Offer, Point, State, receiver
from desktop.domain.handover_request import Wish, around, request
from desktop.domain.team import Member
from desktop.server import audit, companions, handover_doing, handover_rows, handover_writing, schema
from desktop.server.audit import By
from desktop.server.companions import Companion
from desktop.server.failures import not_found
from desktop.server.handover_refusals import conflict, said, senseless
from desktop.server.handover_scene import Scene
from desktop.server.station import Station
from desktop.server.tables import handovers as tables
from desktop.server.writer import Work

log = logging.getLogger(__name__)

Deed = Callable[[Handover, datetime], Handover]
"""Something that somebody says to a handover: from its facts to those after it."""

# More steps than any handover takes: a rule that calls for one thing for ever must not hold up the others.
_STEPS = 2_500
# What one step does to incidents at most: what waits for it, and whoever wants one of them, waits no longer than that.
_TOGETHER, _AT_ONCE_SECONDS = 10, 0.2
_AFTER_A_FAULT = timedelta(minutes=1)

_handovers = tables.handovers.c


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a handover: the ``wish``, and the sender's ``key`` for it ("" for none)."""

    wish: Wish
    key: str = ""


def ask(station: Station, by: By, asked: Asked) -> tuple[str, bool]:
    """Begin a handover and return its id, and whether it is new. What was asked for already is not begun again.

    That is: the same person sent the same ``key`` before, or has an open handover that says the same. Another one of
    the same watch is refused while one is open, but for whoever takes it: somebody may have fainted meanwhile.
    """
    station.refresh()

    def command(work: Work) -> tuple[str, bool]:
        now = station.clock()
        # One at a time for each watch, whichever server is asked.
        giver = select(schema.people.c.id).where(schema.people.c.id == asked.wish.giver.id)
        work.connection.execute(giver.with_for_update(key_share=True))
        known = _known(work.connection, asked)
        if known is not None:
            return known, False
        team = handover_rows.team_now(station, work.connection)
        with said():
            new = request(asked.wish, around(team, asked.wish.giver.id, now), now)
        receiver = asked.wish.receiver
        handover_writing.add(work.connection, new, receiver.id if receiver else None, asked.key or None)
        _stand_beside(work.connection, new, now)
        after = {
            "kind": new.kind.value,
            "giver": new.giver,
            "role": new.role.value,
            "receiver": receiver.id if receiver else None,
            "reason": new.reason,
        }
        audit.note(work.connection, by, "handover.request", f"handover:{new.id}", now, after=after)
        return new.id, True

    found = station.writer.run(command)
    carry(station, found[0])
    return found


def say(station: Station, by: By, handover_id: str, action: str, deed: Deed) -> None:
    """Let somebody do ``deed``; doing it twice changes nothing. Raises Refused when it cannot be done."""
    station.refresh()

    def command(work: Work) -> None:
        row = handover_rows.lock(work.connection, handover_id)
        if row is None:
            raise not_found("such handover")
        now = station.clock()
        before = _understood(station, work.connection, row)
        with said():
            after = deed(before, now)
        if after == before:
            return
        handover_writing.write_said(work.connection, before, after)
        _end_answered(station, work, before, after)
        _stand_beside(work.connection, after, now)
        handover_writing.touch(work.connection, handover_id, now)
        _note(work.connection, by, action, before, after, now)

    station.writer.run(command)
    carry(station, handover_id)


def _understood(station: Station, connection: Connection, row: handover_rows.AnyRow) -> Handover:
    try:
        return handover_rows.facts(station, connection, row)
    except SQLAlchemyError:
        raise
    except Exception as error:
        log.exception("a handover cannot be understood", extra={"fields": {"handover": row.id}})
        raise senseless() from error


def confirmed(facts: Handover, by: Member, point: Point, now: datetime, *, waived: bool = False) -> Handover:
    """Return the facts after ``point`` was confirmed or waived; one that is already is no news, nor refused later."""
    to = receiver(facts)
    if any(c.point is point and c.receiver == to and c.by == by.id for c in facts.confirmations):
        return facts
    return confirm(facts, by, point, now, waived=waived)


def carry(station: Station, handover_id: str) -> None:
    """Do all that is to be done about a handover now; what fails stays due, and is taken up by the watchkeeper."""
    try:
        finish(station, handover_id)
        station.refresh()
        station.announce()
    except StorageError as error:
        # What was said is written: whoever said it must not believe that it was not.
        log.error("handover delayed", extra={"fields": {"handover": handover_id, "error": error.message}})  # noqa: TRY400
    except Exception:
        log.exception("handover delayed", extra={"fields": {"handover": handover_id}})


def finish(station: Station, handover_id: str) -> int:
    """Do one step after the other until nothing is to be done now; return how many there were."""
    for number in range(_STEPS):
        if not station.writer.run(lambda work: step(station, work, handover_id)):
            return number
        station.refresh()
    later = station.clock() + _AFTER_A_FAULT
    log.error("a handover does not come to an end", extra={"fields": {"handover": handover_id}})
    station.writer.run(lambda work: handover_writing.change(work.connection, handover_id, next_action_at=later))
    return _STEPS


def step(station: Station, work: Work, handover_id: str) -> bool:
    """Do the next thing, if it is due and no other server has it in hands; tell whether anything was done."""
    now = station.clock()
    row = handover_rows.lock_due(work.connection, handover_id, now)
    if row is None:
        return False
    facts = handover_rows.facts(station, work.connection, row)
    action = next_action(facts, now)
    if action is None:
        _stand_beside(work.connection, facts, now)
        handover_writing.change(work.connection, handover_id, next_action_at=next_action_at(facts, now))
        return False
    scene = Scene(station, work, facts, now)
    if isinstance(action, AddNote | Delegate):
        _move(replace(scene, leaves=handover_doing.roles_left(scene)), action)
    else:
        handover_doing.do(scene, action)
    handover_writing.touch(work.connection, handover_id, now)
    return True


def _move(scene: Scene, action: Action | None) -> None:
    """Do ``action``, and some of those of incidents that follow: to read all facts anew takes as long as several.

    On a busy machine fewer: whatever else is to be written waits for all of them.
    """
    began = time.monotonic()
    for _ in range(_TOGETHER):
        if not isinstance(action, AddNote | Delegate) or time.monotonic() - began > _AT_ONCE_SECONDS:
            return
        handover_doing.do(scene, action)
        facts = applied(scene.facts, action, scene.now)
        scene, action = replace(scene, facts=facts), next_action(facts, scene.now)


def due(station: Station, *, all_open: bool) -> list[str]:
    """Return the ids of the handovers that somebody has to look at now: with ``all_open``, of all that are not over."""
    past = _handovers.next_action_at <= station.clock()
    which = (past | _handovers.ended_at.is_(None)) if all_open else past
    with station.storage.read() as connection:
        return list(
            connection.execute(select(_handovers.id).where(which).order_by(_handovers.next_action_at)).scalars()
        )


def since(connection: Connection, version: int) -> list[handover_rows.AnyRow]:
    """Return the handovers that changed after ``version``, in order."""
    asked = select(tables.handovers).where(_handovers.version > version).order_by(_handovers.version)
    return list(connection.execute(asked))


def look_again(station: Station, handover_id: str) -> bool:
    """Let a handover be due now: something that its facts are read from has changed.

    Tell whether it is; not while another server has it in hands, which may hang: nothing else would be written here
    meanwhile.
    """
    now = station.clock()

    def command(work: Work) -> bool:
        free = handover_rows.lock(work.connection, handover_id, skip_locked=True) is not None
        if free:
            handover_writing.change(work.connection, handover_id, next_action_at=now)
        return free

    return station.writer.run(command)


def put_off(station: Station, handover_id: str) -> None:
    """Leave a handover alone for a while that cannot be carried on: it must not hold up others."""
    later = station.clock() + _AFTER_A_FAULT
    station.writer.run(lambda work: handover_writing.change(work.connection, handover_id, next_action_at=later))


def _known(connection: Connection, asked: Asked) -> str | None:
    """Return the handover that ``asked`` began already; refused (409) when another one of the watch is open."""
    wish = asked.wish
    if asked.key:
        sent = (_handovers.asker_id == wish.asker.id, _handovers.key == asked.key)
        found: str | None = connection.execute(select(_handovers.id).where(*sent)).scalar_one_or_none()
        if found is not None:
            return found
    open_ones = select(tables.handovers).where(_handovers.giver_id == wish.giver.id, _handovers.ended_at.is_(None))
    rows = connection.execute(open_ones.order_by(_handovers.requested_at)).all()
    mine = [row for row in rows if (row.asker_id, row.kind) == (wish.asker.id, wish.kind)]
    for row in mine:
        wanted = wish.receiver.id if wish.receiver else None
        if (row.receiver_id, row.auto_next, row.stays_available) == (wanted, wish.auto_next, wish.stays_available):
            return str(row.id)
    others = mine if wish.kind == "take" else rows
    if others:
        raise conflict(f"a handover of this watch is under way: {others[0].id}")
    return None


def _end_answered(station: Station, work: Work, before: Handover, after: Handover) -> None:
    """End the page of whoever said yes or no just now."""
    pages = {offer.person_id: offer.incident_id for offer in handover_rows.offers(work.connection, after.id)}
    for old, new in zip(before.offers, after.offers, strict=True):
        if new.answer is not None and new.answer != old.answer:
            handover_doing.end_page(station, work, pages[new.person], f"answered: {_word(new)}")


def _stand_beside(connection: Connection, facts: Handover, now: datetime) -> None:
    """Let both sides be paged for what is new, from the yes until it is done."""
    busy = facts.ended is None and state(facts, now) in {State.ACCEPTED, State.APPLYING}
    people = (facts.giver, *paged(facts, now)) if busy else ()
    companions.keep(connection, f"handover:{facts.id}", [Companion(facts.role, p) for p in dict.fromkeys(people)])


def _note(connection: Connection, by: By, action: str, before: Handover, after: Handover, now: datetime) -> None:
    """Write what was said into the audit log: who was answered what, whom to ask, which point."""
    changed = {
        "answers": {o.person: _word(o) for o, old in zip(after.offers, before.offers, strict=True) if o != old},
        "allowed": [p for p in after.allowed if p not in before.allowed],
        "points": [c.point.value for c in after.confirmations if c not in before.confirmations],
    }
    target = f"handover:{after.id}"
    audit.note(connection, by, action, target, now, after={name: v for name, v in changed.items() if v} or None)


def _word(offer: Offer) -> str:
    return "" if offer.answer is None else "yes" if offer.answer.yes else "no"
