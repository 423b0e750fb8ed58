"""Checks the tables about the monthly review: a small month as it went, and the figures that follow from it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from desktop.domain.measures import Measure
from desktop.domain.review import Handled, Paged, Review, months
from desktop.domain.team import Team
from tests.unit.procedure.checking import Answers, Check
from tests.unit.procedure.document import Table
from tests.unit.procedure.moments import NONE, Wrong, moment, show_span
from tests.unit.procedure.severities import severity
from tests.unit.procedure.world import Given, World, named, person

INCIDENTS = ("Incident", "Severity", "Triggered", "Acknowledged", "Resolved", "False alarm")
PAGES = ("Page for", "Person", "Paged at", "They acknowledged")


def _opening(table: Table, world: World) -> tuple[Given, Team]:
    given = world.given(table)
    return given, given.team()


@dataclass
class Month:
    """All incidents of the tables above, and the reviews of the months around them."""

    team: Team
    incidents: tuple[Handled, ...]
    now: datetime

    @classmethod
    def above(cls, table: Table, world: World) -> "Month":
        """Return what the tables above ``table`` say, as it stands at the instant that is given."""
        given, team = _opening(table, world)
        now = moment(given.need(r"it is (.+)")[1], team.time_zone)
        given.close()
        pages = _pages(world.above(table, PAGES), team)
        incidents = tuple(_incidents(world.above(table, INCIDENTS), team, pages))
        if set(pages) != {i.id for i in incidents}:
            raise Wrong("pages and incidents do not match")
        return cls(team, incidents, now)

    def reviews(self, first: date, last: date) -> tuple[Review, ...]:
        """Return the review of each month."""
        return months(self.team, self.incidents, first, last, self.now)

    def january(self) -> Review:
        """Return the review of the month."""
        return self.reviews(date(2026, 1, 1), date(2026, 1, 1))[0]


def _pages(table: Table, team: Team) -> dict[str, tuple[Paged, ...]]:
    found: dict[str, tuple[Paged, ...]] = {}
    for row in table.rows:
        at = tuple(moment(text, team.time_zone) for text in row["Paged at"].split(", "))
        paged = Paged(person(team, row["Person"]).id, at, _maybe(row["They acknowledged"], team))
        found[row["Page for"]] = (*found.get(row["Page for"], ()), paged)
    return found


def _incidents(table: Table, team: Team, pages: dict[str, tuple[Paged, ...]]) -> Iterator[Handled]:
    for row in table.rows:
        if row["False alarm"] not in ("yes", "no"):
            raise Wrong("a false alarm is one or not: yes or no")
        yield Handled(
            id=row["Incident"],
            severity=severity(row["Severity"]),
            triggered=moment(row["Triggered"], team.time_zone),
            acknowledged=_maybe(row["Acknowledged"], team),
            resolved=_maybe(row["Resolved"], team),
            false_alarm=row["False alarm"] == "yes",
            pages=pages.get(row["Incident"], ()),
        )


def _maybe(text: str, team: Team) -> datetime | None:
    return None if text == NONE else moment(text, team.time_zone)


def inputs(table: Table, world: World) -> Iterator[Answers]:
    """Read a table from which others follow: each row must be readable by itself."""
    _, team = _opening(table, world)
    for row in table.rows:
        alone = Table(table.line, table.heading, table.given, table.header, (row,))
        if table.header == PAGES:
            _pages(alone, team)
        else:
            list(_incidents(alone, team, {}))
        yield {}


def severities(table: Table, world: World) -> Iterator[Answers]:
    """Yield the figures of each severity."""
    for each, figures in Month.above(table, world).january().severities.items():
        yield {
            "Severity": each.label,
            "Incidents": str(figures.incidents),
            "Mean time to acknowledge": show_span(figures.acknowledge.mean),
            "Acknowledged in time": _share(figures.acknowledge),
            "Mean time to resolve": show_span(figures.resolve.mean),
            "Resolved in time": _share(figures.resolve),
        }


def people(table: Table, world: World) -> Iterator[Answers]:
    """Yield the figures of each person."""
    month = Month.above(table, world)
    for figures in month.january().people:
        yield {
            "Person": named(month.team, figures.person),
            "Pages": str(figures.pages),
            "Answered in time": _share(figures.response),
            "Call-outs": str(figures.call_outs),
            "Worked out of hours": show_span(figures.worked),
            "On call out of hours": show_span(figures.standby),
        }


def totals(table: Table, world: World) -> Iterator[Answers]:
    """Yield the figures of each month."""
    month = Month.above(table, world)
    for row in table.rows:
        first = date.fromisoformat(f"{row['Month']}-01")
        (found,) = month.reviews(first, first)
        rate = found.false_alarm_rate
        yield {
            "Resolved": str(found.resolved),
            "False alarms": str(found.false_alarms),
            "Rate": _percent(rate),
            "Below 5 %": NONE if rate is None else ("no" if found.too_many_false_alarms else "yes"),
            "Pages": str(found.pages),
            "Shifts": str(found.shifts),
            "Pages a shift": NONE if found.pages_per_shift is None else f"{found.pages_per_shift:g}",
        }


def _share(measure: Measure) -> str:
    over = measure.within + measure.late + measure.missed
    return NONE if measure.share is None else f"{measure.within} of {over} ({_percent(measure.share)})"


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{share * 100:.0f} %"


CHECKS = (
    Check(INCIDENTS, inputs, inputs=INCIDENTS),
    Check(PAGES, inputs, inputs=PAGES),
    Check(
        (
            "Severity", "Incidents", "Mean time to acknowledge", "Acknowledged in time", "Mean time to resolve",
            "Resolved in time",
        ),
        severities,
    ),
    Check(
        ("Person", "Pages", "Answered in time", "Call-outs", "Worked out of hours", "On call out of hours"), people
    ),
    Check(
        ("Month", "Resolved", "False alarms", "Rate", "Below 5 %", "Pages", "Shifts", "Pages a shift"),
        totals,
        inputs=("Month",),
    ),
)  # fmt: skip
