"""PagerDuty's own clients from PyPI work with a real ``serve`` process, told nothing but another address."""

import ssl
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pagerduty import EventsApiV2Client, HttpError, RestApiV2Client

from desktop.server import tokens
from tests.server.certificates import Authority
from tests.server.house import TEAM
from tests.server.serving import serve

with warnings.catch_warnings():
    # It says that "pagerduty" is its successor, which speaks https only; it is still what many have.
    warnings.simplefilter("ignore", UserWarning)
    from pdpyras import APISession, EventsAPISession, PDClientError  # type: ignore[import-untyped]


class Place:
    """A running server, and a client's session and events of it."""

    def __init__(self, url: str, database: str) -> None:
        self.database = database
        self.session = APISession(tokens.create(database, person="ana"), default_from="ben@example.com")
        self.events = EventsAPISession(tokens.create(database, service="payments"))
        for client in (self.session, self.events):
            client.url = url
            client.trust_env = False
            client.max_network_attempts = 1


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("sdk")
    team = folder / "team.toml"
    team.write_text(TEAM, "utf-8")
    database = f"sqlite:///{folder / 'watchbell.db'}"
    with serve(database=database, team=team, port=0) as server:
        found = Place(server.ready(), database)
        yield found
        found.session.close()
        found.events.close()


def test_an_incident_from_its_event_to_its_end(place: Place) -> None:
    key = place.events.trigger("db down", "db1", severity="critical")
    incident = place.session.find("incidents", key, attribute="incident_key", params={"date_range": "all"})
    assert incident["title"] == "db down"
    # A client follows the address that stands in what it was given.
    taken = place.session.rput(incident, json={"type": "incident_reference", "status": "acknowledged"})
    assert [a["acknowledger"]["id"] for a in taken["acknowledgements"]] == ["ana"]
    note = place.session.rpost(f"{incident['self']}/notes", json={"content": "looking"})
    assert (note["content"], note["user"]["id"]) == ("looking", "ana")
    assert [n["id"] for n in place.session.rget(f"/incidents/{incident['id']}/notes")] == [note["id"]]
    snoozed = place.session.rpost(f"/incidents/{incident['id']}/snooze", json={"duration": 3600})
    assert snoozed["pending_actions"][0]["type"] == "unacknowledge"
    kinds = [e["type"] for e in place.session.iter_all(f"/incidents/{incident['id']}/log_entries", page_size=2)]
    assert kinds[0] == "snooze_log_entry"
    assert kinds[-1] == "trigger_log_entry"
    place.events.resolve(key)
    assert place.session.rget(incident["self"])["status"] == "resolved"


def test_opening_and_listing_in_pages(place: Place) -> None:
    service = place.session.find("services", "Payments")
    reference = {"id": service["id"], "type": "service_reference"}
    openings = [{"type": "incident", "title": f"disk {n}", "service": reference} for n in range(5)]
    made = [place.session.rpost("incidents", json=opening)["id"] for opening in openings]
    listed = place.session.iter_all("incidents", params={"statuses": ["triggered"]}, page_size=2)
    assert {incident["id"] for incident in listed} >= set(made)
    changed = place.session.rput(
        "incidents", json=[{"id": name, "type": "incident_reference", "status": "resolved"} for name in made]
    )
    assert {incident["status"] for incident in changed} == {"resolved"}


def test_who_is_on_call_and_an_override(place: Place) -> None:
    assert place.session.rget("users/me")["id"] == "ana"
    primary = place.session.list_all("oncalls", params={"schedule_ids": ["primary"], "earliest": True})
    assert {entry["user"]["id"] for entry in primary} <= {"ana", "ben"}
    assert primary
    start = datetime.now(UTC) + timedelta(days=400)
    times = {"since": start.isoformat(), "until": (start + timedelta(days=14)).isoformat()}
    rendered = place.session.rget("schedules/primary", params=times)["final_schedule"]["rendered_schedule_entries"]
    assert {entry["user"]["id"] for entry in rendered} == {"ana", "ben"}
    assert [p["id"] for p in place.session.iter_all("escalation_policies")] == ["sev0", "sev1", "sev2", "sev3"]


