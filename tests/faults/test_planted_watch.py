"""Who watches: each way in which the running application can be blind is planted; ``doctor`` and ``status`` find it."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from filelock import FileLock

from desktop.cli import machine_checks, main, watching
from desktop.cli.findings import Check
from desktop.cli.watch_checks import Heard, watch
from desktop.domain.attention import Command, ConnectionState, Contact, Sending
from desktop.domain.incident import Person, Snapshot
from desktop.domain.sight import Eyes, read, told
from desktop.system import settings as settings_file
from desktop.system.clock import utc_now
from desktop.system.inquiry import ask_what_is_watched
from desktop.system.instance import Reply
from desktop.system.paths import Paths, private_folder, user_paths
from desktop.system.secrets import Secrets
from desktop.system.settings import ConnectionSettings, Settings
from desktop.system.supervising import supervising
from tests.fakes.backend import ANA, ON_CALL
from tests.fakes.running import running
from tests.faults.backend.server import FaultyServer

PD = ConnectionSettings("pd", "PagerDuty", "https://api.pagerduty.com")
ON = Heard(PD, PD.name, "ana", ON_CALL)
OFF = Heard(PD, PD.name, "ana")


def live(**change: Any) -> ConnectionState:
    """Return what the application knows of a connection that it watches well."""
    now = utc_now()
    snapshot = Snapshot(ANA, (), ON_CALL, now)
    return replace(ConnectionState("pd", "PagerDuty", Contact.LIVE, now, snapshot, now), **change)


def ago(**some: float) -> datetime:
    return utc_now() - timedelta(**some)


@dataclass(frozen=True)
class Blind:
    """A way to be blind: what the application knows, what the doctor heard itself, and words of what is said."""

    states: Callable[[], tuple[ConnectionState, ...]]
    eyes: Eyes
    says: str
    mend: str
    heard: Heard = ON
    more: dict[str, str] = field(default_factory=dict)


def hung() -> tuple[ConnectionState, ...]:
    return (live(heard_at=ago(minutes=3)),)


def hung_and_clock_set_back() -> tuple[ConnectionState, ...]:
    return (live(heard_at=ago(minutes=-3)),)


def lost() -> tuple[ConnectionState, ...]:
    return (live(contact=Contact.LOST, since=ago(minutes=9), trouble="it cannot be reached"),)


def lost_from_the_start() -> tuple[ConnectionState, ...]:
    return (live(contact=Contact.LOST, heard_at=None, snapshot=None, trouble="it cannot be reached"),)


def refused_token() -> tuple[ConnectionState, ...]:
    return (live(contact=Contact.LOST, trouble="the token is not accepted", needs_token=True),)


def old() -> tuple[ConnectionState, ...]:
    return (live(contact=Contact.CONNECTING, heard_at=ago(hours=2)),)


def connecting() -> tuple[ConnectionState, ...]:
    return (live(contact=Contact.CONNECTING, heard_at=None, snapshot=None),)


def of_somebody_else() -> tuple[ConnectionState, ...]:
    return (live(snapshot=Snapshot(Person("ben", "Ben"), (), (), utc_now())),)


def other_connection() -> tuple[ConnectionState, ...]:
    return (live(id="other", name="Other"),)


def a_click_hangs() -> tuple[ConnectionState, ...]:
    clicks = {f"Q{n}": Sending(Command.ACKNOWLEDGE, ago(seconds=30)) for n in range(2)}
    return (live(sending=MappingProxyType(clicks)),)


def a_click_was_refused() -> tuple[ConnectionState, ...]:
    return (live(failed=MappingProxyType({"Q1": "the token may not do this"})),)


FAULTS = {
    "hanging watch": Blind(hung, Eyes.STUCK, "its watch hangs", "start it again at once"),
    "hanging watch, clock set back": Blind(hung_and_clock_set_back, Eyes.STUCK, "its watch hangs", "it looks calm"),
    "lost": Blind(
        lost, Eyes.LOST, "until further notice there, and the running Watchbell has no contact", "It answers"
    ),
    "lost for both": Blind(lost, Eyes.LOST, ": it cannot be reached", "Mend what is said of", Heard(PD, PD.name)),
    "lost from the start": Blind(lost_from_the_start, Eyes.LOST, "and never heard it: it cannot", "not the app"),
    "wrong token": Blind(refused_token, Eyes.TOKEN_MISSING, "no good token for it since", f"connect {PD.url} --token"),
    "old": Blind(old, Eyes.OLD, "what the running Watchbell shows of it is old", "to be fetched anew"),
    "connecting": Blind(
        connecting, Eyes.CONNECTING, "looks for contact with it since", "It answers this command: wait"
    ),
    "somebody else's": Blind(of_somebody_else, Eyes.SOMEBODY_ELSE, "as ben, and not as ana", "takes that"),
    "not watched": Blind(other_connection, Eyes.UNWATCHED, "does not watch it", "did not take up the settings"),
    "not watched, off call": Blind(other_connection, Eyes.UNWATCHED, "does not watch it", "take up", OFF),
    "only in the environment": Blind(
        other_connection, Eyes.UNWATCHED, "does not watch it", "this terminal's environment", replace(ON, given=True)
    ),
    "a click hangs": Blind(a_click_hangs, Eyes.WATCHED, "; 2 clicks wait to be sent, since", "by another way"),
    "a click was refused": Blind(
        a_click_was_refused, Eyes.WATCHED, "refused: the token may not do this", "what became"
    ),
}


@pytest.fixture
def paths() -> Paths:
    return user_paths()


def look(paths: Paths, *heard: Heard, seconds: float = 2.0) -> dict[str, Check]:
    return {c.name: c for c in watch(watching.ask(paths, seconds), heard, utc_now())}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_what_the_application_does_not_see_is_said_with_what_to_do(paths: Paths, fault: Blind) -> None:
    with running(paths, told(fault.states(), "supervisor")):
        check = look(paths, fault.heard)["watch of PagerDuty"]
        found = watching.watched(watching.ask(paths), "pd", utc_now(), fault.heard.me)
    assert (found.eyes, found.good) == (fault.eyes, False)
    assert not check.ok
    assert fault.says in check.message
    assert fault.mend in check.mend
    assert found.message in check.message


def test_a_watch_that_is_well_is_said_with_its_age(paths: Paths) -> None:
    with running(paths, told((live(),), "supervisor")):
        found = look(paths, ON)
    assert all(c.ok for c in found.values())
    assert found["watch of PagerDuty"].message in {
        f"the running Watchbell watches it, and heard it {n} s ago" for n in range(5)
    }
    assert found["restart after a crash"].message == "its supervisor is there"


def test_a_click_on_its_way_for_a_moment_is_no_fault(paths: Paths) -> None:
    state = live(sending=MappingProxyType({"Q1": Sending(Command.ACKNOWLEDGE, utc_now())}))
    with running(paths, told((state,), "systemd")):
        found = look(paths, ON)
    assert all(c.ok for c in found.values())
    assert "one click waits to be sent" in found["watch of PagerDuty"].message
    assert found["restart after a crash"].message == "systemd does it"


@pytest.mark.parametrize("guard", ["nobody", "", "a stranger"])
def test_a_supervisor_that_is_gone_is_found_while_the_application_watches(paths: Paths, guard: str) -> None:
    with running(paths, told((live(),), guard)):
        found = look(paths, ON)
    assert [c.name for c in found.values() if not c.ok] == ["restart after a crash"]
    assert "is gone" in found["restart after a crash"].message
    assert "nobody would start it again" in found["restart after a crash"].mend


def test_what_only_the_application_knows_of_is_said_where_it_is_not_well(paths: Paths) -> None:
    unread = ConnectionState("settings.json", "settings.json", Contact.LOST, utc_now(), trouble="line 1 is no JSON")
    with running(paths, told((live(), live(id="elsewhere", name="Elsewhere"), unread), "supervisor")):
        found = look(paths, ON)
    assert [c.name for c in found.values() if not c.ok] == ["watch of settings.json"]
    assert "line 1 is no JSON" in found["watch of settings.json"].message
    assert found["watch of settings.json"].mend


def test_one_of_another_age_that_does_not_say_is_not_taken_for_well(paths: Paths) -> None:
    for line in (None, b"ok\n", b"{}\n", b"[" * 5000 + b"\n", b'{"guard": 1, "connections": [{}]}\n', b"\xff\n"):
        with running(paths, line):
            assert watching.ask(paths).state == "not told"
            (check,) = look(paths, ON).values()
        assert (check.ok, "does not say what it watches" in check.message) == (False, True)
        assert "another age" in check.mend


@pytest.mark.parametrize(("dumb", "dripping"), [(True, False), (False, True)])
def test_one_that_does_not_answer_in_time_is_a_finding_of_its_own(paths: Paths, dumb: bool, dripping: bool) -> None:
    with running(paths, told((live(),), "supervisor"), dumb=dumb, dripping=dripping):
        assert ask_what_is_watched(paths, 0.2) == (Reply.SILENT, b"")
        (check,) = look(paths, ON, seconds=0.2).values()
    assert (check.ok, "does not answer: nobody knows" in check.message) == (False, True)
    assert "end its process" in check.mend


def test_one_that_runs_without_its_socket_is_not_taken_for_none(paths: Paths) -> None:
    private_folder(paths.data)
    with FileLock(paths.lock):
        assert watching.ask(paths).state == "no answer"
        (check,) = look(paths, OFF).values()
    assert (check.ok, watching.ask(paths).state) == (False, "not running")


def test_nobody_watches_while_somebody_is_on_call(paths: Paths) -> None:
    (check,) = look(paths, ON).values()
    assert not check.ok
    assert check.message.startswith("you are primary until further notice there, and Watchbell does not run")
    assert "Start Watchbell now" in check.mend
    # That it does not run has a finding of its own, and off call it is none.
    assert look(paths, OFF) == {}


def test_a_supervisor_without_its_application_is_no_watch(paths: Paths) -> None:
    with supervising(paths), supervising(paths):
        (check,) = look(paths, ON).values()
        found = watching.ask(paths)
    assert (found.state, found.guard) == ("not running", "supervisor")
    assert not check.ok
    assert check.message.endswith("its supervisor tries to start it: nobody watches here now")
    assert check.mend.startswith("Wait a minute")
    assert watching.ask(paths).guard is None


def test_whatever_is_said_is_read_as_it_was_meant_and_never_as_markup_or_more() -> None:
    state = live(name="a\n\x1b[31mb" * 500, trouble="x" * 5000, contact=Contact.LOST)
    line = told((state,) * 500, "supervisor")
    said = json.loads(line)
    assert len(said["connections"]) == 200
    report = read(json.dumps(said | {"connections": said["connections"] * 2}).encode())
    assert report is not None
    assert (len(report.sights), read(line)) == (200, report)
    sight = report.sights[0]
    assert (len(sight.name), len(sight.trouble)) == (120, 300)
    assert sight.name.isprintable()
    assert (sight.since, sight.heard_at, sight.person) == (state.since, state.heard_at, "ana")


@pytest.mark.parametrize("at", ["2026-11-28T20:00:00", "yesterday", 3, None])
def test_a_time_that_is_no_instant_is_no_answer(at: object) -> None:
    said = json.loads(told((live(),), "supervisor"))
    said["connections"][0]["since"] = at
    assert read(json.dumps(said).encode()) is None


# --- the commands ---


@pytest.fixture
def server(paths: Paths) -> Iterator[FaultyServer]:
    with ExitStack() as stack:
        server = FaultyServer()
        stack.callback(server.stop)
        settings_file.save(paths.settings, Settings((replace(PD, url=server.url),)))
        Secrets().set("pd", server.account.token)
        yield server


def said(capsys: pytest.CaptureFixture[str], *command: str, expect: int = 0) -> Any:
    assert main([*command, "--json"]) == expect
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_status_says_so_beside_what_the_backend_answers(
    paths: Paths, server: FaultyServer, capsys: pytest.CaptureFixture[str], fault: Blind
) -> None:
    with running(paths, told(fault.states(), "supervisor")):
        data = said(capsys, "status")
        assert main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    connection = data["connections"][0]
    assert (connection["state"], connection["watch"]["state"]) == ("live", fault.eyes.value)
    assert data["application"] == {"state": "answers", "guard": "supervisor"}
    assert lines[0] == "PagerDuty: answers"
    assert lines[1].startswith("  NOT WATCHED WELL: ")
    assert fault.says.partition(", and ")[2] in lines[1] or fault.says in lines[1]


def test_status_says_that_it_is_watched_or_that_nobody_does(
    paths: Paths, server: FaultyServer, capsys: pytest.CaptureFixture[str]
) -> None:
    data = said(capsys, "status")
    assert data["application"] == {"state": "not running", "guard": None}
    watch = data["connections"][0]["watch"]
    assert watch == {"state": "not running", "message": "Watchbell does not run on this machine: nobody watches here"}
    with running(paths, told((live(), live(id="x", name="Elsewhere")), "supervisor")):
        data = said(capsys, "status")
        assert main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert data["connections"][0]["watch"]["state"] == "watched"
    assert lines[1].startswith("  the running Watchbell watches it")
    assert lines[-2] == "Elsewhere: not looked at from here"


def test_connections_says_who_watches_each_while_it_runs(
    paths: Paths, server: FaultyServer, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = settings_file.load(paths.settings).connections
    settings_file.save(paths.settings, Settings((*kept, ConnectionSettings("new", "New", "https://new.example.com"))))
    assert main(["connections"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    with running(paths, told((live(),), "supervisor")):
        assert main(["connections"]) == 0
    _, watched, _, unwatched = capsys.readouterr().out.splitlines()
    assert watched.startswith("    the running Watchbell watches it, and heard it ")
    assert unwatched == "    NOT WATCHED WELL: the running Watchbell does not watch it"


def test_the_doctor_looks_at_it_last_and_keeps_its_shape(
    paths: Paths, server: FaultyServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_checks, "desktop", lambda: iter(()))
    found = said(capsys, "doctor", expect=1)["checks"]
    assert all(set(c) == {"name", "ok", "message", "mend"} for c in found)
    assert [c["name"] for c in found if not c["ok"]] == ["watch of PagerDuty"]
    assert found[-1]["message"].startswith("you are primary until")
    with running(paths, told((live(),), "supervisor")):
        assert all(c["ok"] for c in said(capsys, "doctor")["checks"])
