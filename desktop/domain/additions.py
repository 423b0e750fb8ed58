"""What people add to a team in the application beside its file: overrides and absences, and when they hold. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from desktop.domain.team import Absence, Override, Team
from desktop.domain.wall import clock

# "Engineers must notify team 2 weeks in advance of planned absences" (the procedure, "Holiday Coverage").
NOTICE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Leave:
    """An absence of ``person`` in ``[start, end)`` that was asked for in the application; every instant is aware.

    ``confirmed`` is when the cover or a manager said yes, None as long as nobody did.
    """

    person: str
    cover: str | None
    start: datetime
    end: datetime
    announced: datetime
    confirmed: datetime | None


@dataclass(frozen=True, slots=True)
class Additions:
    """All of them, in the order in which they were made."""

    overrides: tuple[Override, ...] = ()
    leaves: tuple[Leave, ...] = ()


def held(leave: Leave, zone: ZoneInfo) -> Absence | None:
    """Return the absence that ``leave`` is by now, None while it is none; days are counted in the team's ``zone``.

    One announced in time holds as it is. A late one holds from when somebody said yes, not before: until then the
    person stays on call. Source of the rule: design, section 3, "Absences".
    """
    announced = clock(leave.announced, zone).date()
    start = leave.start
    if clock(leave.start, zone).date() - announced < NOTICE:
        if leave.confirmed is None:
            return None
        start = max(leave.start, leave.confirmed)
    return Absence(leave.person, start, leave.end, announced, leave.cover) if start < leave.end else None


def merged(team: Team, added: Additions) -> Team:
    """Return ``team``, as its file says, with what was added: these overrides come after the file's own and so win.

    What names somebody who is not in the team (any more) is left out: it would page a person whom nobody knows.
    """
    known = frozenset(person.id for person in team.people)
    asked = (held(leave, team.time_zone) for leave in added.leaves if leave.person in known)
    absences = (a for a in asked if a is not None)
    return replace(
        team,
        overrides=(*team.overrides, *(o for o in added.overrides if o.person in known)),
        absences=(*team.absences, *(a if a.cover in known else replace(a, cover=None) for a in absences)),
    )
