"""An incident whose watch is handed over: who hears of it, how often, and whose it is then. By transitions alone."""

from dataclasses import replace
from datetime import timedelta

from desktop.domain.incident import Status
from desktop.domain.severity import Severity
from desktop.server import transitions
from desktop.server.contributions import Answer
from desktop.server.departures import leave
from desktop.server.handing_on import HANDED, hand_on
from desktop.server.records import Entry
from desktop.server.responding import Call, call
from tests.unit.test_incident_life import MINUTE, NOBODY, PAGES, Life, life

BOTH = {**NOBODY, "primary": ("ana",), "secondary": ("ben",)}
BENS = {**NOBODY, "primary": ("ben",), "secondary": ("cho",)}


def handed(one: Life) -> list[Entry]:
    """Let Ana hand it on to Ben; return what that wrote."""
    return one.do(hand_on, "ana", "ben", "H1")


def paged(entries: list[Entry]) -> list[str]:
    return [person for entry in entries if entry.type in PAGES for person in entry.data["assignees"]]


def assigned(one: Life) -> list[str]:
    return [held.person for held in one.record.assignments]


def only_anas() -> Life:
    return life(Severity.SEV0, **BOTH)


def test_whoever_takes_it_is_paged_and_it_is_theirs() -> None:
    one = only_anas()
    due = one.record.next_action_at
    (entry,) = handed(one)
    assert (entry.type, entry.data) == ("assign", {"assignees": ["ben"], "giver": "ana", "handover": "H1"})
    assert (assigned(one), one.record.pages, one.record.next_action_at) == (["ben"], 2, due)
    assert one.record.progress.ever == one.record.progress.paged == ("ben",)


def test_whom_the_schedule_paged_before_is_not_paged_again() -> None:
    one = only_anas()
    one.the_shift_changes(BENS)
    assert (assigned(one), one.record.pages) == (["ana", "ben"], 2)
    (entry,) = handed(one)
    assert (entry.type, entry.data) == (HANDED, {"assignees": ["ben"], "giver": "ana", "handover": "H1"})
    assert (assigned(one), one.record.pages, one.record.progress.ever) == (["ben"], 2, ("ben",))


def test_whom_the_handover_paged_before_is_not_paged_by_the_schedule() -> None:
    one = only_anas()
    handed(one)
    one.the_shift_changes(BENS)
    assert (assigned(one), one.record.pages) == (["ben"], 2)


def test_what_they_acknowledged_stays_acknowledged_and_quiet() -> None:
    one = only_anas()
    one.somebody_acknowledges("ana")
    one.somebody_acknowledges("ben")
    assert paged(handed(one)) == []
    assert [held.person for held in one.record.acknowledgements] == ["ben"]
    assert (one.record.status, assigned(one), one.record.pages) == (Status.ACKNOWLEDGED, ["ben"], 1)


def test_what_somebody_else_has_rings_for_nobody_before_they_let_it_go() -> None:
    one = only_anas()
    one.somebody_acknowledges("cho")
    assert [entry.type for entry in handed(one)] == [HANDED]
    assert (one.record.status, sorted(assigned(one)), one.record.pages) == (Status.ACKNOWLEDGED, ["ben", "cho"], 1)
    one.now += 30 * MINUTE
    assert {"ben", "cho"} <= set(paged(one.do(transitions.work_off)))


def test_what_somebody_has_holds_as_long_as_theirs() -> None:
    one = only_anas()
    one.somebody_acknowledges("cho")
    began = one.now
    one.now += 5 * MINUTE
    one.somebody_acknowledges("ana")
    handed(one)
    assert one.record.next_action_at == began + 30 * MINUTE


def test_what_only_the_outgoing_engineer_had_pages_everyone_once() -> None:
    one = only_anas()
    one.somebody_escalates(3)
    one.somebody_acknowledges("ana")
    one.who = BENS
    entries = handed(one)
    assert [entry.type for entry in entries][:2] == [HANDED, "unacknowledge"]
    assert paged(entries) == assigned(one) == ["ben", "cho"]
    assert one.record.status is Status.TRIGGERED
    assert "ana" not in one.record.progress.ever


def test_what_only_a_machine_acknowledged_pages_whoever_takes_it() -> None:
    one = only_anas()
    one.somebody_acknowledges(None)
    assert paged(handed(one)) == ["ben"]


