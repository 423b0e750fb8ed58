"""One incident lived through by the rules of escalation: who is paged when, while the watch changes and people act.

The rules are ``desktop.domain.escalation``; here they are asked at each instant at which something is due, as the
server's engine asks them. Pure.
"""

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from desktop.domain import notices
from desktop.domain.escalation import (
    Event,
    Page,
    Policy,
    Progress,
    Reason,
    WhoIsOnCall,
    advance,
    begin,
    begin_again,
    escalate,
    next_action_at,
    resume,
    take_over,
)
from desktop.domain.policies import business_hours, policies
from desktop.domain.rotation import on_call
from desktop.domain.severity import Severity, wakes_anew
from desktop.domain.team import Role, Team

EXHAUSTED = "exhausted"


@dataclass(frozen=True)
class Line:
    """Something that happened: whom it paged, and why."""

    at: datetime
    people: tuple[str, ...]
    why: str


class Lived(Protocol):
    """One incident lived through, from its trigger on. Times only ever grow."""

    def lived(self, until: datetime, *, including: bool = True) -> tuple[Line, ...]:
        """Go on to ``until`` and return what has happened and was not taken yet."""

    def take(self) -> Line:
        """Take the first of what has happened."""

    def acknowledge(self, person: str | None, at: datetime) -> tuple[str, ...]:
        """Let ``person`` acknowledge (None: a service does); return who is told to stand down."""

    def renew(self, at: datetime) -> None:
        """Let somebody write a note."""

    def unacknowledge(self, at: datetime) -> None:
        """End the acknowledgement."""

    def escalate(self, at: datetime) -> None:
        """Fire the next step because a person asks for it."""

    def raise_to(self, severity: Severity, at: datetime, by: str) -> None:
        """Let ``by`` raise the severity; nothing: an event does."""

    def asleep(self, at: datetime, *, asleep: bool) -> None:
        """Let the machine stop, or run again."""


def why(reason: Reason, step: int, repeat: int, plan: Policy) -> str:
    """Say why somebody is paged by ``step`` (from 1) of ``plan``."""
    if reason not in (Reason.STEP, Reason.ROUND):
        return _REASONS[reason]
    roles = " and ".join(plan.steps[step - 1].roles).replace("emergency", "emergency contacts")
    return f"{f'repeat {repeat}, ' if reason is Reason.ROUND else ''}step {step}: {roles}"


def holders(team: Team, at: datetime) -> WhoIsOnCall:
    """Return who holds each role at ``at``; the emergency contacts hold the emergency role, by their names."""
    now = on_call(team, at)

    def who(role: str) -> tuple[str, ...]:
        segment = now.get(Role(role))
        person = () if segment is None or segment.person is None else (segment.person,)
        return (*person, *(c.name for c in team.emergency_contacts)) if role == Role.EMERGENCY else person

    return who


class Story:
    """One incident of ``team`` by the rules alone."""

    def __init__(self, team: Team, severity: Severity, at: datetime) -> None:
        self._team = team
        # The lists of all severities are frozen when the incident is born.
        self._plans, self._hours = policies(team), business_hours(team)
        self._plan = self._plans[severity]
        self._progress = begin(at)
        self._severity = severity
        self._acknowledged: datetime | None = None
        self._holders: set[str] = set()
        self._asleep = False
        self._lines: deque[Line] = deque()
        self._change = at
        self._look(at)

    def lived(self, until: datetime, *, including: bool = True) -> tuple[Line, ...]:
        """Go on to ``until`` and return what has happened and was not taken yet."""
        while (due := self._next()) is not None and (due < until or (including and due == until)):
            self._look(due)
        return tuple(self._lines)

    def take(self) -> Line:
        """Take the first of what has happened."""
        return self._lines.popleft()

    def acknowledge(self, person: str | None, at: datetime) -> tuple[str, ...]:
        """Let ``person`` acknowledge: from now on they are one of those who are assigned."""
        told = notices.stand_down(self._progress.ever, person) if self._acknowledged is None else ()
        self._acknowledged = at
        if person is None:
            return told
        self._holders.add(person)
        if person not in self._progress.ever:
            self._progress = replace(self._progress, ever=(*self._progress.ever, person))
        return told

    def renew(self, at: datetime) -> None:
        """Let somebody write a note: an acknowledgement holds its whole time from now."""
        if self._acknowledged is not None:
            self._acknowledged = at

    def unacknowledge(self, at: datetime) -> None:
        """End the acknowledgement; the watch may have changed while somebody had it."""
        self._acknowledged = None
        self._holders.clear()
        self._tell(at, *resume(self._plan, self._progress, at, holders(self._team, at), self._hours))
        self._taken_over(at)

    def escalate(self, at: datetime) -> None:
        """Fire the next step because a person asks for it, which ends an acknowledgement."""
        self._acknowledged = None
        self._holders.clear()
        upto = self._progress.step + 1
        self._tell(at, *escalate(self._plan, self._progress, at, upto, holders(self._team, at)))
        self._taken_over(at)

    def raise_to(self, severity: Severity, at: datetime, by: str) -> None:
        """Raise the severity: its list is picked again, counted from now, and so is an acknowledgement."""
        self.renew(at)
        woken = wakes_anew(self._severity, severity) and by not in self._holders
        self._severity, self._plan = severity, self._plans[severity]
        self._progress = begin_again(self._plan, self._progress, at)
        if woken and self._acknowledged is not None:
            self.unacknowledge(at)
        self._look(at)

    def asleep(self, at: datetime, *, asleep: bool) -> None:
        """Let the machine stop, or run again: then all that is overdue is looked at."""
        self._asleep = asleep
        if not asleep:
            self._change = at
            self._look(at)

    def _next(self) -> datetime | None:
        """Return when something is due by itself."""
        if self._asleep:
            return None
        action = self._lapses() if self._acknowledged else next_action_at(self._plan, self._progress, self._hours)
        return min(t for t in (self._change, action) if t is not None)

    def _lapses(self) -> datetime | None:
        holds = self._plan.holds(by_person=bool(self._holders))
        return None if holds is None or self._acknowledged is None else self._acknowledged + holds

    def _look(self, at: datetime) -> None:
        """Do what is due at ``at``; whoever takes over in the instant at which all are paged again hears it once."""
        if at >= self._change:
            if self._acknowledged is None:
                self._advance(at)
                self._taken_over(at)
            self._change = min(segment.end for segment in on_call(self._team, at).values())
        lapses = self._lapses()
        if lapses is not None and lapses <= at:
            self.unacknowledge(at)
        if self._acknowledged is None:
            self._advance(at)

    def _advance(self, at: datetime) -> None:
        self._tell(at, *advance(self._plan, self._progress, at, holders(self._team, at), self._hours))

    def _taken_over(self, at: datetime) -> None:
        """Page whoever took over a role that was paged."""
        self._tell(at, *take_over(self._plan, self._progress, at, holders(self._team, at)))

    def _tell(self, at: datetime, progress: Progress, events: tuple[Event, ...]) -> None:
        self._progress = progress
        for event in events:
            if isinstance(event, Page):
                said = why(event.reason, event.step, self._progress.round, self._plan)
                self._lines.append(Line(at, event.people, said))
            else:
                self._lines.append(Line(at, (), EXHAUSTED))


_REASONS = {
    Reason.AGAIN: "paged again",
    Reason.TIMEOUT: "the acknowledgement ended",
    Reason.TAKEOVER: "took over",
}
