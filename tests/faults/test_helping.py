"""Somebody who has an incident asks this person to help: on an account that speaks as PagerDuty does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.domain.attention import Command, ConnectionState, Sound, Tray, attention
from desktop.system.clock import utc_now
from tests.faults.backend.account import user
from tests.faults.backend.server import FaultyServer
from tests.faults.backend.watching import live, watched


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    server = FaultyServer()
    server.account.ours = False
    yield server
    server.stop()


def bens(server: FaultyServer, state: str) -> str:
    """Open an incident that Ben has, and of which the request to Ana is in ``state``."""
    incident = server.account.trigger(to="ben")
    server.account.acknowledge(incident, "ben")
    asked = {"state": state, "user": user("ana"), "requester": user("ben"), "message": "the replicas?"}
    server.account.incidents[incident]["incidents_responders"] = [asked]
    return incident


def test_it_pages_until_it_is_answered_and_a_click_that_is_no_answer_is_said_to_be_none(
    server: FaultyServer, tmp_path: Path
) -> None:
    asked, _declined = bens(server, "pending"), bens(server, "declined")
    with watched(server, tmp_path) as seen:
        shown = attention((seen.until(live),), utc_now())
        assert ([p.incident.id for p in shown.pages], shown.sound) == ([asked], Sound.SIREN)
        seen.live.submit(asked, Command.ACKNOWLEDGE)
        refused = seen.until(lambda state: asked in state.failed)
        assert "answer the request to help" in refused.failed[asked]
        assert attention((refused,), utc_now()).tray is Tray.RINGING
        server.account.incidents[asked]["incidents_responders"][0]["state"] = "joined"
        seen.until(calm)


def calm(state: ConnectionState) -> bool:
    return attention((state,), utc_now()).tray is Tray.CALM
