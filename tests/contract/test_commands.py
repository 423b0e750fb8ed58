"""The commands, against the real server: what they print, and how they end."""

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import requests
from icalendar import Calendar

from desktop.cli import main
from tests.fakes.http import Answer, ScriptedServer
from tests.serving import TEAM as SERVED
from tests.serving import Serving, serving

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    # A command sets up logging for its process, which here is everybody's.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def as_ana(server: Serving, monkeypatch: pytest.MonkeyPatch) -> str:
    token = server.token()
    monkeypatch.setenv("WATCHBELL_URL", server.url)
    monkeypatch.setenv("WATCHBELL_TOKEN", token)
    return token


def run(capsys: Capture, *arguments: str, expect: int = 0) -> str:
    """Run a command; return standard output, or the one line on standard error where it fails."""
    capsys.readouterr()
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    assert code == expect, err
    if expect:
        assert err.count("\n") == 1, err
        assert "Traceback" not in err
        return err
    return out


def test_a_page_from_trigger_to_resolution(as_ana: str, capsys: Capture) -> None:
    opened = json.loads(run(capsys, "page", "Disk full", "--severity", "sev0", "--service", "payments", "--json"))
    listed = json.loads(run(capsys, "incidents", "--json"))["incidents"]
    assert opened in listed
    assert set(opened) == {
        *("id", "title", "severity", "status", "service", "created_at", "escalates_at", "assignees", "acknowledged_by")
    }
    assert (opened["title"], opened["severity"], opened["status"]) == ("Disk full", "sev0", "triggered")
    assert (opened["service"], opened["assignees"], opened["acknowledged_by"]) == ("payments", ["ana"], [])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", opened["escalates_at"])
    assert "acknowledged by Ana Ruiz" in run(capsys, "ack", opened["id"])
    (acknowledged,) = json.loads(run(capsys, "ack", opened["id"], "--json"))["incidents"]
    assert (acknowledged["acknowledged_by"], acknowledged["escalates_at"]) == (["ana"], None)
    assert "resolved" in run(capsys, "resolve", opened["id"])
    assert opened["id"] not in run(capsys, "incidents")
    assert opened["id"] in run(capsys, "incidents", "--all")


def test_a_false_alarm_is_counted_as_one(server: Serving, as_ana: str, capsys: Capture) -> None:
    def false_alarms() -> int:
        headers = {"Authorization": f"Bearer {as_ana}"}
        answer = requests.get(f"{server.url}/watchbell/v1/review", headers=headers, timeout=10)
        return int(answer.json()["review"][0]["false_alarms"])

    first, second = (run(capsys, "page", "Disk full").split()[0] for _ in range(2))
    before = false_alarms()
    run(capsys, "resolve", first)
    assert false_alarms() == before
    run(capsys, "resolve", second, "--false-alarm")
    assert false_alarms() == before + 1


def test_severity_decides_the_target(as_ana: str, capsys: Capture) -> None:
    for severity, minutes in (("sev0", 15), ("sev1", 30), ("sev2", 60), ("sev3", 240)):
        it = json.loads(run(capsys, "page", f"As {severity}", "--severity", severity, "--json"))
        waits = datetime.fromisoformat(it["escalates_at"]) - datetime.fromisoformat(it["created_at"])
        assert waits.total_seconds() == minutes * 60


def test_the_same_key_is_the_same_incident(as_ana: str, capsys: Capture) -> None:
    first = run(capsys, "page", "Disk full", "--dedup", "disk-1").split()[0]
    assert run(capsys, "page", "Disk full", "--dedup", "disk-1").split()[0] == first


def test_a_title_that_begins_with_a_dash_goes_after_two(as_ana: str, capsys: Capture) -> None:
    assert "-rf / is gone" in run(capsys, "page", "--", "-rf / is gone")
    assert "-rf / is gone" in run(capsys, "page", "-rf / is gone")
    assert "goes after --" in run(capsys, "page", "-rf", expect=2)


@pytest.mark.parametrize("title", ["", "  ", "\0"])
def test_an_empty_title_is_refused(as_ana: str, capsys: Capture, title: str) -> None:
    if title == "\0":
        assert "�" in run(capsys, "page", title)
    else:
        assert "title is empty" in run(capsys, "page", title, expect=2)


