"""What the senders' bodies are read as: the documented ones, the odd ones, and any JSON at all. No server."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.domain.text import storable_json
from desktop.server.events import KEY_LIMIT, Action
from desktop.server.ingest import alertmanager, datadog, generic, grafana
from desktop.server.ingest.mending import DEPTH_LIMIT, mend
from desktop.server.ingest.report import MOST, Report, bounded, event
from desktop.server.naming import TITLE_LIMIT

READERS = {"alertmanager": alertmanager, "grafana": grafana, "datadog": datadog, "generic": generic}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def alert(**changes: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "DiskFull", "severity": "page", "instance": "db1"},
        "annotations": {"summary": "disk full", "runbook_url": "https://runbooks.example.com/disk"},
        "startsAt": "2026-01-07T18:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=1",
        "fingerprint": "c6eadffa33fcdf37",
        **changes,
    }


def group(*alerts: Any, **changes: Any) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": '{}:{alertname="DiskFull"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "watchbell",
        "groupLabels": {"alertname": "DiskFull"},
        "commonLabels": {"alertname": "DiskFull"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.com",
        "alerts": list(alerts),
        **changes,
    }


def only(reports: list[Report]) -> Report:
    assert len(reports) == 1, reports
    return reports[0]


def test_an_alert_of_alertmanager() -> None:
    found = only(alertmanager.read(group(alert())))
    assert (found.action, found.key, found.title) == (Action.TRIGGER, "c6eadffa33fcdf37", "disk full")
    assert (found.severities, found.source) == (("page",), "db1")
    assert found.links == (
        ("Source", "http://prometheus.example.com/graph?g0.expr=1"),
        ("Runbook", "https://runbooks.example.com/disk"),
        ("Alertmanager", "http://alertmanager.example.com"),
    )
    assert found.details["group"]["groupKey"] == '{}:{alertname="DiskFull"}'
    assert "truncatedAlerts" not in found.details["group"]


def test_each_alert_of_a_group_has_its_own_status() -> None:
    found = alertmanager.read(group(alert(), alert(status="resolved", fingerprint="b"), alert(status="RESOLVED")))
    assert [r.action for r in found] == [Action.TRIGGER, Action.RESOLVE, Action.RESOLVE]
    own = alert()
    del own["status"]
    assert only(alertmanager.read(group(own, status="resolved"))).action is Action.RESOLVE


@pytest.mark.parametrize(
    ("annotations", "labels", "title"),
    [
        ({"summary": "s", "description": "d"}, {"alertname": "A"}, "s"),
        ({"summary": " ", "description": "d"}, {"alertname": "A"}, "d"),
        ({}, {"alertname": "A", "instance": "db1:9100"}, "A on db1:9100"),
        ({"summary": ["no", "text"]}, {"alertname": "A"}, "A"),
        ("broken", {}, "DiskFull"),
    ],
)
def test_what_an_alert_is_called(annotations: object, labels: object, title: str) -> None:
    assert only(alertmanager.read(group(alert(annotations=annotations, labels=labels)))).title == title


def test_without_a_fingerprint_the_labels_tell_alerts_apart() -> None:
    def key(**labels: str) -> str:
        return only(alertmanager.read(group(alert(fingerprint=None, labels=labels)))).key

    assert key(alertname="A", instance="1") == key(instance="1", alertname="A")
    assert len({key(alertname="A", instance="1"), key(alertname="A", instance="2"), key(alertname="B")}) == 3


def test_alerts_that_were_left_out_are_told() -> None:
    found = only(alertmanager.read(group(alert(), truncatedAlerts=7)))
    assert "left out 7 more" in found.details["group"]["truncatedAlerts"]


@pytest.mark.parametrize("broken", [None, 5, "disk full", [], {}, ["x"], {"labels": 7, "annotations": None}])
def test_an_alert_that_makes_no_sense_pages_beside_the_others(broken: object) -> None:
    for module in (alertmanager, grafana):
        first, odd, last = module.read(group(alert(), broken, alert(fingerprint="z")))
        assert (first.key, last.key) == ("c6eadffa33fcdf37", "z")
        assert (odd.action, bool(odd.title), bool(odd.key)) == (Action.TRIGGER, True, True)
        assert odd.key == module.read(group(alert(), broken))[1].key


@pytest.mark.parametrize("name", ["alertmanager", "grafana"])
def test_a_group_without_alerts_is_read_as_one(name: str) -> None:
    body = group(commonAnnotations={"summary": "many disks full"}, commonLabels={"severity": "warning"})
    none: list[Any] = [[], None, "gone"]
    for alerts in none:
        found = only(READERS[name].read({**body, "alerts": alerts}))
        assert (found.title, found.severities) == ("many disks full", ("warning",))


# The example of Grafana's documentation.
GRAFANA = {
    "receiver": "My Super Webhook",
    "status": "firing",
    "orgId": 1,
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "High memory usage", "team": "blue", "zone": "us-1"},
            "annotations": {
                "description": "The system has high memory usage",
                "runbook_url": "https://myrunbook.com/runbook/1234",
                "summary": "This alert was triggered for zone us-1",
            },
            "startsAt": "2021-10-12T09:51:03.157076+02:00",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://play.grafana.org/alerting/1afz29v7z/edit",
            "fingerprint": "c6eadffa33fcdf37",
            "silenceURL": "https://play.grafana.org/alerting/silence/new?alertmanager=grafana",
            "dashboardURL": "https://play.grafana.org/d/x",
            "panelURL": "https://play.grafana.org/d/x?viewPanel=1",
            "imageURL": "https://play.grafana.org/public/img/shot.png",
            "values": {"B": 44.23943737541908, "C": 1},
        },
        {
            "status": "resolved",
            "labels": {"alertname": "High CPU usage", "team": "blue", "zone": "eu-1", "severity": "minor"},
            "annotations": {},
            "generatorURL": "https://play.grafana.org/alerting/d1rdpdv7k/edit",
            "fingerprint": "bc97ff14869b13e3",
            "silenceURL": "",
            "dashboardURL": "",
            "panelURL": "",
            "values": None,
        },
    ],
    "groupLabels": {},
    "commonLabels": {"team": "blue"},
    "commonAnnotations": {},
    "externalURL": "https://play.grafana.org/",
    "version": "1",
    "groupKey": "{}:{}",
    "truncatedAlerts": 0,
    "title": "[FIRING:2]  (blue)",
    "state": "alerting",
    "message": "**Firing**",
}


def test_grafanas_own_example() -> None:
    firing, over = grafana.read(GRAFANA)
    assert (firing.action, firing.key) == (Action.TRIGGER, "c6eadffa33fcdf37")
    assert firing.title == "This alert was triggered for zone us-1"
    assert [name for name, _ in firing.links] == ["Panel", "Dashboard", "Alert rule", "Runbook", "Silence", "Grafana"]
    assert firing.image == "https://play.grafana.org/public/img/shot.png"
    assert firing.details["values"]["B"] == 44.23943737541908
    assert (over.action, over.key, over.title) == (Action.RESOLVE, "bc97ff14869b13e3", "High CPU usage")
    assert (over.severities, over.links[0][0]) == (("minor",), "Alert rule")


@pytest.mark.parametrize(
    ("state", "action"), [("alerting", Action.TRIGGER), ("no_data", Action.TRIGGER), ("ok", Action.RESOLVE)]
)
def test_grafanas_legacy_body(state: str, action: Action) -> None:
    body = {
        "dashboardId": 1,
        "evalMatches": [{"value": 1, "metric": "Count", "tags": {}}],
        "imageUrl": "https://grafana.com/assets/img/blog/mixed_styles.png",
        "message": "Notification Message",
        "orgId": 1,
        "panelId": 2,
        "ruleId": 1,
        "ruleName": "Panel Title alert",
        "ruleUrl": "http://localhost:3000/d/hZ7BuVbWz/test-dashboard?fullscreen&edit&tab=alert&panelId=2&orgId=1",
        "state": state,
        "tags": {"severity": "major"},
        "title": f"[{state}] Panel Title alert",
    }
    found = only(grafana.read(body))
    assert (found.action, found.severities, found.links[0]) == (action, ("major",), ("Panel", body["ruleUrl"]))
    assert (found.title, found.image) == (body["title"], body["imageUrl"])
    assert found.key == only(grafana.read({**body, "state": "ok", "title": "[OK] Panel Title alert"})).key
    assert found.key != only(grafana.read({**body, "ruleId": 2})).key


def from_datadog(**told: object) -> Report:
    return only(datadog.read({"title": "[Triggered on {host:db1}] Disk is full", "aggregation_key": "9bd4", **told}))


@pytest.mark.parametrize(
    ("transition", "action"),
    [
        ("Triggered", Action.TRIGGER),
        ("Re-Triggered", Action.TRIGGER),
        ("No Data", Action.TRIGGER),
        ("Re-No Data", Action.TRIGGER),
        ("Warn", Action.TRIGGER),
        ("Re-Warn", Action.TRIGGER),
        ("Renotify", Action.TRIGGER),
        ("Null", Action.TRIGGER),
        ("$ALERT_TRANSITION", Action.TRIGGER),
        ("Something New", Action.TRIGGER),
        ("Recovered", Action.RESOLVE),
    ],
)
def test_datadogs_transitions(transition: str, action: Action) -> None:
    found = from_datadog(transition=transition)
    assert (found.action, found.key) == (action, "9bd4")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"priority": "P1", "type": "error"}, ("P1", "critical")),
        ({"priority": "p2"}, ("p2", "error")),
        ({"priority": "P3", "transition": "Triggered"}, ("P3", "warning")),
        ({"priority": "P4"}, ("P4", "info")),
        ({"priority": "P5"}, ("P5", "info")),
        ({"priority": "", "type": "error"}, ("error",)),
        ({"priority": "null", "type": "warning"}, ("warning",)),
        ({"priority": "$ALERT_PRIORITY", "transition": "Warn", "type": "error"}, ("warning",)),
        ({"priority": "normal", "type": "error"}, ("normal", "error")),
        ({}, ()),
    ],
)
def test_datadogs_severities(told: dict[str, object], words: tuple[str, ...]) -> None:
    assert from_datadog(**told).severities == words


def test_datadogs_default_payload_is_understood_by_its_titles() -> None:
    def told(title: str) -> Report:
        return only(datadog.read({"id": title, "title": title, "body": "b", "event_type": "query_alert_monitor"}))

    fired = told("[P1] [Triggered on {host:db1}] Disk is full")
    again, over = (
        told("[P1] [Re-Triggered on {host:db1}] Disk is full"),
        told("[P1] [Recovered on {host:db1}] Disk is full"),
    )
    assert [fired.action, again.action, over.action] == [Action.TRIGGER, Action.TRIGGER, Action.RESOLVE]
    assert fired.key == again.key == over.key != told("[P1] [Triggered on {host:db2}] Disk is full").key
    assert told("[Recovered backups] are missing").action is Action.RESOLVE
    assert told("Recovered backups are missing").action is Action.TRIGGER


def test_datadogs_monitor_and_scope_stand_in_for_its_key() -> None:
    def key(**told: object) -> str:
        return from_datadog(aggregation_key="", **told).key

    assert key(alert_id=1234, scope="host:a") == key(alert_id="1234", scope="host:a", title="x")
    assert key(alert_id=1234, scope="host:a") != key(alert_id=1234, scope="host:b")


def test_a_small_body_says_all_there_is() -> None:
    body = {"title": "backup failed", "severity": "sev2", "key": "backup", "status": "firing",
            "link": "https://b.example.com", "details": {"exit": 23}}  # fmt: skip
    found = only(generic.read(body))
    assert (found.action, found.key, found.title, found.severities) == (
        Action.TRIGGER, "backup", "backup failed", ("sev2",)
    )  # fmt: skip
    assert found.links == (("Link", "https://b.example.com"),)
    assert found.details["exit"] == 23


@pytest.mark.parametrize(
    ("value", "title"),
    [
        ("backup failed\nexit code 23", "backup failed"),
        (507, "507"),
        ({"summary": "s"}, "s"),
        ({"message": 5}, "5"),
        ({"colour": "red"}, 'Alert from Webhook without a title: {"colour": "red"}'),
        (True, "Unreadable alert from Webhook: true"),
    ],
)
def test_nearly_nothing_is_enough(value: object, title: str) -> None:
    found = only(generic.read(value))
    assert (found.title, found.action) == (title, Action.TRIGGER)
    assert found.key == only(generic.read(value)).key


def test_the_title_is_the_key_where_there_is_none() -> None:
    fired, over = generic.read([{"title": "t", "at": 1}, {"title": "t", "at": 2, "status": "resolved"}])
    assert (fired.key, over.action) == (over.key, Action.RESOLVE)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("value", [None, "", {}, []])
def test_nothing_is_no_alert(name: str, value: object) -> None:
    assert READERS[name].read(value) == []


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "ftp://x", "//x", "HTTPS//", 7, None,
                                  "https://" + "x" * 3000])  # fmt: skip
def test_only_addresses_of_the_web_are_offered(link: object) -> None:
    labels = {"annotations": {"runbook_url": link}, "generatorURL": link, "panelURL": link, "imageURL": link}
    for module in (alertmanager, grafana):
        found = only(module.read(group(alert(**labels), externalURL=link)))
        assert (found.links, found.image) == ((), "")
    assert only(generic.read({"title": "t", "link": link})).links == ()
    assert (from_datadog(link=link, snapshot=link).links, from_datadog(snapshot=link).image) == ((), "")


def test_an_event_is_plain_and_capped() -> None:
    title = "<b>disk</b>\x1b[31m\u202efull\n" + "x" * 10_000
    made = event(only(generic.read({"title": title, "key": "k" * 999})), "wb_secret", "critical")
    assert made.title.startswith("<b>disk</b>[31mfull x")
    assert (len(made.title), len(made.dedup_key or "")) == (TITLE_LIMIT, KEY_LIMIT)
    assert made.original["payload"]["custom_details"]["title"] == title
    assert "wb_secret" not in str(made.original)


def test_what_is_common_to_many_is_not_kept_whole_with_each() -> None:
    big = "x" * 100_000
    body = group(*({"fingerprint": str(n)} for n in range(20)), commonAnnotations={"summary": big}, receiver=big)
    made = [event(report, "k", None) for report in alertmanager.read(body)]
    assert len(json.dumps([one.original for one in made])) < len(big) * 2


def test_more_than_anybody_could_answer_are_told_in_one() -> None:
    found = bounded(generic.read([{"title": str(n)} for n in range(MOST + 5)]))
    assert len(found) == MOST + 1
    assert found[-1].title.startswith("5 more alerts from Webhook")
    assert bounded(found[:MOST]) == found[:MOST]


def test_however_many_there_are_those_that_end_are_kept() -> None:
    many = [{"title": str(n), "status": "resolved" if n % 2 else "firing"} for n in range(2 * MOST + 10)]
    found = bounded(generic.read(many))
    assert len([report for report in found if report.action is Action.RESOLVE]) == MOST + 5
    assert len([report for report in found if report.action is Action.TRIGGER]) == MOST + 1
    assert found[-1].title.startswith("5 more alerts")


@settings(max_examples=200)
@given(JSON)
def test_whatever_is_sent_is_read(value: Any) -> None:
    for module in READERS.values():
        reports = module.read(value)
        assert reports or not value or value == {"alerts": []}
        assert all(report.key and event(report, "k", None).title for report in reports)


@settings(max_examples=200)
@given(more=st.dictionaries(st.text().filter(lambda key: key != "title"), JSON, max_size=4), inner=JSON)
def test_no_title_is_lost(more: dict[str, Any], inner: Any) -> None:
    for extra in (more, {**more, "alerts": inner}, {**more, "alerts": [inner], "labels": inner, "details": inner}):
        for module in READERS.values():
            assert module.read({**extra, "title": "db down"})


@settings(max_examples=200)
@given(JSON)
def test_proper_json_is_mended_into_itself(value: Any) -> None:
    boxed = [value, {"a": value}]
    assert mend(json.dumps(boxed)) == storable_json(_without_long_numbers(boxed))


def _without_long_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_long_numbers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_long_numbers(part) for part in value]
    return json.dumps(value) if isinstance(value, int | float) and len(json.dumps(value)) > 40 else value


@settings(max_examples=300)
@given(st.text() | st.text(alphabet='{}[]",:\\ntru10. '))
def test_no_text_is_too_broken(content: str) -> None:
    for text in (content, "{" + content, '{"title": "t", "details": ' + content):
        value = mend(text)
        json.dumps(value)
        for module in READERS.values():
            module.read(value)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ('{"a": NaN, "b": -Infinity, "c": 1e999}', {"a": "NaN", "b": "-Infinity", "c": "1e999"}),
        ('{"a": 1, "a": 2,}', {"a": 2}),
        ('{"a": {"b": "cut o', {"a": {"b": "cut o"}}),
        ('[{"a": 1}, {"b": [1, 2', [{"a": 1}, {"b": [1, 2]}]),
        ('{"a": "tab\there", "b"}', {"a": "tab\there", "b": None}),
        ("{'a': 1}", {"'a'": 1}),
        ('{{"a": 1}', {"": {"a": 1}}),
        ("{]}", {}),
        ("plain words", "plain words"),
        ('{"a": "\\ud800"}', {"a": "\N{REPLACEMENT CHARACTER}"}),
        ("[" + "9" * 50 + "]", ["9" * 50]),
    ],
)
def test_what_broken_json_means(content: str, value: object) -> None:
    assert mend(content) == value


def test_nesting_without_end_ends() -> None:
    value, depth = mend('{"a":' * 50_000 + "1" + "}" * 50_000), 0
    while isinstance(value, dict):
        value, depth = value["a"], depth + 1
    assert (value, depth) == ("…", DEPTH_LIMIT)
