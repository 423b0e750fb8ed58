"""POST /v2/enqueue: what monitoring sends, the good and the bad."""

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from desktop.server import incidents, tokens, wording
from desktop.server.app import create_app
from desktop.server.tables.tokens import tokens as tokens_table
from tests.server.house import MINUTE, House, assigned, last_paged


def test_a_trigger_opens_an_incident_that_pages_the_primary(shared: House) -> None:
    shared.enqueue(key="open", summary="db down", severity="critical")
    incident = shared.incident("open")
    assert (incident["title"], incident["status"], incident["urgency"]) == ("db down", "triggered", "high")
    assert incident["priority"]["name"] == "SEV-0"
    assert assigned(incident) == ["ana"]
    assert incident["pending_actions"] == [{"type": "escalate", "at": "2026-01-07T18:15:00Z"}]
    assert incident["watchbell"]["runbook"] == "https://runbooks.example.com/payments"


def test_without_a_dedup_key_each_trigger_is_an_incident_of_its_own(shared: House) -> None:
    keys = {shared.enqueue(), shared.enqueue()}
    assert len(keys) == 2
    assert all(shared.incident(key)["status"] == "triggered" for key in keys)


def test_the_same_key_again_joins_the_open_incident(shared: House) -> None:
    shared.enqueue(key="same", summary="first")
    before = shared.incident("same")
    shared.enqueue(key="same", summary="second", severity="critical")
    after = shared.incident("same")
    assert (after["id"], after["title"]) == (before["id"], "first")
    assert after["watchbell"]["version"] > before["watchbell"]["version"]
    assert after["watchbell"]["pages"] == before["watchbell"]["pages"]
    events = [data["event"]["payload"]["summary"] for kind, data in shared.history(after["id"]) if kind == "trigger"]
    assert events == ["first", "second"]
    body = shared.get(f"/incidents/{after['id']}", **{"include[]": "body"})["incident"]["body"]
    assert body["details"]["payload"]["summary"] == "second"


@pytest.mark.parametrize(
    ("first", "then", "ends"),
    [("warning", "critical", "SEV-0"), ("critical", "warning", "SEV-0"), ("warning", "whatever", "SEV-2")],
)
def test_a_repeated_event_raises_the_severity_and_never_lowers_it(
    shared: House, first: str, then: str, ends: str
) -> None:
    key = shared.enqueue(severity=first)
    shared.enqueue(key=key, severity=then)
    assert shared.incident(key)["priority"]["name"] == ends


def test_acknowledge_and_resolve_by_the_integration(shared: House) -> None:
    shared.enqueue(key="life")
    shared.enqueue("acknowledge", "life")
    assert shared.incident("life")["status"] == "acknowledged"
    shared.enqueue("resolve", "life")
    done = shared.incident("life")
    assert (done["status"], done["resolved_at"]) == ("resolved", "2026-01-07T18:00:00Z")
    assert (done["pending_actions"], done["assignments"]) == ([], [])
    assert done["last_status_change_by"]["id"] == "payments"


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_what_was_never_triggered_is_answered_like_pagerduty_does(shared: House, action: str) -> None:
    assert shared.enqueue(action, f"never-{action}") == f"never-{action}"
    assert shared.get("/incidents", incident_key=f"never-{action}")["incidents"] == []


def test_within_ten_minutes_of_resolving_the_same_incident_reopens(house: House) -> None:
    house.enqueue(key="flap")
    house.tick(15 * MINUTE)
    house.put("1", status="acknowledged")
    house.enqueue("resolve", "flap")
    pages = house.incident("flap")["watchbell"]["pages"]
    house.clock.forward(10 * MINUTE - timedelta(seconds=1))
    house.enqueue(key="flap")
    again = house.incident("flap")
    assert (again["incident_number"], again["status"], again["watchbell"]["flaps"]) == (1, "triggered", 1)
    assert again["watchbell"]["pages"] == pages + 1
    assert again["acknowledgements"] == []
    assert again["pending_actions"][0]["at"] == "2026-01-07T18:39:59Z"


@pytest.mark.parametrize("by_hand", [False, True])
def test_what_is_reopened_begins_at_its_first_step_and_is_whose_it_pages(house: House, by_hand: bool) -> None:
    house.enqueue(key="flap")
    house.put("1", escalation_level=3, person="ben")
    assert assigned(house.incident("flap")) == ["ana", "ben", "cho"]
    house.put("1", status="acknowledged", person="ben")
    house.put("1", status="resolved", person="ben")
    if by_hand:
        assert house.put("1", status="triggered", person="ben").status_code == 200
    else:
        house.enqueue(key="flap")
    again = house.incident("flap")
    assert assigned(again) == last_paged(house, again["id"]) == ["ana"]
    station = house.server.station
    with station.storage.read() as connection:
        record = incidents.find(station, connection, again["id"])
    assert "\nPaged: Ana Ruiz" in wording.page(record, station.directory, "ana").body
    assert "Ben" not in wording.page(record, station.directory, "ana").body
    # The others come in their turn, once.
    house.tick(15 * MINUTE)
    assert assigned(house.incident("flap")) == last_paged(house, again["id"]) == ["ana", "ben"]


