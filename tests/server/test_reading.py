"""What is only read: history, alerts, schedules, policies, services, users; and what the team file rules."""

from typing import Any

import pytest

from tests.server.house import DIRECTOR, MINUTE, TEAM, House, running_house


def test_links_are_the_servers_own_and_lead_where_they_say(shared: House) -> None:
    incident = shared.incident(shared.enqueue())
    assert incident["html_url"] == incident["self"] == f"{shared.url}/incidents/{incident['id']}"
    first = incident["first_trigger_log_entry"]
    for link in (incident["self"], first["self"], incident["service"]["self"], incident["escalation_policy"]["self"],
                 incident["assignments"][0]["assignee"]["self"]):  # fmt: skip
        assert shared.get(link.removeprefix(shared.url))
    line = shared.get(f"/log_entries/{first['id']}")["log_entry"]
    assert (line["type"], line["incident"]["id"]) == ("trigger_log_entry", incident["id"])
    shared.server.station.refresh()
    assert shared.incident(incident["incident_key"])["self"].startswith(shared.url)


def test_the_history_in_pages_the_latest_first(house: House) -> None:
    incident = house.incident(house.enqueue())
    house.clock.forward(MINUTE)
    house.put(incident["id"], status="acknowledged")
    place = f"/incidents/{incident['id']}/log_entries"
    found = house.get(place, limit=2, total="true")
    assert [e["type"] for e in found["log_entries"]] == ["acknowledge_log_entry", "assign_log_entry"]
    assert (found["more"], found["total"]) == (True, 3)
    rest = house.get(place, offset=2)["log_entries"]
    assert [e["type"] for e in rest] == ["trigger_log_entry"]
    assert house.get("/log_entries", offset=2)["log_entries"] == rest
    late = house.get("/log_entries", since="2026-01-07T18:01:00Z")["log_entries"]
    assert {e["created_at"] for e in late} == {"2026-01-07T18:01:00Z"}
    early = house.get("/log_entries", until="2026-01-07T18:01:00Z")["log_entries"]
    assert len(late) + len(early) == found["total"]
    assert house.get("/log_entries", **{"team_ids[]": "any"})["log_entries"] == []
    assert house.get(f"/log_entries/{late[0]['id']}")["log_entry"] == late[0]


@pytest.mark.parametrize("name", ["", "L", "Lx", "L999999999", "L" + "9" * 30, "RNONE", "X1", "L²"])
def test_no_such_line(shared: House, name: str) -> None:
    assert shared.call("GET", f"/log_entries/{name}").status_code == 404


def test_an_alert_has_what_was_sent(shared: House) -> None:
    body = {
        **shared.event(custom_details={"load": 5}),
        "links": [{"href": "https://example.com"}, {"href": "javascript:x"}],
    }
    key = shared.call("POST", "/v2/enqueue", body, person="").json()["dedup_key"]
    name = shared.incident(key)["id"]
    alerts = shared.get(f"/incidents/{name}/alerts", alert_key=key)["alerts"]
    assert [(a["alert_key"], a["severity"], a["status"]) for a in alerts] == [(key, "critical", "triggered")]
    assert alerts[0]["body"]["details"] == {"load": 5}
    assert [c["href"] for c in alerts[0]["body"]["contexts"]] == ["https://example.com"]
    assert shared.get(f"/incidents/{name}/alerts", alert_key="other")["alerts"] == []
    assert shared.get(f"/incidents/{name}/alerts", **{"statuses[]": "resolved"})["alerts"] == []
    assert shared.call("GET", f"/incidents/{name}/alerts/Aother").status_code == 404


def test_a_schedule_is_rendered_without_gaps_and_shows_overrides(house: House) -> None:
    override = {"start": "2026-01-09T00:00:00Z", "end": "2026-01-10T00:00:00Z", "user": {"id": "cho", "type": "user"}}
    made = house.call("POST", "/schedules/primary/overrides", {"overrides": [override]}, person="cho")
    assert made.status_code == 201
    times = {"since": "2026-01-08T00:00:00Z", "until": "2026-01-15T00:00:00Z"}
    shown = house.get("/schedules/primary", time_zone="UTC", **times)["schedule"]
    final = shown["final_schedule"]
    assert [(e["user"]["id"], e["start"][:10], e["end"][:10]) for e in final["rendered_schedule_entries"]] == [
        ("ana", "2026-01-08", "2026-01-09"), ("cho", "2026-01-09", "2026-01-10"), ("ana", "2026-01-10", "2026-01-12"),
        ("ben", "2026-01-12", "2026-01-15"),
    ]  # fmt: skip
    assert final["rendered_coverage_percentage"] == 100
    overridden = shown["overrides_subschedule"]
    assert [e["user"]["id"] for e in overridden["rendered_schedule_entries"]] == ["cho"]
    assert overridden["rendered_coverage_percentage"] == pytest.approx(100 / 7, abs=0.01)
    layer = shown["schedule_layers"][0]
    assert [e["user"]["id"] for e in layer["rendered_schedule_entries"]] == ["ana", "ben"]
    assert layer["rotation_turn_length_seconds"] == 604_800
    whole = house.get("/schedules/primary", overflow="true", **times)["schedule"]["final_schedule"]
    ends = whole["rendered_schedule_entries"][0]["start"], whole["rendered_schedule_entries"][-1]["end"]
    assert ends == ("2026-01-05T09:00:00-08:00", "2026-01-19T09:00:00-08:00")


