"""A trigger without a summary, or with anything else wrong about it, pages under a name made of what there is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.server import naming
from tests.server.house import House

FIRING = """Labels:
 - alertname = DiskFull
 - instance = db1
Annotations:
 - summary = disk full on db1
Source: http://prometheus/graph
"""
ALERT = {"labels": {"alertname": "DiskFull"}, "annotations": {"summary": "disk full on db1"}}
NESTED = {"summary": {"text": "db", "n": 1}}


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({"payload": {"summary": "db down", "custom_details": {"firing": FIRING}}}, "db down"),
        ({"payload": {"summary": 507}}, "507"),
        ({"payload": {"summary": ["db down"]}}, '["db down"]'),
        ({"payload": NESTED}, '{"text": "db", "n": 1}'),
        ({"payload": "db down"}, "db down"),
        ({"payload": {"summary": "", "custom_details": {"firing": FIRING}}}, "disk full on db1"),
        ({"payload": {"custom_details": {"firing": FIRING.replace("- summary", "- x")}}}, "DiskFull"),
        ({"payload": {"custom_details": {"firing": "Labels:\n\n it is hot\nand more"}}}, "it is hot"),
        ({"payload": {"custom_details": {"firing": [ALERT]}}}, "disk full on db1"),
        ({"payload": {"custom_details": {"firing": [{**ALERT, "annotations": None}]}}}, "DiskFull"),
        ({"payload": {"summary": True, "custom_details": {"alertname": "Hot"}, "class": "x"}}, "Hot"),
        ({"payload": {"summary": False, "custom_details": "hot in here"}}, "hot in here"),
        ({"summary": "at the top"}, "at the top"),
        ({"payload": None, "description": "at the top"}, "at the top"),
        ({"payload": {"class": "disk", "component": "raid", "source": "db1"}}, "disk raid on db1"),
        ({"payload": {"component": "raid", "group": "eu"}}, "raid on eu"),
        ({"payload": {"class": "disk"}}, "disk"),
        ({"payload": {"source": "db1"}, "client": "Nagios"}, "An alert without a name from db1"),
        ({"payload": {"summary": " "}, "client": "Nagios"}, "An alert without a name from Nagios"),
        ({"payload": {"summary": "\u200b\n"}, "client": ["x"]}, ""),
        ({"payload": []}, ""),
        ({}, ""),
    ],
)
def test_an_event_is_called_by_the_first_thing_that_says_something(event: dict[str, Any], name: str) -> None:
    assert naming.name_of(event) == name


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["summary", "firing", "labels", "annotations", "custom_details", "source", "x"]), inner
    ),
    max_leaves=10,
)  # fmt: skip


@given(payload=_JSON, client=_JSON)
def test_whatever_an_event_holds_it_has_one_plain_line_for_a_name(payload: object, client: object) -> None:
    name = naming.name_of({"payload": payload, "client": client})
    assert len(name) <= naming.TITLE_LIMIT
    assert "\n" not in name


RUBBISH: dict[str, dict[str, Any]] = {
    "no payload": {"payload": None},
    "a list for a payload": {"payload": []},
    "a blank summary": {"payload": {"summary": "  ", "source": "db1", "severity": "critical"}},
    "no summary": {"payload": {"source": None}},
    "a summary of a wrong type": {"payload": {"summary": ["s"], "source": {}, "severity": {}}},
    "a severity of its own": {"payload": {"summary": "s", "severity": "catastrophe", "source": 7}},
    "rubbish for a time": {"payload": {"summary": "s", "timestamp": "yesterday-ish", "class": [], "component": {}}},
    "rubbish for links": {"links": "x", "images": {"src": 7}, "client": 7, "client_url": ["x"]},
    "rubbish in links": {"links": [7, {"href": {}}, {"text": "t"}], "images": [None, {"src": []}]},
    "a key with blanks about it": {"dedup_key": " k " * 200},
    "a key that is no text": {"dedup_key": {"a": [1]}},
}


@pytest.mark.parametrize("what", RUBBISH)
def test_whatever_is_wrong_with_a_trigger_of_a_known_key_it_pages(shared: House, what: str) -> None:
    body = {**shared.event(key=what), **RUBBISH[what]}
    answer = shared.call("POST", "/v2/enqueue", body, person="")
    assert answer.status_code == 202, answer.text
    incident = shared.incident(answer.json()["dedup_key"])
    assert (incident["status"], incident["watchbell"]["pages"]) == ("triggered", 1)
    assert incident["title"]
    for shown in ("", "/alerts", "/log_entries"):
        shared.get(f"/incidents/{incident['id']}{shown}", **{"include[]": "channels"} if shown else {})


def test_what_says_nothing_at_all_is_called_after_its_service(shared: House) -> None:
    bare = {"routing_key": f" {shared.key}\n", "event_action": "trigger", "dedup_key": "bare"}
    assert shared.call("POST", "/v2/enqueue", bare, person="").status_code == 202
    assert shared.incident("bare")["title"] == "An alert without a name from Payments"


def test_of_broken_json_without_a_summary_what_was_sent_is_kept(shared: House) -> None:
    whole = json.dumps({"routing_key": shared.key, "event_action": "trigger", "dedup_key": "broken", "load": 1})
    sent = whole.replace('"load": 1', '"load": NaN').encode()
    assert shared.call("POST", "/v2/enqueue", data=sent, person="").status_code == 202
    incident = shared.incident("broken")
    assert incident["title"] == "An alert without a name from Payments"
    body = shared.get(f"/incidents/{incident['id']}", **{"include[]": "body"})["incident"]["body"]
    assert '"load": NaN' in body["details"]["payload"]["custom_details"]["unreadable"]


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_only_a_trigger_does_without_a_key(shared: House, action: str) -> None:
    answer = shared.call("POST", "/v2/enqueue", shared.event(action), person="")
    assert (answer.status_code, answer.json()["errors"]) == (400, ["'dedup_key' is missing or blank"])
