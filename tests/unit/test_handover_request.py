"""How an emergency handover begins: what is refused, and whom the watch is offered to, as tables."""

from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from desktop.domain.errors import InputError
from desktop.domain.handover_facts import Kind, State
from desktop.domain.handover_request import Around, Wish, around, request
from desktop.domain.team import Absence, Access, Every, Member, Override, Role, Rotation, Team, Unit, Week
from tests.unit.handovers import ANA, AROUND, BEN, CHO, DORA, HOUR, START, segment
from tests.unit.teams import utc, wall

EVE = Member("eve", "Eve")
AWAY = replace(AROUND, away=tuple(Absence(p, START, START + HOUR) for p in ("ben", "dora")))
# Ana is secondary, and Ben primary: he cannot be both.
SECOND = replace(
    AROUND,
    segments=(
        segment(Role.PRIMARY, "ben", START, START + HOUR),
        segment(Role.SECONDARY, "ana", START, START + HOUR),
    ),
)

WISHES = {
    "somebody else asks": (
        Wish("H", Kind.ASK, ANA, BEN, "ill"),
        AROUND,
        "Only Ana can ask for that; a manager can give the watch, somebody certified take it.",
    ),
    "an engineer gives": (
        Wish("H", Kind.GIVE, ANA, BEN, "ill"),
        AROUND,
        "Ben is not a manager: only a manager can give somebody else's watch away.",
    ),
    "no reason to ask": (
        Wish("H", Kind.ASK, ANA, ANA, ""),
        AROUND,
        "Say why Ana hands over the watch: a reason is needed.",
    ),
    "a reason that shows nothing": (
        Wish("H", Kind.ASK, ANA, ANA, " \n\t"),
        AROUND,
        "Say why Ana hands over the watch: a reason is needed.",
    ),
    "no reason to give": (
        Wish("H", Kind.GIVE, ANA, DORA, "  "),
        AROUND,
        "Say why Ana cannot hand over the watch: a reason is needed.",
    ),
    "no reason to take": (
        Wish("H", Kind.TAKE, ANA, BEN, ""),
        AROUND,
        "Say why Ana cannot hand over the watch: a reason is needed.",
    ),
    "not certified": (
        Wish("H", Kind.TAKE, ANA, CHO, "fainted"),
        AROUND,
        "Cho is not certified: only somebody certified can take the watch.",
    ),
    "takes from herself": (Wish("H", Kind.TAKE, ANA, ANA, "?"), AROUND, "Ana has this watch already."),
    "takes for another": (
        Wish("H", Kind.TAKE, ANA, BEN, "?", CHO),
        AROUND,
        "Who takes the watch takes it for themselves: a manager can give it to Cho.",
    ),
    "takes while away": (
        Wish("H", Kind.TAKE, ANA, BEN, "fainted"),
        AWAY,
        "Ben is away: somebody else has to take the watch.",
    ),
    "gives it to herself": (
        Wish("H", Kind.ASK, ANA, ANA, "ill", ANA),
        AROUND,
        "Ana has this watch already: name somebody else.",
    ),
    "the receiver is away": (
        Wish("H", Kind.ASK, ANA, ANA, "ill", BEN),
        AWAY,
        "Ben is away: somebody else has to take the watch.",
    ),
    "the receiver is primary": (
        Wish("H", Kind.ASK, ANA, ANA, "ill", BEN),
        SECOND,
        "Ben is primary already: somebody else has to take the watch.",
    ),
    "nobody is there": (
        Wish("H", Kind.ASK, ANA, ANA, "ill"),
        Around((), AROUND.segments),
        "Nobody is there to take the watch of Ana: name somebody.",
    ),
    "no watch": (
        Wish("H", Kind.ASK, CHO, CHO, "ill"),
        AROUND,
        "Cho is not on call now: there is nothing to hand over.",
    ),
    "a watch that begins later": (
        Wish("H", Kind.ASK, ANA, ANA, "ill"),
        replace(AROUND, segments=AROUND.segments[1:]),
        "Ana is not on call now: there is nothing to hand over.",
    ),
}


@pytest.mark.parametrize("case", WISHES)
def test_a_wish_that_is_refused(case: str) -> None:
    wish, team, message = WISHES[case]
    with pytest.raises(InputError) as refusal:
        request(wish, team, START)
    assert refusal.value.message == message


CANDIDATES = {
    "in order": (None, AROUND, ("ben", "cho", "dora")),
    "the requested one first, and once": (DORA, AROUND, ("dora", "ben", "cho")),
    "one from outside": (EVE, AROUND, ("eve", "ben", "cho", "dora")),
}


@pytest.mark.parametrize("case", CANDIDATES)
def test_who_is_offered_the_watch(case: str) -> None:
    wanted, team, expected = CANDIDATES[case]
    assert request(Wish("H", Kind.ASK, ANA, ANA, "ill", wanted), team, START).candidates == expected


def test_an_admin_gives_like_a_manager() -> None:
    admin = replace(EVE, access=Access.ADMIN)
    assert request(Wish("H", Kind.GIVE, ANA, admin, "ill"), AROUND, START).asker == "eve"


def test_a_reason_from_outside_is_made_plain() -> None:
    facts = request(Wish("H", Kind.ASK, ANA, ANA, "a\n\x1b[31mb" + "c" * 9999), AROUND, START)
    assert facts.reason.startswith("a [31mb")
    assert len(facts.reason) == 500


