"""The promises hold whatever is clicked, breaks, sleeps, is killed and starts again, in any order.

A machine that plays an engineer, the backends, the network and the power button, with a pager process of the
application's own parts; after every step it checks what the pager shows against what the backends know.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from desktop.domain.attention import ALARM_AFTER, LOST_AFTER, SENDING_QUIET, Contact
from desktop.domain.clicks import TRUSTED_FOR
from tests.faults.backend import misbehaving as how
from tests.faults.backend.account import Account
from tests.faults.backend.server import STREAM, FaultyServer, Misbehave
from tests.faults.pager.desk import Pager
from tests.faults.pager.process import Backend
from tests.faults.pager.promises import (
    Clicked,
    Key,
    clicks_arrived_once,
    is_right,
    looks_right,
    view_is_honest,
)
from tests.faults.pager.views import View

WATCHBELL, PAGERDUTY = "watchbell", "pagerduty"
MOST_OPEN = 8

FAULTS: dict[str, Misbehave] = {
    "silent": how.silent,
    "half open": how.half_open,
    "reset": how.reset,
    "done and cut": how.done_and_cut,
    "drip": how.drip,
    "dripping header": how.drip_headers,
    "429": how.status(429),
    "429 with a wait": how.status(429, {"Retry-After": "1"}),
    "401": how.status(401),
    "403": how.status(403),
    "500": how.status(500),
    "503 with a page": how.status(503, body=how.PORTAL),
    "redirect": how.redirect("http://127.0.0.1:1"),
    "captive portal": how.portal,
    "invalid JSON": how.invalid_json,
    "wrong types": how.wrong_types,
    "no list": how.no_list,
}
SCOPES = {"everything": ("/", ""), "reads": ("/", "GET"), "clicks": ("/incidents", "PUT"), "stream": (STREAM, "GET")}
BLINDING = {"everything", "reads"}
GARBAGE = (
    b"event: incident\ndata: {nonsense\n\n",
    b"event: nobody-knows\ndata: 1\n\n",
    b"id: 3\nevent: incident\ndata: []\n\n",
    b"\x00\xff\xfe\n\n",
    b"event: incident\nid: 999999\ndata: {}\n\n",
)

numbers = st.integers(0, 1_000)
names = st.sampled_from([WATCHBELL, PAGERDUTY])


class Machine(RuleBasedStateMachine):
    """One engineer, one or two backends, and whatever happens to them. ``calm`` steps wait until all is right again."""

    def __init__(self) -> None:
        super().__init__()
        self.end = ExitStack()
        self.folder = Path(self.end.enter_context(tempfile.TemporaryDirectory(prefix="wb-")))
        self.servers: dict[str, FaultyServer] = {}
        # What ends the fault of a backend, and after how many steps.
        self.faults: dict[str, tuple[ExitStack, int]] = {}
        # For how long each connection that is known to be blind has been so, as the pager's clock has it.
        self.blind: dict[str, timedelta] = {}
        self.clicks: list[Clicked] = []
        self.claimed: dict[Key, Clicked] = {}
        self.told: set[Key] = set()
        self.looked = 0
        self.silenced: set[str] = set()
        self.calm = True

    @initialize(which=st.sampled_from([(WATCHBELL,), (PAGERDUTY,), (WATCHBELL, PAGERDUTY)]))
    def begin(self, which: tuple[str, ...]) -> None:
        for name in which:
            server = FaultyServer(Account(token=f"wb_{name}", ours=name == WATCHBELL))
            self.end.callback(server.stop)
            self.servers[name] = server
        backends = tuple(Backend(n, s.url, s.account.token) for n, s in self.servers.items())
        self.pager = Pager(self.folder, backends)
        self.end.callback(self.pager.kill)
        self.after(calm=True)

    # What backends and other people do

    @rule(name=names, severity=st.integers(0, 3), to=st.sampled_from(["ana", "ana", "ben"]), calm=st.booleans())
    def trigger(self, name: str, severity: int, to: str, calm: bool) -> None:
        account = self.account(name)
        if len(account.open_ones()) < MOST_OPEN:
            account.trigger(f"{name} breaks", severity, to=to)
        self.after(calm=calm)

    @rule(
        name=names,
        number=numbers,
        deed=st.sampled_from(["acknowledge", "resolve", "reassign", "escalate"]),
        to=st.sampled_from(["ana", "ben"]),
        calm=st.booleans(),
    )
    def others(self, name: str, number: int, deed: str, to: str, calm: bool) -> None:
        self.deed(name, number, deed, to)
        self.after(calm=calm)

    @rule(name=names, number=numbers, calm=st.booleans())
    def times_out(self, name: str, number: int, calm: bool) -> None:
        self.deed(name, number, "unacknowledge", "")
        self.after(calm=calm)

    @rule(name=names, people=st.sampled_from([("ana", "ben"), ("ben", "ana"), ("ben",)]), calm=st.booleans())
    def hand_over(self, name: str, people: tuple[str, ...], calm: bool) -> None:
        self.account(name).put_on_call(*people)
        self.after(calm=calm)

    # What the engineer does

    @rule(number=numbers, paged=st.booleans(), calm=st.booleans())
    def click(self, number: int, paged: bool, calm: bool) -> None:
        if paged:
            self.page(number)
        self.click_on(number)
        self.after(calm=calm)

    @rule(
        number=numbers,
        paged=st.booleans(),
        wait=st.sampled_from([0.0, 0.002, 0.005, 0.01, 0.02, 0.04]),
        calm=st.booleans(),
    )
    def click_and_crash(self, number: int, paged: bool, wait: float, calm: bool) -> None:
        if paged:
            self.page(number)
        self.click_on(number)
        time.sleep(wait)
        self.crash_now()
        self.after(calm=calm)

    @rule(seconds=st.sampled_from([0, 600]), calm=st.booleans())
    def mute(self, seconds: int, calm: bool) -> None:
        self.pager.do("mute", seconds)
        self.after(calm=calm)

    @rule(calm=st.booleans())
    def silence(self, calm: bool) -> None:
        self.silenced = set(self.servers)
        self.pager.do("silence")
        self.after(calm=calm)

    # What breaks

    @rule(
        name=names,
        fault=st.sampled_from(sorted(FAULTS)),
        scope=st.sampled_from(sorted(SCOPES)),
        times=st.sampled_from([None, None, 1, 3]),
        cut=st.booleans(),
        steps=st.integers(1, 6),
        calm=st.booleans(),
    )
    def break_(self, name: str, fault: str, scope: str, times: int | None, cut: bool, steps: int, calm: bool) -> None:
        name = self.known(name)
        if name not in self.faults:
            path, method = SCOPES[scope]
            self.start_fault(name, steps, self.servers[name].broken(FAULTS[fault], path, method, times))
            if cut:
                self.servers[name].cut()
            if calm and scope in BLINDING and times is None and (cut or name == PAGERDUTY):
                self.becomes_blind(name)
        self.after(calm=calm)

    @rule(name=names, steps=st.integers(1, 6), calm=st.booleans())
    def refuse(self, name: str, steps: int, calm: bool) -> None:
        name = self.known(name)
        if name not in self.faults:
            self.start_fault(name, steps, self.servers[name].refusing())
            if calm:
                self.becomes_blind(name)
        self.after(calm=calm)

    @rule(name=names, fault=st.sampled_from(sorted(FAULTS)), seconds=st.integers(60, 200), calm=st.booleans())
    def black_out(self, name: str, fault: str, seconds: int, calm: bool) -> None:
        name = self.known(name)
        if name not in self.faults:
            self.start_fault(name, 2, self.servers[name].broken(FAULTS[fault]))
            self.servers[name].cut()
            self.becomes_blind(name)
            self.let_pass(seconds)
        self.after(calm=calm)

    @rule(name=names, steps=st.integers(1, 6), calm=st.booleans())
    def freeze(self, name: str, steps: int, calm: bool) -> None:
        name = self.known(name)
        if name not in self.faults:
            self.start_fault(name, steps, self.servers[name].frozen())
        self.after(calm=calm)

    @rule(name=names, garbage=st.sampled_from(GARBAGE), calm=st.booleans())
    def garbage(self, name: str, garbage: bytes, calm: bool) -> None:
        self.account(name).tell(garbage)
        self.after(calm=calm)

    @rule(name=names, number=numbers, calm=st.booleans())
    def repeat(self, name: str, number: int, calm: bool) -> None:
        account = self.account(name)
        incidents = sorted(account.incidents)
        if incidents:
            account.tell(account.event(incidents[number % len(incidents)]))
        self.after(calm=calm)

    @rule(
        name=names,
        number=numbers,
        deed=st.sampled_from(["acknowledge", "resolve", "escalate"]),
        to=st.sampled_from(["ana", "ben"]),
        calm=st.booleans(),
    )
    def skip(self, name: str, number: int, deed: str, to: str, calm: bool) -> None:
        """A change that no stream tells, and one that it does tell: a gap in its numbers."""
        account = self.account(name)
        if len(account.open_ones()) < MOST_OPEN and account.streams:
            with account.untold():
                self.deed(name, number, deed, to)
            account.trigger("After a gap", to="ben")
        self.after(calm=calm)

    @rule(name=names, calm=st.booleans())
    def cut(self, name: str, calm: bool) -> None:
        self.servers[self.known(name)].cut()
        self.after(calm=calm)

    # What happens to the machine

    @rule(
        deeds=st.lists(
            st.tuples(names, numbers, st.sampled_from(["trigger", "acknowledge", "resolve", "escalate"])), max_size=3
        ),
        calm=st.booleans(),
    )
    def crash(self, deeds: list[tuple[str, int, str]], calm: bool) -> None:
        self.crash_now(deeds)
        self.after(calm=calm)

    @rule(calm=st.booleans())
    def quit_and_start(self, calm: bool) -> None:
        self.pager.quit()
        self.starts()
        self.after(calm=calm)

    @rule(
        deeds=st.lists(
            st.tuples(names, numbers, st.sampled_from(["trigger", "acknowledge", "resolve", "escalate"])), max_size=4
        ),
        hours=st.integers(1, 10),
        calm=st.booleans(),
    )
    def sleep(self, deeds: list[tuple[str, int, str]], hours: int, calm: bool) -> None:
        self.pager.stop()
        for deed in deeds:
            self.happens(*deed)
        by = timedelta(hours=hours)
        self.time_moves(by)
        self.pager.ahead += by
        self.pager.do("jump", by)
        self.pager.go_on()
        self.pager.done()
        self.forget_blindness()
        self.after(calm=calm)

    @rule(minutes=st.sampled_from([-60, 60]), calm=st.booleans())
    def set_clock(self, minutes: int, calm: bool) -> None:
        by = timedelta(minutes=minutes)
        self.pager.ahead += by
        self.pager.do("jump", by)
        self.pager.done()
        self.forget_blindness()
        self.after(calm=calm)

    @rule(seconds=st.sampled_from([25, 40, 70, 100]), calm=st.booleans())
    def time_passes(self, seconds: int, calm: bool) -> None:
        self.let_pass(seconds)
        self.after(calm=calm)

    # How it is done

    def known(self, name: str) -> str:
        return name if name in self.servers else next(iter(self.servers))

    def account(self, name: str) -> Account:
        return self.servers[self.known(name)].account

    def deed(self, name: str, number: int, deed: str, to: str) -> None:
        """Let somebody do something to an open incident that it can be done to."""
        account = self.account(name)
        wanted = {"acknowledge": "triggered", "unacknowledge": "acknowledged"}.get(deed)
        found = sorted(i["id"] for i in account.open_ones() if wanted is None or i["status"] == wanted)
        if not found:
            return
        incident = found[number % len(found)]
        doing: dict[str, Callable[[], None]] = {
            "acknowledge": lambda: account.acknowledge(incident, "ben"),
            "resolve": lambda: account.resolve(incident, "ben"),
            "reassign": lambda: account.reassign(incident, to),
            "escalate": lambda: self.escalate(account, incident, to),
            "unacknowledge": lambda: self.time_out(account, incident),
        }
        doing[deed]()

    def escalate(self, account: Account, incident: str, to: str) -> None:
        if all(a["assignee"]["id"] != to for a in account.incidents[incident]["assignments"]):
            account.escalate(incident, to)

    def time_out(self, account: Account, incident: str) -> None:
        last = max(d.shown for d in account.deeds if d.incident == incident and d.what == "acknowledge")
        # PagerDuty's shortest; where pages are counted, any will do.
        if account.ours or account.now() - last > TRUSTED_FOR + timedelta(minutes=1):
            account.unacknowledge(incident)

    def happens(self, name: str, number: int, deed: str) -> None:
        account = self.account(name)
        if deed != "trigger":
            self.deed(name, number, deed, "ana")
        elif len(account.open_ones()) < MOST_OPEN:
            account.trigger("While nobody watched", number % 4)

    def page(self, number: int) -> None:
        """Let pages come, and wait until those are shown that can be."""
        for name in self.servers:
            self.happens(name, number, "trigger")
            newest = self.account(name).newest
            if newest and name not in self.faults and self.account(name).pages(newest, "ana"):
                self.pager.until(lambda v, k=(name, newest): v.find(*k) is not None, "a page is not shown")  # type: ignore[misc]

    def click_on(self, number: int) -> None:
        """Acknowledge one of the pages that are shown."""
        newest = self.pager.newest
        pages = newest.pages if newest is not None else ()
        if not pages:
            return
        page = pages[number % len(pages)]
        account = self.servers[page.connection].account
        self.clicks.append(Clicked(page.key, page.pages, time.monotonic(), account.now()))
        self.pager.do("click", *page.key)

    def crash_now(self, deeds: list[tuple[str, int, str]] = []) -> None:  # noqa: B006 - it is only read
        self.pager.kill()
        for deed in deeds:
            self.happens(*deed)
        self.starts()

    def starts(self) -> None:
        self.silenced.clear()
        self.pager.start()
        self.forget_blindness()

    def forget_blindness(self) -> None:
        """A program that begins to watch again gets its time to find contact."""
        mark = self.pager.mark()
        self.blind = {name: timedelta(0) for name in self.blind}
        if mark and self.blind:
            self.pager.until(lambda v: all(v.line(n).contact is not Contact.LIVE for n in self.blind), "still live")

    def time_moves(self, by: timedelta) -> None:
        for server in self.servers.values():
            with server.account.lock:
                server.account.ahead += by

    def let_pass(self, seconds: int) -> None:
        """Let time go by, and look whether what must not be quiet for so long is heard."""
        by = timedelta(seconds=seconds)
        self.time_moves(by)
        self.pager.ahead += by
        self.pager.do("pass_time", by)
        self.pager.done()
        for name in self.blind:
            self.blind[name] += by
        self.check_blind()
        self.check_overdue(by)

    def start_fault(self, name: str, steps: int, fault: AbstractContextManager[object]) -> None:
        """Break something for so many steps."""
        stack = ExitStack()
        stack.enter_context(fault)
        self.faults[name] = stack, steps

    def becomes_blind(self, name: str) -> None:
        """Wait until it is known that nothing is known."""
        self.pager.until(lambda v: v.line(name).contact is not Contact.LIVE, f"{name} is blind and looks live")
        self.blind[name] = timedelta(0)

    def mend(self, name: str) -> None:
        self.faults.pop(name)[0].close()
        self.blind.pop(name, None)

    def age_faults(self) -> None:
        """End what lasted long enough; in steps, so that what happens meanwhile is not a matter of time."""
        for name, (stack, left) in list(self.faults.items()):
            self.faults[name] = stack, left - 1
            if left <= 1:
                self.mend(name)

    def check_blind(self) -> None:
        """Promise 1: what is blind is told after 60 s, and is loud after 90 s while on call."""
        for name, passed in self.blind.items():
            if passed >= LOST_AFTER:
                self.pager.until(lambda v, n=name: n in dict(v.lost), f"{name}: blind for {passed} and not told")  # type: ignore[misc]
            if passed >= ALARM_AFTER:
                self.pager.until(lambda v, n=name: self.loud(v, n), f"{name}: blind for {passed} and silent")  # type: ignore[misc]

    def loud(self, view: View, name: str) -> bool:
        if view.line(name).on_call is False:
            return True
        quiet = name in self.silenced or view.muted_until is not None
        return dict(view.lost).get(name, False) and (quiet or view.playing is not None)

    def check_overdue(self, passed: timedelta) -> None:
        """Promise 2: what does not get through rings again."""
        if passed <= SENDING_QUIET:
            return
        newest = self.pager.newest
        for page in newest.pages if newest is not None else ():
            if page.sending:
                self.pager.until(
                    lambda v, k=page.key: (s := v.find(*k)) is None or not s.sending or s.overdue,  # type: ignore[misc]
                    f"{page.key} is on its way for too long and quiet",
                )

    def after(self, *, calm: bool) -> None:
        """Check what every step must leave as it is promised."""
        if calm:
            self.settle()
        self.age_faults()
        views = self.pager.views
        wrong: list[str] = []
        accounts = {name: server.account for name, server in self.servers.items()}
        for place in range(self.looked, len(views)):
            view, before = views[place], views[place - 1] if place else None
            if view is not None:
                wrong.extend(view_is_honest(view, before, accounts))
                self.note_clicks(view)
        self.looked = len(views)
        wrong.extend(clicks_arrived_once(self.clicks, accounts))
        assert not wrong, "\n".join(wrong)

    def note_clicks(self, view: View) -> None:
        """Keep what was claimed to be on its way, and what was told to be given up."""
        for name, line in view.lines:
            for incident in line.sending:
                last = [c for c in self.clicks if c.key == (name, incident)]
                assert last, f"{name} {incident} is said to be on its way, and nobody clicked"
                self.claimed[name, incident] = last[-1]
                self.told.discard((name, incident))
            self.told.update((name, incident) for incident, _ in line.failed)

    def settle(self) -> None:
        """Where nothing is wrong, everything is right soon."""
        healthy = {n: s.account for n, s in self.servers.items() if n not in self.faults}

        def wrong(view: View) -> str:
            found = next((w for n, a in healthy.items() if (w := is_right(view, n, a))), "")
            return found or (looks_right(view, healthy.values()) if len(healthy) == len(self.servers) else "")

        try:
            self.pager.until(lambda v: not wrong(v), "never right")
        except AssertionError as e:
            newest = self.pager.newest
            raise AssertionError(f"{wrong(newest) if newest else 'nothing shown'}\n{e}") from None
        self.silenced -= set(healthy)
        views = self.pager.views
        for view in views[self.looked :]:
            if view is not None:
                self.note_clicks(view)
        for key in [k for k in self.claimed if k[0] in healthy]:
            self.discharge(key, self.claimed.pop(key), healthy[key[0]])

    def discharge(self, key: Key, click: Clicked, account: Account) -> None:
        """Promise 2: what was claimed to be on its way arrived, or is told to be given up, or it rings on."""
        done = any(
            d.incident == key[1]
            and d.at >= click.at
            and (d.what == "resolve" or (d.what, d.who) == ("acknowledge", "ana"))
            for d in account.deeds
        )
        it = account.incidents[key[1]]
        newest = self.pager.newest
        rings = newest is not None and any(p.key == key for p in newest.pages)
        had = it["status"] == "acknowledged" or all(a["assignee"]["id"] != "ana" for a in it["assignments"])
        assert done or key in self.told or rings or had, f"the click on {key} ({click}) is lost"

    def teardown(self) -> None:
        try:
            if self.servers:
                for name in list(self.faults):
                    self.mend(name)
                self.after(calm=True)
        finally:
            self.end.close()


# Real processes and clocks: a failure cannot be made smaller by trying, only read.
HERE: dict[str, Any] = {
    "deadline": None,
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": list(HealthCheck),
    "database": None,
}


def test_the_promises_hold_in_some_runs() -> None:
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=8, stateful_step_count=25, derandomize=True, **HERE)
    )


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_the_promises_hold_in_500_runs_of_50_steps() -> None:
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=500, stateful_step_count=50, derandomize=False, **HERE)
    )
