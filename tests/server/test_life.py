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
from desktop.domain.severity import DEFAULT_TARGETS, Severity
from desktop.server import transitions
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
        held = transitions.acknowledged_until(self.record)
        entries = self.do(transitions.work_off)
        paged = [e for e in entries if e.type in PAGES]
        if self.before.status is Status.RESOLVED:
            assert entries == []
        if self.before.status is Status.ACKNOWLEDGED and (held is None or self.now < held):
            assert entries == [], "it ran after an acknowledgement"
        if self.before.status is Status.TRIGGERED:
            assert {h.person for h in self.before.assignments} <= {h.person for h in self.record.assignments}
        assert all(set(e.data["assignees"]) <= self.in_the_policy() for e in paged)
        assert self.do(transitions.work_off) == [], "what was done is not done again"

    def in_the_policy(self) -> set[str]:
        """Return everybody who may be paged now: whoever holds a role, and whoever had been drawn in before."""
        return {p for those in self.who.values() for p in those} | set(self.before.progress.ever)

    @rule(who=rosters)
    def the_shift_changes(self, who: Mapping[str, tuple[str, ...]]) -> None:
        self.who = who
        entries = self.do(transitions.take_over)
        if self.before.status is not Status.TRIGGERED:
            assert entries == []

    @rule(person=st.none() | people)
    def somebody_acknowledges(self, person: str | None) -> None:
        entries = self.do(transitions.acknowledge, "somebody", person)
        assert not [e for e in entries if e.type in PAGES], "an acknowledgement pages nobody"
        if self.before.open:
            assert self.record.status is Status.ACKNOWLEDGED
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
        pages = self.record.pages
        self.do(transitions.reopen, "service:payments")
        assert self.record.status is Status.TRIGGERED
        assert self.record.pages > pages or not self.record.assignments, "it rings again"

    @rule(severity=severities)
    def somebody_changes_the_severity(self, severity: Severity) -> None:
        entries = self.do(transitions.set_severity, "somebody", severity)
        held = transitions.acknowledged_until(self.record)
        if self.before.status is not Status.TRIGGERED and (held is None or self.now < held):
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
    def an_acknowledged_one_only_waits_for_its_end(self) -> None:
        if self.record.status is Status.ACKNOWLEDGED:
            assert self.record.next_action_at == transitions.acknowledged_until(self.record)

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


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=100, stateful_step_count=25)
