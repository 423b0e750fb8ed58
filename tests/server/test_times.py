"""Times that are sent: whoever means nine o'clock says whose nine."""

import pytest

from tests.server.house import House, Json

NAIVE, ZONED = "2026-02-14T09:00:00", "2026-02-14T09:00:00-08:00"
RIGHT = "says no offset from UTC: write it as 2026-01-14T09:00:00-08:00, or in UTC as 2026-01-14T17:00:00Z"
UNTIL = "2026-02-14T19:00:00-08:00"
SERVICE = {"id": "payments", "type": "service_reference"}


def override(start: str) -> tuple[str, Json]:
    return "/schedules/primary/overrides", {"override": {"start": start, "end": UNTIL, "user": {"id": "ben"}}}


def absence(start: str) -> tuple[str, Json]:
    return "/watchbell/v1/absences", {"absence": {"start": start, "end": UNTIL}}


def window(start: str) -> tuple[str, Json]:
    part = {"type": "maintenance_window", "start_time": start, "end_time": UNTIL, "services": [SERVICE]}
    return "/maintenance_windows", {"maintenance_window": part}


@pytest.mark.parametrize("shared_database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("asked", "name"), [(override, "start"), (absence, "start"), (window, "start_time")])
def test_a_local_time_is_refused_and_the_right_form_is_shown(shared: House, asked: object, name: str) -> None:
    assert callable(asked)
    for wrong in (NAIVE, "2026-02-14", "2026-02-14 09:00"):
        path, body = asked(wrong)
        answer = shared.call("POST", path, body, person="cho")
        assert (answer.status_code, answer.json()["error"]["errors"]) == (400, [f"{name} {RIGHT}"])
    path, body = asked(ZONED)
    answer = shared.call("POST", path, body, person="cho")
    assert answer.status_code == 201, answer.text
    assert f'"{name}":"2026-02-14T17:00:00Z"' in answer.text
    shared.get("/watchbell/v1/absences", since=NAIVE)


@pytest.mark.parametrize("shared_database", ["sqlite"], indirect=True)
def test_the_openapi_document_says_so(shared: House) -> None:
    document = shared.call("GET", "/watchbell/v1/openapi.json").json()
    body = document["paths"]["/watchbell/v1/absences"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    start = body["properties"]["absence"]["properties"]["start"]
    assert (start["format"], "without one is refused" in start["description"]) == ("date-time", True)
