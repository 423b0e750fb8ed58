"""How the watch did: times against targets, false alarms, load on people, month by month. Pure; every time is aware.

Incidents belong to the month of their trigger, pages to that of the page, hours to the month in which they were
worked, shifts with all of their pages to that in which they begin, all on the team's clock; so months add up to the
whole. What counts of an incident that was reopened, merged, or ended by itself: ``handled``. Source of the rules:
design, section 3, "Review".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from desktop.domain.handled import Handled, Paged
from desktop.domain.measures import Measure, answered, measured, ratio
from desktop.domain.rotation import schedule
from desktop.domain.severity import DEFAULT_TARGETS, Severity, Targets
from desktop.domain.shift_pages import ShiftPages, pages_per_shift
from desktop.domain.team import Role, Team
from desktop.domain.wall import instant
from desktop.domain.working_hours import Span, WorkingHours, clipped

__all__ = [
    "Handled", "Paged", "PersonFigures", "Review", "SeverityFigures", "ShiftPages",
    "months", "pages_per_shift", "review",
]  # fmt: skip

FALSE_ALARM_LIMIT = 0.05
_STANDING_BY = (Role.PRIMARY, Role.SECONDARY)


@dataclass(frozen=True, slots=True)
class SeverityFigures:
    """The incidents of one severity: how many, and how soon they were acknowledged and resolved."""

    targets: Targets
    incidents: int
    acknowledge: Measure
    resolve: Measure


@dataclass(frozen=True, slots=True)
class PersonFigures:
    """One person's load.

    ``response`` is measured from their own first page of each incident's first ring, against its acknowledge target;
    one that somebody else acknowledged within it, or that was handed on, is not counted. ``call_outs`` are incidents
    that paged them out of hours (those merged into one are one), ``worked`` the time out of hours from their
    acknowledgements on, ``standby`` that on call as primary or secondary.
    """

    person: str
    pages: int
    response: Measure
    call_outs: int
    worked: timedelta
    standby: timedelta


@dataclass(frozen=True, slots=True)
class Review:
    """The figures of ``[start, end)``; ``severities`` has all four, ``people`` the team's and whoever was paged.

    ``pages`` are those of anybody; ``primary_shifts`` the shifts of the primary that begin, with all of their pages.
    """

    start: datetime
    end: datetime
    severities: Mapping[Severity, SeverityFigures]
    people: tuple[PersonFigures, ...]
    resolved: int
    false_alarms: int
    pages: int
    primary_shifts: tuple[ShiftPages, ...]

    @property
    def false_alarm_rate(self) -> float | None:
        """The share (0 to 1) of false alarms among the incidents that were resolved; None when there are none."""
        return ratio(self.false_alarms, self.resolved)

    @property
    def too_many_false_alarms(self) -> bool:
        """Whether the rate is not below the procedure's 5 %."""
        rate = self.false_alarm_rate
        return rate is not None and rate >= FALSE_ALARM_LIMIT

    @property
    def shifts(self) -> int:
        """How many shifts of the primary begin."""
        return len(self.primary_shifts)

    @property
    def shift_pages(self) -> int:
        """The pages, in those shifts, of whoever was primary."""
        return sum(s.pages for s in self.primary_shifts)

    @property
    def stood_in_pages(self) -> int:
        """Those of them that went to somebody who stood in."""
        return sum(s.stood_in for s in self.primary_shifts)

    @property
    def pages_per_shift(self) -> float | None:
        """The pages of whoever was primary, for each shift that begins; None when none does."""
        return ratio(self.shift_pages, self.shifts)


def review(team: Team, incidents: Iterable[Handled], start: datetime, end: datetime, now: datetime) -> Review:
    """Return the figures of ``[start, end)`` as they stand at ``now``, whatever the order of ``incidents``.

    Of a shift that reaches beyond ``end``, the pages so far count.
    """
    incidents = tuple(incidents)
    born = [i for i in incidents if start <= i.triggered < end and not i.merged_into]
    resolved = [i for i in born if i.resolved is not None]
    return Review(
        start=start,
        end=end,
        severities={s: _severity(team.targets.get(s, DEFAULT_TARGETS[s]), _of(born, s), now) for s in Severity},
        people=_people(team, incidents, (start, end), now),
        resolved=len(resolved),
        false_alarms=sum(i.false_alarm for i in resolved),
        pages=sum(start <= at < end for i in incidents for p in i.pages for at in p.at),
        primary_shifts=tuple(s for s in pages_per_shift(team, incidents, start, end) if s.shift.role is Role.PRIMARY),
    )


