"""A review as CSV: one file of severities, one of people, a line for each month. Pure.

Times are in minutes or hours, shares from 0 to 1; what cannot be said (a mean of nothing) is empty.
"""

from collections.abc import Iterable
from datetime import timedelta

from desktop.domain.defused import csv
from desktop.domain.measures import Measure
from desktop.domain.review import PersonFigures, Review, SeverityFigures
from desktop.domain.severity import Severity
from desktop.domain.team import Team
from desktop.domain.wall import clock

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_MEASURE = ("mean_minutes", "within", "late", "missed", "waiting", "share_within_target")
_ANSWERED = (*_MEASURE, "ended_by_itself")
SEVERITY_HEADER = (
    "month", "severity", "incidents",
    "acknowledge_target_minutes", *(f"acknowledge_{name}" for name in _ANSWERED),
    "resolve_target_minutes", *(f"resolve_{name}" for name in _MEASURE),
)  # fmt: skip
PEOPLE_HEADER = (
    "month", "person", "name", "pages", *(f"response_{name}" for name in _ANSWERED),
    "call_outs", "worked_out_of_hours", "standby_out_of_hours",
)  # fmt: skip
MONTH_HEADER = (
    "month", "resolved", "false_alarms", "false_alarm_rate", "pages",
    "shifts", "pages_of_the_primary", "of_those_who_stood_in", "pages_per_shift",
)  # fmt: skip


def severities_csv(team: Team, reviews: Iterable[Review]) -> str:
    """Return the times of each month and severity against their targets."""
    rows = (_severity(_month(team, r), s, figures) for r in reviews for s, figures in r.severities.items())
    return csv([SEVERITY_HEADER, *rows])


def people_csv(team: Team, reviews: Iterable[Review]) -> str:
    """Return the load of each person in each month."""
    rows = (_person(team, _month(team, r), figures) for r in reviews for figures in r.people)
    return csv([PEOPLE_HEADER, *rows])


def months_csv(team: Team, reviews: Iterable[Review]) -> str:
    """Return false alarms and pages of each month; the primary's are those in the shifts that began in it."""
    return csv([MONTH_HEADER, *(_totals(_month(team, r), r) for r in reviews)])


def _severity(month: str, severity: Severity, figures: SeverityFigures) -> tuple[str, ...]:
    return (
        month,
        severity.label,
        str(figures.incidents),
        _in(_MINUTE, figures.targets.acknowledge),
        *_answered(figures.acknowledge),
        _in(_MINUTE, figures.targets.resolve),
        *_measure(figures.resolve),
    )


def _person(team: Team, month: str, figures: PersonFigures) -> tuple[str, ...]:
    member = team.member(figures.person)
    return (
        month,
        figures.person,
        member.name if member is not None else "",
        str(figures.pages),
        *_answered(figures.response),
        str(figures.call_outs),
        _in(_HOUR, figures.worked),
        _in(_HOUR, figures.standby),
    )


def _totals(month: str, r: Review) -> tuple[str, ...]:
    return (
        month,
        str(r.resolved),
        str(r.false_alarms),
        _number(r.false_alarm_rate),
        str(r.pages),
        str(r.shifts),
        str(r.shift_pages),
        str(r.stood_in_pages),
        _number(r.pages_per_shift),
    )


def _measure(m: Measure) -> tuple[str, ...]:
    counts = (m.within, m.late, m.missed, m.waiting)
    return (_in(_MINUTE, m.mean), *map(str, counts), _number(m.share))


def _answered(m: Measure) -> tuple[str, ...]:
    return (*_measure(m), str(m.ended))


def _month(team: Team, r: Review) -> str:
    return f"{clock(r.start, team.time_zone):%Y-%m}"


def _in(unit: timedelta, span: timedelta | None) -> str:
    return "" if span is None else _number(span / unit)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
