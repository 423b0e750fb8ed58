"""What the benchmarks of the server share: its team, its database, senders, and reading rows. Any thread."""

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import create_engine, text

from tests.postgresql import cluster
from tests.server.house import TEAM

KEY = "0123456789abcdef0123456789abcdef"
ENVIRONMENT = {"BENCH_KEY": KEY}
# Nobody answers here: the secondary must not be paged with the silent primary from the first second on.
QUICK = """
[escalation]
acting_primary = false
[[escalation.steps]]
after = "0s"
roles = ["primary"]
[[escalation.steps]]
after = "2s"
roles = ["secondary"]
"""
_PAYLOAD = {"summary": "disk almost full on db-17", "source": "db-17", "severity": "critical",
            "custom_details": {"firing": "x" * 300}}  # fmt: skip
_numbers = itertools.count()
EVERY = 5
"""Of so many triggers, one repeats a key where dedup is measured, too."""


def team(*, escalating: bool) -> str:
    """Return a team file whose service has ``KEY``; ``escalating``: from one to the other after two seconds."""
    found = (
        TEAM.replace('id = "payments"', 'id = "payments"\nintegration_key = "env:BENCH_KEY"')
        .replace('["ana", "ben"]', '["ana"]')
        .replace('["ben", "ana"]', '["ben"]')
        .replace("2026-01-05", "2020-01-06")
    )
    return found + (QUICK if escalating else "")


@contextmanager
def database(folder: Path, *, postgresql: bool) -> Iterator[str]:
    """Give the URL of an empty database: a file in ``folder``, or one on a PostgreSQL of its own, with fsync."""
    if not postgresql:
        yield f"sqlite:///{folder / 'w.db'}"
        return
    with cluster(safe=True) as own:
        yield own.empty()


def event() -> dict[str, Any]:
    """Return the body of a trigger with a dedup key of its own."""
    return _event(next(_numbers))


def repeating() -> dict[str, Any]:
    """Return the body of a trigger: every fifth has the key of one that was sent before, and that nobody resolves."""
    number = next(_numbers)
    return _event(number - EVERY if number % EVERY == 0 and number else number)


def _event(number: int) -> dict[str, Any]:
    return {"routing_key": KEY, "event_action": "trigger", "payload": _PAYLOAD, "dedup_key": f"b-{number}"}


class Sender:
    """One connection on which triggers are sent, one after the other."""

    def __init__(self, url: str, path: str = "/v2/enqueue", body: Callable[[], object] = event) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(str(address.hostname), address.port)
        self._path, self._body = path, body

    def send(self) -> float:
        """Send one and return how long its answer took, in seconds; it must be taken."""
        began = time.perf_counter()
        self._connection.request("POST", self._path, json.dumps(self._body()), {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        answer.read()
        assert answer.status in (201, 202), answer.status
        return time.perf_counter() - began

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def all_at_once(clients: int, client: Callable[[], Sequence[float]]) -> tuple[float, list[float]]:
    """Run ``client`` on as many threads; return how long all took, and what they found, in seconds."""
    found: list[float] = []
    threads = [threading.Thread(target=lambda: found.extend(client())) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, found


def rows(place: str, query: str) -> Sequence[Any]:
    """Return what ``query`` finds in the database ``place``."""
    engine = create_engine(place)
    with engine.connect() as connection:
        found = connection.execute(text(query)).all()
    engine.dispose()
    return found


def await_escalations(place: str) -> None:
    """Wait until each incident that a sender made has escalated."""
    query = """SELECT COUNT(*) FROM incidents i WHERE i.dedup_key LIKE 'b-%' AND NOT EXISTS
               (SELECT 1 FROM log_entries e WHERE e.incident_id = i.id AND e.type = 'escalate')"""
    while rows(place, query)[0][0]:
        time.sleep(0.2)


def lateness(place: str) -> list[float]:
    """Return by how many seconds the step after two seconds came too late, for each incident that a sender made."""
    query = """SELECT (e.at - i.created_at) / 1e6 - 2 FROM incidents i
               JOIN log_entries e ON e.incident_id = i.id AND e.type = 'escalate' WHERE i.dedup_key LIKE 'b-%'"""
    return [float(row[0]) for row in rows(place, query)]


def processor_seconds(pid: int) -> float:
    """Return how many seconds of a processor the process ``pid`` has used (Linux)."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / 100


def resident_kib(pid: int) -> int:
    """Return how much memory the process ``pid`` holds, in KiB (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
