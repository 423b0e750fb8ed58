"""Which secrets a team file refers to, and that a file which is sent names none but those vouched for."""

import pytest

from desktop.domain.errors import TeamFileError
from desktop.team.references import check_vouched, named

TEAM = """
time_zone = "UTC"
[[people]]
id = "ana"
notify = ["keyring:ana-phone", "mailto://ana@example.com"]
[[emergency_contacts]]
name = "Director"
notify = ["env:DIRECTOR"]
[[services]]
id = "payments"
integration_key = "env:PAYMENTS"
[channels]
incidents = "keyring:slack"
"""
ALL = {"channel keyring:ana-phone", "channel env:DIRECTOR", "integration_key env:PAYMENTS", "channel keyring:slack"}


def test_every_reference_is_found_with_its_use() -> None:
    assert named(TEAM, "team.toml") == ALL


def test_no_mail_address_is_a_reference() -> None:
    assert not any("mailto" in reference for reference in named(TEAM, "team.toml"))


@pytest.mark.parametrize("missing", sorted(ALL))
def test_each_one_must_be_vouched_for(missing: str) -> None:
    check_vouched(TEAM, "team.toml", ALL)
    with pytest.raises(TeamFileError, match=missing.partition(" ")[2]) as refused:
        check_vouched(TEAM, "team.toml", ALL - {missing})
    assert len(refused.value.problems) == 1


def test_a_secret_serves_only_what_it_was_named_for() -> None:
    swapped = TEAM.replace("env:PAYMENTS", "keyring:slack")
    with pytest.raises(TeamFileError) as refused:
        check_vouched(swapped, "team.toml", ALL)
    (problem,) = refused.value.problems
    assert (problem.line, problem.key) == (11, "services[1].integration_key")
    assert "use one of: env:PAYMENTS" in problem.message


def test_all_of_them_are_told_in_the_order_of_the_file() -> None:
    with pytest.raises(TeamFileError) as refused:
        check_vouched(TEAM, "team.toml", {"channel env:DIRECTOUR"})
    assert [p.line for p in refused.value.problems] == [5, 8, 11, 13]
    assert 'did you mean "env:DIRECTOUR"?' in refused.value.problems[1].message


@pytest.mark.parametrize(
    "text", ["people = 3", "services = [3]", 'channels = "x"', "[[people]]\nnotify = 4", "[[services]]\nid = 1"]
)
def test_what_is_no_team_file_has_no_references(text: str) -> None:
    assert named(text, "team.toml") == frozenset()
