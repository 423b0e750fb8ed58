"""Measures the built-in server on SQLite: accepted triggers a second, and how late escalations are meanwhile.

Run: python -m tests.benchmarks.bench_triggers [--clients 32] [--triggers 6000]. The clients share the machine's cores
with the server; figures are printed, never judged.
"""

import argparse
import http.client
import json
import os
import signal
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tests.server.house import TEAM
from tests.server.serving import serve

KEY = "0123456789abcdef0123456789abcdef"
QUICK = """
[[escalation.steps]]
after = "0s"
roles = ["primary"]
[[escalation.steps]]
after = "2s"
roles = ["secondary"]
"""


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--triggers", type=int, default=6000)
    parser.add_argument("--escalating", action="store_true", help="escalate each one after 2 s, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        team, database = Path(folder) / "team.toml", Path(folder) / "w.db"
        team.write_text(_team(escalating=options.escalating))
        with serve({"BENCH_KEY": KEY}, team=team, database=str(database)) as server:
            url = server.ready()
            took = _all_at_once(options.clients, lambda: _client(url, options.triggers // options.clients))
            if options.escalating:
                _await_escalations(database)
            server.end(signal.SIGTERM, 60)
        _print(took, options.clients)
        if options.escalating:
            _print_lateness(database)


def _team(*, escalating: bool) -> str:
    text = TEAM.replace('id = "payments"', 'id = "payments"\nintegration_key = "env:BENCH_KEY"')
    text = (
        text.replace('["ana", "ben"]', '["ana"]')
        .replace('["ben", "ana"]', '["ben"]')
        .replace("2026-01-05", "2020-01-06")
    )
    return text + (QUICK if escalating else "")


def _client(url: str, count: int) -> list[float]:
    """Send ``count`` triggers, one after the other, and return how long each took, in seconds."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port)
    payload = {"summary": "disk almost full on db-17", "source": "db-17", "severity": "critical",
               "custom_details": {"firing": "x" * 300}}  # fmt: skip
    took = []
    for n in range(count):
        body = {"routing_key": KEY, "event_action": "trigger", "payload": payload,
                "dedup_key": f"{threading.get_ident()}-{os.getpid()}-{n}"}  # fmt: skip
        began = time.perf_counter()
        connection.request("POST", "/v2/enqueue", json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 202, answer.status
        took.append(time.perf_counter() - began)
    connection.close()
    return took


def _all_at_once(clients: int, client: Callable[[], list[float]]) -> tuple[float, list[float]]:
    found: list[float] = []
    threads = [threading.Thread(target=lambda: found.extend(client())) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, found


def _await_escalations(database: Path) -> None:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    query = "SELECT (SELECT COUNT(*) FROM incidents) - (SELECT COUNT(*) FROM log_entries WHERE type = 'escalate')"
    while connection.execute(query).fetchone()[0]:
        time.sleep(0.2)
    connection.close()


def _print(took: tuple[float, list[float]], clients: int) -> None:
    seconds, each = took
    percentiles = statistics.quantiles(each, n=100)
    print(f"{len(each)} triggers from {clients} clients in {seconds:.1f} s: {len(each) / seconds:.0f}/s, "
          f"p50 {percentiles[49] * 1000:.0f} ms, p99 {percentiles[98] * 1000:.0f} ms")  # fmt: skip


def _print_lateness(database: Path) -> None:
    connection = sqlite3.connect(database)
    query = """SELECT (e.at - i.created_at) / 1e6 - 2 FROM incidents i
               JOIN log_entries e ON e.incident_id = i.id AND e.type = 'escalate'"""
    late = [row[0] for row in connection.execute(query)]
    connection.close()
    percentiles = statistics.quantiles(late, n=100)
    print(f"{len(late)} escalations: late by p50 {percentiles[49] * 1000:.0f} ms, "
          f"p99 {percentiles[98] * 1000:.0f} ms, at most {max(late) * 1000:.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
