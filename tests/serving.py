"""The real server as a process of its own, on a port and a database of its own. Main thread."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from desktop.server import tokens
from tests.desktop.processes import Process, await_line, running

PROJECT = Path(__file__).parents[1]
READY = re.compile(r"^listening on (http://\S+)$")

TEAM = """
time_zone = "America/Los_Angeles"

[[people]]
id = "ana"
name = "Ana Ruiz"
email = "ana@example.com"
access = "admin"

[[people]]
id = "ben"
name = "Ben Okafor"
email = "ben@example.com"

[rotation.primary]
members = ["ana"]
start = 2026-01-05T09:00:00
every = "1 week"

[rotation.secondary]
members = ["ben"]
start = 2026-01-05T09:00:00
every = "1 week"

[[services]]
id = "payments"
name = "Payments"
"""


@dataclass
class Serving:
    """A running server; ``url`` has no slash at its end."""

    url: str
    database: str
    process: Process

    def token(self, person: str = "ana") -> str:
        """Return a new API token."""
        return tokens.create(self.database, person=person, service=None)

    def key(self, service: str = "payments") -> str:
        """Return a new integration key."""
        return tokens.create(self.database, person=None, service=service)

    def enqueue(self, key: str, summary: str, *, severity: str = "critical", dedup: str | None = None) -> str:
        """Send a trigger event and return its dedup key."""
        payload = {"summary": summary, "source": "tests", "severity": severity}
        event = {"routing_key": key, "event_action": "trigger", "payload": payload}
        if dedup is not None:
            event["dedup_key"] = dedup
        answer = requests.post(f"{self.url}/v2/enqueue", json=event, timeout=10)
        answer.raise_for_status()
        return str(answer.json()["dedup_key"])

    def kill(self) -> None:
        """End it as a power cut does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.popen.wait()


@contextmanager
def serving(folder: Path, team: str = TEAM, port: int = 0) -> Iterator[Serving]:
    """Run the server on the database in ``folder`` (made where there is none), until the block ends."""
    file = folder / "team.toml"
    file.write_text(team, "utf-8")
    database = f"sqlite:///{folder / 'watchbell.db'}"
    command = (
        *(sys.executable, "main.py", "serve", "--port", str(port)),
        *("--team", str(file), "--database", database),
    )
    with running(*command, environment=os.environ, log=folder / "server.log", folder=PROJECT) as process:
        ready = await_line(process, READY, 20)
        yield Serving(ready[1], database, process)