def test_reopened_what_was_given_to_somebody_is_theirs(house: House) -> None:
    house.enqueue(key="flap")
    part = {"assignee": {"id": "ben", "type": "user_reference"}}
    house.put("1", assignments=[part])
    house.put("1", status="resolved")
    pages = house.incident("flap")["watchbell"]["pages"]
    house.enqueue(key="flap")
    again = house.incident("flap")
    assert (assigned(again), again["assigned_via"], again["watchbell"]["pages"]) == (
        ["ben"], "direct_assignment", pages + 1)  # fmt: skip
    assert last_paged(house, again["id"]) == ["ben"]


@pytest.mark.parametrize(
    ("then", "ends", "next_at"),
    [("critical", "SEV-0", "18:16"), ("info", "SEV-2", "19:01"), ("whatever", "SEV-2", "19:01")],
)
def test_it_reopens_with_the_worse_severity(house: House, then: str, ends: str, next_at: str) -> None:
    house.enqueue(key="flap", severity="warning")
    house.put("1", status="resolved")
    house.clock.forward(MINUTE)
    house.enqueue(key="flap", severity=then)
    again = house.incident("flap")
    assert (again["status"], again["priority"]["name"]) == ("triggered", ends)
    assert again["escalation_policy"]["summary"] == ends
    assert again["pending_actions"][0]["at"][11:16] == next_at
    assert again["watchbell"]["pages"] == 2


def test_later_it_is_a_new_incident(house: House) -> None:
    house.enqueue(key="flap")
    house.enqueue("resolve", "flap")
    house.clock.forward(10 * MINUTE)
    house.enqueue(key="flap")
    found = house.get("/incidents", incident_key="flap", date_range="all")["incidents"]
    assert [i["status"] for i in found] == ["resolved", "triggered"]


@pytest.mark.parametrize(
    ("word", "priority", "noted"),
    [
        ("critical", "SEV-0", False),
        ("error", "SEV-1", False),
        ("warning", "SEV-2", False),
        ("info", "SEV-3", False),
        ("Page", "SEV-0", False),
        ("catastrophe", "SEV-1", True),
        (None, "SEV-1", True),
    ],
)
def test_severity_words(shared: House, word: str | None, priority: str, noted: bool) -> None:
    key = shared.enqueue(severity=word)
    incident = shared.incident(key)
    assert incident["priority"]["summary"] == priority
    assert incident["urgency"] == ("low" if priority == "SEV-3" else "high")
    assert ("treated as SEV-1" in incident["watchbell"]["note"]) is noted


def test_a_services_own_severity_overrides_the_word(shared: House) -> None:
    key = tokens.create(shared.database, service="batch")
    body = {**shared.event(key="nightly", severity="critical"), "routing_key": key}
    assert shared.call("POST", "/v2/enqueue", body, person="").status_code == 202
    assert shared.incident("nightly")["priority"]["name"] == "SEV-3"


def test_alertmanagers_body_is_kept_whole(shared: House) -> None:
    body = shared.event(key="am", custom_details={"firing": "Labels: …"}, component="db", group="eu")
    body["payload"]["class"] = "disk"
    body |= {"client": "Alertmanager", "client_url": "http://am.example.com/#/alerts", "links": None, "images": []}
    assert shared.call("POST", "/v2/enqueue", body, person="").status_code == 202
    incident = shared.incident("am")
    assert incident["watchbell"]["link"] == "http://am.example.com/#/alerts"
    assert incident["html_url"] == f"{shared.url}/incidents/{incident['id']}"
    kept = shared.get(f"/incidents/{incident['id']}", **{"include[]": "body"})["incident"]["body"]["details"]
    assert kept == {name: value for name, value in body.items() if name != "routing_key"}


def test_the_routing_key_may_come_as_a_header(shared: House) -> None:
    body = {name: value for name, value in shared.event(key="header").items() if name != "routing_key"}
    response = shared.call("POST", "/v2/enqueue", body, person="", headers={"X-Routing-Key": shared.key})
    assert response.status_code == 202


