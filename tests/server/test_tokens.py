"""Tokens: made, listed, revoked and expired beside a running server; none of them in any log."""

import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from desktop.cli import main
from desktop.domain.errors import InputError
from desktop.server import tokens
from desktop.server.storage import Storage, resolve
from desktop.server.tables.audit import audit_log
from tests.server.house import TEAM
from tests.server.listening import listening
from tests.server.serving import Serve, serve

KEY = "0123456789abcdef0123456789abcdef"


class Place:
    """A running server, its address and its database."""

    def __init__(self, running: Serve, database: str) -> None:
        self.running, self.url, self.database = running, running.ready(), database

    def status(self, token: str, path: str = "/users/me") -> int:
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            return session.get(self.url + path, headers=headers, timeout=10).status_code

    def id_of_the_latest(self) -> int:
        return tokens.issued(self.database)[-1].id


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    team = tmp_path / "team.toml"
    team.write_text(TEAM.replace('id = "payments"', 'id = "payments"\nintegration_key = "env:WB_TEST_KEY"'))
    database = f"sqlite:///{tmp_path / 'w.db'}"
    with serve({"WB_TEST_KEY": KEY}, team=team, database=database, verbose=True) as running:
        yield Place(running, database)


def test_revoked_it_opens_nothing_and_ends_its_streams(place: Place) -> None:
    token, other = (tokens.create(place.database, person="ana") for _ in range(2))
    number = place.id_of_the_latest() - 1
    with listening(place.url, token) as listener, listening(place.url, other) as stays:
        assert (listener.next()[0], stays.next()[0]) == ("snapshot", "snapshot")
        began = time.monotonic()
        assert tokens.revoke(place.database, number).owner == tokens.Owner("user", "ana")
        assert place.status(token) == 401
        assert listener.ended()
        assert time.monotonic() - began < 5
        assert place.status(other) == 200
        assert stays.next()[0] == ""  # a heartbeat: the other one goes on
    with pytest.raises(InputError, match="was revoked already"):
        tokens.revoke(place.database, number)


def test_expired_it_opens_nothing_and_ends_its_streams(place: Place) -> None:
    token = tokens.create(place.database, person="ana", lifetime=timedelta(seconds=2))
    with listening(place.url, token) as listener:
        assert listener.next()[0] == "snapshot"
        began = time.monotonic()
        assert listener.ended()
        assert time.monotonic() - began < 7
    assert place.status(token) == 401


def test_a_key_that_was_revoked_or_expired_takes_nothing(place: Place) -> None:
    keys = [tokens.create(place.database, service="payments"),
            tokens.create(place.database, service="payments", lifetime=timedelta(microseconds=1))]  # fmt: skip
    tokens.revoke(place.database, place.id_of_the_latest() - 1)
    for key in keys:
        body = {"routing_key": key, "event_action": "trigger", "payload": {"summary": "x"}}
        with requests.Session() as session:
            session.trust_env = False
            assert session.post(f"{place.url}/v2/enqueue", json=body, timeout=10).status_code == 400


def test_what_cannot_be_revoked(place: Place) -> None:
    with pytest.raises(InputError, match="there is no token 99: see 'watchbell token list'"):
        tokens.revoke(place.database, 99)
    [key] = [token for token in tokens.issued(place.database) if token.label == "team"]
    with pytest.raises(InputError, match="payments in the team file: change it there"):
        tokens.revoke(place.database, key.id)


