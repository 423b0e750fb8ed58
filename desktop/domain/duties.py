"""Which duties there are and how they stand: a function of the team, what is known, and now. Pure; times are aware.

No timer and no list of duties is kept anywhere. Each duty has an id that follows from what it is about, so that it is
the same duty however often it is worked out. Duties run on the team's wall clock; a time that the clock skips is the
first instant after the gap. Source of the rules: design, section 3, "Duties"; the lists are in ``checklists``.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter

from desktop.domain.checklists import POINTS
from desktop.domain.duty import Duty, Kind, Listed, Mark, State, stand
from desktop.domain.policies import business_hours
from desktop.domain.severity import Severity
from desktop.domain.team import Member, Role, Team
from desktop.domain.wall import clock, instant
from desktop.domain.watch import Watch, weekly_handovers

STATUS_EVERY = timedelta(minutes=30)
STATUS_NOTICE = timedelta(minutes=5)
REVIEW_WITHIN = timedelta(hours=48)
_INSTANT = timedelta(microseconds=1)
HANDOVER_NOTICE = timedelta(days=1)
HANDOVER_TAKES = timedelta(minutes=30)
# How far ahead a first shift is looked for, by which somebody should be certified.
TRAINING_AHEAD = timedelta(weeks=4)
_MORNING, _NOON, _DAY = time(9), time(12), timedelta(days=1)
_ENGINEERS = (Role.PRIMARY, Role.SECONDARY)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MajorIncident:
    """An incident that is, or once was, a SEV-0 or SEV-1; ``severity`` is the worst that it was.

    It was one from ``started`` (the trigger, or when it was raised) until ``ended`` (resolved, or lowered; None: it
    still is). ``resolved`` is None while it is open. ``owner`` acknowledged it; empty: nobody has.
    """

    id: str
    title: str
    severity: Severity
    started: datetime
    ended: datetime | None = None
    resolved: datetime | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What duties follow from, besides the team.

    ``since`` is when duties began to be kept, or any later instant before which all are settled: no daily, weekly or
    monthly duty is listed that was due before it.
    """

    since: datetime
    incidents: tuple[MajorIncident, ...] = ()
    marks: tuple[Mark, ...] = ()


def duties(team: Team, facts: Facts, now: datetime, ahead: timedelta = timedelta(0)) -> tuple[Listed, ...]:
    """Return the duties that open before ``now + ahead`` and how they stand at ``now``, by due time, undated ones last.

    Raises ``InputError`` for instants without a zone or outside the years 1970 to 2199.
    """
    marks: dict[str, list[Mark]] = {}
    for mark in facts.marks:
        marks.setdefault(mark.duty, []).append(mark)
    watch = Watch(team)
    opening = now + ahead
    found = [d for d in _all(watch, facts, marks, now, opening) if d.opens <= opening]
    # Sorting twice by keys of one kind each is a third of the cost of sorting by pairs with an undated mark.
    found.sort(key=attrgetter("id"))
    dated = sorted((d for d in found if d.due is not None), key=attrgetter("due"))
    undated = (d for d in found if d.due is None)
    return tuple(Listed(d, stand(d, marks.get(d.id, ()), now)) for d in (*dated, *undated))


def with_certified(team: Team, marks: Iterable[Mark]) -> Team:
    """Return ``team`` with everybody certified whose certification was done by ``marks``.

    What the schedule flags (``flags``) then knows of it. A waived certification does not certify.
    """
    own: dict[str, list[Mark]] = {}
    for mark in marks:
        own.setdefault(mark.duty, []).append(mark)
    return replace(team, people=tuple(_certified(person, own) for person in team.people))


def _certified(person: Member, marks: Mapping[str, list[Mark]]) -> Member:
    duty = _of_person(Kind.CERTIFICATION, person, _EPOCH, None)
    done = stand(duty, marks.get(duty.id, ()), _EPOCH).state is State.DONE
    return replace(person, certified=True) if done else person


