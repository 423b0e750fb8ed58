"""Who is paged, why and by whom: each page of an incident's history must be allowed where it stands. Pure.

Written from the rules as the design has them, not with the server's own: what both have wrong would be seen by nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.faults.course import ACKNOWLEDGED, STALE, TRIGGERED, Course
from tests.faults.evidence import Entry

_AGAIN, _TOOK_OVER = "again", "took over"
# What a clock's last digit may be off.
EXACT = 0.001


@dataclass(slots=True)
class Paging(Course):
    """Takes up pages; ``givers`` is whose watch each handover gives away.

    ``reopened`` is when it was opened again last, ``had`` who had it until then, ``just`` who was paged at the instant
    that it has come to.
    """

    givers: Mapping[str, str] = field(default_factory=dict)
    reopened: float | None = None
    had: set[str] = field(default_factory=set)
    just: set[str] = field(default_factory=set)

    def take_page(self, entry: Entry) -> None:
        if "handover" in entry.data:
            self.hand_on(entry, pages=True)
            return
        by_person = entry.actor != "engine"
        if by_person and self.status == ACKNOWLEDGED:
            self.status = TRIGGERED
            self.acknowledged.clear()
        if self.status != TRIGGERED:
            self.complain(f"escalated although {self.status or 'never triggered'}: {entry.type} to {entry.people}")
        if by_person:
            self.held = None
        elif self.held is not None:
            self.complain(f"paged although it is held back: {entry.people}")
        self.pages += 1
        if by_person and "reason" not in entry.data:
            self._give(entry)
        else:
            self._by_the_list(entry, by_person=by_person)

    def _by_the_list(self, entry: Entry, *, by_person: bool) -> None:
        reason = entry.data.get("reason")
        self._only_who_may(entry)
        if reason in ("step", "round"):
            self._step(entry, by_person=by_person)
        elif reason == _AGAIN and by_person:
            self._nobody_new(entry)
        elif reason == _AGAIN:
            self._again(entry)
        elif reason == _TOOK_OVER:
            self._take_over(entry)
        elif not self.owed:
            self.complain(f"paged for no reason: {entry.type} to {entry.people}")
        if self.again_at is None or by_person:
            self.again_at = entry.at + self.plan.again
        self.owed -= set(entry.people)
        self.just |= set(entry.people)
        self.assigned |= set(entry.people)
        self.ever |= set(entry.people)

    def _nobody_new(self, entry: Entry) -> None:
        """Let somebody escalate to those who were paged already: they hear it once more."""
        number = int(entry.data["step"])
        if number < self.step or not self.passed(number, entry.at, entry.at) or set(entry.people) != self.ever:
            self.complain(f"escalated to nobody new: {entry.people} at step {number}, after {self.step}")
        self.step = number
        self._count_from_step(entry.at)

    def _count_from_step(self, at: float) -> None:
        """Let what comes next keep its distance from the step that it was escalated to ``at``, by somebody.

        That may be one that added nobody, behind the one that paged.
        """
        steps = self.plan.steps
        self.base = (at - steps[self._furthest(at) - 1].after, at - steps[self.step - 1].after)

    def _give(self, entry: Entry) -> None:
        """Let a person give it to others alone."""
        self.list = None
        self.ever = set()
        self.begin_again(entry.at)
        self.assigned, self.ever, self.paged = set(entry.people), set(entry.people), set(entry.people)
        self.again_at = entry.at + self.plan.again

    def hand_on(self, entry: Entry, *, pages: bool = False) -> None:
        """Let a handover give what the outgoing engineer had to who takes the watch: it pages them once, or nobody."""
        self.must_be(entry, TRIGGERED, ACKNOWLEDGED)
        giver, to = self.givers.get(str(entry.data["handover"]), ""), entry.people[0]
        if giver not in self.assigned:
            self.complain(f"handed on from {giver or 'nobody'}, whose it was not")
        theirs = self.acknowledged.pop(giver, None) is not None
        heard = to in self.ever or bool(self.acknowledged)
        if pages and (heard or theirs):
            self.complain(f"handed on: paged {to}, who had heard of it or need not")
        if not pages and self.held is None and (not heard or (theirs and not self.acknowledged)):
            # What only the outgoing engineer had acknowledged pages everyone at the same instant.
            self.owed.add(to)
        self.pages += pages
        stays = self._stays(entry, giver)
        for people in (self.assigned, self.ever, self.paged):
            if not stays:
                people.discard(giver)
            # They were paged by this: no step of the list pages them once more.
            people.add(to)

    def _stays(self, entry: Entry, giver: str) -> bool:
        """Tell whether who gives the watch stays on it: they have to where they have a role that was paged, only there.

        Where that changed a moment ago, either may be.
        """
        stays = bool(entry.data.get("stays"))
        steps = self.plan.steps
        reached = steps if self.round else steps[: self._furthest(entry.at)]
        if stays and not any(giver in self.may(step.role, entry.at, entry.at) for step in reached):
            self.complain(f"left with {giver}, who has no role that was paged")
        paged = steps if self.round else steps[: self.step]
        if not stays and any(giver in self.must(step.role, entry.at, entry.at) for step in paged):
            self.complain(f"taken from {giver}, who is on call for it")
        return stays

    def _take_over(self, entry: Entry) -> None:
        reached = self.plan.steps if self.round else self.plan.steps[: self._furthest(entry.at)]
        may = {person for step in reached for person in self.may(step.role, entry.at, entry.at)} - self.ever
        if not set(entry.people) <= may:
            self.complain(f"took over: {entry.people}, and only {sorted(may)} may have")
        self.paged |= set(entry.people)

    def _furthest(self, at: float) -> int:
        """Return how many steps may be over by now, with those that added nobody."""
        number = max(self.step, self.quiet)
        while number < len(self.plan.steps) and self.silent(self.plan.steps[number], at, at):
            number += 1
        return number

    def pass_quietly(self, at: float) -> None:
        """Take note of the steps that may be over ``at``, when somebody takes it: who has a role then may change."""
        steps, latest = self.plan.steps, at + self.weather.wrong(at)
        number = max(self.step, self.quiet)
        while number < len(steps) and self.base[0] + steps[number].after <= latest:
            if not self.silent(steps[number], self.base[0] + steps[number].after, latest):
                break
            number += 1
        self.quiet = number

    def passed(self, number: int, start: float, end: float) -> bool:
        """Tell whether the steps up to ``number`` may be over: those without an entry added nobody."""
        return all(self.silent(step, start, end) for step in self.plan.steps[self.step : number])

    def _step(self, entry: Entry, *, by_person: bool) -> None:
        number = int(entry.data["step"])
        if entry.type == "repeat_escalation_path" and number == 1:
            self._new_round(entry)
        steps = self.plan.steps
        if not self.step < number <= len(steps) or not self.passed(number - 1, self.base[0], entry.at):
            self.complain(f"step {number} of round {self.round} follows step {self.step}")
            return
        self._only_holders(entry, number)
        first = self.base[0] + steps[self.step].after
        if not by_person and entry.at < first - EXACT:
            self.complain(f"early: step {number} came {first - entry.at:.2f} s before any that is left")
        self.step = number
        self.paged |= set(entry.people)
        if by_person:
            self._count_from_step(entry.at)
        else:
            self.fired = (min(first, entry.at), entry.at)

    def _only_holders(self, entry: Entry, number: int) -> None:
        role = self.plan.steps[number - 1].role
        may = self.may(role, entry.at, entry.at) - self.paged
        must = self.must(role, entry.at, entry.at) - self.paged
        if not must <= set(entry.people) <= may:
            self.complain(f"step {number} paged {entry.people}, not {', '.join(sorted(may)) or 'nobody'}")

    def _new_round(self, entry: Entry) -> None:
        if not self.passed(len(self.plan.steps), self.base[0], entry.at) or not self.rounds_left():
            self.complain(f"round {self.round + 1} began after step {self.step} of round {self.round}")
        due = self._due_round()
        self.round, self.step, self.quiet, self.paged = self.round + 1, 0, 0, set()
        self.base, self.fired = (min(due.first, entry.at), entry.at), None

    def _again(self, entry: Entry) -> None:
        if self.reopened == entry.at and self.passed(len(self.plan.steps), entry.at, entry.at):
            # The list pages nobody: those who had it hear it all the same.
            if set(entry.people) != self.had:
                self.complain(f"reopened to {entry.people}, and {sorted(self.had)} had it")
            self.again_at = entry.at + self.plan.again
            return
        if self.again_at is not None and self.again_at <= entry.at + EXACT:
            self.advance_again(entry.at)
        else:
            self.complain(f"paged again too soon: {entry.people}")

    def advance_again(self, at: float) -> None:
        assert self.again_at is not None
        self.again_at += ((at - self.again_at + EXACT) // self.plan.again + 1) * self.plan.again

    def _only_who_may(self, entry: Entry) -> None:
        steps = self.plan.steps
        may = {person for step in steps for person in self.may(step.role, entry.at, entry.at)} | self.ever
        if self.reopened == entry.at:
            may |= self.had
        if outside := set(entry.people) - may:
            self.complain(f"paged outside the policy: {sorted(outside)}")

    def all_taken_over(self, ended: float) -> None:
        """Complain of who has had a role that was paged for a while, and was not."""
        if self.status != TRIGGERED or self.held is not None or self.list is None:
            return
        for step in self.plan.steps if self.round else self.plan.steps[: self.step]:
            if missing := self.must(step.role, ended - self.margin - STALE, ended) - self.ever:
                self.complain(f"took over as {step.role}, and not paged: {sorted(missing)}")

    def rounds_left(self) -> bool:
        return self.round < self.plan.repeats

    def must_be(self, entry: Entry, *statuses: str) -> None:
        if self.status not in statuses:
            self.complain(f"{entry.type} although {self.status or 'never triggered'}")
