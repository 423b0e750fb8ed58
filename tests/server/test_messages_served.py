"""Messages as the ``serve`` process sends them: with its option, from its environment, and nothing of it in its log."""

import signal
import threading
from pathlib import Path

import pytest
import requests

from desktop.cli.parser import parse
from desktop.server import tokens
from tests.fakes.http import Answer, ScriptedServer
from tests.server.paging import team
from tests.server.serving import serve

SECRET = "S3cr3tT0ken0123456789"


def test_the_option() -> None:
    assert parse(["serve"]).allow_private_channels is False
    assert parse(["serve", "--allow-private-channels"]).allow_private_channels is True


@pytest.mark.parametrize("allowed", [True, False])
def test_a_page_leaves_the_process(tmp_path: Path, allowed: bool) -> None:
    arrived = threading.Event()
    with ScriptedServer() as web:

        def answer(_: object) -> Answer:
            arrived.set()
            return Answer()

        web.answer = answer
        file = tmp_path / "team.toml"
        always = team(web.url).replace("2026-01-05", "2020-01-06").replace('["ana", "ben"]', '["cho"]')
        file.write_text(always)
        environment = {"WB_TEST_CHO": f"{web.url.replace('http', 'json')}/{SECRET}"}
        database = f"sqlite:///{tmp_path / 'watchbell.db'}"
        options = {"team": file, "database": database, "verbose": True, "allow_private_channels": allowed}
        with serve(environment, **options) as running:
            url = running.ready()
            key = tokens.create(database, service="payments")
            payload = {"summary": "db down", "source": "db1", "severity": "critical"}
            event = {"routing_key": key, "event_action": "trigger", "payload": payload}
            with requests.Session() as session:
                session.trust_env = False
                assert session.post(f"{url}/v2/enqueue", json=event, timeout=10).status_code == 202
            if allowed:
                assert arrived.wait(15)
            else:
                running.await_log("message failed")
            code, log = running.end(signal.SIGTERM)
        assert code == 0
        assert [asked.path for asked in web.asked] == ([f"/{SECRET}"] if allowed else [])
        assert SECRET not in log
        assert ("--allow-private-channels" in log) is not allowed
