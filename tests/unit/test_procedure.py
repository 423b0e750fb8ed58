"""The document docs/procedure.md, executed: every row of its tables against the rules; a wrong one is found."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.domain.errors import TeamFileError
from tests.unit.procedure.catalogue import CHECKS
from tests.unit.procedure.checking import NAME, REMARKS, mistakes
from tests.unit.procedure.document import GIVEN, Row, Table, read
from tests.unit.procedure.escalations import TIMETABLE
from tests.unit.procedure.moments import DAYS, NONE, Wrong, day
from tests.unit.procedure.world import World, teams

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / NAME).read_text(encoding="utf-8")
DOCUMENT = read(TEXT)
WORLD = World(DOCUMENT, teams(DOCUMENT.blocks))
ANSWERS = {check.header: check.answers for check in CHECKS}
INPUTS = {check.header: check.inputs for check in CHECKS}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def named(table: Table) -> str:
    return f"{table.heading}, line {table.line}"


@pytest.mark.parametrize("table", DOCUMENT.tables, ids=named)
def test_every_row_says_what_the_rules_say(table: Table) -> None:
    found = mistakes(table, WORLD, CHECKS)
    assert not found, "\n" + "\n".join(found)


# --- that nothing of the document goes unchecked ----------------------------------------------------------------------


def test_there_is_a_table_for_every_checker_and_a_checker_for_every_table() -> None:
    assert {table.header for table in DOCUMENT.tables} == set(ANSWERS)
    assert len(ANSWERS) == len(CHECKS)


def test_every_line_with_bars_is_in_a_table() -> None:
    read_lines = {n for t in DOCUMENT.tables for n in (t.line, t.line + 1, *(row.line for row in t.rows))}
    assert {n for n, line in DOCUMENT.prose.items() if "|" in line} == read_lines


def test_everything_given_is_for_a_table() -> None:
    given = {line.removeprefix(GIVEN) for line in DOCUMENT.prose.values() if line.startswith(GIVEN)}
    assert given == {table.given for table in DOCUMENT.tables if table.given}


def test_every_team_has_a_table() -> None:
    for table in DOCUMENT.tables:
        mistakes(table, WORLD, CHECKS)
    assert WORLD.used == set(WORLD.teams)


def test_every_date_is_preceded_by_its_day_of_the_week() -> None:
    for number, line in DOCUMENT.prose.items():
        for found in _DATE.finditer(line):
            assert_day(f"{NAME}:{number}: {line}", line[max(found.start() - 4, 0) : found.end()])


def test_every_date_of_a_team_has_its_day_of_the_week_at_the_end_of_the_line() -> None:
    for block in DOCUMENT.blocks:
        for number, line in enumerate(block.text.split("\n"), start=block.line + 1):
            dates, days = _DATE.findall(line), re.findall(rf"# ({'|'.join(DAYS)})$", line)
            assert len(dates) == len(days) <= 1, f"{NAME}:{number}: {line}"
            for name, date in zip(days, dates, strict=True):
                assert_day(f"{NAME}:{number}: {line}", f"{name} {date}")


def assert_day(where: str, text: str) -> None:
    try:
        day(text)
    except Wrong as error:
        raise AssertionError(f"{where}: {error}") from error


def test_every_link_leads_to_a_heading() -> None:
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in DOCUMENT.headings}
    links = re.findall(r"\]\((.*?)\)", TEXT)
    assert links
    assert {link.removeprefix("#") for link in links} <= anchors


def test_the_readme_leads_here() -> None:
    assert f"]({NAME})" in (ROOT / "README.md").read_text(encoding="utf-8")


# --- that a wrong row is found, and named -----------------------------------------------------------------------------


def test_a_changed_answer_is_found_in_whatever_row_it_stands() -> None:
    for table, column in ((t, c) for t in DOCUMENT.tables for c in ANSWERS[t.header]):
        wrong = [with_cell(row, column, another(table, row, column)) for row in table.rows if answers(row, column)]
        # In a timetable one wrong row makes others wrong: there each row is changed by itself.
        for changed in [[row] for row in wrong] if table.header == TIMETABLE else [wrong]:
            found = mistakes(with_rows(table, changed), WORLD, CHECKS)
            for row in changed:
                assert any(line.startswith(f"{NAME}:{row.line}: {row}: ") for line in found), (column, row, found)


def test_a_wrong_day_of_the_week_is_found() -> None:
    cells = ((t, row, column) for t in DOCUMENT.tables for row in t.rows for column in row.cells)
    for table, row, column in cells:
        wrong = with_wrong_day(row[column])
        if column not in REMARKS and wrong:
            found = mistakes(with_rows(table, [with_cell(row, column, wrong)]), WORLD, CHECKS)
            assert any(line.startswith(f"{NAME}:{row.line}: ") for line in found), (column, row, found)


def test_a_page_that_is_left_out_is_found() -> None:
    for table in (t for t in DOCUMENT.tables if t.header == TIMETABLE):
        for place, row in enumerate(table.rows[:-1]):
            if row["Who is paged"] != NONE:
                rows = (*table.rows[:place], *table.rows[place + 1 :])
                assert mistakes(replace(table, rows=rows), WORLD, CHECKS), row


def test_a_table_without_rows_or_with_one_too_many_is_found() -> None:
    for table in DOCUMENT.tables:
        (found,) = mistakes(replace(table, rows=()), WORLD, CHECKS)
        assert found.startswith(f"{NAME}:{table.line}: this table has no rows: ")
        # What follows from its own row alone may stand twice, and so may what somebody does.
        if not INPUTS[table.header] and table.rows[-1].cells.get("Who is paged") != NONE:
            assert mistakes(replace(table, rows=(*table.rows, table.rows[-1])), WORLD, CHECKS), table


def test_a_table_of_another_form_is_found() -> None:
    table = DOCUMENT.tables[0]
    header = (*table.header[:-1], "Colour")
    assert mistakes(replace(table, header=header), WORLD, CHECKS) == [
        f"{NAME}:{table.line}: nothing checks this table: | {' | '.join(header)} |"
    ]


def test_a_changed_document_fails_with_the_line_of_the_row() -> None:
    right, wrong = (
        "| Sun 2026-01-11 00:10 | Dora | step 3: manager |",
        "| Sun 2026-01-11 00:10 | Ben | step 3: manager |",
    )
    document = read(TEXT.replace(right, wrong, 1))
    world = World(document, teams(document.blocks))
    number = TEXT.split("\n").index(right) + 1
    found = [line for table in document.tables for line in mistakes(table, world, CHECKS)]
    assert found == [f'{NAME}:{number}: {wrong}: Who is paged: "Ben" should be "Dora"']


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("|---|---|---|\n| Sat 2026-01-10 23:40", "| Sat 2026-01-10 23:40", "header is underlined"),
        ("| At | Who is paged | Why |\n", "| At | At | Why |\n", "two columns of one name"),
        ("| Sat 2026-01-10 23:40 | Ana |", "| Sat 2026-01-10 23:40 |", "2 columns, not 3"),
        ("| At | Who is paged | Why |\n|---|", "At | Who is paged | Why\n---|", "a bar at the start of each line"),
        ("|---|---|---|---|---|---|\n", "|---|---|---|---|---|---|\ntext\n", "followed by an empty line"),
        ("\n| Word |", "text\n| Word |", "needs an empty line before it"),
        ("**Given** the team *Usual*.\n", "**Given** the team *Usual*.\nand more\n", "in one line, not in two"),
        ("# Team Usual\n", "time_zone = 1\n", "a block is a team in TOML"),
        ("# Team Berlin\n", "# Team Usual\n", '"Usual" stands twice'),
        ("# Team Two hats: Usual, and", "# Team Two hats: Usuall, and", "does not stand above it"),
        ("```toml\n# Team Usual", "```python\n# Team Usual", "a block is a team in TOML"),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_read_so_is_refused(right: str, wrong: str, message: str) -> None:
    assert right in TEXT
    with pytest.raises(Wrong, match=message):
        teams(read(TEXT.replace(right, wrong, 1)).blocks)


def test_a_team_with_a_mistake_is_named() -> None:
    text = TEXT.replace('person = "ana"\nstart = 2026-01-10', 'person = "anna"\nstart = 2026-01-10', 1)
    with pytest.raises(TeamFileError, match=r'team Two hats:\d+: overrides.*person: nobody has the id "anna"'):
        teams(read(text).blocks)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Sun 2026-01-10 23:40 | Ana | step 1: primary", "2026-01-10 is a Sat, not a Sun"),
        ("Sat 2026-01-10 24:00 | Ana | step 1: primary", "is not written like Mon 2026-01-05 09:00"),
        ("Fri 2026-02-30 09:00 | Ana | step 1: primary", "2026-02-30 is not in the calendar"),
        ("Sun 2026-03-08 02:30 | Ana | step 1: primary", "no clock in America/Los_Angeles shows Sun 2026-03-08 02:30"),
        ("Sat 2026-01-10 23:40 (second time) | Ana | step 1: primary", "no clock in America/Los_Angeles shows"),
        ("Sat 2026-01-10 23:39 | Ana | step 1: primary", "this row goes back in time"),
        ("Sat 2026-01-10 23:41 | Ana | step 1: primary", 'At: "Sat 2026-01-10 23:41" should be "Sat 2026-01-10 23:40"'),
        ("Sat 2026-01-10 23:40 | – | Zoe acknowledges", "nobody is called Zoe"),
    ],
)
def test_a_row_that_cannot_be_meant_so_is_named(row: str, message: str) -> None:
    table = next(t for t in DOCUMENT.tables if t.header == TIMETABLE)
    first = replace(table.rows[0], cells=dict(zip(table.header, row.split(" | "), strict=True)))
    found = mistakes(replace(table, rows=(first, *table.rows[1:])), WORLD, CHECKS)
    assert found[0].startswith(f"{NAME}:{first.line}: | {row} |: ")
    assert message in found[0]


def test_what_is_given_must_be_understood_and_be_enough() -> None:
    table = next(t for t in DOCUMENT.tables if t.header == TIMETABLE)
    for given, message in (
        ("", "nothing is given for this table"),
        ("the team *Usual*.", "it is not given what is needed here"),
        ("the team *Unusual*; a SEV-0 at Sat 2026-01-10 23:40.", 'there is no team "Unusual"'),
        ("the team *Usual*; a SEV-0 at Sat 2026-01-10 23:40; it rains.", "is not understood here: it rains"),
        ("the team *Usual*; a SEV-9 at Sat 2026-01-10 23:40.", '"SEV-9" is no severity'),
    ):
        (found,) = mistakes(replace(table, given=given), WORLD, CHECKS)
        assert message in found


def with_cell(row: Row, column: str, text: str) -> Row:
    return replace(row, cells={**row.cells, column: text})


def with_rows(table: Table, changed: list[Row]) -> Table:
    """Return ``table`` with the rows of ``changed`` in their lines."""
    by_line = {row.line: row for row in changed}
    return replace(table, rows=tuple(by_line.get(row.line, row) for row in table.rows))


def answers(row: Row, column: str) -> bool:
    """Tell whether what stands in ``column`` follows from the rules; when people do something is theirs."""
    return not (column == "At" and row.cells.get("Who is paged") == NONE)


def another(table: Table, row: Row, column: str) -> str:
    """Return a text that a cell of ``column`` could hold, other than the one that ``row`` has."""
    alike = (r[column] for t in DOCUMENT.tables if t.header == table.header for r in t.rows)
    return next((text for text in alike if text != row[column]), "Zoe")


def with_wrong_day(text: str) -> str:
    """Return ``text`` with the first name of a day changed, "" when there is none."""
    found = re.search(rf"({'|'.join(DAYS)})(?= \d{{4}}-)", text)
    if found is None:
        return ""
    wrong = DAYS[(DAYS.index(found[1]) + 1) % 7]
    return text[: found.start()] + wrong + text[found.end() :]
