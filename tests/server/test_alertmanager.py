"""A real Alertmanager pages us: its alert becomes an incident, and its end resolves it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.desktop.alertmanager import Alertmanager, run_alertmanager
from tests.parts import need
from tests.server.house import House
from tests.server.listening import Listener, listening
from tests.server.snippets import snippet

CONFIG = """
route:
  receiver: watchbell
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
receivers:
  - name: watchbell
    pagerduty_configs:
      - url: {url}/v2/enqueue
        routing_key: {key}
        severity: '{{{{ .CommonLabels.severity }}}}'
        send_resolved: true
"""


def test_an_alert_becomes_an_incident_and_its_end_resolves_it(house: House, tmp_path: Path) -> None:
    config = CONFIG.format(url=house.url, key=house.key)
    labels = {"alertname": "DiskFull", "severity": "page", "instance": "db1"}
    with listening(house.url, house.tokens["ana"]) as stream:
        stream.next()
        with run_alertmanager(config, tmp_path / "am", os.environ) as alertmanager:
            alertmanager.fire(labels, {"summary": "<b>disk full</b>"})
            name, _, incident = stream.next()
            assert (name, incident["status"], incident["priority"]["name"]) == ("incident", "triggered", "SEV-0")
            assert "DiskFull" in incident["title"]
            body = house.get(f"/incidents/{incident['id']}", **{"include[]": "body"})["incident"]["body"]
            assert "disk full" in str(body["details"]["payload"]["custom_details"])
            alertmanager.resolve(labels)
            name, _, done = stream.next()
            assert (done["id"], done["status"]) == (incident["id"], "resolved")


@pytest.mark.parametrize("template", ["", "description: '{{ .CommonAnnotations.summary }}'\n        "])
def test_a_group_whose_summaries_differ_pages_by_the_documented_receiver(
    house: House, tmp_path: Path, template: str
) -> None:
    """What stands in many a configuration makes an empty summary of such a group: that pages as well."""
    config = documented(house, "PagerDuty").replace("severity: '{{ if", f"{template}severity: '{{{{ if")
    slow = config.replace("group_wait: 0s", "group_wait: 2s")
    with listening(house.url, house.tokens["ana"]) as stream:
        stream.next()
        with run_alertmanager(slow, tmp_path / "am", os.environ) as alertmanager:
            for number, annotations in enumerate(({"summary": "db1 full"}, {"summary": "db2 full"}, {})):
                alertmanager.fire({"alertname": "DiskFull", "instance": f"db{number + 1}"}, annotations)
            incident = incident_when(stream, lambda found: found["status"] == "triggered")
    assert (incident["watchbell"]["pages"], incident["priority"]["name"]) == (1, "SEV-1")
    assert incident["title"] in ("db1 full", "db2 full") if template else "DiskFull" in incident["title"]
    body = house.get(f"/incidents/{incident['id']}", **{"include[]": "body"})["incident"]["body"]["details"]
    assert bool(body["payload"]["summary"].strip()) is not bool(template)
    assert body["payload"]["custom_details"]["num_firing"] == "3"


def webhook(house: House) -> str:
    """Return the configuration that docs/senders.md gives for the webhook, at this server and with this key."""
    return documented(house, "webhook")


def documented(house: House, receiver: str) -> str:
    """Return the configuration that docs/senders.md gives for a receiver, at this server and with this key."""
    config = snippet("yaml", f"alertmanager.yml: {receiver}")
    config = config.replace("http://127.0.0.1:8377", house.url).replace("THE-INTEGRATION-KEY", house.key)
    return config.replace("  group_by:", "  group_wait: 0s\n  group_interval: 1s\n  repeat_interval: 1s\n  group_by:")


def test_by_its_webhook_each_alert_of_a_group_is_an_incident(house: House, tmp_path: Path) -> None:
    labels = [{"alertname": "DiskFull", "severity": "page", "instance": f"db{n}"} for n in (1, 2)]
    annotations = {"summary": "<b>disk full</b>", "runbook_url": "https://runbooks.example.com/disk"}
    with listening(house.url, house.tokens["ana"]) as stream:
        stream.next()
        with run_alertmanager(webhook(house), tmp_path / "am", os.environ) as alertmanager:
            alertmanager.fire(labels[0], annotations)
            first = incident_when(stream, lambda found: found["status"] == "triggered")
            assert (first["title"], first["priority"]["name"]) == ("<b>disk full</b>", "SEV-0")
            assert first["watchbell"]["link"] == annotations["runbook_url"]
            amtool(
                alertmanager, "alert", "add", "DiskFull", "severity=warning", "instance=db2", "--annotation=summary=hot"
            )
            second = incident_when(stream, lambda found: found["title"] == "hot")
            assert (second["id"] != first["id"], second["priority"]["name"]) == (True, "SEV-2")
            alertmanager.resolve(labels[0])
            done = incident_when(stream, lambda found: found["status"] == "resolved")
            assert done["id"] == first["id"]
    assert [i["status"] for i in house.get("/incidents", date_range="all")["incidents"]] == ["resolved", "triggered"]
    body = house.get(f"/incidents/{first['id']}", **{"include[]": "body"})["incident"]["body"]["details"]
    assert body["payload"]["custom_details"]["labels"] == labels[0]
    assert body["payload"]["custom_details"]["group"]["receiver"] == "watchbell"


def test_what_fires_on_joins_its_incident(house: House, tmp_path: Path) -> None:
    labels = {"alertname": "DiskFull", "severity": "page"}
    with listening(house.url, house.tokens["ana"]) as stream:
        stream.next()
        with run_alertmanager(webhook(house), tmp_path / "am", os.environ) as alertmanager:
            alertmanager.fire(labels, {"summary": "disk full"})
            opened = incident_when(stream, lambda found: found["status"] == "triggered")
            again = incident_when(stream, lambda found: found["watchbell"]["version"] > opened["watchbell"]["version"])
    assert (again["id"], again["watchbell"]["pages"]) == (opened["id"], opened["watchbell"]["pages"])
    assert [data.get("repeated") for kind, data in house.history(again["id"]) if kind == "trigger"][:2] == [None, True]


def incident_when(stream: Listener, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the next incident of the stream that is as ``wanted``."""
    while True:
        name, _, found = stream.next()
        if name == "incident" and wanted(found):
            return found


def amtool(alertmanager: Alertmanager, *command: str) -> None:
    subprocess.run([need("amtool"), f"--alertmanager.url={alertmanager.url}", *command], check=True, timeout=20)
