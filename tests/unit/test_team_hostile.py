"""Team files that nobody would write: each is answered with lines, and with little work. Work is counted, not timed."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from importlib.machinery import PathFinder
from itertools import pairwise

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.errors import Problem, TeamFileError
from desktop.team import holiday_dates, parse, reader
from desktop.team.circles import Covered, circles
from desktop.team.positions import DEEPEST
from tests.unit.test_team_mistakes import HEAD, HERE

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def error(text: str) -> TeamFileError:
    with pytest.raises(TeamFileError) as caught:
        parse(text, "team.toml")
    return caught.value


def told(text: str) -> list[str]:
    return [str(problem) for problem in error(text).problems]


def people(ids: Sequence[str]) -> str:
    return "".join(f'[[people]]\nid = "{each}"\n' for each in ids)


def secondary(members: str) -> str:
    return f'[rotation.secondary]\nmembers = [{members}]\nstart = 2026-01-05T09:00:00\nevery = "1 week"\n'


def away(person: str, cover: str, start: int = 0, end: int = 86_400) -> str:
    times = ((datetime(2026, 2, 1) + timedelta(seconds=n)).isoformat() for n in (start, end))
    return '[[absences]]\nperson = "{}"\ncover = "{}"\nstart = {}\nend = {}\n'.format(person, cover, *times)


# How much is told.


def test_a_file_of_mistakes_is_read_only_so_far() -> None:
    found = told(HEAD + people(["d d"] * 5000))
    assert len(found) == reader.MOST + 1
    assert (
        found[0]
        == f'team.toml:{HERE + 1}: people[4].id: "d d" is no id: use letters, digits and . _ @ + - (no spaces).'
    )
    assert found[-1] == "team.toml: was read only as far as its first 1000 mistakes."


def test_the_message_has_a_hundred_lines_and_says_how_many_more_there_are() -> None:
    problems = [Problem("team.toml", n, "k", "is wrong.") for n in range(1, 102)]
    assert str(TeamFileError(problems[:100])).splitlines() == [str(p) for p in problems[:100]]
    assert str(TeamFileError(problems)).splitlines() == [*(str(p) for p in problems[:100]), "and 1 more."]


def test_so_many_warnings_are_enough() -> None:
    late = away("ana", "ben") + "announced = 2026-01-31\n"
    assert len(parse(HEAD + late * 10, "team.toml").warnings) == 10
    assert len(parse(HEAD + late * (reader.MOST + 10), "team.toml").warnings) == reader.MOST


# What takes long to look up.


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by how many names a word was compared with."""
    counts = []

    def counted(word: str, names: dict[str, str], n: int, cutoff: float) -> list[str]:
        counts.append(len(names))
        return get_close_matches(word, names, n=n, cutoff=cutoff)

    monkeypatch.setattr("desktop.team.words.get_close_matches", counted)
    return counts


def test_the_nearest_word_is_looked_for_until_that_was_enough(compared: list[int]) -> None:
    wrong = ", ".join(f'"pp{n}"' for n in range(500))
    found = told(HEAD + people([f"p{n}" for n in range(500)]) + secondary(wrong))
    assert found[0].endswith('members[1]: nobody has the id "pp0"; did you mean "p0"?')
    assert found[400].endswith('members[401]: nobody has the id "pp400".')
    assert 5_000 < sum(compared) <= 20_000


def test_among_a_few_names_it_is_looked_for_seven_hundred_times(compared: list[int]) -> None:
    found = told(HEAD + "[channels]\n" + "".join(f"incident{n} = 1\n" for n in range(700)))
    assert all(line.endswith('unknown key; did you mean "incidents"?') for line in found)
    assert len(compared) == 700


def test_among_very_many_names_none_is_looked_for(compared: list[int]) -> None:
    ids = [f"p{n}" for n in range(12_000)]
    found = told(HEAD + people(ids) + secondary('"q"') + "[channels]\nincident = 1\n")
    assert found[0].endswith('nobody has the id "q".')
    assert found[-1].endswith('unknown key; did you mean "incidents"?')
    assert sum(compared) < 100


# What is nested.


@pytest.mark.parametrize(
    "key", ["a" + ".a" * 50_000, '""' + '.""' * 50_000, "'a'" + " . 'a'" * 50_000, "[a" + ".b" * 50_000 + "]"]
)
def test_a_key_of_fifty_thousand_parts(key: str) -> None:
    assert told(f"# Python's own reader would fill the memory.\n{key} = 1\n") == ["team.toml:2: is nested too deeply."]


@pytest.mark.parametrize("line", ["a = {}1{}", "a = {}{{a = 1}}{}", "a.b = {}{}"])
def test_arrays_in_arrays(line: str) -> None:
    def nested(depth: int) -> str:
        return line.format("[" * depth, "]" * depth)

    assert told(HEAD.replace("time_zone", nested(DEEPEST - 3) + "\ntime_zone"))[0].endswith(
        'unknown key; did you mean "absences"?'
    )
    assert told(nested(DEEPEST + 1)) == ["team.toml: is nested too deeply."]
    assert told(nested(100_000)) == ["team.toml: is nested too deeply."]


def test_inline_tables_with_dotted_keys() -> None:
    assert told("a = " + "{a.a.a.a.a = " * 10 + "1" + "}" * 10) == ["team.toml: is nested too deeply."]


