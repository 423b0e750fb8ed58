"""What the server pages people with by itself is nobody's outage: no duty follows from it, no review counts it."""

from datetime import timedelta

from desktop.domain.severity import Severity
from desktop.server import findings
from desktop.server.findings import Finding
from tests.server.house import House


def test_a_handover_and_what_the_server_finds_of_itself_are_no_incidents_of_a_service(house: House) -> None:
    station = house.server.station
    asked = {"reason": "a fever", "receiver": {"id": "ben"}}
    assert house.call("POST", "/watchbell/v1/handovers", {"handover": asked}).status_code == 201
    house.server.watchkeeper.tick()
    finding = Finding(findings.MESSAGE, "ana", "No message reaches Ana", severity=Severity.SEV1)
    station.writer.run(lambda work: findings.report(station, work, finding))
    house.enqueue(key="outage")
    house.clock.forward(timedelta(minutes=1))
    everything = {i["title"] for i in house.get("/incidents", date_range="all")["incidents"]}
    assert len(everything) == 3
    found = house.get("/watchbell/v1/duties", limit=100, **{"state[]": "due"})["duties"]
    outage = house.incident("outage")["id"]
    assert {d["id"] for d in found if d["kind"] in ("status-page", "customer-notice")} == {
        f"status-page/{outage}", f"customer-notice/{outage}"}  # fmt: skip
    month = house.get("/watchbell/v1/review", month="2026-01")["review"][0]
    assert [each["incidents"] for each in month["severities"]] == [1, 0, 0, 0]
