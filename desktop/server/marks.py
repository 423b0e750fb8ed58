"""What people did about duties, as rows: added, never changed, the last one holds. On a connection, any thread.

From them ``held`` makes what the rules work with: a point that was unticked is not ticked, a duty that was reopened is
neither done nor waived.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select

from desktop.domain import duty
from desktop.domain.duty import Kind, Mark
from desktop.server.tables.duties import duty_marks

_marks = duty_marks.c
_LEAN = (_marks.id, _marks.duty_id, _marks.act, _marks.person_id, _marks.at, _marks.point, _marks.reason)


class Act(StrEnum):
    """What somebody did; ``note`` and ``access`` (the result of an access check) leave a duty as it stands."""

    TICK = "tick"
    UNTICK = "untick"
    DONE = "done"
    WAIVE = "waive"
    REOPEN = "reopen"
    NOTE = "note"
    ACCESS = "access"


_STANDING = (Act.TICK, Act.UNTICK, Act.DONE, Act.WAIVE, Act.REOPEN)
_REMINDED = "remind"
_AS_RULED = {Act.TICK: duty.Act.TICK, Act.DONE: duty.Act.SIGN, Act.WAIVE: duty.Act.WAIVE}


@dataclass(frozen=True, slots=True)
class Made:
    """One mark: ``point`` from 1 where it is about one, ``reason`` of a waiver, ``text`` written or signed."""

    duty: str
    act: Act
    person: str
    at: datetime
    point: int = 0
    reason: str = ""
    text: str = ""
    data: Sequence[Mapping[str, Any]] | None = None


def add(connection: Connection, made: Made) -> None:
    """Keep one mark."""
    row = {
        "duty_id": made.duty,
        "act": made.act.value,
        "person_id": made.person,
        "at": made.at,
        "point": made.point,
        "reason": made.reason,
        "text": made.text,
        "data": None if made.data is None else [dict(part) for part in made.data],
    }
    connection.execute(insert(duty_marks).values(row))


def of_duty(connection: Connection, duty_id: str) -> list[Made]:
    """Return every mark that people made of one duty whole, in the order in which they were made."""
    theirs = _marks.act != _REMINDED
    asked = select(duty_marks).where(_marks.duty_id == duty_id, theirs).order_by(_marks.id)
    return [_whole(row) for row in connection.execute(asked)]


def of_all(connection: Connection) -> list[Made]:
    """Return all marks that say how duties stand, without what was written."""
    return _lean(connection)


def of_kind(connection: Connection, kind: Kind) -> list[Made]:
    """Return such marks of all duties of ``kind``."""
    return _lean(connection, _marks.duty_id.startswith(f"{kind}/", autoescape=True))


def of_subject(connection: Connection, kinds: Iterable[Kind], subject: str) -> list[Made]:
    """Return such marks of the duties of ``kinds`` about ``subject``, an incident, however often each came up."""
    names = [f"{kind}/{subject}" for kind in kinds]
    numbered = (_marks.duty_id.startswith(f"{name}/", autoescape=True) for name in names)
    return _lean(connection, or_(_marks.duty_id.in_(names), *numbered))


def reminded(connection: Connection, names: Collection[str]) -> set[tuple[str, str]]:
    """Return of which of the duties ``names`` who was reminded, as (duty, person)."""
    asked = select(_marks.duty_id, _marks.person_id).where(_marks.duty_id.in_(names), _marks.act == _REMINDED)
    return {(row.duty_id, row.person_id) for row in connection.execute(asked)}


def add_reminders(connection: Connection, told: Iterable[tuple[str, str]], now: datetime) -> None:
    """Keep who was ``told`` of what, as (duty, person): the server's marks, nobody's word about a duty."""
    same = {"act": _REMINDED, "at": now, "point": 0, "reason": "", "text": "", "data": None}
    connection.execute(insert(duty_marks), [{"duty_id": name, "person_id": person, **same} for name, person in told])


def held(made: Iterable[Made]) -> list[Made]:
    """Return those of ``made`` (in their order) that hold: the first of each thing that nothing took back."""
    kept: dict[tuple[str, str, object], Made] = {}
    for mark in made:
        if mark.act is Act.UNTICK:
            kept.pop((mark.duty, Act.TICK, mark.point), None)
        elif mark.act is Act.REOPEN:
            for key in [k for k in kept if k[0] == mark.duty and k[1] != Act.TICK]:
                del kept[key]
        elif mark.act in _AS_RULED:
            kept.setdefault(_thing(mark), mark)
    return list(kept.values())


def ruled(made: Iterable[Made]) -> tuple[Mark, ...]:
    """Return marks that hold, in the words of the rules."""
    return tuple(Mark(m.duty, _AS_RULED[m.act], m.person, m.at, m.point, m.reason) for m in made)


def changes(before: Iterable[Made], mark: Made) -> bool:
    """Tell whether ``mark`` would say anything new over those that hold ``before`` it."""
    if mark.act is Act.UNTICK:
        return any(b.act is Act.TICK and b.point == mark.point for b in before)
    if mark.act is Act.REOPEN:
        return any(b.act is not Act.TICK for b in before)
    return mark.act not in _AS_RULED or all(_thing(b) != _thing(mark) for b in before)


def _thing(mark: Made) -> tuple[str, str, object]:
    """Return what a mark is about: a point, whose word it is that the duty is done, or its waiver."""
    about = {Act.TICK: mark.point, Act.DONE: mark.person}
    return mark.duty, mark.act, about.get(mark.act)


def _lean(connection: Connection, *where: ColumnElement[bool]) -> list[Made]:
    asked = select(*_LEAN).where(_marks.act.in_([act.value for act in _STANDING]), *where).order_by(_marks.id)
    return [
        Made(row.duty_id, Act(row.act), row.person_id, row.at, row.point, row.reason)
        for row in connection.execute(asked)
    ]


def _whole(row: Row[Any]) -> Made:
    return Made(row.duty_id, Act(row.act), row.person_id, row.at, row.point, row.reason, row.text, row.data)
