"""Users, services, priorities, and who is on call."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.server.house import DIRECTOR, TEAM, House, Json, running_house


def who(answer: Json) -> list[tuple[str, int, str | None, str]]:
    """Name each entry: policy, level, schedule, person."""
    return [
        (o["escalation_policy"]["id"], o["escalation_level"], (o["schedule"] or {}).get("id"), o["user"]["id"])
        for o in answer["oncalls"]
    ]


def test_me(shared: House) -> None:
    me = shared.get("/users/me")["user"]
    assert (me["id"], me["name"], me["email"]) == ("ana", "Ana Ruiz", "ana@example.com")
    assert shared.call("GET", "/users/me", person="ben").json()["user"]["id"] == "ben"


def test_users_are_people_not_contacts(shared: House) -> None:
    assert [u["id"] for u in shared.get("/users")["users"]] == ["ana", "ben", "cho"]
    assert [u["id"] for u in shared.get("/users", query="OKA")["users"]] == ["ben"]
    assert shared.get(f"/users/{DIRECTOR}")["user"]["name"] == "Duty director"
    assert shared.call("GET", "/users/dora").status_code == 404


def test_services(shared: House) -> None:
    assert [s["id"] for s in shared.get("/services")["services"]] == ["batch", "payments"]
    assert shared.get("/services/batch")["service"]["name"] == "Nightly batch"
    assert shared.call("GET", "/services/nope").status_code == 404


def test_priorities_from_the_worst(shared: House) -> None:
    found = shared.get("/priorities")["priorities"]
    assert [(p["id"], p["name"]) for p in found] == [(f"sev{n}", f"SEV-{n}") for n in range(4)]


def test_each_level_holds_the_roles_of_all_steps_so_far(shared: House) -> None:
    found = who(shared.call("GET", "/oncalls?escalation_policy_ids[]=sev0&limit=100").json())
    assert found == [
        ("sev0", 1, "primary", "ana"),
        ("sev0", 2, "primary", "ana"),
        ("sev0", 2, "secondary", "ben"),
        ("sev0", 3, "primary", "ana"),
        ("sev0", 3, "secondary", "ben"),
        ("sev0", 3, "manager", "cho"),
        ("sev0", 4, "primary", "ana"),
        ("sev0", 4, "secondary", "ben"),
        ("sev0", 4, "manager", "cho"),
        ("sev0", 4, None, DIRECTOR),
    ]


def test_the_times_of_a_shift(shared: House) -> None:
    found = shared.call("GET", "/oncalls?user_ids[]=ana&schedule_ids[]=primary").json()["oncalls"][0]
    assert (found["start"], found["end"]) == ("2026-01-05T17:00:00Z", "2026-01-12T17:00:00Z")
    assert found["schedule"]["summary"] == "Primary"


def test_shifts_to_come(shared: House) -> None:
    path = "/oncalls?escalation_policy_ids[]=sev2&schedule_ids[]=primary&until=2026-01-20T00:00:00Z"
    assert who(shared.call("GET", path).json())[:3] == [
        ("sev2", 1, "primary", "ana"),
        ("sev2", 1, "primary", "ben"),
        ("sev2", 1, "primary", "ana"),
    ]
    assert who(shared.call("GET", path + "&earliest=true").json())[:2] == [
        ("sev2", 1, "primary", "ana"),
        ("sev2", 1, "primary", "ben"),
    ]


def test_those_without_a_schedule_are_asked_for_by_null(shared: House) -> None:
    found = who(shared.call("GET", "/oncalls?schedule_ids[]=null").json())
    assert {person for *_, person in found} == {DIRECTOR}


def test_include_gives_whole_objects(shared: House) -> None:
    plain = shared.get("/oncalls")["oncalls"][0]
    assert (plain["user"]["type"], plain["schedule"]["type"]) == ("user_reference", "schedule_reference")
    rich = shared.call("GET", "/oncalls?include[]=users&include[]=schedules").json()["oncalls"][0]
    assert (rich["user"]["type"], rich["schedule"]["type"]) == ("user", "schedule")


@pytest.mark.parametrize(
    "query", ["since=x", "until=2020-01-01T00:00:00Z", "until=2199-01-01T00:00:00Z", "since=9999-01-01T00:00:00Z"]
)
def test_nonsense_is_refused(shared: House, query: str) -> None:
    assert shared.call("GET", f"/oncalls?{query}").status_code == 400


def test_a_team_without_services_has_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    text = TEAM[: TEAM.index("[[services]]")]
    with running_house(tmp_path_factory.mktemp("bare"), text) as house:
        assert [s["id"] for s in house.get("/services")["services"]] == ["default"]
        house.enqueue(key="k")
        assert house.incident("k")["service"]["id"] == "default"


def test_who_leaves_the_team_keeps_a_name_but_no_access(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("leaves")
    with running_house(folder) as house:
        house.enqueue(key="k")
        house.put("1", "ben", status="acknowledged")
        token = house.tokens["ben"]
    smaller = TEAM.replace('[[people]]\nid = "ben"\nname = "Ben Okafor"\n', "").replace('"ben"', '"cho"')
    with running_house(folder, smaller) as house:
        house.clock.forward(timedelta(minutes=1))
        names = [a["acknowledger"]["name"] for a in house.incident("k")["acknowledgements"]]
        assert names == ["Ben Okafor"]
        house.tokens["ben"] = token
        assert house.call("GET", "/users/me", person="ben").status_code == 401


def test_a_shift_that_never_ends_has_no_end(tmp_path_factory: pytest.TempPathFactory) -> None:
    alone = """
time_zone = "UTC"
people = [{ id = "ana", name = "Ana" }]
[rotation.primary]
members = ["ana"]
start = 2020-01-06T09:00:00
every = "1 week"
"""
    with running_house(tmp_path_factory.mktemp("alone"), alone) as house:
        found = house.get("/oncalls")["oncalls"]
        assert {(o["user"]["id"], o["end"]) for o in found} == {("ana", None)}


def test_notification_rules_are_the_ladder_and_tell_no_address(tmp_path: Path) -> None:
    text = TEAM.replace('id = "ana"', 'id = "ana"\nnotify = ["env:WB_TEST_ANA", "mailto://ana@example.com"]')
    with running_house(tmp_path, text) as house:
        rules = house.get("/users/ana/notification_rules")["notification_rules"]
        assert [(r["start_delay_in_minutes"], r["urgency"], r["contact_method"]["type"]) for r in rules] == [
            (0, "high", "push_notification_contact_method_reference"),
            (1, "high", "email_contact_method_reference"),
        ]
        assert "WB_TEST_ANA" not in str(rules)
        assert house.get("/users/ana/notification_rules", urgency="low") == {"notification_rules": []}
        whole = house.get("/users/ana/notification_rules/ana-rule-2", **{"include[]": "contact_methods"})
        assert whole["notification_rule"]["contact_method"]["address"] == "ana@example.com"
        included = house.get("/users/me", **{"include[]": "notification_rules"})["user"]["notification_rules"]
        assert included == rules
        assert [r["id"] for r in house.get("/users/me")["user"]["notification_rules"]] == ["ana-rule-1", "ana-rule-2"]
        assert house.get("/users/ben/notification_rules") == {"notification_rules": []}
        assert house.call("GET", "/users/ana/notification_rules/x").status_code == 404
        assert house.call("GET", "/users/ana/notification_rules?urgency=odd").status_code == 400
