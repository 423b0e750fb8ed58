"""Notes, status updates, snoozes and calls for help: what they do to an incident, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from desktop.server.tables.audit import audit_log
from desktop.server.tables.messages import pages
from tests.server.house import MINUTE, House, Json, assigned
from tests.server.listening import listening


def acknowledged(house: House, key: str | None = None) -> Json:
    incident = house.incident(house.enqueue(key=key, severity="critical"))
    return dict(house.put(incident["id"], status="acknowledged").json()["incident"])


def ends(incident: Json) -> str:
    return str(incident["pending_actions"][0]["at"])


def post(house: House, incident: Json, what: str, body: object, person: str = "ana", status: int = 200) -> Json:
    answer = house.call("POST", f"/incidents/{incident['id']}/{what}", body, person=person)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def asking(*targets: Any, message: str = "please") -> Json:
    return {"requester_id": "cho", "message": message, "responder_request_targets": list(targets)}


def wrapped(name: str, kind: str = "user_reference") -> Json:
    return {"responder_request_target": {"id": name, "type": kind}}


class TestNotes:
    @pytest.mark.parametrize(
        ("what", "body"), [("notes", {"note": {"content": "looking"}}), ("status_updates", {"message": "looking"})]
    )
    def test_writing_renews_the_acknowledgement(self, house: House, what: str, body: Json) -> None:
        incident = acknowledged(house)
        assert ends(incident) == "2026-01-07T18:30:00Z"
        house.tick(29 * MINUTE)
        post(house, incident, what, body, "ben")
        house.tick(29 * MINUTE)
        shown = house.incident(incident["incident_key"])
        assert (shown["status"], ends(shown)) == ("acknowledged", "2026-01-07T18:59:00Z")
        house.tick(MINUTE)
        assert house.incident(incident["incident_key"])["status"] == "triggered"

    def test_they_are_kept_listed_and_sent_to_everybody(self, house: House) -> None:
        incident = acknowledged(house)
        with listening(house.url, house.tokens["cho"]) as stream:
            assert stream.next()[0] == "snapshot"
            note = post(house, incident, "notes", {"note": {"content": "<b>line\none</b> " + "x" * 2000}}, "ben")[
                "note"
            ]
            name, _, sent = stream.next()
        latest = sent["watchbell"]["latest_note"]
        assert (name, latest["id"], latest["user"]["id"]) == ("incident", note["id"], "ben")
        assert latest["content"].startswith("<b>line\none</b> xxx")
        assert len(latest["content"]) == 1000
        second = post(house, incident, "notes", {"note": {"content": "second"}})["note"]
        assert house.get(f"/incidents/{incident['id']}/notes")["notes"] == [second, note]
        entries = house.get(f"/incidents/{incident['id']}/log_entries")["log_entries"]
        written = [(e["note"], e["agent"]["id"]) for e in entries if e["type"] == "annotate_log_entry" and "note" in e]
        assert written == [("second", "ana"), (note["content"], "ben")]

    def test_from_never_changes_who_wrote(self, shared: House) -> None:
        incident = acknowledged(shared)
        body = {"note": {"content": "mine"}}
        answer = shared.call(
            "POST", f"/incidents/{incident['id']}/notes", body, person="ben", headers={"From": "ana@example.com"}
        )
        assert answer.json()["note"]["user"]["id"] == "ben"

    @pytest.mark.parametrize(
        ("what", "body"),
        [
            ("notes", {}), ("notes", {"note": "text"}), ("notes", {"note": {"content": " "}}),
            ("notes", {"note": {"content": 5}}), ("notes", {"note": {"content": "x" * 25_001}}), ("notes", []),
            ("status_updates", {}), ("status_updates", {"message": ""}), ("status_updates", {"message": ["a"]}),
            ("status_updates", {"message": "a", "subject": "b"}), ("status_updates", None),
        ],
    )  # fmt: skip
    def test_what_says_nothing_is_refused(self, shared: House, what: str, body: object) -> None:
        incident = acknowledged(shared)
        assert post(shared, incident, what, body, status=400)["error"]["code"] == 2001

    def test_of_an_incident_that_is_not_there(self, shared: House) -> None:
        assert shared.call("POST", "/incidents/QNONE/notes", {"note": {"content": "a"}}).status_code == 404
        assert shared.call("GET", "/incidents/QNONE/notes").status_code == 404


class TestSnoozing:
    def test_it_ends_at_its_instant_and_pages_everybody_assigned(self, house: House) -> None:
        incident = acknowledged(house)
        shown = post(house, incident, "snooze", {"duration": 7200}, status=201)["incident"]
        assert ends(shown) == "2026-01-07T20:00:00Z"
        house.tick(timedelta(hours=2) - timedelta(seconds=1))
        assert house.incident(incident["incident_key"])["status"] == "acknowledged"
        house.tick(timedelta(seconds=1))
        again = house.incident(incident["incident_key"])
        assert (again["status"], again["watchbell"]["pages"]) == ("triggered", incident["watchbell"]["pages"] + 1)
        assert again["watchbell"]["snoozed_until"] is None

    def test_it_may_be_shorter_than_the_acknowledgement(self, shared: House) -> None:
        shown = post(shared, acknowledged(shared), "snooze", {"duration": 60}, status=201)["incident"]
        assert ends(shown) == "2026-01-07T18:01:00Z"

    def test_whoever_acknowledges_anew_ends_it(self, shared: House) -> None:
        incident = acknowledged(shared)
        post(shared, incident, "snooze", {"duration": 604_800}, status=201)
        shown = shared.put(incident["id"], "ben", status="acknowledged").json()["incident"]
        assert ends(shown) == "2026-01-07T18:30:00Z"

    @pytest.mark.parametrize("duration", [0, -1, 604_801, 1.5, True, "60", None])
    def test_no_sane_time_is_refused(self, shared: House, duration: object) -> None:
        post(shared, acknowledged(shared), "snooze", {"duration": duration}, status=400)

    def test_only_what_is_acknowledged(self, shared: House) -> None:
        incident = shared.incident(shared.enqueue())
        assert post(shared, incident, "snooze", {"duration": 60}, status=400)["error"]["code"] == 1012
        shared.put(incident["id"], status="resolved")
        assert post(shared, incident, "snooze", {"duration": 60}, status=400)["error"]["code"] == 1001


class TestCallingForHelp:
    def test_who_is_asked_is_paged_and_joins_by_acknowledging(self, shared: House) -> None:
        incident = acknowledged(shared)
        request = post(shared, incident, "responder_requests", asking(wrapped("cho")))["responder_request"]
        assert request["requester"]["id"] == "ana"  # whose token it is, whatever the body says
        shown = shared.get(f"/incidents/{incident['id']}")["incident"]
        assert (shown["status"], assigned(shown)) == ("acknowledged", ["ana", "cho"])
        assert shown["watchbell"]["pages"] == incident["watchbell"]["pages"] + 1
        assert [(r["user"]["id"], r["state"]) for r in shown["incidents_responders"]] == [("cho", "pending")]
        assert [r["message"] for r in shown["responder_requests"]] == ["please"]
        came = shared.put(incident["id"], "cho", status="acknowledged").json()["incident"]
        assert [(r["user"]["id"], r["state"]) for r in came["incidents_responders"]] == [("cho", "joined")]

    def test_an_escalation_policy_stands_for_its_first_level(self, shared: House) -> None:
        body = asking(wrapped("sev0", "escalation_policy_reference"), {"id": "ben", "type": "user"})
        request = post(shared, acknowledged(shared), "responder_requests", body)["responder_request"]
        assert [
            (t["type"], [r["user"]["id"] for r in t["incident_responders"]])
            for t in request["responder_request_targets"]
        ] == [("escalation_policy", ["ana"]), ("user", ["ben"])]

    def test_asked_twice_is_paged_twice_and_listed_once(self, shared: House) -> None:
        incident = acknowledged(shared)
        for _ in range(2):
            post(shared, incident, "responder_requests", asking(wrapped("cho")))
        shown = shared.get(f"/incidents/{incident['id']}")["incident"]
        assert len(shown["incidents_responders"]) == 1
        assert shown["watchbell"]["pages"] == incident["watchbell"]["pages"] + 2

    @pytest.mark.parametrize(
        "targets",
        [[], "cho", [5], [{}], [wrapped("nobody")], [wrapped("sev9", "escalation_policy_reference")],
         [wrapped("cho", "team_reference")], [{"responder_request_target": "cho"}], [wrapped("cho")] * 51],
    )  # fmt: skip
    def test_nobody_to_ask_is_refused(self, shared: House, targets: Any) -> None:
        body = {"requester_id": "ana", "message": "m", "responder_request_targets": targets}
        post(shared, acknowledged(shared), "responder_requests", body, status=400)

    def test_nobody_is_asked_to_help_with_what_is_resolved(self, shared: House) -> None:
        incident = acknowledged(shared)
        shared.put(incident["id"], status="resolved")
        answer = post(shared, incident, "responder_requests", asking(wrapped("cho")), status=400)
        assert answer["error"]["code"] == 1001


def cancel(house: House, incident: Json, *targets: str, status: int = 200) -> list[str]:
    """Ask ``targets`` no more, policies by "sev0"; return what became of each."""
    kinds = {t: "escalation_policy_reference" if t.startswith("sev") else "user_reference" for t in targets}
    body = {"requester_id": "ana", "responder_request_targets": [{"id": t, "type": k} for t, k in kinds.items()]}
    answer = house.call("PUT", f"/incidents/{incident['id']}/responder_requests/cancel", body)
    assert answer.status_code == status, answer.text
    return [part["result"] for part in answer.json().get("responder_request_targets", ())]


def climbs(house: House, incident: Json, person: str) -> list[bool]:
    """Tell of each page of a person whether it goes on."""
    asked = select(pages.c.ended_at).where(pages.c.incident_id == incident["id"], pages.c.person_id == person)
    with house.server.storage.read() as connection:
        return [at is None for at in connection.execute(asked.order_by(pages.c.number)).scalars()]


class TestCallingOff:
    def test_who_has_not_come_is_asked_and_paged_no_more(self, shared: House) -> None:
        incident = acknowledged(shared)
        post(shared, incident, "responder_requests", asking(wrapped("cho")))
        assert climbs(shared, incident, "cho") == [True]
        assert cancel(shared, incident, "cho", "ben") == ["cancelled", "not_found"]
        shown = shared.get(f"/incidents/{incident['id']}")["incident"]
        assert (assigned(shown), shown["incidents_responders"], shown["status"]) == (["ana"], [], "acknowledged")
        assert climbs(shared, incident, "cho") == [False]
        assert ("responder_request_cancelled", {"people": ["cho"], "unassigned": ["cho"]}) in shared.history(
            incident["id"]
        )
        with shared.server.storage.read() as connection:
            lines = connection.execute(
                select(audit_log).where(audit_log.c.target == f"incident:{incident['id']}").order_by(audit_log.c.id)
            ).all()
        assert (lines[-1].actor, lines[-1].action) == ("person:ana", "incident.call_off")
        assert cancel(shared, incident, "cho") == ["not_found"]

    def test_whoever_came_stays(self, shared: House) -> None:
        incident = acknowledged(shared)
        post(shared, incident, "responder_requests", asking(wrapped("cho")))
        shared.put(incident["id"], "cho", status="acknowledged")
        assert cancel(shared, incident, "cho") == ["joined"]
        assert assigned(shared.get(f"/incidents/{incident['id']}")["incident"]) == ["ana", "cho"]

    def test_an_escalation_policy_stands_for_whom_it_asked(self, shared: House) -> None:
        incident = acknowledged(shared)
        post(shared, incident, "responder_requests", asking(wrapped("sev2", "escalation_policy_reference")))
        asked = [
            r["user"]["id"] for r in shared.get(f"/incidents/{incident['id']}")["incident"]["incidents_responders"]
        ]
        assert asked
        assert cancel(shared, incident, "sev0", "sev2") == ["not_found", "cancelled"]
        assert shared.get(f"/incidents/{incident['id']}")["incident"]["incidents_responders"] == []

    def test_who_has_it_otherwise_keeps_it_and_is_paged_on(self, house: House) -> None:
        incident = house.incident(house.enqueue(key="k", severity="critical"))
        post(house, incident, "responder_requests", asking(wrapped("ana"), wrapped("ben")))
        house.tick(15 * MINUTE)  # Ben's step
        assert cancel(house, incident, "ana", "ben") == ["cancelled", "cancelled"]
        assert assigned(house.incident("k")) == ["ana", "ben"]
        assert climbs(house, incident, "ben")[-1]

    def test_called_off_a_later_step_pages_them(self, house: House) -> None:
        incident = house.incident(house.enqueue(key="k", severity="critical"))
        post(house, incident, "responder_requests", asking(wrapped("ben")))
        assert cancel(house, incident, "ben") == ["cancelled"]
        assert assigned(house.incident("k")) == ["ana"]
        house.tick(15 * MINUTE)
        assert assigned(house.incident("k")) == ["ana", "ben"]
        assert climbs(house, incident, "ben") == [False, True]

    def test_of_what_is_resolved_nothing_is_called_off(self, shared: House) -> None:
        incident = acknowledged(shared)
        shared.put(incident["id"], status="resolved")
        cancel(shared, incident, "cho", status=400)