def test_times_are_told_in_the_zone_that_is_asked_for(shared: House) -> None:
    details = {"at": "2026-01-07T18:00:00Z"}
    name = shared.incident(shared.enqueue(key="zoned", custom_details=details))["id"]
    asked = {"time_zone": "Europe/Berlin"}
    (incident,) = shared.get("/incidents", incident_key="zoned", **asked)["incidents"]
    assert (incident["created_at"], incident["assignments"][0]["at"]) == ("2026-01-07T19:00:00+01:00",) * 2
    assert {o["start"] for o in shared.get("/oncalls", **asked)["oncalls"]} == {"2026-01-05T18:00:00+01:00", None}
    for path in (f"/incidents/{name}/log_entries", "/log_entries"):
        entries = shared.get(path, **asked, **{"include[]": "channels"})["log_entries"]
        assert {entry["created_at"] for entry in entries} == {"2026-01-07T19:00:00+01:00"}
        # What a sender wrote stays as they wrote it.
        assert details["at"] in str(entries)
    (*_, last) = shared.get("/log_entries")["log_entries"]
    one = shared.get(f"/log_entries/{last['id']}", **asked)["log_entry"]
    assert one["created_at"] == "2026-01-07T19:00:00+01:00"
    assert shared.get("/oncalls", time_zone="UTC") == shared.get("/oncalls")
    for path in (
        "/incidents",
        "/oncalls",
        "/log_entries",
        f"/log_entries/{one['id']}",
        f"/incidents/{name}/log_entries",
    ):
        assert shared.call("GET", path, params={"time_zone": "Nonsense"}).status_code == 400


def test_who_is_next_and_who_has_it_at_all(shared: House) -> None:
    shown = shared.get("/schedules/primary", include_next_oncall_for_user="ben")["schedule"]
    assert shown["next_oncall_for_user"]["start"] == "2026-01-12T09:00:00-08:00"
    assert shown["final_schedule"]["rendered_schedule_entries"] == []
    assert (
        shared.get("/schedules/manager", include_next_oncall_for_user="ben")["schedule"]["next_oncall_for_user"] is None
    )
    assert [u["id"] for u in shared.get("/schedules/primary/users")["users"]] == ["ana"]
    fortnight = shared.get("/schedules/primary/users", since="2026-01-07T00:00:00Z")["users"]
    assert [u["id"] for u in fortnight] == ["ana", "ben"]
    assert [s["id"] for s in shared.get("/schedules", query="e")["schedules"]] == ["secondary", "manager"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/schedules/nobody", 404), ("/schedules/primary?since=yesterday", 400),
        ("/schedules/primary?time_zone=Mars", 400),
        ("/schedules/primary?time_zone=../../etc/passwd", 400), ("/schedules/primary?time_zone=%00", 400),
        ("/schedules/primary?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", 400),
        ("/schedules/primary?since=2026-01-02T00:00:00Z&until=2036-01-01T00:00:00Z", 400),
        ("/schedules/primary?until=0001-01-02T00:00:00Z", 400), ("/schedules/primary?since=9999-12-31T00:00:00Z", 400),
        ("/schedules/primary?include_next_oncall_for_user=none", 404),
    ],
)  # fmt: skip
def test_no_schedule_for_what_makes_no_sense(shared: House, path: str, status: int) -> None:
    assert shared.call("GET", path).status_code == status


