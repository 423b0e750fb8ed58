"""Who is on call, worked out the slow and obvious way, to check the fast one against. Pure.

It asks one instant at a time, knows nothing of segments, and finds a wall-clock time by watching the clock tick. What
has nothing to do with the instant is looked up once for each team. Times in the teams that it is asked about must be
whole seconds; where it writes down segments, whole ticks.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, wraps
from itertools import chain
from typing import TypeVar
from zoneinfo import ZoneInfo

from desktop.domain.segments import Segment, Why
from desktop.domain.team import Every, Role, Rotation, Team

DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
# No clock of these years went back further at once: Troll's in Antarctica does, by two hours.
WELL_BEFORE = timedelta(hours=3)
NOBODY = None

Held = tuple[str | None, Why]
Answer = TypeVar("Answer")


def remembered(ask: Callable[[Team, Role, int], Answer]) -> Callable[[Team, Role, int], Answer]:
    """Ask only once about each shift of the same team: a team never changes."""
    about: list[Team] = []
    answers: dict[tuple[Role, int], Answer] = {}

    @wraps(ask)
    def look(team: Team, role: Role, number: int) -> Answer:
        if not about or about[0] is not team:
            about[:] = [team]
            answers.clear()
        if (role, number) not in answers:
            answers[role, number] = ask(team, role, number)
        return answers[role, number]

    return look


def schedule(team: Team, start: datetime, end: datetime, tick: timedelta) -> tuple[Segment, ...]:
    """Ask at every tick, and write down a segment whenever the answer changes."""
    found: list[Segment] = []
    begun: dict[Role, datetime] = {}
    before: dict[Role, Held] = {}
    for at, answer in chain(ticking(team, start, end, tick), [(end, dict[Role, Held]())]):
        for role in Role:
            if answer.get(role) != before.get(role):
                if role in before:
                    found.append(Segment(role, before[role][0], begun[role], at, before[role][1]))
                begun[role] = at
        before = answer
    return tuple(sorted(found, key=lambda segment: list(Role).index(segment.role)))


def ticking(team: Team, start: datetime, end: datetime, tick: timedelta) -> Iterator[tuple[datetime, dict[Role, Held]]]:
    """Ask at every tick of ``[start, end)``."""
    at = start
    while at < end:
        yield at, on_call(team, at)
        at += tick


def on_call(team: Team, at: datetime) -> dict[Role, Held]:
    """Return who has each role at ``at``, and why."""
    held: dict[Role, Held] = {}
    for role in Role:
        override = overriding(team, role, at)
        if override is not None:
            held[role] = (override, Why.OVERRIDE)
        elif role in team.rotations:
            held[role] = by_rule(team, role, at, held)
    return held


def overriding(team: Team, role: Role, at: datetime) -> str | None:
    winner = None
    for override in team.overrides:
        if override.role is role and shown(team.time_zone, override.start) <= at < shown(team.time_zone, override.end):
            winner = override.person
    return winner


def by_rule(team: Team, role: Role, at: datetime, held: dict[Role, Held]) -> Held:
    number = shift_number(team, role, at)
    if number < 0:
        return NOBODY, Why.ROTATION
    taken = {held[r][0] for r in (Role.PRIMARY, Role.SECONDARY) if r in held}
    if role is Role.SECONDARY:
        return somebody(team, role, at, taken)
    if role is Role.MANAGER:
        free = somebody(team, role, at, taken)
        return free if free[0] is not NOBODY else somebody(team, role, at, set())
    person, why = somebody(team, role, at, set())
    if role is Role.PRIMARY and person is NOBODY:
        return last_resort(team, at), why
    return person, why


def somebody(team: Team, role: Role, at: datetime, taken: set[str | None]) -> Held:
    person, why, number = nominal(team, role, at)
    if absent(team, person, at):
        why = Why.ABSENCE
        order = [*named_covers(team, person, at), *further_back(team, role, number)]
    elif person in taken:
        why = Why.COVER
        order = further_back(team, role, number)
    else:
        return person, why
    for other in order:
        if other not in taken and not absent(team, other, at):
            return other, why
    return NOBODY, why


def last_resort(team: Team, at: datetime) -> str | None:
    secondary = overriding(team, Role.SECONDARY, at)
    if secondary is None and Role.SECONDARY in team.rotations and shift_number(team, Role.SECONDARY, at) >= 0:
        secondary = somebody(team, Role.SECONDARY, at, set())[0]
    for person in [secondary, *(p.id for p in team.people)]:
        if person is not None and not absent(team, person, at):
            return person
    return NOBODY


def nominal(team: Team, role: Role, at: datetime) -> tuple[str, Why, int]:
    """Return whose turn it is before anybody is away, why, and the shift from which covering looks back."""
    number = shift_number(team, role, at)
    person, why = engineer(team, role, number), Why.WEEK if row(team, role, number) else Why.ROTATION
    if length(team.rotations[role]) < DAY:
        return person, why, number
    day = on_call_day(team, role, at)
    if day not in team.holidays:
        return person, why, number
    while day - DAY in team.holidays:
        day -= DAY
    rotation = team.rotations[role]
    first = (datetime.combine(day, rotation.start.time()) - rotation.start) // length(rotation)
    others = earlier_engineers(team, role, first)
    if not others or others[0] == person:
        return person, why, number
    return others[0], Why.HOLIDAY, first


def on_call_day(team: Team, role: Role, at: datetime) -> date:
    handover = team.rotations[role].start.time()
    day = at.astimezone(team.time_zone).date() + 2 * DAY
    while shown(team.time_zone, datetime.combine(day, handover)) > at:
        day -= DAY
    return day


def shift_number(team: Team, role: Role, at: datetime) -> int:
    """Return the number of the last shift that has begun at ``at``; -1 before the first."""
    rotation = team.rotations[role]
    # No clock is a day ahead of UTC.
    number = (at.replace(tzinfo=None) + DAY - rotation.start) // length(rotation)
    while number >= 0 and shown(team.time_zone, rotation.start + number * length(rotation)) > at:
        number -= 1
    return max(number, -1)


@remembered
def row(team: Team, role: Role, number: int) -> str | None:
    starts = (team.rotations[role].start + number * length(team.rotations[role])).date()
    found = None
    for week in team.weeks:
        if number >= 0 and week.start == starts and role in week.people:
            found = week.people[role]
    return found


def engineer(team: Team, role: Role, number: int) -> str:
    members = team.rotations[role].members
    return row(team, role, number) or members[number % len(members)]


@remembered
def earlier_engineers(team: Team, role: Role, number: int) -> list[str]:
    """Return everybody else that one meets walking back shift by shift, until nobody is left to meet."""
    found: list[str] = []
    rotation = team.rotations[role]
    here = (rotation.start + number * length(rotation)).date()
    to_meet = {*rotation.members, *(w.people[role] for w in team.weeks if role in w.people and w.start <= here)}
    to_meet.discard(engineer(team, role, number))
    back = number
    while to_meet and back > -2 * len(rotation.members):
        back -= 1
        person = engineer(team, role, back)
        if person in to_meet:
            to_meet.discard(person)
            found.append(person)
    return found


def further_back(team: Team, role: Role, number: int) -> list[str]:
    return [
        *earlier_engineers(team, role, number),
        engineer(team, role, number),
        *team.rotations[role].members,
    ]


def named_covers(team: Team, person: str, at: datetime) -> list[str]:
    """Return those named to cover ``person``; one who is away too passes it on to those named for them."""
    found: list[str] = []
    asking = [person]
    for who in asking:
        for absence in team.absences:
            named = absence.person == who and holds(team, absence.start, absence.end, at)
            if named and absence.cover and absence.cover not in asking:
                found.append(absence.cover)
                asking.append(absence.cover)
    return found


def absent(team: Team, person: str, at: datetime) -> bool:
    return any(a.person == person and holds(team, a.start, a.end, at) for a in team.absences)


def holds(team: Team, start: datetime, end: datetime, at: datetime) -> bool:
    return shown(team.time_zone, start) <= at < shown(team.time_zone, end)


def length(rotation: Rotation) -> timedelta:
    return lasting(rotation.every)


@lru_cache
def lasting(every: Every) -> timedelta:
    return timedelta(**{str(every.unit): every.count})


def shown(zone: ZoneInfo, wall: datetime) -> datetime:
    """Return when it is ``wall``: an instant where that names one, else what the clock of ``zone`` says."""
    return watched(zone, wall) if wall.tzinfo is None else wall.astimezone(UTC)


@lru_cache(maxsize=1_000_000)
def watched(zone: ZoneInfo, wall: datetime) -> datetime:
    """Watch the clock until it first shows ``wall`` or later: by hours until well before, by minutes, by seconds.

    Within a minute no clock of these years was changed.
    """
    at = datetime.combine(wall.date(), time(), UTC) - 2 * DAY
    while face(zone, at + HOUR) < wall - WELL_BEFORE:
        at += HOUR
    while face(zone, at + MINUTE - SECOND) < wall:
        at += MINUTE
    while face(zone, at) < wall:
        at += SECOND
    return at


def face(zone: ZoneInfo, at: datetime) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)
