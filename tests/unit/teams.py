"""Random teams, for properties that must hold for every team: odd shifts and times, changes that overlap."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from types import MappingProxyType
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from desktop.domain.shifts import length
from desktop.domain.team import Absence, Every, Member, Override, Role, Rotation, Team, Unit, Week

DAY, HALF_HOUR, SECOND = timedelta(days=1), timedelta(minutes=30), timedelta(seconds=1)
wall = datetime.fromisoformat

ROTATING = (Role.PRIMARY, Role.SECONDARY, Role.MANAGER, Role.SHADOW)

# A day on or near which the clock of the zone changes, all by whole half hours: Lord Howe by one, Apia lost a day, in
# São Paulo midnight was skipped, in Dublin winter is the exception, in Casablanca the month of Ramadan.
CHANGES = (
    ("America/Los_Angeles", wall("2026-03-08")),
    ("America/Los_Angeles", wall("2026-11-01")),
    ("Europe/Berlin", wall("2026-03-29")),
    ("Europe/Berlin", wall("2026-10-25")),
    ("Australia/Lord_Howe", wall("2026-04-05")),
    ("Australia/Lord_Howe", wall("2026-10-04")),
    ("Pacific/Apia", wall("2011-12-30")),
    ("Africa/Casablanca", wall("2026-02-15")),
    ("Africa/Casablanca", wall("2026-03-22")),
    ("America/Sao_Paulo", wall("2018-11-04")),
    ("America/Sao_Paulo", wall("2019-02-17")),
    ("Europe/Dublin", wall("2026-03-29")),
    ("Europe/Dublin", wall("2026-10-25")),
    ("UTC", wall("2026-06-15")),
)
# Kathmandu's clock was 5:30 ahead and became 5:45.
ODD_CHANGES = (*CHANGES, ("Asia/Kathmandu", wall("1986-01-01")), ("Asia/Kathmandu", wall("2026-06-15")))
RINGS = (1, 2, 3, 7, 50)
WHOLE_DAYS = (
    Every(1, Unit.DAYS),
    Every(24, Unit.HOURS),
    Every(36, Unit.HOURS),
    Every(2, Unit.DAYS),
    Every(1, Unit.WEEKS),
)
SHIFTS = (
    Every(1, Unit.HOURS), Every(5, Unit.HOURS), Every(12, Unit.HOURS), Every(24, Unit.HOURS), Every(36, Unit.HOURS),
    Every(1, Unit.DAYS), Every(3, Unit.DAYS), Every(1, Unit.WEEKS), Every(2, Unit.WEEKS),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A team and the window in which everything about it happens."""

    team: Team
    start: datetime
    end: datetime


