"""The proof finds what it is there to find: one story in which all is well, and each way of spoiling it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.evidence import Attempt, Blow, Client, Entry, Evidence, Incident, Outcome, Seen, Weather
from tests.faults.plans import ADDRESSES, Plan, Step
from tests.faults.proof import Verdict, prove
from tests.faults.rota import Shift, always
from tests.faults.traces import Delivery, Message, Page

SENDER = "service:payments"


PLANS = {
    "sev0": Plan((Step(0, "primary"), Step(2, "secondary"), Step(4, "manager"))),
    "sev1": Plan((Step(0, "secondary"), Step(3, "manager"))),
}
ROTA = always({"primary": "ana", "secondary": "ben", "manager": "cho"})


def judge(evidence: Evidence) -> Verdict:
    """Return the verdict, where all that was paged left as it should."""
    paged = {(e.incident, e.at, p) for e in evidence.entries if "assignees" in e.data for p in e.people}
    pages = [Page(incident, number, who, at) for number, (incident, at, who) in enumerate(sorted(paged))]
    left = [(p, place) for p in pages for place in ADDRESSES.get(p.person, ())[:1]]
    messages = [
        Message(n, "page", p.incident, p.number, p.person, place, "sent", 1, p.at, p.at + 0.2)
        for n, (p, place) in enumerate(left)
    ]
    deliveries = [Delivery(place, "page", "", p.at + 0.1, p.at + 0.1, 200) for p, place in left]
    return prove(replace(evidence, pages=pages, messages=messages, deliveries=deliveries), PLANS)


def entry(number: int, type: str, at: float, actor: str = "engine", **data: Any) -> Entry:  # noqa: A002 - the row's
    return Entry(number, "Q1", type, at, actor, data.pop("channel", "auto"), data)


def page(number: int, type: str, at: float, who: Sequence[str], step: int, reason: str = "step", **more: Any) -> Entry:  # noqa: A002
    return entry(number, type, at, more.pop("actor", "engine"), assignees=list(who), step=step, reason=reason, **more)


def attempt(
    kind: str, at: float, actor: str = SENDER, outcome: Outcome = Outcome.ACCEPTED, status: int = 202
) -> Attempt:  # fmt: skip
    return Attempt(kind, "k1", actor, at - 0.01, at + 0.01, outcome, status)


# Ana does not answer; Ben acknowledges, and lets it go after his four seconds: then it goes on to Cho after her gap.
STORY = (
    entry(1, "trigger", 100.0, SENDER),
    page(2, "assign", 100.0, ["ana"], 1),
    page(3, "escalate", 102.05, ["ben"], 2),
    entry(4, "acknowledge", 103.0, "person:ben"),
    entry(5, "stand_down", 103.0, "person:ben", told=["ana"]),
    entry(6, "unacknowledge", 107.02, channel="timeout"),
    page(7, "notify", 107.02, ["ana", "ben"], 2, "acknowledgement ended"),
    page(8, "escalate", 109.1, ["cho"], 3),
)
ROW = Incident("Q1", "k1", "sev0", "triggered", 6, 4, 3, frozenset({"ana", "ben", "cho"}), frozenset())
SEEN = Seen(6, "triggered", ROW.assigned, ROW.acknowledged)
GOOD = Evidence(
    attempts=(attempt("trigger", 100.0), attempt("acknowledge", 103.0, "person:ben")),
    blows=(),
    entries=STORY,
    incidents=(ROW,),
    clients=(Client("first", {"Q1": SEEN}, [[("Q1", replace(SEEN, version=3)), ("Q1", SEEN)]]),),
    ended=110.0,
    version=6,
    rota=ROTA,
)


def without(*numbers: int) -> Evidence:
    return replace(GOOD, entries=tuple(e for e in STORY if e.id not in numbers))


def having(*entries: Entry, **row: Any) -> Evidence:
    return replace(GOOD, entries=(*STORY, *entries), incidents=(replace(ROW, **row),))


def moved(by: float, *numbers: int) -> Evidence:
    return replace(GOOD, entries=tuple(replace(e, at=e.at + by) if e.id in numbers else e for e in STORY))


def late_beside(began: float, ended: float, skew: float) -> Evidence:
    """Return that Cho was paged six seconds late, a second more than may be, while a clock was wrong."""
    return replace(moved(6.0, 8), ended=116.0, blows=(Blow("clock", began, ended, blocks=False, skew=skew),))


def with_dan(*blows: Blow) -> Evidence:
    """Return that Dan was paged with Ben at 102.05, by a handover of which a clock said that it began at 105."""
    told = page(3, "escalate", 102.05, ["ben", "dan"], 2)
    return replace(
        GOOD,
        attempts=GOOD.attempts[:1],
        blows=blows,
        entries=(*STORY[:2], told),
        incidents=(replace(ROW, version=3, pages=2, step=2, assigned=frozenset({"ana", "ben", "dan"})),),
        clients=(),
        ended=103.0,
        version=3,
        rota=replace(ROTA, beside=[Shift("secondary", "dan", 105.0, 130.0)]),
    )


def _repeated(evidence: Evidence) -> Evidence:
    *others, last = evidence.entries
    again = entry(8, "trigger", 114.0, SENDER, repeated=True)
    asked_for = (*evidence.attempts, attempt("trigger", 114.0))
    return replace(evidence, entries=(*others, again, replace(last, id=9)), attempts=asked_for)


def _annotated(evidence: Evidence) -> Evidence:
    *others, last = evidence.entries
    note = entry(8, "annotate", 114.0, "person:ben", content="looking")
    asked_for = (*evidence.attempts, attempt("annotate", 114.0, "person:ben"))
    return replace(evidence, entries=(*others, note, replace(last, id=9)), attempts=asked_for)


def known(**changed: Any) -> Evidence:
    return replace(GOOD, clients=(Client("first", {"Q1": replace(SEEN, **changed)}),))


def told(*versions: int) -> Evidence:
    stream = [("Q1", replace(SEEN, version=version)) for version in versions]
    return replace(GOOD, clients=(Client("first", {"Q1": SEEN}, [stream]),))


def asked(*attempts: Attempt) -> Evidence:
    return replace(GOOD, attempts=attempts)


def test_nothing_is_found_where_all_is_well() -> None:
    verdict = judge(GOOD)
    assert verdict.violations == []
    assert verdict.worst == pytest.approx(0.1, abs=0.03)


SPOILED: dict[str, tuple[Evidence, str]] = {
    "a step that never came": (replace(without(8), ended=120.0), "late: step"),
    "a step that came too late": (replace(moved(6.0, 8), ended=116.0), "late: step"),
    "a step later than a fast clock excuses": (late_beside(110.0, 112.0, 2.0), "late: step"),
    "a step later than a slow clock excuses": (late_beside(108.5, 109.0, -1.0), "late: step"),
    "a page beside somebody that no clock explains": (with_dan(), "outside the policy: ['dan']"),
    "a page beside somebody that another clock does not explain": (
        with_dan(Blow("clock", 90.0, 91.0, blocks=False, skew=3.5)),
        "outside the policy: ['dan']",
    ),
    "a step before its time": (moved(-1.0, 3), "early: escalate"),
    "an acknowledgement that ended before its time": (moved(-1.0, 6, 7), "early: unacknowledge"),
    "an acknowledgement that never ended": (replace(without(6, 7, 8), ended=120.0), "late: unacknowledge"),
    "a step twice": (having(page(9, "escalate", 109.2, ["cho"], 3), pages=5), "step 3 of round 0 follows step 3"),
    "a step left out": (without(3), "step 3 of round 0 follows step 1"),
    "the wrong person": (
        replace(GOOD, entries=(*STORY[:7], page(8, "escalate", 109.1, ["ben"], 3))),
        "paged ('ben',), not cho",
    ),
    "a page to an outsider": (
        having(page(9, "notify", 137.03, ["ana", "eve"], 3, "again"), pages=5, assigned=ROW.assigned | {"eve"}),
        "outside the policy: ['eve']",
    ),
    "escalated although acknowledged": (
        replace(GOOD, entries=(*STORY[:5], page(6, "escalate", 104.0, ["cho"], 3))),
        "escalated although acknowledged",
    ),
    "escalated although resolved": (
        having(entry(9, "resolve", 109.5, SENDER), page(10, "notify", 139.2, ["ana"], 3, "again")),
        "escalated although resolved",
    ),
    "paged again too soon": (having(page(9, "notify", 109.5, ["ana"], 3, "again"), pages=5), "too soon"),
    "not paged again": (replace(GOOD, ended=160.0), "late: paging again"),
    "no second round": (replace(GOOD, ended=160.0), "late: round"),
    "a round too many": (having(entry(9, "exhaust_escalation_path", 109.5)), "exhausted before its last step"),
    "a page for no reason": (having(page(9, "notify", 109.5, ["ana"], 3, "acknowledgement ended")), "no reason"),
    "nobody paged when the acknowledgement ended": (without(7), "not paged when"),
    "acknowledged twice": (
        replace(GOOD, entries=(*STORY[:5], entry(6, "acknowledge", 103.5, "person:ben"))),
        "ben acknowledged what was theirs already",
    ),
    "an acknowledgement that nobody made": (asked(attempt("trigger", 100.0)), "invented: acknowledge by person:ben"),
    "an acknowledgement made by another": (
        asked(attempt("trigger", 100.0), attempt("acknowledge", 103.0, "person:cho")),
        "invented: acknowledge by person:ben",
    ),
    "an acknowledgement before it was asked for": (
        asked(attempt("trigger", 100.0), attempt("acknowledge", 104.0, "person:ben")),
        "invented: acknowledge",
    ),
    "an acknowledgement lost": (
        asked(*GOOD.attempts, attempt("acknowledge", 107.5, "person:cho")),
        "lost: acknowledge by person:cho",
    ),
    "an acknowledgement lost after it had ended": (
        asked(*GOOD.attempts, attempt("acknowledge", 108.0, "person:ben")),
        "lost: acknowledge by person:ben",
    ),
    "a trigger counted once too often": (
        having(entry(9, "trigger", 109.5, SENDER, repeated=True)),
        "invented: trigger",
    ),
    "a repeated trigger lost": (asked(*GOOD.attempts, attempt("trigger", 105.0)), "lost: trigger"),
    "a sender's acknowledgement lost": (
        asked(*GOOD.attempts, attempt("acknowledge", 108.0)),
        "lost: acknowledge by serv",
    ),
    "a resolution lost": (asked(*GOOD.attempts, attempt("resolve", 109.5)), "lost: resolve"),
    "an accepted trigger that is nowhere": (
        asked(*GOOD.attempts, replace(attempt("trigger", 100.0), key="k2")),
        "k2: accepted, and not there",
    ),
    "an incident that nobody triggered": (
        replace(GOOD, incidents=(ROW, replace(ROW, id="Q2", key="k3", version=5))),
        "k3: nobody triggered it",
    ),
    "two incidents of one key": (
        replace(GOOD, incidents=(ROW, replace(ROW, id="Q2", version=5))),
        "2 incidents of one key",
    ),
    "a history without an incident": (
        replace(GOOD, entries=(*STORY, replace(STORY[0], id=9, incident="Q9"))),
        "history of no incident: Q9",
    ),
    "a status without its entry": (having(status="acknowledged"), "half: status"),
    "an assignment without its entry": (having(assigned=frozenset({"ana", "ben", "cho", "dan"})), "half: assigned"),
    "an acknowledgement without its entry": (having(acknowledged=frozenset({"ana"})), "half: acknowledged"),
    "a page without its entry": (having(pages=5), "half: pages"),
    "a step without its entry": (having(step=2), "half: step"),
    "an entry without its page": (without(8), "half: "),
    "a trigger refused": (asked(*GOOD.attempts, attempt("trigger", 105.0, outcome=Outcome.REFUSED, status=429)), "429"),
    "a person's valid token refused": (
        asked(*GOOD.attempts, attempt("acknowledge", 105.0, "person:ben", Outcome.REFUSED, 401)),
        "refused with 401",
    ),
    "a version given twice": (
        replace(GOOD, incidents=(ROW, replace(ROW, id="Q2", key="k2"))),
        "version 6 stands at 2 incidents",
    ),
    "a client that believes the old": (known(version=5), "first believes of Q1"),
    "a client that believes it acknowledged": (known(status="acknowledged"), "first believes of Q1"),
    "a client that never heard of it": (
        replace(GOOD, clients=(Client("first", {}),)),
        "first believes of Q1: None",
    ),
    "a client that believes in what is resolved": (
        replace(GOOD, incidents=(replace(ROW, status="resolved"),)),
        "the rows say None",
    ),
    "a stream that goes back": (told(5, 4, 6), "version 4 of Q1 after 5"),
    "a stream that says a version twice": (told(5, 5, 6), "version 5 of Q1 after 5"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_is_spoiled_is_found(name: str) -> None:
    evidence, wanted = SPOILED[name]
    found = judge(evidence).violations
    assert any(wanted in violation for violation in found), found


ALLOWED: dict[str, Evidence] = {
    "a trigger nobody was answered about, and that is there": asked(
        attempt("trigger", 99.0, outcome=Outcome.UNKNOWN), *GOOD.attempts[1:]
    ),
    "one that is not there": asked(*GOOD.attempts, attempt("trigger", 105.0, outcome=Outcome.UNKNOWN)),
    "an acknowledgement asked for once more": asked(*GOOD.attempts, attempt("acknowledge", 104.0, "person:ben")),
    "one that was carried out long after": asked(
        GOOD.attempts[0], attempt("acknowledge", 100.5, "person:ben", Outcome.UNKNOWN)
    ),
    "un-acknowledging what is triggered": asked(*GOOD.attempts, attempt("unacknowledge", 101.0, "person:ana")),
    "a person who came too late": asked(*GOOD.attempts, attempt("resolve", 105.0, "person:ben", Outcome.REFUSED, 400)),
    "a step as late as no server could work": replace(
        moved(6.0, 8), ended=116.0, blows=(Blow("restart", 108.0, 110.5),)
    ),
    "a step as late as the clock that says so was fast": late_beside(113.0, 113.5, 2.0),
    "a step as late as a clock was behind": late_beside(110.0, 112.0, -9.0),
    "a page beside somebody by a clock that was fast": with_dan(Blow("clock", 101.0, 102.0, blocks=False, skew=3.5)),
    "a step counted from a time that was wrong": late_beside(109.0, 109.5, -2.0),
    "one that was repeated since, by a clock that was right": _repeated(late_beside(109.0, 109.5, -2.0)),
    "one to which a note was written since, by a clock that was right": _annotated(late_beside(109.0, 109.5, -2.0)),
    "a client that knows already what came later": known(version=7, status="acknowledged"),
    "a sender that acknowledges what is acknowledged": asked(*GOOD.attempts, attempt("acknowledge", 104.0)),
    "a client that knows what is resolved": replace(
        GOOD,
        entries=(*STORY, entry(9, "resolve", 109.5, SENDER)),
        incidents=(replace(ROW, status="resolved"),),
        attempts=(*GOOD.attempts, attempt("resolve", 109.5)),
        clients=(Client("first", {"Q1": replace(SEEN, status="resolved")}),),
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_is_not_held_against_anybody(name: str) -> None:
    assert judge(ALLOWED[name]).violations == []


def test_a_second_round_and_the_end_of_it() -> None:
    later = (
        page(9, "notify", 137.1, ["ana", "ben", "cho"], 3, "again"),
        page(10, "repeat_escalation_path", 139.2, ["ana"], 1, "round"),
        page(11, "repeat_escalation_path", 141.2, ["ben"], 2, "round"),
        page(12, "repeat_escalation_path", 143.2, ["cho"], 3, "round"),
        page(13, "notify", 167.1, ["ana", "ben", "cho"], 3, "again"),
        entry(14, "exhaust_escalation_path", 173.3),
    )
    good = replace(having(*later, pages=9), ended=180.0)
    assert judge(good).violations == []
    twice = replace(good, entries=(*good.entries, replace(later[1], id=15, at=175.0)))
    assert any("round 2 began" in violation for violation in judge(twice).violations)


def test_overlapping_outages_excuse_no_instant_twice() -> None:
    blows = [Blow("a", 1, 4), Blow("b", 2, 3), Blow("c", 3, 6), Blow("d", 5, 9, blocks=False), Blow("e", 8, 9)]
    assert Weather(blows).blocked(0, 10) == 6
    assert Weather(blows).blocked(2, 8.5) == 4.5
    assert Weather(blows).blocked(6, 8) == 0


def test_a_wrong_clock_reaches_what_was_written_by_it() -> None:
    weather = Weather([Blow("clock", 100, 101, blocks=False, skew=-3.0)])
    assert [weather.wrong(at) for at in (96.5, 97.0, 98.0, 98.5, 100.5)] == [0, 3, 3, 0, 0]
    assert weather.slow(90, 99) == weather.slow(102, 103) == 0
    assert weather.slow(100.5, 103) == 1


def test_a_wrong_clock_excuses_what_it_can_have_reached() -> None:
    blows = [Blow("clock", 100, 101, blocks=False, skew=-3.0)]
    assert Weather(blows).skew(90, 96) == 0
    assert Weather(blows).skew(90, 97.5) == 3
    assert Weather(blows).skew(103.5, 104) == 3
    assert Weather(blows).skew(104.5, 105) == 0
