"""The review's figures as tables that a manager can read. The team is that of the duties' examples."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from desktop.domain.measures import Measure, answered, ratio
from desktop.domain.review import Handled, Paged, PersonFigures, Review, months, review
from desktop.domain.review_csv import (
    MONTH_HEADER,
    PEOPLE_HEADER,
    SEVERITY_HEADER,
    months_csv,
    people_csv,
    severities_csv,
)
from desktop.domain.severity import Severity, Targets
from desktop.domain.team import Member, Override, Role
from desktop.domain.working_hours import WorkingHours, union
from tests.unit.test_duties_examples import LOS_ANGELES, TEAM, at

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
JANUARY, FEBRUARY, MARCH = at("2026-01-01 00:00"), at("2026-02-01 00:00"), at("2026-03-01 00:00")
# A Wednesday at noon, and the night after it.
NOON, NIGHT = at("2026-01-14 12:00"), at("2026-01-15 03:00")


def incident(
    severity: int, acknowledged: int | None, resolved: int | None, *, when: datetime = NOON, false: bool = False
) -> Handled:
    """Return an incident acknowledged and resolved that many minutes after it was triggered ``when``."""
    done = [None if m is None else when + m * MINUTE for m in (acknowledged, resolved)]
    return Handled(f"{when}", Severity(severity), when, done[0], done[1], false)


def paged(person: str, after: int, acknowledged: int | None, when: datetime = NOON) -> Paged:
    done = None if acknowledged is None else when + acknowledged * MINUTE
    return Paged(person, (when + after * MINUTE,), done)


def january(*incidents: Handled, now: datetime = FEBRUARY) -> Review:
    return review(TEAM, incidents, JANUARY, FEBRUARY, now)


def person(found: Review, who: str) -> PersonFigures:
    (figures,) = [p for p in found.people if p.person == who]
    return figures


def counts(m: Measure) -> str:
    """Return a measure as a line: within/late/missed/waiting, and how many ended by themselves where any did."""
    return f"{m.within}/{m.late}/{m.missed}/{m.waiting}" + (f" {m.ended}" if m.ended else "")


# sentence, severity, acknowledged after, resolved after (minutes), acknowledge, resolve (within/late/missed/waiting)
TARGETS = [
    ("SEV-0: 15-minute acknowledgment, 1-hour resolution target", 0, 15, 60, "1/0/0/0", "1/0/0/0"),
    ("SEV-0, a minute later", 0, 16, 61, "0/1/0/0", "0/1/0/0"),
    ("SEV-1: 30-minute acknowledgment, 4-hour resolution target", 1, 30, 240, "1/0/0/0", "1/0/0/0"),
    ("SEV-1, a minute later", 1, 31, 241, "0/1/0/0", "0/1/0/0"),
    ("SEV-2: 1-hour acknowledgment, 8-hour resolution target", 2, 60, 480, "1/0/0/0", "1/0/0/0"),
    ("SEV-2, a minute later", 2, 61, 481, "0/1/0/0", "0/1/0/0"),
    ("SEV-3: 4-hour acknowledgment, 24-hour resolution target", 3, 240, 1440, "1/0/0/0", "1/0/0/0"),
    ("SEV-3, a minute later", 3, 241, 1441, "0/1/0/0", "0/1/0/0"),
    ("ended by itself within the target: nobody was late", 0, None, 15, "0/0/0/0 1", "1/0/0/0"),
    ("ended by itself a minute later: missed, not fast", 0, None, 16, "0/0/1/0", "1/0/0/0"),
    ("neither acknowledged nor resolved is missed", 0, None, None, "0/0/1/0", "0/0/1/0"),
    ("acknowledged and still open", 0, 5, None, "1/0/0/0", "0/0/1/0"),
    ("clocks that disagree make nothing faster than at once", 0, -3, -1, "1/0/0/0", "1/0/0/0"),
]


@pytest.mark.parametrize("row", TARGETS, ids=[row[0] for row in TARGETS])
def test_response_time_metrics(row: tuple[str, int, int | None, int | None, str, str]) -> None:
    _, severity, acknowledged, resolved, first, second = row
    figures = january(incident(severity, acknowledged, resolved)).severities[Severity(severity)]
    assert (counts(figures.acknowledge), counts(figures.resolve)) == (first, second)
    assert figures.acknowledge.total >= timedelta(0)


def test_what_is_still_within_its_target_is_neither_good_nor_bad() -> None:
    found = january(incident(0, None, None), now=NOON + 15 * MINUTE).severities[Severity.SEV0]
    assert (counts(found.acknowledge), counts(found.resolve)) == ("0/0/0/1", "0/0/0/1")
    assert found.acknowledge.share is None
    past = january(incident(0, None, None), now=NOON + 15.1 * MINUTE).severities[Severity.SEV0]
    assert (counts(past.acknowledge), counts(past.resolve)) == ("0/0/1/0", "0/0/0/1")


def test_mean_times_are_of_what_was_done_and_shares_of_what_should_have_been() -> None:
    found = january(incident(0, 10, 30), incident(0, 20, 90), incident(0, None, 16), incident(0, None, 15)).severities[
        Severity.SEV0
    ]
    assert found.incidents == 4
    assert found.acknowledge.mean == 15 * MINUTE
    assert found.acknowledge.share == pytest.approx(1 / 3)
    assert found.resolve.mean == 151 * MINUTE / 4
    assert found.resolve.share == pytest.approx(3 / 4)


def test_nothing_is_divided_by_nothing() -> None:
    empty = january()
    assert (empty.false_alarm_rate, empty.too_many_false_alarms) == (None, False)
    assert all((f.acknowledge.mean, f.resolve.share) == (None, None) for f in empty.severities.values())
    before = review(TEAM, (), at("2025-01-01 00:00"), at("2025-02-01 00:00"), FEBRUARY)
    assert (before.shifts, before.pages_per_shift) == (0, None)
    assert ratio(1, 0) is None


@pytest.mark.parametrize(
    ("false", "true", "rate", "too_many"), [(0, 20, 0.0, False), (1, 20, 1 / 21, False), (1, 19, 0.05, True)]
)
def test_less_than_5_percent_of_alerts_should_be_false_positives(
    false: int, true: int, rate: float, *, too_many: bool
) -> None:
    alarms = [incident(1, 5, 50, false=True)] * false + [incident(1, 5, 50)] * true
    found = january(*alarms, incident(1, 5, None, false=True))
    assert found.false_alarm_rate == pytest.approx(rate)
    assert found.too_many_false_alarms is too_many


# sentence, severity, Ben's page and acknowledgement, Cho's page and acknowledgement, Ben's response, Cho's
OWN = [
    ("the primary acknowledges in time", 0, (0, 10), None, "1/0/0/0", "0/0/0/0"),
    ("the secondary is measured from their own page", 0, (0, None), (15, 25), "0/0/1/0", "1/0/0/0"),
    ("who was paged a minute before somebody else had it missed nothing", 0, (0, 16), (15, None), "0/1/0/0", "0/0/0/0"),
    ("handed to somebody who answered as the target ended", 0, (0, None), (5, 15), "0/0/0/0", "1/0/0/0"),
    ("handed to somebody who answered too late", 0, (0, None), (5, 16), "0/0/1/0", "1/0/0/0"),
    ("nobody acknowledged: both missed it", 0, (0, None), (15, None), "0/0/1/0", "0/0/1/0"),
]


@pytest.mark.parametrize("row", OWN, ids=[row[0] for row in OWN])
def test_each_person_is_measured_from_their_own_page(
    row: tuple[str, int, tuple[int, int | None], tuple[int, int | None] | None, str, str],
) -> None:
    _, severity, ben, cho, first, second = row
    pages = (paged("ben", *ben), *((paged("cho", *cho),) if cho is not None else ()))
    acknowledged = min((m for _, m in filter(None, (ben, cho)) if m is not None), default=None)
    found = january(replace(incident(severity, acknowledged, None), pages=pages))
    assert (counts(person(found, "ben").response), counts(person(found, "cho").response)) == (first, second)


# sentence, Ben's page, handed on, it ended by itself, Ben's response
BY_ITSELF = [
    ("it ended by itself within the target of their own page", 20, None, 35, "0/0/0/0 1"),
    ("it ended by itself a minute later", 20, None, 36, "0/0/1/0"),
    ("they had handed it on before", 20, 30, 31, "0/0/0/0"),
    ("they handed it on too late", 20, 36, 37, "0/0/1/0"),
    ("it had ended before they were paged at all", 20, None, 19, "0/0/0/0 1"),
]


@pytest.mark.parametrize("row", BY_ITSELF, ids=[row[0] for row in BY_ITSELF])
def test_what_ended_by_itself_was_nobodys_to_answer(row: tuple[str, int, int | None, int, str]) -> None:
    _, page, handed, ended, response = row
    mine = replace(paged("ben", page, None), released=None if handed is None else NOON + handed * MINUTE)
    found = january(replace(incident(0, None, ended), pages=(mine,)))
    assert counts(person(found, "ben").response) == response


def test_pages_per_person_count_every_page_and_everybody() -> None:
    again = Paged("ben", (NOON, NOON + 15 * MINUTE))
    found = january(replace(incident(0, None, None), pages=(again, paged("stranger", 60, None))))
    assert {p.person: p.pages for p in found.people} == {"ana": 0, "ben": 2, "cho": 0, "dora": 0, "stranger": 1}
    assert found.pages == 3


HOURS = [
    ("a Wednesday, 09:00", "2026-01-14 09:00", False),
    ("a Wednesday, 16:59", "2026-01-14 16:59", False),
    ("a Wednesday, 17:00", "2026-01-14 17:00", True),
    ("a Wednesday, 08:59", "2026-01-14 08:59", True),
    ("a Saturday at noon", "2026-01-17 12:00", True),
    ("a Sunday at noon", "2026-01-18 12:00", True),
    ("a holiday at noon", "2026-01-19 12:00", True),
    ("a Friday at noon", "2026-01-16 12:00", False),
]


@pytest.mark.parametrize(("what", "when", "out"), HOURS, ids=[h[0] for h in HOURS])
def test_call_outs_are_pages_out_of_hours(what: str, when: str, *, out: bool) -> None:
    team = replace(TEAM, holidays=MappingProxyType({at("2026-01-19 12:00").date(): "Holiday"}))
    call = replace(incident(0, 1, 2, when=at(when)), pages=(paged("ben", 0, 1, at(when)),))
    found = review(team, [call], JANUARY, FEBRUARY, FEBRUARY)
    assert person(found, "ben").call_outs == int(out)


def test_out_of_hours_is_on_the_persons_own_clock() -> None:
    berlin = replace(TEAM, people=(Member("ben", "Ben", time_zone=ZoneInfo("Europe/Berlin")),))
    night = replace(incident(0, 1, 2, when=NIGHT), pages=(paged("ben", 0, 1, NIGHT),))
    assert person(review(TEAM, [night], JANUARY, FEBRUARY, FEBRUARY), "ben").call_outs == 1
    assert person(review(berlin, [night], JANUARY, FEBRUARY, FEBRUARY), "ben").call_outs == 0


def test_one_incident_is_one_call_out_however_often_it_pages() -> None:
    pages = (Paged("ben", (NOON, NIGHT, NIGHT + HOUR)),)
    assert person(january(replace(incident(0, None, None), pages=pages)), "ben").call_outs == 1


# sentence, acknowledged at, resolved at, hours out of hours
WORKED = [
    ("within hours", "2026-01-14 12:00", "2026-01-14 14:00", 0),
    ("into the evening", "2026-01-14 16:00", "2026-01-14 19:00", 2),
    ("through the night", "2026-01-14 16:00", "2026-01-15 10:00", 16),
    ("over a weekend", "2026-01-16 16:00", "2026-01-19 10:00", 64),
    ("through the night of the clock change, an hour shorter", "2026-03-07 20:00", "2026-03-08 08:00", 11),
    ("and an hour longer in autumn", "2026-10-31 20:00", "2026-11-01 08:00", 13),
]


@pytest.mark.parametrize(("what", "begun", "ended", "hours"), WORKED, ids=[w[0] for w in WORKED])
def test_hours_out_of_hours(what: str, begun: str, ended: str, hours: int) -> None:
    mine = Paged("ben", (at(begun),), at(begun))
    call = Handled("I", Severity.SEV0, at(begun), at(begun), at(ended), pages=(mine,))
    year = review(TEAM, [call, call], JANUARY, at("2027-01-01 00:00"), at("2027-01-01 00:00"))
    # Twice the same incident: an hour is worked once.
    assert person(year, "ben").worked == hours * HOUR


def test_work_ends_when_it_was_handed_on_and_goes_on_while_it_is_open() -> None:
    mine = Paged("ben", (NIGHT,), NIGHT, NIGHT + HOUR)
    assert person(january(replace(incident(0, 0, 180, when=NIGHT), pages=(mine,))), "ben").worked == HOUR
    still = replace(incident(0, 0, None, when=NIGHT), pages=(replace(mine, released=None),))
    assert person(january(still, now=NIGHT + 2 * HOUR), "ben").worked == 2 * HOUR


def test_standby_is_the_time_on_call_out_of_hours() -> None:
    found = review(TEAM, (), at("2026-01-12 09:00"), at("2026-01-19 09:00"), FEBRUARY)
    # A week of 168 hours has 40 business hours.
    assert {p.person: p.standby / HOUR for p in found.people} == {"ana": 0, "ben": 128, "cho": 128, "dora": 0}


def reopened(*minutes: int, acknowledged: int | None, resolved: int | None, pages: tuple[Paged, ...] = ()) -> Handled:
    """Return a SEV-0 that was resolved, reopened, resolved, reopened … after so many ``minutes``."""
    times = [NOON + m * MINUTE for m in minutes]
    calm = tuple(zip(times[::2], times[1::2], strict=True))
    return replace(incident(0, acknowledged, resolved), calm=calm, pages=pages)


# sentence, the incident, acknowledge, resolve, Ben's response, Ben's hours
REOPENED = [
    ("resolved to the last resolution, acknowledged in the first ring",
     reopened(30, 35, acknowledged=10, resolved=61, pages=(paged("ben", 0, 10),)), "1/0/0/0", "0/1/0/0", "1/0/0/0"),
    ("open again: not resolved",
     reopened(30, 35, acknowledged=10, resolved=None, pages=(paged("ben", 0, 10),)), "1/0/0/0", "0/0/1/0", "1/0/0/0"),
    ("the first ring ended by itself, whoever acknowledged the second",
     reopened(5, 10, acknowledged=12, resolved=30, pages=(paged("ben", 0, 12),)),
     "0/0/0/0 1", "1/0/0/0", "0/0/0/0 1"),
    ("acknowledged as it was reopened is in the second ring",
     reopened(5, 10, acknowledged=10, resolved=30, pages=(paged("ben", 0, 10),)), "0/0/0/0 1", "1/0/0/0", "0/0/0/0 1"),
    ("just before is in the first",
     reopened(9, 10, acknowledged=9, resolved=30, pages=(paged("ben", 0, 9),)), "1/0/0/0", "1/0/0/0", "1/0/0/0"),
    ("the first ring was missed",
     reopened(20, 25, acknowledged=30, resolved=40, pages=(paged("ben", 0, 30),)), "0/0/1/0", "1/0/0/0", "0/0/1/0"),
    ("paged in the second ring only is not measured",
     reopened(20, 25, acknowledged=10, resolved=40, pages=(paged("ben", 25, 27),)), "1/0/0/0", "1/0/0/0", "0/0/0/0"),
    ("reopened twice: the first reopening counts",
     reopened(5, 20, 30, 40, acknowledged=25, resolved=50, pages=(paged("ben", 0, 25),)),
     "0/0/0/0 1", "1/0/0/0", "0/0/0/0 1"),
]  # fmt: skip


@pytest.mark.parametrize("row", REOPENED, ids=[row[0] for row in REOPENED])
def test_a_reopened_incident_is_one_with_several_rings(row: tuple[str, Handled, str, str, str]) -> None:
    _, it, acknowledge, resolve, response = row
    found = january(it)
    figures = found.severities[Severity.SEV0]
    assert (figures.incidents, found.resolved) == (1, int(it.resolved is not None))
    assert (counts(figures.acknowledge), counts(figures.resolve)) == (acknowledge, resolve)
    assert counts(person(found, "ben").response) == response


def test_time_to_resolve_a_reopened_incident_is_from_the_trigger_to_the_last_resolution() -> None:
    figures = january(reopened(30, 35, acknowledged=10, resolved=50)).severities[Severity.SEV0]
    assert (figures.acknowledge.mean, figures.resolve.mean) == (10 * MINUTE, 50 * MINUTE)


# sentence, acknowledged at, calm between, released at, resolved at, hours out of hours
CALM = [
    ("nobody works between a resolution and the reopening", 0, ((1, 2),), None, 3, 2),
    ("reopened twice", 0, ((1, 2), (3, 5)), None, 6, 3),
    ("handed on in the first ring", 0, ((1, 2),), 0.5, 3, 0.5),
    ("handed on while it was calm", 0, ((1, 2),), 1.5, 3, 1),
    ("handed on in the second ring", 0, ((1, 2),), 2.5, 3, 1.5),
    ("they came in the second ring", 2, ((0.5, 1),), None, 3, 1),
    ("they acknowledged while it was calm", 1.5, ((1, 2),), None, 3, 1),
]


@pytest.mark.parametrize("row", CALM, ids=[row[0] for row in CALM])
def test_calm_is_not_worked(
    row: tuple[str, float, tuple[tuple[float, float], ...], float | None, float, float],
) -> None:
    _, begun, calm, released, resolved, worked = row
    mine = Paged("ben", (NIGHT,), NIGHT + begun * HOUR, None if released is None else NIGHT + released * HOUR)
    spans = tuple((NIGHT + a * HOUR, NIGHT + b * HOUR) for a, b in calm)
    over = NIGHT + resolved * HOUR
    call = Handled("I", Severity.SEV0, NIGHT, NIGHT, over, pages=(mine,), calm=spans)
    assert person(january(call), "ben").worked == worked * HOUR


def test_a_merged_incident_is_counted_once_under_the_one_that_it_ended_up_in() -> None:
    into = replace(incident(0, 5, 60, when=NIGHT), id="I1", pages=(paged("ben", 0, 5, NIGHT),))
    gone = Handled(
        "I2", Severity.SEV0, NIGHT, None, NIGHT + HOUR, false_alarm=True, merged_into="I1",
        pages=(paged("ben", 3, None, NIGHT), paged("cho", 3, 4, NIGHT)),
    )  # fmt: skip
    alone, both = january(into), january(into, gone)
    assert (both.severities, both.resolved, both.false_alarms) == (alone.severities, 1, 0)
    ben, cho = person(both, "ben"), person(both, "cho")
    # Every page is a page, and one incident is one call-out.
    assert (both.pages, ben.pages, ben.call_outs, cho.call_outs) == (3, 2, 1, 1)
    assert (ben.response, counts(cho.response)) == (person(alone, "ben").response, "0/0/0/0")
    # From Cho's acknowledgement until the merge.
    assert cho.worked == HOUR - 4 * MINUTE


def test_two_incidents_are_two_call_outs() -> None:
    one = replace(incident(0, 5, 60, when=NIGHT), id="I1", pages=(paged("ben", 0, 5, NIGHT),))
    assert person(january(one, replace(one, id="I2")), "ben").call_outs == 2


@pytest.mark.parametrize("order", [1, -1])
def test_a_call_out_is_of_the_month_of_its_first_page_out_of_hours(order: int) -> None:
    pages = (Paged("ben", (at("2026-01-31 23:59"), at("2026-02-01 00:01"))[::order]),)
    it = replace(incident(0, None, None, when=at("2026-01-31 23:59")), pages=pages)
    one, two = months(TEAM, [it], JANUARY.date(), FEBRUARY.date(), MARCH)
    assert (person(one, "ben").call_outs, person(two, "ben").call_outs) == (1, 0)


@pytest.mark.parametrize("when", [JANUARY, FEBRUARY])
def test_midnight_belongs_to_the_month_that_begins(when: datetime) -> None:
    it = replace(incident(0, 5, 50, when=when), pages=(paged("ben", 0, 5, when),))
    for month in months(TEAM, [it], JANUARY.date(), at("2026-02-28 00:00").date(), MARCH):
        ben, expected = person(month, "ben"), int(month.start == when)
        found = (month.severities[Severity.SEV0].incidents, month.pages, ben.pages, ben.call_outs, ben.response.within)
        assert found == (expected,) * 5


def test_working_hours_count_what_overlaps_once() -> None:
    hours = WorkingHours(LOS_ANGELES)
    spans = [(NIGHT, NIGHT + HOUR), (NIGHT + HOUR / 2, NIGHT + 2 * HOUR), (NIGHT, NIGHT), (NIGHT + HOUR, NIGHT)]
    assert hours.time_out(spans) == 2 * HOUR


def test_spans_are_joined_where_they_touch_and_in_utc() -> None:
    spans = [(NIGHT + HOUR, NIGHT + 2 * HOUR), (NIGHT, NIGHT + HOUR), (NOON, NOON), (NOON + HOUR, NOON)]
    local = [(start.astimezone(LOS_ANGELES), end.astimezone(LOS_ANGELES)) for start, end in spans]
    ((start, end),) = union(local)
    assert (start, end) == (NIGHT, NIGHT + 2 * HOUR)
    assert start.tzinfo is end.tzinfo is UTC


def test_business_hours_are_found_where_the_day_begins_long_before_utc() -> None:
    morning = datetime(2026, 1, 14, 9, tzinfo=ZoneInfo("Pacific/Kiritimati"))
    hours = WorkingHours(ZoneInfo("Pacific/Kiritimati"))
    assert hours.time_out([(morning - HOUR, morning + HOUR)]) == HOUR


def test_measures_are_told_apart() -> None:
    assert answered(NOON, None, NOON + MINUTE, MINUTE, NOON + HOUR) == Measure(ended=1)
    assert answered(NOON, None, NOON + 2 * MINUTE, MINUTE, NOON + HOUR) == Measure(missed=1)
    assert answered(NOON, None, None, MINUTE, NOON + MINUTE) == Measure(waiting=1)
    assert answered(NOON, None, None, MINUTE, NOON + 2 * MINUTE) == Measure(missed=1)
    every = Measure(1, 2, 3, 4, 5, MINUTE)
    assert every + Measure(10, 20, 30, 40, 50, HOUR) == Measure(11, 22, 33, 44, 55, HOUR + MINUTE)
    assert (every.mean, every.share) == (MINUTE / 3, 1 / 6)


def test_a_team_has_its_own_targets_and_the_usual_ones_besides() -> None:
    hour = MappingProxyType({Severity.SEV0: Targets(HOUR, 2 * HOUR)})
    team = replace(TEAM, targets=hour)
    those = [replace(incident(s, 45, 100), pages=(paged("ben", 0, 45),)) for s in (0, 1)]
    found = review(team, those, JANUARY, FEBRUARY, FEBRUARY)
    assert [counts(found.severities[s].acknowledge) for s in (Severity.SEV0, Severity.SEV1)] == ["1/0/0/0", "0/1/0/0"]
    assert [counts(found.severities[s].resolve) for s in (Severity.SEV0, Severity.SEV1)] == ["1/0/0/0", "1/0/0/0"]
    assert counts(person(found, "ben").response) == "1/1/0/0"


def test_a_month_is_named_by_the_teams_clock() -> None:
    berlin = replace(TEAM, time_zone=ZoneInfo("Europe/Berlin"))
    lines = months_csv(berlin, months(berlin, [], JANUARY.date(), JANUARY.date(), FEBRUARY)).split("\r\n")
    assert lines[1].startswith("2026-01,")


def test_the_csv_has_a_line_for_each_month_and_severity() -> None:
    reviews = months(TEAM, [incident(0, 10, 30), incident(1, None, 1)], JANUARY.date(), JANUARY.date(), FEBRUARY)
    lines = severities_csv(TEAM, reviews).split("\r\n")
    assert lines[0] == ",".join(SEVERITY_HEADER)
    assert lines[1] == "2026-01,SEV-0,1,15.0000,10.0000,1,0,0,0,1.0000,0,60.0000,30.0000,1,0,0,0,1.0000"
    assert lines[2] == "2026-01,SEV-1,1,30.0000,,0,0,0,0,,1,240.0000,1.0000,1,0,0,0,1.0000"
    assert len(lines) == 6
    assert lines[5] == ""


def test_the_csv_of_people_holds_no_formula() -> None:
    team = replace(TEAM, people=(*TEAM.people, Member("eve", '=HYPERLINK("http://evil")')))
    call = replace(incident(0, 5, 30, when=NIGHT), pages=(paged("ben", 0, 5, NIGHT), paged("@cmd", 15, None, NIGHT)))
    lines = people_csv(team, months(team, [call], JANUARY.date(), JANUARY.date(), FEBRUARY)).split("\r\n")
    assert lines[0] == ",".join(PEOPLE_HEADER)
    assert lines[1].startswith("2026-01,'@cmd,,1,")
    assert lines[3].startswith("2026-01,ben,Ben,1,5.0000,1,0,0,0,1.0000,0,1,0.4167,")
    assert lines[6].startswith('2026-01,eve,"\'=HYPERLINK(""http://evil"")",0,,0,0,0,0,,0,0,0.0000,0.0000')


def test_the_csv_of_months_leaves_empty_what_cannot_be_said() -> None:
    reviews = months(TEAM, [], at("2025-12-01 00:00").date(), JANUARY.date(), FEBRUARY)
    assert months_csv(TEAM, reviews).split("\r\n") == [
        ",".join(MONTH_HEADER), "2025-12,0,0,,0,0,0,0,", "2026-01,0,0,,0,4,0,0,0.0000", "",
    ]  # fmt: skip


def test_the_csv_of_months_has_the_rates() -> None:
    team = replace(TEAM, overrides=(Override(Role.PRIMARY, "dora", datetime(2026, 1, 15), datetime(2026, 1, 16)),))
    pages = (paged("ben", 0, 5), paged("cho", 0, None), paged("dora", 0, None, NIGHT))
    those = [replace(incident(0, 5, 30, false=True), pages=pages), incident(0, 5, 30), incident(0, 5, None)]
    (line,) = months_csv(team, months(team, those, JANUARY.date(), JANUARY.date(), FEBRUARY)).split("\r\n")[1:-1]
    assert line == "2026-01,2,1,0.5000,3,4,2,1,0.5000"
