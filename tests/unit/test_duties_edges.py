"""The edges of the duties' days and months, their order, and whose clock and whose incident they are about."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from desktop.domain.checklists import POINTS
from desktop.domain.duties import Facts, duties, with_certified
from desktop.domain.duty import Kind
from desktop.domain.wall import instant
from tests.unit.machine import FAR_EAST, FAR_WEST, machine_in
from tests.unit.test_duties_examples import NEW_CHO, OPEN, SEV0, SINCE, TEAM, at, holiday, ids, one, signed


def test_duties_come_by_due_time_those_of_one_time_by_id_and_undated_ones_last() -> None:
    team = replace(TEAM, people=(replace(TEAM.people[0], certified=None), *TEAM.people[1:]))
    assert [x.duty.id for x in duties(team, OPEN, at("2026-01-14 10:26"))] == [
        "check-in/2026-01-13", "monitoring/2026-01-13", "check-in/2026-01-14", "monitoring/2026-01-14",
        "customer-notice/I1", "status-page/I1", "status-update/I1/1", "certification/ana", "training/ana",
    ]  # fmt: skip


def test_whoever_is_certified_by_a_mark_is_said_to_be() -> None:
    mark = signed("certification/cho", "dora", "2026-01-18 10:00")
    assert {p.id: p.certified for p in with_certified(NEW_CHO, [mark]).people}["cho"] is True


def test_who_is_said_not_to_be_certified_is_trained_without_being_in_a_ring() -> None:
    dora = replace(TEAM, people=(*TEAM.people[:3], replace(TEAM.people[3], certified=False)))
    assert ids(dora, SINCE, "2026-01-14 00:00", Kind.TRAINING) == ["training/dora"]


def test_the_handover_has_the_points_of_the_procedure() -> None:
    assert one(TEAM, SINCE, "2026-01-19 09:00", "handover/2026-01-19").duty.points == POINTS[Kind.HANDOVER]


def test_what_an_incident_asks_for_is_its_owners_and_about_it() -> None:
    facts = replace(SINCE, incidents=(replace(SEV0, owner="cho"),))
    found = [x.duty for x in duties(TEAM, facts, at("2026-01-14 10:26")) if "I1" in x.duty.id]
    assert {(d.people, d.subject) for d in found} == {(("cho",), "I1")}
    assert len(found) == 3


def test_a_month_is_reviewed_on_its_first_day_where_that_is_a_working_day() -> None:
    """1 April 2026 is a Wednesday."""
    for since in ("2026-03-15 00:00", "2026-04-01 00:00", "2026-04-01 09:00"):
        found = one(TEAM, Facts(at(since)), "2026-04-01 09:00", "monthly-review/2026-04").duty
        assert (found.opens, found.late) == (at("2026-04-01 09:00"), at("2026-04-01 17:00"))
        assert ids(TEAM, Facts(at(since)), "2026-04-01 08:59", Kind.MONTHLY_REVIEW) == []
    assert ids(TEAM, Facts(at("2026-04-01 09:01")), "2026-04-30 00:00", Kind.MONTHLY_REVIEW) == []


def on_the_clock_in(zone: str) -> Callable[[str], datetime]:
    return lambda text: instant(datetime.fromisoformat(text), ZoneInfo(zone))


@pytest.mark.parametrize("machine", [FAR_WEST, FAR_EAST])
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Tokyo"])
def test_the_machines_own_clock_counts_for_nothing(zone: str, machine: str) -> None:
    team, shown = replace(TEAM, time_zone=ZoneInfo(zone)), on_the_clock_in(zone)
    with machine_in(machine):
        found = duties(team, Facts(shown("2026-04-01 08:00")), shown("2026-04-01 09:00"))
    assert [(x.duty.id, x.duty.due, x.duty.late) for x in found] == [
        ("check-in/2026-04-01", shown("2026-04-01 09:00"), shown("2026-04-01 12:00")),
        ("monitoring/2026-04-01", shown("2026-04-01 09:00"), shown("2026-04-02 09:00")),
        ("monthly-review/2026-04", shown("2026-04-01 09:00"), shown("2026-04-01 17:00")),
    ]


@pytest.mark.parametrize("machine", [FAR_WEST, FAR_EAST])
def test_a_month_without_a_working_day_is_reviewed_in_the_next(machine: str) -> None:
    closed = holiday(*(f"2026-01-{day:02}" for day in range(1, 32)))
    with machine_in(machine):
        found = ids(closed, Facts(at("2026-01-31 12:00")), "2026-02-02 09:00", Kind.MONTHLY_REVIEW)
    assert found == ["monthly-review/2026-01", "monthly-review/2026-02"]
