"""Measures the built-in server: accepted triggers a second, and how late escalations are meanwhile.

Run: python -m tests.benchmarks.bench_triggers [--clients 32] [--triggers 6000] [--postgresql [--servers 2]]. The
clients (and PostgreSQL) share the machine's cores with the server; figures are printed, never judged. The processor's
time for each trigger says what the server costs, however busy the machine is.
"""

import argparse
import itertools
import os
import signal
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from tests.benchmarks import loads
from tests.server.serving import Serve, serve


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--triggers", type=int, default=6000)
    parser.add_argument("--escalating", action="store_true", help="escalate each one after 2 s, too")
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL of its own, with fsync")
    parser.add_argument("--servers", type=int, default=1, help="how many share the clients (PostgreSQL only)")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        loads.database(Path(folder), postgresql=options.postgresql) as database,
    ):
        team = Path(folder) / "team.toml"
        team.write_text(loads.team(escalating=options.escalating))
        with ExitStack() as stack:
            servers = [
                stack.enter_context(serve(loads.ENVIRONMENT, team=team, database=database, ingest_limit=10**9))
                for _ in range(options.servers)
            ]
            urls = itertools.cycle([server.ready() for server in servers])
            before = _processor(servers)
            took = loads.all_at_once(options.clients, lambda: _client(next(urls), options.triggers // options.clients))
            used = _processor(servers) - before
            if options.escalating:
                loads.await_escalations(database)
            for server in servers:
                server.end(signal.SIGTERM, 60)
        _print(took, used, options)
        if options.escalating:
            _print_lateness(loads.lateness(database))


def _processor(servers: Sequence[Serve]) -> float:
    return sum(loads.processor_seconds(server.popen.pid) for server in servers)


def _client(url: str, count: int) -> list[float]:
    with closing(loads.Sender(url, body=loads.repeating)) as sender:
        return [sender.send() for _ in range(count)]


def _print(took: tuple[float, list[float]], used: float, options: argparse.Namespace) -> None:
    seconds, each = took
    percentiles = statistics.quantiles(each, n=100)
    where = f"PostgreSQL, {options.servers} server(s)" if options.postgresql else "SQLite"
    rate = f"{len(each) / seconds:.0f}/s"
    times = f"p50 {percentiles[49] * 1000:.0f} ms, p99 {percentiles[98] * 1000:.0f} ms"
    cost = f"{used / len(each) * 1000:.2f} ms of a processor each"
    print(
        f"{where}, {os.cpu_count()} cores, {options.clients} clients: "
        f"{len(each)} triggers, one in {loads.EVERY} a repeat of an open one, {rate}, {times}, {cost}"
    )


def _print_lateness(late: Sequence[float]) -> None:
    percentiles = statistics.quantiles(late, n=100)
    print(f"{len(late)} escalations: late by p50 {percentiles[49] * 1000:.0f} ms, "
          f"p99 {percentiles[98] * 1000:.0f} ms, at most {max(late) * 1000:.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
