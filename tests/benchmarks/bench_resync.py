"""How long it takes after a sleep until everything is known and shown again: prints figures, asserts none.

Run: python -m tests.benchmarks.bench_resync [--open 1000] [--mine 1000] [--times 5] [--ways stream,polling]. The real
application on a real desktop hears what logind says at waking up. ``--mine`` of the ``--open`` incidents page its
person; the others are somebody else's. What the backend itself needs for its answers is measured beside.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.connections.accounts import TOKEN_VARIABLE, URL_VARIABLE
from desktop.system.clock import utc_now
from tests.benchmarks import machine
from tests.desktop.processes import Process, await_line
from tests.desktop.session import Session, start_session

WAYS = ("stream", "polling")
ENOUGH = 60.0
_BACKEND = """
import sys
from tests.faults.backend import server as serving
from tests.faults.backend.account import Account
serving.HEARTBEAT = 10.0
ours, most, mine = sys.argv[1] == "stream", int(sys.argv[2]), int(sys.argv[3])
account = Account(ours=ours)
for number in range(most):
    account.trigger(f"Disk almost full on db-{number}", number % 4, to="ana" if number < mine else "ben")
server = serving.FaultyServer(account)
print(server.url, account.token, flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Woken:
    """What one waking up took, in seconds: until all was shown, at most to decide and show; the longest blocks."""

    after: float
    slot: float
    blocks: Sequence[float]


@dataclass(frozen=True)
class Backend:
    """A backend in another process."""

    url: str
    token: str


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--open", type=int, default=1_000, help="open incidents")
    parser.add_argument("--mine", type=int, default=1_000, help="of these, pages")
    parser.add_argument("--times", type=int, default=5, help="sleeps")
    parser.add_argument("--ways", default=",".join(WAYS), help="how it hears of pages")
    options = parser.parse_args()
    print(machine.described())
    with start_session() as session:
        for way in options.ways.split(","):
            with _backend(way, options) as backend:
                _measure(way, session, backend, options)
    print(f"afterwards: {machine.described()}")


@contextmanager
def _backend(way: str, options: argparse.Namespace) -> Iterator[Backend]:
    command = [sys.executable, "-c", _BACKEND, way, str(options.open), str(options.mine)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Backend(*process.stdout.readline().split())


def _measure(way: str, session: Session, backend: Backend, options: argparse.Namespace) -> None:
    variables = {URL_VARIABLE: backend.url, TOKEN_VARIABLE: backend.token, "BENCH_OPEN": str(options.open)}
    with session.python("-m", "tests.benchmarks.measured_app", env={**session.new_home(), **variables}) as process:
        session.await_tray_icons(1)
        time.sleep(5)
        found = [_sleep(process) for _ in range(options.times)]
    alone = min(_asked(way, backend) for _ in range(3))
    print(f"\n{way}: {options.open} open, {options.mine} of them pages, {options.times} times")
    print(f"  from waking up to all of it shown: {_said([f.after for f in found])}; "
          f"asked for without an application it takes {alone * 1000:.0f} ms")  # fmt: skip
    print(f"  the GUI thread, to decide and show: {_said([f.slot for f in found])}")
    last = ", ".join(f"{block * 1000:.0f}" for block in found[-1].blocks)
    print(f"  its longest block: {_said([f.blocks[0] for f in found])}; the longest of the last time: {last} ms")


def _sleep(process: Process) -> Woken:
    assert process.popen.stdin is not None
    process.popen.stdin.write("sleep\n")
    process.popen.stdin.flush()
    said = await_line(process, re.compile(r"^(\{.*\})$"), ENOUGH)[1]
    time.sleep(1)
    return Woken(**json.loads(said))


def _asked(way: str, backend: Backend) -> float:
    """Return how long the backend's own answers take: read and understood, and no more."""
    asking = PagerDutyBackend(backend.url, backend.token, utc_now)
    began = time.perf_counter()
    if way == "polling":
        asking.snapshot()
    else:
        with asking.stream() as events:
            next(events)
    return time.perf_counter() - began


def _said(seconds: list[float]) -> str:
    return f"median {median(seconds) * 1000:.0f} ms, at most {max(seconds) * 1000:.0f} ms"


if __name__ == "__main__":
    main()
