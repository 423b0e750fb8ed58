import json
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from desktop.backends.base import Alive, FullState, IncidentChanged, NewPage
from desktop.backends.pagerduty import client
from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.backends.pagerduty.client import Patience, Wire, check_url
from desktop.domain.errors import (
    BackendError,
    BackendFault,
    Forbidden,
    InputError,
    NotFound,
    RateLimited,
    Rejected,
    Unauthorized,
    Unreachable,
)
from desktop.domain.incident import Status
from desktop.domain.severity import Severity
from tests.fakes.backend import T0
from tests.fakes.http import Answer, Asked, ScriptedServer

TOKEN = "wb_secret"
INCIDENT = {"id": "P1", "status": "triggered", "created_at": "2026-11-23T03:00:00Z"}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def error(message: str, code: int) -> bytes:
    return json.dumps({"error": {"message": message, "code": code, "errors": ["because"]}}).encode()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, BackendFault),
        (302, BackendFault),
        (400, Rejected),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (408, BackendFault),
        (413, Rejected),
        (429, RateLimited),
        (500, BackendFault),
        (503, BackendFault),
    ],
)
def test_each_status_has_its_error(server: ScriptedServer, status: int, kind: type[BackendError]) -> None:
    server.answer = lambda _: Answer(status, error("no", 2001), {"Location": "http://127.0.0.1:1/"})
    with pytest.raises(kind) as caught:
        Wire(server.url, TOKEN).get("/incidents")
    assert TOKEN not in str(caught.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize("body", [b"<html>Please log in</html>", b"[]", b"", b"null", b"{" * 100_000, b"\xff\xfe"])
def test_what_is_not_the_protocol_is_a_fault_and_never_calm(server: ScriptedServer, body: bytes) -> None:
    server.answer = lambda _: Answer(200, body)
    with pytest.raises(BackendFault):
        Wire(server.url, TOKEN).get("/incidents")


@pytest.mark.parametrize(
    "body", [b'{"error": "a bare string"}', b'{"error": {"message": 7}}', b'{"error": []}', b"[]", b"gibberish"]
)
def test_odd_error_bodies_are_understood_as_far_as_possible(server: ScriptedServer, body: bytes) -> None:
    server.answer = lambda _: Answer(400, body)
    with pytest.raises(Rejected):
        Wire(server.url, TOKEN).get("/incidents")


@pytest.mark.parametrize(
    ("headers", "after"),
    [({"Retry-After": "7"}, 7.0), ({"ratelimit-reset": "3"}, 3.0), ({}, None), ({"Retry-After": "99999999"}, 300.0)],
)
def test_it_is_known_when_to_come_back(server: ScriptedServer, headers: dict[str, str], after: float | None) -> None:
    server.answer = lambda _: Answer(429, b"", headers)
    with pytest.raises(RateLimited) as caught:
        Wire(server.url, TOKEN).get("/incidents")
    assert caught.value.retry_after == after


def test_an_endless_body_is_cut_off(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "BODY_LIMIT", 1000)
    server.answer = lambda _: Answer(200, b"x" * 100_000)
    with pytest.raises(BackendFault, match="MiB"):
        Wire(server.url, TOKEN).get("/incidents")


def test_nobody_listening_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(Unreachable, match="refused"):
            Wire(url, TOKEN).get("/incidents")


def test_silence_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        wire = Wire(f"http://127.0.0.1:{silent.getsockname()[1]}", TOKEN, patience=Patience(read=0.05))
        with pytest.raises(Unreachable, match="in time"):
            wire.get("/incidents")


def test_neither_proxy_nor_netrc_gets_the_token(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    with ScriptedServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        Wire(server.url, TOKEN).get("/users/me")
        assert proxy.asked == []
    assert server.asked[0].headers["Authorization"] == f"Token token={TOKEN}"


@pytest.mark.parametrize(
    "url", ["", "pager", "ftp://x", "http://pager.example.com", "https://u:p@x", "https://x/?a=1", "http://", "-x"]
)
def test_addresses_that_would_leak_or_lead_nowhere_are_refused(url: str) -> None:
    with pytest.raises(InputError):
        check_url(url)


@pytest.mark.parametrize(
    "url", ["https://api.pagerduty.com/", "http://127.0.0.1:80", "http://[::1]:1", "http://localhost"]
)
def test_good_addresses(url: str) -> None:
    assert check_url(url) == url.rstrip("/")


SNAPSHOT = {
    "server_time": "2026-11-23T03:00:01.5Z",
    "me": {"id": "ana", "name": "Ana"},
    "incidents": [INCIDENT],
    "oncalls": [],
}


def sse(*events: tuple[str, object]) -> bytes:
    return b"".join(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode() for name, data in events)


def stream(body: bytes) -> Answer:
    return Answer(200, body, {"Content-Type": "text/event-stream"}, hold=True)


def test_the_stream_gives_our_values_and_ends_at_once_when_closed(server: ScriptedServer) -> None:
    body = sse(("snapshot", SNAPSHOT), ("incident", {**INCIDENT, "status": "acknowledged"}), ("unheard-of", 1))
    # A name that a newer server has, and a heartbeat: both say that it is there.
    server.answer = lambda _: stream(body + b": heartbeat\n\n")
    backend = PagerDutyBackend(server.url, TOKEN, lambda: T0)
    got, started = [], 0.0
    with backend.stream() as events:
        for event in events:
            got.append(event)
            if isinstance(event, Alive):
                # The reader is about to wait for bytes that never come: another thread must be able to wake it.
                threading.Timer(0.05, backend.close).start()
                started = time.monotonic()
    assert time.monotonic() - started < 5
    assert [type(e) for e in got] == [FullState, IncidentChanged, Alive, Alive]
    assert isinstance(got[1], IncidentChanged)
    assert got[1].incident.status is Status.ACKNOWLEDGED


@pytest.mark.parametrize(
    "body",
    [
        b"event: snapshot\ndata: not json\n\n",
        b"event: snapshot\ndata: []\n\n",
        sse(("snapshot", {**SNAPSHOT, "incidents": [{"id": "x"}]})),
        sse(("snapshot", {**SNAPSHOT, "server_time": "yesterday"})),
        sse(("incident", {**INCIDENT, "status": "exploded"})),
        sse(("incident", None)),
    ],
)
def test_garbage_in_the_stream_is_a_fault(server: ScriptedServer, body: bytes) -> None:
    server.answer = lambda _: stream(body)
    with (
        PagerDutyBackend(server.url, TOKEN, lambda: T0).stream() as events,
        pytest.raises(BackendFault),
    ):
        list(events)


def test_a_page_instead_of_a_stream_is_a_fault(server: ScriptedServer) -> None:
    server.answer = lambda _: Answer(200, b"<html>", {"Content-Type": "text/html"})
    with pytest.raises(BackendFault), PagerDutyBackend(server.url, TOKEN, lambda: T0).stream():
        pass


def test_a_stream_that_only_drips_is_given_up(server: ScriptedServer) -> None:
    server.answer = lambda _: stream(b"data: never finis")
    backend = PagerDutyBackend(server.url, TOKEN, lambda: T0, patience=Patience(begin=0.05))
    with pytest.raises(Unreachable), backend.stream() as events:
        list(events)


@pytest.mark.parametrize("incident_id", ["", "..", "a/b", "P1?x", "é", "-x", "a b"])
def test_an_id_cannot_reach_another_path(server: ScriptedServer, incident_id: str) -> None:
    with pytest.raises(Rejected):
        PagerDutyBackend(server.url, TOKEN, lambda: T0).acknowledge(incident_id)
    assert all(asked.path == "/users/me" for asked in server.asked)


def test_already_done_elsewhere_is_done(server: ScriptedServer) -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/users/me":
            return Answer(body=json.dumps({"user": {"id": "ana", "email": "ana@example.com"}}).encode())
        if asked.method == "PUT":
            return Answer(400, error("Incident Already Resolved", 1001))
        return Answer(body=json.dumps({"incident": {**INCIDENT, "status": "resolved"}}).encode())

    server.answer = answer
    assert PagerDutyBackend(server.url, TOKEN, lambda: T0).acknowledge("P1").status is Status.RESOLVED
    put = next(asked for asked in server.asked if asked.method == "PUT")
    assert put.headers["From"] == "ana@example.com"


def test_every_page_of_a_long_list_is_fetched(server: ScriptedServer) -> None:
    def answer(asked: Asked) -> Answer:
        offset = int(asked.path.rpartition("offset=")[2])
        page = [{**INCIDENT, "id": f"P{n}"} for n in range(offset, min(offset + 100, 250))]
        return Answer(body=json.dumps({"incidents": page, "more": offset + 100 < 250}).encode())

    server.answer = answer
    found = PagerDutyBackend(server.url, TOKEN, lambda: T0).incidents()
    # The newest are asked for first.
    assert [i.id for i in found] == [f"P{n}" for n in reversed(range(250))]
    assert "date_range=all" in server.asked[0].path


WORDS = [{"id": f"PR{n}", "name": name} for n, name in enumerate(("Blocker", "Critical", "Major", "Minor", "Trivial"))]


def account(priorities: Answer, *names: str | None) -> Callable[[Asked], Answer]:
    """Answer as an account with ``priorities`` and one open incident for each of the ``names`` of priorities."""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/priorities":
            return priorities
        if asked.path == "/users/me":
            return as_json({"user": {"id": "ana", "email": "ana@example.com"}})
        if asked.path.startswith("/services"):
            return as_json({"services": [{"id": "S1", "name": "Payments"}]})
        # The newest are asked for first.
        found = [with_priority(f"P{n}", name) for n, name in enumerate(names)][::-1]
        return as_json({"incident": found[0]} if asked.path == "/incidents" else {"incidents": found})

    return answer


def as_json(value: object) -> Answer:
    return Answer(body=json.dumps(value).encode())


def with_priority(incident_id: str, name: str | None) -> dict[str, object]:
    priority = None if name is None else {"id": "X", "summary": name, "type": "priority_reference"}
    return {**INCIDENT, "id": incident_id, "urgency": "low", "priority": priority}


def severities(backend: PagerDutyBackend) -> list[int]:
    return [int(i.severity) for i in backend.incidents()]


def test_priorities_without_numbers_go_by_their_order_which_is_asked_for_once(server: ScriptedServer) -> None:
    server.answer = account(as_json({"priorities": WORDS}), "Major", "Trivial", "P4", None)
    backend = PagerDutyBackend(server.url, TOKEN, lambda: T0)
    assert severities(backend) == [2, 3, 3, 3]
    assert severities(backend) == [2, 3, 3, 3]
    assert [asked.path for asked in server.asked].count("/priorities") == 1


def test_priorities_with_numbers_need_no_order(server: ScriptedServer) -> None:
    server.answer = account(as_json({"priorities": WORDS}), "P0", "SEV-2", None)
    assert severities(PagerDutyBackend(server.url, TOKEN, lambda: T0)) == [0, 2, 3]
    assert [asked.path.partition("?")[0] for asked in server.asked] == ["/incidents"]


@pytest.mark.parametrize("status", [402, 403, 404])
def test_an_account_without_priorities_has_none(server: ScriptedServer, status: int) -> None:
    server.answer = account(Answer(status, error("no such feature", 2014)), "Major")
    assert severities(PagerDutyBackend(server.url, TOKEN, lambda: T0)) == [3]


def test_priorities_that_cannot_be_asked_for_are_no_calm_answer(server: ScriptedServer) -> None:
    server.answer = account(Answer(503), "Major")
    with pytest.raises(BackendFault):
        PagerDutyBackend(server.url, TOKEN, lambda: T0).incidents()


def opened(server: ScriptedServer, severity: Severity) -> dict[str, object]:
    """Return what is asked for when a page of ``severity`` is opened."""
    PagerDutyBackend(server.url, TOKEN, lambda: T0).trigger(NewPage("Disk full", severity))
    (post,) = [asked for asked in server.asked if asked.method == "POST"]
    wanted = json.loads(post.body)["incident"]
    return {key: wanted.get(key) for key in ("priority", "urgency")}


def test_a_page_is_opened_with_the_priority_that_means_its_severity(server: ScriptedServer) -> None:
    server.answer = account(as_json({"priorities": WORDS}), "Major")
    priority = {"type": "priority_reference", "id": "PR2"}
    assert opened(server, Severity.SEV2) == {"priority": priority, "urgency": "high"}


def test_a_page_is_opened_in_an_account_without_priorities(server: ScriptedServer) -> None:
    server.answer = account(Answer(404, error("no such feature", 2014)), None)
    assert opened(server, Severity.SEV3) == {"priority": None, "urgency": "low"}


def test_a_severity_that_no_priority_means_is_refused_by_name(server: ScriptedServer) -> None:
    server.answer = account(as_json({"priorities": [{"id": "PR1", "name": "P1"}, {"id": "PR2", "name": "P2"}]}), "P1")
    with pytest.raises(Rejected, match="SEV-0: the priorities are P1, P2"):
        opened(server, Severity.SEV0)
