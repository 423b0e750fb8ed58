"""A real Alertmanager pages us: its alert becomes an incident, and its end resolves it."""

import os
from pathlib import Path

from tests.desktop.alertmanager import run_alertmanager
from tests.server.house import House
from tests.server.listening import listening

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
