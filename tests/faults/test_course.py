"""The proof follows what people change: severities, who has it, who is on call; and finds what is wrong."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.faults.asked import compare
from tests.faults.course import next_open
from tests.faults.evidence import Attempt, Blow, Entry, Incident, Outcome, Weather
from tests.faults.plans import CONTACT, EMERGENCY, Plan, Step
from tests.faults.replay import Replay
from tests.faults.rota import Rota, Shift, always
from tests.faults.test_proof import SENDER, entry, page

PLANS = {
    "sev0": Plan((Step(0, "primary"), Step(2, "secondary"), Step(4, EMERGENCY))),
    "sev1": Plan((Step(0, "secondary"), Step(3, "manager"))),
    "sev2": Plan((Step(0, "primary"), Step(2, "manager", business=True))),
}
PEOPLE = {"primary": "ana", "secondary": "ben", "manager": "cho"}
BERLIN_NOON = datetime(2026, 11, 24, 11, tzinfo=UTC).timestamp()


def found(
    *entries: Entry,
    ended: float,
    severity: str = "sev1",
    rota: Rota | None = None,
    blows: Sequence[Blow] = (),
    **row: Any,
) -> list[str]:
    """Return what a replay complains of."""
    complaints: list[str] = []
    weather = Weather(blows)
    replay = Replay(PLANS, severity, rota or always(PEOPLE), weather, 5.0, complaints.append, givers={"H1": "ben"})
    replay.run(entries, ended)
    if row:
        replay.agrees(Incident(id="Q1", key="k1", severity=severity, version=1, **row))
    return complaints


def begun(by: float = 0.0) -> tuple[Entry, ...]:
    return entry(1, "trigger", 100.0 + by, SENDER), page(2, "assign", 100.0 + by, ["ben"], 1)


RAISED = (
    *begun(),
    entry(3, "trigger", 101.0, SENDER, repeated=True),
    entry(4, "priority_change", 101.0, SENDER, **{"from": "sev1", "to": "sev0"}),
    page(5, "escalate", 101.0, ["ana"], 1),
    page(6, "escalate", 103.0, ["ben"], 2),
    page(7, "escalate", 105.0, [CONTACT], 3),
)


def test_a_raised_severity_picks_its_list_and_counts_from_then() -> None:
    assert found(*RAISED, ended=106.0) == []
    assert any("late: step" in c for c in found(*RAISED[:5], ended=109.0))
    early = (*RAISED[:5], replace(RAISED[5], at=102.5))
    assert any("early: escalate" in c for c in found(*early, ended=103.0))
    told_wrong = (*RAISED[:3], replace(RAISED[3], data={"from": "sev2", "to": "sev0"}))
    assert any("the severity was sev1" in c for c in found(*told_wrong, ended=101.5))


def test_whoever_raises_it_while_somebody_has_it_gives_them_their_time_anew() -> None:
    acknowledged = entry(3, "acknowledge", 101.0, "person:ben")
    raised = entry(4, "priority_change", 103.0, "person:dan", **{"from": "sev1", "to": "sev0"})
    ended = entry(5, "unacknowledge", 107.0, channel="timeout")
    first = page(6, "escalate", 107.0, ["ana"], 1)
    rest = page(7, "notify", 107.0, ["ben"], 0, "acknowledgement ended")
    assert found(*begun(), acknowledged, raised, ended, rest, first, ended=108.0) == []
    too_soon = [replace(e, at=105.5) for e in (ended, rest, first)]
    assert any("early: unack" in c for c in found(*begun(), acknowledged, raised, *too_soon, ended=106.0))


def test_a_milder_one_changes_no_list() -> None:
    milder = entry(3, "priority_change", 101.0, "person:dan", **{"from": "sev1", "to": "sev2"})
    second = page(4, "escalate", 103.0, ["cho"], 2)
    assert found(*begun(), milder, second, ended=104.0) == []
    assert any("late" in c for c in found(*begun(), milder, ended=109.0))


GIVEN = (*begun(), entry(3, "assign", 101.0, "person:dan", assignees=["fay"]))


def test_what_is_given_to_somebody_is_theirs_alone() -> None:
    again = page(4, "notify", 131.0, ["fay"], 0, "again")
    over = entry(5, "exhaust_escalation_path", 131.0)
    row: dict[str, Any] = {"status": "triggered", "pages": 3, "step": 0, "acknowledged": frozenset[str]()}
    assert found(*GIVEN, over, again, ended=132.0, assigned=frozenset({"fay"}), alone=True, **row) == []
    assert any(
        "half: assigned" in c
        for c in found(*GIVEN, over, again, ended=132.0, assigned=frozenset({"fay", "ben"}), alone=True, **row)
    )
    assert any("step 2" in c for c in found(*GIVEN, page(4, "escalate", 103.0, ["cho"], 2), ended=104.0))
    outside = page(4, "notify", 131.0, ["ben"], 0, "again")
    assert any("outside the policy" in c for c in found(*GIVEN, over, outside, ended=132.0))
    assert any("late: paging again" in c for c in found(*GIVEN, over, ended=140.0))


def test_what_is_delegated_follows_that_list_from_its_top() -> None:
    delegated = entry(4, "delegate", 102.0, "person:dan", escalation_policy="sev0")
    first = page(5, "escalate", 102.0, ["ana"], 1)
    assert found(*GIVEN, delegated, first, ended=103.0) == []
    assert any("late: step" in c for c in found(*GIVEN, delegated, ended=109.0))


HANDED_OVER = Rota([Shift("secondary", "ben", 0, 101), Shift("secondary", "fay", 101, 900)])


def test_a_handover_gives_what_was_theirs_to_who_takes_the_watch() -> None:
    handed = entry(3, "assign", 101.0, assignees=["fay"], handover="H1")
    row: dict[str, Any] = {"status": "triggered", "pages": 2, "step": 1, "acknowledged": frozenset[str]()}
    assert found(*begun(), handed, ended=102.0, rota=HANDED_OVER, assigned=frozenset({"fay"}), **row) == []
    half = found(*begun(), handed, ended=102.0, assigned=frozenset({"fay"}), **{**row, "pages": 1})
    assert any("half: pages" in c for c in half)
    twice = replace(handed, id=4, at=101.5)
    assert any("whose it was not" in c for c in found(*begun(), handed, twice, ended=102.0))


def test_whom_the_schedule_paged_already_a_handover_does_not_page_again() -> None:
    took_over = page(3, "assign", 101.5, ["fay"], 1, "took over")
    handed = entry(4, "handed_over", 102.0, assignees=["fay"], giver="ben", handover="H1")
    row: dict[str, Any] = {"status": "triggered", "step": 1, "acknowledged": frozenset[str]()}
    once = found(
        *begun(), took_over, handed, ended=102.5, rota=HANDED_OVER, assigned=frozenset({"fay"}), pages=2, **row
    )
    assert once == []
    twice = replace(handed, type="assign")
    assert any("paged fay, who had" in c for c in found(*begun(), took_over, twice, ended=102.5, rota=HANDED_OVER))
    never = found(*begun(), handed, ended=102.5, rota=HANDED_OVER)
    assert any("not paged when" in c for c in never)


def test_whoever_gives_the_watch_stays_where_a_role_of_theirs_was_paged_and_only_there() -> None:
    both = page(3, "escalate", 103.0, ["cho"], 2)
    handed = entry(4, "assign", 120.0, assignees=["fay"], giver="ben", handover="H1")
    stays = replace(handed, data={**handed.data, "stays": True})

    def given(line: Entry, manager: str, since: float = 110.0) -> list[str]:
        later = [Shift("secondary", "ben", 0, since), Shift("secondary", "fay", since, 900)]
        manages = [Shift("manager", "cho", 0, since), Shift("manager", manager, since, 900)]
        return found(*begun(), both, line, ended=121.0, rota=Rota([*later, *manages]))

    assert (given(stays, "ben"), given(handed, "gus")) == ([], [])
    assert given(handed, "ben") == ["taken from ben, who is on call for it"]
    assert given(stays, "gus") == ["left with ben, who has no role that was paged"]
    # What changed a moment ago a server may not have known of.
    assert (given(stays, "gus", 118.0), given(handed, "ben", 118.0)) == ([], [])


def test_what_somebody_else_has_a_handover_pages_nobody_for() -> None:
    acknowledged = entry(3, "acknowledge", 101.0, "person:dan")
    handed = entry(4, "handed_over", 102.0, assignees=["fay"], giver="ben", handover="H1")
    row: dict[str, Any] = {"status": "acknowledged", "pages": 1, "step": 1}
    both: dict[str, Any] = {"assigned": frozenset({"dan", "fay"}), "acknowledged": frozenset({"dan"})}
    assert found(*begun(), acknowledged, handed, ended=103.0, rota=HANDED_OVER, **row, **both) == []
    rings = replace(handed, type="assign")
    assert any("paged fay, who had" in c for c in found(*begun(), acknowledged, rings, ended=103.0, rota=HANDED_OVER))


def test_one_that_they_had_acknowledged_is_triggered_again() -> None:
    acknowledged = entry(3, "acknowledge", 101.0, "person:ben")
    handed = entry(4, "handed_over", 102.0, assignees=["fay"], giver="ben", handover="H1")
    again = entry(5, "unacknowledge", 102.0), page(6, "notify", 102.0, ["fay"], 1, "acknowledgement ended")
    assert found(*begun(), acknowledged, handed, *again, ended=103.0, rota=HANDED_OVER) == []
    assert any("not paged when" in c for c in found(*begun(), acknowledged, handed, again[0], ended=103.0))
    assert any("not paged when" in c for c in found(*begun(), acknowledged, handed, ended=103.0))


REOPENED = (
    *begun(),
    entry(3, "acknowledge", 101.0, "person:dan"),
    entry(4, "resolve", 102.0, SENDER),
    entry(5, "trigger", 103.0, SENDER, reopened=True),
)


def test_what_is_reopened_is_whose_its_first_step_pages() -> None:
    first = page(6, "assign", 103.0, ["ben"], 1)
    row: dict[str, Any] = {"status": "triggered", "pages": 2, "step": 1, "acknowledged": frozenset[str]()}
    assert found(*REOPENED, first, ended=104.0, assigned=frozenset({"ben"}), **row) == []
    kept = found(*REOPENED, first, ended=104.0, assigned=frozenset({"ben", "dan"}), **row)
    assert any("half: assigned" in c for c in kept)
    everyone = page(6, "notify", 103.0, ["ben", "dan"], 0, "again")
    assert any("too soon" in c for c in found(*REOPENED, everyone, ended=104.0))
    assert any("late: step" in c for c in found(*REOPENED, ended=110.0))


def test_what_is_reopened_where_nobody_is_on_call_is_whose_it_was() -> None:
    nobody = Rota([Shift("secondary", "ben", 0, 102.5), Shift("secondary", None, 102.5, 900)], contacts=frozenset())
    everyone = page(6, "notify", 110.0, ["ben", "dan"], 0, "again")
    reopened = (*REOPENED[:4], replace(REOPENED[4], at=110.0))
    row: dict[str, Any] = {"status": "triggered", "pages": 2, "step": 0, "acknowledged": frozenset[str]()}
    both = frozenset({"ben", "dan"})
    assert found(*reopened, everyone, ended=111.0, rota=nobody, assigned=both, **row) == []
    half = page(6, "notify", 110.0, ["ben"], 0, "again")
    assert any("reopened to ('ben',)" in c for c in found(*reopened, half, ended=111.0, rota=nobody))


def test_what_is_reopened_and_was_given_to_somebody_is_theirs() -> None:
    again = (
        entry(4, "resolve", 102.0, SENDER),
        entry(5, "trigger", 103.0, SENDER, reopened=True),
        page(6, "notify", 103.0, ["fay"], 0, "again"),
    )
    row: dict[str, Any] = {"status": "triggered", "pages": 3, "step": 0, "acknowledged": frozenset[str]()}
    assert found(*GIVEN, *again, ended=104.0, assigned=frozenset({"fay"}), alone=True, **row) == []
    other = replace(again[2], data={**again[2].data, "assignees": ["ben"]})
    assert any("reopened to ('ben',)" in c for c in found(*GIVEN, *again[:2], other, ended=104.0))


HELD = (
    entry(1, "trigger", 100.0, SENDER),
    entry(2, "maintenance", 100.0, until=datetime.fromtimestamp(105.0, UTC).isoformat()),
)


def test_what_is_held_back_pages_nobody_before_its_time_and_somebody_then() -> None:
    over = entry(3, "maintenance_over", 105.0), page(4, "assign", 105.0, ["ben"], 1)
    assert found(*HELD, *over, ended=106.0) == []
    assert any("held back" in c for c in found(*HELD, page(3, "assign", 101.0, ["ben"], 1), ended=102.0))
    early = [replace(e, at=103.0) for e in over]
    assert any("early: maintenance_over" in c for c in found(*HELD, *early, ended=103.5))
    assert any("late: the end of maintenance" in c for c in found(*HELD, ended=111.0))
    assert any("late: step" in c for c in found(*HELD, over[0], ended=111.0))


def test_what_is_held_back_and_somebody_has_is_let_go_when_they_have_it_no_more() -> None:
    """Dan has it from 104.5 on, and it is held until 105; his four seconds are noticed to be over at 110.6."""
    had = entry(3, "acknowledge", 104.5, "person:dan"), entry(4, "unacknowledge", 110.6, channel="timeout")
    after = entry(5, "maintenance_over", 110.6), page(6, "assign", 110.6, ["ben"], 1)
    again = page(7, "notify", 110.6, ["dan"], 1, "acknowledgement ended")
    assert found(*HELD, *had, *after, again, ended=111.0) == []
    assert any("late: the end of maintenance" in c for c in found(*HELD, *had, ended=116.0))
    assert any("late: the end of maintenance" in c for c in found(*HELD, ended=110.6))
    assert any("paged although it is held" in c for c in found(*HELD, *had, again, ended=111.0))


def test_a_step_that_adds_nobody_is_passed_over_and_no_other() -> None:
    both = always({"primary": "ben", "secondary": "ben", "manager": "cho"})
    steps = entry(1, "trigger", 100.0, SENDER), page(2, "assign", 100.0, ["ben"], 1)
    last = page(3, "escalate", 102.0, [CONTACT], 3)
    assert found(*steps, last, ended=103.0, severity="sev0", rota=both) == []
    first = page(2, "assign", 100.0, ["ana"], 1)
    left_out = found(steps[0], first, last, ended=103.0, severity="sev0")
    assert any("step 3 of round 0 follows step 1" in c for c in left_out)


def test_whoever_takes_over_is_paged_and_only_who_has_the_role() -> None:
    rota = Rota(
        [
            Shift("secondary", "ben", 0, 110),
            Shift("secondary", "fay", 110, 900),
            *always({"primary": "ana", "manager": "cho"}).shifts,
        ]
    )
    both = page(3, "escalate", 103.0, ["cho"], 2)
    over = page(4, "assign", 110.5, ["fay"], 2, "took over")
    assert found(*begun(), both, over, ended=129.0, rota=rota) == []
    assert any("took over as secondary" in c for c in found(*begun(), both, ended=129.0, rota=rota))
    wrong = page(4, "assign", 110.5, ["ana"], 2, "took over")
    assert any("took over: ('ana',)" in c for c in found(*begun(), both, wrong, ended=111.0, rota=rota))
    later = entry(1, "trigger", 150.0, SENDER), page(2, "assign", 150.0, ["ben"], 1)
    assert any("paged ('ben',), not fay" in c for c in found(*later, ended=151.0, rota=rota))


def test_whoever_takes_over_a_role_that_a_step_passed_over_while_it_was_somebodys_who_had_it() -> None:
    """The manager's step, at 103, adds nobody as long as Ben is that, too; when Dan lets it go, Cho is."""
    over = page(6, "assign", 125.0, ["cho"], 2, "took over")

    def told(since: float, taken: float = 121.0) -> list[str]:
        shifts = Shift("manager", "ben", 0, since), Shift("manager", "cho", since, 900)
        had = entry(3, "acknowledge", taken, "person:dan"), entry(4, "unacknowledge", 125.0, "person:dan")
        people = page(5, "notify", 125.0, ["ben", "dan"], 2, "acknowledgement ended")
        rota = Rota([*always({"primary": "ana", "secondary": "ben"}).shifts, *shifts])
        return [c for c in found(*begun(), *had, people, over, ended=126.0, rota=rota) if "took over" in c]

    assert told(115.0, 110.0) == []
    # Neither was that step due before Dan took it, nor was it passed over.
    assert told(115.0, 102.0) == told(0.0, 110.0) == ["took over: ('cho',), and only [] may have"]


