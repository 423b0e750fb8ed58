"""Files that are no TOML, no text, too large; and on which line each key stands."""

import tomllib
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.errors import Problem, TeamFileError
from desktop.team import document, load, parse
from desktop.team.positions import lines
from tests.unit.test_team import SMALL, WHOLE


def mistake(text: str) -> str:
    with pytest.raises(TeamFileError) as caught:
        parse(text, "team.toml")
    (problem,) = caught.value.problems
    return str(problem)


def mistake_of(path: Path, raw: bytes) -> str:
    path.write_bytes(raw)
    with pytest.raises(TeamFileError) as caught:
        load(path)
    (problem,) = caught.value.problems
    return str(problem)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1\nb = = 2\n", "team.toml:2: is not TOML, at column 5: Invalid value."),
        ("[people", "team.toml: is not TOML: Expected ']' at the end of a table declaration, at the end of the file."),
        ("a = 1\na = 2\n", "team.toml:2: is not TOML, at column 6: Cannot overwrite a value."),
        ("a = 2026-02-30 7\n",
         "team.toml:1: is not TOML, at column 18: Expected newline or end of document after a statement."),
        ("a = \x00\n", "team.toml:1: is not TOML, at column 5: Invalid value."),
        ("a = " + "[" * 100_000, "team.toml: is nested too deeply."),
    ],
)  # fmt: skip
def test_what_is_not_toml_is_told_with_line_and_column(text: str, expected: str) -> None:
    assert mistake(text) == expected


def test_a_number_without_end_is_told() -> None:
    assert mistake("a = " + "9" * 10_000).startswith("team.toml: is not TOML: Exceeds the limit")


def test_bytes_that_are_not_utf8_are_told_with_their_line(tmp_path: Path) -> None:
    found = mistake_of(tmp_path / "team.toml", b'a = 1\nb = "\xff"\n')
    assert found == "team.toml:2: is not UTF-8 (byte 0xff): save the file as UTF-8."


def test_a_large_file_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    path = tmp_path / "team.toml"
    with path.open("wb") as file:
        file.truncate(10 * 1024 * 1024 * 1024)
    with pytest.raises(TeamFileError, match="is larger than 1024 KiB: that is no team file"):
        load(path)


def test_a_large_text_is_refused() -> None:
    assert mistake("#" * (document.LIMIT + 1)) == "team.toml: is larger than 1024 KiB: that is no team file."
    assert parse(SMALL + "#" * (document.LIMIT - len(SMALL)), "team.toml").people


def test_too_many_impossible_dates_are_told_as_one() -> None:
    assert mistake("a = [" + "2026-02-30, " * 200 + "]") == (
        "team.toml: is not TOML: too many dates that are not in the calendar."
    )


def test_every_key_table_and_element_has_its_line() -> None:
    text = (
        '# a comment with [brackets] = "and" quotes\n'
        "a = 1 # another\n"
        "b.c . \"d e\" = 'x'\n"
        "list = [ # here\n"
        "  1,\n"
        "  [2, 3], { x = 1, y = [\n"
        "4] },\n"
        "]\n"
        'many = """\n'
        "not = a key\n"
        '""quotes"""""\n'
        "[t]\n"
        "[[t.u]]\n"
        "k = '''\n'''\n"
        "[[t.u]]\n"
        "[t.u.v]\n"
        "w = 2026-01-05 09:00:00\n"
    )
    assert lines(text) == {
        ("a",): 2, ("b",): 3, ("b", "c"): 3, ("b", "c", "d e"): 3,
        ("list",): 4, ("list", 0): 5, ("list", 1): 6, ("list", 1, 0): 6, ("list", 1, 1): 6,
        ("list", 2): 6, ("list", 2, "x"): 6, ("list", 2, "y"): 6, ("list", 2, "y", 0): 7,
        ("many",): 9, ("t",): 12, ("t", "u"): 13, ("t", "u", 0): 13, ("t", "u", 0, "k"): 14,
        ("t", "u", 1): 16, ("t", "u", 1, "v"): 17, ("t", "u", 1, "v", "w"): 18,
    }  # fmt: skip
    assert paths(tomllib.loads(text)) == set(lines(text))


def paths(value: object, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Return the way to everything within ``value``."""
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    if isinstance(value, list):
        inner = list(enumerate(value))
    return ({path} if path else set()).union(*(paths(v, (*path, k)) for k, v in inner))


words = st.text(max_size=6).filter(lambda s: s.isprintable())
values = st.recursive(
    st.integers(-9, 9) | st.booleans() | st.floats(allow_nan=False) | st.dates() | st.datetimes() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(words, values, max_size=5))
def test_whatever_toml_says_is_found_by_both_readers(data: dict[str, object]) -> None:
    text = tomlkit.dumps(data).replace("\r\n", "\n")
    assert paths(tomllib.loads(text)) == set(lines(text))


@given(st.text())
def test_any_text_is_a_team_or_a_list_of_mistakes(text: str) -> None:
    check(text)


@given(
    st.integers(0, len(WHOLE)),
    st.integers(0, 12),
    st.text(max_size=4) | st.sampled_from(['"', "[[", "= 1", "\n", "2026-02-31"]),
)
def test_a_team_file_damaged_anywhere_is_a_team_or_a_list_of_mistakes(at: int, length: int, put: str) -> None:
    check(WHOLE[:at] + put + WHOLE[at + length :])


def check(text: str) -> None:
    for problem in problems(text):
        assert "\n" not in str(problem)
        assert len(str(problem)) < 600
        assert 0 <= problem.line <= text.count("\n") + 1


def problems(text: str) -> tuple[Problem, ...]:
    """Return the mistakes of ``text``, none when it is a team; any other error is the caller's."""
    try:
        return parse(text, "team.toml").warnings
    except TeamFileError as error:
        return error.problems
