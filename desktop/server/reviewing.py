"""The review of a month, worked out from its rows, and as JSON. Any thread."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from desktop.domain.measures import Measure
from desktop.domain.review import FALSE_ALARM_LIMIT, PersonFigures, Review, SeverityFigures, review
from desktop.domain.rotation import on_call
from desktop.domain.severity import Severity
from desktop.domain.shift_pages import ShiftPages
from desktop.domain.team import Role, Team
from desktop.domain.wall import clock, instant
from desktop.domain.watch import shift_at
from desktop.server import handling, things
from desktop.server.directory import Directory
from desktop.server.storage import Storage

Json = dict[str, Any]

_INSTANT = timedelta(microseconds=1)


def month(storage: Storage, team: Team, day: date, now: datetime) -> Review:
    """Return the review of the month that begins on ``day``, on the team's clock: only its rows are read and kept."""
    following = (day + timedelta(days=31)).replace(day=1)
    start, end = (instant(datetime.combine(d, time()), team.time_zone) for d in (day, following))
    # One transaction for each month: a long one would keep the database from tidying up.
    with storage.read() as connection:
        return review(team, handling.handled(connection, start, _shifts_end(team, end)), start, end, now)


def shown(team: Team, directory: Directory, figures: Review) -> Json:
    """Return a review as JSON: times in seconds, shares from 0 to 1, None for a mean or share of nothing."""
    return {
        "month": f"{clock(figures.start, team.time_zone):%Y-%m}",
        "since": things.instant(figures.start),
        "until": things.instant(figures.end),
        "severities": [_severity(severity, found) for severity, found in figures.severities.items()],
        "people": [_person(directory, found) for found in figures.people],
        "resolved": figures.resolved,
        "false_alarms": figures.false_alarms,
        "false_alarm_rate": figures.false_alarm_rate,
        "false_alarm_limit": FALSE_ALARM_LIMIT,
        "too_many_false_alarms": figures.too_many_false_alarms,
        "pages": figures.pages,
        "pages_per_shift": figures.pages_per_shift,
        "shifts": [_shift(directory, found) for found in figures.primary_shifts],
    }


def _shifts_end(team: Team, end: datetime) -> datetime:
    """Return the end of the primary's shift at ``end``: those that began before count with all of their pages."""
    last = end - _INSTANT
    shift, segment = shift_at(team, Role.PRIMARY, last), on_call(team, last).get(Role.PRIMARY)
    if shift is not None:
        return max(end, shift.end)
    return end if segment is None or segment.person is None else max(end, segment.end)


def _severity(severity: Severity, figures: SeverityFigures) -> Json:
    return {
        "severity": severity.key,
        "label": severity.label,
        "incidents": figures.incidents,
        "acknowledge": _against(figures.acknowledge, figures.targets.acknowledge),
        "resolve": _against(figures.resolve, figures.targets.resolve),
    }


def _person(directory: Directory, figures: PersonFigures) -> Json:
    return {
        "user": things.user(directory, figures.person, full=False),
        "pages": figures.pages,
        "response": _measure(figures.response),
        "call_outs": figures.call_outs,
        "worked_out_of_hours_seconds": figures.worked.total_seconds(),
        "standby_out_of_hours_seconds": figures.standby.total_seconds(),
    }


def _shift(directory: Directory, found: ShiftPages) -> Json:
    return {
        "user": things.user(directory, found.shift.person, full=False),
        "start": things.instant(found.shift.start),
        "end": things.instant(found.shift.end),
        "pages": found.pages,
        "own_pages": found.own,
        "stood_in": [
            {"user": things.user(directory, person, full=False), "pages": pages} for person, pages in found.stand_ins
        ],
    }


def _against(measure: Measure, target: timedelta) -> Json:
    return {"target_seconds": target.total_seconds(), **_measure(measure)}


def _measure(measure: Measure) -> Json:
    counts: Mapping[str, int] = {
        name: getattr(measure, name) for name in ("within", "late", "missed", "waiting", "ended")
    }
    mean = None if measure.mean is None else measure.mean.total_seconds()
    return {"mean_seconds": mean, **counts, "share_within_target": measure.share}