@st.composite
def cases(draw: st.DrawFn, shifts: tuple[Every, ...] = SHIFTS, days: int = 9, most: int = 5) -> Case:
    """Draw a team of up to ``most`` people around a clock change, and a window of ``days`` around it."""
    zone_name, change = draw(st.sampled_from(CHANGES))
    people = [f"p{n}" for n in range(draw(st.integers(1, most)))]
    first = change - timedelta(days=days // 2)
    rotations = draw(_rotations(people, change, shifts, days))
    team = Team(
        time_zone=ZoneInfo(zone_name),
        people=tuple(Member(p, p.upper()) for p in people),
        rotations=MappingProxyType(rotations),
        weeks=draw(_weeks(people, rotations, first, days)),
        holidays=MappingProxyType(draw(_holidays(first, days))),
        absences=tuple(draw(st.lists(absences(people, first, days), max_size=6))),
        overrides=tuple(draw(st.lists(_overrides(people, first, days), max_size=3))),
    )
    start = first.replace(tzinfo=UTC)
    return Case(team, start, start + days * DAY)


def moments(first: datetime, days: int) -> st.SearchStrategy[datetime]:
    """Draw wall-clock times on the half hour, from ``first`` on."""
    return st.integers(0, days * 48).map(lambda n: first + n * HALF_HOUR)


@st.composite
def absences(draw: st.DrawFn, people: list[str], first: datetime, days: int) -> Absence:
    """Draw an absence of up to ``days`` days, with a cover or without."""
    start = draw(moments(first, days))
    end = start + draw(st.integers(1, days * 24)) * HALF_HOUR
    person = draw(st.sampled_from(people))
    cover = draw(st.none() | st.sampled_from(people))
    return Absence(person, start, end, cover=None if cover == person else cover)


@st.composite
def odd_cases(
    draw: st.DrawFn,
    shifts: tuple[Every, ...] = SHIFTS,
    days: int = 9,
    least: int = 1,
    changes: tuple[tuple[str, datetime], ...] = ODD_CHANGES,
) -> Case:
    """Draw a team of ``least`` to 50 people, with times that are whole seconds only, around one of ``changes``.

    Some of the absences and overrides name instants with an offset of their own. In a longer time more of everything
    happens. Otherwise like ``cases``.
    """
    zone_name, change = draw(st.sampled_from(changes))
    busy = days // 180
    people = [f"p{n}" for n in range(draw(st.sampled_from([n for n in RINGS if n >= least])))]
    first = change - timedelta(days=days // 2)
    roles = draw(st.sets(st.sampled_from(ROTATING), min_size=min(least, len(ROTATING)))) | {Role.PRIMARY}
    rotations = {role: draw(_odd_rotations(people, first if busy else change, shifts)) for role in sorted(roles)}
    taken = st.tuples(odd_spans(first, min(days, 60), days), st.sampled_from(people))
    covered = st.tuples(taken, st.none() | st.sampled_from(people)).filter(lambda drawn: drawn[0][1] != drawn[1])
    team = Team(
        time_zone=ZoneInfo(zone_name),
        people=tuple(Member(p, p.upper()) for p in people),
        rotations=MappingProxyType(rotations),
        weeks=draw(_weeks(people, rotations, first, days, busy)),
        holidays=MappingProxyType(draw(_holidays(first, days, busy))),
        absences=tuple(
            Absence(person, *span, cover=cover)
            for (span, person), cover in draw(st.lists(covered, min_size=least + busy, max_size=12 + busy))
        ),
        overrides=tuple(
            Override(draw(st.sampled_from(list(Role))), person, *span)
            for span, person in draw(st.lists(taken, min_size=busy, max_size=4 + busy))
        ),
    )
    start = first.replace(tzinfo=UTC) + draw(st.integers(0, 59)) * SECOND
    return Case(team, start, start + days * DAY)


@st.composite
def odd_spans(draw: st.DrawFn, first: datetime, longest: int, days: int) -> tuple[datetime, datetime]:
    """Draw a start and an end, up to ``longest`` days apart, each on the wall clock or with an offset of its own."""
    start = first + draw(st.integers(0, days * 86_400)) * SECOND
    end = start + draw(st.integers(1, 90) | st.integers(1, longest * 43_200)) * SECOND
    offsets = st.none() | st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    return start.replace(tzinfo=draw(offsets)), end.replace(tzinfo=draw(offsets))


@st.composite
def _odd_rotations(draw: st.DrawFn, people: list[str], near: datetime, shifts: tuple[Every, ...]) -> Rotation:
    size = draw(st.sampled_from(RINGS))
    members = draw(st.permutations(people))[:size] + draw(st.lists(st.sampled_from(people), max_size=2))
    start = near - draw(st.integers(-2, 30)) * DAY + draw(st.integers(0, 86_399)) * SECOND
    return Rotation(tuple(members), start, draw(st.sampled_from(shifts)))


@st.composite
def _overrides(draw: st.DrawFn, people: list[str], first: datetime, days: int) -> Override:
    start = draw(moments(first, days))
    end = start + draw(st.integers(1, 96)) * HALF_HOUR
    return Override(draw(st.sampled_from(list(Role))), draw(st.sampled_from(people)), start, end)


@st.composite
def _rotations(
    draw: st.DrawFn, people: list[str], change: datetime, shifts: tuple[Every, ...], days: int
) -> dict[Role, Rotation]:
    found = {}
    for role in draw(st.sets(st.sampled_from(ROTATING), min_size=1)) | {Role.PRIMARY}:
        members = draw(st.lists(st.sampled_from(people), min_size=1, max_size=len(people) + 1))
        handover = draw(st.sampled_from((0, 1, 1.5, 2, 2.5, 3, 9, 23.5)))
        start = change - draw(st.integers(-2, 30)) * DAY + timedelta(hours=handover)
        found[role] = Rotation(tuple(members), start, draw(st.sampled_from(shifts)))
    return {role: found[role] for role in sorted(found)}


@st.composite
def _weeks(
    draw: st.DrawFn, people: list[str], rotations: dict[Role, Rotation], first: datetime, days: int, least: int = 0
) -> tuple[Week, ...]:
    rows = []
    for _ in range(draw(st.integers(least, least + 3))):
        role = draw(st.sampled_from(list(rotations)))
        rotation = rotations[role]
        every = length(rotation.every)
        near = max((first - rotation.start) // every, 0) + draw(st.integers(0, max(days * DAY // every, 1)))
        rows.append(Week((rotation.start + near * every).date(), {role: draw(st.sampled_from(people))}))
    return tuple(rows)


def _holidays(first: datetime, days: int, least: int = 0) -> st.SearchStrategy[dict[date, str]]:
    several = st.sets(st.integers(-2, days + 1), min_size=least, max_size=least + 5)
    return several.map(lambda those: {(first + n * DAY).date(): "Holiday" for n in sorted(those)})


def utc(text: str) -> datetime:
    """Return the instant that ``text`` names in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
