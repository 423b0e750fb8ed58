"""What the application costs while it does nothing: on call, no page, on a real desktop. Prints figures, asserts none.

Run: python -m tests.benchmarks.bench_idle [--seconds 60] [--settle 20] [--ways stream,polling,embedded]. A way is how
it hears of pages: the stream of a Watchbell server in another process, polling of what speaks as PagerDuty does, and a
server of its own as child. A wakeup is a voluntary switch of context, counted over all threads that live to the end.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from desktop.connections.accounts import TOKEN_VARIABLE, URL_VARIABLE
from desktop.server import tokens
from tests.benchmarks import loads, machine
from tests.desktop.application import Application, application
from tests.desktop.session import start_session
from tests.server.serving import serve

WAYS = ("stream", "polling", "embedded")
_POLLED = """
import sys
from tests.faults.backend.account import Account
from tests.faults.backend.server import FaultyServer
server = FaultyServer(Account(ours=False))
print(server.url, server.account.token, flush=True)
sys.stdin.read()
"""


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to look")
    parser.add_argument("--settle", type=float, default=20.0, help="how long to wait before that")
    parser.add_argument("--ways", default=",".join(WAYS), help="how it hears of pages")
    options = parser.parse_args()
    print(machine.described())
    with start_session() as session:
        for way in options.ways.split(","):
            with _account(way) as variables, application(session, home={**session.new_home(), **variables}) as app:
                session.await_tray_icons(1)
                _measure(way, app, options)
    print(f"afterwards: {machine.described()}")


@contextmanager
def _account(way: str) -> Iterator[Mapping[str, str]]:
    """Give the variables that name an account for the application; none for a server of its own."""
    if way == "embedded":
        yield {}
    elif way == "polling":
        with subprocess.Popen(
            [sys.executable, "-c", _POLLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            url, token = process.stdout.readline().split()
            yield {URL_VARIABLE: url, TOKEN_VARIABLE: token}
    else:
        with tempfile.TemporaryDirectory() as folder:
            team, database = Path(folder) / "team.toml", f"sqlite:///{folder}/w.db"
            team.write_text(loads.team(escalating=False))
            with serve(loads.ENVIRONMENT, team=team, database=database) as server:
                yield {URL_VARIABLE: server.ready(), TOKEN_VARIABLE: tokens.create(database, person="ana")}


def _measure(way: str, app: Application, options: argparse.Namespace) -> None:
    if way == "embedded":
        app.await_server()
    processes = _processes(app, with_server=way == "embedded")
    started = {name: machine.memory(pid) for name, pid in processes.items()}
    time.sleep(options.settle)
    first = {name: machine.look(pid) for name, pid in processes.items()}
    time.sleep(options.seconds)
    last = {name: machine.look(pid) for name, pid in processes.items()}
    print(f"\n{way}: {options.seconds:.0f} s from {options.settle:.0f} s after the start on")
    for name, pid in processes.items():
        _print(name, machine.idled(first[name], last[name]), started[name], machine.memory(pid))


def _processes(app: Application, *, with_server: bool) -> dict[str, int]:
    (tray,) = machine.children(app.process.pid)
    found = {"tray": tray, "supervisor": app.process.pid}
    if with_server:
        server = app.await_server()["pid"]
        assert isinstance(server, int)
        found["server"] = server
    return found


def _print(name: str, idled: machine.Idled, started: machine.Memory, now: machine.Memory) -> None:
    print(
        f"  {name}: {idled.wakeups:.2f} wakeups/s, {idled.share:.2%} of a core; RSS {started.rss:.1f} MiB after the "
        f"start, {now.rss:.1f} MiB now (PSS {now.pss:.1f}, its own {now.uss:.1f})"
    )
    for thread, rate in idled.threads.items():
        if rate > 0:
            print(f"    {thread:.<20} {rate:6.2f}")


if __name__ == "__main__":
    main()
