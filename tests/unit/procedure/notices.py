"""Checks the tables about absences and their notice: in a team file, and as the application takes them."""

from collections.abc import Iterator
from datetime import datetime

from desktop.domain.additions import Additions, Leave, merged
from desktop.domain.team import Team
from desktop.domain.wall import instant
from tests.unit.procedure.checking import Answers, Check
from tests.unit.procedure.document import Row, Table
from tests.unit.procedure.moments import NONE, Wrong, moment, show, show_day
from tests.unit.procedure.world import World, named, person


def of_a_file(table: Table, world: World) -> Iterator[Answers]:
    """Yield which absences were announced too late, as the reader of the team file warns."""
    given = world.given(table)
    team = given.team()
    given.close()
    if len(table.rows) != len(team.absences):
        raise Wrong(f"there are {len(team.absences)} absences, in the order of the file")
    late = [w.message for w in team.warnings if w.key.endswith("announced")]
    for row, absence in zip(table.rows, team.absences, strict=True):
        if absence.announced is None or absence.person != person(team, row["Person"]).id:
            raise Wrong(f"the file names {named(team, absence.person)} here, announced {absence.announced}")
        days = (absence.start.date() - absence.announced).days
        own = f"{absence.person} announced this absence {days} days ahead"
        yield {
            "Announced": show_day(absence.announced),
            "Away from": show(instant(absence.start, team.time_zone), team.time_zone),
            "Flagged": f"yes, {days} days ahead" if any(m.startswith(own) for m in late) else "no",
        }


def in_the_application(table: Table, world: World) -> Iterator[Answers]:
    """Yield from when an absence holds that somebody asked for in the application, as the server merges it."""
    given = world.given(table)
    team = given.team()
    given.close()
    for row in table.rows:
        holds = merged(team, Additions(leaves=(_leave(row, team),))).absences
        yield {"Is away from": show(instant(holds[0].start, team.time_zone), team.time_zone) if holds else NONE}


def _leave(row: Row, team: Team) -> Leave:
    return Leave(
        person=person(team, row["Person"]).id,
        cover=None,
        start=moment(row["From"], team.time_zone),
        end=moment(row["To"], team.time_zone),
        announced=moment(row["Asked at"], team.time_zone),
        confirmed=_maybe(row["Somebody says yes"], team),
    )


def _maybe(text: str, team: Team) -> datetime | None:
    return None if text == NONE else moment(text, team.time_zone)


CHECKS = (
    Check(("Person", "Announced", "Away from", "Flagged"), of_a_file, inputs=("Person",)),
    Check(
        ("Person", "Asked at", "From", "To", "Somebody says yes", "Is away from"),
        in_the_application,
        inputs=("Person", "Asked at", "From", "To", "Somebody says yes"),
    ),
)
