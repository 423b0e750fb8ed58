"""One incident lived through again from its history: each entry must be allowed where it stands, and in time. Pure.

Written from the rules as the design has them, not with the server's own: what both have wrong would be seen by nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.faults.course import ACKNOWLEDGED, RESOLVED, TRIGGERED
from tests.faults.evidence import Due, Entry, Incident
from tests.faults.paging import EXACT, Paging

PAGES = ("assign", "escalate", "repeat_escalation_path", "notify")
_TAKEN = {
    "trigger": "_trigger",
    "acknowledge": "_acknowledge",
    "unacknowledge": "_unacknowledge",
    "resolve": "_resolve",
    "renew": "_renew",
    "priority_change": "_change",
    "delegate": "_delegate",
    "maintenance": "_hold",
    "maintenance_over": "_let_go",
    "exhaust_escalation_path": "_exhaust",
    "handed_over": "hand_on",
}
# What the engine itself does, and what comes next is counted from; so is all that others do, but for what says only
# that it is known, or more about it.
_COUNTED_FROM = ("unacknowledge", "repeat_escalation_path", "maintenance_over")
_ADDS_WORDS = ("annotate",)


@dataclass(slots=True)
class Replay(Paging):
    """Lives through it, entry by entry; ``complain`` hears of what must not be."""

    def run(self, entries: Sequence[Entry], ended: float) -> None:
        """Live through ``entries``, until it was ``ended``."""
        for entry in entries:
            self._between(entry.at)
            self._in_time(entry)
            self._take(entry)
            if entry.type in _COUNTED_FROM or not (entry.actor == "engine" or _says_only(entry)):
                self.anchor = entry.at
            self.last = entry
        self._between(float("inf"))
        self._in_time(Entry(0, "", "the end of the run", ended, actor="nobody"))
        self.all_taken_over(ended)

    def agrees(self, row: Incident) -> None:
        """Complain of what the row says otherwise than the history: a half of something."""
        pairs = {
            "status": (row.status, self.status),
            "severity": (row.severity, self.severity),
            "assigned": (row.assigned, self.assigned),
            "acknowledged": (row.acknowledged, set(self.acknowledged)),
            "pages": (row.pages, self.pages),
            "alone": (row.alone, self.list is None),
        }
        for name, (there, told) in pairs.items():
            if there != told:
                self.complain(f"half: {name} is {there}, the history says {told}")
        if row.step < self.step or not self.passed(row.step, 0.0, float("inf")):
            self.complain(f"half: step is {row.step}, the history says {self.step}")

    def _between(self, at: float) -> None:
        """End what happened at one instant, where the next is another."""
        if self.last is None or self.last.at == at:
            return
        if self.owed:
            self.complain(f"not paged when the acknowledgement ended: {sorted(self.owed)}")
            self.owed.clear()
        all_paged = self.last.actor == "engine" and self.ever <= self.just
        self.just.clear()
        if all_paged and self.again_at is not None and self.again_at <= self.last.at:
            # All were paged at that very instant: nobody is paged twice.
            self.advance_again(self.last.at)

    def _in_time(self, entry: Entry) -> None:
        for due in filter(None, (self.due(entry.at), self.due_again())):
            wrong = max(self.weather.wrong(entry.at), self.weather.wrong(self.anchor))
            excused = wrong + self.weather.slow(due.first, entry.at)
            excused += self.weather.blocked(due.first - wrong, entry.at + wrong)
            allowed = self.margin + excused + self.put_off(due, excused, entry.at)
            late = entry.at - due.last
            if late > allowed:
                said = f"{late:.2f} s before {entry.type} at {entry.at:.2f}, {allowed:.2f} s are allowed"
                self.complain(f"late: {due.what} was due {said}")
            if entry.actor == "engine" and self._is(entry, due):
                if allowed < self.margin + excused + 1:
                    self.worst, self.worst_at = max((self.worst, self.worst_at), (late - excused, entry.at))
                if entry.at < due.first - EXACT:
                    self.complain(f"early: {entry.type} came {due.first - entry.at:.2f} s before its time")

    def _is(self, entry: Entry, due: Due) -> bool:
        reason = entry.data.get("reason")
        return {
            "paging again": reason == "again" and entry.at != self.reopened,
            "unacknowledge": entry.type == "unacknowledge" and entry.channel == "timeout",
            "step": reason in ("step", "round"),
            # A later step of a round that goes on may have been thought to add nobody.
            "round": entry.type == "exhaust_escalation_path"
            or (entry.type == "repeat_escalation_path" and entry.data.get("step") == 1),
            "the end of maintenance": entry.type == "maintenance_over",
        }[due.what]

    def _take(self, entry: Entry) -> None:
        if entry.type in _TAKEN:
            getattr(self, _TAKEN[entry.type])(entry)
        elif entry.type in PAGES:
            self.take_page(entry)

    def _trigger(self, entry: Entry) -> None:
        if entry.data.get("reopened"):
            self.must_be(entry, RESOLVED)
            self.acknowledged.clear()
            self.reopened, self.had = entry.at, set(self.ever)
            if self.list is not None:
                # It begins at its first step, and is whose that pages.
                self.assigned, self.ever = set(), set()
        elif entry.data.get("repeated"):
            self.must_be(entry, TRIGGERED, ACKNOWLEDGED)
            return
        else:
            self.must_be(entry, "")
        self.status = TRIGGERED
        self.begin_again(entry.at)

    def _acknowledge(self, entry: Entry) -> None:
        self.must_be(entry, TRIGGERED, ACKNOWLEDGED)
        kind, _, who = entry.actor.partition(":")
        if who in self.acknowledged or (kind != "person" and self.status == ACKNOWLEDGED):
            self.complain(f"twice: {who} acknowledged what was theirs already")
        if self.status == TRIGGERED:
            self.since = entry.at
            if self.held is None:
                self.pass_quietly(entry.at)
        self.status = ACKNOWLEDGED
        if kind == "person":
            self.acknowledged[who] = entry.at
            self.assigned.add(who)
            self.ever.add(who)

    def _unacknowledge(self, entry: Entry) -> None:
        self.must_be(entry, ACKNOWLEDGED)
        self.status = TRIGGERED
        self.acknowledged.clear()
        if self.held is not None and self.held > entry.at:
            return
        if self.held is not None:
            # While somebody had it, there was nobody to page: it is let go from now on.
            self.held = entry.at
        done = self.plan.steps[self.step - 1].after if self.step else 0.0
        self.base = (entry.at - done, entry.at - done)
        self.again_at = entry.at + self.plan.again
        self.owed = set(self.ever)

    def _resolve(self, entry: Entry) -> None:
        self.must_be(entry, TRIGGERED, ACKNOWLEDGED)
        self.status, self.held = RESOLVED, None

    def _renew(self, entry: Entry) -> None:
        self.must_be(entry, ACKNOWLEDGED)
        self.since = entry.at

    def _change(self, entry: Entry) -> None:
        was, self.severity = self.severity, str(entry.data["to"])
        if entry.data["from"] != was:
            self.complain(f"the severity was {was}, not {entry.data['from']}")
        if self.severity < was:
            self._count_from(entry.at)
            if self.list is not None:
                self.list = self.severity
                self.begin_again(entry.at)

    def _delegate(self, entry: Entry) -> None:
        self.list = str(entry.data["escalation_policy"])
        self._count_from(entry.at)
        self.begin_again(entry.at)

    def _count_from(self, at: float) -> None:
        if self.status == ACKNOWLEDGED:
            self.since = at

    def _hold(self, entry: Entry) -> None:
        self.must_be(entry, TRIGGERED, ACKNOWLEDGED)
        self.held = datetime.fromisoformat(str(entry.data["until"])).timestamp()

    def _let_go(self, entry: Entry) -> None:
        self.must_be(entry, TRIGGERED)
        if self.held is None:
            self.complain("maintenance was over that had not begun")
        self.held = None
        self.begin_again(entry.at)

    def _exhaust(self, entry: Entry) -> None:
        self.must_be(entry, TRIGGERED)
        if self.exhausted or not self.passed(len(self.plan.steps), entry.at, entry.at) or self.rounds_left():
            self.complain("exhausted before its last step")
        self.exhausted = True


def _says_only(entry: Entry) -> bool:
    return entry.type in _ADDS_WORDS or bool(entry.data.get("repeated"))
