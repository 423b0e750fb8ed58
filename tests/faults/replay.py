"""One incident lived through again from its history: each entry must be allowed where it stands, and in time. Pure.

Written from the rules as the design has them, not with the server's own: what both have wrong would be seen by nobody.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.faults.evidence import Due, Entry, Incident, Weather
from tests.faults.plans import Plan

TRIGGERED, ACKNOWLEDGED, RESOLVED = "triggered", "acknowledged", "resolved"
PAGES = ("assign", "escalate", "repeat_escalation_path", "notify")
_AGAIN = "again"
# What the engine itself does, and what comes next is counted from; so is all that others do, but for repeating it.
_COUNTED_FROM = ("unacknowledge", "repeat_escalation_path")
# What a clock's last digit may be off.
_EXACT = 0.001


@dataclass(slots=True)
class Replay:
    """What an incident has come to, entry by entry; ``complain`` hears of what must not be."""

    plan: Plan
    weather: Weather
    margin: float
    complain: Callable[[str], None]
    status: str = ""
    step: int = 0
    round: int = 0
    pages: int = 0
    exhausted: bool = False
    since: float = 0.0
    anchor: float = 0.0
    base: tuple[float, float] = (0.0, 0.0)
    fired: tuple[float, float] | None = None
    again_at: float | None = None
    worst: float = 0.0
    assigned: set[str] = field(default_factory=set)
    ever: set[str] = field(default_factory=set)
    acknowledged: dict[str, float] = field(default_factory=dict)
    owed: set[str] = field(default_factory=set)
    last: Entry | None = None

    def run(self, entries: Iterable[Entry], ended: float) -> None:
        """Live through ``entries``, until it was ``ended``."""
        for entry in entries:
            self._between(entry.at)
            self._in_time(entry)
            self._take(entry)
            if entry.type in _COUNTED_FROM or not (entry.actor == "engine" or entry.data.get("repeated")):
                self.anchor = entry.at
            self.last = entry
        self._between(float("inf"))
        self._in_time(Entry(0, "", "the end of the run", ended, actor="nobody"))

    def agrees(self, row: Incident) -> None:
        """Complain of what the row says otherwise than the history: a half of something."""
        pairs = {
            "status": (row.status, self.status),
            "assigned": (row.assigned, self.assigned),
            "acknowledged": (row.acknowledged, set(self.acknowledged)),
            "pages": (row.pages, self.pages),
            "step": (row.step, self.step),
        }
        for name, (there, told) in pairs.items():
            if there != told:
                self.complain(f"half: {name} is {there}, the history says {told}")

    def due(self) -> Due | None:
        """Return what has to happen next by itself, but for paging again."""
        plan = self.plan
        if self.status == ACKNOWLEDGED:
            at = max([self.since, *self.acknowledged.values()]) + plan.timeout
            return Due("unacknowledge", at, at)
        if self.status != TRIGGERED or self.exhausted:
            return None
        first, last = self.base
        if self.step < len(plan.steps):
            after = plan.steps[self.step][0]
            return Due("step", first + after, last + after)
        first, last = first + plan.steps[-1][0], last + plan.steps[-1][0]
        if self.fired is not None:
            first, last = max(first, self.fired[0]), max(last, self.fired[1])
        return Due("round", first + plan.again, last + plan.again)

    def _between(self, at: float) -> None:
        """End what happened at one instant, where the next is another."""
        if self.last is None or self.last.at == at:
            return
        if self.owed:
            self.complain(f"not paged when the acknowledgement ended: {sorted(self.owed)}")
            self.owed.clear()
        if self.again_at is not None and self.last.actor == "engine" and self.again_at <= self.last.at:
            # All were paged at that very instant: nobody is paged twice.
            self._advance_again(self.last.at)

    def _in_time(self, entry: Entry) -> None:
        for due in filter(None, (self.due(), self._due_again())):
            wrong = max(self.weather.wrong(entry.at), self.weather.wrong(self.anchor))
            excused = wrong + self.weather.slow(due.first, entry.at)
            excused += self.weather.blocked(due.first - wrong, entry.at + wrong)
            allowed = self.margin + excused
            late = entry.at - due.last
            if late > allowed:
                said = f"{late:.2f} s before {entry.type} at {entry.at:.2f}, {allowed:.2f} s are allowed"
                self.complain(f"late: {due.what} was due {said}")
            if entry.actor == "engine" and self._is(entry, due):
                self.worst = max(self.worst, late - excused)
                if entry.at < due.first - _EXACT:
                    self.complain(f"early: {entry.type} came {due.first - entry.at:.2f} s before its time")

    def _due_again(self) -> Due | None:
        if self.status != TRIGGERED or self.again_at is None:
            return None
        return Due("paging again", self.again_at, self.again_at)

    @staticmethod
    def _is(entry: Entry, due: Due) -> bool:
        reason = entry.data.get("reason")
        return {
            "paging again": reason == _AGAIN,
            "unacknowledge": entry.type == "unacknowledge",
            "step": reason in ("step", "round"),
            "round": entry.type in ("repeat_escalation_path", "exhaust_escalation_path"),
        }[due.what]

    def _take(self, entry: Entry) -> None:
        if entry.type == "trigger":
            self._trigger(entry)
        elif entry.type == "acknowledge":
            self._acknowledge(entry)
        elif entry.type == "unacknowledge":
            self._unacknowledge(entry)
        elif entry.type == "resolve":
            self._must_be(entry, TRIGGERED, ACKNOWLEDGED)
            self.status = RESOLVED
        elif entry.type == "exhaust_escalation_path":
            self._exhaust(entry)
        elif entry.type in PAGES:
            self._page(entry)

    def _trigger(self, entry: Entry) -> None:
        if entry.data.get("reopened"):
            self._must_be(entry, RESOLVED)
            self.acknowledged.clear()
        elif entry.data.get("repeated"):
            self._must_be(entry, TRIGGERED, ACKNOWLEDGED)
            return
        else:
            self._must_be(entry, "")
        self.status, self.base = TRIGGERED, (entry.at, entry.at)
        self.step, self.round, self.exhausted, self.fired = 0, 0, False, None
        self.again_at = entry.at + self.plan.again if self.ever else None

    def _acknowledge(self, entry: Entry) -> None:
        self._must_be(entry, TRIGGERED, ACKNOWLEDGED)
        kind, _, who = entry.actor.partition(":")
        if who in self.acknowledged or (kind != "person" and self.status == ACKNOWLEDGED):
            self.complain(f"twice: {who} acknowledged what was theirs already")
        if self.status == TRIGGERED:
            self.since = entry.at
        self.status = ACKNOWLEDGED
        if kind == "person":
            self.acknowledged[who] = entry.at
            self.assigned.add(who)
            self.ever.add(who)

    def _unacknowledge(self, entry: Entry) -> None:
        self._must_be(entry, ACKNOWLEDGED)
        done = self.plan.steps[self.step - 1][0] if self.step else 0.0
        self.status, self.base = TRIGGERED, (entry.at - done, entry.at - done)
        self.again_at = entry.at + self.plan.again
        self.acknowledged.clear()
        self.owed = set(self.ever)

    def _exhaust(self, entry: Entry) -> None:
        self._must_be(entry, TRIGGERED)
        if self.exhausted or self.step < len(self.plan.steps) or self.round < self.plan.repeats:
            self.complain("exhausted before its last step")
        self.exhausted = True

    def _page(self, entry: Entry) -> None:
        by_person = entry.actor != "engine"
        if by_person and self.status == ACKNOWLEDGED:
            self.status = TRIGGERED
            self.acknowledged.clear()
        if self.status != TRIGGERED:
            self.complain(f"escalated although {self.status or 'never triggered'}: {entry.type} to {entry.people}")
        self.pages += 1
        self._only_who_may(entry)
        if entry.data.get("reason") in ("step", "round"):
            self._step(entry, by_person=by_person)
        elif entry.data.get("reason") == _AGAIN:
            self._again(entry)
        elif not self.owed:
            self.complain(f"paged for no reason: {entry.type} to {entry.people}")
        if self.again_at is None or by_person:
            self.again_at = entry.at + self.plan.again
        self.owed -= set(entry.people)
        self.assigned |= set(entry.people)
        self.ever |= set(entry.people)

    def _step(self, entry: Entry, *, by_person: bool) -> None:
        number = int(entry.data["step"])
        if entry.type == "repeat_escalation_path" and number == 1:
            self._new_round(entry)
        if number != self.step + 1 or number > len(self.plan.steps):
            self.complain(f"step {number} of round {self.round} follows step {self.step}")
            return
        after, person = self.plan.steps[number - 1]
        if entry.people != (person,):
            self.complain(f"step {number} paged {entry.people}, not {person}")
        self.step = number
        if by_person:
            self.base = (entry.at - after, entry.at - after)
        else:
            self.fired = (min(self.base[0] + after, entry.at), entry.at)

    def _new_round(self, entry: Entry) -> None:
        if self.step < len(self.plan.steps) or self.round >= self.plan.repeats:
            self.complain(f"round {self.round + 1} began after step {self.step} of round {self.round}")
        due = self.due()
        self.round, self.step = self.round + 1, 0
        self.base = (entry.at if due is None else min(due.first, entry.at), entry.at)

    def _again(self, entry: Entry) -> None:
        if self.again_at is not None and self.again_at <= entry.at + _EXACT:
            self._advance_again(entry.at)
        else:
            self.complain(f"paged again too soon: {entry.people}")

    def _advance_again(self, at: float) -> None:
        assert self.again_at is not None
        self.again_at += ((at - self.again_at + _EXACT) // self.plan.again + 1) * self.plan.again

    def _only_who_may(self, entry: Entry) -> None:
        may = {person for _, person in self.plan.steps} | self.ever
        if outside := set(entry.people) - may:
            self.complain(f"paged outside the policy: {sorted(outside)}")

    def _must_be(self, entry: Entry, *statuses: str) -> None:
        if self.status not in statuses:
            self.complain(f"{entry.type} although {self.status or 'never triggered'}")
