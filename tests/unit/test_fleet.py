"""What the application does about its connections as a whole."""

import time
from pathlib import Path

import pytest

from desktop.app.fleet import Fleet
from desktop.domain.attention import Contact
from desktop.system.paths import paths_under
from desktop.system.secrets import Secrets


class HungServer:
    """An embedded server that runs and does not answer."""

    url: str | None = "http://127.0.0.1:1"

    def __init__(self) -> None:
        self.killed = 0

    def kill(self) -> None:
        self.killed += 1


def test_a_server_that_runs_and_stays_silent_is_replaced_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    fleet = Fleet(paths_under(tmp_path), Secrets(), lambda _: None, lambda *_: None, demo=True)
    server = HungServer()
    monkeypatch.setattr(fleet, "_server", server)
    assert fleet.states[0].contact is Contact.CONNECTING
    for passed in (0, 20, 20):
        seconds[0] += passed
        fleet.replace_hung_server()
    assert server.killed == 0
    seconds[0] += 10
    fleet.replace_hung_server()
    assert server.killed == 1
    # The next one gets as long; one that is not there at all is somebody else's business.
    server.url = None
    for _ in range(3):
        seconds[0] += 100
        fleet.replace_hung_server()
    assert server.killed == 1
