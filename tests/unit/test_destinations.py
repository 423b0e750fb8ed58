"""Addresses in a team file before anything is sent: which cannot be used, which are near, and who has none."""

from dataclasses import dataclass

import pytest

from desktop import team as teams
from desktop.channels import checking
from desktop.channels.sending import UNREADABLE
from desktop.domain.errors import TeamFileError
from desktop.team.destinations import check, without

TEAM = """
time_zone = "UTC"
[[people]]
id = "ana"
name = "Ana Ruiz"
notify = ["keyring:ana", "mailto://good@example.com", "mailto://bad@example.com"]
[[people]]
id = "ben"
name = "Ben Okafor"
[[emergency_contacts]]
name = "Director"
notify = ["mailto://near@example.com", "elsewhere://bad"]
[[emergency_contacts]]
name = "Board"
[channels]
incidents = "mailto://bad@example.com"
status_page = "https://bad.example.com"
"""


@dataclass
class Found:
    fault: str = ""
    private: bool = False


def look(address: str) -> Found:
    return Found("it is bad" if "bad" in address else "", private="near" in address)


def test_every_address_that_is_written_out_is_looked_at_and_named_with_its_line() -> None:
    with pytest.raises(TeamFileError) as wrong:
        check(TEAM, "team.toml", look)
    assert [str(problem) for problem in wrong.value.problems] == [
        "team.toml:6: people[1].notify[3]: cannot be used: it is bad",
        "team.toml:16: channels.incidents: cannot be used: it is bad",
    ]


def test_what_is_near_is_a_note() -> None:
    (note,) = check(TEAM.replace("mailto://bad@", "mailto://fine@"), "team.toml", look)
    assert (note.line, note.key) == (12, "emergency_contacts[1].notify[1]")
    assert "--allow-private-channels" in note.message


def test_who_has_no_address_is_named() -> None:
    assert without(teams.parse(TEAM, "team.toml")) == (
        "no address (notify) of Ben Okafor: only Watchbell where they work can show them a page.",
        "no address (notify) of Board among the emergency contacts: no page reaches them.",
    )
    everybody = TEAM.replace('"Ben Okafor"', '"Ben"\nnotify = ["env:B"]').replace('"Board"', '"B"\nnotify = ["env:B"]')
    assert without(teams.parse(everybody, "team.toml")) == ()


@pytest.mark.parametrize(("many", "end"), [(20, "p19:"), (21, "p19 and 1 more:"), (500, "p19 and 480 more:")])
def test_many_are_counted(many: int, end: str) -> None:
    people = "".join(f'[[people]]\nid = "p{n}"\n' for n in range(many))
    (said,) = without(teams.parse(f'time_zone = "UTC"\n{people}', "team.toml"))
    assert said.startswith("no address (notify) of p0, p1, ")
    assert f"{end} only" in said


@pytest.mark.parametrize(
    "address",
    [
        *("slack://short", "tgram://x", "twilio://a", "discord://a", "mailto://ana", "json://127.1:8599/x"),
        *("json://[::ffff:127.0.0.1]:80/x", "json://", "mailto://ana@10.0.0.1"),
    ],
)
def test_what_the_sender_would_refuse_is_refused(address: str) -> None:
    assert checking.check(address).fault == UNREADABLE


def test_so_is_what_the_sender_does_not_allow() -> None:
    assert checking.check("json://example.com/x?verify=no").fault == "the address must not say verify=no"


@pytest.mark.parametrize(
    "address",
    [
        *("json://127.0.0.1:8599/x", "json://[::ffff:127.0.0.1]/x", "json://localhost/x", "json://2130706433/x"),
        *("ntfys://10.0.0.1/topic", "mailto://ana@example.com?smtp=10.0.0.3", "mmost://10.0.0.1/abcdefghijklmnopqrst"),
        *("json://[fe80::1]/x", "form://0x7f000001/x", "xml://a.localhost/x"),
    ],
)
def test_a_machine_of_this_network_that_is_written_out_is_private(address: str) -> None:
    assert checking.check(address) == checking.Checked(private=True)


@pytest.mark.parametrize(
    "address",
    [
        *("mailto://ana@example.com", "json://example.com/x", "json://8.8.8.8/x", "ntfy://topic", "ntfy://12345"),
        # A number to call, and a token: no machine, although a system would take each for one.
        "twilio://AC0123456789012345678901234567890a:0123456789abcdef0123456789abcdef@12345/15551234567",
        "pover://u23456789012345678901234567890@a23456789012345678901234567890",
    ],
)
def test_everything_else_is_as_good_as_one_can_see(address: str) -> None:
    assert checking.check(address) == checking.Checked()


def test_a_plugin_that_fails_makes_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> object:
        raise RuntimeError("slack://secret")

    monkeypatch.setattr("desktop.channels.sending.build", broken)
    assert checking.check("slack://secret") == checking.Checked(UNREADABLE)