def test_the_commands(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--database", place.database]
    assert main(["token", "create", "--person", "ben", "--expires", "90d", *where]) == 0
    token = capsys.readouterr().out.strip()
    assert token.startswith("wb_")
    assert place.status(token) == 200
    assert main(["token", "list", "--json", *where]) == 0
    printed = capsys.readouterr().out
    line = json.loads(printed)["tokens"][-1]
    assert (line["owner"], line["kind"], line["state"], line["revoked_at"]) == ("ben", "user", "valid", None)
    left = datetime.fromisoformat(line["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=89, hours=23) < left < timedelta(days=90)
    assert main(["token", "revoke", str(line["id"]), *where]) == 0
    assert capsys.readouterr().out == f"token {line['id']} of ben is revoked\n"
    assert place.status(token) == 401
    assert main(["token", "list", *where]) == 0
    shown = capsys.readouterr().out
    assert f"{line['id']}  user  ben  revoked, since " in shown
    for output in (printed, shown):
        assert token not in output
        assert tokens.digest_of(token) not in output
    assert main(["token", "revoke", "99", *where]) == 2


@pytest.mark.parametrize("text", ["", "0d", "90", "d", "-1d", "1.5d", "90y", "99999d", "٣d", "9 0d"])
def test_a_time_that_is_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["token", "create", "--person", "ana", f"--expires={text}"])
    assert ended.value.code == 2
    assert "write it as 90d, 12w or 8h" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [["serve"], ["token", "create", "--person", "ana"], ["token", "list"], ["token", "revoke", "1"]],
    ids=lambda command: " ".join(command[:2]),
)
@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_database_is_no_other_one(command: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--database", text])
    assert ended.value.code == 2
    assert "--database: it is empty" in capsys.readouterr().err


def test_the_audit_log_says_of_tokens_but_not_what_they_are(place: Place) -> None:
    token = tokens.create(place.database, person="ana", lifetime=timedelta(days=1))
    tokens.revoke(place.database, place.id_of_the_latest())
    storage = Storage(resolve(place.database))
    with storage.read() as connection:
        rows = [row._mapping for row in connection.execute(select(audit_log).order_by(audit_log.c.id))]
    storage.close()
    assert [row["action"] for row in rows] == ["team.apply", "token.create", "token.revoke"]
    assert {row["actor"] for row in rows} == {"operator"}
    assert (rows[1]["after"]["kind"], rows[1]["after"]["owner"]) == ("user", "ana")
    for secret in (token, tokens.digest_of(token), KEY, tokens.digest_of(KEY)):
        assert secret not in str(rows)


WAYS = ["header", "basic", "query", "path", "body", "key", "host", "from", "unreadable"]


def send(place: Place, way: str, secret: str) -> None:
    """Send ``secret`` where it belongs and where it does not."""
    headers, path, body = {"Content-Type": "application/json"}, "/incidents", b""
    if way in ("header", "basic"):
        headers["Authorization"] = f"Token token={secret}" if way == "header" else f"Basic {secret}"
    elif way == "query":
        path = f"/incidents?token={secret}&since={secret}"
    elif way == "path":
        path = f"/incidents/{secret}/notes/{secret}"
    elif way == "host":
        headers["Host"] = secret
    elif way == "from":
        headers |= {"From": secret, "X-Routing-Key": secret, "User-Agent": secret, "Cookie": secret}
    ours = [f"/watchbell/v1/{place}" for place in ("ingest/generic", "stream/no", f"calendar/ana.ics?token={secret}")]
    for target in (path, "/v2/enqueue", *ours):
        if way == "body":
            body = json.dumps({"routing_key": secret, "event_action": secret, "payload": secret}).encode()
        elif way == "key":
            body = json.dumps({"routing_key": secret, "event_action": "trigger", "payload": {"summary": "x"}}).encode()
        elif way == "unreadable":
            body = b"{" + secret.encode() + b": \xff"
        with requests.Session() as session:
            session.trust_env = False
            session.post(place.url + target, data=body, headers=headers, timeout=10)


def test_no_token_and_no_key_is_in_any_log_line(place: Place) -> None:
    known = tokens.create(place.database, person="ana")
    calendar = tokens.create(place.database, calendar="ana")
    assert place.status("", f"/watchbell/v1/calendar/ana.ics?token={calendar}") == 200
    secrets = [known, tokens.create(place.database, service="payments"), KEY, "wb_" + "x" * 43, calendar]
    for secret in secrets:
        for way in WAYS:
            send(place, way, secret)
    with listening(place.url, known) as listener:
        assert listener.next()[0] == "snapshot"
    code, log = place.running.end(signal.SIGTERM)
    everything = log + place.running.output()
    assert code == 0
    assert log.count("event refused") >= 10
    assert '"level": "debug"' in log
    for secret in secrets:
        assert secret not in everything
        assert secret[4:24] not in everything
        assert tokens.digest_of(secret) not in everything
