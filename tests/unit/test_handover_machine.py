"""The emergency handover against chance: answers, silence, repeats, crashes, two executors that know old facts.

The backend here is a plain one of lists and counters around a team, whose schedule the rotation works out: it is asked
who is on call with everything that the handover has made so far. It knows nothing of the handover's rules, except that
it carries out an action only while a fresh reading still calls for it. What must hold whatever happens stands in the
invariants; they are run in the order of their names, so that none may depend on another.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from desktop.domain import handover_answers as answers
from desktop.domain.errors import InputError
from desktop.domain.handover import due_actions, next_action, next_action_at, on_call, paged, state
from desktop.domain.handover_actions import Action, AddNote, CreateOverride, Delegate, RecordAbsence, Remind, Tell
from desktop.domain.handover_effects import applied
from desktop.domain.handover_facts import Handover, Held, Kind, Point, State, accepted_at, confirmed_at, receiver
from desktop.domain.handover_request import Wish, around, request
from desktop.domain.handover_watch import left
from desktop.domain.rotation import schedule
from desktop.domain.segments import Segment
from desktop.domain.team import Absence, Every, Override, Role, Rotation, Team, Unit
from tests.unit.handovers import ANA, BEN, CHO, DORA, HOUR, MINUTE, PEOPLE, START, named

ENDS = (State.DONE, State.DECLINED, State.CANCELLED, State.EXPIRED, State.NOTHING_LEFT)
PERSONS = st.sampled_from(("ana", "ben", "cho", "dora"))
WAITS = st.sampled_from((0, 1, 1, 4, 5, 6, 60, 720))
# What would end most nights at once happens now and then only.
SELDOM = st.integers(0, 4).map(lambda n: n == 4)

# Ana has a day of twenty-four hours as primary, then Ben; Ben is secondary, then Cho. An override of her own cuts hers.
DAILY, BEGAN, DAY_END = Every(1, Unit.DAYS), START - 48 * HOUR, START + 24 * HOUR
HORIZON = START + 72 * HOUR
TEAM = Team(
    ZoneInfo("UTC"),
    (ANA, BEN, CHO, DORA),
    rotations=MappingProxyType(
        {
            Role.PRIMARY: Rotation(("ana", "ben"), BEGAN, DAILY),
            Role.SECONDARY: Rotation(("ben", "cho"), BEGAN, DAILY),
            Role.MANAGER: Rotation(("dora",), BEGAN, DAILY),
        }
    ),
    overrides=(Override(Role.PRIMARY, "ana", START + 12 * HOUR, DAY_END),),
)
# When somebody who could take the watch is away, in hours from its beginning.
AWAY = st.sampled_from(((), (("ben", 1, 3),), (("ben", 20, 99), ("cho", 0, 2)), (("cho", 5, 6), ("dora", 0, 99))))


@lru_cache(maxsize=512)
def _segments(overrides: tuple[Override, ...], absences: tuple[Absence, ...]) -> tuple[Segment, ...]:
    return schedule(replace(TEAM, overrides=overrides, absences=absences), START, HORIZON)


class Backend:
    """Schedules, incidents and messages as they are, and how often each thing was done."""

    def __init__(self, facts: Handover, away: tuple[Absence, ...], incidents: tuple[Held, ...]) -> None:
        self._kept = facts
        self.away = away
        # In the order in which they were made, whoever made them: the later wins.
        self._all = list(TEAM.overrides)
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
            segments=self.without(),
            overrides=tuple(self.overrides),
            absences=tuple(self.absences),
            incidents=tuple(replace(h, noted=self.notes[h.id] > 0) for h in self.incidents.values()),
            read_at=self._read_at,
        )

    def without(self) -> tuple[Segment, ...]:
        """Return the schedule as it would be without this handover."""
        return _segments(tuple(o for o in self._all if o not in self.overrides), self.away)

    def schedule(self) -> tuple[Segment, ...]:
        """Return the schedule as it is."""
        return _segments(tuple(self._all), (*self.away, *self.absences))

    def keep(self, change: Callable[[Handover], Handover]) -> None:
        """Let somebody answer."""
        changed = change(self.read())
        kept = ("offers", "allowed", "confirmations", "cancelled_at")
        self._kept = replace(self._kept, **{k: getattr(changed, k) for k in kept})

    def carry_out(self, action: Action, now: datetime) -> None:
        """Do ``action`` unless a fresh reading shows that it is not called for; the rules must foresee the outcome."""
        before = self.read()
        foreseen = applied(before, action, now)
        if action not in due_actions(before, now):
            assert foreseen is before
            return
        self._write(action, foreseen)
        # Each yes is told and reminded of.
        about = f", {accepted_at(before)}" if isinstance(action, Tell | Remind) else ""
        self.done[_name(action) + about] += 1
        assert self.read() == foreseen
        assert applied(foreseen, action, now) == foreseen, "twice is not the same as once"

    def _write(self, action: Action, foreseen: Handover) -> None:
        wrote = isinstance(action, CreateOverride | RecordAbsence | AddNote | Delegate)
        self._read_at = None if wrote else foreseen.read_at
        match action:
            case CreateOverride(override):
                self.overrides.append(override)
                self._all.append(override)
            case RecordAbsence(absence):
                self.absences.append(absence)
            case AddNote(incident, _):
                self.notes[incident] += 1
            case Delegate(incident, giver, to, _):
                held = self.incidents[incident]
                now = dict.fromkeys([to if p == giver else p for p in held.assigned])
                self.incidents[incident] = replace(held, assigned=tuple(now))
            case _:
                kept = ("offers", "asked", "ended", "told", "reminded")
                self._kept = replace(self._kept, **{k: getattr(foreseen, k) for k in kept})

    def give_away(self, start: datetime, end: datetime) -> None:
        """Let a manager override the watch: whoever had it, it is Dora's then."""
        self._all.append(Override(Role.PRIMARY, "dora", start, end, "by hand"))

    def shorten(self, now: datetime) -> None:
        """Let somebody end the last of the handover's overrides earlier, or in an hour."""
        whole = self.overrides.pop()
        short = replace(whole, end=max(whole.start, now) + (whole.end - max(whole.start, now)) / 2)
        self.overrides.append(short)
        self._all[self._all.index(whole)] = short
        self._read_at = None
        del self.done[_name(CreateOverride(whole))]


