"""The command that asks for a handover, against the real server; and the stream, which tells of it beside the rest."""

import json
import logging
from collections.abc import Iterator

import pytest

from desktop.backends.base import Alive, FullState, IncidentChanged
from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.backends.pagerduty.sse import ServerEvent
from desktop.backends.pagerduty.stream import Following
from desktop.cli import main
from desktop.system.clock import utc_now
from tests.fakes.http import Answer, ScriptedServer
from tests.serving import Serving, serving

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(autouse=True)
def _as_ana(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    # A command sets up logging for its process, which here is everybody's.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setenv("WATCHBELL_URL", server.url)
    monkeypatch.setenv("WATCHBELL_TOKEN", server.token())


def run(capsys: Capture, *arguments: str, expect: int = 0) -> str:
    capsys.readouterr()
    try:
        code = main(["handover", *arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    assert code == expect, err
    assert err.count("\n") == bool(expect)
    return out or err


def test_a_handover_is_asked_for_once_and_told_on_the_stream(server: Serving, capsys: Capture) -> None:
    backend = PagerDutyBackend(server.url, server.token("ben"), utc_now)
    with backend.stream() as events:
        assert isinstance(next(events), FullState)
        found = json.loads(run(capsys, "--to", "ben", "--reason", "a fever", "--json"))
        assert (found["state"], found["giver"]["id"], found["offers"][0]["user"]["id"]) == ("paging", "ana", "ben")
        # The page comes as every page does.
        seen = next(event for event in events if isinstance(event, IncidentChanged))
        assert seen.incident.id == found["offers"][0]["incident"]
    backend.close()
    said = run(capsys, "--to", "ben", "--reason", "a fever")
    assert said == f"{found['id']}  paging  asked: Ben Okafor; on call until it is done: Ana Ruiz\n"


@pytest.mark.parametrize("name", ["handover", "acting"])
def test_a_client_passes_over_what_it_does_not_know_yet(name: str) -> None:
    following = Following()
    begin = {"me": {"id": "ana"}, "server_time": "2026-11-23T03:00:00Z", "incidents": [], "oncalls": []}
    assert [type(e) for e in following.take(ServerEvent("snapshot", json.dumps(begin), 7))] == [FullState]
    assert list(following.take(ServerEvent(name, "{}"))) == [Alive()]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--to", "ben"), "--reason"),
        (("--reason", "x"), "--to"),
        (("--to", "ben", "--reason", " "), "must say something"),
        (("--to", "zoe", "--reason", "x"), "there is no 'zoe'"),
        (("--to", "ana", "--reason", "x"), "under way"),
        (("--to", "ben", "--reason", "x" * 501), "500 characters"),
    ],
)
def test_what_is_refused_is_one_line(capsys: Capture, arguments: tuple[str, ...], says: str) -> None:
    if "ana" in arguments:
        run(capsys, "--to", "ben", "--reason", "a fever")
    assert says in run(capsys, *arguments, expect=2)


def test_only_watchbells_own_server_is_asked(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("--to", "ben", "--reason", "a fever")
    with ScriptedServer() as other:
        other.answer = lambda _: Answer(404, b'{"error": {"message": "Not Found", "code": 2100}}')
        monkeypatch.setenv("WATCHBELL_URL", other.url)
        assert "is not Watchbell's own server" in run(capsys, *arguments, expect=2)
        assert [asked.method for asked in other.asked] == ["GET"]
    assert "cannot be reached" in run(capsys, *arguments, expect=3)