def months(team: Team, incidents: Iterable[Handled], first: date, last: date, now: datetime) -> tuple[Review, ...]:
    """Return a review of each calendar month, on the team's clock, from that of ``first`` to that of ``last``."""
    incidents = tuple(incidents)
    starts = list(_months(first, last))
    bounds = [instant(datetime.combine(day, time()), team.time_zone) for day in starts]
    return tuple(review(team, incidents, a, b, now) for a, b in pairwise(bounds))


def _severity(targets: Targets, incidents: Sequence[Handled], now: datetime) -> SeverityFigures:
    acknowledge, resolve = Measure(), Measure()
    for i in incidents:
        acknowledge += answered(i.triggered, i.first_acknowledged, i.first_over, targets.acknowledge, now)
        resolve += answered(i.triggered, i.resolved, None, targets.resolve, now)
    return SeverityFigures(targets, len(incidents), acknowledge, resolve)


def _of(incidents: Iterable[Handled], severity: Severity) -> list[Handled]:
    return [i for i in incidents if i.severity is severity]


def _people(team: Team, incidents: Sequence[Handled], period: Span, now: datetime) -> tuple[PersonFigures, ...]:
    own: dict[str, list[tuple[Handled, Paged]]] = {p.id: [] for p in team.people}
    for incident in incidents:
        for paged in incident.pages:
            own.setdefault(paged.person, []).append((incident, paged))
    standing: dict[str, list[Span]] = {}
    for s in schedule(team, *period):
        if s.role in _STANDING_BY and s.person is not None:
            standing.setdefault(s.person, []).append((s.start, s.end))
    return tuple(
        _person(team, person, pages, standing.get(person, []), period, now) for person, pages in sorted(own.items())
    )


def _person(
    team: Team, person: str, own: Sequence[tuple[Handled, Paged]], standing: list[Span], period: Span, now: datetime
) -> PersonFigures:
    member = team.member(person)
    hours = WorkingHours((member.time_zone if member is not None else None) or team.time_zone, team.holidays)
    start, end = period
    response = Measure()
    for incident, paged in own:
        if start <= min(paged.at) < end and not incident.merged_into:
            response += _response(incident, paged, team.targets, now)
    return PersonFigures(
        person=person,
        pages=sum(start <= at < end for _, p in own for at in p.at),
        response=response,
        call_outs=sum(start <= at < end for at in _call_outs(own, hours)),
        worked=hours.time_out(clipped(span, start, end) for i, p in own for span in _at_work(i, p, now)),
        standby=hours.time_out(standing),
    )


def _call_outs(own: Iterable[tuple[Handled, Paged]], hours: WorkingHours) -> Iterable[datetime]:
    """Return, for each incident that paged them out of hours, when it first did."""
    first: dict[str, datetime] = {}
    for incident, paged in own:
        key = incident.merged_into or incident.id
        for at in filter(hours.out, paged.at):
            first[key] = min(at, first.get(key, at))
    return first.values()


def _response(incident: Handled, paged: Paged, targets: Mapping[Severity, Targets], now: datetime) -> Measure:
    """Return how ``paged`` answered, from their own first page."""
    first, acknowledged = min(paged.at), incident.in_first_ring(paged.acknowledged)
    target = targets.get(incident.severity, DEFAULT_TARGETS[incident.severity]).acknowledge
    if incident.in_first_ring(first) is None:
        return Measure()
    if acknowledged is not None:
        return measured(acknowledged - first, target)
    others = [t for t in (incident.first_acknowledged, paged.released) if t is not None]
    if others and min(others) - first <= target:
        return Measure()
    return answered(first, None, incident.first_over, target, now)


def _at_work(incident: Handled, paged: Paged, now: datetime) -> Iterator[Span]:
    """Yield when they were at it; what is no time at all may be among it."""
    if paged.acknowledged is not None:
        begun, until = paged.acknowledged, min(t for t in (incident.resolved, paged.released, now) if t is not None)
        for resolved, reopened in incident.calm:
            yield begun, min(resolved, until)
            begun = max(begun, reopened)
        yield begun, until


def _months(first: date, last: date) -> Iterator[date]:
    """Yield the first days of the months from that of ``first`` to the one after that of ``last``."""
    day = first.replace(day=1)
    while day <= last:
        yield day
        day = (day + timedelta(days=31)).replace(day=1)
    yield day