def test_a_maintenance_window_from_its_beginning_to_its_end(place: Place) -> None:
    manager = APISession(tokens.create(place.database, person="cho"), default_from="cho@example.com")
    manager.url, manager.trust_env = place.session.url, False
    now = datetime.now(UTC)
    times = {"start_time": now.isoformat(), "end_time": (now + timedelta(hours=1)).isoformat()}
    services = [{"id": "batch", "type": "service_reference"}]
    part = {"type": "maintenance_window", **times, "services": services, "description": "move"}
    made = manager.rpost("maintenance_windows", json=part)
    later = (now + timedelta(hours=2)).isoformat()
    assert manager.rput(made, json={**part, "end_time": later})["services"][0]["id"] == "batch"
    assert [w["id"] for w in manager.iter_all("maintenance_windows", params={"filter": "ongoing"})] == [made["id"]]
    manager.rdelete(made)
    assert manager.list_all("maintenance_windows", params={"filter": "ongoing"}) == []
    manager.close()


def test_a_refusal_is_one_that_the_client_understands(place: Place) -> None:
    with pytest.raises(PDClientError) as refused:
        place.session.rput("escalation_policies/sev0", json={"name": "mine"})
    assert refused.value.response is not None
    assert refused.value.response.status_code == 403
    assert "team file" in refused.value.response.text


class Secured:
    """A running server with TLS, and the present client's ways in; it takes nothing but https."""

    def __init__(self, url: str, database: str, authority: Path) -> None:
        token, key = tokens.create(database, person="ana"), tokens.create(database, service="payments")
        trusted: dict[str, Any] = {"verify": ssl.create_default_context(cafile=str(authority)), "trust_env": False}
        self.api = RestApiV2Client(token, default_from="ben@example.com", base_url=url, **trusted)
        self.events = EventsApiV2Client(key, base_url=url, **trusted)
        self.stranger = RestApiV2Client("wb_" + "x" * 43, base_url=url, **trusted)
        self.clients = (self.api, self.events, self.stranger)
        for client in self.clients:
            client.max_network_attempts = 1


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    team = folder / "team.toml"
    team.write_text(TEAM, "utf-8")
    database = f"sqlite:///{folder / 'watchbell.db'}"
    authority = Authority(folder)
    certificate, key = authority.issue()
    with serve(None, database=database, team=team, port=0, tls_cert=certificate, tls_key=key) as server:
        found = Secured(server.ready(), database, authority.file)
        yield found
        for client in found.clients:
            client.close()


def test_over_tls_an_incident_from_its_event_to_its_end(secured: Secured) -> None:
    key = secured.events.trigger("db down", "db1", severity="critical")
    incident = secured.api.find("incidents", key, attribute="incident_key", params={"date_range": "all"})
    assert incident is not None
    taken = secured.api.rput(incident, json={"type": "incident_reference", "status": "acknowledged"})
    assert [a["acknowledger"]["id"] for a in taken["acknowledgements"]] == ["ana"]
    note = secured.api.rpost(f"{incident['self']}/notes", json={"content": "looking"})
    assert [n["id"] for n in secured.api.rget(f"/incidents/{incident['id']}/notes")] == [note["id"]]
    secured.events.resolve(key)
    assert secured.api.rget(incident["self"])["status"] == "resolved"


def test_over_tls_opening_listing_and_who_is_on_call(secured: Secured) -> None:
    opening = {"type": "incident", "title": "disk", "service": {"id": "payments", "type": "service_reference"}}
    made = {secured.api.rpost("incidents", json=opening)["id"] for _ in range(3)}
    listed = secured.api.iter_all("incidents", params={"statuses": ["triggered"]}, page_size=2)
    assert {incident["id"] for incident in listed} >= made
    on_call = secured.api.list_all("oncalls", params={"schedule_ids": ["primary"], "earliest": True})
    assert {entry["user"]["id"] for entry in on_call} <= {"ana", "ben"}
    assert on_call


def test_over_tls_a_token_that_is_none_is_refused(secured: Secured) -> None:
    with pytest.raises(HttpError) as refused:
        secured.stranger.rget("users/me")
    assert refused.value.response is not None
    assert refused.value.response.status_code == 401
