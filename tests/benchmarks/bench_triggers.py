"""Measures the built-in server: accepted triggers a second, and how late escalations are meanwhile.

Run: python -m tests.benchmarks.bench_triggers [--clients 32] [--triggers 6000] [--postgresql [--servers 2]]. The
clients (and PostgreSQL) share the machine's cores with the server; figures are printed, never judged.
"""

import argparse
import http.client
import itertools
import json
import os
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import create_engine, text

from tests.postgresql import cluster
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
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL of its own, with fsync")
    parser.add_argument("--servers", type=int, default=1, help="how many share the clients (PostgreSQL only)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _database(Path(folder), postgresql=options.postgresql) as database:
        team = Path(folder) / "team.toml"
        team.write_text(_team(escalating=options.escalating))
        with ExitStack() as stack:
            servers = [
                stack.enter_context(serve({"BENCH_KEY": KEY}, team=team, database=database, ingest_limit=10**9))
                for _ in range(options.servers)
            ]
            urls = itertools.cycle([server.ready() for server in servers])
            took = _all_at_once(options.clients, lambda: _client(next(urls), options.triggers // options.clients))
            if options.escalating:
                _await_escalations(database)
            for server in servers:
                server.end(signal.SIGTERM, 60)
        _print(took, options)
        if options.escalating:
            _print_lateness(database)


@contextmanager
def _database(folder: Path, *, postgresql: bool) -> Iterator[str]:
    if not postgresql:
        yield f"sqlite:///{folder / 'w.db'}"
        return
    with cluster(safe=True) as own:
        yield own.empty()


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


def _rows(database: str, query: str) -> Sequence[Any]:
    engine = create_engine(database)
    with engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    engine.dispose()
    return rows


def _await_escalations(database: str) -> None:
    query = "SELECT (SELECT COUNT(*) FROM incidents) - (SELECT COUNT(*) FROM log_entries WHERE type = 'escalate')"
    while _rows(database, query)[0][0]:
        time.sleep(0.2)


def _print(took: tuple[float, list[float]], options: argparse.Namespace) -> None:
    seconds, each = took
    percentiles = statistics.quantiles(each, n=100)
    where = f"PostgreSQL, {options.servers} server(s)" if options.postgresql else "SQLite"
    rate = f"{len(each) / seconds:.0f}/s"
    times = f"p50 {percentiles[49] * 1000:.0f} ms, p99 {percentiles[98] * 1000:.0f} ms"
    print(f"{where}, {os.cpu_count()} cores, {options.clients} clients: {len(each)} triggers, {rate}, {times}")


def _print_lateness(database: str) -> None:
    query = """SELECT (e.at - i.created_at) / 1e6 - 2 FROM incidents i
               JOIN log_entries e ON e.incident_id = i.id AND e.type = 'escalate'"""
    late = [float(row[0]) for row in _rows(database, query)]
    percentiles = statistics.quantiles(late, n=100)
    print(f"{len(late)} escalations: late by p50 {percentiles[49] * 1000:.0f} ms, "
          f"p99 {percentiles[98] * 1000:.0f} ms, at most {max(late) * 1000:.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
