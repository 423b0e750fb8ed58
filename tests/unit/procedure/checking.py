"""Compares each table of the document with what the rules say, row by row. Pure.

A checker yields, for each row in turn, what the rules say about it: the text of every column that is neither an input
nor a remark. It may read the inputs of the row that is next, and what is given.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from desktop.domain.errors import WatchbellError
from tests.unit.procedure.document import Row, Table
from tests.unit.procedure.moments import Wrong
from tests.unit.procedure.world import World

NAME = "docs/procedure.md"
# Columns for the reader alone.
REMARKS = frozenset({"Case", "Meaning", "The procedure says", "It also says"})

Answers = Mapping[str, str]
Checker = Callable[[Table, World], Iterator[Answers]]


@dataclass(frozen=True)
class Check:
    """How tables with ``header`` are checked; ``inputs`` are the columns that the checker starts from."""

    header: tuple[str, ...]
    run: Checker
    inputs: Collection[str] = ()

    @property
    def answers(self) -> tuple[str, ...]:
        """The columns that are checked."""
        return tuple(c for c in self.header if c not in self.inputs and c not in REMARKS)


def mistakes(table: Table, world: World, checks: Sequence[Check]) -> list[str]:
    """Return what is wrong with ``table``, a line for each mistake, which names the row."""
    check = next((c for c in checks if c.header == table.header), None)
    if check is None:
        return [f"{NAME}:{table.line}: nothing checks this table: {table}"]
    if not table.rows:
        return [f"{NAME}:{table.line}: this table has no rows: {table}"]
    found: list[str] = []
    answers = check.run(table, world)
    for row in table.rows:
        try:
            found += _compared(row, next(answers, None), check)
        except (Wrong, WatchbellError) as error:
            return [*found, _said(row, str(error))]
    missing = next(answers, None)
    if missing is not None:
        found.append(_said(table.rows[-1], f"a row is missing after this one: {' | '.join(missing.values())}"))
    return found


def _compared(row: Row, right: Answers | None, check: Check) -> Iterator[str]:
    if right is None:
        yield _said(row, "this row is one too many")
        return
    if set(right) != set(check.answers):
        raise Wrong(f"this checker answers {sorted(right)}, not {sorted(check.answers)}")
    for column, text in right.items():
        if row[column] != text:
            yield _said(row, f'{column}: "{row[column]}" should be "{text}"')


def _said(row: Row, what: str) -> str:
    return f"{NAME}:{row.line}: {row}: {what}"
