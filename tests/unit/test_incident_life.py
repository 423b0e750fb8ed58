"""What holds of an incident whatever happens to it, in whatever order: the transitions alone, without any storage."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from desktop.domain.business import BusinessHours
from desktop.domain.escalation import begin, default_policy
from desktop.domain.incident import Status
from desktop.domain.severity import DEFAULT_TARGETS, Severity, wakes_anew
from desktop.server import escalation_path, handing_on, transitions
from desktop.server.failures import Refused
from desktop.server.records import Draft, Entry, Record
from desktop.server.roster import Moment

MINUTE = timedelta(minutes=1)
START = datetime(2026, 1, 7, 3, 0, tzinfo=UTC)  # a Wednesday, three in the morning
HOURS = BusinessHours(ZoneInfo("UTC"), frozenset({date(2026, 1, 8)}))
PEOPLE = ("ana", "ben", "cho", "dev", "eve")
ROLES = ("primary", "secondary", "manager", "emergency")
PAGES = {"assign", "escalate", "repeat_escalation_path", "notify"}
FROZEN = {severity: default_policy(severity, DEFAULT_TARGETS[severity]) for severity in Severity}

people = st.sampled_from(PEOPLE)
severities = st.sampled_from(Severity)
rosters = st.fixed_dictionaries({role: st.lists(people, max_size=2, unique=True).map(tuple) for role in ROLES})
waits = st.sampled_from((0, 1, 5, 14, 15, 16, 30, 45, 60, 61, 240, 3000)).map(lambda minutes: minutes * MINUTE)


def born(severity: Severity) -> Record:
    return Record(
        id="Q1",
        number=1,
        service_id="payments",
        dedup_key="k",
        title="down",
        status=Status.TRIGGERED,
        severity=severity,
        urgency=severity.urgency,
        policy="digest",
        policies=FROZEN,
        escalates_as=severity,
        progress=begin(START),
        created_at=START,
        updated_at=START,
        changed_at=START,
        changed_by="service:payments",
    )


class Life(RuleBasedStateMachine):
    """One incident, and everything that can happen to it."""

    @initialize(severity=severities, who=rosters)
    def trigger(self, severity: Severity, who: Mapping[str, tuple[str, ...]]) -> None:
        self.now, self.who = START, who
        self.record = born(severity)
        self.gone: tuple[str, ...] = ()
        self.do(transitions.work_off)

    def do(self, transition: Any, *args: Any) -> list[Entry]:
        """Let one transition happen, or be refused whole; return what it wrote into the history."""
        self.before, draft = self.record, Draft(self.record, self.record)
        moment = Moment(self.now, lambda role: self.who.get(role, ()), HOURS)
        try:
            transition(draft, moment, *args)
        except Refused:
            return []
        self.record = draft.record
        return draft.entries

    @rule(wait=waits)
    def time_passes_and_the_engine_looks(self, wait: timedelta) -> None:
        self.now += wait
        held = escalation_path.acknowledged_until(self.record)
        entries = self.do(transitions.work_off)
        paged = [e for e in entries if e.type in PAGES]
        if self.before.status is Status.RESOLVED:
            assert entries == []
        if self.before.status is Status.ACKNOWLEDGED and (held is None or self.now < held):
            assert [e for e in entries if e.type != "overdue"] == [], "it ran after an acknowledgement"
        if self.before.status is Status.TRIGGERED:
            assert {h.person for h in self.before.assignments} <= {h.person for h in self.record.assignments}
        assert all(set(e.data["assignees"]) <= self.in_the_policy() for e in paged)
        self.check_overdue(entries)
        assert self.do(transitions.work_off) == [], "what was done is not done again"

    def check_overdue(self, entries: list[Entry]) -> None:
        """It is told once, when the target to resolve has passed, to the manager alone."""
        told = [e for e in entries if e.type == "overdue"]
        passed = self.now >= START + DEFAULT_TARGETS[self.before.severity].resolve
        assert len(told) == (self.before.open and passed and self.before.overdue_told_at is None)
        assert all(e.data == {"told": list(self.who["manager"])} for e in told)

    def in_the_policy(self) -> set[str]:
        """Return everybody who may be paged now: whoever holds a role, and whoever had been drawn in before."""
        return {p for those in self.who.values() for p in those} | set(self.before.progress.ever)

    @rule(who=rosters)
    def the_shift_changes(self, who: Mapping[str, tuple[str, ...]]) -> None:
        self.who = who
        entries = self.do(escalation_path.take_over)
        if self.before.status is not Status.TRIGGERED:
            assert entries == []

    @rule(who=rosters, wait=waits)
    def the_shift_changes_as_something_is_due(self, who: Mapping[str, tuple[str, ...]], wait: timedelta) -> None:
        self.now += wait
        self.who = who
        entries = [*self.do(escalation_path.take_over), *self.do(transitions.work_off)]
        paged = [p for e in entries if e.type in PAGES for p in e.data["assignees"]]
        assert len(paged) == len(set(paged)), "nobody is paged twice at one instant"

    @rule(what=st.sampled_from(("note", "status_update")))
    def somebody_writes(self, what: str) -> None:
        entries = self.do(transitions.renew, "somebody", what)
        timeout = self.record.plan.holds(by_person=bool(self.record.acknowledgements))
        if self.before.status is Status.ACKNOWLEDGED:
            assert [e.data for e in entries] == [{"by": what}]
            assert escalation_path.acknowledged_until(self.record) == (None if timeout is None else self.now + timeout)
        else:
            assert entries == []

    @rule(person=st.none() | people)
    def somebody_acknowledges(self, person: str | None) -> None:
        entries = self.do(transitions.acknowledge, "somebody", person)
        assert not [e for e in entries if e.type in PAGES], "an acknowledgement pages nobody"
        if self.before.open:
            assert self.record.status is Status.ACKNOWLEDGED
        told = [p for e in entries if e.type == "stand_down" for p in e.data["told"]]
        others = [p for p in self.before.progress.ever if p != person]
        assert told == (others if self.before.status is Status.TRIGGERED else []), "they can stand down"
        assert self.do(transitions.acknowledge, "somebody", person) == [], "twice is once"

    @rule()
    def somebody_takes_it_back(self) -> None:
        entries = self.do(transitions.unacknowledge, "somebody")
        if self.before.status is Status.ACKNOWLEDGED:
            assigned = set(self.before.progress.ever)
            paged = [p for e in (*entries, *self.do(transitions.work_off)) for p in e.data.get("assignees", ())]
            assert assigned <= set(paged), "everyone assigned is paged"
            assert len(paged) == len(set(paged)), "nobody is paged twice at one instant"

    @rule()
    def somebody_resolves(self) -> None:
        self.do(transitions.resolve, "somebody")
        assert self.record.status is Status.RESOLVED

    @precondition(lambda self: not self.record.open)
    @rule()
    def it_comes_back(self) -> None:
        entries = self.do(transitions.reopen, "service:payments")
        paged = {p for e in entries if e.type in PAGES for p in e.data["assignees"]}
        assert self.record.status is Status.TRIGGERED
        assert {h.person for h in self.record.assignments} == paged, "whoever has it hears it"
        assert paged or not self.before.assignments, "it rings again"

    @rule(giver=people, to=people)
    def the_watch_is_handed_over(self, giver: str, to: str) -> None:
        if giver == to or giver not in {h.person for h in self.record.assignments}:
            return
        # The schedule changes before.
        self.who = {role: tuple(dict.fromkeys(to if p == giver else p for p in who)) for role, who in self.who.items()}
        entries = self.do(handing_on.hand_on, giver, to, "H1")
        paged = [p for e in entries if e.type in PAGES for p in e.data["assignees"]]
        assert len(paged) == len(set(paged)), "nobody is paged twice at one instant"
        if self.before.open:
            assert giver not in {h.person for h in (*self.record.assignments, *self.record.acknowledgements)}
            assert to in {h.person for h in self.record.assignments}
            assert to in paged or to in self.before.progress.ever or self.record.acknowledgements

    @rule(severity=severities)
    def somebody_changes_the_severity(self, severity: Severity) -> None:
        entries = self.do(transitions.set_severity, "somebody", severity)
        woken = wakes_anew(self.before.severity, severity) and self.before.status is Status.ACKNOWLEDGED
        if woken:
            paged = [p for e in entries if e.type in PAGES for p in e.data["assignees"]]
            assert set(self.before.progress.ever) <= set(paged), "everyone assigned is paged"
            assert len(paged) == len(set(paged)), "nobody is paged twice at one instant"
        elif self.before.status is Status.ACKNOWLEDGED and severity < self.before.severity:
            timeout = self.record.plan.holds(by_person=bool(self.record.acknowledgements))
            assert self.record.status is Status.ACKNOWLEDGED, "counted from the change"
            assert escalation_path.acknowledged_until(self.record) == (None if timeout is None else self.now + timeout)
        held = escalation_path.acknowledged_until(self.record)
        if not woken and self.before.status is not Status.TRIGGERED and (held is None or self.now < held):
            assert not [e for e in entries if e.type in PAGES]

    @rule(level=st.integers(1, 5))
    def somebody_escalates(self, level: int) -> None:
        self.do(transitions.escalate, "somebody", level)

    @rule(to=st.lists(people, min_size=1, max_size=2, unique=True).map(tuple))
    @precondition(lambda self: self.record.open)
    def somebody_assigns_it(self, to: tuple[str, ...]) -> None:
        self.do(transitions.assign_directly, "somebody", to)
        assert tuple(h.person for h in self.record.assignments) == to

    @rule(severity=severities)
    @precondition(lambda self: self.record.open)
    def somebody_delegates_it(self, severity: Severity) -> None:
        self.do(transitions.delegate, "somebody", severity)

    @invariant()
    def resolved_is_the_end_of_it(self) -> None:
        if self.record.status is Status.RESOLVED:
            assert self.record.next_action_at is None

    @invariant()
    def an_acknowledged_one_only_waits_for_its_end_and_the_target_to_resolve(self) -> None:
        if self.record.status is Status.ACKNOWLEDGED:
            times = (escalation_path.acknowledged_until(self.record), self.record.resolve_due_at)
            assert self.record.next_action_at == min((at for at in times if at is not None), default=None)

    @invariant()
    def a_triggered_one_is_always_looked_at_again_or_known_to_be_exhausted(self) -> None:
        if self.record.status is Status.TRIGGERED and self.record.next_action_at is None:
            assert self.record.progress.exhausted
            assert not self.record.progress.ever

    @invariant()
    def whoever_holds_a_role_that_was_paged_knows_of_it(self) -> None:
        if self.record.status is Status.TRIGGERED:
            paged = self.record.plan.steps[: self.record.progress.step]
            holders = {p for step in paged for role in step.roles for p in self.who.get(role, ())}
            assert holders <= {h.person for h in self.record.assignments}

    @invariant()
    def acknowledgements_are_those_of_an_acknowledged_one(self) -> None:
        if self.record.status is Status.TRIGGERED:
            assert self.record.acknowledgements == ()
        names = [h.person for h in self.record.acknowledgements]
        assert len(names) == len(set(names))

    @invariant()
    def nobody_is_assigned_twice(self) -> None:
        names = [h.person for h in self.record.assignments]
        assert len(names) == len(set(names))


NOBODY: dict[str, tuple[str, ...]] = dict.fromkeys(ROLES, ())


def life(severity: Severity, **who: tuple[str, ...]) -> Life:
    one = Life()
    one.trigger(severity, {**NOBODY, **who})
    return one


def test_who_took_over_while_somebody_had_it_is_paged_when_the_acknowledgement_ends() -> None:
    one = life(Severity.SEV0, primary=("ana",))
    one.somebody_acknowledges("ana")
    one.the_shift_changes({**NOBODY, "primary": ("ben",)})
    one.time_passes_and_the_engine_looks(30 * MINUTE)
    assert {h.person for h in one.record.assignments} == {"ana", "ben"}


def test_raised_while_acknowledged_and_taken_back_nobody_is_paged_twice() -> None:
    one = life(Severity.SEV1, primary=("ana",))
    one.somebody_acknowledges("ana")
    one.somebody_changes_the_severity(Severity.SEV0)
    one.somebody_takes_it_back()
    assert one.record.pages == 2


def test_assigned_to_one_person_resolved_and_back_it_goes_on_paging_them() -> None:
    one = life(Severity.SEV0)
    one.somebody_assigns_it(("ana",))
    one.somebody_resolves()
    one.it_comes_back()
    pages = one.record.pages
    for _ in range(3):
        one.time_passes_and_the_engine_looks(15 * MINUTE)
    assert one.record.pages == pages + 3


def status(one: Life) -> Status:
    return one.record.status


def test_a_note_renews_an_acknowledgement() -> None:
    one = life(Severity.SEV0, primary=("ana",))
    one.somebody_acknowledges("ana")
    one.time_passes_and_the_engine_looks(15 * MINUTE)
    one.somebody_writes("note")
    one.time_passes_and_the_engine_looks(29 * MINUTE)
    assert status(one) is Status.ACKNOWLEDGED
    one.time_passes_and_the_engine_looks(MINUTE)
    assert status(one) is Status.TRIGGERED


def test_raised_half_an_hour_after_the_acknowledgement_it_holds_its_time_from_then() -> None:
    one = life(Severity.SEV1, primary=("ana",))
    one.somebody_acknowledges("ana")
    one.now += 40 * MINUTE
    one.somebody_changes_the_severity(Severity.SEV0)
    assert status(one) is Status.ACKNOWLEDGED
    one.time_passes_and_the_engine_looks(29 * MINUTE)
    assert status(one) is Status.ACKNOWLEDGED
    one.time_passes_and_the_engine_looks(MINUTE)
    assert status(one) is Status.TRIGGERED


def test_put_on_a_stricter_list_an_acknowledgement_counts_from_then() -> None:
    one = life(Severity.SEV1, primary=("ana",))
    one.somebody_acknowledges("ana")
    one.now += 40 * MINUTE
    one.somebody_delegates_it(Severity.SEV0)
    assert escalation_path.acknowledged_until(one.record) == one.now + 30 * MINUTE


def test_raised_while_resolved_it_comes_back_on_the_stricter_list() -> None:
    one = life(Severity.SEV2, primary=("ana",))
    one.somebody_resolves()
    one.somebody_changes_the_severity(Severity.SEV0)
    assert one.record.next_action_at is None
    one.it_comes_back()
    assert one.record.escalates_as is Severity.SEV0
    assert one.record.next_action_at == START + 15 * MINUTE


def test_all_who_were_paged_can_stand_down() -> None:
    one = life(Severity.SEV0, primary=("ana",), secondary=("ben",))
    one.time_passes_and_the_engine_looks(15 * MINUTE)
    entries = one.do(transitions.acknowledge, "person:ben", "ben")
    assert [(e.type, e.actor, e.data) for e in entries] == [
        ("acknowledge", "person:ben", {}),
        ("stand_down", "person:ben", {"told": ["ana"]}),
    ]
    assert [e.type for e in one.do(transitions.acknowledge, "person:ana", "ana")] == ["acknowledge"]


def test_a_missed_target_to_resolve_is_told_to_the_manager_and_pages_nobody() -> None:
    one = life(Severity.SEV0, primary=("ana",), manager=("cho",))
    one.now += 40 * MINUTE
    one.somebody_acknowledges("ana")
    pages = one.record.pages
    assert one.record.next_action_at == START + 60 * MINUTE
    one.now = START + 60 * MINUTE
    entries = one.do(transitions.work_off)
    assert [(e.type, e.actor, e.data) for e in entries] == [("overdue", "engine", {"told": ["cho"]})]
    assert (one.record.pages, one.record.status) == (pages, Status.ACKNOWLEDGED)
    assert one.record.next_action_at == START + 70 * MINUTE


def test_raised_past_the_stricter_target_it_is_told_at_once() -> None:
    one = life(Severity.SEV3, primary=("ana",), manager=("cho",))
    one.now += 70 * MINUTE
    assert "overdue" in [e.type for e in one.do(transitions.set_severity, "person:ana", Severity.SEV0)]


def test_whoever_takes_over_as_all_are_paged_again_hears_it_once() -> None:
    one = life(Severity.SEV2, primary=("ana",))
    one.the_shift_changes_as_something_is_due({**NOBODY, "primary": ("ben",)}, 60 * MINUTE)
    assert {h.person for h in one.record.assignments} == {"ana", "ben"}
    assert one.record.pages == 3


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=100, stateful_step_count=25)
