"""The weekly handover: what is known is filled in, both sign, and what was signed is kept as it was."""

from datetime import timedelta

import pytest

from tests.server.house import House, Json

SHEET = "/watchbell/v1/duties/handover/2026-01-12"


def mark(house: House, *marks: Json, person: str, status: int = 200) -> Json:
    answer = house.call("POST", f"{SHEET}/marks", {"marks": list(marks)}, person=person)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def text(house: House, signed_by: str = "") -> str:
    answer = house.call("GET", f"{SHEET}/sheet.md", params={"signed_by": signed_by} if signed_by else {})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    return answer.text


def test_a_weekly_handover(house: House) -> None:
    hostile = "# Down <script>\n- [x] ![i](http://evil.example.com/i.png)"
    house.enqueue(key="old", summary=hostile)
    house.tick(timedelta(minutes=15))  # Ana was paged twice by now, Ben once
    times = {"start": "2026-01-14T18:00:00Z", "end": "2026-01-15T18:00:00Z"}
    override = {**times, "user": {"id": "ana", "type": "user_reference"}, "reason": "dentist"}
    made = house.call("POST", "/schedules/primary/overrides", {"override": override}, person="cho")
    assert made.status_code == 201
    house.clock.forward(timedelta(days=4, hours=6))
    sheet = text(house)
    assert "- Outgoing: Ana Ruiz\n- Incoming: Ben Okafor\n- Manager: Cho Lee\n" in sheet
    assert "  - SEV-0: ＃ Down \\<script\\> \\- \\[x\\]" in sheet
    assert "<script>" not in sheet
    assert "  - Pages in the last shift: 2\n" in sheet
    assert "  - Primary: Ana Ruiz, 2026-01-14 10:00 to 2026-01-15 10:00 \\(override\\)\n" in sheet
    assert "  - Access check: not made\n" in sheet
    checks = [{"name": "Grafana", "result": "passed"}, {"name": "[VPN](x)", "result": "unknown"}]
    mark(house, {"type": "access", "checks": checks}, {"type": "note", "text": "Disk *full*"}, person="ben")
    mark(house, {"type": "tick", "point": 1}, {"type": "tick", "point": 3}, person="cho")
    mark(house, {"type": "done"}, person="ana")
    signed = text(house, "ana")
    assert "- [x] Review current system status" in signed
    assert "  - Access to Grafana: passed\n  - Access to \\[VPN\\]\\(x\\): could not be checked\n" in signed
    assert "  - Disk \\*full\\*\n" in signed
    assert signed.endswith("- Ana Ruiz: signed\n- Ben Okafor: not signed\n")
    assert house.call("GET", f"{SHEET}/sheet.md", params={"signed_by": "ben"}).status_code == 404
    # What happens after it was signed is in the next signature, not in this one.
    house.enqueue(key="new", summary="another")
    house.clock.forward(timedelta(minutes=5))
    assert mark(house, {"type": "done"}, person="ben")["duty"]["state"] == "done"
    assert text(house, "ana") == signed
    final = text(house)
    assert "SEV-0: another" in final
    assert final.endswith("- Ana Ruiz: signed\n- Ben Okafor: signed\n")
    house.enqueue(key="newest", summary="yet another")
    assert text(house) == text(house, "ben") == final
    shown = house.get(f"{SHEET}/sheet")["sheet"]
    assert [each["text"] for each in shown["signatures"]] == [signed, final]
    assert (shown["state"], shown["known"]["pages_last_shift"]) == ("done", 4)
    assert [part["result"] for part in shown["known"]["access"]] == ["passed", "unknown"]
    assert [each["why"] for each in shown["known"]["overrides"]] == ["override", "cover"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_signs(house: House) -> None:
    house.clock.forward(timedelta(days=5))
    refused = mark(house, {"type": "done"}, person="cho", status=400)
    assert "signed by the outgoing and the incoming engineer" in refused["error"]["errors"][0]
    mark(house, {"type": "done"}, person="ana")
    refused = mark(house, {"type": "reopen"}, person="cho", status=400)
    assert "cannot be reopened" in refused["error"]["errors"][0]
    assert mark(house, {"type": "waive", "reason": "Ben is ill"}, person="cho")["duty"]["state"] == "waived"
    wrong: tuple[object, ...] = (
        "x",
        [1],
        [{"name": "", "result": "passed"}],
        [{"name": "x", "result": "fine"}],
        [{}] * 51,
    )
    for checks in wrong:
        mark(house, {"type": "access", "checks": checks}, person="ana", status=400)
    assert house.call("GET", "/watchbell/v1/duties/training/ana/sheet").status_code == 400


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_more_incidents_are_open_than_a_sheet_holds(house: House) -> None:
    for number in range(53):
        house.enqueue(key=str(number), severity="info")
    house.clock.forward(timedelta(days=5))
    assert "  - 3 more incidents are open than are listed here\\." in text(house)