def test_a_policy_says_what_its_severity_does(shared: House) -> None:
    policy = shared.get("/escalation_policies/sev0")["escalation_policy"]
    rules = [(r["escalation_delay_in_minutes"], [t["id"] for t in r["targets"]]) for r in policy["escalation_rules"]]
    assert rules == [
        (15, ["primary"]), (15, ["primary", "secondary"]), (30, ["primary", "secondary", "manager"]),
        (15, ["primary", "secondary", "manager", DIRECTOR]),
    ]  # fmt: skip
    assert policy["num_loops"] == 9
    assert [s["after"] for s in policy["watchbell"]["steps"]] == [0, 900, 1800, 3600]
    assert [s["id"] for s in shared.get("/escalation_policies/sev3")["escalation_policy"]["services"]] == ["batch"]
    named = shared.get("/escalation_policies", **{"user_ids[]": DIRECTOR}, sort_by="name:desc")
    assert [p["id"] for p in named["escalation_policies"]] == ["sev1", "sev0"]
    assert shared.call("GET", "/escalation_policies?sort_by=odd").status_code == 400


def test_a_service_says_what_its_incidents_make_of_it(house: House) -> None:
    def status() -> Any:
        return house.get("/services/payments")["service"]["status"]

    assert status() == "active"
    incident = house.incident(house.enqueue())
    assert status() == "critical"
    house.put(incident["id"], status="acknowledged")
    assert status() == "warning"
    shown = house.get("/services", **{"include[]": "escalation_policies"}, name="Payments")["services"]
    assert [(s["id"], s["escalation_policy"]["type"]) for s in shown] == [("payments", "escalation_policy")]


def test_people_and_how_they_are_reached(tmp_path_factory: pytest.TempPathFactory) -> None:
    phone = 'name = "Ben Okafor"\nphone = "+82 2-312-3456"\nnotify = ["env:BENS_SECRET"]'
    with running_house(tmp_path_factory.mktemp("house"), TEAM.replace('name = "Ben Okafor"', phone)) as house:
        found = house.get("/users/ben/contact_methods")["contact_methods"]
        assert [(m["type"], m["country_code"], m["address"]) for m in found] == [
            ("phone_contact_method", 82, "23123456")
        ]
        assert "BENS_SECRET" not in str(house.get("/users/ben", **{"include[]": "contact_methods"}))
        assert [u["role"] for u in house.get("/users")["users"]] == ["limited_user", "limited_user", "user"]
        assert house.get("/users", **{"team_ids[]": "any"})["users"] == []
        assert house.call("GET", "/users/ben/contact_methods/none").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/users"), ("PUT", "/users/ana"), ("DELETE", "/users/ana"), ("POST", "/users/ana/contact_methods"),
        ("POST", "/services"), ("PUT", "/services/payments"), ("POST", "/services/payments/integrations"),
        ("POST", "/escalation_policies"), ("DELETE", "/escalation_policies/sev0"), ("POST", "/schedules"),
        ("PUT", "/schedules/primary"), ("POST", "/schedules/preview"),
    ],
)  # fmt: skip
def test_what_the_team_file_rules_is_refused_and_says_so(shared: House, method: str, path: str) -> None:
    answer = shared.call(method, path, {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, 2010)
    assert "team file" in answer.json()["error"]["errors"][0]
    assert shared.call(method, path, {}, person="").status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/users/ana/notification_rules/x", "/users/ana/sessions", "/services/payments/integrations/x",
     "/schedules/primary/overrides/x", "/escalation_policies/sev0/audit/records"],
)  # fmt: skip
def test_what_is_not_served_below_a_known_path_is_not_found(shared: House, path: str) -> None:
    answer = shared.call("GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, 2100)
    assert shared.call("GET", path, person="").status_code == 401


def test_a_service_has_one_status_wherever_it_is_shown(house: House) -> None:
    house.enqueue(key="k")
    whole = {"include[]": "services"}

    def shown() -> set[str]:
        incident = house.get("/incidents/1", **whole)["incident"]
        policies = house.get("/escalation_policies", **whole)["escalation_policies"]
        return {
            incident["service"]["status"],
            house.get("/incidents", **whole)["incidents"][0]["service"]["status"],
            house.get("/log_entries", **whole)["log_entries"][0]["service"]["status"],
            house.get(f"/log_entries/R{incident['id'][1:]}", **whole)["log_entry"]["service"]["status"],
            house.get("/services/payments")["service"]["status"],
            house.get("/services", name="Payments")["services"][0]["status"],
            *(each["status"] for policy in policies for each in policy["services"] if each["id"] == "payments"),
        }

    assert shown() == {"critical"}
    house.put("1", status="acknowledged")
    assert shown() == {"warning"}
    house.put("1", status="resolved")
    assert shown() == {"active"}


@pytest.mark.parametrize("path", ["/incidents/1/notes", "/log_entries", "/priorities", "/v2/enqueue", "/oncalls"])
def test_another_method_is_405_in_pagerdutys_shape(shared: House, path: str) -> None:
    answer = shared.call("PATCH", path, {})
    assert answer.status_code == 405
    assert set(answer.json()["error"]) == {"message", "code", "errors"}
