"""What holds of the figures of every set of incidents."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.domain.measures import Measure
from desktop.domain.review import Handled, Paged, Review, months, pages_per_shift, review
from desktop.domain.review_csv import months_csv, people_csv, severities_csv
from desktop.domain.severity import Severity
from desktop.domain.wall import clock
from desktop.domain.working_hours import WorkingHours
from tests.unit.test_duties_examples import LOS_ANGELES, TEAM, at

examples = settings(max_examples=40)
MINUTE = timedelta(minutes=1)
FIRST, LAST = date(2026, 1, 1), date(2026, 4, 30)
START, END = at("2026-01-01 00:00"), at("2026-05-01 00:00")
# The clock change makes these months an hour shorter than their days: the end itself is not within them.
minutes = st.integers(0, (END - START) // MINUTE - 1).map(lambda m: START + m * MINUTE)
maybe_later = st.none() | st.integers(0, 5000).map(lambda m: m * MINUTE)


@st.composite
def incidents(draw: st.DrawFn) -> Handled:
    triggered = draw(minutes)
    answer, over = (None if d is None else triggered + d for d in (draw(maybe_later), draw(maybe_later)))
    pages = tuple(draw(pages_of(triggered, person)) for person in draw(st.sets(st.sampled_from("abc"), max_size=3)))
    severity = draw(st.sampled_from(Severity))
    calm = draw(st.lists(st.integers(0, 3000), max_size=4, unique=True).map(sorted))
    times = [triggered + m * MINUTE for m in calm]
    spans = tuple(zip(times[::2], times[1::2], strict=False))
    into = draw(st.sampled_from(("", "", "", "other")))
    return Handled(f"{triggered}", severity, triggered, answer, over, draw(st.booleans()), pages, spans, into)


@st.composite
def pages_of(draw: st.DrawFn, triggered: datetime, letter: str) -> Paged:
    person = {"a": "ana", "b": "ben", "c": "stranger"}[letter]
    times = draw(st.lists(st.integers(0, 3000), min_size=1, max_size=3))
    own = draw(maybe_later)
    return Paged(person, tuple(triggered + m * MINUTE for m in times), None if own is None else triggered + own)


several = st.lists(incidents(), max_size=6)


def whole(those: list[Handled], now: datetime = END) -> Review:
    return review(TEAM, those, START, END, now)


@examples
@given(several, st.data())
def test_figures_do_not_depend_on_the_order_of_incidents(those: list[Handled], data: st.DataObject) -> None:
    other = data.draw(st.permutations(those))
    assert whole(list(other)) == whole(those)
    assert pages_per_shift(TEAM, other, START, END) == pages_per_shift(TEAM, those, START, END)


@examples
@given(several)
def test_months_add_up_to_the_whole(those: list[Handled]) -> None:
    total, parts = whole(those), months(TEAM, those, FIRST, LAST, END)
    assert (parts[0].start, parts[-1].end, len(parts)) == (START, END, 4)
    for severity, figures in total.severities.items():
        assert sum(p.severities[severity].incidents for p in parts) == figures.incidents
        assert added(p.severities[severity].acknowledge for p in parts) == figures.acknowledge
        assert added(p.severities[severity].resolve for p in parts) == figures.resolve
    for name in ("resolved", "false_alarms", "pages", "shifts", "shift_pages", "stood_in_pages"):
        assert sum(getattr(p, name) for p in parts) == getattr(total, name)
    for index, person in enumerate(total.people):
        mine = [p.people[index] for p in parts]
        assert {p.person for p in mine} == {person.person}
        assert added(p.response for p in mine) == person.response
        for name in ("pages", "call_outs"):
            assert sum(getattr(p, name) for p in mine) == getattr(person, name)
        for name in ("worked", "standby"):
            assert sum((getattr(p, name) for p in mine), timedelta(0)) == getattr(person, name)


def added(measures: Iterable[Measure]) -> Measure:
    found = Measure()
    for measure in measures:
        found += measure
    return found


@examples
@given(several, minutes)
def test_every_incident_is_counted_once_and_every_share_is_one(those: list[Handled], now: datetime) -> None:
    found = whole(those, now)
    for figures in found.severities.values():
        for m in (figures.acknowledge, figures.resolve):
            assert m.within + m.late + m.missed + m.waiting + m.ended == figures.incidents
            assert m.share is None or 0 <= m.share <= 1
            assert m.mean is None or m.mean >= timedelta(0)
    assert sum(f.incidents for f in found.severities.values()) == sum(not i.merged_into for i in those)
    assert sum(p.pages for p in found.people) == found.pages
    for export in (severities_csv, people_csv, months_csv):
        assert export(TEAM, [found]).endswith("\r\n")


@examples
@given(several)
def test_without_an_acknowledgement_there_is_no_time_to_be_proud_of(those: list[Handled]) -> None:
    silent = [Handled(i.id, i.severity, i.triggered, None, i.resolved) for i in those]
    late = END + timedelta(days=30)
    for figures in whole(silent, late).severities.values():
        measure = figures.acknowledge
        assert (measure.missed + measure.ended, measure.mean) == (figures.incidents, None)
        assert measure.share in (None, 0.0)


@examples
@given(minutes, st.integers(0, 20 * 24 * 4), st.sets(st.integers(0, 140), max_size=4))
def test_hours_out_of_hours_are_those_that_a_slow_count_finds(start: datetime, quarters: int, days: set[int]) -> None:
    hours = WorkingHours(LOS_ANGELES, {FIRST + timedelta(days=d) for d in days})
    start = start.replace(minute=0)
    ticks = [start + n * 15 * MINUTE for n in range(quarters)]
    slow = sum(1 for tick in ticks if outside(clock(tick, LOS_ANGELES), hours))
    assert hours.time_out([(start, start + quarters * 15 * MINUTE)]) == slow * 15 * MINUTE
    assert all(hours.out(tick) == outside(clock(tick, LOS_ANGELES), hours) for tick in ticks[:40])
    assert start.tzinfo is UTC


def outside(wall: datetime, hours: WorkingHours) -> bool:
    return (
        wall.weekday() in (5, 6) or wall.date() in hours.holidays or not 9 * 60 <= wall.hour * 60 + wall.minute < 1020
    )
