"""The duties as tables that a manager can read, named after the sentences of the on-call procedure.

Ana, Ben and Cho take turns as primary from Monday 5 January 2026, 09:00 in Los Angeles; Ben, Cho and Ana as secondary;
Dora manages. Times are Los Angeles' unless they end in Z.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from desktop.domain.checklists import POINTS
from desktop.domain.duties import Facts, MajorIncident, duties, with_certified
from desktop.domain.duty import Act, Duty, Kind, Listed, Mark, Quiet, State, remind_at, stand
from desktop.domain.errors import InputError
from desktop.domain.flags import Doubt, flags
from desktop.domain.severity import Severity
from desktop.domain.team import Absence, Access, Every, Member, Override, Role, Rotation, Team, Unit, Week
from desktop.domain.wall import instant
from desktop.domain.watch import Watch, weekly_handovers

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
WEEKLY = Every(1, Unit.WEEKS)
START = datetime.fromisoformat("2026-01-05 09:00")
ALONE = Rotation(("ana",), START, WEEKLY)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)

TEAM = Team(
    time_zone=LOS_ANGELES,
    people=tuple(Member(p, p.capitalize(), certified=True) for p in ("ana", "ben", "cho", "dora")),
    rotations=MappingProxyType(
        {
            Role.PRIMARY: Rotation(("ana", "ben", "cho"), START, WEEKLY),
            Role.SECONDARY: Rotation(("ben", "cho", "ana"), START, WEEKLY),
            Role.MANAGER: Rotation(("dora",), START, WEEKLY),
        }
    ),
)


def at(text: str) -> datetime:
    """Return the instant of a time in Los Angeles, or in UTC where it ends in Z."""
    return instant(datetime.fromisoformat(text), LOS_ANGELES)


def holiday(*days: str) -> Team:
    dates = {datetime.fromisoformat(day).date(): "Holiday" for day in days}
    return replace(TEAM, holidays=MappingProxyType(dates))


def signed(duty: str, by: str, when: str) -> Mark:
    return Mark(duty, Act.SIGN, by, at(when))


def waived(duty: str, by: str, when: str, reason: str) -> Mark:
    return Mark(duty, Act.WAIVE, by, at(when), reason=reason)


def replace_marks(listed: Listed, marks: tuple[Mark, ...]) -> Listed:
    """Return the same duty as it stands after ``marks``."""
    return Listed(listed.duty, stand(listed.duty, marks, listed.duty.opens))


def one(team: Team, facts: Facts, now: str, duty: str, ahead: timedelta = timedelta(0)) -> Listed:
    (found,) = [x for x in duties(team, facts, at(now), ahead) if x.duty.id == duty]
    return found


def ids(team: Team, facts: Facts, now: str, kind: Kind, ahead: timedelta = timedelta(0)) -> list[str]:
    return [x.duty.id for x in duties(team, facts, at(now), ahead) if x.duty.kind is kind]


SINCE = Facts(at("2026-01-13 00:00"))
SEV0 = MajorIncident("I1", "Payments down", Severity.SEV0, at("2026-01-14 10:00"), owner="ben")
OPEN = replace(SINCE, incidents=(SEV0,))
OVER = replace(SEV0, ended=at("2026-01-14 11:10"), resolved=at("2026-01-14 11:10"))
RESOLVED = replace(SINCE, incidents=(OVER,))
AWAY_MONDAY = holiday("2026-01-19")
LONG_RUN = holiday("2026-01-18", "2026-01-19", "2026-01-20")
NEW_CHO = replace(
    TEAM,
    people=tuple(replace(p, certified=False) if p.id == "cho" else p for p in TEAM.people),
    rotations=TEAM.rotations,
)

# sentence, team, facts, now, duty, whose, due, state
TABLE = [
    ("Morning Check-in (9:00 AM PST)", TEAM, SINCE, "2026-01-13 09:00", "check-in/2026-01-13", "ben",
     "2026-01-13 09:00", State.DUE),
    ("a check-in is late when the morning is over", TEAM, SINCE, "2026-01-13 12:00", "check-in/2026-01-13", "ben",
     "2026-01-13 09:00", State.OVERDUE),
    ("in summer it is 9:00 on the same clock", TEAM, Facts(at("2026-07-01 00:00")), "2026-07-01 09:00",
     "check-in/2026-07-01", "ben", "2026-07-01T16:00Z", State.DUE),
    ("on the day of a handover it is the incoming engineer's", TEAM, SINCE, "2026-01-19 10:00", "check-in/2026-01-19",
     "cho", "2026-01-19 09:00", State.DUE),
    ("on a holiday it is the covering engineer's", AWAY_MONDAY, SINCE, "2026-01-19 10:00", "check-in/2026-01-19",
     "ben", "2026-01-19 09:00", State.DUE),
    ("System Monitoring, daily", TEAM, SINCE, "2026-01-14 08:59", "monitoring/2026-01-13", "ben", "2026-01-13 09:00",
     State.DUE),
    ("yesterday's round was missed, and stays", TEAM, SINCE, "2026-01-16 09:00", "monitoring/2026-01-13", "ben",
     "2026-01-13 09:00", State.OVERDUE),
    ("Status Page: update", TEAM, OPEN, "2026-01-14 10:00", "status-page/I1", "ben", "2026-01-14 10:30", State.DUE),
    ("Customer Notifications: for SEV-0/SEV-1 incidents", TEAM, OPEN, "2026-01-14 10:30", "customer-notice/I1", "ben",
     "2026-01-14 10:30", State.OVERDUE),
    ("Post status updates every 30 minutes", TEAM, OPEN, "2026-01-14 10:25", "status-update/I1/1", "ben",
     "2026-01-14 10:30", State.DUE),
    ("the next one is due 30 minutes after the last", TEAM,
     replace(OPEN, marks=(signed("status-update/I1/1", "ben", "2026-01-14 10:27"),)), "2026-01-14 10:55",
     "status-update/I1/2", "ben", "2026-01-14 10:57", State.DUE),
    ("nobody acknowledged: it is the primary's", TEAM, replace(SINCE, incidents=(replace(SEV0, owner=""),)),
     "2026-01-14 10:26", "status-update/I1/1", "ben", "2026-01-14 10:30", State.DUE),
    ("an update that was missed stays after the end", TEAM, RESOLVED, "2026-01-14 12:00", "status-update/I1/1", "ben",
     "2026-01-14 10:30", State.OVERDUE),
    ("Post-Incident Reviews: complete within 48 hours", TEAM, RESOLVED, "2026-01-16 11:09", "incident-review/I1",
     "ben", "2026-01-16 11:10", State.DUE),
    ("after 48 hours it is overdue", TEAM, RESOLVED, "2026-01-16 11:10", "incident-review/I1", "ben",
     "2026-01-16 11:10", State.OVERDUE),
    ("Handover: every Monday at 9:00 AM PST", TEAM, SINCE, "2026-01-19 09:00", "handover/2026-01-19",
     "ben cho dora", "2026-01-19 09:00", State.DUE),
    ("Duration: 30 minutes", TEAM, SINCE, "2026-01-19 09:30", "handover/2026-01-19", "ben cho dora",
     "2026-01-19 09:00", State.OVERDUE),
    ("its reminder comes a day ahead", TEAM, SINCE, "2026-01-18 09:00", "handover/2026-01-19", "ben cho dora",
     "2026-01-19 09:00", State.DUE),
    ("a holiday moves it, its reminder and its checklist", AWAY_MONDAY, SINCE, "2026-01-19 09:00",
     "handover/2026-01-19", "ben cho dora", "2026-01-20 09:00", State.DUE),
    ("a run of holidays moves it past the run; Ana covered the run", LONG_RUN, SINCE, "2026-01-20 09:00",
     "handover/2026-01-19", "ana cho dora", "2026-01-21 09:00", State.DUE),
    ("signed by one of both is not done", TEAM,
     replace(SINCE, marks=(signed("handover/2026-01-19", "ben", "2026-01-19 09:20"),)), "2026-01-19 09:25",
     "handover/2026-01-19", "ben cho dora", "2026-01-19 09:00", State.DUE),
    ("Monthly Reviews, on the first working day", TEAM, Facts(at("2026-02-01 00:00")), "2026-02-02 09:00",
     "monthly-review/2026-02", "dora", "2026-02-02 09:00", State.DUE),
    ("New Year is no working day, nor is a weekend", holiday("2027-01-01"), Facts(at("2026-12-31 00:00")),
     "2027-01-04 17:00", "monthly-review/2027-01", "dora", "2027-01-04 09:00", State.OVERDUE),
    ("On-Call Training Requirements, by the first time on call", NEW_CHO, SINCE, "2026-01-13 00:00", "training/cho",
     "cho", "2026-01-13 00:00", State.OVERDUE),
    ("waived with a reason", TEAM,
     replace(SINCE, marks=(waived("check-in/2026-01-13", "dora", "2026-01-14 10:00", "fire drill"),)),
     "2026-01-15 00:00", "check-in/2026-01-13", "ben", "2026-01-13 09:00", State.WAIVED),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_the_procedure(row: tuple[str, Team, Facts, str, str, str, str, State]) -> None:
    _, team, facts, now, duty, whose, due, state = row
    found = one(team, facts, now, duty)
    assert " ".join(found.duty.people) == whose
    assert found.duty.due == at(due)
    assert found.state is state


@pytest.mark.parametrize(
    ("kind", "points"),
    [(Kind.CHECK_IN, 4), (Kind.MONITORING, 4), (Kind.HANDOVER, 6), (Kind.TRAINING, 5), (Kind.CERTIFICATION, 5)],
)
def test_each_list_has_the_points_of_the_procedure(kind: Kind, points: int) -> None:
    assert len(POINTS[kind]) == len(set(POINTS[kind])) == points


def test_every_kind_has_a_list() -> None:
    assert set(POINTS) == set(Kind)


def test_nothing_is_asked_before_its_time_but_what_is_ahead_can_be_seen() -> None:
    assert ids(TEAM, SINCE, "2026-01-13 08:59", Kind.CHECK_IN) == []
    assert ids(TEAM, SINCE, "2026-01-18 08:59", Kind.HANDOVER) == []
    tomorrow = one(TEAM, SINCE, "2026-01-13 08:59", "check-in/2026-01-13", DAY)
    assert tomorrow.state is State.AHEAD
    assert ids(TEAM, SINCE, "2026-01-18 08:59", Kind.HANDOVER, MINUTE) == ["handover/2026-01-19"]


def test_nothing_is_asked_from_before_duties_were_kept() -> None:
    assert duties(TEAM, Facts(at("2026-01-13 09:01")), at("2026-01-13 12:00")) == ()
    assert duties(TEAM, Facts(at("2025-11-03 00:00")), at("2025-12-30 12:00"))[0].duty.kind is Kind.MONTHLY_REVIEW
    assert ids(TEAM, Facts(at("2025-11-03 00:00")), "2026-01-05 08:59", Kind.CHECK_IN, MINUTE) == [
        "check-in/2026-01-05"
    ]


def test_the_first_shift_is_handed_over_by_nobody() -> None:
    assert ids(TEAM, Facts(at("2025-12-01 00:00")), "2026-01-20 00:00", Kind.HANDOVER) == [
        "handover/2026-01-12", "handover/2026-01-19",
    ]  # fmt: skip


def test_a_ring_of_one_hands_over_to_nobody() -> None:
    alone = replace(TEAM, rotations=MappingProxyType({Role.PRIMARY: ALONE}))
    assert ids(alone, SINCE, "2026-03-01 00:00", Kind.HANDOVER) == []


def test_shifts_shorter_than_a_day_have_no_weekly_meeting() -> None:
    short = Rotation(("ana", "ben"), START, Every(12, Unit.HOURS))
    team = replace(TEAM, rotations=MappingProxyType({Role.PRIMARY: short}))
    assert ids(team, SINCE, "2026-01-20 00:00", Kind.HANDOVER) == []
    daily = replace(TEAM, rotations=MappingProxyType({Role.PRIMARY: replace(short, every=Every(1, Unit.DAYS))}))
    assert len(ids(daily, SINCE, "2026-01-20 09:00", Kind.HANDOVER)) == 9


def test_daily_handovers_within_a_run_of_holidays_are_one_after_it() -> None:
    daily = Rotation(("ana", "ben", "cho"), START, Every(1, Unit.DAYS))
    team = replace(LONG_RUN, rotations=MappingProxyType({Role.PRIMARY: daily}))
    assert ids(team, SINCE, "2026-01-21 09:00", Kind.HANDOVER)[-3:-1] == ["handover/2026-01-17", "handover/2026-01-21"]
    moved = one(team, SINCE, "2026-01-21 09:00", "handover/2026-01-21").duty
    assert moved.due == at("2026-01-21 09:00")


def test_whoever_covers_the_holidays_before_their_own_shift_still_gets_the_watch_handed_over() -> None:
    two = Rotation(("ana", "ben"), START, WEEKLY)
    team = replace(holiday("2026-01-11", "2026-01-12"), rotations=MappingProxyType({Role.PRIMARY: two}))
    found = one(team, Facts(at("2026-01-06 00:00")), "2026-01-13 09:00", "handover/2026-01-12").duty
    assert (found.signers, found.due) == (("ana", "ben"), at("2026-01-13 09:00"))


def test_an_override_within_a_shift_is_no_weekly_handover() -> None:
    over = Override(Role.PRIMARY, "cho", datetime(2026, 1, 14, 18), datetime(2026, 1, 15, 9))
    team = replace(TEAM, overrides=(over,))
    assert ids(team, SINCE, "2026-01-19 09:00", Kind.HANDOVER) == ["handover/2026-01-19"]


STAND_INS = [
    ("nobody stands in", "", "", "", "", "", "ben cho"),
    ("an override across the handover", "override", "dora", "2026-01-19 08:00", "2026-01-19 12:00", "", "ben cho"),
    ("an hour in the incoming shift", "override", "ana", "2026-01-20 08:00", "2026-01-20 09:00", "", "ben cho"),
    ("the last hour of the outgoing shift", "override", "dora", "2026-01-19 08:00", "2026-01-19 09:00", "", "ben cho"),
    ("the outgoing shift's night", "absence", "ben", "2026-01-18 18:00", "2026-01-20 09:00", "dora", "ben cho"),
    ("the incoming engineer is away the whole week", "absence", "cho", "2026-01-19 00:00", "2026-01-27 00:00", "ana",
     "ben ana"),
    ("the outgoing engineer was ill from Wednesday on", "absence", "ben", "2026-01-14 03:00", "2026-01-19 09:00",
     "dora", "dora cho"),
    ("three days in the middle of the outgoing shift", "override", "dora", "2026-01-14 09:00", "2026-01-17 09:00", "",
     "ben cho"),
    ("for exactly half of the shift the engineer comes first", "absence", "ben", "2026-01-12 09:00",
     "2026-01-15 21:00", "dora", "ben cho"),
    ("who covers the next week has the watch already", "absence", "cho", "2026-01-19 00:00", "2026-01-27 00:00", "ben",
     ""),
]  # fmt: skip


@pytest.mark.parametrize("row", STAND_INS, ids=[row[0] for row in STAND_INS])
def test_the_engineers_of_both_shifts_sign_whoever_stands_in(row: tuple[str, str, str, str, str, str, str]) -> None:
    _, what, who, start, end, cover, signers = row
    team = TEAM
    if what == "override":
        over = Override(Role.PRIMARY, who, datetime.fromisoformat(start), datetime.fromisoformat(end))
        team = replace(TEAM, overrides=(over,))
    elif what:
        away = Absence(who, datetime.fromisoformat(start), datetime.fromisoformat(end), cover=cover)
        team = replace(TEAM, absences=(away,))
    found = [x.duty for x in duties(team, SINCE, at("2026-01-19 09:00")) if x.duty.kind is Kind.HANDOVER]
    assert " ".join(p for d in found for p in d.signers if d.subject == "2026-01-19") == signers


def test_nobody_on_call_all_week_hands_nothing_over_and_takes_nothing() -> None:
    two = Rotation(("ana", "ben"), START, WEEKLY)
    alone = replace(TEAM, people=TEAM.people[:2], rotations=MappingProxyType({Role.PRIMARY: two}))
    away = tuple(Absence(p, datetime(2026, 1, 12, 9), datetime(2026, 1, 19, 9)) for p in ("ana", "ben"))
    assert ids(alone, SINCE, "2026-01-19 09:00", Kind.HANDOVER) == ["handover/2026-01-19"]
    assert ids(replace(alone, absences=away), SINCE, "2026-01-19 09:00", Kind.HANDOVER) == []
    before = Facts(at("2026-01-06 00:00"))
    assert ids(alone, before, "2026-01-12 09:00", Kind.HANDOVER) == ["handover/2026-01-12"]
    assert ids(replace(alone, absences=away), before, "2026-01-12 09:00", Kind.HANDOVER) == []


def turning(*members: str, **changed: Any) -> Team:
    """Return the team with this ring as primary and nobody else on call."""
    ring = MappingProxyType({Role.PRIMARY: Rotation(members, START, WEEKLY)})
    return replace(TEAM, rotations=ring, **changed)


def overridden(who: str, start: str, end: str) -> tuple[Override, ...]:
    return (Override(Role.PRIMARY, who, datetime.fromisoformat(start), datetime.fromisoformat(end)),)


HOLIDAYS = holiday("2026-01-11", "2026-01-12").holidays
# What is odd about it, the team, and who signs the handovers of 12 and 19 January.
SIGNED = [
    ("a ring of two", turning("ana", "ben"), "ana ben, ben ana"),
    ("the ring names the covering engineer next", turning("ana", "ben", holidays=holiday("2026-01-10", "2026-01-11")
        .holidays), "ana ben, ben ana"),
    ("an explicit week", turning("ana", "ben", weeks=(Week(date(2026, 1, 12), {Role.PRIMARY: "cho"}),)),
     "ana cho, cho ana"),
    ("the engineer of an explicit week has half of it", turning("ana", "ben", weeks=(Week(date(2026, 1, 12),
        {Role.PRIMARY: "cho"}),), overrides=overridden("dora", "2026-01-12 09:00", "2026-01-15 21:00")),
     "ana cho, cho ana"),
    ("away in the first of two weeks in a row", turning("ana", "ben", "ben", absences=(Absence("ben",
        datetime(2026, 1, 12, 9), datetime(2026, 1, 19, 9), cover="dora"),)), "ana dora, dora ben"),
    ("a stand-in has most of a shift that holidays shortened", turning("ana", "ben", holidays=HOLIDAYS,
        overrides=overridden("dora", "2026-01-13 09:00", "2026-01-16 12:00")), "ben dora, dora ana"),
    ("a stand-in has all of the holidays", turning("ana", "ben", holidays=HOLIDAYS,
        overrides=overridden("dora", "2026-01-11 09:00", "2026-01-13 09:00")), "dora ben, ben ana"),
    ("an empty ring", turning(), ""),
    ("no ring", replace(TEAM, rotations=MappingProxyType({})), ""),
]  # fmt: skip


@pytest.mark.parametrize("row", SIGNED, ids=[row[0] for row in SIGNED])
def test_who_hands_over_to_whom(row: tuple[str, Team, str]) -> None:
    _, team, expected = row
    found = weekly_handovers(Watch(team), at("2026-01-06 00:00"), at("2026-01-20 00:00"))
    assert ", ".join(f"{w.outgoing} {w.incoming}" for w in found) == expected


def test_whoever_covers_a_holiday_hands_nothing_over() -> None:
    """Cho has a day of Ana's week, Ana one of Ben's: neither comes between these two."""
    team = holiday("2026-01-29", "2026-02-05")
    (found,) = weekly_handovers(Watch(team), at("2026-01-27 00:00"), at("2026-02-03 00:00"))
    assert (found.at, found.outgoing, found.incoming) == (at("2026-02-02 09:00"), "ana", "ben")


def test_the_last_handover_before_holidays_that_move_the_next_ones() -> None:
    daily = Rotation(("ana", "ben", "cho"), START, Every(1, Unit.DAYS))
    team = replace(holiday("2026-01-08", "2026-01-09"), rotations=MappingProxyType({Role.PRIMARY: daily}))
    found = list(weekly_handovers(Watch(team), at("2026-01-07 00:00"), at("2026-01-07 10:00")))
    assert [(w.at, w.outgoing, w.incoming) for w in found] == [(at("2026-01-07 09:00"), "ben", "cho")]


def test_shifts_that_are_longer_than_any_run_of_holidays_are_handed_over_too() -> None:
    rare = Rotation(("ana", "ben"), START, Every(10, Unit.WEEKS))
    team = replace(TEAM, rotations=MappingProxyType({Role.PRIMARY: rare}))
    found = list(weekly_handovers(Watch(team), at("2026-03-10 00:00"), at("2026-03-20 00:00")))
    assert [(w.at, w.outgoing, w.incoming) for w in found] == [(at("2026-03-16 09:00"), "ana", "ben")]


def test_a_start_that_names_its_zone_is_the_same_start() -> None:
    start = datetime(2026, 1, 5, 17, tzinfo=UTC)
    zoned = replace(TEAM, rotations=MappingProxyType({Role.PRIMARY: Rotation(("ana", "ben"), start, WEEKLY)}))
    span = at("2026-01-06 00:00"), at("2026-01-20 00:00")
    found = list(weekly_handovers(Watch(zoned), *span))
    assert found == list(weekly_handovers(Watch(turning("ana", "ben")), *span))
    assert len(found) == 2


def test_a_segment_that_begins_when_the_time_asked_for_ends_is_not_in_it() -> None:
    found = Watch(TEAM).segments(Role.PRIMARY, at("2026-01-12 09:00"), at("2026-01-19 09:00"))
    assert [s.person for s in found] == ["ben"]


def test_a_handover_at_the_first_instant_of_the_time_asked_for_belongs_to_it_and_one_at_the_last_does_not() -> None:
    found = weekly_handovers(Watch(TEAM), at("2026-01-12 09:00"), at("2026-01-19 09:00"))
    assert [w.at for w in found] == [at("2026-01-12 09:00")]


def test_a_handover_is_done_when_both_have_signed_whoever_else_does() -> None:
    duty = one(TEAM, SINCE, "2026-01-19 09:00", "handover/2026-01-19").duty
    ben, dora, cho = (signed(duty.id, p, f"2026-01-19 09:{m}") for p, m in (("ben", 10), ("dora", 11), ("cho", 12)))
    assert stand(duty, (ben, dora), at("2026-01-19 09:29")).state is State.DUE
    done = stand(duty, (cho, ben, dora), at("2026-01-19 09:29"))
    assert (done.state, done.settled_at) == (State.DONE, at("2026-01-19 09:12"))


def test_a_duty_is_done_when_every_point_is_ticked() -> None:
    duty = one(TEAM, SINCE, "2026-01-13 09:00", "check-in/2026-01-13").duty
    ticks = [Mark(duty.id, Act.TICK, "ben", at(f"2026-01-13 09:0{n}"), point=n) for n in (1, 2, 3, 4)]
    three = stand(duty, ticks[:3], at("2026-01-13 11:00"))
    assert (three.state, three.ticked) == (State.DUE, frozenset({1, 2, 3}))
    assert stand(duty, ticks, at("2026-01-13 11:00")).state is State.DONE
    strange = [replace(ticks[0], point=0), replace(ticks[0], point=5), *ticks[:3]]
    assert stand(duty, strange, at("2026-01-13 11:00")).state is State.DUE


def test_what_was_waived_stays_waived_and_what_was_done_stays_done() -> None:
    duty = one(TEAM, SINCE, "2026-01-13 09:00", "check-in/2026-01-13").duty
    done, waiver = signed(duty.id, "ben", "2026-01-13 10:00"), waived(duty.id, "dora", "2026-01-13 11:00", "drill")
    assert stand(duty, (waiver, done), at("2026-01-14 00:00")).state is State.DONE
    later = replace(done, at=at("2026-01-13 11:30"))
    found = stand(duty, (waiver, later), at("2026-01-14 00:00"))
    assert (found.state, found.reason, found.settled_at) == (State.WAIVED, "drill", waiver.at)


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_a_duty_is_not_waived_without_a_reason(reason: str) -> None:
    with pytest.raises(InputError, match="reason"):
        Mark("check-in/2026-01-13", Act.WAIVE, "dora", at("2026-01-13 10:00"), reason=reason)


def test_a_mark_names_its_zone() -> None:
    with pytest.raises(InputError, match="zone"):
        Mark("check-in/2026-01-13", Act.SIGN, "dora", datetime(2026, 1, 13))


def test_status_updates_end_with_the_incident() -> None:
    posted = (
        signed("status-update/I1/1", "ben", "2026-01-14 10:30"),
        signed("status-update/I1/2", "ben", "2026-01-14 10:50"),
    )
    facts = replace(RESOLVED, marks=posted)
    assert ids(TEAM, facts, "2026-01-15 00:00", Kind.STATUS_UPDATE) == ["status-update/I1/1", "status-update/I1/2"]


def test_an_incident_that_was_lowered_wants_no_more_updates_and_its_review_when_resolved() -> None:
    lowered = replace(SINCE, incidents=(replace(SEV0, ended=at("2026-01-14 10:20")),))
    assert ids(TEAM, lowered, "2026-01-15 00:00", Kind.STATUS_UPDATE) == []
    assert ids(TEAM, lowered, "2026-01-15 00:00", Kind.INCIDENT_REVIEW) == []


def test_a_review_that_was_done_is_shown_as_done_when_the_incident_is_reopened() -> None:
    facts = replace(OPEN, marks=(signed("incident-review/I1", "ben", "2026-01-14 13:00"),))
    assert one(TEAM, facts, "2026-01-14 14:00", "incident-review/I1").state is State.DONE


def test_one_that_was_resolved_in_the_instant_in_which_it_began_is_reviewed() -> None:
    began = SEV0.started
    facts = replace(OPEN, incidents=(replace(SEV0, ended=began, resolved=began),))
    assert ids(TEAM, facts, "2026-01-14 12:00", Kind.INCIDENT_REVIEW) == ["incident-review/I1"]


def test_a_review_that_is_signed_in_the_instant_of_the_end_is_the_only_one() -> None:
    facts = replace(RESOLVED, marks=(signed("incident-review/I1", "ben", "2026-01-14 11:10"),))
    assert ids(TEAM, facts, "2026-01-14 12:00", Kind.INCIDENT_REVIEW) == ["incident-review/I1"]


def test_a_day_without_anybody_on_call_still_has_its_check_in() -> None:
    alone = replace(TEAM, people=TEAM.people[:1], rotations=MappingProxyType({Role.PRIMARY: ALONE}))
    nobody = replace(alone, absences=(Absence("ana", datetime(2026, 1, 12), datetime(2026, 1, 15)),))
    assert one(nobody, SINCE, "2026-01-13 09:00", "check-in/2026-01-13").duty.people == ()


def test_one_that_came_back_after_its_review_was_signed_is_reviewed_again() -> None:
    again = replace(SEV0, ended=at("2026-01-20 12:00"), resolved=at("2026-01-20 12:00"))
    first = signed("incident-review/I1", "ben", "2026-01-15 13:00")
    facts = replace(OPEN, incidents=(again,), marks=(first,))
    assert one(TEAM, facts, "2026-01-20 13:00", "incident-review/I1").state is State.DONE
    second = one(TEAM, facts, "2026-01-20 13:00", "incident-review/I1/2")
    assert (second.state, second.duty.due) == (State.DUE, at("2026-01-22 12:00"))
    both = replace(facts, marks=(first, signed("incident-review/I1/2", "ben", "2026-01-20 14:00")))
    assert ids(TEAM, both, "2026-01-20 15:00", Kind.INCIDENT_REVIEW) == ["incident-review/I1", "incident-review/I1/2"]
    assert one(TEAM, both, "2026-01-20 15:00", "incident-review/I1/2").state is State.DONE


def test_without_a_manager_on_call_the_monthly_review_is_every_managers() -> None:
    primary = {Role.PRIMARY: TEAM.rotations[Role.PRIMARY]}
    people = (*TEAM.people, Member("eve", "Eve", access=Access.MANAGER, certified=True))
    team = replace(TEAM, rotations=MappingProxyType(primary), people=people)
    found = one(team, Facts(at("2026-02-01 00:00")), "2026-02-02 10:00", "monthly-review/2026-02")
    assert found.duty.people == ("eve",)


def test_the_schedule_flags_whoever_is_not_certified_until_they_are() -> None:
    window = (at("2026-01-19 09:00"), at("2026-01-26 09:00"))
    assert {f.doubt for f in flags(NEW_CHO, *window)} == {Doubt.NOT_CERTIFIED}
    sign, waive = (
        signed("certification/cho", "dora", "2026-01-18 10:00"),
        waived("certification/cho", "dora", "2026-01-18 10:00", "later"),
    )
    assert flags(with_certified(NEW_CHO, [sign]), *window) == ()
    assert flags(with_certified(NEW_CHO, [waive]), *window) == flags(NEW_CHO, *window)
    assert flags(with_certified(NEW_CHO, [replace(sign, duty="training/cho")]), *window) == flags(NEW_CHO, *window)


def test_training_presses_only_whom_the_team_says_is_not_certified() -> None:
    unsaid = replace(TEAM, people=tuple(replace(p, certified=None) for p in TEAM.people))
    listed = [x for x in duties(unsaid, SINCE, at("2026-01-14 00:00")) if x.duty.kind is Kind.TRAINING]
    assert [(x.duty.subject, x.duty.due, x.state) for x in listed] == [
        (p, None, State.AHEAD) for p in ("ana", "ben", "cho")
    ]
    new = replace(NEW_CHO, rotations=MappingProxyType({Role.PRIMARY: TEAM.rotations[Role.PRIMARY]}))
    cho = one(new, SINCE, "2026-01-14 00:00", "certification/cho")
    assert (cho.duty.due, cho.state) == (at("2026-01-19 09:00"), State.DUE)


REMINDERS = [
    ("at 09:00 for somebody in Los Angeles", "America/Los_Angeles", "2026-01-13T17:00Z"),
    ("at 18:00 for somebody in Berlin", "Europe/Berlin", "2026-01-13T17:00Z"),
    ("in Kolkata it is 22:30: not before 07:00 there, but then it would be late, so now", "Asia/Kolkata",
     "2026-01-13T17:00Z"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "zone", "expected"), REMINDERS, ids=[r[0] for r in REMINDERS])
def test_reminders_run_on_the_persons_clock(what: str, zone: str, expected: str) -> None:
    duty = one(TEAM, SINCE, "2026-01-13 09:00", "check-in/2026-01-13").duty
    assert remind_at(duty, ZoneInfo(zone)) == at(expected)


@pytest.mark.parametrize(
    ("quiet", "zone", "expected"),
    [
        (Quiet(), "Asia/Kolkata", "2026-01-14T01:30Z"),
        (Quiet(), "Asia/Tokyo", "2026-01-13T22:00Z"),
        (Quiet(), "America/Los_Angeles", "2026-01-13T17:00Z"),
        (Quiet(Quiet().end, Quiet().start), "America/Los_Angeles", "2026-01-14T06:00Z"),
    ],
)
def test_a_reminder_that_can_wait_does_wait_for_the_morning(quiet: Quiet, zone: str, expected: str) -> None:
    duty = one(TEAM, SINCE, "2026-01-13 09:00", "monitoring/2026-01-13").duty
    assert remind_at(duty, ZoneInfo(zone), quiet) == at(expected)


def test_what_is_urgent_reminds_at_any_hour() -> None:
    duty: Duty = one(TEAM, OPEN, "2026-01-14 10:30", "status-page/I1").duty
    assert remind_at(duty, ZoneInfo("Asia/Tokyo")) == duty.opens.astimezone(UTC)


def test_an_update_that_falls_due_as_the_incident_ends_is_not_wanted() -> None:
    facts = replace(SINCE, incidents=(replace(SEV0, ended=at("2026-01-14 10:30")),))
    assert ids(TEAM, facts, "2026-01-14 11:00", Kind.STATUS_UPDATE) == []


def test_what_is_due_as_duties_begin_is_asked() -> None:
    assert ids(TEAM, Facts(at("2026-01-13 09:00")), "2026-01-13 09:00", Kind.CHECK_IN) == ["check-in/2026-01-13"]


def test_the_review_is_of_whoever_was_primary_then_where_nobody_acknowledged() -> None:
    facts = replace(SINCE, incidents=(replace(OVER, owner=""),))
    assert one(TEAM, facts, "2026-01-20 12:00", "incident-review/I1").duty.people == ("ben",)


def test_an_update_dated_before_the_start_does_not_bring_the_next_one_forward() -> None:
    facts = replace(OPEN, marks=(signed("status-update/I1/1", "ben", "2026-01-14 09:00"),))
    assert one(TEAM, facts, "2026-01-14 10:30", "status-update/I1/2").duty.due == at("2026-01-14 10:30")


def test_what_was_done_and_waived_at_once_was_done() -> None:
    duty = one(TEAM, SINCE, "2026-01-13 09:00", "check-in/2026-01-13").duty
    both = (waived(duty.id, "a", "2026-01-13 10:00", "drill"), signed(duty.id, "ben", "2026-01-13 10:00"))
    assert stand(duty, both, duty.opens).state is State.DONE
