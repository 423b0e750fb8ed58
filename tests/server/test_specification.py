"""Every answer of every operation that PagerDuty's specification has and we serve, held against it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import requests

from desktop.server.limits import Limits, Requests
from tests.server.house import MINUTE, TEAM, House, Json, running_house
from tests.server.specification import Specification

_BEN = """"Ben Okafor"
email = "ben@example.com"
notify = ["mailto://ben@example.com", "env:WB_TEST_BEN"]
phone = "+44 20 7946 0958"
"""
_TEAM = TEAM.replace('"Ben Okafor"\n', _BEN)
_TEAM = _TEAM.replace('"Cho Lee"', '"Cho Lee"\nemail = "cho@example.com"\ntime_zone = "Asia/Seoul"')
_HEADERS = {
    "Accept": "application/vnd.pagerduty+json;version=2, application/json",
    "Content-Type": "application/json",
    "From": "ben@example.com",
}
_EVERYTHING = {
    "include[]": ["acknowledgers", "agents", "assignees", "escalation_policies", "first_trigger_log_entries",
                  "priorities", "services", "teams", "users", "body", "channels", "contact_methods",
                  "notification_rules"],
    "total": "true",
}  # fmt: skip


@dataclass
class Checked:
    """A house whose answers are checked, and an incident to which everything has happened."""

    house: House
    specification: Specification
    incident: Json
    window: str = ""

    def call(self, method: str, path: str, body: object = None, *, status: int = 200, **more: Any) -> requests.Response:
        response = self.house.call(method, path, body, headers=_HEADERS, **more)
        assert response.status_code == status, response.text
        self.specification.check(response)
        return response


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    with running_house(tmp_path_factory.mktemp("house"), _TEAM) as house:
        found = Checked(house, Specification("rest-v2.openapi.json", house.url), eventful(house))
        found.window = maintain(found)
        yield found


def maintain(checked: "Checked") -> str:
    """Return a maintenance window that a manager made."""
    times = {"start_time": "2026-02-01T20:00:00-05:00", "end_time": "2026-02-01T22:00:00-05:00"}
    services = [{"id": "batch", "type": "service_reference"}]
    part = {"type": "maintenance_window", **times, "description": "Move", "services": services}
    made = checked.call("POST", "/maintenance_windows", {"maintenance_window": part}, status=201, person="cho")
    return str(made.json()["maintenance_window"]["id"])


def eventful(house: House) -> Json:
    """Return an incident with every kind of line in its history."""
    links = {
        "links": [{"href": "https://example.com/a", "text": "a"}],
        "images": [{"src": "https://example.com/b.png"}],
    }
    house.call("POST", "/v2/enqueue", {**house.event(key="full", severity="error"), **links}, person="")
    incident = house.incident("full")
    name = incident["id"]
    confirmed = {"receipts": [{"incident": name, "page": 1, "type": "displayed"}]}
    assert house.call("POST", "/watchbell/v1/receipts", confirmed).status_code == 200
    house.tick(31 * MINUTE)
    house.put(name, title="db is down", urgency="low")
    house.put(name, priority={"id": "sev0", "type": "priority_reference"})
    house.put(name, status="acknowledged")
    house.call("POST", f"/incidents/{name}/notes", {"note": {"content": "looking"}})
    house.call("POST", f"/incidents/{name}/status_updates", {"message": "we are on it"})
    house.call("POST", f"/incidents/{name}/snooze", {"duration": 60})
    target = {"responder_request_target": {"id": "cho", "type": "user_reference"}}
    house.call("POST", f"/incidents/{name}/responder_requests",
               {"requester_id": "ana", "message": "help", "responder_request_targets": [target]})  # fmt: skip
    house.tick(MINUTE)
    house.put(name, escalation_policy={"id": "sev1", "type": "escalation_policy_reference"})
    for _ in range(60):
        house.tick(timedelta(hours=1))
    house.put(name, assignments=[{"assignee": {"id": "ben", "type": "user_reference"}}])
    house.put(name, status="resolved", resolution="restarted")
    house.enqueue(key="full")
    house.put(name, status="acknowledged")
    return house.incident("full")


READ = [
    "/abilities",
    "/escalation_policies",
    "/escalation_policies/sev0",
    "/escalation_policies/sev3",
    "/incidents?date_range=all",
    "/incidents?date_range=all&statuses[]=triggered&statuses[]=acknowledged&user_ids[]=ana&urgencies[]=high",
    "/incidents/{incident}",
    "/incidents/{incident}/alerts",
    "/incidents/{incident}/alerts/{alert}",
    "/incidents/{incident}/log_entries?limit=100",
    "/incidents/{incident}/log_entries?is_overview=true",
    "/incidents/{incident}/notes",
    "/log_entries?limit=100",
    "/maintenance_windows",
    "/maintenance_windows?filter=open&service_ids[]=batch&query=move",
    "/maintenance_windows/{window}",
    "/log_entries/{trigger}",
    "/oncalls",
    "/oncalls?since=2026-01-07T00:00:00Z&until=2026-03-01T00:00:00Z",
    "/priorities",
    "/schedules",
    "/schedules?since=2026-01-07T00:00:00Z&until=2026-02-01T00:00:00Z",
    "/schedules/primary",
    "/schedules/primary?since=2026-01-07T00:00:00Z&until=2026-03-10T00:00:00Z&overflow=true",
    "/schedules/primary?include_next_oncall_for_user=ben",
    "/schedules/primary/overrides?since=2026-01-01T00:00:00Z&until=2026-03-01T00:00:00Z",
    "/schedules/primary/users",
    "/services",
    "/services/payments",
    "/users",
    "/users/me",
    "/users/ben",
    "/users/ben/contact_methods",
    "/users/ben/contact_methods/ben-phone",
    "/users/ben/notification_rules",
    "/users/ben/notification_rules?urgency=all",
    "/users/ben/notification_rules/ben-rule-2",
]


@pytest.mark.parametrize("included", [False, True], ids=["references", "included"])
@pytest.mark.parametrize("path", READ)
def test_reading(checked: Checked, path: str, included: bool) -> None:
    name = checked.incident["id"]
    trigger = checked.incident["first_trigger_log_entry"]["id"]
    filled = path.format(incident=name, alert=f"A{name[1:]}", trigger=trigger, window=checked.window)
    checked.call("GET", filled, params=_EVERYTHING if included else {})


def test_the_history_holds_every_kind_that_we_write(checked: Checked) -> None:
    entries = checked.call("GET", f"/incidents/{checked.incident['id']}/log_entries?limit=100&is_overview=true").json()[
        "log_entries"
    ]
    assert {entry["type"].removesuffix("_log_entry") for entry in entries} == {
        "acknowledge", "annotate", "assign", "delegate", "escalate", "exhaust_escalation_path", "field_value_change",
        "resolve", "snooze", "trigger", "unacknowledge", "urgency_change",
    }  # fmt: skip


def test_writing(checked: Checked) -> None:
    service = {"id": "payments", "type": "service_reference"}
    opening = {"incident": {"type": "incident", "title": "disk", "service": service, "urgency": "high",
                            "body": {"type": "incident_body", "details": "full"}}}  # fmt: skip
    name = checked.call("POST", "/incidents", opening, status=201).json()["incident"]["id"]
    reference = {"id": name, "type": "incident_reference"}
    checked.call("PUT", f"/incidents/{name}", {"incident": {**reference, "status": "acknowledged"}})
    checked.call("PUT", "/incidents", {"incidents": [{**reference, "title": "disk full"}]})
    checked.call("POST", f"/incidents/{name}/notes", {"note": {"content": "looking"}})
    checked.call("POST", f"/incidents/{name}/status_updates", {"message": "we are on it"})
    checked.call("POST", f"/incidents/{name}/snooze", {"duration": 3600}, status=201)
    target = {"responder_request_target": {"id": "sev1", "type": "escalation_policy_reference"}}
    asked = {"requester_id": "ana", "message": "help", "responder_request_targets": [target]}
    checked.call("POST", f"/incidents/{name}/responder_requests", asked)
    flat = [{"id": "sev1", "type": "escalation_policy_reference"}, {"id": "cho", "type": "user_reference"}]
    called_off = {"requester_id": "ana", "responder_request_targets": flat}
    checked.call("PUT", f"/incidents/{name}/responder_requests/cancel", called_off)
    times = {"start": "2026-01-21T00:00:00Z", "end": "2026-01-21T12:00:00Z"}
    override = {**times, "user": {"id": "ana", "type": "user_reference"}}
    made = checked.call("POST", "/schedules/primary/overrides", {"overrides": [override]}, status=201).json()
    place = f"/schedules/primary/overrides/{made[0]['override']['id']}"
    gone = checked.house.call("DELETE", place, headers=_HEADERS)
    assert (gone.status_code, gone.content) == (204, b"")
    checked.call("DELETE", place, status=404)


def test_writing_maintenance_windows(checked: Checked) -> None:
    place = f"/maintenance_windows/{maintain(checked)}"
    part = {"type": "maintenance_window", "end_time": "2026-02-01T23:00:00-05:00"}
    checked.call("PUT", place, {"maintenance_window": part}, person="cho")
    ended = checked.house.call("DELETE", place, person="cho")
    assert (ended.status_code, ended.content) == (204, b"")
    checked.call("GET", place, status=404)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/incidents/QNONE", None, 404),
        ("GET", "/incidents?statuses[]=odd", None, 400),
        ("GET", "/log_entries/Lnone", None, 404),
        ("GET", "/schedules/none", None, 404),
        ("GET", "/users/none", None, 404),
        ("GET", "/escalation_policies/none", None, 404),
        ("GET", "/abilities/sso", None, 402),
        ("POST", "/incidents", {}, 400),
        ("PUT", "/incidents", {"incidents": [{"id": "1"}] * 251}, 413),
        ("POST", "/incidents/{incident}/snooze", {"duration": 0}, 400),
        ("POST", "/schedules", {"schedule": {}}, 403),
        ("PUT", "/escalation_policies/sev0", {"escalation_policy": {}}, 403),
        ("DELETE", "/users/ben", None, 403),
        ("POST", "/maintenance_windows", {}, 400),
        (
            "POST",
            "/maintenance_windows",
            {
                "maintenance_window": {
                    "start_time": "2026-02-01T20:00:00Z",
                    "end_time": "2199-02-01T20:00:00Z",
                    "services": [],
                }
            },
            400,
        ),
    ],
)
def test_refusing(checked: Checked, method: str, path: str, body: object, status: int) -> None:
    checked.call(method, path.format(incident=checked.incident["id"]), body, status=status)


def test_refusing_whoever_is_nobody_or_asks_too_much(checked: Checked) -> None:
    checked.call("GET", "/incidents", status=401, person="")
    station = checked.house.server.station
    usual, station.limits = station.limits, Limits(Requests(1))
    try:
        checked.call("GET", "/incidents")
        checked.call("GET", "/incidents", status=429)
    finally:
        station.limits = usual


def test_events(checked: Checked) -> None:
    house = checked.house
    specification = Specification("events-v2.openapi.json", f"{house.url}/v2")
    for action in ("trigger", "acknowledge", "resolve"):
        response = house.call("POST", "/v2/enqueue", house.event(action, "e"), person="", headers=_HEADERS)
        assert response.status_code == 202
        specification.check(response)
    refused = house.call("POST", "/v2/enqueue", {}, person="", headers=_HEADERS)
    assert refused.status_code == 400
    assert set(refused.json()) == {"status", "message", "errors"}
