"""What every error tells a person, and what can be told from its kind."""

import re

import pytest

from desktop.domain import errors
from desktop.domain.errors import (
    BackendError,
    BackendFault,
    InputError,
    Problem,
    RateLimited,
    Rejected,
    TeamFileError,
    Unreachable,
    WatchbellError,
)


def kinds(kind: type[WatchbellError] = WatchbellError) -> list[type[WatchbellError]]:
    """Return the errors of the tree, and none that another module adds to it."""
    here = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    return [kind, *(found for child in here for found in kinds(child))]


def test_an_error_says_what_happened_and_when_to_try_again() -> None:
    error = WatchbellError("The disk is full: free some space.", retry_after=7.5)
    assert str(error) == error.message == "The disk is full: free some space."
    assert error.retry_after == 7.5
    assert (error.title, error.retryable) == ("Something went wrong", False)
    assert WatchbellError("x").retry_after is None


def test_one_error_can_have_its_own_title() -> None:
    assert (InputError("x", title="Not a date").title, InputError("x").title) == ("Not a date", "That is not right")


def test_every_kind_has_a_title_of_its_own() -> None:
    titles = [kind.title for kind in kinds()]
    assert len(set(titles)) == len(titles)
    assert all(title == title.strip() != "" for title in titles)


def test_the_tree_that_is_drawn_is_the_tree() -> None:
    drawn = re.findall(r"^[│ ]*[├└]── (\w+)", errors.__doc__ or "", re.MULTILINE)
    assert sorted(drawn) == sorted(kind.__name__ for kind in kinds()[1:])


def test_what_may_succeed_later_is_known_by_its_kind() -> None:
    assert {kind for kind in kinds() if kind.retryable} == {Unreachable, RateLimited, BackendFault}


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (Problem("team.toml", 7, "people.ana", "no name"), "team.toml:7: people.ana: no name"),
        (Problem("team.toml", 0, "people", "missing"), "team.toml: people: missing"),
        (Problem("team.toml", 7, "", "not TOML"), "team.toml:7: not TOML"),
        (Problem("team.toml", 0, "", "too big"), "team.toml: too big"),
    ],
)
def test_a_mistake_says_where_it_is(problem: Problem, said: str) -> None:
    assert str(problem) == said


def test_every_mistake_of_a_team_file_is_told_in_its_order() -> None:
    second, first = Problem("t", 2, "b", "wrong"), Problem("t", 1, "a", "wrong")
    error = TeamFileError([second, first])
    assert error.problems == (second, first)
    assert error.message == str(error) == "t:2: b: wrong\nt:1: a: wrong"
    assert isinstance(error, InputError)


@pytest.mark.parametrize(("mistakes", "last"), [(100, "t:100: b: wrong"), (101, "and 1 more."), (350, "and 250 more.")])
def test_of_many_mistakes_a_hundred_are_told(mistakes: int, last: str) -> None:
    error = TeamFileError([Problem("t", n, "b", "wrong") for n in range(1, mistakes + 1)])
    assert len(error.problems) == mistakes
    lines = error.message.split("\n")
    assert lines[:100] == [f"t:{n}: b: wrong" for n in range(1, 101)]
    assert (lines[-1], len(lines)) == (last, min(mistakes, 101))


def test_a_refusal_keeps_the_code_of_pagerduty() -> None:
    error = Rejected("pager.example refused", code=1001, reasons=["no title", "no service"])
    assert error.reasons == ("no title", "no service")
    assert Rejected("x").reasons == ()
    assert (str(error), error.message, error.code) == ("pager.example refused", "pager.example refused", 1001)
    assert Rejected("x").code is None
    assert isinstance(error, BackendError)
