"""The emergency handover against chance: answers, silence, repeats, crashes, two executors that know old facts.

The backend here is a plain one of lists and counters. It knows nothing of the rules, except that it carries out an
action only while a fresh reading still calls for it. What must hold whatever happens stands in the invariants.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from desktop.domain import handover_answers as answers
from desktop.domain.errors import InputError
from desktop.domain.handover import (
    Action,
    AddNote,
    CreateOverride,
    Delegate,
    RecordAbsence,
    due_actions,
    next_action,
    next_action_at,
    on_call,
    paged,
    state,
)
from desktop.domain.handover_effects import applied
from desktop.domain.handover_facts import Handover, Held, Kind, Point, State, confirmed_at, left, receiver, watch
from desktop.domain.segments import Segment, Why
from desktop.domain.team import Absence, Override, Role
from tests.unit.handovers import ANA, BEN, DORA, PEOPLE, START, asked, named

ENDS = (State.DONE, State.DECLINED, State.CANCELLED, State.EXPIRED, State.NOTHING_LEFT)
PERSONS = st.sampled_from(("ana", "ben", "cho", "dora"))
WAITS = st.sampled_from((0, 1, 1, 4, 5, 6, 60, 720))
# What would end most nights at once happens now and then only.
SELDOM = st.integers(0, 4).map(lambda n: n == 4)


class Backend:
    """Schedules, incidents and messages as they are, and how often each thing was done."""

    def __init__(self, facts: Handover, incidents: tuple[Held, ...]) -> None:
        self._kept = facts
        self.overrides: list[Override] = []
        self.absences: list[Absence] = []
        self.notes: Counter[str] = Counter()
        self.incidents = {h.id: h for h in incidents}
        self.done: Counter[str] = Counter()
        self._read_at: datetime | None = None

    def read(self) -> Handover:
        """Return the facts, derived from what is there."""
        return replace(
            self._kept,
            overrides=tuple(self.overrides),
            absence=self.absences[0] if self.absences else None,
            incidents=tuple(replace(h, noted=self.notes[h.id] > 0) for h in self.incidents.values()),
            read_at=self._read_at,
        )

    def keep(self, change: Callable[[Handover], Handover]) -> None:
        """Let somebody answer."""
        self._kept = change(self._kept)

    def carry_out(self, action: Action, now: datetime) -> None:
        """Do ``action`` unless a fresh reading shows that it is not called for; the rules must foresee the outcome."""
        before = self.read()
        foreseen = applied(before, action, now)
        if action not in due_actions(before, now):
            assert foreseen is before
            return
        self._write(action, foreseen)
        self.done[named(action) + (str(action.override.end) if isinstance(action, CreateOverride) else "")] += 1
        assert self.read() == foreseen
        assert applied(foreseen, action, now) == foreseen, "twice is not the same as once"

    def _write(self, action: Action, foreseen: Handover) -> None:
        wrote = isinstance(action, CreateOverride | RecordAbsence | AddNote | Delegate)
        self._read_at = None if wrote else foreseen.read_at
        match action:
            case CreateOverride(override):
                self.overrides.append(override)
            case RecordAbsence(absence):
                self.absences.append(absence)
            case AddNote(incident, _):
                self.notes[incident] += 1
            case Delegate(incident, giver, to, _):
                held = self.incidents[incident]
                now = dict.fromkeys([to if p == giver else p for p in held.assigned])
                self.incidents[incident] = replace(held, assigned=tuple(now))
            case _:
                kept = ("offers", "asked", "ended", "told")
                self._kept = replace(self._kept, **{k: getattr(foreseen, k) for k in kept})

    def give_away(self, start: datetime, end: datetime) -> None:
        """Let somebody else override the watch: whatever is Ana's or Ben's then is now Eve's."""
        pieces: list[Segment] = []
        for s in self._kept.segments:
            if s.role is not Role.PRIMARY or s.end <= start or s.start >= end:
                pieces.append(s)
                continue
            pieces += [replace(s, end=start)] if s.start < start else []
            pieces.append(Segment(s.role, "eve", max(s.start, start), min(s.end, end), Why.OVERRIDE))
            pieces += [replace(s, start=end)] if s.end > end else []
        self._kept = replace(self._kept, segments=tuple(pieces))

    def primary(self, at: datetime) -> str | None:
        """Return whom the schedule has as primary at ``at``, this handover's overrides included."""
        ours = [o.person for o in self.overrides if o.role is Role.PRIMARY and o.start <= at < o.end]
        return ours[-1] if ours else self.given(at)

    def given(self, at: datetime) -> str | None:
        """Return whom the schedule had as primary without this handover."""
        return next((s.person for s in self._kept.segments if s.role is Role.PRIMARY and s.start <= at < s.end), None)


