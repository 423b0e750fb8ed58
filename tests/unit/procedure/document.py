"""Reads a Markdown document: its headings, its tables with what is given before each, its blocks. Pure; any thread."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.unit.procedure.moments import Wrong

GIVEN = "**Given** "
_FENCE = "```"
_HEADING = re.compile(r"#{1,6} (.+)")
_RULER = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)+\|?\s*")


@dataclass(frozen=True)
class Row:
    """One row of a table: the text of each column, and the line that it stands on."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def __str__(self) -> str:
        return f"| {' | '.join(self.cells.values())} |"


@dataclass(frozen=True)
class Table:
    """A table below ``heading``; ``given`` is the paragraph that says from what its rows start; it may be empty."""

    line: int
    heading: str
    given: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]

    def __str__(self) -> str:
        return f"| {' | '.join(self.header)} |"


@dataclass(frozen=True)
class Block:
    """A fenced block: the ``language`` that its fence names, and its text."""

    line: int
    language: str
    text: str


@dataclass(frozen=True)
class Document:
    """What a document consists of; ``prose`` is every line outside of blocks, tables included, by its number."""

    headings: tuple[str, ...]
    tables: tuple[Table, ...]
    blocks: tuple[Block, ...]
    prose: Mapping[int, str]


@dataclass
class _Reader:
    """Reads line by line. ``given`` lasts until the next heading or the next paragraph of its kind."""

    headings: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    prose: dict[int, str] = field(default_factory=dict)
    given: str = ""

    def read(self, lines: Iterator[tuple[int, str]]) -> None:
        before = ""
        for number, line in lines:
            if line.startswith(_FENCE):
                self.blocks.append(_block(number, line, lines))
                before = line
                continue
            self.prose[number] = line
            if _RULER.fullmatch(line) or "<table" in line.lower():
                raise Wrong(f"line {number}: a table is written with its header first, a bar at the start of each line")
            if line.lstrip().startswith("|"):
                self._table(number, line, before, lines)
                before = ""
                continue
            self._text(line, before)
            before = line

    def _text(self, line: str, before: str) -> None:
        heading = _HEADING.fullmatch(line)
        if heading is not None:
            self.headings.append(heading[1])
            self.given = ""
        elif line.startswith(GIVEN):
            self.given = line.removeprefix(GIVEN)
        elif line and before.startswith(GIVEN):
            raise Wrong(f"what is given stands in one line, not in two: {line}")

    def _table(self, number: int, first: str, before: str, lines: Iterator[tuple[int, str]]) -> None:
        if before:
            raise Wrong(f"line {number}: a table needs an empty line before it")
        header = _cells(first)
        if len(set(header)) < len(header):
            raise Wrong(f"line {number}: two columns of one name")
        read = list(self._table_lines(lines))
        if not read or not _RULER.fullmatch(read[0][1]) or len(_cells(read[0][1])) != len(header):
            raise Wrong(f"line {number}: a table's header is underlined, once for each column")
        rows = tuple(_row(line, header, text) for line, text in read[1:])
        heading = self.headings[-1] if self.headings else ""
        self.tables.append(Table(number, heading, self.given, header, rows))

    def _table_lines(self, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        for number, line in lines:
            self.prose[number] = line
            if not line.strip():
                return
            if not line.startswith("|"):
                raise Wrong(f"line {number}: a table is followed by an empty line")
            yield number, line


def read(text: str) -> Document:
    """Return what ``text`` consists of; raise ``Wrong``, naming the line, for a table that cannot be read."""
    reader = _Reader()
    reader.read(iter(enumerate(text.split("\n"), start=1)))
    return Document(tuple(reader.headings), tuple(reader.tables), tuple(reader.blocks), reader.prose)


def _block(number: int, first: str, lines: Iterator[tuple[int, str]]) -> Block:
    text: list[str] = []
    for _, line in lines:
        if line == _FENCE:
            return Block(number, first.removeprefix(_FENCE), "\n".join(text) + "\n")
        text.append(line)
    raise Wrong(f"line {number}: a block without an end")


def _row(number: int, header: tuple[str, ...], line: str) -> Row:
    cells = _cells(line)
    if len(cells) != len(header):
        raise Wrong(f"line {number}: {len(cells)} columns, not {len(header)}: {line}")
    return Row(number, dict(zip(header, cells, strict=True)))


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