@pytest.mark.parametrize(
    ("summary", "title"),
    [
        ("x" * 100_000, "x" * 1023 + "…"),
        ("<b>bold</b><script>alert(1)</script>", "<b>bold</b><script>alert(1)</script>"),
        ("--help", "--help"),
        ("-rf /", "-rf /"),
        ("قاعدة البيانات \u202eevil", "قاعدة البيانات evil"),
        ("before\0after", "before\N{REPLACEMENT CHARACTER}after"),
        ("two\nlines\tand\x1b[31m red", "two lines and[31m red"),
        ("lone \ud800 surrogate", "lone \N{REPLACEMENT CHARACTER} surrogate"),
        ("\x07\x08", "An alert without a name from db1"),
        ("🔥" * 2000, "🔥" * 1023 + "…"),
    ],
    ids=["100 KB", "HTML", "option", "options", "right-to-left", "NUL", "control", "surrogate", "unreadable", "astral"],
)  # fmt: skip
def test_a_hostile_title_is_shown_plainly_and_nothing_is_lost(shared: House, summary: str, title: str) -> None:
    incident = shared.incident(shared.enqueue(summary=summary))
    assert incident["title"] == title
    kept = shared.get(f"/incidents/{incident['id']}", **{"include[]": "body"})["incident"]["body"]["details"]
    lost = str.maketrans({"\0": "\N{REPLACEMENT CHARACTER}", "\ud800": "\N{REPLACEMENT CHARACTER}"})
    assert kept["payload"]["summary"] == summary.translate(lost)


EVENT: dict[str, Any] = {
    "routing_key": "k" * 32,
    "event_action": "trigger",
    "payload": {"summary": "s", "source": "x", "severity": "critical"},
}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"trigger"', "must be a JSON object"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b'{"payload": {"summary": "s"}, "a": NaN}', "'routing_key' is missing"),
        (b'{"routing_key": "k", "event_action": "trigger", "payload": {"source": "s"}, "a": NaN}', "is unknown"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too large"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": ' + b"[" * 1000 + b"]" * 1000 + b"}", "deeper"),
        (b'{"a": ' + b'{"a":' * 100_000, "deeper"),
        (b"{}", "'routing_key' is missing"),
        ({**EVENT, "routing_key": 7}, "'routing_key' is missing"),
        ({**EVENT, "event_action": "explode"}, "'event_action' must be"),
        ({**EVENT, "event_action": ["trigger"]}, "'event_action' must be"),
        ({**EVENT, "event_action": {}}, "'event_action' must be"),
        ({**EVENT, "event_action": "resolve"}, "'dedup_key' is missing"),
        ({**EVENT, "event_action": "acknowledge", "dedup_key": ""}, "'dedup_key' is missing"),
        (EVENT, "'routing_key' is unknown or revoked"),
    ],
)
def test_a_malformed_event_is_refused_and_says_why(shared: House, content: object, says: str) -> None:
    data = content if isinstance(content, bytes) else json.dumps(content)
    response = shared.call("POST", "/v2/enqueue", data=data, person="")
    assert response.status_code == 400, response.text
    answer = response.json()
    assert (answer["status"], answer["message"]) == ("invalid event", "Event object is invalid")
    assert says in "; ".join(answer["errors"])


def test_a_revoked_key_is_refused_at_once_and_never_logged(shared: House, caplog: pytest.LogCaptureFixture) -> None:
    key = tokens.create(shared.database, service="payments")
    body = {**shared.event(), "routing_key": key}
    assert shared.call("POST", "/v2/enqueue", body, person="").status_code == 202
    with shared.server.storage.write() as connection:
        revoked = {"revoked_at": datetime(2000, 1, 1, tzinfo=UTC)}
        connection.execute(update(tokens_table).where(tokens_table.c.hash == tokens.digest_of(key)).values(revoked))
    response = shared.call("POST", "/v2/enqueue", body, person="")
    assert response.status_code == 400
    refused = [record for record in caplog.records if record.getMessage() == "event refused"]
    assert len(refused) == 1
    assert key not in response.text + str([vars(record) for record in caplog.records])


def test_a_body_over_the_limit_is_refused(shared: House) -> None:
    body = shared.event(summary="x" * 520 * 1024)
    response = shared.call("POST", "/v2/enqueue", body, person="")
    assert response.status_code == 413
    assert response.json()["error"]["message"]


def test_the_same_new_key_from_many_at_once_is_one_incident(shared: House) -> None:
    threads = [threading.Thread(target=shared.server.writer.run, args=(_trigger(shared),)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(shared.history(shared.incident("race")["id"])) == 20 + 1  # each trigger, and the first page


def _trigger(house: House) -> Any:
    from desktop.server import events  # noqa: PLC0415 - only here below HTTP
    from desktop.server.enqueueing import Enqueue  # noqa: PLC0415

    event = events.parse(house.event(key="race"))
    return Enqueue(house.server.station, event)


def test_whoever_hangs_up_before_all_is_said_is_no_fault(shared: House, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(shared.server.station, shared.server.hub)
    sent: list[Any] = []
    came = iter([{"type": "http.request", "body": b'{"rou', "more_body": True}, {"type": "http.disconnect"}])
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v2/enqueue",
        "raw_path": b"/v2/enqueue",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", 80),
    }

    async def receive() -> Any:
        return next(came)

    async def send(message: Any) -> None:
        sent.append(message)

    async def ask() -> None:
        await app(scope, receive, send)

    asyncio.run(ask())
    assert "internal fault" not in caplog.text
    assert sent[0]["status"] == 499
