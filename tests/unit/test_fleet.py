"""What the application does about its connections as a whole."""

import time
from pathlib import Path

import pytest

from desktop.app.fleet import Fleet
from desktop.domain.attention import Contact
from desktop.system import settings as settings_file
from desktop.system.paths import paths_under
from desktop.system.secrets import Secrets
from desktop.system.session_secrets import SessionSecrets
from desktop.system.settings import ConnectionSettings, Settings


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
    fleet = Fleet(paths_under(tmp_path), SessionSecrets(), lambda _: None, lambda *_: None, demo=True)
    server = HungServer()
    monkeypatch.setattr(fleet._own, "_server", server)
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


def test_the_environments_connection_comes_first_with_its_token(tmp_path: Path) -> None:
    paths, secrets = paths_under(tmp_path), SessionSecrets()
    kept = (
        ConnectionSettings("one", "One", "https://one.example"),
        ConnectionSettings("two", "Two", "https://two.example"),
    )
    settings_file.save(paths.settings, Settings(kept))
    environment = {"WATCHBELL_URL": "https://two.example", "WATCHBELL_TOKEN": "wb_env"}
    fleet = Fleet(paths, secrets, lambda _: None, lambda *_: None, demo=False, environment=environment)
    assert [s.id for s in fleet.states] == ["two", "one"]
    assert secrets.get("two") == "wb_env"
    assert Secrets().get("two") is None
