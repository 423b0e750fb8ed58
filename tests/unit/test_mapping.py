"""What becomes of an incident's links on their way to the screen."""

from typing import Any

import pytest

from desktop.backends.pagerduty import mapping

INCIDENT: dict[str, Any] = {
    "id": "Q1",
    "incident_number": 1,
    "title": "db down",
    "status": "triggered",
    "urgency": "high",
    "created_at": "2026-01-07T18:00:00Z",
    "html_url": "https://acme.pagerduty.com/incidents/Q1",
}


@pytest.mark.parametrize(
    ("ours", "url"),
    [
        (None, "https://acme.pagerduty.com/incidents/Q1"),
        ({"severity": "sev0", "link": "https://grafana.example.com/d/1"}, "https://grafana.example.com/d/1"),
        ({"severity": "sev0", "link": None}, ""),
        ({"severity": "sev0", "link": "javascript:alert(1)"}, ""),
    ],
)
def test_where_more_can_be_seen(ours: dict[str, Any] | None, url: str) -> None:
    sent = INCIDENT if ours is None else {**INCIDENT, "watchbell": ours}
    assert mapping.incident(sent, ["SEV-0"]).url == url


def test_a_service_that_acknowledged_is_nobody_who_has_the_same_id() -> None:
    at, ref = "2026-01-07T18:00:00Z", {"id": "ana", "summary": "Web"}
    who = [
        {"at": at, "acknowledger": {**ref, "type": kind}} for kind in ("service_reference", "service", "user_reference")
    ]
    found = mapping.incident({**INCIDENT, "acknowledgements": who}).acknowledgements
    assert [(a.person.id, a.person.name) for a in found] == [
        ("service:ana", "the service Web"), ("service:ana", "the service Web"), ("ana", "Web")
    ]  # fmt: skip


def test_who_was_asked_to_help_and_has_not_answered() -> None:
    ana, ben = ({"id": name, "summary": name.title(), "type": "user_reference"} for name in ("ana", "ben"))
    responders: list[object] = [
        {"state": "pending", "user": ana, "requester": ben, "message": "please\u202e\nlook"},
        {"state": "pending", "user": ben, "requester": ana, "message": None},
        *({"state": state, "user": ana, "requester": ben} for state in ("joined", "declined", "user_cancelled", 5)),
        None,
        "pending",
    ]
    found = mapping.incident({**INCIDENT, "incidents_responders": responders}).asked
    assert [(a.person.id, a.by.name, a.message) for a in found] == [("ana", "Ben", "please look"), ("ben", "Ana", "")]
    assert mapping.incident({**INCIDENT, "incidents_responders": None}).asked == ()
