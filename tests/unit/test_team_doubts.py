"""Addresses that are secrets themselves, and what is allowed in a team file but should be looked at."""

import pytest

from desktop.domain.errors import TeamFileError
from desktop.team import parse
from tests.unit.test_team_mistakes import HEAD, HERE

MEND = 'keep the whole URL in the keyring or the environment and write "keyring:NAME" or "env:NAME".'
PLACES = (
    ('[[people]]\nid = "dan"\nnotify = ["{}"]\n', "people[4].notify[1]", 2),
    ('[[emergency_contacts]]\nname = "x"\nnotify = ["{}"]\n', "emergency_contacts[1].notify[1]", 2),
    ('[channels]\nincidents = "{}"\n', "channels.incidents", 1),
)


def warnings(added: str) -> list[str]:
    return [str(warning) for warning in parse(HEAD + added, "team.toml").warnings]


@pytest.mark.parametrize(
    "address",
    [
        "slack://xoxb-1-2-x/chan",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
        "tgram://123456789:abcdefg_hijklmnop/12315544",
        "https://TOKEN@example.com/hook",
        "jsons://ana:pw@example.com/hook",
        "json://example.com/hook?token=abc",
        "json://example.com/hook?+Authorization=Bearer",
        "json://example.com/hook?x=0123456789abcdef",
        "json://example.com/hook#0123456789abcdef",
        "json://example.com/%301234%3567890abcdef",
        "json://example.com/aaaabbbbccccddddeeee",
        "pagerduty://A1B2C3D4E5F6",
        "mailto://ana:pw@example.com",
        "mailtos://example.com?user=ana&pass=pw",
        "json://[::1",
    ],
)
def test_an_address_with_a_login_or_a_token_is_a_mistake_that_does_not_repeat_it(address: str) -> None:
    for added, key, line in PLACES:
        with pytest.raises(TeamFileError) as refused:
            parse(HEAD + added.format(address), "team.toml")
        message = f"holds what looks like a password or a token: {MEND}"
        assert str(refused.value) == f"team.toml:{HERE + line}: {key}: {message}"


@pytest.mark.parametrize(
    "address",
    [
        "ntfy://example.com/oncall",
        "ntfy://oncall-2026",
        "jsons://alerts2.example.com:8443/team/payments?verify=yes",
        "json://a0123456789abcdef.example.com/",
        "json://[2001:db8:1234:5678:9abc::1]:8080/x",
    ],
)
def test_any_other_address_but_mail_is_a_warning(address: str) -> None:
    for added, key, line in PLACES:
        message = f"whoever knows such an address can often write there: {MEND}"
        assert warnings(added.format(address)) == [f"team.toml:{HERE + line}: {key}: {message}"]


@pytest.mark.parametrize(
    "address",
    ["keyring:dan", "env:DAN", "mailto://dan@example.com", "MAILTOS://averylongnameofsomebody1234@example.com"],
)
def test_references_and_mail_are_no_warning(address: str) -> None:
    for added, _, _ in PLACES:
        assert warnings(added.format(address)) == []


# Absences.


def away(start: str, end: str, cover: str) -> str:
    times = f"start = 2026-02-{start}T00:00:00\nend = 2026-02-{end}T00:00:00\n"
    return (
        f'[[absences]]\nperson = "ana"\n{times}cover = "{cover}"\n'
        if cover
        else (f'[[absences]]\nperson = "ana"\n{times}')
    )


def test_overlapping_absences_with_different_covers_are_a_warning() -> None:
    (told,) = warnings(away("03", "06", "cho") + away("01", "05", "ben"))
    assert told == (
        f"team.toml:{HERE + 4}: absences[1].cover: "
        "ana is away then already, covered by ben: the one written first is asked."
    )


def test_the_cover_that_was_named_before_the_latest_counts_too() -> None:
    three = away("01", "09", "ben") + away("02", "03", "ben") + away("04", "05", "cho") + away("06", "07", "ben")
    assert [w.split(": ")[1] for w in warnings(three)] == ["absences[3].cover"]
    four = away("01", "08", "ben") + away("02", "09", "cho") + away("04", "05", "cho")
    assert [w.split(": ")[1] for w in warnings(four)] == ["absences[2].cover", "absences[3].cover"]


@pytest.mark.parametrize(
    "absences",
    [
        away("01", "05", "ben") + away("03", "06", "ben"),
        away("01", "05", "ben") + away("05", "06", "cho"),
        away("01", "05", "ben") + away("03", "06", ""),
        away("01", "05", "ben")
        + away("03", "06", "cho").replace('"ana"', '"dan"').join(['[[people]]\nid = "dan"\n', ""]),
    ],
)
def test_other_absences_are_no_warning(absences: str) -> None:
    assert warnings(absences) == []


# Weeks.


def test_a_row_with_one_person_in_two_roles_is_a_warning() -> None:
    second = '[rotation.secondary]\nmembers = ["ben", "cho"]\nstart = 2026-01-05T09:00:00\nevery = "1 week"\n'
    row = '[[weeks]]\nstart = 2026-01-12\nprimary = "ana"\nsecondary = "{}"\n'
    assert warnings(second + row.format("ben")) == []
    (told,) = warnings(second + row.format("ana"))
    assert told == (
        f"team.toml:{HERE + 7}: weeks[1].secondary: "
        "ana is primary in this row too: somebody else will cover as secondary."
    )


@pytest.mark.parametrize("schema", ["syslog", "dbus", "https", "pagerduty"])
def test_an_address_to_which_nothing_is_sent_is_a_warning(schema: str) -> None:
    for added, key, line in PLACES:
        [warning] = warnings(added.format(f"{schema}://localhost"))
        assert warning.startswith(f'team.toml:{HERE + line}: {key}: messages are not sent to "{schema}" addresses; ')