def test_sixty_dots_in_a_text_are_no_nesting() -> None:
    text = f'[[services]]\nid = "x"\nname = "{"." * 70} {".".join("ab" * 20)} {"a. " * 10}"\n'
    assert parse(HEAD + text, "team.toml").services


# Dates that are not in the calendar.


def test_dates_with_a_line_each_are_mended_in_one_reading() -> None:
    wrong = "".join(f"[[weeks]]\nstart = 2026-02-30 # {n}\nprimary = 'ana'\n" for n in range(50))
    assert [m.split(": ")[1] for m in told(HEAD + wrong)] == [f"weeks[{n}].start" for n in range(1, 51)]


def test_dates_in_one_line_are_mended_one_by_one() -> None:
    wrong = "holidays.extra = [" + "{ date = 2026-02-30 }, " * 15 + "]\n"
    assert len(told(wrong + HEAD)) == 15


def test_a_long_text_is_not_read_so_often() -> None:
    wrong = "holidays.extra = [" + "{ date = 2026-02-30 }, " * 15 + "]\n"
    assert told(wrong + HEAD + "# filler\n" * 50_000) == [
        "team.toml: is not TOML: too many dates that are not in the calendar."
    ]


# Covers.


def test_covers_that_branch_are_followed_once() -> None:
    """Thirty people with ten absences each, covered by the next one: 10 to the power of 30 ways, and no circle."""
    ids = [f"p{n}" for n in range(31)]
    text = "".join(away(one, other, n) for one, other in pairwise(ids) for n in range(10))
    assert len(parse(HEAD + people(ids) + text, "team.toml").absences) == 300
    (mistake,) = told(HEAD + people(ids) + text + away("p30", "p0"))
    assert mistake.endswith(f"the covers go round in a circle from 2026-02-01 00:00 on: {' → '.join([*ids, 'p0'])}.")


def test_of_a_large_circle_forty_people_are_told() -> None:
    ids = [f"p{n}" for n in range(100)]
    (mistake,) = told(HEAD + people(ids) + "".join(away(one, other) for one, other in pairwise([*ids, "p0"])))
    assert mistake.endswith(f"on: {' → '.join([*ids[:20], '…', *ids[81:], 'p0'])}.")


def test_covers_in_a_very_long_row() -> None:
    ids = [f"p{n}" for n in range(1500)]
    text = "".join(away(one, other) for one, other in pairwise(ids))
    assert len(parse(HEAD + people(ids) + text, "team.toml").absences) == 1499


covered = st.builds(
    lambda person, cover, start, length: (person, cover, start, start + length),
    st.sampled_from("abcde"),
    st.sampled_from("abcde"),
    st.integers(0, 8),
    st.integers(1, 5),
).filter(lambda one: one[0] != one[1])


@given(st.lists(covered, max_size=10))
def test_there_is_a_circle_where_one_can_go_round_at_some_instant(raw: list[tuple[str, str, int, int]]) -> None:
    absences = [
        Covered(n, person, cover, T0 + start * timedelta(hours=1), T0 + end * timedelta(hours=1))
        for n, (person, cover, start, end) in enumerate(raw)
    ]
    found = list(circles(absences))
    assert bool(found) == any(goes_round(absences, T0 + hour * timedelta(hours=1)) for hour in range(14))
    for circle in found:
        assert circle[0].number == min(one.number for one in circle)
        assert [one.cover for one in circle] == [one.person for one in (*circle[1:], circle[0])]
        assert max(one.start for one in circle) < min(one.end for one in circle)
    begins = [max(one.start for one in circle) for circle in found]
    assert len(set(zip(begins, [frozenset(one.person for one in c) for c in found], strict=True))) == len(found)
    for hour in range(14):
        at = T0 + hour * timedelta(hours=1)
        if goes_round(absences, at) and not goes_round(absences, at - timedelta(hours=1)):
            assert at in begins


def goes_round(absences: Sequence[Covered], at: datetime) -> bool:
    """Take away, again and again, everybody who covers nobody: whoever is left covers in a circle."""
    left = [(a.person, a.cover) for a in absences if a.start <= at < a.end]
    while True:
        fewer = [(person, cover) for person, cover in left if any(cover == other for other, _ in left)]
        if len(fewer) == len(left):
            return bool(left)
        left = fewer


# The library of holidays.


def test_of_the_countries_only_the_one_that_is_named_is_imported() -> None:
    code = (
        "import sys; from desktop.team import parse; parse(sys.stdin.read(), 't')\n"
        "print(sum(name.startswith('holidays.countries') for name in sys.modules), 'holidays' in sys.modules)"
    )
    text = HEAD + '[holidays]\ncountry = "US"\n'
    done = subprocess.run([sys.executable, "-c", code], input=text, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "True"]


@pytest.mark.parametrize("country", ["US", "DE", "GB", "GU", "JPN"])
def test_the_country_alone_has_the_same_holidays(country: str) -> None:
    team = parse(HEAD + f'[holidays]\ncountry = "{country}"\n', "team.toml")
    assert dict(team.holidays) == dict(holidays.country_holidays(country, years=holiday_dates.YEARS))


def test_a_module_that_is_no_file_is_imported_with_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PathFinder, "find_spec", lambda _name, _folders: None)
    assert holiday_dates._alone("malta") is sys.modules["holidays.countries.malta"]