def test_what_was_asked_for_stands_in_the_facts() -> None:
    wish = Wish("H7", Kind.TAKE, ANA, BEN, "fainted", auto_next=True, stays_available=True)
    facts = request(wish, AROUND, START)
    assert (facts.id, facts.kind, facts.giver, facts.asker, facts.requested_at) == (
        "H7",
        Kind.TAKE,
        "ana",
        "ben",
        START,
    )
    assert (facts.role, facts.until, facts.managers) == (Role.PRIMARY, AROUND.until, ("dora",))
    assert facts.auto_next
    assert facts.stays_available
    assert [(o.person, o.at, o.answer and (o.answer.yes, o.answer.at)) for o in facts.offers] == [
        ("ben", START, (True, START))
    ]
    assert facts.told == frozenset[tuple[State, datetime | None]]()


WEEK, MONDAY = Every(1, Unit.WEEKS), wall("2026-01-05 09:00")
NIGHT = utc("2026-01-14 03:00")  # Ben's week, Cho is secondary, and Ana had the week before
TEAM = Team(
    ZoneInfo("UTC"),
    (ANA, BEN, CHO, DORA, EVE),
    rotations=MappingProxyType(
        {
            Role.PRIMARY: Rotation(("ana", "ben", "cho"), MONDAY, WEEK),
            Role.SECONDARY: Rotation(("ben", "cho", "ana"), MONDAY, WEEK),
            Role.MANAGER: Rotation(("dora",), MONDAY, WEEK),
        }
    ),
)
YESTERDAY = Override(Role.PRIMARY, "dora", wall("2026-01-13 12:00"), wall("2026-01-13 13:00"))
EVE_TODAY = Override(Role.PRIMARY, "eve", wall("2026-01-14 00:00"), wall("2026-01-14 09:00"))


def away(person: str, start: str = "2026-01-14", end: str = "2026-01-15") -> Team:
    return replace(TEAM, absences=(Absence(person, wall(start), wall(end)),))


def turning(primary: tuple[str, ...], secondary: tuple[str, ...] = ()) -> Team:
    """Return the team with these rings, without a secondary where there is none, and without a manager."""
    rings = {Role.PRIMARY: Rotation(primary, MONDAY, WEEK)}
    if secondary:
        rings[Role.SECONDARY] = Rotation(secondary, MONDAY, WEEK)
    return replace(TEAM, rotations=MappingProxyType(rings))


# What is odd about it, the team, whose watch, when, and whom it is offered to.
OFFERED = [
    ("secondary, previous week's engineer, manager", TEAM, "ben", NIGHT, "cho ana dora"),
    ("somebody had an hour yesterday", replace(TEAM, overrides=(YESTERDAY,)), "ben", NIGHT, "cho ana dora"),
    ("the giver stands in for somebody", replace(TEAM, overrides=(EVE_TODAY,)), "eve", NIGHT, "cho ana dora"),
    ("in the first week the ring is read backwards", TEAM, "ana", utc("2026-01-06 03:00"), "ben cho dora"),
    ("the secondary had the week before", turning(("ana", "ben"), ("ben", "ana")), "ben", NIGHT, "ana"),
    ("the secondary had the week before, another the one before that", turning(("cho", "ana", "ben"), ("eve", "ana")),
     "ben", utc("2026-01-21 03:00"), "eve ana"),
    ("it is asked further back", turning(("cho", "ana", "ben"), ("eve", "cho", "ana")), "ben",
     utc("2026-01-21 03:00"), "ana cho"),
    ("nobody else is in the ring", turning(("ana",)), "ana", NIGHT, ""),
    ("no secondary, no manager", turning(("ana", "ben")), "ben", NIGHT, "ana"),
    ("the secondary gives: the primary has a role before it", TEAM, "cho", NIGHT, "ana dora"),
    ("the secondary is away", away("cho"), "ben", NIGHT, "ana dora"),
    ("the previous engineer is away", away("ana"), "ben", NIGHT, "cho dora"),
    ("the manager is away", away("dora"), "ben", NIGHT, "cho ana"),
    ("away tomorrow only", away("cho", "2026-01-15", "2026-01-16"), "ben", NIGHT, "cho ana dora"),
    ("an explicit week", replace(TEAM, weeks=(Week(MONDAY.date(), {Role.PRIMARY: "eve"}),)), "ben", NIGHT,
     "cho eve dora"),
    ("who is not on call", TEAM, "eve", NIGHT, ""),
]  # fmt: skip


@pytest.mark.parametrize("row", OFFERED, ids=[row[0] for row in OFFERED])
def test_the_candidates_of_a_team(row: tuple[str, Team, str, object, str]) -> None:
    _, team, giver, at, expected = row
    assert isinstance(at, type(NIGHT))
    assert " ".join(around(team, giver, at).candidates) == expected


def test_what_else_a_team_says() -> None:
    team = replace(TEAM, absences=(*away("ana").absences, *away("cho", "2026-01-01", "2026-01-14 03:00").absences))
    backwards = Absence("ben", wall("2026-01-16"), wall("2026-01-15"))
    empty = Absence("ben", wall("2026-01-16"), wall("2026-01-16"))
    found = around(replace(team, absences=(*team.absences, backwards, empty)), "ben", NIGHT)
    assert [(a.person, a.start, a.end) for a in found.away] == [("ana", utc("2026-01-14"), utc("2026-01-15"))]
    assert found.segments[0].start == NIGHT
    assert found.until == utc("2026-01-19 09:00")
    assert found.managers == ("dora",)


def test_who_is_not_on_call_in_a_team_is_told_so() -> None:
    with pytest.raises(InputError, match=r"^Eve is not on call now"):
        request(Wish("H", Kind.ASK, EVE, EVE, "ill"), around(TEAM, "eve", NIGHT), NIGHT)


def test_a_team_without_a_manager_on_call_has_whoever_manages() -> None:
    assert around(turning(("ana", "ben")), "ben", NIGHT).managers == ("dora",)
