"""What a run is played on: backends with their accounts, the faults before them, the clocks, and the pager."""

import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from desktop.domain.clicks import TRUSTED_FOR
from tests.faults.backend.account import Account
from tests.faults.backend.server import FaultyServer
from tests.faults.pager.desk import Pager, new_clocks
from tests.faults.pager.process import Backend
from tests.faults.pager.promises import Clicked

WATCHBELL, PAGERDUTY = "watchbell", "pagerduty"
MOST_OPEN = 8

Deeds = list[tuple[str, int, str]]


class Stage:
    """Ana's backends by their names, of which one may be missing, and her pager."""

    def __init__(self) -> None:
        super().__init__()
        self.end = ExitStack()
        self.servers: dict[str, FaultyServer] = {}
        # What ends the fault of a backend, and after how many steps.
        self.faults: dict[str, tuple[ExitStack, int]] = {}
        self.clicks: list[Clicked] = []
        self.clocks = new_clocks()
        self.silenced: set[str] = set()

    def set_up(self, which: tuple[str, ...]) -> None:
        """Start the backends, and the pager on them."""
        folder = Path(self.end.enter_context(tempfile.TemporaryDirectory(prefix="wb-")))
        for name in which:
            server = FaultyServer(Account(token=f"wb_{name}", ours=name == WATCHBELL, world=self.clocks.world))
            self.end.callback(server.stop)
            self.servers[name] = server
        backends = tuple(Backend(n, s.url, s.account.token) for n, s in self.servers.items())
        self.pager = Pager(folder, backends, self.clocks)
        self.end.callback(self.pager.kill)

    def known(self, name: str) -> str:
        """Return a backend that there is."""
        return name if name in self.servers else next(iter(self.servers))

    def account(self, name: str) -> Account:
        """Return the account of a backend that there is."""
        return self.servers[self.known(name)].account

    # What happens at the backends

    def happens(self, name: str, number: int, deed: str, to: str = "ana") -> None:
        """Let something happen to an incident that it can happen to, or a new one come."""
        account = self.account(name)
        if deed == "trigger":
            self.trigger(account, f"{deed} {number}", number % 4, to)
            return
        wanted = {"acknowledge": "triggered", "unacknowledge": "acknowledged"}.get(deed)
        found = sorted(i["id"] for i in account.open_ones() if wanted is None or i["status"] == wanted)
        if not found:
            return
        incident = found[number % len(found)]
        doing: dict[str, Callable[[], None]] = {
            "acknowledge": lambda: account.acknowledge(incident, "ben"),
            "resolve": lambda: account.resolve(incident, "ben"),
            "reassign": lambda: account.reassign(incident, to),
            "escalate": lambda: _escalate(account, incident, to),
            "unacknowledge": lambda: _time_out(account, incident),
        }
        doing[deed]()

    def trigger(self, account: Account, title: str, severity: int, to: str) -> None:
        """Open an incident, unless there are many."""
        if len(account.open_ones()) < MOST_OPEN:
            account.trigger(title, severity, to=to)

    # What happens between them and the pager

    def start_fault(self, name: str, steps: int, fault: AbstractContextManager[object], *, cut: bool = False) -> None:
        """Break something for so many steps; ``cut`` breaks off what is open, too."""
        stack = ExitStack()
        stack.enter_context(fault)
        self.faults[name] = stack, steps
        if cut:
            self.servers[name].cut()

    def mend(self, name: str) -> None:
        """End the fault of a backend."""
        self.faults.pop(name)[0].close()

    def age_faults(self) -> None:
        """End what lasted long enough; in steps, so that what happens meanwhile is not a matter of time."""
        for name, (stack, left) in list(self.faults.items()):
            self.faults[name] = stack, left - 1
            if left <= 1:
                self.mend(name)

    # What happens to the pager

    def local_now(self) -> datetime:
        """Return what the clock of the pager's machine shows."""
        return datetime.now(UTC) + self.clocks.machine()

    def page(self, number: int) -> None:
        """Let pages come, and wait until those are shown that can be."""
        for name, server in self.servers.items():
            self.happens(name, number, "trigger")
            newest = server.account.newest
            if newest and name not in self.faults and server.account.pages(newest, "ana"):
                self.pager.until(lambda v, k=(name, newest): v.find(*k) is not None, "a page is not shown")  # type: ignore[misc]

    def click_on(self, number: int) -> None:
        """Acknowledge one of the pages that are shown."""
        newest = self.pager.newest
        if newest is None or not newest.pages:
            return
        page = newest.pages[number % len(newest.pages)]
        shown = self.servers[page.connection].account.now()
        self.clicks.append(Clicked(page.key, page.pages, time.monotonic(), shown, self.local_now()))
        self.pager.do("click", *page.key)

    def silence_alarm(self) -> None:
        """Silence the alarm of what is lost now."""
        before = max(self.pager.mark() - 1, 0)
        self.pager.do("silence")
        self.pager.done()
        self.silenced = {name for view in self.pager.views[before:] if view is not None for name, _ in view.lost}

    def crash_and_start(self, deeds: Deeds) -> None:
        """Kill the pager with -9, let something happen while nobody watches, and start it again."""
        self.pager.kill()
        for deed in deeds:
            self.happens(*deed)
        self.silenced.clear()
        self.pager.start()

    def sleep_and_wake(self, by: timedelta, deeds: Deeds) -> None:
        """Let the machine sleep, and something happen meanwhile."""
        self.pager.do("tick")
        self.pager.done()
        self.pager.stop()
        for server in self.servers.values():
            # What it asked for before it slept is not done hours later.
            server.drain()
        for deed in deeds:
            self.happens(*deed)
        self.clocks.pass_by(by)
        self.pager.go_on()
        self.pager.do("tick")
        self.pager.done()

    def set_clock(self, by: timedelta) -> None:
        """Set the clock of the pager's machine alone."""
        self.pager.do("set_clock", by)
        self.pager.done()

    def let_pass(self, by: timedelta) -> None:
        """Let time go by for all."""
        self.pager.do("pass_time", by)
        self.pager.done()


def _escalate(account: Account, incident: str, to: str) -> None:
    if all(a["assignee"]["id"] != to for a in account.incidents[incident]["assignments"]):
        account.escalate(incident, to)


def _time_out(account: Account, incident: str) -> None:
    last = max(d.shown for d in account.deeds if d.incident == incident and d.what == "acknowledge")
    # PagerDuty's shortest; where pages are counted, any will do.
    if account.ours or account.now() - last > TRUSTED_FOR + timedelta(minutes=1):
        account.unacknowledge(incident)
