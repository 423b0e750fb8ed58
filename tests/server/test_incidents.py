"""The REST API of incidents: listing, opening, acknowledging, resolving, handing on."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.server.house import MINUTE, START, House, Json, assigned


def opened(house: House, **payload: Any) -> Json:
    return house.incident(house.enqueue(**payload))


class TestAcknowledging:
    def test_it_stops_the_escalation_and_says_until_when_it_holds(self, shared: House) -> None:
        incident = opened(shared, severity="critical")
        answer = shared.put(incident["id"], status="acknowledged").json()["incident"]
        assert answer["status"] == "acknowledged"
        assert [(a["acknowledger"]["id"], a["at"]) for a in answer["acknowledgements"]] == [
            ("ana", "2026-01-07T18:00:00Z")
        ]
        assert answer["pending_actions"] == [{"type": "unacknowledge", "at": "2026-01-07T18:30:00Z"}]

    def test_twice_by_the_same_person_is_once(self, shared: House) -> None:
        incident = opened(shared)
        first = shared.put(incident["id"], status="acknowledged").json()
        second = shared.put(incident["id"], status="acknowledged")
        assert (second.status_code, second.json()) == (200, first)
        assert [kind for kind, _ in shared.history(incident["id"])].count("acknowledge") == 1

    def test_a_second_person_is_added(self, shared: House) -> None:
        incident = opened(shared)
        shared.put(incident["id"], status="acknowledged")
        answer = shared.put(incident["id"], "ben", status="acknowledged").json()["incident"]
        assert [a["acknowledger"]["id"] for a in answer["acknowledgements"]] == ["ana", "ben"]
        assert assigned(answer) == ["ana", "ben"]

    def test_by_number(self, shared: House) -> None:
        incident = opened(shared)
        assert (
            shared.put(str(incident["incident_number"]), status="acknowledged").json()["incident"]["id"]
            == incident["id"]
        )

    def test_undone_everyone_assigned_is_paged_again(self, shared: House) -> None:
        incident = opened(shared)
        shared.put(incident["id"], status="acknowledged")
        answer = shared.put(incident["id"], status="triggered").json()["incident"]
        assert (answer["status"], answer["acknowledgements"]) == ("triggered", [])
        assert answer["watchbell"]["pages"] == incident["watchbell"]["pages"] + 1
        assert answer["pending_actions"] == [{"type": "escalate", "at": "2026-01-07T18:15:00Z"}]

    @pytest.mark.parametrize("status", ["acknowledged", "resolved"])
    def test_of_a_resolved_one_is_refused(self, shared: House, status: str) -> None:
        incident = opened(shared)
        shared.put(incident["id"], status="resolved", resolution="restarted")
        answer = shared.put(incident["id"], status=status)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, 1001)
        assert ("resolve", {"resolution": "restarted"}) in shared.history(incident["id"])

    def test_a_resolved_one_can_be_opened_again(self, shared: House) -> None:
        incident = opened(shared)
        shared.put(incident["id"], status="resolved")
        answer = shared.put(incident["id"], status="triggered").json()["incident"]
        assert (answer["status"], answer["resolved_at"]) == ("triggered", None)


class TestMany:
    def test_all_change_together(self, shared: House) -> None:
        ids = [opened(shared)["id"] for _ in range(3)]
        parts = [{"id": i, "type": "incident_reference", "status": "acknowledged"} for i in ids]
        answer = shared.call("PUT", "/incidents", {"incidents": parts})
        assert answer.status_code == 200
        assert [(i["id"], i["status"]) for i in answer.json()["incidents"]] == [(i, "acknowledged") for i in ids]

    def test_one_that_cannot_undoes_all(self, shared: House) -> None:
        good, gone = opened(shared)["id"], opened(shared)["id"]
        shared.put(gone, status="resolved")
        parts = [{"id": i, "type": "incident_reference", "status": "acknowledged"} for i in (good, gone)]
        assert shared.call("PUT", "/incidents", {"incidents": parts}).status_code == 400
        assert shared.get(f"/incidents/{good}")["incident"]["status"] == "triggered"

    def test_the_same_one_twice_is_once(self, shared: House) -> None:
        incident = opened(shared)["id"]
        parts = [{"id": incident, "type": "incident_reference", "status": "acknowledged"}] * 2
        answer = shared.call("PUT", "/incidents", {"incidents": parts})
        assert answer.status_code == 200
        assert len(answer.json()["incidents"][0]["acknowledgements"]) == 1

    def test_more_than_250_are_too_many(self, shared: House) -> None:
        parts = [{"id": "X", "type": "incident_reference", "status": "resolved"}] * 251
        assert shared.call("PUT", "/incidents", {"incidents": parts}).status_code == 413


@pytest.mark.parametrize("sender", [None, "ana@example.com", "nobody@example.com", "<script>"])
def test_the_token_alone_says_who_acts(shared: House, sender: str | None) -> None:
    """PagerDuty refuses a write without From; Ben has no address, and must be able to acknowledge all the same."""
    name = opened(shared)["id"]
    headers = {} if sender is None else {"From": sender}
    sent = {"incident": {"type": "incident_reference", "status": "acknowledged"}}
    answer = shared.call("PUT", f"/incidents/{name}", sent, person="ben", headers=headers)
    assert answer.status_code == 200
    assert [a["acknowledger"]["id"] for a in answer.json()["incident"]["acknowledgements"]] == ["ben"]


class TestChanging:
    def test_the_title(self, shared: House) -> None:
        incident = opened(shared, summary="old")
        assert shared.put(incident["id"], title="new\x1b name").json()["incident"]["title"] == "new name"

    @pytest.mark.parametrize("priority", ["SEV-0", {"id": "sev0", "type": "priority_reference"}, {"name": "SEV-0"}])
    def test_a_raised_severity_picks_its_list_from_the_change_on(self, house: House, priority: object) -> None:
        house.enqueue(key="k", severity="warning")
        house.tick(20 * MINUTE)
        answer = house.put("1", priority=priority).json()["incident"]
        assert (answer["priority"]["name"], answer["escalation_policy"]["id"]) == ("SEV-0", "sev0")
        assert answer["pending_actions"] == [{"type": "escalate", "at": "2026-01-07T18:35:00Z"}]
        assert answer["watchbell"]["pages"] == 2

    def test_a_lowered_severity_keeps_its_list(self, house: House) -> None:
        house.enqueue(key="k", severity="critical")
        answer = house.put("1", priority="SEV-3").json()["incident"]
        assert (answer["urgency"], answer["escalation_policy"]["id"]) == ("low", "sev0")

    def test_escalating_now(self, house: House) -> None:
        house.enqueue(key="k", severity="critical")
        house.put("1", status="acknowledged")
        answer = house.put("1", escalation_level=3).json()["incident"]
        assert (answer["status"], assigned(answer)) == ("triggered", ["ana", "ben", "cho"])
        assert answer["pending_actions"] == [{"type": "escalate", "at": "2026-01-07T18:30:00Z"}]
        again = "level {} was paged already: the next one is 4"
        for level, says in (
            (3, again.format(3)),
            (1, again.format(1)),
            (0, "there is no level 0: there are 1 to 4"),
            (9, "there is no level 9: there are 1 to 4"),
        ):
            refused = house.put("1", escalation_level=level)
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, 1006), level
            assert refused.json()["error"]["errors"] == [says]
        house.put("1", escalation_level=4)
        errors = house.put("1", escalation_level=4).json()["error"]["errors"]
        assert errors == ["level 4 was paged already, and so were all others"]
        house.put("1", status="resolved")
        assert house.put("1", escalation_level=4).json()["error"]["errors"] == ["it is resolved"]

    def test_escalating_to_nobody_new_pages_those_who_were_once_more(self, house: House) -> None:
        now = house.clock()
        for role in ("secondary", "manager"):
            part = {"start": now.isoformat(), "end": (now + 60 * MINUTE).isoformat(), "user": {"id": "ana"}}
            made = house.call("POST", f"/schedules/{role}/overrides", {"override": part}, person="cho")
            assert made.status_code == 201
        house.enqueue(key="k", severity="warning")
        acknowledged = house.put("1", status="acknowledged").json()["incident"]
        answer = house.put("1", "ben", escalation_level=2).json()["incident"]
        assert (answer["status"], assigned(answer), answer["acknowledgements"]) == ("triggered", ["ana"], [])
        assert answer["watchbell"]["pages"] == acknowledged["watchbell"]["pages"] + 1
        kind, data = house.history(answer["id"])[-1]
        assert (kind, data["assignees"], data["reason"]) == ("notify", ["ana"], "again")

    def test_reassigning_pages_the_new_one_alone_and_does_not_escalate(self, house: House) -> None:
        house.enqueue(key="k", severity="critical")
        part = [{"assignee": {"id": "ben", "type": "user_reference"}}]
        answer = house.put("1", assignments=part).json()["incident"]
        assert (assigned(answer), answer["assigned_via"]) == (["ben"], "direct_assignment")
        assert answer["pending_actions"] == []
        house.tick(3 * 60 * MINUTE)
        later = house.incident("k")
        assert assigned(later) == ["ben"]
        assert later["watchbell"]["pages"] > answer["watchbell"]["pages"]

    def test_of_what_is_over_is_refused_unless_it_is_opened_again_with_it(self, shared: House) -> None:
        incident = opened(shared)["id"]
        shared.put(incident, status="resolved")
        to_ben = [{"assignee": {"id": "ben", "type": "user_reference"}}]
        answer = shared.put(incident, assignments=to_ben)
        assert (answer.status_code, answer.json()["error"]["message"]) == (400, "Incident Already Resolved")
        assert [kind for kind, _ in shared.history(incident)].count("assign") == 1
        opened_again = shared.put(incident, assignments=to_ben, status="triggered").json()["incident"]
        assert (opened_again["status"], assigned(opened_again)) == ("triggered", ["ben"])

    def test_delegated_to_a_policy_it_escalates_again(self, house: House) -> None:
        house.enqueue(key="k", severity="critical")
        house.put("1", assignments=[{"assignee": {"id": "cho", "type": "user_reference"}}])
        policy = {"id": "sev1", "type": "escalation_policy_reference"}
        answer = house.put("1", escalation_policy=policy).json()["incident"]
        assert (answer["assigned_via"], answer["escalation_policy"]["id"]) == ("escalation_policy", "sev1")
        assert assigned(answer) == ["cho", "ana"]

    @pytest.mark.parametrize(
        ("part", "code"),
        [
            ({}, 2001),
            ({"status": "gone"}, 1003),
            ({"status": ["acknowledged"]}, 1003),
            ({"priority": "P9"}, 1020),
            ({"priority": {}}, 1020),
            ({"urgency": "very"}, 2001),
            ({"urgency": []}, 2001),
            ({"title": " "}, 2001),
            ({"title": 5}, 2001),
            ({"escalation_level": "2"}, 2001),
            ({"escalation_level": True}, 2001),
            ({"assignments": []}, 2001),
            ({"assignments": [{"assignee": {"id": "nobody"}}]}, 1011),
            ({"assignments": [{"assignee": 5}]}, 2001),
            ({"assignments": "ben"}, 2001),
            ({"escalation_policy": {"id": "night"}}, 2001),
            ({"status": "resolved", "resolution": 5}, 2001),
            ({"status": "resolved", "resolution": "x" * 30_000}, 2001),
        ],
    )
    def test_nonsense_is_refused(self, shared: House, part: Json, code: int) -> None:
        answer = shared.put(opened(shared)["id"], **part)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code), answer.text

    @pytest.mark.parametrize("body", [None, [], {"incident": []}, {"incidents": {}}, {"incidents": [{"status": "x"}]}])
    def test_a_body_of_another_shape_is_refused(self, shared: House, body: object) -> None:
        for path in ("/incidents", "/incidents/1"):
            assert shared.call("PUT", path, data=json.dumps(body)).status_code == 400

    @pytest.mark.parametrize("name", ["NOSUCH", "0", "99999999999999999999", "-1", "%00", "١"])
    def test_what_is_not_there_is_not_found(self, shared: House, name: str) -> None:
        for answer in (shared.put(name, status="acknowledged"), shared.call("GET", f"/incidents/{name}")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, 2100)


class TestOpening:
    def test_by_a_person(self, house: House) -> None:
        part = {
            "type": "incident",
            "title": "Check the pager",
            "service": {"id": "payments", "type": "service_reference"},
            "priority": {"id": "sev2", "type": "priority_reference"},
            "incident_key": "mine",
            "body": {"type": "incident_body", "details": "just a test"},
        }
        answer = house.call("POST", "/incidents", {"incident": part})
        assert answer.status_code == 201
        incident = answer.json()["incident"]
        assert (incident["title"], incident["priority"]["name"], incident["incident_key"]) == (
            "Check the pager",
            "SEV-2",
            "mine",
        )
        kept = house.get(f"/incidents/{incident['id']}", **{"include[]": "body"})["incident"]["body"]["details"]
        assert kept["body"]["details"] == "just a test"
        again = house.call("POST", "/incidents", {"incident": part})
        assert (again.status_code, again.json()["error"]["code"]) == (400, 2002)
        house.put(incident["id"], status="resolved")
        assert house.call("POST", "/incidents", {"incident": part}).status_code == 201

    @pytest.mark.parametrize(("urgency", "priority"), [("high", "SEV-1"), ("low", "SEV-3"), (None, "SEV-1")])
    def test_urgency_stands_in_for_a_priority(self, shared: House, urgency: str | None, priority: str) -> None:
        part = {"title": "x", "service": {"id": "payments"}} | ({"urgency": urgency} if urgency else {})
        incident = shared.call("POST", "/incidents", {"incident": part}).json()["incident"]
        assert incident["priority"]["name"] == priority

    @pytest.mark.parametrize(
        ("priority", "said", "urgency"), [("sev0", "low", "high"), ("sev2", "low", "high"), ("sev3", "high", "low")]
    )
    def test_urgency_follows_the_priority(self, shared: House, priority: str, said: str, urgency: str) -> None:
        part = {"title": "x", "service": {"id": "payments"}, "priority": {"id": priority}, "urgency": said}
        incident = shared.call("POST", "/incidents", {"incident": part}).json()["incident"]
        assert (incident["priority"]["id"], incident["urgency"]) == (priority, urgency)
        other = shared.put(opened(shared, severity="error")["id"], priority=priority, urgency=said).json()["incident"]
        assert (other["priority"]["id"], other["urgency"]) == (priority, urgency)

    def test_assigned_it_is_theirs_alone(self, shared: House) -> None:
        part = {"title": "x", "service": {"id": "payments"}, "assignments": [{"assignee": {"id": "cho"}}]}
        incident = shared.call("POST", "/incidents", {"incident": part}).json()["incident"]
        assert (assigned(incident), incident["assigned_via"]) == (["cho"], "direct_assignment")
        assert incident["watchbell"]["pages"] == 1

    @pytest.mark.parametrize(
        "part",
        [
            {},
            {"title": "x"},
            {"title": "x", "service": {"id": "nope"}},
            {"title": "", "service": {"id": "payments"}},
            {"title": "x", "service": {"id": "payments"}, "priority": "P7"},
            {"title": "x", "service": {"id": "payments"}, "incident_key": 5},
            {"title": "x", "service": {"id": "payments"}, "assignments": [], "escalation_policy": {"id": "sev0"}},
        ],
    )
    def test_nonsense_is_refused(self, shared: House, part: Json) -> None:
        assert shared.call("POST", "/incidents", {"incident": part}).status_code == 400


class TestListing:
    @pytest.fixture
    def full(self, house: House) -> House:
        for n, severity in enumerate(["critical", "error", "warning", "info", "critical"], 1):
            house.enqueue(key=f"k{n}", severity=severity)
            house.clock.forward(timedelta(seconds=1))
        house.put("2", "ben", status="acknowledged")
        house.put("3", status="resolved")
        return house

    @pytest.mark.parametrize(
        ("query", "numbers"),
        [
            ("", [1, 2, 3, 4, 5]),
            ("statuses[]=triggered&statuses[]=acknowledged", [1, 2, 4, 5]),
            ("statuses%5B%5D=resolved", [3]),
            ("user_ids[]=ben", [2]),
            ("user_ids[]=ana", [1, 2, 4, 5]),
            ("service_ids[]=batch", []),
            ("urgencies[]=low", [4]),
            ("incident_key=k5", [5]),
            ("sort_by=created_at:desc", [5, 4, 3, 2, 1]),
            ("sort_by=urgency:desc,incident_number:desc", [4, 5, 3, 2, 1]),
            ("since=2026-01-07T18:00:01Z&until=2026-01-07T18:00:02%2B00:00", [2, 3]),
            ("limit=2", [1, 2]),
            ("limit=2&offset=4", [5]),
        ],
    )
    def test_filters_and_order(self, full: House, query: str, numbers: list[int]) -> None:
        answer = full.call("GET", f"/incidents?{query}").json()
        assert [i["incident_number"] for i in answer["incidents"]] == numbers

    def test_pages_and_totals(self, full: House) -> None:
        first = full.get("/incidents", limit=2)
        assert (first["limit"], first["offset"], first["more"], first["total"]) == (2, 0, True, None)
        last = full.get("/incidents", limit=2, offset=4, total="true")
        assert (last["more"], last["total"]) == (False, 5)
        assert full.get("/incidents", limit=1000)["limit"] == 100

    def test_the_last_month_unless_all_is_asked_for(self, full: House) -> None:
        full.clock.forward(timedelta(days=40))
        assert full.get("/incidents")["incidents"] == []
        assert len(full.get("/incidents", date_range="all")["incidents"]) == 5

    def test_include_gives_whole_objects(self, full: House) -> None:
        plain = full.get("/incidents/2")["incident"]
        assert plain["assignments"][0]["assignee"]["type"] == "user_reference"
        assert plain["service"]["type"] == "service_reference"
        rich = full.call("GET", "/incidents/2?include[]=users&include[]=services").json()["incident"]
        assert rich["assignments"][0]["assignee"]["time_zone"] == "America/Los_Angeles"
        assert rich["acknowledgements"][0]["acknowledger"]["type"] == "user"
        assert rich["service"]["runbook"] == "https://runbooks.example.com/payments"

    @pytest.mark.parametrize(
        "query",
        [
            "statuses[]=bogus",
            "urgencies[]=very",
            "limit=abc",
            "limit=-1",
            "offset=10000",
            "offset=99999999999999999999999",
            "date_range=week",
            "sort_by=title",
            "sort_by=created_at:up",
            "since=yesterday",
            "since=0001-01-01T00:00:00%2B14:00",
            "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
            "since=2020-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
            "total=maybe",
        ],
    )
    def test_a_question_that_makes_no_sense_is_refused(self, shared: House, query: str) -> None:
        answer = shared.call("GET", f"/incidents?{query}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2001), answer.text


def test_ids_are_short_and_never_look_like_an_option(shared: House) -> None:
    incident = opened(shared)
    assert incident["id"].isascii()
    assert incident["id"].isalnum()
    assert incident["id"] == incident["id"].upper()
    assert len(incident["id"]) == 14


def test_times_are_those_of_the_clock(shared: House) -> None:
    incident = opened(shared)
    assert incident["created_at"] == START.isoformat().replace("+00:00", "Z")
