"""The proof of handovers finds a watch that moved without a yes, an instant with nobody on call, a second outcome."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.evidence import Attempt, Blow, Evidence, Outcome, Weather
from tests.faults.handed import handed
from tests.faults.rota import Rota, Shift, always
from tests.faults.traces import Confirmed, Handover, Made, Offer, Sighting


def attempt(
    kind: str,
    at: float,
    who: str,
    key: str = "H1",
    about: str = "",
    outcome: Outcome = Outcome.ACCEPTED,
) -> Attempt:
    return Attempt(f"handover.{kind}", key, f"person:{who}", at - 0.1, at + 0.1, outcome, 200, about)


# Ana hands over to Ben, who says yes, confirms the one point with it, and the other after it.
DONE = Handover(
    id="H1",
    key="first",
    asker="ana",
    giver="ana",
    role="primary",
    asked=100.0,
    outcome="done",
    ended=105.0,
    closes=1,
    offers=[Offer("ben", 100.1, "Q1", yes=True, answered=102.0)],
    confirmed=[Confirmed("briefing", "ben", "ben", 102.0), Confirmed("access", "ben", "dan", 103.0, waived=True)],
    made=[Made("override", "O1", 103.2, "ben"), Made("absence", "A1", 103.3)],
    told=[("tell", "accepted", 102.0), ("tell", "done", 102.0)],
)
ASKED = (
    attempt("request", 100.0, "ana", "first", "H1"),
    attempt("accept", 102.0, "ben", about="briefing"),
    attempt("waive", 103.0, "dan", about="access"),
)
ROTA = Rota(
    [
        Shift("primary", "ana", 0.0, 103.2),
        Shift("primary", "ben", 103.2, 900.0),
        *always({"secondary": "fay", "manager": "cho"}).shifts,
    ]
)
ROLES = {"primary": ["ana"], "secondary": ["fay"], "manager": ["cho"]}
SEEN = (Sighting(101.0, 101.1, ROLES), Sighting(120.0, 120.1, {**ROLES, "primary": ["ben"]}))
GOOD = Evidence(ASKED, (), (), (), (), 130.0, rota=ROTA, sightings=SEEN, handovers=(DONE,))


def but(**changed: Any) -> Evidence:
    return replace(GOOD, handovers=(replace(DONE, **changed),))


def asked(*attempts: Attempt) -> Evidence:
    return replace(GOOD, attempts=attempts)


def seen(at: float, **roles: Sequence[str]) -> Evidence:
    return replace(GOOD, sightings=(Sighting(at, at + 0.1, {**ROLES, **roles}),))


def rota(*shifts: Shift) -> Evidence:
    return replace(GOOD, rota=Rota([*shifts, *always({"secondary": "fay", "manager": "cho"}).shifts]))


def said(evidence: Evidence) -> list[str]:
    return list(handed(evidence, Weather(evidence.blows)))


def test_nothing_is_found_where_all_is_well() -> None:
    assert said(GOOD) == []


NO = Offer("ben", 100.1, "Q1", yes=False, answered=102.0)
CANCELLED = but(outcome="cancelled", made=(), told=[("tell", "cancelled", None)], offers=[Offer("ben", 100.1, "Q1")])

BEN_ALONE = Rota(
    [
        *always({"primary": "ben", "manager": "cho"}).shifts,
        Shift("secondary", "fay", 0, 120),
        Shift("secondary", None, 120, 121),
        Shift("secondary", "fay", 121, 900),
    ],
    away=[Shift("", "ana", 0, 900), Shift("", "fay", 120, 121)],
)
ALONE = replace(
    GOOD, rota=BEN_ALONE, sightings=(Sighting(120.5, 120.6, {**ROLES, "primary": ["ben"], "secondary": []}),)
)

SPOILED: dict[str, tuple[Evidence, str]] = {
    "nobody for a moment": (
        rota(
            Shift("primary", "ana", 0, 103.2), Shift("primary", None, 103.2, 103.3), Shift("primary", "ben", 103.3, 900)
        ),
        "nobody was primary from 103.20 to 103.30",
    ),
    "nobody as secondary though somebody was there": (
        replace(ALONE, rota=replace(BEN_ALONE, away=BEN_ALONE.away[:1])),
        "nobody was secondary from 120.00 to 121.00",
    ),
    "nobody shown though somebody was there": (
        replace(ALONE, rota=replace(BEN_ALONE, away=BEN_ALONE.away[:1])),
        "nobody was shown as secondary",
    ),
    "a gap in the schedule": (
        rota(Shift("primary", "ana", 0, 103.2), Shift("primary", "ben", 103.3, 900)),
        "the schedule says nothing of primary from 103.20 to 103.30",
    ),
    "a schedule that ends": (rota(Shift("primary", "ana", 0, 125)), "says nothing of primary from 125.00 to 130.00"),
    "nobody shown": (seen(101.0, primary=[]), "nobody was shown as primary"),
    "two shown": (seen(101.0, primary=["ana", "ben"]), "['ana', 'ben'] was shown as primary"),
    "the receiver shown before": (seen(101.0, primary=["ben"]), "ben was shown as primary"),
    "the giver shown long after": (seen(111.0, primary=["ana"]), "ana was shown as primary, who had not been"),
    "a yes that nobody said": (asked(ASKED[0], ASKED[2]), "handover.accept of ben, who had not said so"),
    "a yes said by another": (
        asked(ASKED[0], replace(ASKED[1], actor="person:fay"), ASKED[2]),
        "handover.accept of ben, who had not said so",
    ),
    "a yes said later": (
        asked(ASKED[0], attempt("accept", 104.0, "ben", about="briefing"), ASKED[2]),
        "had not said so",
    ),
    "a no that nobody said": (but(offers=[NO], outcome="declined", made=()), "handover.decline of ben"),
    "a yes lost": (but(offers=[Offer("ben", 100.1, "Q1")]), "handover.accept of ben was answered, and is not there"),
    "a point that nobody confirmed": (
        asked(ASKED[0], replace(ASKED[1], about=""), ASKED[2]),
        "briefing confirmed by ben",
    ),
    "a point that another waived": (
        asked(*ASKED[:2], replace(ASKED[2], actor="person:fay")),
        "access waived by dan, who had not said so",
    ),
    "moved before the yes": (but(made=[Made("override", "O1", 101.0, "ben")]), "made override O1 before a yes"),
    "moved before it was confirmed": (
        but(made=[Made("override", "O1", 102.5, "ben")]),
        "before a yes that is confirmed",
    ),
    "moved before the yes, by a clock that was wrong by less": (
        replace(
            but(made=[Made("override", "O1", 92.0, "ben")]),
            blows=(Blow("clock forward", 99.0, 103.5, skew=4.0), Blow("clock back", 103.6, 105.0, skew=-5.0)),
        ),
        "made override O1 before a yes",
    ),
    "moved to another": (but(made=[Made("override", "O1", 103.2, "fay")]), "put fay on call, who did not say yes"),
    "moved although it was called off": (but(outcome="cancelled"), "cancelled, and yet ['override', 'absence']"),
    "moved although it was too late": (but(outcome="expired"), "expired, and yet"),
    "done, and nothing moved": (but(made=()), "done, and nobody was put on call"),
    "ended twice": (but(closes=2), "it ended 2 times"),
    "ended without an end": (but(closes=0), "it ended 0 times"),
    "an end that is not on the record": (but(outcome=None, ended=None), "it ended 1 times, the row says None"),
    "told twice": (but(told=[*DONE.told, DONE.told[1]]), "('tell', 'done') was told 2 times"),
    "told to nobody": (but(told=DONE.told[:1]), "nobody was told that it was done"),
    "called off by nobody": (CANCELLED, "called off by nobody"),
    "called off, and open": (
        replace(but(outcome=None, ended=None, closes=0, made=()), attempts=(*ASKED, attempt("cancel", 104.0, "ana"))),
        "called off, and still open",
    ),
    "one that nobody asked for": (asked(*ASKED[1:]), "handover H1: nobody asked for it"),
    "one that was answered and is not there": (
        asked(*ASKED, attempt("request", 110.0, "ben", "second", "H2")),
        "the request second by person:ben was answered with ['H2']",
    ),
    "two of one request": (
        replace(
            GOOD,
            attempts=(*ASKED, attempt("request", 100.5, "ana", "first", "H2")),
            handovers=(DONE, replace(DONE, id="H2")),
        ),
        "the request first by person:ana was answered with ['H1', 'H2']",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_is_spoiled_is_found(name: str) -> None:
    evidence, wanted = SPOILED[name]
    assert any(wanted in what for what in said(evidence)), said(evidence)


UNSURE = replace(ASKED[1], outcome=Outcome.UNKNOWN)

ALLOWED: dict[str, Evidence] = {
    "nobody as secondary while all others are away": ALONE,
    "the giver shown for a moment more": seen(108.0, primary=["ana"]),
    "the giver shown by a server that stood still": replace(
        seen(111.0, primary=["ana"]), blows=(Blow("pause", 104.0, 108.0),)
    ),
    "a yes that was never answered": asked(ASKED[0], replace(ASKED[1], outcome=Outcome.UNKNOWN), ASKED[2]),
    "a yes that came too late": asked(*ASKED, attempt("accept", 106.0, "fay", outcome=Outcome.REFUSED)),
    "whoever takes the watch": replace(
        but(asker="ben", offers=[Offer("ben", 100.0, None, yes=True, answered=100.0)]),
        attempts=(
            attempt("request", 100.0, "ben", "first", "H1"),
            attempt("confirm", 102.0, "ben", about="briefing"),
            ASKED[2],
        ),
    ),
    "a yes by a clock that was ahead, and moved by one that was behind": replace(
        but(
            made=[Made("override", "O1", 98.8, "ben")],
            offers=[Offer("ben", 100.1, "Q1", yes=True, answered=106.0)],
            confirmed=[
                Confirmed("briefing", "ben", "ben", 106.0),
                Confirmed("access", "ben", "dan", 107.0, waived=True),
            ],
        ),
        blows=(Blow("clock forward", 99.0, 103.5, skew=4.0), Blow("clock back", 103.6, 105.0, skew=-5.0)),
    ),
    "called off by who may": replace(CANCELLED, attempts=(ASKED[0], ASKED[2], UNSURE, attempt("cancel", 104.0, "dan"))),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_is_not_held_against_anybody(name: str) -> None:
    assert said(ALLOWED[name]) == []