def test_whoever_has_another_role_that_was_paged_stays_on_it() -> None:
    one = only_anas()
    one.somebody_escalates(2)
    entries = one.do(hand_on, "ana", "ben", "H1", {"secondary"})
    assert [(entry.type, entry.data["stays"]) for entry in entries] == [(HANDED, True)]
    assert (assigned(one), one.record.progress.ever) == (["ana", "ben"], ("ben", "ana"))
    # The manager was not paged yet: what is to come is no reason to stay.
    other = only_anas()
    assert "stays" not in other.do(hand_on, "ana", "ben", "H1", {"secondary", "manager"})[0].data
    assert assigned(other) == ["ben"]


def test_what_they_were_asked_to_help_with_is_asked_of_whoever_takes_the_watch() -> None:
    one = only_anas()
    one.do(transitions.acknowledge, "person:cho", "cho")
    one.do(call, Call("cho", "please", (("user", "ana", ("ana",)),)))
    pages = one.record.pages
    (entry,) = handed(one)
    assert (entry.type, paged([entry]), one.record.pages) == ("assign", ["ben"], pages + 1)
    assert [(r.person, r.requester, r.state) for r in one.record.responders] == [("ben", "cho", Answer.PENDING)]
    assert one.record.status is Status.ACKNOWLEDGED
    # Ben gives it on to who has it: they are asked nothing, and hear nothing.
    (entry,) = one.do(hand_on, "ben", "cho", "H2")
    assert (entry.type, one.record.pages) == (HANDED, pages + 1)


def test_what_both_were_asked_is_asked_of_whoever_takes_the_watch_once() -> None:
    one = only_anas()
    one.do(transitions.acknowledge, "person:cho", "cho")
    one.do(call, Call("cho", "please", (("user", "ana", ("ana",)), ("user", "ben", ("ben",)))))
    (entry,) = handed(one)
    assert (entry.type, [r.person for r in one.record.responders]) == (HANDED, ["ben"])


def test_under_maintenance_what_only_the_outgoing_engineer_had_waits_for_its_end() -> None:
    one = only_anas()
    one.somebody_acknowledges("ana")
    one.record = replace(one.record, held_until=one.now + MINUTE)
    assert paged(handed(one)) == []
    assert (assigned(one), one.record.pages) == (["ben"], 1)
    one.now, one.who = one.now + MINUTE, BENS
    assert paged(one.do(transitions.work_off)) == ["ben"]


def test_what_is_resolved_is_nobodys_to_hand_on() -> None:
    one = only_anas()
    one.somebody_resolves()
    assert handed(one) == []
    assert assigned(one) == ["ana"]


def test_reopened_it_is_whose_its_first_step_pages() -> None:
    one = life(Severity.SEV0, primary=("ana",), secondary=("ben",), manager=("cho",))
    one.somebody_escalates(3)
    one.somebody_acknowledges("ben")
    one.somebody_resolves()
    one.who = {**one.who, "primary": ("dev",)}
    entries = one.do(transitions.reopen, "service:payments")
    assert [(e.type, e.data.get("assignees")) for e in entries] == [("trigger", None), ("assign", ["dev"])]
    assert (assigned(one), one.record.progress.ever) == (["dev"], ("dev",))
    one.now += 15 * MINUTE
    assert sorted(paged(one.do(transitions.work_off))) == ["ben", "dev"]


def test_reopened_with_nobody_on_call_those_who_had_it_hear_it_once_and_again_in_their_time() -> None:
    one = life(Severity.SEV0, primary=("ana",))
    one.somebody_acknowledges("ben")
    one.somebody_resolves()
    one.who = NOBODY
    assert paged(one.do(transitions.reopen, "service:payments")) == ["ana", "ben"]
    assert assigned(one) == ["ana", "ben"]
    assert one.record.next_action_at == one.now + 15 * MINUTE
    one.now += 15 * MINUTE
    assert paged(one.do(transitions.work_off)) == ["ana", "ben"]


def test_reopened_under_maintenance_it_is_nobodys_before_the_end() -> None:
    one = life(Severity.SEV0, primary=("ana",), secondary=("ben",))
    one.somebody_escalates(2)
    one.somebody_resolves()
    entries = one.do(transitions.reopen, "service:payments", None, one.now + MINUTE)
    assert (paged(entries), assigned(one)) == ([], [])
    one.now += MINUTE
    assert paged(one.do(transitions.work_off)) == assigned(one) == ["ana"]


def test_given_to_one_who_leaves_it_follows_the_list_of_its_severity() -> None:
    one = life(Severity.SEV0, primary=("ana",), secondary=("ben",))
    one.somebody_assigns_it(("eve",))
    one.now += timedelta(hours=1)
    one.do(leave, {"eve": "Eve"})
    assert (assigned(one), one.record.escalates_as) == (["ana"], Severity.SEV0)
    one.now += 15 * MINUTE
    assert sorted(paged(one.do(transitions.work_off))) == ["ana", "ben"]
