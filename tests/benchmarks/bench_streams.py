"""Measures the stream: how long a change takes to reach every client, and what a stream costs in memory.

Run: python -m tests.benchmarks.bench_streams [--streams 2000] [--triggers 60] [--rate 2] [--postgresql]. One process
holds all streams, on the same cores as the server: what it takes to read them is in the figures. Measured from before
a trigger is sent until its event was read.
"""

import argparse
import asyncio
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import urlsplit

from desktop.server import tokens
from tests.benchmarks import loads
from tests.server.serving import serve

# As many requests as are taken of one token within a minute, with room to spare.
_PER_TOKEN = 500


@dataclass
class Reader:
    """What all streams saw: when each dedup key was first read by each of them."""

    seen: dict[str, list[float]] = field(default_factory=dict)
    snapshots: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, event: bytes, streams: int) -> None:
        """Take one event of one stream."""
        if event.startswith(b"event: snapshot"):
            self.snapshots += 1
            if self.snapshots == streams:
                self.ready.set()
        elif b'"incident_key": "b-' in event or b'"incident_key":"b-' in event:
            key = event.partition(b'"incident_key"')[2].split(b'"')[1].decode()
            times = self.seen.setdefault(key, [])
            times.append(time.perf_counter())
            if len(times) == streams:
                self.arrived.set()


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=2_000)
    parser.add_argument("--triggers", type=int, default=60)
    parser.add_argument("--rate", type=float, default=2.0, help="triggers a second")
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL of its own, with fsync")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        loads.database(Path(folder), postgresql=options.postgresql) as database,
    ):
        team = Path(folder) / "team.toml"
        team.write_text(loads.team(escalating=False))
        with serve(loads.ENVIRONMENT, team=team, database=database, ingest_limit=10**9) as server:
            url = server.ready()
            keys = [tokens.create(database, person="ana") for _ in range(options.streams // _PER_TOKEN + 1)]
            took, kib = asyncio.run(_measure(url, keys, options, server.popen.pid))
            server.end(signal.SIGTERM, 60)
    percentiles = statistics.quantiles(took, n=100)
    where = "PostgreSQL" if options.postgresql else "SQLite"
    print(f"{where}, {os.cpu_count()} cores, {options.streams} streams, {options.triggers} triggers: event read after "
          f"p50 {percentiles[49] * 1000:.0f} ms, p99 {percentiles[98] * 1000:.0f} ms, at most {max(took) * 1000:.0f} "
          f"ms; {kib / options.streams:.1f} KiB a stream")  # fmt: skip


async def _measure(url: str, keys: Sequence[str], options: argparse.Namespace, pid: int) -> tuple[list[float], int]:
    reader = Reader()
    before = loads.resident_kib(pid)
    tasks = [asyncio.create_task(_stream(url, key, reader, options.streams))
             for key in islice(cycle(keys), options.streams)]  # fmt: skip
    await asyncio.wait_for(reader.ready.wait(), 120)
    kib = loads.resident_kib(pid) - before
    took: list[float] = []
    with closing(loads.Sender(url)) as sender:
        for _ in range(options.triggers):
            reader.arrived.clear()
            known = set(reader.seen)
            began = time.perf_counter()
            await asyncio.to_thread(sender.send)
            await asyncio.wait_for(reader.arrived.wait(), 30)
            (key,) = set(reader.seen) - known
            took += [at - began for at in reader.seen[key]]
            await asyncio.sleep(max(0.0, 1 / options.rate - (time.perf_counter() - began)))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return took, kib


async def _stream(url: str, key: str, reader: Reader, streams: int) -> None:
    address = urlsplit(url)
    incoming, outgoing = await asyncio.open_connection(address.hostname, address.port)
    head = f"GET /watchbell/v1/stream HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Token token={key}\r\n\r\n"
    outgoing.write(head.encode())
    rest = b""
    try:
        while chunk := await incoming.read(65_536):
            *events, rest = (rest + chunk).split(b"\n\n")
            for event in events:
                # The first line of a chunked answer's piece is its length.
                reader.take(event[max(event.find(b"event: "), 0) :], streams)
    finally:
        outgoing.close()


if __name__ == "__main__":
    main()
