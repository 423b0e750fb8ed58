"""``/metrics``: what it says after what happened, to whom, and that strangers cannot fill it."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from desktop.server.counts import Spread
from desktop.server.limits import Floods, Limits, Requests
from tests.server.house import MINUTE, TEAM, House, running_house
from tests.server.listening import listening


def scrape(house: House) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = house.call("GET", "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(house: House, name: str, **labels: str) -> float:
    return scrape(house)[f"watchbell_{name}", frozenset(labels.items())]


def test_what_has_not_happened_yet_is_told_as_nothing(house: House) -> None:
    found = scrape(house)
    events = [("trigger", "accepted"), ("acknowledge", "accepted"), ("resolve", "accepted"), ("unknown", "refused"),
              ("trigger", "flooded")]  # fmt: skip
    for action, result in events:
        assert found["watchbell_events_total", frozenset({("action", action), ("result", result)})] == 0
    for path in ("/v2/enqueue", "/watchbell/v1/ingest/grafana"):
        labels = {("method", "POST"), ("route", path), ("status", "400")}
        assert found["watchbell_http_requests_total", frozenset(labels)] == 0


def test_what_happened_is_counted(house: House) -> None:
    house.enqueue(key="k")
    house.enqueue(key="k2", severity="warning")
    house.enqueue("resolve", "k2")
    refused = house.call("POST", "/v2/enqueue", {"routing_key": "wrong"}, person="")
    assert refused.status_code == 400
    generic = house.call(
        "POST", "/watchbell/v1/ingest/generic", {"title": "x"}, person="", headers={"X-Routing-Key": house.key}
    )
    assert generic.status_code == 202
    house.tick(15 * MINUTE)
    house.clock.forward(15 * MINUTE)
    found = {name: value(house, name) for name in ("due_backlog", "due_oldest_seconds", "streams", "writer_up")}
    assert found == {"due_backlog": 2, "due_oldest_seconds": 0, "streams": 0, "writer_up": 1}
    house.tick(MINUTE)
    house.put("1", status="acknowledged")
    assert value(house, "incidents", status="acknowledged", severity="sev0") == 1
    assert value(house, "incidents", status="triggered", severity="sev1") == 1
    assert value(house, "incidents", status="triggered", severity="sev3") == 0
    assert value(house, "events_total", action="trigger", result="accepted") == 3
    assert value(house, "events_total", action="resolve", result="accepted") == 1
    assert value(house, "events_total", action="unknown", result="refused") == 1
    assert value(house, "escalation_lateness_seconds_bucket", le="60.0") > value(
        house, "escalation_lateness_seconds_bucket", le="5.0"
    )
    assert value(house, "engine_ticks_total") == 2
    assert value(house, "engine_last_tick_age_seconds") < 60
    assert value(house, "commit_seconds_count") >= 6
    assert value(house, "writer_queue") == 0
    assert value(house, "http_requests_total", method="POST", route="/v2/enqueue", status="202") == 3
    assert value(house, "http_requests_total", method="PUT", route="/incidents/{name}", status="200") == 1
    with listening(house.url, house.tokens["ana"]) as listener:
        listener.next()
        assert value(house, "streams") == 1
    assert value(house, "http_requests_total", method="GET", route="/watchbell/v1/stream", status="200") == 1
    database = "sqlite" if house.database.startswith("sqlite") else "postgresql"
    [build] = [dict(labels) for name, labels in scrape(house) if name == "watchbell_build_info"]
    assert build["database"] == database


def test_what_the_keeper_found_is_told(tmp_path: Path) -> None:
    late = TEAM.replace("2026-01-05T09:00:00", "2026-06-01T09:00:00")
    with running_house(tmp_path, late) as house:
        headers = {"X-Routing-Key": house.key}
        house.call("POST", "/watchbell/v1/heartbeats/job?every=1h", person="", headers=headers)
        house.server.keeper.tick()
        assert value(house, "schedule_gaps", role="primary") == 1
        # The primary's, the secondary's and the manager's.
        assert value(house, "findings", kind="schedule") == 3
        assert value(house, "findings", kind="message") == 0
        assert (value(house, "heartbeats", state="kept"), value(house, "heartbeats", state="silent")) == (1, 0)


def test_strangers_cannot_fill_it(shared: House) -> None:
    assert shared.call("GET", "/metrics", person="").status_code == 401
    assert (
        shared.call("GET", "/metrics", person="", headers={"Authorization": f"Bearer {shared.key}"}).status_code == 401
    )
    for n in range(5):
        shared.call("GET", f"/no/such/place/{n}")
        shared.call(f"ODD{n}", "/incidents")
        shared.call("GET", f"/incidents/QSECRET{n}", person="")
    text = shared.call("GET", "/metrics").text
    assert "QSECRET" not in text
    assert "/no/such" not in text
    assert not re.search(r"ODD\d", text)
    assert shared.key not in text
    assert shared.tokens["ana"] not in text


def test_floods_are_counted(tmp_path: Path) -> None:
    with running_house(tmp_path) as house:
        house.server.station.limits = Limits(Requests(1_000_000), Floods(1))
        house.enqueue(key="one")
        assert house.call("POST", "/v2/enqueue", house.event(key="two"), person="").status_code == 429
        assert value(house, "events_total", action="trigger", result="flooded") == 1


def test_a_spread_counts_up_to_each_bound() -> None:
    spread = Spread((0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 2.0):
        spread.add(seconds)
    counts, total = spread.read()
    assert (counts, round(total, 6)) == ([2, 3, 4], 2.65)
    assert (spread.longest(), spread.longest()) == (2.0, 0.0)
