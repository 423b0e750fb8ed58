"""The sheet of a weekly handover: what is known for it, read from rows. On a connection, any thread."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from desktop.domain import handover_sheet
from desktop.domain.duty import Duty, Listed, stand
from desktop.domain.handover_sheet import Known, OpenIncident
from desktop.domain.rotation import schedule
from desktop.domain.segments import Segment, Why
from desktop.domain.severity import Severity
from desktop.domain.shift_pages import ShiftPages, pages_per_shift
from desktop.domain.team import Role, Team
from desktop.domain.wall import clock
from desktop.domain.watch import shift_at
from desktop.server import handling, marks, schema, things
from desktop.server.directory import Directory
from desktop.server.marking import CHECKS
from desktop.server.marks import Act, Made
from desktop.server.rows import IS_OPEN

Json = dict[str, Any]

MOST = 50
"""How many open incidents a sheet lists; how many more there are, it says."""

_incidents = schema.incidents.c
_INSTANT = timedelta(microseconds=1)
# A shift that began longer ago is none that is handed over weekly.
_LONGEST_SHIFT = timedelta(weeks=26)
_BY_ITSELF = (Why.ROTATION, Why.WEEK)


def known(connection: Connection, team: Team, duty: Duty, made: Sequence[Made]) -> Known:
    """Return what is known for a handover, of which ``made`` are all marks."""
    incidents, more = _open(connection)
    note = next((mark.text for mark in reversed(made) if mark.act is Act.NOTE), "")
    if more:
        note = f"{more} more incidents are open than are listed here. {note}"
    return Known(incidents, _pages(connection, team, duty), _overrides(team, duty), _access(made), note)


def markdown(team: Team, listed: Listed, made: Sequence[Made], found: Known) -> str:
    """Return the sheet as Markdown, as ``made`` leaves it."""
    own = marks.ruled(marks.held(made))
    standing = stand(listed.duty, own, made[-1].at if made else listed.duty.opens)
    return handover_sheet.markdown(team, listed._replace(standing=standing), found)


def last_signed(made: Sequence[Made], person: str | None = None) -> str:
    """Return the sheet as it was signed last, or by ``person``; nothing where it was not."""
    return next((m.text for m in reversed(made) if m.act is Act.DONE and m.text and person in (None, m.person)), "")


def shown(found: Known, directory: Directory) -> Json:
    """Return what is known as JSON; None for what could not be found out."""
    return {
        "open_incidents": None
        if found.open_incidents is None
        else [
            {"title": each.title, "severity": each.severity.key, "since": things.instant(each.since)}
            for each in found.open_incidents
        ],
        "pages_last_shift": found.pages,
        "overrides": None if found.overrides is None else [_segment(each, directory) for each in found.overrides],
        "access": None
        if found.access is None
        else [{"name": name, "result": _RESULTS[result]} for name, result in found.access],
        "note": found.note,
    }


_RESULTS = {checked: name for name, checked in CHECKS.items()}


def _segment(segment: Segment, directory: Directory) -> Json:
    return {
        "role": segment.role.value,
        "user": None if segment.person is None else things.user(directory, segment.person, full=False),
        "start": things.instant(segment.start),
        "end": things.instant(segment.end),
        "why": segment.why.value,
    }


def _open(connection: Connection) -> tuple[tuple[OpenIncident, ...], int]:
    """Return the open incidents, the worst and oldest first, and how many more there are."""
    asked = select(_incidents.title, _incidents.severity, _incidents.created_at).where(IS_OPEN)
    rows = connection.execute(asked.order_by(_incidents.severity, _incidents.created_at).limit(MOST)).all()
    found = tuple(OpenIncident(row.title, Severity(row.severity), row.created_at) for row in rows)
    if len(found) < MOST:
        return found, 0
    count = connection.execute(select(func.count()).select_from(schema.incidents).where(IS_OPEN)).scalar_one()
    return found, count - len(found)


def _pages(connection: Connection, team: Team, duty: Duty) -> int | None:
    """Return how often whoever had the shift that ends was paged in it, None where there was none."""
    shift = _ending(team, duty)
    if shift is None:
        return None
    incidents = handling.handled(connection, shift.shift.start, shift.shift.end)
    counted = pages_per_shift(team, incidents, shift.shift.start, shift.shift.start + _INSTANT)
    return next((each.pages for each in counted if each.shift.role is Role.PRIMARY), None)


def _ending(team: Team, duty: Duty) -> ShiftPages | None:
    """Return the primary's shift that ends on the date that the handover is of."""
    until = duty.due or duty.opens
    begun = pages_per_shift(team, (), until - _LONGEST_SHIFT, until)
    ends = (s for s in reversed(begun) if s.shift.role is Role.PRIMARY)
    return next((s for s in ends if clock(s.shift.end, team.time_zone).date().isoformat() == duty.subject), None)


def _overrides(team: Team, duty: Duty) -> tuple[Segment, ...] | None:
    """Return what of the coming shift is not as the rotation says."""
    at = duty.due or duty.opens
    shift = shift_at(team, Role.PRIMARY, at)
    if shift is None:
        return None
    changed = (s for s in schedule(team, at, shift.end) if s.role is not Role.SHADOW and s.why not in _BY_ITSELF)
    return tuple(sorted(changed, key=lambda segment: (segment.start, segment.role)))


def _access(made: Sequence[Made]) -> tuple[tuple[str, handover_sheet.Checked], ...] | None:
    """Return the result of the access check that was sent last, None where none was."""
    last = next((mark.data for mark in reversed(made) if mark.act is Act.ACCESS), None)
    return None if last is None else tuple((str(part["name"]), CHECKS[part["result"]]) for part in last)