class Night(RuleBasedStateMachine):
    """One handover of Ana's watch."""

    @initialize(kind=st.sampled_from(Kind), auto_next=st.booleans(), stays=st.booleans())
    def begin(self, kind: Kind, auto_next: bool, stays: bool) -> None:
        asker = {Kind.ASK: ANA, Kind.GIVE: DORA, Kind.TAKE: BEN}[kind]
        facts = asked(kind, asker, auto_next=auto_next, stays=stays)
        self.now = START
        self.backend = Backend(facts, (Held("I1", "p", ("ana",)), Held("I2", "p", ("dora", "ana"))))
        self.seen = [facts, facts]
        self.winner: str | None = None
        self.end: State | None = None

    @rule(minutes=WAITS)
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(one=st.integers(0, 1))
    def reads(self, one: int) -> None:
        self.seen[one] = self.backend.read()

    @rule(one=st.integers(0, 1), knows=st.booleans())
    def acts(self, one: int, knows: bool) -> None:
        """An executor does what it thinks is next, and hears of it or crashes before it does."""
        action = next_action(self.seen[one], self.now)
        if action is not None:
            self.backend.carry_out(action, self.now)
        if knows:
            self.seen[one] = self.backend.read()

    @rule()
    def both_act_on_the_same_facts(self) -> None:
        self.seen = [self.backend.read()] * 2
        for one in (0, 1):
            self.acts(one, knows=False)

    @rule(one=st.integers(0, 1), most=st.integers(1, 9))
    def works_on(self, one: int, most: int) -> None:
        """An executor works without being disturbed, and stops after some steps."""
        for _ in range(most):
            self.reads(one)
            self.acts(one, knows=True)

    @rule(person=PERSONS, what=st.sampled_from((answers.accept, answers.decline, answers.acknowledge)))
    def answers(self, person: str, what: Callable[[Handover, str, datetime], Handover]) -> None:
        self._try(lambda facts: what(facts, person, self.now))

    @precondition(lambda self: receiver(self.backend.read()) is not None)
    @rule(person=PERSONS, point=st.sampled_from(Point), waived=st.booleans())
    def confirms(self, person: str, point: Point, waived: bool) -> None:
        self._try(lambda facts: answers.confirm(facts, PEOPLE[person], point, self.now, waived=waived))

    @rule(first=st.booleans(), yes=st.booleans())
    def somebody_who_was_asked_answers(self, first: bool, yes: bool) -> None:
        silent = [o.person for o in self.backend.read().offers if o.answer is None]
        if silent:
            what = answers.accept if yes else answers.decline
            self._try(lambda facts: what(facts, silent[0 if first else -1], self.now))

    @precondition(lambda self: self.winner is not None)
    @rule()
    def the_receiver_confirms_both(self) -> None:
        for point in Point:
            self.confirms(self.winner or "", point, waived=False)

    @rule(by=PERSONS, really=SELDOM)
    def cancels(self, by: str, really: bool) -> None:
        if really:
            self._try(lambda facts: answers.cancel(facts, PEOPLE[by], self.now))

    @rule(by=PERSONS, person=PERSONS)
    def allows(self, by: str, person: str) -> None:
        self._try(lambda facts: answers.allow(facts, PEOPLE[by], person, self.now))

    @precondition(lambda self: len(self.backend.incidents) < 4)
    @rule()
    def another_incident_comes(self) -> None:
        name = f"I{len(self.backend.incidents) + 1}"
        self.backend.incidents[name] = Held(name, "p", paged(self.backend.read(), self.now))

    @rule(name=st.sampled_from(("I1", "I2")))
    def an_incident_is_resolved(self, name: str) -> None:
        self.backend.incidents[name] = replace(self.backend.incidents[name], open=False)

    @rule(minutes=st.sampled_from((0, 90)), hours=st.sampled_from((1, 30)), really=SELDOM)
    def somebody_else_gets_the_watch(self, minutes: int, hours: int, really: bool) -> None:
        if not really:
            return
        start = self.now + timedelta(minutes=minutes)
        self.backend.give_away(start, start + timedelta(hours=hours))

    def _try(self, change: Callable[[Handover], Handover]) -> None:
        """Let somebody do something, twice, unless it is refused."""
        try:
            self.backend.keep(change)
        except InputError:
            return
        once = self.backend.read()
        self.backend.keep(change)
        assert self.backend.read() == once

    @invariant()
    def somebody_is_on_call_the_giver_until_done(self) -> None:
        facts = self.backend.read()
        done = facts.ended is not None and facts.ended.state is State.DONE
        assert on_call(facts) == (receiver(facts) if done else "ana")

    @invariant()
    def whom_the_schedule_has_on_this_watch_is_paged(self) -> None:
        if self.backend.given(self.now) == "ana":
            assert self.backend.primary(self.now) in paged(self.backend.read(), self.now)

    @invariant()
    def one_receiver_and_for_good(self) -> None:
        now = receiver(self.backend.read())
        assert self.winner in {None, now}
        self.winner = now

    @invariant()
    def done_means_read_back_and_complete(self) -> None:
        facts = self.backend.read()
        if facts.ended is None or facts.ended.state is not State.DONE or self.end is not None:
            return
        assert facts.read_at is not None
        since = confirmed_at(facts)
        assert since is not None
        for own in watch(facts, since):
            at = max(own.start, facts.ended.at)
            assert own.end <= facts.ended.at or self.backend.primary(at) == receiver(facts)
        assert not [h for h in facts.incidents if h.open and "ana" in h.assigned]
        assert facts.stays_available or facts.absence is not None

    @invariant()
    def an_end_is_for_good(self) -> None:
        ended = self.backend.read().ended
        now = None if ended is None else ended.state
        assert self.end in {None, now}
        assert now in {None, *ENDS}
        self.end = now

    @invariant()
    def without_a_yes_and_both_confirmations_nothing_is_touched(self) -> None:
        facts = self.backend.read()
        if confirmed_at(facts) is None:
            assert not self.backend.overrides
            assert not self.backend.absences
            assert not self.backend.notes
            assert "ana" in self.backend.incidents["I1"].assigned

    @invariant()
    def nothing_is_done_twice(self) -> None:
        twice = {what: n for what, n in self.backend.done.items() if n > 1 and what != "read back"}
        assert not twice
        assert max(self.backend.notes.values(), default=0) <= 1
        assert len(self.backend.absences) <= 1

    @invariant()
    def time_alone_changes_nothing_before_the_instant_named(self) -> None:
        facts = self.backend.read()
        then = next_action_at(facts, self.now)
        soon = (then or self.now + timedelta(days=9)) - timedelta(seconds=1)
        if soon > self.now:
            assert state(facts, soon) is state(facts, self.now)
            assert due_actions(facts, soon) == due_actions(facts, self.now)

    def teardown(self) -> None:
        """Whatever happened: left to itself, it comes to an end, and nothing is left to do."""
        if not hasattr(self, "backend"):
            return
        for _ in range(200):
            facts = self.backend.read()
            action = next_action(facts, self.now)
            then = next_action_at(facts, self.now)
            if action is not None:
                self.backend.carry_out(action, self.now)
            elif then is not None:
                self.now = then
            else:
                break
        facts = self.backend.read()
        assert facts.ended is not None, (state(facts, self.now), left(facts, self.now))
        assert next_action(facts, self.now) is None
        self.nothing_is_done_twice()
        if facts.ended.state in {State.CANCELLED, State.DECLINED, State.EXPIRED}:
            assert not self.backend.overrides
            assert on_call(facts) == "ana"


TestNight = Night.TestCase
TestNight.settings = settings(stateful_step_count=40, deadline=None)
