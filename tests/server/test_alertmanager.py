"""A real Alertmanager pages us: its alert becomes an incident, and its end resolves it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def test_as_documented_a_group_whose_alerts_differ_pages(house: House, tmp_path: Path) -> None:
    """Their common summary is empty then."""
    config = snippet("yaml", "alertmanager.yml: PagerDuty")
    config = config.replace("http://127.0.0.1:8377", house.url).replace("THE-INTEGRATION-KEY", house.key)
    config = config.replace("  group_by:", "  group_wait: 0s\n  group_interval: 1s\n  group_by:")
    with listening(house.url, house.tokens["ana"]) as stream:
        stream.next()
        with run_alertmanager(config, tmp_path / "am", os.environ) as alertmanager:
            amtool(alertmanager, "alert", "add", "Nameless")
            nameless = incident_when(stream, lambda found: found["status"] == "triggered")
            assert "Nameless" in nameless["title"]
            for host in ("a", "b"):
                amtool(alertmanager, "alert", "add", "TwoHosts", f"host={host}", f"--annotation=summary=full on {host}")
            two = incident_when(stream, lambda found: "TwoHosts" in found["title"] or "full on" in found["title"])
            assert (two["status"], two["priority"]["name"]) == ("triggered", "SEV-1")
            both = incident_when(stream, lambda found: found["id"] == two["id"] and _fires(house, found, "host = b"))
    assert both["watchbell"]["pages"] == two["watchbell"]["pages"]


def _fires(house: House, incident: dict[str, Any], label: str) -> bool:
    body = house.get(f"/incidents/{incident['id']}", **{"include[]": "body"})["incident"]["body"]
    return label in str(body["details"]["payload"]["custom_details"]["firing"])


def webhook(house: House) -> str:
    """Return the configuration that docs/senders.md gives for the webhook, at this server and with this key."""
    config = snippet("yaml", "alertmanager.yml: webhook")
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
