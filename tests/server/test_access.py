"""Who may come in: tokens, Host, Origin, headers, and what is told to those who may not."""

import http.client
import logging
import socket
import threading
from datetime import UTC, datetime
from typing import NoReturn
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update

from desktop.domain.errors import StorageError
from desktop.server import engine, messenger, schema, tokens
from desktop.server.access import token_of
from desktop.server.tables.tokens import tokens as tokens_table
from tests.server.house import House

PATHS = ["/incidents", "/incidents/1", "/incidents/NOSUCH", "/users/me", "/oncalls", "/watchbell/v1/stream", "/metrics",
         "/watchbell/v1/duties", "/watchbell/v1/calendar/ana.ics",
         "/", "/docs", "/openapi.json", "/no/such/place"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Token token=",
        "Token token=wb_wrong",
        "Bearer wb_wrong",
        "Basic YTpi",
        "Token wb_wrong",
        "Bearer \xff",
    ],
)
def test_without_a_good_token_every_path_is_the_same(shared: House, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    answer = shared.call("GET", path, person="", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 2006)


def test_both_schemes_are_known(shared: House) -> None:
    for header in (f"Bearer {shared.tokens['ana']}", f'token token="{shared.tokens["ana"]}"'):
        assert shared.call("GET", "/users/me", person="", headers={"Authorization": header}).status_code == 200


def test_an_integration_key_opens_nothing_but_events(shared: House) -> None:
    headers = {"Authorization": f"Token token={shared.key}"}
    assert shared.call("GET", "/incidents", person="", headers=headers).status_code == 401
    body = {**shared.event(), "routing_key": shared.tokens["ana"]}
    assert shared.call("POST", "/v2/enqueue", body, person="").status_code == 400


@pytest.mark.parametrize("column", ["revoked_at", "expires_at"])
def test_a_token_that_ended_is_refused_at_once(shared: House, column: str) -> None:
    token = tokens.create(shared.database, person="ben")
    headers = {"Authorization": f"Token token={token}"}
    assert shared.call("GET", "/users/me", person="", headers=headers).status_code == 200
    with shared.server.storage.write() as connection:
        ended = {column: datetime(2000, 1, 1, tzinfo=UTC)}
        connection.execute(update(tokens_table).where(tokens_table.c.hash == tokens.digest_of(token)).values(ended))
    assert shared.call("GET", "/users/me", person="", headers=headers).status_code == 401


def test_a_token_is_stored_as_a_hash_only(shared: House) -> None:
    token = shared.tokens["ana"]
    assert token.startswith("wb_")
    assert len(token) >= 43 + 3  # 256 bits
    with shared.server.storage.read() as connection:
        rows = [str(row) for table in schema.metadata.tables.values() for row in connection.execute(select(table))]
    stored = "\n".join(rows)
    assert token not in stored
    assert tokens.digest_of(token) in stored


def status_for(house: House, *hosts: str) -> int:
    """Return the status that a request with these Host headers gets; PORT stands for the server's own."""
    address = urlsplit(house.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
    connection.putrequest("GET", "/users/me", skip_host=True)
    for host in hosts:
        connection.putheader("Host", host.replace("PORT", str(address.port)))
    connection.putheader("Authorization", f"Token token={house.tokens['ana']}")
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(
    "host",
    ["evil.example.com", "evil.example.com:PORT", "127.0.0.1.evil.example.com:80", "10.0.0.1:PORT", "[::2]:PORT",
     "localhost.evil.example.com:PORT", "localhost:5", "127.0.0.1", "127.0.0.1:PORT@evil.example.com", "localhost:"],
)  # fmt: skip
def test_a_foreign_host_is_refused(shared: House, host: str) -> None:
    assert status_for(shared, host) == 421


@pytest.mark.parametrize("hosts", [(), ("",), ("localhost:PORT", "evil.example.com")])
def test_one_host_header_is_needed(shared: House, hosts: tuple[str, ...]) -> None:
    assert status_for(shared, *hosts) == 400


@pytest.mark.parametrize("host", ["localhost:PORT", "LOCALHOST:PORT", "127.0.0.2:PORT", "[::1]:PORT"])
def test_this_machine_by_any_name(shared: House, host: str) -> None:
    assert status_for(shared, host) == 200


def test_web_pages_are_refused(shared: House) -> None:
    for path in ("/users/me", "/v2/enqueue", "/healthz"):
        refused = shared.call("POST", path, {}, headers={"Origin": "http://127.0.0.1"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, 2010)
    preflight = shared.call("OPTIONS", "/incidents", headers={"Origin": "https://evil.example.com"})
    assert not [name for name in preflight.headers if name.lower().startswith("access-control")]


def test_answers_are_not_kept_sniffed_or_framed(shared: House) -> None:
    for path in ("/users/me", "/nothing", "/healthz"):
        headers = shared.call("GET", path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers


def test_health_needs_no_token(shared: House) -> None:
    assert shared.call("GET", "/healthz", person="").json() == {"status": "ok"}


def test_an_engine_that_hangs_is_not_ready(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.server.engine.start()
    assert 0 <= house.call("GET", "/readyz", person="").json()["engine_last_tick_age_seconds"] < 60
    # It looks at least every five seconds.
    monkeypatch.setattr(engine, "_STUCK_SECONDS", 0.0)
    answer = house.call("GET", "/readyz", person="")
    assert (answer.status_code, answer.json()["engine"], answer.json()["writer"]) == (503, False, True)


def test_ready_only_while_escalations_run_and_messages_are_sent(house: House) -> None:
    before = house.call("GET", "/readyz", person="")
    assert (before.status_code, before.json()["engine"], before.json()["messenger"]) == (503, False, False)
    house.server.engine.start()
    assert house.call("GET", "/readyz", person="").status_code == 503
    house.server.messenger.start()
    assert house.call("GET", "/readyz", person="").status_code == 200


# That it dies is what is tried here.
@pytest.mark.filterwarnings("ignore:Exception in thread messenger:pytest.PytestUnhandledThreadExceptionWarning")
def test_a_messenger_that_hangs_or_died_is_not_ready(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, go_on = threading.Event(), threading.Event()

    def hanging() -> bool:
        looked.set()
        assert go_on.wait(10)
        raise SystemExit

    house.server.engine.start()
    monkeypatch.setattr(house.server.messenger, "_something_due", hanging)
    house.server.messenger.start()
    assert looked.wait(10)
    # It may take a while; as long as that it never does.
    assert house.call("GET", "/readyz", person="").status_code == 200
    monkeypatch.setattr(messenger, "_STUCK_SECONDS", 0.0)
    answer = house.call("GET", "/readyz", person="")
    assert (answer.status_code, answer.json()["engine"], answer.json()["messenger"]) == (503, True, False)
    monkeypatch.undo()
    go_on.set()
    house.server.messenger._thread.join(10)
    assert house.call("GET", "/readyz", person="").json()["messenger"] is False


def test_an_unknown_path_or_method_is_an_error_in_pagerdutys_shape(shared: House) -> None:
    unknown, wrong = shared.call("GET", "/nothing"), shared.call("DELETE", "/incidents")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, 2100)
    assert (wrong.status_code, wrong.json()["error"]["message"]) == (405, "Method Not Allowed")


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Token token=abc", "abc"),
        ('Token token="abc"', "abc"),
        ("  bearer   abc ", "abc"),
        ("Token abc", ""),
        ("Basic abc", ""),
        ("", ""),
    ],
)
def test_reading_the_header(header: str, token: str) -> None:
    assert token_of(header) == token


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_strangers_do_not_learn_where_the_database_is(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> NoReturn:
        raise StorageError("the database failed: connection to 10.1.2.3 port 5432 failed")

    monkeypatch.setattr(house.server.writer, "submit", fails)
    monkeypatch.setattr(house.server.storage, "read", fails)
    asked = [
        house.call("POST", "/v2/enqueue", house.event(), person=""),
        house.call("POST", "/watchbell/v1/ingest/generic", {"title": "t"}, person="", headers={"X-Routing-Key": "k"}),
        house.call("GET", "/users/me"),
        house.call("GET", "/readyz", person=""),
    ]
    assert [answer.status_code for answer in asked] == [503] * 4
    assert not [answer.text for answer in asked if "10.1.2.3" in answer.text]
    assert str([vars(record) for record in caplog.records]).count("10.1.2.3") >= 3
    monkeypatch.undo()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["/v2/enqueue", "/watchbell/v1/ingest/generic", "/watchbell/v1/absences"])
def test_who_hangs_up_within_a_body_is_one_line_and_no_fault(
    house: House, path: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    counted: list[tuple[object, ...]] = []
    happened = threading.Event()

    def count(name: tuple[object, ...]) -> None:
        counted.append(name)
        happened.set()

    monkeypatch.setattr(house.server.station.counts.requests, "add", count)
    place = urlsplit(house.url)
    head = f"POST {path} HTTP/1.1\r\nHost: {place.netloc}\r\nX-Routing-Key: {house.key}\r\n"
    if "absences" in path:
        head += f"Authorization: Token token={house.tokens['ana']}\r\n"
    with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=10) as client:
        client.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
    assert happened.wait(10)
    house.get("/users/me")
    assert counted[0] == ("POST", path, 499)
    assert [record.getMessage() for record in caplog.records].count("client hung up") == 1
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]
