"""A mistake in the details of an event loses no page: what can be read pages, all the rest is kept as text."""

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.server.salvage import KEPT, salvage
from tests.server.house import House

BROKEN = {
    "NaN": b'{"load": NaN}',
    "infinity": b'{"load": -Infinity}',
    "overflow": b'{"load": 1e999}',
    "many digits": b'{"load": ' + b"9" * 5000 + b"}",
    "twice": b'{"a": 1, "a": 2}',
    "65 levels": b"[" * 65 + b"]" * 65,
    "50,000 levels": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "not UTF-8": b'"\xff\xfe caf\xe9"',
    "surrogate bytes": b'"\xed\xa0\x80"',
    "control characters": b'"a\x01b\nc"',
    "bad escape": rb'"\x41 \u12"',
    "single quotes": b"{'a': 'b'}",
    "brackets in a text": b'{"a": "}]{[", "b": NaN}',
    "trailing comma": b'{"a": 1,}',
}


def event(house: House, key: str, details: bytes) -> bytes:
    before = {"routing_key": house.key, "event_action": "trigger", "dedup_key": key}
    head = json.dumps(before).encode().rstrip(b"}")
    return head + b', "payload": {"custom_details": ' + details + b', "summary": "db down", "severity": "critical"}}'


@pytest.mark.parametrize("name", BROKEN)
def test_broken_details_page_all_the_same(shared: House, name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    answer = shared.call("POST", "/v2/enqueue", data=event(shared, name, BROKEN[name]), person="")
    assert (answer.status_code, answer.json()) == (
        202, {"status": "success", "message": "Event processed", "dedup_key": name}
    )  # fmt: skip
    incident = shared.incident(name)
    assert (incident["title"], incident["priority"]["name"], incident["status"]) == ("db down", "SEV-0", "triggered")
    kept = body_of(shared, incident)
    text = kept["payload"]["custom_details"]["unreadable"]
    assert text.startswith('{"routing_key": , "event_action": "trigger"')
    assert len(text) <= KEPT
    assert shared.key not in str(kept)
    assert [r.getMessage() for r in caplog.records].count("event mended") == 1
    assert shared.call("POST", "/v2/enqueue", shared.event("resolve", name), person="").status_code == 202


def body_of(house: House, incident: dict[str, Any]) -> dict[str, Any]:
    shown = house.get(f"/incidents/{incident['id']}", **{"include[]": "body"})["incident"]
    return dict(shown["body"]["details"])


def test_what_is_cut_off_after_its_summary_pages(shared: House) -> None:
    whole = event(shared, "cut", b'{"a": 1}')
    assert shared.call("POST", "/v2/enqueue", data=whole[:-12], person="").status_code == 202
    assert shared.incident("cut")["title"] == "db down"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_reason_to_lose_a_page(shared: House, encoding: str) -> None:
    body = json.dumps(shared.event(key=encoding, summary="größer")).encode(encoding)
    assert shared.call("POST", "/v2/enqueue", data=body, person="").status_code == 202
    assert shared.incident(encoding)["title"] == "größer"


@pytest.mark.parametrize(
    ("change", "title"),
    [
        ({"summary": 507}, "507"),
        ({"source": None}, "db down"),
        ({"severity": 7}, "db down"),
        ({"severity": ["critical"]}, "db down"),
        ({"custom_details": {"text": "lone \ud800 surrogate \0"}}, "db down"),
    ],
)
def test_oddities_in_proper_json_page(shared: House, change: dict[str, Any], title: str) -> None:
    key = str(sorted(change)) + str(change)[:20].encode("ascii", "replace").decode()
    assert shared.call("POST", "/v2/enqueue", shared.event(key=key, **change), person="").status_code == 202
    assert shared.incident(key)["title"] == title


def test_a_key_too_long_or_no_text_still_tells_incidents_apart(shared: House) -> None:
    keys = [*("k" * 300 + end for end in "ab"), 5, {"a": 1}]
    taken = []
    for key in keys:
        body = {**shared.event(), "dedup_key": key}
        answer = shared.call("POST", "/v2/enqueue", body, person="")
        assert answer.status_code == 202
        taken.append(answer.json()["dedup_key"])
        shared.call("POST", "/v2/enqueue", {**shared.event("resolve"), "dedup_key": key}, person="")
        assert shared.incident(taken[-1])["status"] == "resolved"
    assert len(set(taken)) == 4
    assert max(map(len, taken)) == 255


def test_change_events_are_refused_as_such(shared: House) -> None:
    answer = shared.call("POST", "/v2/change/enqueue", shared.event(), person="")
    assert (answer.status_code, answer.json()["status"]) == (404, "not found")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(summary=st.text(min_size=1), details=_JSON, more=st.dictionaries(st.text(), _JSON, max_size=3))
def test_from_any_json_the_words_are_read_as_json_reads_them(summary: str, details: object, more: Any) -> None:
    sent = {**more, "routing_key": "k", "event_action": "trigger",
            "payload": {"custom_details": details, "summary": summary}}  # fmt: skip
    found = salvage(json.dumps(sent).encode())
    assert (found["routing_key"], found["event_action"]) == ("k", "trigger")
    assert found["payload"]["summary"] == summary.replace("\0", "\N{REPLACEMENT CHARACTER}")


@given(st.binary())
def test_no_bytes_are_too_broken(content: bytes) -> None:
    assert isinstance(salvage(content), dict)
    assert isinstance(salvage(b'{"routing_key": "k", "payload": {"summary": "s", "custom_details":' + content), dict)
