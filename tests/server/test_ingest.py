"""POST /watchbell/v1/ingest/…: who may, what it answers, and that nothing with a known key is lost."""

import base64
import json
import logging
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from desktop.domain.errors import StorageError
from desktop.server import tokens
from desktop.server.ingest import report
from desktop.server.tables.tokens import tokens as tokens_table
from tests.server.house import TEAM, House, assigned, running_house
from tests.server.test_senders import JSON, alert, group

SENDERS = ["alertmanager", "grafana", "datadog", "generic"]


def path(sender: str) -> str:
    return f"/watchbell/v1/ingest/{sender}"


def post(house: House, sender: str, body: object, key: str | None = None, **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {key or house.key}"}
    return house.call("POST", path(sender), body, person="", headers=headers, **more)


def taken(house: House, sender: str, body: object, **more: Any) -> list[str]:
    answer = post(house, sender, body, **more)
    assert (answer.status_code, answer.json()["status"]) == (202, "success"), answer.text
    return list(answer.json()["dedup_keys"])


def details(house: House, incident: dict[str, Any]) -> dict[str, Any]:
    shown = house.get(f"/incidents/{incident['id']}", **{"include[]": "body"})["incident"]
    return dict(shown["body"]["details"]["payload"]["custom_details"])


@pytest.mark.parametrize("sender", ["alertmanager", "grafana"])
def test_a_group_opens_an_incident_for_each_alert(shared: House, sender: str) -> None:
    keys = [f"{sender}-{n}" for n in range(3)]
    firing = [alert(fingerprint=key) for key in keys]
    assert taken(shared, sender, group(*firing, truncatedAlerts=4)) == keys
    for key in keys:
        incident = shared.incident(key)
        assert (incident["title"], incident["priority"]["name"]) == ("disk full", "SEV-0")
        assert (incident["status"], assigned(incident)) == ("triggered", ["ana"])
        assert incident["watchbell"]["link"] == firing[0]["generatorURL"]
        assert "left out 4" in details(shared, incident)["group"]["truncatedAlerts"]
    assert taken(shared, sender, group(*firing)) == keys
    assert taken(shared, sender, group(firing[0], {**firing[1], "status": "resolved"})) == keys[:2]
    assert [shared.incident(key)["status"] for key in keys] == ["triggered", "resolved", "triggered"]


def test_the_history_shows_the_links_of_an_alert(shared: House) -> None:
    taken(shared, "alertmanager", group(alert(fingerprint="linked")))
    incident = shared.incident("linked")
    entries = shared.get(f"/incidents/{incident['id']}/log_entries", **{"include[]": "channels"})["log_entries"]
    contexts = next(entry["contexts"] for entry in entries if entry["type"] == "trigger_log_entry")
    assert [context["text"] for context in contexts] == ["Source", "Runbook", "Alertmanager"]


@pytest.mark.parametrize("scheme", ["token", "bearer", "basic", "routing"])
def test_the_key_comes_in_a_header(shared: House, scheme: str) -> None:
    word = base64.b64encode(f"anybody:{shared.key}".encode()).decode()
    name, value = {
        "token": ("Authorization", f"Token token={shared.key}"),
        "bearer": ("Authorization", f"Bearer {shared.key}"),
        "basic": ("Authorization", f"Basic {word}"),
        "routing": ("X-Routing-Key", shared.key),
    }[scheme]
    answer = shared.call("POST", path("generic"), {"title": "t", "key": scheme}, person="", headers={name: value})
    assert (answer.status_code, answer.json()["dedup_keys"]) == (202, [scheme])
    assert shared.incident(scheme)["status"] == "triggered"


@pytest.mark.parametrize("sender", SENDERS)
def test_without_a_known_key_nothing_is_taken(shared: House, sender: str, caplog: pytest.LogCaptureFixture) -> None:
    before = shared.get("/incidents", total="true", date_range="all")["total"]
    bad = ["", "Basic", "Basic !!", f"Basic {base64.b64encode(shared.key.encode()).decode()}", "Basic \xff", "Bearer x",
           f"Bearer {shared.tokens['ana']}", shared.key, "Bearer \xff"]  # fmt: skip
    for header in bad:
        sent = {"Authorization": header.encode("latin-1")}
        answer = shared.call("POST", path(sender), {"title": "t"}, person="", headers=sent)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, 2006), header
        assert "WWW-Authenticate" in answer.headers
    for query in ("key", "token", "routing_key", "integration_key"):
        answer = shared.call("POST", path(sender), {"title": "t"}, person="", params={query: shared.key})
        assert answer.status_code == 401
    assert shared.call("POST", path(sender), {"title": "t", "routing_key": shared.key}, person="").status_code == 401
    assert shared.get("/incidents", total="true", date_range="all")["total"] == before
    assert [r.getMessage() for r in caplog.records].count("alerts refused") == len(bad) + 5
    assert shared.key not in caplog.text