def test_the_emergency_contacts_wait_after_an_outage_and_not_without_one() -> None:
    until = (*RAISED[:6],)
    outage = [Blow("restart", 103.5, 116.0)]
    assert found(*until, ended=125.0, blows=outage) == []
    assert any("late: step" in c for c in found(*until, ended=125.0))


def test_a_clock_that_was_ahead_puts_the_emergency_contacts_off_where_it_said_so() -> None:
    """The step is due at 105: paging again after 30 s, one that is found 15 s late comes after an outage."""
    slow = Blow("clock forward", 104.0, 106.0, blocks=False, skew=14.5)
    assert found(*RAISED[:6], ended=125.0, blows=[slow]) == []
    for skew, began, ended in ((13.5, 104.0, 106.0), (14.5, 100.0, 104.9), (-14.5, 104.0, 106.0)):
        blow = replace(slow, skew=skew, began=began, ended=ended)
        assert any("late: step" in c for c in found(*RAISED[:6], ended=150.0, blows=[blow])), blow


def test_a_later_step_of_a_round_is_no_round_before_its_time() -> None:
    """Ben gives his watch to Cho, who is the manager until Gus is: there may be nobody left to page, or Gus."""
    shifts = always({"primary": "ana", "manager": "cho"}).shifts
    secondaries = Shift("secondary", "ben", 0, 120), Shift("secondary", "fay", 120, 900)
    rota = Rota([*shifts, *secondaries], beside=[Shift("manager", "gus", 138.0, 140.0)])
    story = (
        *begun(),
        page(3, "escalate", 103.0, ["cho"], 2),
        page(4, "assign", 121.0, ["fay"], 2, "took over"),
        page(5, "notify", 130.0, ["ben", "cho", "fay"], 2, "again"),
    )
    over = page(6, "repeat_escalation_path", 133.0, ["fay"], 1, "round")
    given = entry(7, "handed_over", 134.0, assignees=["cho"], giver="ben", handover="H1")
    beside = page(8, "repeat_escalation_path", 139.0, ["gus"], 2, "round")
    assert found(*story, over, given, beside, ended=141.0, rota=rota) == []
    early = found(*story, replace(over, at=131.0), ended=132.0, rota=rota)
    assert any("early: repeat" in c for c in early)
    early = found(*story, over, given, replace(beside, at=135.5), ended=141.0, rota=rota)
    assert any("early: step 2" in c for c in early)