def _name(action: Action) -> str:
    """Name what ``action`` makes, so that making it twice is noticed."""
    if isinstance(action, CreateOverride):
        return f"{named(action)} until {action.override.end}"
    return f"{named(action)} until {action.absence.end}" if isinstance(action, RecordAbsence) else named(action)


def _at(segments: tuple[Segment, ...], at: datetime) -> dict[Role, str | None]:
    return {s.role: s.person for s in segments if s.start <= at < s.end}


class Night(RuleBasedStateMachine):
    """One handover of Ana's watch."""

    @initialize(kind=st.sampled_from(Kind), auto_next=st.booleans(), stays=st.booleans(), away=AWAY)
    def begin(self, kind: Kind, auto_next: bool, stays: bool, away: tuple[tuple[str, int, int], ...]) -> None:
        asker = {Kind.ASK: ANA, Kind.GIVE: DORA, Kind.TAKE: BEN}[kind]
        wish = Wish("H1", kind, ANA, asker, "fever", auto_next=auto_next, stays_available=stays)
        gone = tuple(Absence(p, START + start * HOUR, START + end * HOUR) for p, start, end in away)
        facts = request(wish, around(replace(TEAM, absences=gone), "ana", START), START)
        self.now = START
        self.backend = Backend(facts, gone, (Held("I1", "p", ("ana",)), Held("I2", "p", ("dora", "ana"))))
        self.seen = [self.backend.read()] * 2
        self.winner: str | None = None
        self.since, self.confirmed = START, False
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

    @precondition(lambda self: self.backend.overrides and self.backend.read().ended is None)
    @rule()
    def somebody_shortens_an_override(self) -> None:
        if self.backend.overrides[-1].end > self.now + MINUTE:
            self.backend.shorten(self.now)

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
    def until_done_it_is_the_givers_and_then_whoever_the_schedule_says(self) -> None:
        facts = self.backend.read()
        done = facts.ended is not None and facts.ended.state is State.DONE
        segments = self.backend.schedule() if done else self.backend.without()
        assert on_call(facts, self.now) == _at(segments, self.now).get(Role.PRIMARY)

    @invariant()
    def no_instant_loses_its_primary_and_no_absentee_is_put_on_call(self) -> None:
        before, after = self.backend.without(), self.backend.schedule()
        for at in {s.start for s in (*before, *after)}:
            assert _at(after, at)[Role.PRIMARY] is not None or _at(before, at)[Role.PRIMARY] is None
        for made in self.backend.overrides:
            assert not [a for a in self.backend.away if a.person == made.person and _overlap(a, made)]

    @invariant()
    def whom_the_schedule_has_on_this_watch_is_paged(self) -> None:
        facts = self.backend.read()
        if _at(self.backend.without(), self.now).get(Role.PRIMARY) == "ana" and facts.ended is None:
            assert _at(self.backend.schedule(), self.now)[Role.PRIMARY] in paged(facts, self.now)

    @invariant()
    def one_receiver_who_is_followed_only_when_they_did_not_confirm(self) -> None:
        facts = self.backend.read()
        now = receiver(facts)
        if self.winner not in {None, now}:
            assert not self.confirmed
            assert self.now - self.since >= 5 * MINUTE
        self.winner, self.confirmed = now, confirmed_at(facts) is not None
        self.since = accepted_at(facts) or self.now

    @invariant()
    def an_end_is_for_good_and_done_means_read_back_and_complete(self) -> None:
        facts = self.backend.read()
        now = None if facts.ended is None else facts.ended.state
        assert self.end in {None, now}
        assert now in {None, *ENDS}
        if now is State.DONE and self.end is None:
            self._check_done(facts)
        self.end = now

    def _check_done(self, facts: Handover) -> None:
        """The handover is done just now: all that Ana had is the receiver's, save what they cannot have."""
        assert facts.read_at is not None
        before, after, at = self.backend.without(), self.backend.schedule(), self.now
        while at < DAY_END and _at(before, at)[Role.PRIMARY] == "ana":
            away = [a for a in self.backend.away if a.person == self.winner and a.start <= at < a.end]
            assert _at(after, at)[Role.PRIMARY] == ("ana" if away else self.winner)
            absent = any(a.person == "ana" and a.start <= at < a.end for a in facts.absences)
            assert absent == (not away and not facts.stays_available)
            at += HOUR / 2
        assert not [h for h in facts.incidents if h.open and "ana" in h.assigned]

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
            assert self.backend.schedule() == self.backend.without()


def _overlap(away: Absence, made: Override) -> bool:
    return max(away.start, made.start) < min(away.end, made.end)


TestNight = Night.TestCase
TestNight.settings = settings(stateful_step_count=40, deadline=None)
