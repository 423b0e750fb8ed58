"""Our own endpoints refuse keys that they do not know: a misspelt wish never becomes another one."""

from typing import Any

import pytest

from desktop.server.api.strict import CLOSED, known_keys
from desktop.server.failures import Refused
from tests.server.house import House

OURS = "/watchbell/v1"
TIMES = {"start": "2026-02-02T17:00:00Z", "end": "2026-02-09T17:00:00Z"}
RECEIPT = {"incident": "Q1", "page": 1, "type": "displayed"}
BEAT = {"service": {"id": "payments"}, "every": "5m"}


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("POST", "/absences", {"absence": {**TIMES, "persn": "ben"}}, "absence: there is no key 'persn' (is person"),
        ("POST", "/absences", {"absence": TIMES, "person": "ben"}, "there is no key 'person'; there are absence"),
        ("POST", "/absences", {"absence": {**TIMES, "user": {"id": "ben"}, "person": "ben"}}, "not both"),
        ("POST", "/absences", {"absence": {**TIMES, "user": {}}}, "user: must be a person's id"),
        ("POST", "/calendar_tokens", {"owner": "ben"}, "the body: there is no key 'owner'; there are person, user"),
        ("POST", "/calendar_tokens", {"user": "ben"}, "person must be somebody of the team"),
        ("POST", "/handovers", {"handover": {"reason": "ill", "to": "ben"}}, "handover: there is no key 'to'"),
        ("POST", "/handovers/H1/accept", {"point": ["briefing"]}, "(is points meant?)"),
        ("POST", "/handovers/H1/confirm", {"point": "briefing", "x": 1}, "there is no key 'x'; there are point"),
        ("POST", "/handovers/H1/next", {"receiver": {"id": "ben"}}, "there is no key 'receiver'; there are user"),
        ("PUT", "/heartbeats/b", {"heartbeat": {**BEAT, "evry": "1m"}}, "heartbeat: there is no key 'evry'"),
        ("PUT", "/heartbeats/b", {"heartbeat": BEAT, "grace": "1m"}, "the body: there is no key 'grace'"),
        ("POST", "/duties/check-in/2026-01-07/marks", {"marks": [{"type": "note", "note": "n"}]}, "marks[0]: there is"),
        ("POST", "/receipts", {"receipts": [{**RECEIPT, "at": "now"}]}, "receipts[0]: there is no key 'at'"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_refused_by_name(shared: House, method: str, path: str, body: object, says: str) -> None:
    answer = shared.call(method, OURS + path, body, person="cho")
    assert answer.status_code == 400, answer.text
    assert says in "; ".join(answer.json()["error"]["errors"])


@pytest.mark.parametrize(
    ("method", "path", "says"),
    [
        ("POST", "/heartbeats/q?every=1h&grase=3h", "the query: there is no key 'grase' (is grace meant?); there are"),
        ("GET", "/heartbeats?limits=3", "(is limit meant?); there are limit, offset, total"),
        ("GET", "/review?since=x", "the query: there is no key 'since'; there are month, from, to"),
        ("GET", "/review.csv?months=-1&foo=1", "there is no key 'months' (is month meant?)"),
        ("GET", "/duties?state=missed", "there is no key 'state' (is state[] meant?)"),
        ("GET", "/heartbeats/q?x%0A=1", "there is no key 'x'; there are none"),
        ("POST", "/absences?person=ben", "there is no key 'person'; there are none"),
        ("PUT", "/team?forse=true", "(is force meant?)"),
    ],
)  # fmt: skip
def test_an_unknown_key_of_a_query_is_refused_by_name(shared: House, method: str, path: str, says: str) -> None:
    answer = shared.call(method, OURS + path, {}, person="cho", headers={"X-Routing-Key": shared.key})
    assert answer.status_code == 400, answer.text
    assert says in "; ".join(answer.json()["error"]["errors"])
    assert shared.call("GET", f"{OURS}/heartbeats/q").status_code == 404


def test_an_address_that_others_put_together_may_say_more(shared: House) -> None:
    sent = {"X-Routing-Key": shared.key}
    assert shared.call("POST", f"{OURS}/ingest/generic?x=1", {"title": "t"}, person="", headers=sent).status_code == 202
    assert shared.call("GET", f"{OURS}/calendar/ana.ics?x=1").status_code == 200
    assert shared.call("GET", "/incidents?x=1").status_code == 200
    assert shared.call("GET", f"{OURS}/duties?limit=1&state[]=overdue&since=2026-01-01T00:00:00Z").status_code == 200


def test_whose_it_is_may_be_said_as_the_answer_says_it(shared: House) -> None:
    for said in ({"user": {"id": "ben", "type": "user_reference", "summary": "Ben"}}, {"person": "ben"}):
        made = shared.call(
            "POST", f"{OURS}/absences", {"absence": {**TIMES, **said, "cover": {"id": "ana"}}}, person="cho"
        )
        assert (made.status_code, made.json()["absence"]["user"]["id"]) == (201, "ben")
        assert made.json()["absence"]["cover"]["id"] == "ana"
        assert shared.call("DELETE", f"{OURS}/absences/{made.json()['absence']['id']}", person="cho").status_code == 204
        token = shared.call("POST", f"{OURS}/calendar_tokens", said, person="cho")
        assert (token.status_code, token.json()["calendar_token"]["user"]["id"]) == (201, "ben")


def test_pagerdutys_own_endpoints_stay_lenient(shared: House) -> None:
    window: dict[str, Any] = {"start_time": TIMES["start"], "end_time": TIMES["end"], "services": [{"id": "payments"}]}
    sent = {"maintenance_window": {**window, "type": "maintenance_window", "nonsense": 1}}
    made = shared.call("POST", "/maintenance_windows", sent, person="cho")
    assert made.status_code == 201
    shared.call("DELETE", f"/maintenance_windows/{made.json()['maintenance_window']['id']}", person="cho")


def test_only_what_is_closed_is_strict() -> None:
    inner = {"type": "object", "properties": {"id": {}}}
    schema = {"type": "object", "properties": {"a": inner, "b": {**inner, **CLOSED}}}
    known_keys({"a": {"x": 1}, "c": 1}, schema)
    known_keys([{"x": 1}], schema)
    with pytest.raises(Refused) as refused:
        known_keys({"b": {"x\n": 1}}, schema)
    assert refused.value.errors == ("b: there is no key 'x'; there are id",)
