"""Checks the tables about duties: when each is asked for, of whom, when it is overdue, and when reminders go out."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from desktop.domain.announcement import status_update
from desktop.domain.checklists import POINTS
from desktop.domain.duties import Facts, MajorIncident, duties
from desktop.domain.duty import Act, Duty, Kind, Listed, Mark, State, remind_at
from desktop.domain.severity import Severity
from desktop.domain.team import Team
from tests.unit.procedure.checking import Answers, Check
from tests.unit.procedure.document import Table
from tests.unit.procedure.moments import NONE, Wrong, day, moment, show
from tests.unit.procedure.severities import severity
from tests.unit.procedure.world import Given, World, named, person, told

_WEEK = timedelta(weeks=1)
_KINDS = {
    "morning check-in": Kind.CHECK_IN,
    "monitoring round": Kind.MONITORING,
    "status page": Kind.STATUS_PAGE,
    "customer notice": Kind.CUSTOMER_NOTICE,
    "status update": Kind.STATUS_UPDATE,
    "post-incident review": Kind.INCIDENT_REVIEW,
    "weekly handover": Kind.HANDOVER,
    "monthly review": Kind.MONTHLY_REVIEW,
    "training": Kind.TRAINING,
    "certification": Kind.CERTIFICATION,
}
_DUTY = re.compile(rf"({'|'.join(_KINDS)})(?: (\d+))?(?: of (.+))?")
_INCIDENT = "I1"


def _id(text: str, team: Team) -> str:
    """Return the id of the duty that ``text`` names, as in ``morning check-in of Tue 2026-01-13``."""
    found = _DUTY.fullmatch(text)
    if found is None:
        raise Wrong(f'"{text}" is no duty')
    kind, number, of = _KINDS[found[1]], found[2], found[3]
    if kind in (Kind.TRAINING, Kind.CERTIFICATION):
        return f"{kind}/{person(team, of).id}"
    if kind is Kind.MONTHLY_REVIEW:
        return f"{kind}/{of}"
    if kind in (Kind.CHECK_IN, Kind.MONITORING, Kind.HANDOVER):
        return f"{kind}/{day(of).isoformat()}"
    return f"{kind}/{_INCIDENT}/{number}" if number else f"{kind}/{_INCIDENT}"


class _Days:
    """What is known so far: the incident, and what was done about duties."""

    def __init__(self, team: Team, since: datetime) -> None:
        self.team = team
        self._facts = Facts(since)

    def happens(self, what: str, duty: str, at: datetime) -> None:
        """Take note of ``what`` happens at ``at``, to the incident or to ``duty``."""
        if what == NONE:
            return
        if found := re.fullmatch(r"a (SEV-\d) begins", what):
            self._incident(MajorIncident(_INCIDENT, "Payments", severity(found[1]), at))
        elif found := re.fullmatch(r"(\w+) acknowledges it", what):
            self._incident(replace(self._known(), owner=person(self.team, found[1]).id))
        elif what == "it is resolved":
            self._incident(replace(self._known(), ended=at, resolved=at))
        elif what == "it becomes a SEV-2":
            self._incident(replace(self._known(), ended=at))
        else:
            self._facts = replace(self._facts, marks=(*self._facts.marks, self._mark(what, duty, at)))

    def _known(self) -> MajorIncident:
        if not self._facts.incidents:
            raise Wrong("there is no incident yet")
        return self._facts.incidents[0]

    def _incident(self, incident: MajorIncident) -> None:
        self._facts = replace(self._facts, incidents=(incident,))

    def _mark(self, what: str, duty: str, at: datetime) -> Mark:
        if found := re.fullmatch(r"(\w+) signs it", what):
            return Mark(duty, Act.SIGN, person(self.team, found[1]).id, at)
        if found := re.fullmatch(r"(\w+) ticks point (\d)", what):
            return Mark(duty, Act.TICK, person(self.team, found[1]).id, at, point=int(found[2]))
        if found := re.fullmatch(r"(\w+) waives it: (.+)", what):
            return Mark(duty, Act.WAIVE, person(self.team, found[1]).id, at, reason=found[2])
        raise Wrong(f'"{what}" is not understood here')

    def listed(self, duty: str, at: datetime) -> Listed | None:
        """Return ``duty`` as it stands at ``at``; None when nobody asks for it within a week."""
        return next((x for x in duties(self.team, self._facts, at, _WEEK) if x.duty.id == duty), None)


def _since(given: Given, team: Team) -> datetime:
    return moment(given.need(r"duties are kept since (.+)")[1], team.time_zone)


def days(table: Table, world: World) -> Iterator[Answers]:
    """Yield how a duty stands after each thing that happens."""
    given = world.given(table)
    team = given.team()
    known = _Days(team, _since(given, team))
    given.close()
    for row, at in told(table, team.time_zone):
        duty = _id(row["Duty"], team)
        known.happens(row["What happens"], duty, at)
        found = known.listed(duty, at)
        if found is None:
            yield {"Whose": NONE, "Due": NONE, "State": "not asked for"}
            continue
        due = found.duty.due
        yield {
            "Whose": named(team, *found.duty.people),
            "Due": NONE if due is None else show(due, team.time_zone),
            "State": found.state.value,
        }


def weekly(table: Table, world: World) -> Iterator[Answers]:
    """Yield when the watch is handed over to the shift that starts on a date, by whom, to whom, and who is there."""
    given = world.given(table)
    team = given.team()
    given.close()
    for row in table.rows:
        start = day(row["The shift of"])
        found = _handover(team, f"{Kind.HANDOVER}/{start.isoformat()}", row["The shift of"])
        outgoing, incoming = found.signers
        if found.due is None or found.late is None:
            raise Wrong("a weekly handover has a time")
        yield {
            "is handed over": show(found.due, team.time_zone),
            "From": named(team, outgoing),
            "To": named(team, incoming),
            "Manager": named(team, *(p for p in found.people if p not in found.signers)),
            "Reminder": show(found.opens, team.time_zone),
            "Overdue": show(found.late, team.time_zone),
        }


def _handover(team: Team, duty: str, start: str) -> Duty:
    at = moment(f"{start} 00:00", team.time_zone)
    listed = duties(team, Facts(at - _WEEK), at, 2 * _WEEK)
    found = next((x.duty for x in listed if x.duty.id == duty), None)
    if found is None:
        raise Wrong("this shift is not handed over")
    return found


def monthly(table: Table, world: World) -> Iterator[Answers]:
    """Yield when the review of each month is due, when overdue, and whose it is."""
    given = world.given(table)
    team = given.team()
    since = _since(given, team)
    given.close()
    for row in table.rows:
        duty = f"{Kind.MONTHLY_REVIEW}/{row['Month']}"
        listed = duties(team, Facts(since), since, timedelta(days=400))
        found = next((x.duty for x in listed if x.duty.id == duty), None)
        if found is None or found.due is None or found.late is None:
            raise Wrong("there is no such review")
        yield {
            "Due": show(found.due, team.time_zone),
            "Overdue": show(found.late, team.time_zone),
            "Whose": named(team, *found.people),
        }


def reminders(table: Table, world: World) -> Iterator[Answers]:
    """Yield when somebody is reminded of a duty, on their own clock."""
    given = world.given(table)
    team = given.team()
    known = _Days(team, _since(given, team))
    begins = given.need(r"a SEV-0 begins at (.+)")
    given.close()
    known.happens("a SEV-0 begins", "", moment(begins[1], team.time_zone))
    for row in table.rows:
        found = known.listed(_id(row["Duty"], team), moment(begins[1], team.time_zone))
        if found is None:
            raise Wrong("nobody asks for this duty")
        zone = ZoneInfo(row["The person's zone"])
        yield {
            "It opens": show(found.duty.opens, team.time_zone),
            "which is there": show(found.duty.opens, zone),
            "The reminder comes": show(remind_at(found.duty, zone), zone),
        }


def points(table: Table, world: World) -> Iterator[Answers]:
    """Yield how many points the list of each duty has."""
    for name, kind in _KINDS.items():
        yield {"Duty": name, "Points": str(len(POINTS[kind]))}


def mentions(table: Table, world: World) -> Iterator[Answers]:
    """Yield whom the prepared status update calls."""
    at = moment("Wed 2026-01-14 10:00", ZoneInfo("UTC"))
    for each in (Severity.SEV0, Severity.SEV1):
        text = status_update(MajorIncident("I1", "Payments", each, at), "Ben", "", at, ZoneInfo("UTC"))
        yield {"Severity": each.label, "The status update begins with": text.split(" ", 1)[0]}


def state_words(table: Table, world: World) -> Iterator[Answers]:
    """Yield every state of a duty."""
    for each in State:
        yield {"State": each.value}


CHECKS = (
    Check(
        ("At", "What happens", "Duty", "Whose", "Due", "State"), days, inputs=("At", "What happens", "Duty")
    ),
    Check(
        ("The shift of", "is handed over", "From", "To", "Manager", "Reminder", "Overdue"),
        weekly,
        inputs=("The shift of",),
    ),
    Check(("Month", "Due", "Overdue", "Whose"), monthly, inputs=("Month",)),
    Check(
        ("Duty", "It opens", "The person's zone", "which is there", "The reminder comes"),
        reminders,
        inputs=("Duty", "The person's zone"),
    ),
    Check(("Duty", "Points"), points),
    Check(("Severity", "The status update begins with"), mentions),
    Check(("State", "Meaning"), state_words),
)  # fmt: skip