def _all(
    watch: Watch, facts: Facts, marks: Mapping[str, list[Mark]], now: datetime, opening: datetime
) -> Iterator[Duty]:
    yield from _daily(watch, facts.since, opening)
    yield from _weekly(watch, facts.since, opening)
    yield from _monthly(watch, facts.since, opening)
    for incident in facts.incidents:
        yield from _of_incident(watch, incident, marks, now)
    yield from _training(watch, facts.since, now)


def _daily(watch: Watch, since: datetime, opening: datetime) -> Iterator[Duty]:
    """Yield check-in and round of each day: the primary's at 09:00.

    The morning's check-in is overdue at noon, the round, which is daily, when the next one is due.
    """
    zone = watch.team.time_zone
    day, last = clock(since, zone).date(), clock(opening, zone).date()
    while day <= last:
        at = instant(datetime.combine(day, _MORNING), zone)
        # A date that the calendar skips (Samoa, 30 December 2011) has no morning.
        if at >= since and clock(at, zone).date() == day and watch.begun(Role.PRIMARY, at):
            people = _some(watch.holder(Role.PRIMARY, at))
            yield _dated(Kind.CHECK_IN, day, people, at, instant(datetime.combine(day, _NOON), zone))
            yield _dated(Kind.MONITORING, day, people, at, instant(datetime.combine(day + _DAY, _MORNING), zone))
        day += _DAY


def _weekly(watch: Watch, since: datetime, opening: datetime) -> Iterator[Duty]:
    """Yield the handovers: they open a day before, and are overdue when the meeting should be over."""
    zone = watch.team.time_zone
    for weekly in weekly_handovers(watch, since, opening + 2 * HANDOVER_NOTICE):
        both = (weekly.outgoing, weekly.incoming)
        yield Duty(
            id=f"{Kind.HANDOVER}/{weekly.shift.isoformat()}",
            kind=Kind.HANDOVER,
            people=tuple(dict.fromkeys((*both, *watch.managers(weekly.at)))),
            opens=instant(clock(weekly.at, zone) - HANDOVER_NOTICE, zone),
            due=weekly.at,
            late=weekly.at + HANDOVER_TAKES,
            points=POINTS[Kind.HANDOVER],
            subject=weekly.shift.isoformat(),
            signers=both,
        )


def _monthly(watch: Watch, since: datetime, opening: datetime) -> Iterator[Duty]:
    """Yield the monthly reviews: the managers', in the business hours of each month's first working day."""
    team = watch.team
    hours = business_hours(team)
    day, last = clock(since, team.time_zone).date().replace(day=1), clock(opening, team.time_zone).date()
    while day <= last:
        at = hours.next_open(instant(datetime.combine(day, time()), team.time_zone))
        if at >= since:
            evening = datetime.combine(clock(at, team.time_zone).date(), time(17))
            late = instant(evening, team.time_zone)
            yield _duty(Kind.MONTHLY_REVIEW, day.isoformat()[:7], watch.managers(at), at, at, late)
        day = (day + 31 * _DAY).replace(day=1)


def _of_incident(
    watch: Watch, incident: MajorIncident, marks: Mapping[str, list[Mark]], now: datetime
) -> Iterator[Duty]:
    people = (incident.owner,) if incident.owner else _some(watch.holder(Role.PRIMARY, incident.resolved or now))
    first = incident.started + STATUS_EVERY
    for kind in (Kind.STATUS_PAGE, Kind.CUSTOMER_NOTICE):
        yield _duty(kind, incident.id, people, incident.started, first, first)
    yield from _status_updates(incident, people, marks)
    yield from _reviews(incident, people, marks)


