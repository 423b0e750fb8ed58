"""Checks the tables about escalation: the list of steps, the ends of it, and the timetable of one incident."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from desktop.domain import notices
from desktop.domain.escalation import Exhausted, advance, begin, next_action_at
from desktop.domain.policies import business_hours, policy
from desktop.domain.rotation import on_call
from desktop.domain.severity import Severity
from desktop.domain.team import Role, Team
from tests.unit.procedure.checking import Answers, Check
from tests.unit.procedure.document import Row, Table
from tests.unit.procedure.moments import NONE, Wrong, moment, show, show_span, span
from tests.unit.procedure.severities import severity, when
from tests.unit.procedure.stories import Line, Lived, Story, holders
from tests.unit.procedure.world import World, named, person

_RANGE = re.compile(r"every (.+) from (.+) to (.+)")
_WATCH = re.compile(r"the watch changes: (.+)")
_HOLDS = re.compile(r"(\w+) is (primary|secondary|manager)")
SILENCE = "silence until then"
STAND_DOWN = "; told to stand down: "
_VERBS = ("acknowledges", "escalates", "takes the acknowledgement back", "writes a note")
TIMETABLE = ("At", "Who is paged", "Why")

Born = Callable[[Team, Severity, datetime], Lived]
"""Begins the story of an incident of a team, of a severity, at an instant."""


def steps(table: Table, world: World) -> Iterator[Answers]:
    """Yield the list of each severity of a team."""
    given = world.given(table)
    team = given.team()
    given.close()
    for each in Severity:
        plan = policy(team, each)
        yield {
            "Severity": each.label,
            "Primary": when(team, each, "primary"),
            "Secondary": when(team, each, "secondary"),
            "Manager": when(team, each, "manager"),
            "Emergency contacts": when(team, each, "emergency"),
            "Paged again every": show_span(plan.page_again),
            "Repeats": str(plan.repeats or "none"),
            "An acknowledgement holds": show_span(plan.acknowledge_timeout) if plan.acknowledge_timeout else "for ever",
        }


def ends(table: Table, world: World) -> Iterator[Answers]:
    """Yield when the repeats of an incident that nobody ever answers begin, and when everything is tried."""
    given = world.given(table)
    team, zone = given.team(), given
    at = moment(zone.need(r"triggered at (.+)")[1], team.time_zone)
    given.close()
    for each in Severity:
        rounds, exhausted = _lived(team, each, at)
        yield {
            "Severity": each.label,
            "First repeat after": show_span(rounds[0] - at if rounds else None),
            "Last repeat after": show_span(rounds[-1] - at if rounds else None),
            "Exhausted after": show_span(exhausted - at),
            "That is": show(exhausted, team.time_zone),
        }


def overdue(table: Table, world: World) -> Iterator[Answers]:
    """Yield when the target of an incident that nobody resolves passes, and who is told of it."""
    given = world.given(table)
    team = given.team()
    at = moment(given.need(r"triggered at (.+)")[1], team.time_zone)
    given.close()
    for each in Severity:
        passed = notices.resolve_due_at(policy(team, each), at)
        if passed is None:
            raise Wrong(f"{each.label} has no target to resolve")
        told = notices.told_of_overdue(holders(team, passed))
        yield {
            "Severity": each.label,
            "Not resolved by": show(passed, team.time_zone),
            "Told of it": named(team, *told),
        }


def _lived(team: Team, each: Severity, at: datetime) -> tuple[list[datetime], datetime]:
    """Return when each repeat began and when the list was exhausted."""
    plan, progress, hours = policy(team, each), begin(at), business_hours(team)
    rounds: list[datetime] = []
    while (due := next_action_at(plan, progress, hours)) is not None:
        before = progress.round
        progress, events = advance(plan, progress, due, lambda role: (role,), hours)
        if progress.round > before:
            rounds.append(due)
        if any(isinstance(event, Exhausted) for event in events):
            return rounds, due
    raise Wrong("it is never exhausted")


def timetable(table: Table, world: World, born: Born = Story) -> Iterator[Answers]:
    """Yield every page of one incident until the last row, and what people do to it meanwhile."""
    given = world.given(table)
    team = given.team()
    what = given.need(r"a (SEV-\d) at (.+)")
    given.close()
    at = moment(what[2], team.time_zone)
    story = born(team, severity(what[1]), at)
    for row in table.rows:
        at, answer = _row(row, story, team, at)
        yield answer
    yield from (_answer(line, team) for line in story.lived(at))


def _row(row: Row, story: Lived, team: Team, reached: datetime) -> tuple[datetime, Answers]:
    """Return until when the story has gone on after ``row``, and what is right in its place."""
    several = _RANGE.fullmatch(row["At"])
    if several is not None:
        return _run(several, story, team)
    at = moment(row["At"], team.time_zone)
    if at < reached:
        raise Wrong("this row goes back in time")
    watch = _WATCH.fullmatch(row["Why"])
    # The watch changes first, then those are paged whom that concerns: of that instant nothing is due before.
    pending = story.lived(at, including=watch is None)
    deed = _deed(row["Why"], team)
    if watch is None and deed is None:
        if not pending:
            raise Wrong("nobody is paged then")
        return at, _answer(story.take(), team)
    if pending:
        return at, _answer(pending[0], team)
    told = deed.done(story, at) if deed is not None else ()
    said = _changed(watch[1], team, at) if watch is not None else row["Why"].split(STAND_DOWN)[0]
    return at, {"At": row["At"], "Who is paged": NONE, "Why": said + (STAND_DOWN + named(team, *told) if told else "")}


def _run(several: re.Match[str], story: Lived, team: Team) -> tuple[datetime, Answers]:
    """Return a row that stands for many: the same people paged for the same reason at equal distances."""
    every, start, end = span(several[1]), moment(several[2], team.time_zone), moment(several[3], team.time_zone)
    pending = story.lived(end)
    times = [start + n * every for n in range((end - start) // every + 1)]
    if len(times) < 3 or times[-1] != end:
        raise Wrong("such a row stands for three pages or more, the last of which is named")
    for at, line in zip(times, pending, strict=False):
        if line != replace(pending[0], at=at):
            raise Wrong(f"one of these pages is another: {' | '.join(_answer(line, team).values())}")
    if len(pending) != len(times):
        raise Wrong(f"these are {len(times)} pages where there are {len(pending)}")
    for _ in times:
        story.take()
    return end, {**_answer(pending[0], team), "At": several[0]}


@dataclass(frozen=True)
class _Deed:
    """Something that is done to an incident: by whom, and what."""

    verb: str
    person: str = ""
    severity: Severity | None = None

    def done(self, story: Lived, at: datetime) -> tuple[str, ...]:
        """Let it happen in ``story``; return who is told to stand down."""
        match self.verb:
            case "acknowledges":
                return story.acknowledge(self.person or None, at)
            case "writes a note":
                story.renew(at)
            case "takes the acknowledgement back":
                story.unacknowledge(at)
            case "escalates":
                story.escalate(at)
            case "becomes":
                story.raise_to(self.severity or Severity.SEV0, at, self.person)
            case "stops" | "runs":
                story.asleep(at, asleep=self.verb == "stops")
        return ()


def _deed(text: str, team: Team) -> _Deed | None:
    """Return the deed that ``text`` tells, None when it tells none."""
    if re.fullmatch(rf"the service acknowledges(?:{STAND_DOWN}.+)?", text):
        return _Deed("acknowledges")
    if found := re.fullmatch(rf"(\w+) ({'|'.join(_VERBS)})(?:{STAND_DOWN}.+)?", text):
        return _Deed(found[2], person(team, found[1]).id)
    if found := re.fullmatch(r"it becomes a (SEV-\d)", text):
        return _Deed("becomes", severity=severity(found[1]))
    if found := re.fullmatch(r"(\w+) makes it a (SEV-\d)", text):
        return _Deed("becomes", person(team, found[1]).id, severity(found[2]))
    words = {"Watchbell stops": "stops", "Watchbell runs again": "runs", SILENCE: "nothing"}
    return _Deed(words[text]) if text in words else None


def _changed(text: str, team: Team, at: datetime) -> str:
    """Return who has the roles that ``text`` names, since ``at``."""
    now, before = on_call(team, at), on_call(team, at - timedelta(minutes=1))
    roles = [Role(role) for _, role in _HOLDS.findall(text)]
    if not roles or all(now[role].person == before[role].person for role in roles):
        raise Wrong("the watch does not change then")
    return "the watch changes: " + ", ".join(f"{named(team, now[role].person)} is {role}" for role in roles)


def _answer(line: Line, team: Team) -> Answers:
    return {"At": show(line.at, team.time_zone), "Who is paged": named(team, *line.people), "Why": line.why}


CHECKS = (
    Check(
        (
            "Severity", "Primary", "Secondary", "Manager", "Emergency contacts",
            "Paged again every", "Repeats", "An acknowledgement holds",
        ),
        steps,
    ),
    Check(("Severity", "First repeat after", "Last repeat after", "Exhausted after", "That is"), ends),
    Check(("Severity", "Not resolved by", "Told of it"), overdue),
    Check(TIMETABLE, timetable),
)  # fmt: skip
