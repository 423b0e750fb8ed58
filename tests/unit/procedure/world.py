"""What the tables of the document speak of: its teams, from the TOML blocks, and what is given before a table. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from desktop.domain.team import Member, Team
from desktop.team import parse
from tests.unit.procedure.document import Block, Document, Row, Table
from tests.unit.procedure.moments import NONE, Wrong, moment

_TITLE = re.compile(r"# Team (.+?)(?:: (.+), and)?")


@dataclass
class World:
    """A document and its teams; ``used`` are the teams that a table has asked for."""

    document: Document
    teams: dict[str, Team]
    used: set[str] = field(default_factory=set)

    def team(self, name: str) -> Team:
        """Return the team called ``name``."""
        if name not in self.teams:
            raise Wrong(f'there is no team "{name}": there are {", ".join(self.teams)}')
        self.used.add(name)
        return self.teams[name]

    def given(self, table: Table) -> "Given":
        """Return what is given for ``table``, to be taken clause by clause."""
        if not table.given:
            raise Wrong("nothing is given for this table")
        return Given(self, table.given.removesuffix(".").split("; "))

    def above(self, table: Table, header: Iterable[str]) -> Table:
        """Return the nearest table with ``header`` that stands above ``table``."""
        found = [t for t in self.document.tables if t.line < table.line and t.header == tuple(header)]
        if not found:
            raise Wrong(f"there is no such table above: {', '.join(header)}")
        return found[-1]


class Given:
    """The clauses of a paragraph that says from what a table starts; each must be understood by its checker."""

    def __init__(self, world: World, clauses: list[str]) -> None:
        self._world = world
        self._clauses = clauses

    def team(self) -> Team:
        """Return the team that is given."""
        return self._world.team(self.need(r"the team \*(.+)\*")[1])

    def need(self, pattern: str) -> re.Match[str]:
        """Take the clause that ``pattern`` matches, which must be there."""
        found = self.take(pattern)
        if found is None:
            raise Wrong(f"it is not given what is needed here: {pattern}")
        return found

    def take(self, pattern: str) -> re.Match[str] | None:
        """Take the clause that ``pattern`` matches; None when there is none."""
        for clause in self._clauses:
            found = re.fullmatch(pattern, clause)
            if found is not None:
                self._clauses.remove(clause)
                return found
        return None

    def close(self) -> None:
        """Raise ``Wrong`` when something given was not understood."""
        if self._clauses:
            raise Wrong(f"what is given is not understood here: {'; '.join(self._clauses)}")


def teams(blocks: Iterable[Block]) -> dict[str, Team]:
    """Return the teams that TOML ``blocks`` describe: each names itself in its first line, and whom it adds to."""
    texts: dict[str, str] = {}
    for block in blocks:
        found = _TITLE.fullmatch(block.text.split("\n", 1)[0])
        if block.language != "toml" or found is None:
            raise Wrong(
                f"line {block.line}: a block is a team in TOML whose first line is its name, as in # Team Usual"
            )
        if found[1] in texts or (found[2] and found[2] not in texts):
            raise Wrong(f'line {block.line}: "{found[1]}" stands twice, or adds to a team that does not stand above it')
        texts[found[1]] = (texts[found[2]] if found[2] else "") + block.text
    return {name: parse(text, f"team {name}") for name, text in texts.items()}


def told(table: Table, zone: ZoneInfo) -> Iterator[tuple[Row, datetime]]:
    """Yield the rows of a table that tells a story, each with its instant; none may go back in time."""
    reached: datetime | None = None
    for row in table.rows:
        at = moment(row["At"], zone)
        if reached is not None and at < reached:
            raise Wrong("this row goes back in time")
        reached = at
        yield row, at


def person(team: Team, name: str) -> Member:
    """Return who is called ``name``."""
    found = [p for p in team.people if p.name == name]
    if not found:
        raise Wrong(f"nobody is called {name}: there are {', '.join(p.name for p in team.people)}")
    return found[0]


def named(team: Team, *ids: str | None) -> str:
    """Return the names of ``ids`` in a row; a dash for nobody. An emergency contact has no id but its name."""
    names = [member.name if (member := team.member(i)) is not None else i for i in ids if i is not None]
    return ", ".join(names) or NONE
