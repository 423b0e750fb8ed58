"""The acting primary as a table of moments that a manager can read, and what must hold always.

Ana is primary until 09:00, Ben secondary. A SEV-0 pages Ana at 03:00 and escalates past her at 03:15.
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.acting import (
    ActingOffer,
    Escalated,
    Reply,
    Shift,
    acting,
    ends_at,
    new_pages_go_to,
    offers,
    override,
    silent,
)
from desktop.domain.severity import Severity
from desktop.domain.team import Role
from tests.unit.handovers import MINUTE


def at(clock: str) -> datetime:
    """Return the instant of that night at which the clock shows ``clock``."""
    return datetime.fromisoformat(f"2026-01-07 {clock}").replace(tzinfo=UTC)


PAGE = Escalated("I1", Severity.SEV0, at("03:00"), at("03:15"))
BY_BEN = replace(PAGE, acknowledged_by="ben", acknowledged_at=at("03:20"))
BY_DORA = replace(BY_BEN, id="I2", acknowledged_by="dora", acknowledged_at=at("03:18"))
SILENT = Shift("ana", "ben", at("09:00"), (PAGE,))
FOUND = replace(SILENT, incidents=(BY_BEN,))
YES, NO = Reply("ben", yes=True, at=at("03:25")), Reply("ben", yes=False, at=at("03:25"))
ACTS = replace(FOUND, replies=(YES,))
BACK = replace(ACTS, heard=(at("04:00"),))

# The night | the clock | who is offered the watch | who acts | who is paged for something new
MOMENTS: dict[str, tuple[Shift, str, str, str, str]] = {
    "before it escalates": (SILENT, "03:14", "", "", "ana"),
    "it escalates past Ana": (SILENT, "03:15", "", "", "ana ben"),
    "there is no secondary": (replace(SILENT, secondary=None), "03:15", "", "", "ana"),
    "Ben has not acknowledged yet": (FOUND, "03:19", "", "", "ana ben"),
    "Ben acknowledges": (FOUND, "03:20", "ben", "", "ana ben"),
    "Ben says no": (replace(FOUND, replies=(NO,)), "03:30", "", "", "ana ben"),
    "Ben says yes": (ACTS, "03:25", "", "ben", "ben"),
    "Ben says no, then yes": (replace(ACTS, replies=(replace(NO, at=at("03:21")), YES)), "03:30", "", "ben", "ben"),
    "Ana acts or is back": (BACK, "04:00", "", "", "ana"),
    "just before that": (BACK, "03:59", "", "ben", "ben"),
    "Ana is heard before anybody says yes": (replace(FOUND, heard=(at("03:21"),)), "03:22", "", "", "ana"),
    "Ben says yes when Ana is heard already": (replace(ACTS, heard=(at("03:24"),)), "03:30", "", "", "ana"),
    "Ana was heard only before the page": (replace(FOUND, heard=(at("02:59"),)), "03:20", "ben", "", "ana ben"),
    "Ana was heard at the very instant of the page": (
        replace(FOUND, heard=(at("03:00"),)), "03:20", "ben", "", "ana ben",
    ),
    "Ben says yes at the very instant at which Ana is heard": (
        replace(ACTS, heard=(at("03:25"),)), "03:25", "", "", "ana",
    ),
    "Ben says yes just before Ana is heard": (replace(ACTS, heard=(at("03:26"),)), "03:25", "", "ben", "ben"),
    "Ben says yes as he acknowledges": (
        replace(FOUND, replies=(replace(YES, at=at("03:20")),)), "03:20", "", "ben", "ben",
    ),
    "Ben says yes before he acknowledges": (
        replace(FOUND, replies=(replace(YES, at=at("03:19")),)), "03:20", "ben", "", "ana ben",
    ),
    "Ben says no as he acknowledges": (
        replace(FOUND, replies=(replace(NO, at=at("03:20")),)), "03:20", "", "", "ana ben",
    ),
    "Ben said no to an earlier one": (
        replace(FOUND, replies=(replace(NO, at=at("03:19")),)), "03:20", "ben", "", "ana ben",
    ),
    "Ben will say no": (replace(FOUND, replies=(NO,)), "03:24", "ben", "", "ana ben"),
    "Ben says yes as the shift ends": (
        replace(FOUND, replies=(replace(YES, at=at("09:00")),)), "09:00", "", "", "ana",
    ),
    "two acknowledge at one instant": (
        replace(SILENT, incidents=(BY_BEN, replace(BY_DORA, acknowledged_at=at("03:20")))),
        "03:20", "ben dora", "", "ana ben",
    ),
    "somebody acknowledges after Ana did": (
        replace(SILENT, incidents=(replace(BY_DORA, acknowledged_by="ana"), BY_BEN)), "03:20", "ben", "", "ana ben",
    ),
    "Ana acknowledges late herself": (
        replace(SILENT, incidents=(replace(BY_BEN, acknowledged_by="ana"),)), "03:20", "", "", "ana ben",
    ),
    "the shift ends": (ACTS, "09:00", "", "", "ana"),
    "two acknowledged, the first comes first": (
        replace(SILENT, incidents=(BY_BEN, BY_DORA)), "03:20", "dora ben", "", "ana ben",
    ),
    "the first to say yes has it": (
        replace(SILENT, incidents=(BY_BEN, BY_DORA), replies=(Reply("dora", yes=True, at=at("03:26")), YES)),
        "03:30", "", "ben", "ben",
    ),
    "a yes from somebody who acknowledged nothing": (
        replace(FOUND, replies=(Reply("cho", yes=True, at=at("03:25")),)), "03:30", "ben", "", "ana ben",
    ),
    "a SEV-2": (replace(SILENT, incidents=(replace(BY_BEN, severity=Severity.SEV2),)), "03:20", "", "", "ana"),
    "a SEV-1": (replace(SILENT, incidents=(replace(BY_BEN, severity=Severity.SEV1),)), "03:20", "ben", "", "ana ben"),
    "turned off in the team file": (replace(ACTS, enabled=False), "03:25", "", "", "ana"),
    "Ana falls silent again": (
        replace(BACK, incidents=(BY_BEN, Escalated("I3", Severity.SEV1, at("05:00"), at("05:30"), "ben", at("05:31")))),
        "05:31", "ben", "", "ana ben",
    ),
}  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_moment(moment: str) -> None:
    shift, clock, offered, actor, pages = MOMENTS[moment]
    yes = acting(shift, at(clock))
    found = (" ".join(o.person for o in offers(shift, at(clock))), "" if yes is None else yes.person)
    assert (*found, " ".join(new_pages_go_to(shift, at(clock)))) == (offered, actor, pages)


def test_the_offer_says_for_what_and_until_when() -> None:
    assert offers(FOUND, at("03:20")) == (ActingOffer("I1", "ben", at("09:00")),)


def test_the_override_is_on_the_primarys_schedule_from_the_yes_to_the_end_of_the_shift() -> None:
    made = override(ACTS, YES)
    assert made is not None
    assert (made.role, made.person, made.start, made.end) == (Role.PRIMARY, "ben", at("03:25"), at("09:00"))
    assert "ana is silent" in made.reason


def test_acting_ends_as_it_begins_when_the_primary_is_heard_of_at_that_instant() -> None:
    assert ends_at(replace(ACTS, heard=(at("03:25"),)), YES) == at("03:25")
    assert ends_at(replace(ACTS, heard=(at("03:24"),)), YES) == at("09:00")


def test_the_override_is_cut_when_the_primary_is_back() -> None:
    made = override(BACK, YES)
    assert made is not None
    assert made.end == ends_at(BACK, YES) == at("04:00")


# The night in which Ben says yes (or no), and nobody acts by that
NOTHING_COMES_OF_IT = {
    "as the shift ends": (FOUND, Reply("ben", yes=True, at=at("09:00"))),
    "after it": (FOUND, Reply("ben", yes=True, at=at("09:01"))),
    "Ana is heard at that very instant": (replace(FOUND, heard=(at("03:25"),)), YES),
    "Ana was heard before": (replace(FOUND, heard=(at("03:24"),)), YES),
    "he acknowledged nothing": (SILENT, YES),
    "somebody else was first": (
        replace(FOUND, incidents=(BY_BEN, BY_DORA), replies=(Reply("dora", yes=True, at=at("03:24")),)), YES,
    ),
    "it was a no": (FOUND, NO),
    "the team file has it turned off": (replace(FOUND, enabled=False), YES),
}  # fmt: skip


@pytest.mark.parametrize("night", NOTHING_COMES_OF_IT)
def test_there_is_no_override_where_nobody_acts(night: str) -> None:
    shift, reply = NOTHING_COMES_OF_IT[night]
    shift = replace(shift, replies=(*shift.replies, reply))
    assert acting(shift, reply.at) != reply
    assert override(shift, reply) is None


minutes = st.integers(0, 400).map(lambda n: at("03:00") + n * MINUTE)


@st.composite
def _incident(draw: st.DrawFn) -> Escalated:
    paged = draw(minutes)
    passed = paged + draw(st.integers(1, 60)) * MINUTE
    who = draw(st.sampled_from(("ana", "ben", "dora", None)))
    when = None if who is None else passed + draw(st.integers(-5, 60)) * MINUTE
    return Escalated("I", draw(st.sampled_from(Severity)), paged, passed, who, when)


shifts = st.builds(
    Shift,
    primary=st.just("ana"),
    secondary=st.sampled_from(("ben", None)),
    end=st.just(at("09:00")),
    incidents=st.lists(_incident(), max_size=4).map(tuple),
    heard=st.lists(minutes, max_size=3).map(tuple),
    replies=st.lists(st.builds(Reply, st.sampled_from(("ana", "ben", "dora")), st.booleans(), minutes), max_size=5).map(
        tuple
    ),
    enabled=st.booleans(),
)


@given(shifts, minutes)
def test_somebody_is_always_paged_and_an_override_is_in_force_exactly_while_somebody_acts(
    shift: Shift, now: datetime
) -> None:
    yes = acting(shift, now)
    assert new_pages_go_to(shift, now)
    if yes is None:
        assert "ana" in new_pages_go_to(shift, now)
        return
    made = override(shift, yes)
    assert made is not None
    assert made.start <= now < made.end <= shift.end
    assert new_pages_go_to(shift, now) == (yes.person,)
    assert yes.person != "ana"
    assert not offers(shift, now)
    assert silent(shift, yes.at)
    assert not [t for t in shift.heard if yes.at <= t <= now]


@given(shifts, minutes)
def test_somebody_acts_at_every_instant_of_an_override_and_by_no_other_yes(shift: Shift, now: datetime) -> None:
    spans = [(made, reply) for reply in shift.replies if (made := override(shift, reply)) is not None]
    in_force = {(reply.person, reply.at) for made, reply in spans if made.start <= now < made.end}
    yes = acting(shift, now)
    assert in_force == (set() if yes is None else {(yes.person, yes.at)})


@given(shifts, minutes)
def test_whoever_is_offered_the_watch_acknowledged_something_grave(shift: Shift, now: datetime) -> None:
    for offer in offers(shift, now):
        assert shift.enabled
        assert [i for i in silent(shift, now) if i.acknowledged_by == offer.person != "ana" and i.severity <= 1]
