"""The audit log: a line for each thing that people change, in its transaction, without secrets, never changed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, text, update

from desktop.domain.errors import StorageError
from desktop.server import audit
from desktop.server.limits import Limits, Requests
from desktop.server.tables.audit import audit_log
from tests.server.house import START, TEAM, House, Json, running_house

ADMIN = '[[people]]\nid = "ida"\nname = "Ida Berg"\naccess = "admin"\n'
STAFFED = TEAM.replace("[rotation.primary]", f"{ADMIN}[rotation.primary]")


@pytest.fixture
def staffed(database: str) -> Iterator[House]:
    with running_house(database, STAFFED) as house:
        yield house


# The tokens of the people in the house were made in the present, which is later than its clock.
NOT_THEIRS = {"until": "2026-02-01T00:00:00Z"}


def lines(house: House, **params: Any) -> list[Json]:
    answer = house.call("GET", "/watchbell/v1/audit", person="ida", params={**NOT_THEIRS, **params})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["audit"])


def last(house: House) -> Json:
    return lines(house, limit=1)[0]


def opened(house: House) -> str:
    return str(house.incident(house.enqueue(key="k"))["id"])


def test_changing_an_incident(staffed: House) -> None:
    incident = opened(staffed)
    assert lines(staffed) == []  # what integrations send stands in the incident's own history
    assert staffed.put(incident, status="acknowledged", title="disk full").status_code == 200
    line = last(staffed)
    assert (line["actor"], line["address"]) == ("person:ana", "127.0.0.1")
    assert (line["action"], line["target"]) == ("incident.change", f"incident:{incident}")
    assert line["at"] == "2026-01-07T18:00:00Z"
    assert line["before"] == {"title": "db down", "status": "triggered", "acknowledged_by": []}
    assert line["after"] == {"title": "disk full", "status": "acknowledged", "acknowledged_by": ["ana"],
                             "history": ["field_value_change", "acknowledge"]}  # fmt: skip


def test_changing_many_is_a_line_for_each_that_changed(staffed: House) -> None:
    staffed.enqueue(key="a")
    staffed.enqueue(key="b")
    names = [staffed.incident(key)["id"] for key in "ab"]
    assert staffed.put(names[0], status="acknowledged").status_code == 200
    parts = [{"id": name, "type": "incident_reference", "status": "acknowledged"} for name in names]
    assert staffed.call("PUT", "/incidents", {"incidents": parts}).status_code == 200
    assert [line["target"] for line in lines(staffed)] == [f"incident:{name}" for name in reversed(names)]


@pytest.mark.parametrize(
    ("path", "body", "action", "history"),
    [
        ("notes", {"note": {"content": "SECRET"}}, "incident.note", "annotate"),
        ("status_updates", {"message": "SECRET"}, "incident.status_update", "status_update"),
        ("snooze", {"duration": 600}, "incident.snooze", "snooze"),
        (
            "responder_requests",
            {"message": "SECRET", "responder_request_targets": [{"id": "cho", "type": "user_reference"}]},
            "incident.call",
            "responder_request",
        ),
    ],
)
def test_working_on_an_incident(staffed: House, path: str, body: Json, action: str, history: str) -> None:
    incident = opened(staffed)
    assert staffed.put(incident, status="acknowledged").status_code == 200
    assert staffed.call("POST", f"/incidents/{incident}/{path}", body, person="ben").status_code in (200, 201)
    line = last(staffed)
    assert (line["actor"], line["action"], line["target"]) == ("person:ben", action, f"incident:{incident}")
    assert history in line["after"]["history"]
    assert "SECRET" not in json.dumps(lines(staffed))


def test_opening_an_incident(staffed: House) -> None:
    body = {"incident": {"type": "incident", "title": "t", "service": {"id": "batch", "type": "service_reference"},
                         "body": {"type": "incident_body", "details": "SECRET"}}}  # fmt: skip
    made = staffed.call("POST", "/incidents", body).json()["incident"]["id"]
    line = last(staffed)
    assert (line["action"], line["target"], line["before"]) == ("incident.open", f"incident:{made}", None)
    assert (line["after"]["title"], line["after"]["service"], line["after"]["severity"]) == ("t", "batch", "sev3")
    assert "SECRET" not in json.dumps(line)


def test_overrides(staffed: House) -> None:
    times = {"start": "2026-01-08T18:00:00Z", "end": "2026-01-09T18:00:00Z"}
    part = {**times, "user": {"id": "ben", "type": "user_reference"}, "reason": "dentist"}
    path = "/schedules/primary/overrides"
    made = staffed.call("POST", path, {"overrides": [part]}, person="cho").json()[0]["override"]["id"]
    said = {"role": "primary", "person": "ben", "reason": "dentist", **times}
    line = last(staffed)
    assert (line["actor"], line["action"], line["target"]) == ("person:cho", "override.create", f"override:{made}")
    assert (line["before"], line["after"]) == (None, said)
    assert staffed.call("DELETE", f"{path}/{made}", person="cho").status_code == 204
    line = last(staffed)
    assert (line["action"], line["before"], line["after"]) == ("override.delete", said, None)
    part["start"] = "2026-01-07T18:00:00Z"
    made = staffed.call("POST", path, {"overrides": [part]}, person="cho").json()[0]["override"]["id"]
    assert staffed.call("DELETE", f"{path}/{made}", person="cho").status_code == 200
    line = last(staffed)
    assert (line["action"], line["before"]["end"], line["after"]["end"]) == (
        "override.end", "2026-01-09T18:00:00Z", "2026-01-07T18:00:00Z")  # fmt: skip


def test_a_team(staffed: House) -> None:
    text = STAFFED.replace("Nightly batch", "Batch")
    headers = {"Content-Type": "application/toml"}
    answers = [staffed.call("PUT", "/watchbell/v1/team", person="ida", data=text.encode(), headers=headers)
               for _ in range(2)]  # fmt: skip
    assert [(answer.status_code, answer.json()["applied"]) for answer in answers] == [(200, True), (200, False)]
    [line] = lines(staffed)
    assert (line["actor"], line["address"], line["action"]) == ("person:ida", "127.0.0.1", "team.apply")
    assert line["after"] == {"digest": answers[0].json()["digest"], "source": "team.toml"}
    assert set(line["before"]) == {"digest", "source"}


def test_what_is_refused_or_changes_nothing_leaves_no_line(staffed: House) -> None:
    incident = opened(staffed)
    assert staffed.put(incident, status="resolved").status_code == 200
    assert staffed.put(incident, status="resolved").status_code == 400
    assert staffed.put("NOSUCH", status="resolved").status_code == 404
    assert staffed.put(incident, title="db down").status_code == 200
    assert staffed.call("DELETE", "/schedules/primary/overrides/Q1", person="cho").status_code == 404
    staffed.server.station.limits = Limits(Requests(0))
    assert staffed.put(incident, status="triggered").status_code == 429
    staffed.server.station.limits = Limits()
    assert len(lines(staffed)) == 1


def test_a_line_that_cannot_be_written_undoes_the_change(staffed: House) -> None:
    incident = opened(staffed)
    with staffed.server.storage.write() as connection:
        connection.execute(text("ALTER TABLE audit RENAME TO elsewhere"))
    assert staffed.put(incident, status="resolved").status_code == 503
    assert staffed.incident("k")["status"] == "triggered"


def test_an_address_cannot_be_forged(staffed: House) -> None:
    incident = opened(staffed)
    forged = {"X-Forwarded-For": "9.9.9.9", "X-Real-IP": "9.9.9.9", "Forwarded": "for=9.9.9.9", "From": "ben@x.org"}
    body = {"incident": {"type": "incident_reference", "status": "resolved"}}
    assert staffed.call("PUT", f"/incidents/{incident}", body, headers=forged).status_code == 200
    assert (last(staffed)["address"], last(staffed)["actor"]) == ("127.0.0.1", "person:ana")


def test_only_admins_read_it(staffed: House) -> None:
    for person in ("ana", "cho"):
        answer = staffed.call("GET", "/watchbell/v1/audit", person=person)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, 2010)
    assert staffed.call("GET", "/watchbell/v1/audit", person="").status_code == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_changes_it_by_the_api(staffed: House, method: str) -> None:
    assert staffed.call(method, "/watchbell/v1/audit", {}, person="ida").status_code == 405


@pytest.mark.parametrize("statement", [update(audit_log).values(actor="x"), delete(audit_log)])
def test_nobody_changes_it_in_the_database(staffed: House, statement: Any) -> None:
    assert staffed.put(opened(staffed), status="resolved").status_code == 200
    before = lines(staffed)
    with pytest.raises(StorageError, match="never changed"), staffed.server.storage.write() as connection:
        connection.execute(statement)
    assert lines(staffed) == before


def test_in_pages(staffed: House) -> None:
    with staffed.server.storage.write() as connection:
        for number in range(5):
            audit.note(connection, audit.By("person:ana"), "test", str(number), START)
    asked = {"limit": 2, "total": "true", **NOT_THEIRS}
    answer = staffed.call("GET", "/watchbell/v1/audit", person="ida", params=asked).json()
    assert ([line["target"] for line in answer["audit"]], answer["more"], answer["total"]) == (["4", "3"], True, 5)
    answer = staffed.call("GET", "/watchbell/v1/audit", person="ida", params={**asked, "offset": 4}).json()
    assert ([line["target"] for line in answer["audit"]], answer["more"]) == (["0"], False)
    assert lines(staffed, since="2026-01-07T18:00:01Z") == []
    assert lines(staffed, until="2026-01-07T18:00:00Z") == []
    assert len(lines(staffed, since="2026-01-07T18:00:00Z", until="2026-01-07T18:00:01Z")) == 5
