"""``status``: the shift, what is open, and how fresh that is; what is unknown is never said as calm."""

import json
from argparse import Namespace
from datetime import datetime, timedelta

import pytest

from desktop.cli import accounts, status
from desktop.cli.accounts import Listed
from desktop.connections.accounts import Account
from desktop.domain.errors import Unreachable, WatchbellError
from desktop.domain.incident import Snapshot, Status
from desktop.sync.archive import Copy
from desktop.system.settings import ConnectionSettings
from tests.fakes.backend import ANA, ON_CALL, T0, FakeBackend, FakeServer, incident

PD = ConnectionSettings("pd", "PagerDuty", "https://api.pagerduty.com")


class Asked:
    """The one connection, on a backend in memory, and what was printed of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.server = FakeServer()
        self._capsys = capsys
        monkeypatch.setattr(accounts, "every", lambda *_: [Listed(PD, lambda: Account(PD.url, "wb_secret"))])
        monkeypatch.setattr(status, "open_backend", lambda _account: FakeBackend(self.server))

    def say(self, code: int, *, as_json: bool = False) -> str:
        assert status.run(Namespace(json=as_json)) == code
        said = self._capsys.readouterr().out
        assert "wb_secret" not in said
        return said


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Asked:
    return Asked(monkeypatch, capsys)


def test_it_says_shift_incidents_and_that_they_are_fresh(asked: Asked) -> None:
    asked.server.put(incident("I1"))
    asked.server.put(incident("I2", status=Status.RESOLVED))
    said = asked.say(0).splitlines()
    assert said[0] == "PagerDuty: answers"
    assert said[2] == "  you are primary until further notice"
    assert said[3].startswith("  I1  SEV-0  triggered")
    assert len(said) == 4


def test_that_nobody_watches_is_said_though_the_backend_answers(asked: Asked) -> None:
    said = asked.say(0).splitlines()
    assert said[1] == "  NOT WATCHED WELL: Watchbell does not run on this machine: nobody watches here"


def test_as_json(asked: Asked) -> None:
    asked.server.put(incident("I1"))
    data = json.loads(asked.say(0, as_json=True))
    (connection,) = data["connections"]
    assert connection["state"] == "live"
    assert connection["person"] == "ana"
    assert connection["shifts"] == [{"role": "primary", "until": None}]
    assert datetime.fromisoformat(connection["heard_at"]) <= datetime.fromisoformat(data["at"])
    assert [(i["id"], i["connection"]) for i in data["incidents"]] == [("I1", "pd")]


def test_without_contact_nothing_is_said_to_be_calm(asked: Asked) -> None:
    asked.server.fail = [Unreachable("it did not answer in time")]
    said = asked.say(3)
    first, second = said.splitlines()
    assert first == "PagerDuty: NO CONTACT, nothing is known: it did not answer in time"
    assert "nobody watches here" in second
    asked.server.fail = [Unreachable("it did not answer in time")]
    data = json.loads(asked.say(3, as_json=True))
    assert data["connections"][0]["state"] == "lost"
    assert data["connections"][0]["shifts"] is None


def test_what_was_known_last_is_said_with_its_age(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = Copy(Snapshot(ANA, (incident("I1"),), ON_CALL, T0), T0, timedelta(0))
    monkeypatch.setattr(status, "read_copy", lambda *_: copy)
    asked.server.fail = [Unreachable("gone")]
    said = asked.say(3)
    assert "NO CONTACT, last heard Mon 23 Nov 2026" in said
    assert "you were primary" in said
    assert "I1" in said


def test_a_mistake_of_ours_is_no_lost_contact(asked: Asked) -> None:
    asked.server.fail = [WatchbellError("the token is not accepted")]
    asked.say(2)


def test_what_could_not_all_be_read_is_said_and_not_that_nothing_is_open(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Snapshot(ANA, (), ON_CALL, T0, whole=False)
    monkeypatch.setattr(FakeServer, "snapshot", lambda _self: part)
    said = asked.say(0)
    assert "more is open there than was read" in said
    assert "nothing is open" not in said
    (connection,) = json.loads(asked.say(0, as_json=True))["connections"]
    assert "more is open" in connection["message"]