def _reviews(incident: MajorIncident, people: tuple[str, ...], marks: Mapping[str, list[Mark]]) -> Iterator[Duty]:
    """Yield a review for each time that it was resolved, due in 48 hours: one signed before it came back stays signed.

    A review that was only begun when it came back is that of the next time it is resolved.
    """
    number, reviewed = 1, incident.started
    while True:
        key = incident.id if number == 1 else f"{incident.id}/{number}"
        mine = marks.get(f"{Kind.INCIDENT_REVIEW}/{key}", [])
        resolved = incident.resolved if incident.resolved is not None and incident.resolved >= reviewed else None
        # Open again, it has no end to count from: what was done is still shown as done, from when it was.
        opens = min((mark.at for mark in mine), default=None) if resolved is None else resolved
        if opens is None:
            return
        settled = stand(_review(key, people, opens), mine, opens).settled_at
        if settled is not None:
            opens = min(opens, *(mark.at for mark in mine))
        yield _review(key, people, opens)
        if settled is None:
            return
        number, reviewed = number + 1, settled + _INSTANT


def _review(key: str, people: tuple[str, ...], opens: datetime) -> Duty:
    by = opens + REVIEW_WITHIN
    return _duty(Kind.INCIDENT_REVIEW, key, people, opens, by, by)


def _status_updates(
    incident: MajorIncident, people: tuple[str, ...], marks: Mapping[str, list[Mark]]
) -> Iterator[Duty]:
    """Yield the updates that were settled and the one after them, due 30 minutes after the last, or the start.

    One that fell due before the incident ended stays: somebody waited for it. Nothing is asked for after the end.
    """
    last, number = incident.started, 1
    while True:
        due = last + STATUS_EVERY
        opens = due - STATUS_NOTICE
        duty = _duty(Kind.STATUS_UPDATE, f"{incident.id}/{number}", people, opens, due, due, subject=incident.id)
        settled = stand(duty, marks.get(duty.id, ()), due).settled_at
        if settled is None:
            if incident.ended is None or due < incident.ended:
                yield duty
            return
        yield duty
        last, number = max(settled, last), number + 1


def _training(watch: Watch, since: datetime, now: datetime) -> Iterator[Duty]:
    """Yield training and certification of each engineer who is not certified, due by their next time on call.

    Of whom the team does not say it, the duties are listed without a due time. ``since`` fixes that time, so that
    somebody who is on call all the same is overdue from then on.
    """
    team = watch.team
    rings = {p for role in (*_ENGINEERS, Role.SHADOW) if role in team.rotations for p in team.rotations[role].members}
    firsts = _first_shifts(watch, since, now + TRAINING_AHEAD)
    for person in team.people:
        if person.certified is not True and (person.id in rings or person.certified is False):
            due = firsts.get(person.id) if person.certified is False else None
            yield _of_person(Kind.TRAINING, person, since, due)
            yield _of_person(Kind.CERTIFICATION, person, since, due)


def _first_shifts(watch: Watch, since: datetime, until: datetime) -> dict[str, datetime]:
    """Return when each person is first on call as primary or secondary within ``[since, until)``."""
    firsts: dict[str, datetime] = {}
    for role in _ENGINEERS:
        for segment in watch.segments(role, since, until):
            if segment.person is not None:
                begins = max(segment.start, since)
                firsts[segment.person] = min(firsts.get(segment.person, begins), begins)
    return firsts


def _of_person(kind: Kind, person: Member, since: datetime, due: datetime | None) -> Duty:
    return _duty(kind, person.id, (person.id,), since, due, due)


def _dated(kind: Kind, day: date, people: tuple[str, ...], at: datetime, late: datetime) -> Duty:
    return _duty(kind, day.isoformat(), people, at, at, late)


def _duty(
    kind: Kind,
    key: str,
    people: tuple[str, ...],
    opens: datetime,
    due: datetime | None,
    late: datetime | None,
    *,
    subject: str = "",
) -> Duty:
    return Duty(f"{kind}/{key}", kind, people, opens, due, late, POINTS[kind], subject or key)


def _some(person: str | None) -> tuple[str, ...]:
    return () if person is None else (person,)
