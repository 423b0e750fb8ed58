"""The team file: TOML to a team, every mistake named with its line. Any thread; reads the one file it is given.

References to secrets (``keyring:NAME``, ``env:NAME``) stay references: whoever may resolve them does it elsewhere.
"""

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from desktop.domain.errors import TeamFileError
from desktop.domain.team import Team
from desktop.team import changes, directory, document, escalating, rota, times
from desktop.team.holiday_dates import holidays
from desktop.team.reader import Mistakes, Table

__all__ = ["load", "parse"]


def load(path: Path) -> Team:
    """Return the team that the file ``path`` describes; raise ``TeamFileError`` with every mistake in it."""
    return parse(document.load(path), path.name)


def parse(text: str, source: str) -> Team:
    """Return the team that ``text`` describes; ``source`` names it in messages.

    ``Team.warnings`` holds what is allowed but should be looked at. Raises ``TeamFileError`` with every mistake, in the
    order of the file.
    """
    read = document.read(text, source)
    mistakes = Mistakes(read)
    team = _team(Table(read.data, (), mistakes), mistakes)
    if mistakes.found:
        raise TeamFileError(mistakes.found)
    return team


def _team(top: Table, mistakes: Mistakes) -> Team:
    zone = top.need("time_zone", times.zone) or ZoneInfo("UTC")
    people = directory.people(top)
    known = rota.Known(frozenset(person.id for person in people), zone)
    rotations = rota.rotations(top, known)
    with top.table("severity") as severity:
        targets, severity_words = escalating.targets(severity), escalating.severity_words(severity)
    team = Team(
        time_zone=zone,
        people=people,
        rotations=rotations,
        weeks=rota.weeks(top, known, rotations),
        holidays=holidays(top),
        absences=changes.absences(top, known),
        overrides=changes.overrides(top, known),
        escalation=escalating.escalation(top),
        targets=targets,
        severity_words=severity_words,
        emergency_contacts=directory.emergency_contacts(top),
        contacts=directory.contacts(top),
        services=directory.services(top),
        access_checks=directory.access_checks(top),
        channels=directory.channels(top),
    )
    top.close()
    return replace(team, warnings=mistakes.warnings)
