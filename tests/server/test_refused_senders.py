"""No alert is refused in silence: whatever refuses it, it stands in the log and in the metric, without any key."""

import logging
from typing import Any

import pytest

from desktop.server.limits import Limits, Requests
from tests.server.house import House
from tests.server.test_metrics import value

pytestmark = pytest.mark.parametrize("shared_database", ["sqlite"], indirect=True)

GENERIC = "/watchbell/v1/ingest/generic"
LARGE = b'{"title": "' + b"x" * 600_000 + b'"}'
REFUSED: list[tuple[str, dict[str, str], Any, int, str]] = [
    ("//v2/enqueue", {}, b"{}", 404, "/v2/enqueue"),
    ("/v2/enqueue//", {}, b"{}", 404, "/v2/enqueue"),
    ("/V2/Enqueue", {}, b"{}", 404, "/v2/enqueue"),
    ("/v2/enqueue/KEY", {}, b"{}", 404, "/v2/enqueue"),
    ("/v2", {}, b"{}", 404, "/v2"),
    ("/v2/change/enqueue", {}, b"{}", 404, "/v2"),
    ("/watchbell/v1/ingest/nagios", {}, b"{}", 404, "/watchbell/v1/ingest"),
    ("/watchbell/v1//ingest/generic", {}, b"{}", 404, GENERIC),
    (GENERIC, {"Host": "evil.example.com"}, b"{}", 421, GENERIC),
    ("/v2/enqueue", {"Origin": "https://evil.example.com"}, b"{}", 403, "/v2/enqueue"),
    (GENERIC, {}, LARGE, 413, GENERIC),
    (GENERIC, {}, iter([LARGE]), 413, GENERIC),
    ("/v2/enqueue", {}, LARGE, 413, "/v2/enqueue"),
]


def refusals(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(r)["fields"] for r in caplog.records if r.getMessage() in ("alerts refused", "event refused")]


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_before_routing_is_logged_and_counted(
    shared: House, caplog: pytest.LogCaptureFixture, case: tuple[str, dict[str, str], Any, int, str]
) -> None:
    path, headers, content, status, at = case
    shared.server.station.limits = Limits(Requests(1_000_000))
    before = value(shared, "events_total", action="unknown", result="refused")
    caplog.set_level(logging.WARNING)
    sent = {"X-Routing-Key": shared.key, "Authorization": f"Bearer {shared.key}", **headers}
    answer = shared.call("POST", path.replace("KEY", shared.key), person="", data=content, headers=sent)
    assert answer.status_code == status
    assert value(shared, "events_total", action="unknown", result="refused") == before + 1
    [line] = refusals(caplog)
    assert (line["sender"], line["status"], line["at"]) == ("127.0.0.1", status, at)
    assert line["error"]
    assert shared.key not in str([vars(record) for record in caplog.records])


def test_a_wrong_address_is_answered_with_the_right_one(shared: House) -> None:
    for path, meant in (("//v2/enqueue", "/v2/enqueue"), (f"/{GENERIC}//", GENERIC)):
        answer = shared.call("POST", path, {"title": "t"}, person="", headers={"X-Routing-Key": shared.key})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, 2100)
        assert answer.json()["error"]["errors"][0].endswith(f"post them to {meant}")
    answer = shared.call("POST", "/watchbell/v1/ingest/nagios", {}, person="")
    assert "/v2/enqueue, /watchbell/v1/ingest/alertmanager, " in answer.json()["error"]["errors"][0]


def test_one_slash_at_the_end_is_no_other_address(shared: House) -> None:
    assert shared.call("POST", "/v2/enqueue/", shared.event(key="slash"), person="").status_code == 202
    assert shared.incident("slash")["status"] == "triggered"
    body, headers = {"title": "slashed", "key": "slashed"}, {"X-Routing-Key": shared.key}
    assert shared.call("POST", f"{GENERIC}/", body, person="", headers=headers).status_code == 202
    assert shared.incident("slashed")["status"] == "triggered"


def test_what_an_endpoint_refuses_is_logged_once_and_counted(shared: House, caplog: pytest.LogCaptureFixture) -> None:
    before = value(shared, "events_total", action="unknown", result="refused")
    bad = [("/v2/enqueue", {}, 400), (GENERIC, {}, 401), (GENERIC, {"X-Routing-Key": "unknown"}, 401),
           (GENERIC, {"X-Routing-Key": shared.key}, 400)]  # fmt: skip
    for path, headers, status in bad:
        assert shared.call("POST", path, {}, person="", headers=headers).status_code == status
    assert len(refusals(caplog)) == len(bad)
    assert value(shared, "events_total", action="unknown", result="refused") == before + len(bad)


def test_nobody_fills_the_log_with_refusals(shared: House, caplog: pytest.LogCaptureFixture) -> None:
    shared.server.station.limits = Limits(Requests(1_000_000), refusals=Requests(3))
    before = value(shared, "events_total", action="unknown", result="refused")
    for _ in range(5):
        assert shared.call("POST", "/v2/nothing", {}, person="").status_code == 404
    lines = refusals(caplog)
    assert ["more" in line for line in lines] == [False, False, True]
    assert value(shared, "events_total", action="unknown", result="refused") == before + 5


def test_only_alerts_are_watched(shared: House, caplog: pytest.LogCaptureFixture) -> None:
    before = value(shared, "events_total", action="unknown", result="refused")
    assert shared.call("GET", "/v2/enqueue", person="").status_code == 405
    assert shared.call("POST", "/v2x", {}, person="").status_code == 401
    assert shared.call("POST", "/incidents", {}, person="").status_code == 401
    assert refusals(caplog) == []
    assert value(shared, "events_total", action="unknown", result="refused") == before