def test_one_bad_id_does_not_hold_up_the_others(as_ana: str, capsys: Capture) -> None:
    good = run(capsys, "page", "Disk full").split()[0]
    assert "NOSUCH: " in run(capsys, "ack", "NOSUCH", good, expect=2)
    assert "acknowledged" in run(capsys, "ack", good)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ack",), "ID"),
        (("ack", "../users/me"), "no incident's id"),
        (("ack", "a\nb"), "a b: "),
        (("frobnicate",), "frobnicate"),
        (("page", "x", "--severity", "sev9"), "sev9"),
        (("page", "x", "--service", "nowhere"), "the services are payments (Payments)"),
        (("serve", "--port", "99999"), "99999"),
        (("oncall", "--at", "2026-01-01"), "--team"),
        (("token",), "token create"),
        (("team",), "team apply"),
        (("team", "apply"), "FILE"),
        (("token", "create"), "--person"),
    ],
)
def test_bad_usage_is_one_line_and_ends_with_2(
    as_ana: str, capsys: Capture, arguments: tuple[str, ...], says: str
) -> None:
    assert says in run(capsys, *arguments, expect=2)


def test_a_token_that_is_not_accepted_ends_with_2(
    server: Serving, as_ana: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHBELL_TOKEN", "wb_unknown")
    said = run(capsys, "incidents", expect=2)
    assert "does not accept the token" in said
    assert "wb_unknown" not in said


def test_no_contact_ends_with_3(as_ana: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHBELL_URL", "http://127.0.0.1:9")
    assert "cannot be reached" in run(capsys, "incidents", expect=3)


def test_who_is_on_call_by_the_connection(as_ana: str, capsys: Capture) -> None:
    said = json.loads(run(capsys, "oncall", "--json"))
    assert set(said) == {"at", "roles"}
    assert said["roles"]["primary"]["person"] == "ana"
    assert said["roles"]["secondary"]["person"] == "ben"
    assert "primary: Ana Ruiz" in run(capsys, "oncall")


def test_who_is_on_call_by_a_file_alone(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    file.write_text(
        """
time_zone = "America/Los_Angeles"
people = [{ id = "ana", name = "Ana" }, { id = "ben", name = "Ben" }]
[rotation.primary]
members = ["ana", "ben"]
start = 2026-01-05T09:00:00
every = "1 week"
""",
        "utf-8",
    )
    at = ("oncall", "--team", str(file), "--json", "--at")
    assert json.loads(run(capsys, *at, "2026-01-05T09:00")) == {
        "at": "2026-01-05T17:00:00Z",
        "roles": {
            "primary": {"person": "ana", "until": "2026-01-12T17:00:00Z", "why": "rotation"},
            "secondary": None,
        },
    }
    assert json.loads(run(capsys, *at, "2026-01-12T17:00:00Z"))["roles"]["primary"]["person"] == "ben"
    assert json.loads(run(capsys, *at, "2026-01-05T08:59"))["roles"]["primary"] is None
    assert "NOBODY ON CALL" in run(capsys, "oncall", "--team", str(file), "--at", "2025-01-01")
    assert "is no time" in run(capsys, *at, "tomorrow", expect=2)
    assert "nowhere.toml" in run(capsys, "oncall", "--team", str(tmp_path / "nowhere.toml"), expect=2)


TWO = """
time_zone = "America/Los_Angeles"
people = [{ id = "ana", name = "Ana" }, { id = "ben", name = "Ben" }]
holidays.extra = [{ date = 2026-01-14, name = "Founders' day" }]
[rotation.primary]
members = ["ana", "ben"]
start = 2026-01-05T09:00:00
every = "1 week"
"""


def test_a_schedule_from_a_file_alone(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    file.write_text(TWO, "utf-8")
    command = ("schedule", "--team", str(file), "--from", "2026-01-12T09:00", "--to", "2026-01-16")
    assert json.loads(run(capsys, *command, "--json"))["segments"] == [
        segment("ben", "2026-01-12T17:00:00Z", "2026-01-14T17:00:00Z", "rotation"),
        segment("ana", "2026-01-14T17:00:00Z", "2026-01-15T17:00:00Z", "holiday"),
        segment("ben", "2026-01-15T17:00:00Z", "2026-01-16T08:00:00Z", "rotation"),
    ]
    assert "Ana  (holiday)" in run(capsys, *command)
    assert "--from must be before --to" in run(capsys, *command[:4], "2026-01-20", *command[5:], expect=2)


def segment(person: str, start: str, end: str, why: str) -> dict[str, str]:
    return {"role": "primary", "person": person, "start": start, "end": end, "why": why}


def test_a_schedule_as_a_calendar(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    file.write_text(TWO, "utf-8")
    text = run(capsys, "schedule", "--team", str(file), "--from", "2026-01-01", "--to", "2026-01-16", "--ics")
    events = list(Calendar.from_ical(text).walk("VEVENT"))
    assert [str(e["summary"]) for e in events] == [
        *("Primary: NOBODY ON CALL", "Primary: Ana", "Primary: Ben", "Primary: Ana", "Primary: Ben")
    ]
    assert str(events[3]["description"]) == "Ana covers a holiday."
    assert len({str(e["uid"]) for e in events}) == 5


DOUBTFUL = """
time_zone = "America/Los_Angeles"
people = [{ id = "ana", name = "Ana", certified = false }, { id = "ben", name = "Ben" }]
absences = [{ person = "ben", start = 2026-01-12T09:00:00, end = 2026-01-14T09:00:00, announced = 2025-01-01 }]
overrides = [
    { role = "primary", person = "ben", start = 2026-01-12T09:00:00, end = 2026-01-13T09:00:00, reason = "swap" },
]
[rotation.primary]
members = ["ana"]
start = 2026-01-05T09:00:00
every = "1 week"
[rotation.secondary]
members = ["ana"]
start = 2026-01-05T09:00:00
every = "1 week"
"""


def test_what_is_doubtful_in_a_schedule_is_said(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    file.write_text(DOUBTFUL, "utf-8")
    command = ("schedule", "--team", str(file), "--from", "2026-01-12T09:00", "--to", "2026-01-14T09:00")
    lines = run(capsys, *command).splitlines()
    day = "Mon 12 Jan 2026 09:00 PST – Tue 13 Jan 2026 09:00 PST"
    assert f"note: Ben is absent, and on call by an override: primary {day}" in lines
    assert [line for line in lines if line.startswith("secondary") and "nobody" in line]
    flagged = json.loads(run(capsys, *command, "--json"))["flags"]
    assert ("primary", "ben", "absent") in {(f["role"], f["person"], f["doubt"]) for f in flagged}
    events = Calendar.from_ical(run(capsys, *command, "--ics")).walk("VEVENT")
    assert "Ben by an override. Ben: absent." in {str(e.get("description")) for e in events}
    assert "Secondary: nobody" in {str(e["summary"]) for e in events}
    assert "note: Ana is not certified: primary" in run(capsys, "team", "check", str(file))


def test_a_team_without_a_primary_says_so(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    file.write_text(TWO.replace("[rotation.primary]", "[rotation.secondary]"), "utf-8")
    command = ("schedule", "--team", str(file), "--from", "2026-01-12T09:00", "--to", "2026-01-14T09:00")
    assert run(capsys, *command).startswith("primary  NOBODY ON CALL")


def test_a_skipped_and_a_doubled_hour_are_the_first_instant(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    file.write_text(TWO, "utf-8")
    at = ("oncall", "--team", str(file), "--json", "--at")
    assert json.loads(run(capsys, *at, "2026-03-08T02:30"))["at"] == "2026-03-08T10:00:00Z"
    assert json.loads(run(capsys, *at, "2026-11-01T01:30"))["at"] == "2026-11-01T08:30:00Z"


def test_checking_a_team_file(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    file.write_text(TWO, "utf-8")
    assert "2 people, primary" in run(capsys, "team", "check", str(file))
    assert json.loads(run(capsys, "team", "check", str(file), "--json"))["roles"] == ["primary"]
    file.write_text(TWO.replace('["ana", "ben"]', '["ana", "bem"]'), "utf-8")
    said = run(capsys, "team", "check", str(file), expect=2)
    assert "team.toml:6: " in said
    assert "ben" in said


# A plugin of Apprise's for a service of no interest here imports what Python 3.13 takes away.
def test_checking_a_team_file_tries_its_addresses(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    some = TWO.replace(
        'name = "Ben"', 'name = "Ben", notify = ["mailto://ben@example.com", "jsons://192.168.0.9/hook"]'
    )
    assert some != TWO
    file.write_text(some, "utf-8")
    said = run(capsys, "team", "check", str(file)).splitlines()
    assert "note: no address (notify) of Ana: only Watchbell where they work can show them a page." in said
    assert [line for line in said if "notify[2]: is of this machine or a private network" in line]
    file.write_text(some.replace("mailto://ben@example.com", "mailto://ben"), "utf-8")
    for command in ("check", "apply"):
        wrong = run(capsys, "team", command, str(file), expect=2)
        assert re.search(r"team.toml:\d+: people\[2\].notify\[1\]: cannot be used: the address cannot", wrong)
        assert "mailto" not in wrong


def team_file(folder: Path, text: str = SERVED) -> Path:
    file = folder / "team.toml"
    file.write_text(text, "utf-8")
    return file


@pytest.fixture
def restored(server: Serving, as_ana: str, capsys: Capture, tmp_path: Path) -> Iterator[None]:
    """Give the server its team back after the test."""
    yield
    run(capsys, "team", "apply", str(team_file(tmp_path)), "--force")


def test_applying_a_team_file(restored: None, capsys: Capture, tmp_path: Path) -> None:
    file = team_file(tmp_path, SERVED.replace('name = "Payments"', 'name = "Payments and refunds"'))
    assert run(capsys, "team", "apply", str(file)).splitlines() == [
        "services: Payments and refunds (payments): name Payments and refunds instead of Payments",
        "note: no address (notify) of Ana Ruiz, Ben Okafor: only Watchbell where they work can show them a page.",
        "team.toml is the team now",
    ]
    assert run(capsys, "team", "apply", str(file), "--force") == "team.toml is the team already: nothing was done\n"
    answer = json.loads(run(capsys, "team", "apply", str(file), "--json"))
    assert (answer["applied"], answer["unchanged"], answer["changes"]) == (False, True, [])


def test_who_is_on_call_is_changed_by_force_only(restored: None, capsys: Capture, tmp_path: Path) -> None:
    primary, secondary = 'members = ["ana"]', 'members = ["ben"]'
    before, between, after = (part for half in SERVED.split(primary) for part in half.split(secondary))
    file = team_file(tmp_path, f"{before}{secondary}{between}{primary}{after}")
    assert run(capsys, "team", "apply", str(file), expect=2) == (
        "watchbell: Ben Okafor would be primary instead of Ana Ruiz at this moment; "
        "Ana Ruiz would be secondary instead of Ben Okafor at this moment: say --force\n"
    )
    assert "primary: Ana Ruiz" in run(capsys, "oncall")
    answer = json.loads(run(capsys, "team", "apply", str(file), "--force", "--json"))
    assert [relief["role"] for relief in answer["on_call_changes"]] == ["primary", "secondary"]
    assert "primary: Ben Okafor" in run(capsys, "oncall")


def test_what_force_did_is_told(restored: None, capsys: Capture, tmp_path: Path) -> None:
    without = SERVED[: SERVED.index("[rotation.secondary]")] + SERVED[SERVED.index("[[services]]") :]
    said = run(capsys, "team", "apply", str(team_file(tmp_path, without)), "--force").splitlines()
    assert said == [
        "rotation.secondary: none instead of Ben Okafor",
        "on call now: secondary nobody instead of Ben Okafor",
        "note: no address (notify) of Ana Ruiz, Ben Okafor: only Watchbell where they work can show them a page.",
        "team.toml is the team now",
    ]


def test_mistakes_in_a_team_file_are_told_before_anything_is_sent(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = team_file(tmp_path, SERVED.replace('["ana"]', '["anna"]').replace("every", "evry", 1))
    monkeypatch.setenv("WATCHBELL_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WATCHBELL_TOKEN", "wb_any")
    capsys.readouterr()
    assert main(["team", "apply", str(file)]) == 2
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 3, err
    assert all(line.startswith("watchbell: team.toml:") for line in err)


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        (
            'access = "admin"',
            'access = "manager"',
            'nobody would be an admin: give at least one person access = "admin"',
        ),
        ('id = "payments"', 'id = "payments"\nintegration_key = "env:HOME"', "env:HOME is no integration key that"),
    ],
)
def test_what_the_server_refuses_is_one_clear_line(
    as_ana: str, capsys: Capture, tmp_path: Path, was: str, becomes: str, says: str
) -> None:
    file = team_file(tmp_path, SERVED.replace(was, becomes))
    assert says in run(capsys, "team", "apply", str(file), "--force", expect=2)


def test_only_an_admin_applies_a_team_file(
    server: Serving, as_ana: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHBELL_TOKEN", server.token("ben"))
    said = run(capsys, "team", "apply", str(team_file(tmp_path)), expect=2)
    assert "only an admin may do this: ben's access is engineer" in said


def test_applying_without_contact_ends_with_3(
    as_ana: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHBELL_URL", "http://127.0.0.1:9")
    assert "cannot be reached" in run(capsys, "team", "apply", str(team_file(tmp_path)), expect=3)


def test_pagerduty_is_not_shown_a_team_file(
    as_ana: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(team_file(tmp_path))
    monkeypatch.setenv("WATCHBELL_URL", "https://api.eu.pagerduty.com")
    expected = "is not Watchbell's own server: a team file can only be applied to that"
    assert f"api.eu.pagerduty.com {expected}" in run(capsys, "team", "apply", file, expect=2)
    with ScriptedServer() as other:
        other.answer = lambda _: Answer(404, b'{"error": {"message": "Not Found", "code": 2100}}')
        monkeypatch.setenv("WATCHBELL_URL", other.url)
        assert expected in run(capsys, "team", "apply", file, expect=2)
        assert [(asked.method, asked.body) for asked in other.asked] == [("GET", b"")]


def test_a_file_that_no_server_would_take_is_not_sent(as_ana: str, capsys: Capture, tmp_path: Path) -> None:
    file = team_file(tmp_path, SERVED + "#" * 512 * 1024)
    assert "larger than 512 KiB" in run(capsys, "team", "apply", str(file), expect=2)


def test_connecting_and_listing(server: Serving, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(server.token("ben") + "\n"))
    said = json.loads(run(capsys, "connect", server.url, "--token-stdin", "--json"))
    assert said["person"] == "ben"
    assert [c["url"] for c in json.loads(run(capsys, "connections", "--json"))["connections"]] == [server.url]
    assert "primary: Ana Ruiz" in run(capsys, "oncall")


def test_whoever_connects_with_a_token_that_may_only_read_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    user = {"id": "ana", "name": "Ana\x1b[2J", "email": "ana@example.com", "role": "read_only_user"}
    with ScriptedServer() as reading:
        reading.answer = lambda _: Answer(body=json.dumps({"user": user}).encode())
        monkeypatch.setattr(sys, "stdin", io.StringIO("a-token\n"))
        capsys.readouterr()
        assert main(["connect", reading.url, "--token-stdin"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("connected to ")
    assert "may only read there: every click will be refused" in err
    assert "\x1b" not in out + err


@pytest.mark.parametrize("given", ["", "\n", "two words\n", "ünïcode\n"])
def test_connecting_without_a_token_is_refused(
    server: Serving, capsys: Capture, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(given))
    assert "no token" in run(capsys, "connect", server.url, "--token-stdin", expect=2)


def test_a_token_for_nobody_is_refused(server: Serving, capsys: Capture) -> None:
    said = run(capsys, "token", "create", "--person", "anna", "--database", server.database, expect=2)
    assert "ana" in said
    assert re.fullmatch(
        r"wb_\S{40,}\n", run(capsys, "token", "create", "--person", "ana", "--database", server.database)
    )
