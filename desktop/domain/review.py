"""How the watch did: times against targets, false alarms, load on people, month by month. Pure; every time is aware.

Incidents belong to the month of their trigger, pages to that of the page, hours to the month in which they were
worked, all on the team's clock; so months add up to the whole. Source of the rules: design, section 3, "Review".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from desktop.domain.measures import Measure, answered, measured, ratio
from desktop.domain.rotation import schedule
from desktop.domain.segments import Segment
from desktop.domain.severity import DEFAULT_TARGETS, Severity, Targets
from desktop.domain.team import Role, Team
from desktop.domain.wall import instant
from desktop.domain.working_hours import Span, WorkingHours, clipped

FALSE_ALARM_LIMIT = 0.05
_STANDING_BY = (Role.PRIMARY, Role.SECONDARY)


@dataclass(frozen=True, slots=True)
class Paged:
    """``person`` was paged for an incident at each of ``at`` (not empty), and acknowledged it then, if ever.

    ``released`` is when they had no more to do with it (handed on); None: with its resolution.
    """

    person: str
    at: tuple[datetime, ...]
    acknowledged: datetime | None = None
    released: datetime | None = None


@dataclass(frozen=True, slots=True)
class Handled:
    """One incident as it went. Only people acknowledge; who resolves without, acknowledged by that.

    An incident that ended by itself before anybody did has ``acknowledged`` None, and counts as missed.
    """

    id: str
    severity: Severity
    triggered: datetime
    acknowledged: datetime | None = None
    resolved: datetime | None = None
    false_alarm: bool = False
    pages: tuple[Paged, ...] = ()


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

    ``response`` is measured from their own first page for each incident, against its acknowledge target; one that
    somebody else acknowledged within it is not counted. ``call_outs`` are incidents that paged them out of hours,
    ``worked`` the time out of hours from their acknowledgements on, ``standby`` that on call as primary or secondary.
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

    ``shifts`` are the times that somebody became primary, or for another reason than before.
    """

    start: datetime
    end: datetime
    severities: Mapping[Severity, SeverityFigures]
    people: tuple[PersonFigures, ...]
    resolved: int
    false_alarms: int
    shifts: int
    pages: int

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
    def pages_per_shift(self) -> float | None:
        """Pages, of anybody, for each shift of the primary that began; None when there was none."""
        return ratio(self.pages, self.shifts)


@dataclass(frozen=True, slots=True)
class ShiftPages:
    """How often the one on call was paged in a segment of the schedule."""

    segment: Segment
    pages: int


def review(team: Team, incidents: Iterable[Handled], start: datetime, end: datetime, now: datetime) -> Review:
    """Return the figures of ``[start, end)`` as they stand at ``now``, whatever the order of ``incidents``."""
    incidents = tuple(incidents)
    born = [i for i in incidents if start <= i.triggered < end]
    segments = [s for s in schedule(team, start, end) if s.role in _STANDING_BY]
    shifts = sum(s.role is Role.PRIMARY and s.person is not None for s in segments)
    resolved = [i for i in born if i.resolved is not None]
    return Review(
        start=start,
        end=end,
        severities={s: _severity(team.targets.get(s, DEFAULT_TARGETS[s]), _of(born, s), now) for s in Severity},
        people=_people(team, incidents, segments, start, end, now),
        resolved=len(resolved),
        false_alarms=sum(i.false_alarm for i in resolved),
        shifts=shifts - _continued(team, segments, start),
        pages=sum(start <= at < end for i in incidents for p in i.pages for at in p.at),
    )


def months(team: Team, incidents: Iterable[Handled], first: date, last: date, now: datetime) -> tuple[Review, ...]:
    """Return a review of each calendar month, on the team's clock, from that of ``first`` to that of ``last``."""
    incidents = tuple(incidents)
    starts = list(_months(first, last))
    bounds = [instant(datetime.combine(day, time()), team.time_zone) for day in starts]
    return tuple(review(team, incidents, a, b, now) for a, b in pairwise(bounds))


