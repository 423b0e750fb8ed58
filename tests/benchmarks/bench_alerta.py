"""Measures Alerta (https://alerta.io, alerta-server on PostgreSQL) and Watchbell taking the same alerts, in one run.

Run: python -m tests.benchmarks.bench_alerta [--clients 32] [--triggers 3000] [--programs FOLDER]. Alerta is installed
from PyPI into an environment of its own (``--programs``: one that has it and gunicorn already). Each server has two
processes on a PostgreSQL of its own, with fsync, on the same cores as the clients; Alerta's plugins and authentication
are off, which is its default. What an alert means differs: Alerta stores and correlates it, Watchbell also works out
who is on call and pages them.
"""

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.benchmarks import loads
from tests.postgresql import cluster
from tests.server.serving import serve

PROCESSES = 2
_PACKAGES = ("alerta-server[postgres]", "gunicorn")


def main() -> None:
    """Run both and print their figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--triggers", type=int, default=3_000)
    parser.add_argument("--programs", type=Path, help="the bin folder of an environment with Alerta and gunicorn")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        programs = options.programs or _installed(Path(folder) / "alerta")
        for name, run in (("Watchbell", _watchbell(Path(folder))), ("Alerta", _alerta(programs, Path(folder)))):
            with run as (urls, pids, path, body):
                _compare(name, urls, pids, path, body, options)


def _compare(
    name: str, urls: Sequence[str], pids: Sequence[int], path: str, body: Any, options: argparse.Namespace
) -> None:  # fmt: skip
    each = cycle(urls)
    _client(urls[0], path, body, 20)
    before = sum(map(loads.processor_seconds, pids))
    seconds, took = loads.all_at_once(
        options.clients, lambda: _client(next(each), path, body, options.triggers // options.clients)
    )
    used = sum(map(loads.processor_seconds, pids)) - before
    percentiles = statistics.quantiles(took, n=100)
    times = f"p50 {percentiles[49] * 1000:.0f} ms, p99 {percentiles[98] * 1000:.0f} ms"
    cost = f"{used / len(took) * 1000:.2f} ms of a processor each"
    where = f"PostgreSQL, {PROCESSES} processes, {os.cpu_count()} cores, {options.clients} clients"
    print(f"{name}, {where}: {len(took)} alerts, {len(took) / seconds:.0f}/s, {times}, {cost}", flush=True)


def _client(url: str, path: str, body: Any, times: int) -> list[float]:
    with closing(loads.Sender(url, path, body)) as sender:
        return [sender.send() for _ in range(times)]


@contextmanager
def _watchbell(folder: Path) -> Iterator[tuple[list[str], list[int], str, Any]]:
    team = folder / "team.toml"
    team.write_text(loads.team(escalating=False))
    with cluster(safe=True) as own, ExitStack() as stack:
        place = own.empty()
        servers = [
            stack.enter_context(serve(loads.ENVIRONMENT, team=team, database=place, ingest_limit=10**9))
            for _ in range(PROCESSES)
        ]
        yield [s.ready() for s in servers], [s.popen.pid for s in servers], "/v2/enqueue", loads.event
        for server in servers:
            server.end(signal.SIGTERM, 60)


@contextmanager
def _alerta(programs: Path, folder: Path) -> Iterator[tuple[list[str], list[int], str, Any]]:
    with cluster(safe=True) as own, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        address = own.empty().replace("postgresql+psycopg://", "postgres://")
        settings = folder / "alertad.conf"
        settings.write_text(f"DATABASE_URL = {address!r}\nPLUGINS = []\n")
        environment = {**os.environ, "ALERTA_SVR_CONF_FILE": str(settings)}
        # Preloaded: two processes that make the tables at once are in each other's way.
        command = [str(programs / "gunicorn"), "--preload", "--workers", str(PROCESSES), "--worker-class", "gthread",
                   "--threads", "16", "--bind", f"127.0.0.1:{port}", "alerta:create_app()"]  # fmt: skip
        silent = subprocess.DEVNULL
        with subprocess.Popen(command, env=environment, stdout=silent, stderr=silent) as running:
            try:
                _await_port(port)
                workers = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
                pids = [running.pid, *map(int, workers)]
                yield [f"http://127.0.0.1:{port}"], pids, "/alert", _alert
            finally:
                running.terminate()


def _alert() -> dict[str, Any]:
    """Return the same alert in Alerta's words."""
    event = loads.event()
    return {
        "environment": "Production",
        "resource": event["payload"]["source"],
        "event": event["dedup_key"],
        "service": ["Payments"],
        "severity": "critical",
        "text": event["payload"]["summary"],
        "rawData": event["payload"]["custom_details"]["firing"],
    }


def _installed(place: Path) -> Path:
    venv.create(place, with_pip=True)
    subprocess.run([place / "bin" / "pip", "install", "--quiet", *_PACKAGES], check=True, stderr=sys.stderr)
    return place / "bin"


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    main()
