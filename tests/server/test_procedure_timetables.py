"""The timetables of docs/procedure.md again, by the server's transitions: what the page shows, the server does."""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from desktop.domain.escalation import Reason, begin
from desktop.domain.incident import Status
from desktop.domain.notices import Notice
from desktop.domain.severity import Severity
from desktop.domain.team import Team
from desktop.server import escalation_path, transitions
from desktop.server.records import Draft, Entry, Record
from desktop.server.roster import Moment, Roster, steps_to_level
from tests.unit.procedure.checking import NAME, Check, mistakes
from tests.unit.procedure.document import Table, read
from tests.unit.procedure.escalations import TIMETABLE, timetable
from tests.unit.procedure.stories import EXHAUSTED, Line, why
from tests.unit.procedure.world import World, teams

DOCUMENT = read((Path(__file__).parents[2] / NAME).read_text(encoding="utf-8"))
WORLD = World(DOCUMENT, teams(DOCUMENT.blocks))
TIMETABLES = [table for table in DOCUMENT.tables if table.header == TIMETABLE]
PAGES = {"assign", "escalate", "repeat_escalation_path", "notify"}


class Served:
    """One incident as the server keeps it, moved on as its engine would."""

    def __init__(self, team: Team, severity: Severity, at: datetime) -> None:
        self._roster = Roster(team)
        self._record = Record(
            id="Q1",
            number=1,
            service_id="default",
            dedup_key="k",
            title="down",
            status=Status.TRIGGERED,
            severity=severity,
            urgency=severity.urgency,
            policy=self._roster.digest,
            policies=self._roster.policies,
            escalates_as=severity,
            progress=begin(at),
            created_at=at,
            updated_at=at,
            changed_at=at,
            changed_by="service:default",
        )
        self._lines: deque[Line] = deque()
        self._asleep = False
        self._change = self._roster.boundary(at)
        self._do(at, transitions.work_off)

    def lived(self, until: datetime, *, including: bool = True) -> tuple[Line, ...]:
        while not self._asleep and ((due := self._next()) < until or (including and due == until)):
            self._look(due)
        return tuple(self._lines)

    def take(self) -> Line:
        return self._lines.popleft()

    def acknowledge(self, person: str | None, at: datetime) -> tuple[str, ...]:
        actor = f"person:{person}" if person else "service:default"
        entries = self._do(at, lambda draft, moment: transitions.acknowledge(draft, moment, actor, person))
        return tuple(p for e in entries if e.type == Notice.STAND_DOWN for p in self._names(e.data["told"]))

    def renew(self, at: datetime) -> None:
        self._do(at, lambda draft, moment: transitions.renew(draft, moment, "ana", "note"))

    def unacknowledge(self, at: datetime) -> None:
        self._do(at, lambda draft, moment: transitions.unacknowledge(draft, moment, "ana"))

    def escalate(self, at: datetime) -> None:
        ends = steps_to_level(self._record.plan)
        level = next(level for level, end in enumerate(ends, start=1) if end > self._record.progress.step)
        self._do(at, lambda draft, moment: transitions.escalate(draft, moment, "ana", level))

    def raise_to(self, severity: Severity, at: datetime, by: str) -> None:
        actor = f"person:{by}" if by else "service:default"
        self._do(at, lambda draft, moment: transitions.set_severity(draft, moment, actor, severity))

    def asleep(self, at: datetime, *, asleep: bool) -> None:
        self._asleep = asleep
        if not asleep:
            self._change = at
            self._look(at)

    def _next(self) -> datetime:
        return min(t for t in (self._change, self._record.next_action_at) if t is not None)

    def _look(self, at: datetime) -> None:
        """Do what ``Engine.tick`` does of one incident."""
        if at >= self._change:
            self._do(at, escalation_path.take_over)
            self._change = self._roster.boundary(at)
        while self._record.next_action_at is not None and self._record.next_action_at <= at:
            self._do(at, transitions.work_off)

    def _do(self, at: datetime, transition: Callable[[Draft, Moment], None]) -> list[Entry]:
        draft = Draft(self._record, self._record)
        transition(draft, self._roster.moment(at))
        self._record = draft.record
        self._lines += [line for entry in draft.entries if (line := self._line(entry)) is not None]
        return draft.entries

    def _line(self, entry: Entry) -> Line | None:
        if entry.type == "exhaust_escalation_path":
            return Line(entry.at, (), EXHAUSTED)
        if entry.type not in PAGES:
            return None
        reason, step = Reason(entry.data["reason"]), entry.data["step"]
        said = why(reason, step, self._record.progress.round, self._record.plan)
        return Line(entry.at, self._names(entry.data["assignees"]), said)

    def _names(self, people: list[str]) -> tuple[str, ...]:
        contacts = self._roster.contacts
        return tuple(contacts[p].name if p in contacts else p for p in people)


@pytest.mark.parametrize("table", TIMETABLES, ids=lambda t: f"{t.heading}, line {t.line}")
def test_the_server_does_what_the_page_says(table: Table) -> None:
    served = Check(TIMETABLE, lambda t, w: timetable(t, w, Served))
    found = mistakes(table, WORLD, [served])
    assert not found, "\n" + "\n".join(found)