def test_business_hours_are_waited_for() -> None:
    friday = datetime(2026, 11, 27, 18, tzinfo=UTC).timestamp()
    monday = datetime(2026, 11, 30, 8, tzinfo=UTC).timestamp()
    assert next_open(friday) == monday
    assert next_open(monday) == monday
    assert next_open(monday - 1) == monday
    assert next_open(BERLIN_NOON) == BERLIN_NOON
    first = entry(1, "trigger", friday, SENDER), page(2, "assign", friday, ["ana"], 1)
    assert found(*first, ended=friday + 20, severity="sev2") == []
    early = page(3, "escalate", friday + 2, ["cho"], 2)
    assert any("early: escalate" in c for c in found(*first, early, ended=friday + 3, severity="sev2"))


@pytest.mark.parametrize(
    ("made", "asked", "wanted"),
    [
        (entry(3, "priority_change", 101.0, "person:dan", to="sev0"), "sev0", ""),
        (entry(3, "priority_change", 101.0, "person:dan", to="sev0"), "sev2", "invented: priority_change"),
        (entry(3, "assign", 101.0, "person:dan", assignees=["fay"]), "fay", ""),
        (entry(3, "assign", 101.0, "person:dan", assignees=["fay"]), "gus", "invented: assign"),
        (entry(3, "delegate", 101.0, "person:dan", escalation_policy="sev1"), "sev0", "invented: delegate"),
    ],
)
def test_what_somebody_changed_is_what_they_asked_for(made: Entry, asked: str, wanted: str) -> None:
    attempts = [Attempt("trigger", "k1", SENDER, 99.9, 100.1, Outcome.ACCEPTED, 202)]
    attempts.append(Attempt(made.type, "k1", "person:dan", 100.9, 101.1, Outcome.UNKNOWN, 0, asked))
    complaints: list[str] = []
    compare((*begun(), made), attempts, Weather(()), complaints.append, "sev1")
    assert [c[: len(wanted)] for c in complaints] == ([wanted] if wanted else [])


