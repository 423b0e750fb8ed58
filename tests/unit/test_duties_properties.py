"""What holds of the duties of every team, however odd, and around every clock change."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.domain.duties import STATUS_EVERY, Facts, MajorIncident, duties
from desktop.domain.duty import Act, Kind, Listed, Mark, State
from desktop.domain.rotation import on_call
from desktop.domain.severity import Severity
from desktop.domain.shifts import length
from desktop.domain.team import Every, Role, Team, Unit
from desktop.domain.wall import clock, instant
from tests.unit.teams import DAY, WHOLE_DAYS, Case, cases
from tests.unit.test_duties_examples import TEAM

# Each example is a new team, whose schedule is worked out anew a year around: dear, for shifts of an hour.
examples = settings(max_examples=12)
SECOND = timedelta(seconds=1)
WALL = {Kind.CHECK_IN: time(9), Kind.MONITORING: time(9), Kind.MONTHLY_REVIEW: time(9)}


@st.composite
def facts_of(draw: st.DrawFn, case: Case) -> Facts:
    incidents = []
    for number in range(draw(st.integers(0, 3))):
        started = case.start + timedelta(minutes=draw(st.integers(0, 5 * 24 * 60)))
        lasted = draw(st.none() | st.integers(0, 300).map(lambda m: timedelta(minutes=m)))
        ended = None if lasted is None else started + lasted
        severity = draw(st.sampled_from((Severity.SEV0, Severity.SEV1)))
        incidents.append(MajorIncident(f"I{number}", "Down", severity, started, ended, ended))
    return Facts(case.start, tuple(incidents))


@st.composite
def marked(draw: st.DrawFn, listed: tuple[Listed, ...], now: datetime) -> tuple[Mark, ...]:
    """Draw marks on some of the duties listed, by those who have to do them and by others."""
    marks = []
    for item in draw(st.lists(st.sampled_from(listed), max_size=8)) if listed else []:
        duty = item.duty
        by = draw(st.sampled_from((*duty.signers, *duty.people, "somebody")))
        when = now - timedelta(minutes=draw(st.integers(0, 600)))
        act = draw(st.sampled_from(Act))
        point = draw(st.integers(1, len(duty.points)))
        marks.append(Mark(duty.id, act, by, when, point=point, reason="drill"))
    return tuple(marks)


@examples
@given(cases(), st.data())
def test_an_id_is_one_duty_and_is_the_same_later(case: Case, data: st.DataObject) -> None:
    facts = data.draw(facts_of(case))
    now = case.start + timedelta(hours=data.draw(st.integers(0, 7 * 24)))
    listed = duties(case.team, facts, now)
    found = {x.duty.id: x.duty for x in listed}
    assert len(found) == len(listed)
    assert duties(case.team, facts, now) == listed
    later = {x.duty.id: x.duty for x in duties(case.team, facts, now + DAY)}
    for duty in found.values():
        assert duty.id in later
        assert later[duty.id].opens == duty.opens
        assert duty.due is None or later[duty.id].due == duty.due


@examples
@given(cases(), st.data())
def test_done_twice_is_done_once_and_done_stays_done(case: Case, data: st.DataObject) -> None:
    facts = data.draw(facts_of(case))
    now = case.start + timedelta(hours=data.draw(st.integers(0, 7 * 24)))
    marks = data.draw(marked(duties(case.team, facts, now), now))
    once = replace(facts, marks=marks)
    listed = duties(case.team, once, now)
    assert duties(case.team, replace(facts, marks=(*marks, *reversed(marks))), now) == listed
    assert duties(case.team, replace(facts, marks=tuple(data.draw(st.permutations(marks)))), now) == listed
    more = tuple(replace(m, at=now + DAY, by="later") for m in data.draw(marked(listed, now)))
    after = {x.duty.id: x for x in duties(case.team, replace(facts, marks=(*marks, *more)), now + 2 * DAY)}
    for item in listed:
        if item.state.settled:
            assert after[item.duty.id].state is item.state
            assert after[item.duty.id].standing.settled_at == item.standing.settled_at


@examples
@given(cases(), st.data())
def test_what_was_missed_stays_visible_until_it_is_settled(case: Case, data: st.DataObject) -> None:
    facts = data.draw(facts_of(case))
    now = case.start + timedelta(hours=data.draw(st.integers(0, 7 * 24)))
    later = now + timedelta(hours=data.draw(st.integers(1, 60 * 24)))
    overdue = {x.duty.id for x in duties(case.team, facts, now) if x.state is State.OVERDUE}
    assert overdue <= {x.duty.id for x in duties(case.team, facts, later) if x.state is State.OVERDUE}


@examples
@given(cases())
def test_a_due_time_never_lies_in_a_skipped_hour_and_keeps_its_place_on_the_clock(case: Case) -> None:
    zone = case.team.time_zone
    for item in duties(case.team, Facts(case.start), case.end, DAY):
        duty = item.duty
        if duty.due is None or duty.kind not in WALL:
            continue
        wanted = datetime.combine(clock(duty.due, zone).date(), WALL[duty.kind])
        assert clock(duty.due, zone) == wanted or clock(duty.due - SECOND, zone) < wanted < clock(duty.due, zone)


@examples
@given(cases(WHOLE_DAYS))
def test_a_handover_is_at_the_first_instant_at_which_the_clock_shows_its_time(case: Case) -> None:
    zone, rotation = case.team.time_zone, case.team.rotations[Role.PRIMARY]
    for item in duties(case.team, Facts(case.start), case.end, DAY):
        if item.duty.kind is Kind.HANDOVER and item.duty.due is not None:
            shown = clock(item.duty.due, zone)
            assert clock(item.duty.due - SECOND, zone) < shown
            begins = date.fromisoformat(item.duty.subject)
            assert (
                rotation.every == Every(36, Unit.HOURS)
                or shown.time() >= rotation.start.time()
                or shown.date() > begins
            )


@examples
@given(cases())
def test_every_on_call_day_has_exactly_one_check_in_of_the_primary(case: Case) -> None:
    zone = case.team.time_zone
    found = [x.duty for x in duties(case.team, Facts(case.start), case.end) if x.duty.kind is Kind.CHECK_IN]
    seen: dict[date, datetime] = {}
    minute = case.start
    # The slow and obvious way: watch the clock until it shows nine or later.
    while minute <= case.end:
        shown = clock(minute, zone)
        if shown.time() >= time(9) and clock(minute - timedelta(minutes=30), zone) < datetime.combine(
            shown.date(), time(9)
        ):
            seen.setdefault(shown.date(), minute)
        minute += timedelta(minutes=30)
    begun = {day: at for day, at in seen.items() if should_have_a_primary(case, at)}
    assert {date.fromisoformat(d.subject): d.due for d in found} == begun
    for duty in found:
        assert duty.due is not None
        assert duty.people == tuple(p for p in (on_call(case.team, duty.due)[Role.PRIMARY].person,) if p is not None)


def should_have_a_primary(case: Case, at: datetime) -> bool:
    started = clock(at, case.team.time_zone) >= case.team.rotations[Role.PRIMARY].start
    return started or on_call(case.team, at)[Role.PRIMARY].person is not None


@examples
@given(cases(WHOLE_DAYS))
def test_who_hands_over_and_who_takes_over_have_most_of_their_turns_and_the_rotation_agrees(case: Case) -> None:
    as_planned = replace(case.team, overrides=(), absences=())
    for item in duties(case.team, Facts(case.start), case.end):
        duty = item.duty
        if duty.kind is Kind.HANDOVER and duty.due is not None:
            outgoing, incoming = duty.signers
            assert outgoing != incoming
            turn = on_call(as_planned, duty.due)[Role.PRIMARY].person
            assert incoming == turn or stands_in_for_most(case.team, as_planned, incoming, turn or "", duty.due)
            assert clock(duty.due, case.team.time_zone).date() not in case.team.holidays


def stands_in_for_most(team: Team, as_planned: Team, person: str, turn: str, at: datetime) -> bool:
    """Tell whether ``person`` has more of the turns of ``turn`` in the shift after ``at``, half hour by half hour."""
    zone, rotation = team.time_zone, team.rotations[Role.PRIMARY]
    begins = (moved(team, rotation.start + n * length(rotation.every)) for n in range(9999))
    end = next(instant(wall, zone) for wall in begins if instant(wall, zone) > at)
    had: Counter[str | None] = Counter()
    while at < end:
        if on_call(as_planned, at)[Role.PRIMARY].person == turn:
            had[on_call(team, at)[Role.PRIMARY].person] += 1
        at += timedelta(minutes=30)
    return had[person] > had[turn]


def moved(team: Team, wall: datetime) -> datetime:
    return moved(team, wall + DAY) if wall.date() in team.holidays else wall


@given(st.lists(st.integers(0, 200), max_size=12), st.integers(1, 600))
def test_never_more_than_one_update_is_wanted_and_none_sooner_than_30_minutes_after_the_last(
    minutes: list[int], lasted: int
) -> None:
    start = datetime(2026, 1, 14, tzinfo=UTC)
    incident = MajorIncident("I", "Down", Severity.SEV1, start, start + timedelta(minutes=lasted))
    marks = [
        Mark(f"status-update/I/{n}", Act.SIGN, "ana", start + timedelta(minutes=m))
        for n, m in enumerate(sorted(minutes), start=1)
    ]
    facts = Facts(start, (incident,), tuple(marks))
    found = [x for x in duties(TEAM, facts, start + DAY) if x.duty.kind is Kind.STATUS_UPDATE]
    found.sort(key=lambda x: int(x.duty.id.rpartition("/")[2]))
    assert all(x.state is State.DONE for x in found[:-1])
    last = start
    for item in found:
        assert item.duty.due == last + STATUS_EVERY
        last = max(item.standing.settled_at or last, last)
