"""What docs/senders.md tells to paste works: read by those it is meant for, or sent as they would send it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from desktop.server.api.ingest import PATHS
from tests.parts import need
from tests.server.house import House
from tests.server.snippets import DOCUMENT, snippet, snippets

pytestmark = pytest.mark.parametrize("shared_database", ["sqlite"], indirect=True)


def sent(house: House, sender: str, body: str, headers: dict[str, str]) -> dict[str, Any]:
    answer = house.call("POST", f"/watchbell/v1/ingest/{sender}", data=body.encode(), person="", headers=headers)
    assert answer.status_code == 202, answer.text
    [key] = answer.json()["dedup_keys"]
    return house.incident(key)


@pytest.mark.parametrize("receiver", ["webhook", "PagerDuty"])
def test_alertmanager_takes_its_configuration(shared: House, receiver: str, tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(snippet("yaml", f"alertmanager.yml: {receiver}"), encoding="utf-8")
    checked = subprocess.run(
        [need("amtool"), "check-config", file], check=False, capture_output=True, text=True, timeout=20
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_yaml_example_names_an_address_of_ours_and_the_key(shared: House) -> None:
    found = snippets("yaml")
    assert len(found) == 4
    for example in found:
        told = str(yaml.safe_load(example))
        assert "THE-INTEGRATION-KEY" in told
        assert any(f"http://127.0.0.1:8377{path}'" in told for path in (*PATHS, "/v2/enqueue"))


@pytest.mark.parametrize("kind", ["webhook", "pagerduty"])
def test_grafanas_contact_points_are_whole(shared: House, kind: str) -> None:
    files = [yaml.safe_load(one) for one in snippets("yaml") if one.startswith("# provisioning/alerting")]
    points = [receiver for file in files for point in file["contactPoints"] for receiver in point["receivers"]]
    [point] = [one for one in points if one["type"] == kind]
    assert point["disableResolveMessage"] is False
    if kind == "webhook":
        assert point["settings"]["authorization_scheme"] == "Bearer"
        assert point["settings"]["httpMethod"] == "POST"


def test_datadogs_payload_and_headers(shared: House) -> None:
    headers = json.loads(snippet("json", "THE-INTEGRATION-KEY").replace("THE-INTEGRATION-KEY", shared.key))
    payload = snippet("json", "$ALERT_TRANSITION")
    values = {
        "EVENT_TITLE": "[P2] [Triggered on {host:db1}] Disk is full",
        "ALERT_TRANSITION": "Triggered",
        "ALERT_PRIORITY": "P2",
        "AGGREG_KEY": "9bd4ac313a4d1e8fae2482df7b77628",
        "LINK": "https://app.datadoghq.com/event/event?id=1234",
        "TEXT_ONLY_MSG": 'line one\\nline \\"two\\"',
    }

    def told(**changes: str) -> str:
        body = payload
        for name, value in {**values, **changes}.items():
            body = body.replace(f'"${name}"', f'"{value}"')
        return body

    fired = sent(shared, "datadog", told(), headers)
    assert (fired["status"], fired["title"]) == ("triggered", values["EVENT_TITLE"])
    assert (fired["priority"]["name"], fired["watchbell"]["link"]) == ("SEV-1", values["LINK"])
    over = sent(shared, "datadog", told(ALERT_TRANSITION="Recovered", EVENT_TITLE="[P2] [Recovered] Disk"), headers)
    assert (over["id"], over["status"]) == (fired["id"], "resolved")


def test_datadogs_payload_with_quotes_that_break_it_pages(shared: House) -> None:
    headers = {"X-Routing-Key": shared.key}
    body = snippet("json", "$ALERT_TRANSITION").replace("$AGGREG_KEY", "broken").replace("$TEXT_ONLY_MSG", 'a "b" c')
    found = sent(shared, "datadog", body.replace("$EVENT_TITLE", "[Triggered] Disk is full"), headers)
    assert (found["title"], found["incident_key"]) == ("[Triggered] Disk is full", "broken")


def test_the_small_object(shared: House) -> None:
    found = sent(shared, "generic", snippet("json", "exit code"), {"X-Routing-Key": shared.key})
    assert (found["title"], found["priority"]["name"]) == ("nightly backup failed", "SEV-2")
    assert found["watchbell"]["link"] == "https://backup.example.com/jobs/17"


def test_the_scripts_page_and_resolve(shared: House) -> None:
    environment = {**os.environ, "WATCHBELL_URL": shared.url, "WATCHBELL_KEY": shared.key, "no_proxy": "127.0.0.1"}
    need("curl")
    answers = []
    for script in snippets("sh"):
        if script.startswith("curl"):
            command = ["sh", "-c", script]
            done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=30)
            assert done.returncode == 0, done.stderr
            answers.append(json.loads(done.stdout))
    assert [answer["status"] for answer in answers] == ["success", "success"]
    assert shared.incident(answers[0]["dedup_keys"][0])["title"] == "nightly backup failed"
    assert answers[1]["dedup_keys"] == ["backup"]
    assert all(
        one["status"] == "resolved"
        for one in shared.get("/incidents", incident_key="backup", date_range="all")["incidents"]
    )


def test_the_readme_leads_there(shared: House) -> None:
    assert "(docs/senders.md)" in (DOCUMENT.parent.parent / "README.md").read_text(encoding="utf-8")