def test_a_severity_that_it_had_is_no_change_and_another_one_lost() -> None:
    for about, wanted in (("sev1", 0), ("sev0", 1)):
        attempts = [Attempt("trigger", "k1", SENDER, 99.9, 100.1, Outcome.ACCEPTED, 202)]
        attempts.append(Attempt("priority_change", "k1", "person:dan", 100.9, 101.1, Outcome.ACCEPTED, 200, about))
        complaints: list[str] = []
        compare(begun(), attempts, Weather(()), complaints.append, "sev1")
        assert len(complaints) == wanted, complaints


def test_an_escalation_to_nobody_new_pages_those_who_were_and_nobody_else() -> None:
    rota = always({"primary": "ana", "secondary": "ben", "manager": "ben"})
    said = page(3, "notify", 101.0, ["ben"], 2, "again", actor="person:dan")
    assert found(*begun(), said, ended=130.0, rota=rota) == []
    assert any("escalated to nobody new" in c for c in found(*begun(), said, ended=102.0))
    others = page(3, "notify", 101.0, ["ben", "ana"], 2, "again", actor="person:dan")
    assert any("nobody new" in c for c in found(*begun(), others, ended=102.0, rota=rota))


def test_an_escalation_may_pass_over_a_step_that_adds_nobody_which_the_next_one_is_counted_from() -> None:
    rota = always({"primary": "ben", "secondary": "ben", "manager": "cho"})
    first = entry(1, "trigger", 100.0, SENDER), page(2, "assign", 100.5, ["ben"], 1, actor="person:dan")
    assert found(*first, page(3, "escalate", 102.5, [CONTACT], 3), ended=103.0, severity="sev0", rota=rota) == []
    early = found(*first, page(3, "escalate", 100.4, [CONTACT], 3), ended=103.0, severity="sev0", rota=rota)
    assert any("early: escalate" in c for c in early)