def pages_per_shift(team: Team, incidents: Iterable[Handled], start: datetime, end: datetime) -> tuple[ShiftPages, ...]:
    """Return how often each one on call was paged while they were, in the order of ``schedule``.

    Somebody in two roles is counted in the first of them, so that no page counts twice.
    """
    times: dict[str, list[datetime]] = {}
    for incident in incidents:
        for paged in incident.pages:
            times.setdefault(paged.person, []).extend(paged.at)
    found = []
    for segment in schedule(team, start, end):
        if segment.person is not None and segment.role is not Role.SHADOW:
            mine = times.get(segment.person, [])
            within = [at for at in mine if segment.start <= at < segment.end]
            times[segment.person] = [at for at in mine if not segment.start <= at < segment.end]
            found.append(ShiftPages(segment, len(within)))
    return tuple(found)


def _severity(targets: Targets, incidents: Sequence[Handled], now: datetime) -> SeverityFigures:
    acknowledge, resolve = Measure(), Measure()
    for i in incidents:
        acknowledge += answered(i.triggered, i.acknowledged, i.resolved, targets.acknowledge, now)
        resolve += answered(i.triggered, i.resolved, None, targets.resolve, now)
    return SeverityFigures(targets, len(incidents), acknowledge, resolve)


def _of(incidents: Iterable[Handled], severity: Severity) -> list[Handled]:
    return [i for i in incidents if i.severity is severity]


def _people(
    team: Team, incidents: Sequence[Handled], segments: Sequence[Segment], start: datetime, end: datetime, now: datetime
) -> tuple[PersonFigures, ...]:
    own: dict[str, list[tuple[Handled, Paged]]] = {p.id: [] for p in team.people}
    for incident in incidents:
        for paged in incident.pages:
            own.setdefault(paged.person, []).append((incident, paged))
    standing: dict[str, list[Span]] = {}
    for s in segments:
        standing.setdefault(s.person or "", []).append((s.start, s.end))
    return tuple(
        _person(team, person, pages, standing.get(person, []), (start, end), now)
        for person, pages in sorted(own.items())
    )


def _person(
    team: Team, person: str, own: Sequence[tuple[Handled, Paged]], standing: list[Span], period: Span, now: datetime
) -> PersonFigures:
    member = team.member(person)
    hours = WorkingHours((member.time_zone if member is not None else None) or team.time_zone, team.holidays)
    start, end = period
    outside = (min((at for at in p.at if hours.out(at)), default=None) for _, p in own)
    response = Measure()
    for incident, paged in own:
        if start <= min(paged.at) < end:
            response += _response(incident, paged, team.targets, now)
    return PersonFigures(
        person=person,
        pages=sum(start <= at < end for _, p in own for at in p.at),
        response=response,
        call_outs=sum(at is not None and start <= at < end for at in outside),
        worked=hours.time_out(clipped(span, start, end) for i, p in own for span in _at_work(i, p, now)),
        standby=hours.time_out(standing),
    )


def _response(incident: Handled, paged: Paged, targets: Mapping[Severity, Targets], now: datetime) -> Measure:
    """Return how ``paged`` answered, from their own first page."""
    first = min(paged.at)
    target = targets.get(incident.severity, DEFAULT_TARGETS[incident.severity]).acknowledge
    if paged.acknowledged is not None:
        return measured(paged.acknowledged - first, target)
    ends = [t for t in (incident.acknowledged, incident.resolved, paged.released) if t is not None]
    if ends and min(ends) - first <= target:
        return Measure()
    return answered(first, None, None, target, now)


def _at_work(incident: Handled, paged: Paged, now: datetime) -> Iterator[Span]:
    if paged.acknowledged is not None:
        yield paged.acknowledged, min(t for t in (incident.resolved, paged.released, now) if t is not None)


def _continued(team: Team, segments: Sequence[Segment], start: datetime) -> int:
    """Return 1 when the first segment of the primary goes on from before ``start``: its shift was counted there."""
    first = next((s for s in segments if s.role is Role.PRIMARY), None)
    if first is None or first.person is None:
        return 0
    before = schedule(team, start - timedelta(seconds=1), start)
    return sum(s.role is Role.PRIMARY and (s.person, s.why) == (first.person, first.why) for s in before)


def _months(first: date, last: date) -> Iterator[date]:
    """Yield the first days of the months from that of ``first`` to the one after that of ``last``."""
    day = first.replace(day=1)
    while day <= last:
        yield day
        day = (day + timedelta(days=31)).replace(day=1)
    yield day