def test_a_revoked_key_is_refused_at_once(shared: House) -> None:
    key = tokens.create(shared.database, service="batch")
    assert post(shared, "generic", "t", key).status_code == 202
    with shared.server.storage.write() as connection:
        ended = update(tokens_table).where(tokens_table.c.hash == tokens.digest_of(key))
        connection.execute(ended.values(revoked_at=shared.clock()))
    assert post(shared, "generic", "t", key).status_code == 401


@pytest.mark.parametrize("sender", SENDERS)
def test_what_is_refused(shared: House, sender: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for content in (b"", b"  ", b"null", b"{}", b"[]"):
        answer = post(shared, sender, None, data=content)
        assert (answer.status_code, answer.json()["error"]["errors"]) == (400, ["the body names no alert"])
    assert [r.getMessage() for r in caplog.records].count("alerts refused") == 5
    large = b'{"title": "' + b"x" * 600_000 + b'"}'
    assert post(shared, sender, None, data=large).status_code == 413
    assert post(shared, sender, None, data=iter([large])).status_code == 413
    headers = {"Authorization": f"Bearer {shared.key}"}
    assert shared.call("GET", path(sender), person="", headers=headers).status_code == 405
    assert (
        shared.call("POST", path(sender), "t", headers={**headers, "Origin": "http://x"}, person="").status_code == 403
    )
    assert (
        shared.call("POST", path(sender), "t", headers={**headers, "Host": "x.example"}, person="").status_code >= 400
    )


BROKEN = {
    "NaN": b'{"alerts": [%s, {"fingerprint": "NaN-2", "values": {"B": NaN}, "annotations": {"summary": "second"}}]}',
    "cut": b'{"alerts": [%s, {"fingerprint": "cut-2", "annotations": {"summary": "second"}, "labels": {"a": "b',
    "deep": b'{"alerts": [%s, {"fingerprint": "deep-2", "annotations": {"summary": "second"}, "labels": '
    + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}]}",
    "not UTF-8": b'{"alerts": [%s, {"fingerprint": "not UTF-8-2", "annotations": {"summary": "second"}, "x": "\xff"}]}',
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_of_a_broken_batch_all_alerts_page(shared: House, name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    content = BROKEN[name].replace(b"%s", json.dumps(alert(fingerprint=f"{name}-1")).encode())
    assert taken(shared, "alertmanager", None, data=content) == [f"{name}-1", f"{name}-2"]
    first, second = (shared.incident(f"{name}-{n}") for n in (1, 2))
    assert (first["title"], first["priority"]["name"], second["title"]) == ("disk full", "SEV-0", "second")
    told = details(shared, first)
    assert told["sent"].startswith('{"alerts": [')
    assert told["mended"]
    assert "sent" not in details(shared, second)
    assert "alerts mended" in [r.getMessage() for r in caplog.records]


def test_an_alert_that_makes_no_sense_does_not_take_the_others_down(shared: House) -> None:
    keys = taken(shared, "alertmanager", group(alert(fingerprint="sane-1"), 5, alert(fingerprint="sane-2")))
    assert (keys[0], keys[2], len(keys)) == ("sane-1", "sane-2", 3)
    odd = shared.incident(keys[1])
    assert (odd["title"], odd["priority"]["name"]) == ("Unreadable alert from Alertmanager: 5", "SEV-1")


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/x-www-form-urlencoded", ""])
def test_bare_text_pages(shared: House, kind: str) -> None:
    text = f"nächtliche Sicherung fehlgeschlagen {kind}\nexit 23"
    [key] = taken(shared, "generic", None, data=text.encode())
    incident = shared.incident(key)
    assert incident["title"] == text.splitlines()[0].strip()
    assert details(shared, incident) == {"text": text}
    assert "no severity" in incident["watchbell"]["note"]


@pytest.mark.parametrize(
    ("sender", "body", "severity", "note"),
    [
        ("generic", {"title": "t", "severity": "sev0"}, "SEV-0", ""),
        ("generic", {"title": "t", "severity": "SEV-3"}, "SEV-3", ""),
        ("generic", {"title": "t", "severity": "Minor"}, "SEV-2", ""),
        ("generic", {"title": "t", "severity": "apocalypse"}, "SEV-1", "unknown severity 'apocalypse'"),
        ("generic", {"title": "t", "severity": {"a": 1}}, "SEV-1", "no severity"),
        ("datadog", {"title": "t", "priority": "P1"}, "SEV-0", ""),
        ("datadog", {"title": "t", "priority": "P5"}, "SEV-3", ""),
        ("datadog", {"title": "t", "priority": "$ALERT_PRIORITY", "transition": "Warn"}, "SEV-2", ""),
        ("datadog", {"title": "t", "priority": "normal", "type": "error"}, "SEV-1", ""),
        ("datadog", {"title": "t", "priority": "P9"}, "SEV-1", "unknown severity 'P9'"),
    ],
)
def test_severities(shared: House, sender: str, body: dict[str, Any], severity: str, note: str) -> None:
    key = f"severity-{sender}-{json.dumps(body)}"
    taken(shared, sender, {**body, "key": key, "aggregation_key": key})
    incident = shared.incident(key)
    assert incident["priority"]["name"] == severity
    assert note in incident["watchbell"]["note"]
    assert bool(note) == bool(incident["watchbell"]["note"])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_teams_words_and_a_services_own_severity_hold(database: str) -> None:
    words = '\n[severity.words]\np1 = "sev2"\nblaze = "sev0"\ncritical = "sev1"\n'
    with running_house(database, TEAM + words) as house:
        batch = tokens.create(house.database, service="batch")
        taken(house, "datadog", {"title": "t", "priority": "P1", "aggregation_key": "a"})
        taken(house, "alertmanager", group(alert(fingerprint="b", labels={"severity": "blaze"})))
        taken(house, "generic", {"title": "t", "severity": "critical", "key": "c"})
        taken(house, "generic", {"title": "t", "severity": "sev0", "key": "d"})
        taken(house, "generic", {"title": "t", "severity": "sev0", "key": "e"}, key=batch)
        assert [house.incident(key)["priority"]["name"] for key in "abcde"] == [
            "SEV-2",
            "SEV-0",
            "SEV-1",
            "SEV-0",
            "SEV-3",
        ]


def test_acknowledged_and_resolved(shared: House) -> None:
    for status, becomes in (("firing", "triggered"), ("acknowledged", "acknowledged"), ("resolved", "resolved")):
        taken(shared, "generic", {"title": "t", "key": "life", "status": status})
        assert shared.incident("life")["status"] == becomes
    assert taken(shared, "generic", {"title": "t", "key": "never", "status": "resolved"}) == ["never"]
    assert shared.get("/incidents", incident_key="never", date_range="all")["incidents"] == []


def test_hostile_text_stays_plain_and_capped(shared: House) -> None:
    title = "<script>alert(1)</script>\x1b[2J\u202e\0" + "x" * 5_000
    links = {"link": "javascript:alert(1)", "url": "file:///etc/passwd"}
    taken(shared, "generic", {"title": title, "key": "hostile", **links})
    incident = shared.incident("hostile")
    assert incident["title"].startswith("<script>alert(1)</script>[2J")
    assert len(incident["title"]) == 1024
    assert incident["watchbell"]["link"] is None
    assert not {"\x1b", "\u202e", "\0"} & set(incident["title"])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_failing_database_is_said_and_nothing_is_half_taken(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = report.event, 0

    def fail(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % 3 == 0:
            raise StorageError("disk on fire")
        return real(*args)

    monkeypatch.setattr("desktop.server.api.ingest.event", fail)
    alerts = [alert(fingerprint=str(n)) for n in range(3)]
    assert post(house, "alertmanager", group(*alerts)).status_code == 503
    assert house.get("/incidents", date_range="all")["incidents"] == []
    monkeypatch.undo()
    assert taken(house, "alertmanager", group(*alerts)) == ["0", "1", "2"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_was_taken_is_there_after_a_restart(database: str) -> None:
    with running_house(database) as house:
        taken(house, "grafana", group(alert(fingerprint="kept-1"), alert(fingerprint="kept-2")))
    with running_house(database) as again:
        assert {again.incident(f"kept-{n}")["status"] for n in (1, 2)} == {"triggered"}


@pytest.mark.parametrize("shared_database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("sender", SENDERS)
def test_no_json_is_a_fault_and_no_title_is_lost(shared: House, sender: str) -> None:
    number = 0

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        content=JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200),
        more=st.dictionaries(st.text(), JSON, max_size=3),
        inner=JSON,
    )
    def check(content: bytes, more: dict[str, Any], inner: Any) -> None:
        nonlocal number
        number += 1
        assert post(shared, sender, None, data=content).status_code in (202, 400)
        title = f"unheard of {sender} {number}"
        over = {"status": "firing", "transition": "Triggered", "state": "alerting", "alerts": None}
        [key] = taken(shared, sender, {"details": inner, **more, **over, "title": title})
        found = shared.get("/incidents", incident_key=key, date_range="all")["incidents"]
        assert any(incident["status"] == "triggered" for incident in found)

    check()
    assert number >= 25


def test_the_document_describes_them(shared: House) -> None:
    document = shared.get("/watchbell/v1/openapi.json")
    for sender in SENDERS:
        operation = document["paths"][path(sender)]["post"]
        assert {"202", "default"} <= set(operation["responses"])
        assert "application/json" in operation["requestBody"]["content"]
        named = {name for asked in operation["security"] for name in asked}
        assert named <= set(document["components"]["securitySchemes"])
    small = document["paths"][path("generic")]["post"]["requestBody"]["content"]
    assert set(small["application/json"]["schema"]["properties"]) == {
        "title", "severity", "key", "status", "link", "details"
    }  # fmt: skip
    assert "text/plain" in small


def test_what_is_unreadable_to_both_is_two_incidents(shared: House) -> None:
    alerts = {"alerts": [{"labels": {"colour": "red"}}, 5]}
    found = [set(taken(shared, sender, alerts)) for sender in ("alertmanager", "grafana")]
    assert [len(keys) for keys in found] == [2, 2]
    assert not found[0] & found[1]
    assert taken(shared, "alertmanager", {"odd": 1}) != taken(shared, "grafana", {"odd": 1})
