"""What a request wants to mark of a duty: read, checked against the duty, and written. Reading is pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desktop.domain.duty import Kind, Listed
from desktop.domain.handover_sheet import Checked
from desktop.domain.team import Access, Team
from desktop.domain.text import plain
from desktop.server import additions, audit, keeping, majors, marks, rights
from desktop.server.audit import By
from desktop.server.failures import invalid
from desktop.server.marks import Act, Made
from desktop.server.things import instant

TEXT_LIMIT, REASON_LIMIT, NAME_LIMIT = 25_000, 500, 80
MANY, MOST_CHECKS = 20, 50
CHECKS = {"passed": Checked.PASSED, "failed": Checked.FAILED, "unknown": Checked.UNKNOWN}
"""How a client says how an access check went: "could not check" is a result of its own."""
_SIGNED_OFF = (Kind.TRAINING, Kind.CERTIFICATION)

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Marking:
    """Who marks what: a duty as it stands, by whom, when; ``sheet`` makes of all marks what a signature is under."""

    listed: Listed
    by: By
    now: datetime
    sheet: Callable[[Sequence[Made]], str] | None = None


def read(listed: Listed, person: str, body: object, now: datetime) -> list[Made]:
    """Return the marks that ``body`` asks for; refused (400) when one of them makes no sense for the duty."""
    parts = body.get("marks") if isinstance(body, dict) else None
    if not isinstance(parts, list) or not 1 <= len(parts) <= MANY or not all(isinstance(p, dict) for p in parts):
        raise invalid(f"marks must be a list of 1 to {MANY} marks")
    return [_read(listed, person, part, now) for part in parts]


def allow(connection: Connection, listed: Listed, person: str, wanted: Sequence[Made]) -> None:
    """Refuse (403) an engineer whose duty it is not; what is nobody's may be marked by whoever does it.

    Nor do they sign off their own training or certification: who is certified may take a watch.
    """
    theirs = {*listed.duty.people, *listed.duty.signers}
    own = not theirs or person in theirs
    signs_off = listed.duty.kind in _SIGNED_OFF and any(mark.act is not Act.NOTE for mark in wanted)
    if (own and not signs_off) or rights.access_of(connection, person) is not Access.ENGINEER:
        return
    if own:
        raise rights.forbidden("a manager signs off training and certification: a note is all that you can add")
    raise rights.forbidden("an engineer marks their own duties only: ask whose it is, or a manager")


def write(connection: Connection, team: Team, marking: Marking, wanted: Sequence[Made]) -> bool:
    """Keep those of ``wanted`` that say something new; tell whether somebody's certification changed by them."""
    duty = marking.listed.duty
    if marking.sheet is not None:
        # The other one may sign at another server: the later of the two sees the earlier signature.
        additions.hold(connection)
    made = marks.of_duty(connection, duty.id)
    new: list[Made] = []
    for mark in wanted:
        if marks.changes(marks.held([*made, *new]), mark):
            new.append(_signed(marking, mark, [*made, *new]))
            marks.add(connection, new[-1])
    if not new:
        return False
    said = {"marks": [_said(mark) for mark in new]}
    audit.note(connection, marking.by, "duty.mark", f"duty:{duty.id}", marking.now, after=said)
    incident = keeping.incident_of(duty.id)
    if incident is not None:
        left = keeping.nothing_left(connection, team, incident, marking.now)
        majors.settle(connection, incident, marking.now, settled=left)
    if duty.kind is Kind.CERTIFICATION:
        # What the schedule flags is another on every server.
        additions.advance(connection)
        return True
    return False


def _signed(marking: Marking, mark: Made, made: Sequence[Made]) -> Made:
    """Return ``mark``, with the sheet as it is under it where it is a signature."""
    if marking.sheet is None or mark.act is not Act.DONE:
        return mark
    return replace(mark, text=marking.sheet([*made, mark]))


def _read(listed: Listed, person: str, part: Json, now: datetime) -> Made:
    try:
        act = Act(str(part.get("type")))
    except ValueError as error:
        raise invalid(f"type must be one of {', '.join(Act)}") from error
    made = Made(listed.duty.id, act, person, now)
    if act in (Act.TICK, Act.UNTICK):
        return replace(made, point=_point(listed, part.get("point")))
    if act is Act.WAIVE:
        return replace(made, reason=_text(part, "reason", REASON_LIMIT))
    if act is Act.NOTE:
        return replace(made, text=_text(part, "text", TEXT_LIMIT))
    if act is Act.ACCESS:
        return replace(made, data=_checks(listed, part.get("checks")))
    if listed.duty.signers:
        _may_sign(listed, person, act)
    return made


def _may_sign(listed: Listed, person: str, act: Act) -> None:
    """Refuse what is no signature of one of the two, and taking one back: what was signed stays signed."""
    if act is Act.REOPEN and listed.standing.signed:
        raise invalid("a handover that was signed cannot be reopened: write a note")
    if act is Act.DONE and person not in listed.duty.signers:
        raise invalid("this handover is signed by the outgoing and the incoming engineer: tick its points, or waive it")


def _point(listed: Listed, value: object) -> int:
    many = len(listed.duty.points)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= many:
        raise invalid(f"point must be a whole number from 1 to {many}")
    return value


def _text(part: Json, key: str, limit: int) -> str:
    value = part.get(key)
    if not isinstance(value, str) or not plain(value, limit) or len(value) > limit:
        raise invalid(f"{key} must be a text of 1 to {limit} characters")
    return value


def _checks(listed: Listed, value: object) -> list[Json]:
    if listed.duty.kind is not Kind.HANDOVER:
        raise invalid("the result of an access check belongs to a handover")
    if not isinstance(value, list) or len(value) > MOST_CHECKS or not all(isinstance(part, dict) for part in value):
        raise invalid(f"checks must be a list of at most {MOST_CHECKS} results, each with a name and a result")
    return [_check(part) for part in value]


def _check(part: Json) -> Json:
    name, result = part.get("name"), part.get("result")
    if not isinstance(name, str) or not plain(name, NAME_LIMIT) or result not in CHECKS:
        raise invalid(f"a check has a name, and a result that is one of {', '.join(CHECKS)}")
    return {"name": plain(name, NAME_LIMIT), "result": result}


def _said(mark: Made) -> dict[str, object]:
    """Return what the audit log says of a mark: not what notes and sheets say, which stands in the mark."""
    found: dict[str, object] = {"type": mark.act.value, "at": instant(mark.at)}
    if mark.point:
        found["point"] = mark.point
    return found | ({"reason": mark.reason} if mark.reason else {})
