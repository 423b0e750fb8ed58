"""The promises hold whatever is clicked, breaks, sleeps, is killed and starts again, in any order.

A machine that plays an engineer, the backends, the network and the power button, with a pager process of the
application's own parts; after every step it checks what the pager shows against what the backends know.
"""

import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.faults.backend.server import STREAM
from tests.faults.pager.checked import Checked
from tests.faults.pager.stage import MOST_OPEN, PAGERDUTY, WATCHBELL, Deeds
from tests.faults.pager.telling import Telling, first, step, told
from tests.faults.pager.troubles import BLINDING, FAULTS, GARBAGE, SCOPES

numbers = st.integers(0, 1_000)
names = st.sampled_from([WATCHBELL, PAGERDUTY])
people = st.sampled_from(["ana", "ben"])
lasting = st.integers(1, 6)
faults = st.sampled_from(sorted(FAULTS))
calm = st.booleans()
meanwhile = st.lists(
    st.tuples(names, numbers, st.sampled_from(["trigger", "acknowledge", "resolve", "escalate"])), max_size=4
)


class Machine(Checked, Telling, RuleBasedStateMachine):
    """One engineer, one or two backends, and whatever happens to them. ``calm`` steps wait until all is right again."""

    @first(which=st.sampled_from([(WATCHBELL,), (PAGERDUTY,), (WATCHBELL, PAGERDUTY)]))
    def begin(self, which: tuple[str, ...]) -> None:
        self.set_up(which)
        self.after(calm=True)

    # What backends and other people do

    @step(name=names, severity=st.integers(0, 3), to=st.sampled_from(["ana", "ana", "ben"]), calm=calm)
    def triggers(self, name: str, severity: int, to: str, calm: bool) -> None:
        self.trigger(self.account(name), "Disk full", severity, to)
        self.after(calm=calm)

    @step(
        name=names,
        number=numbers,
        deed=st.sampled_from(["acknowledge", "resolve", "reassign", "escalate", "unacknowledge", "unacknowledge"]),
        to=people,
        calm=calm,
    )
    def others(self, name: str, number: int, deed: str, to: str, calm: bool) -> None:
        self.happens(name, number, deed, to)
        self.after(calm=calm)

    @step(name=names, people=st.sampled_from([("ana", "ben"), ("ben", "ana"), ("ben",)]), calm=calm)
    def hand_over(self, name: str, people: tuple[str, ...], calm: bool) -> None:
        self.account(name).put_on_call(*people)
        self.after(calm=calm)

    # What the engineer does

    @step(number=numbers, paged=st.booleans(), calm=calm)
    def click(self, number: int, paged: bool, calm: bool) -> None:
        if paged:
            self.page(number)
        self.click_on(number)
        self.after(calm=calm)

    @step(
        number=numbers,
        paged=st.booleans(),
        wait=st.sampled_from([0.0, 0.002, 0.005, 0.01, 0.02, 0.04]),
        deeds=meanwhile,
        calm=calm,
    )
    def click_and_crash(self, number: int, paged: bool, wait: float, deeds: Deeds, calm: bool) -> None:
        if paged:
            self.page(number)
        self.click_on(number)
        # Where between the click and the answer it is killed is what this is about.
        time.sleep(wait)
        self.crash_and_start(deeds)
        self.watches_anew()
        self.after(calm=calm)

    @step(
        number=numbers,
        fault=faults,
        deed=st.sampled_from(["acknowledge", "resolve", "reassign", "unacknowledge", "escalate"]),
        steps=lasting,
        calm=calm,
    )
    def click_into_a_fault(self, number: int, fault: str, deed: str, steps: int, calm: bool) -> None:
        """A click does not get through, and somebody does something about the same incidents."""
        self.page(number)
        name = self.known(PAGERDUTY if number % 2 else WATCHBELL)
        if name not in self.faults:
            self.start_fault(name, steps, self.servers[name].broken(FAULTS[fault], *SCOPES["clicks"]))
        self.click_on(number)
        self.happens(name, number, deed)
        self.after(calm=calm)

    @step(seconds=st.sampled_from([0, 600]), calm=calm)
    def mute(self, seconds: int, calm: bool) -> None:
        self.pager.do("mute", seconds)
        self.after(calm=calm)

    @step(calm=calm)
    def silence(self, calm: bool) -> None:
        self.silence_alarm()
        self.after(calm=calm)

    # What breaks

    @step(
        name=names,
        fault=faults,
        scope=st.sampled_from(sorted(SCOPES)),
        times=st.sampled_from([None, None, 1, 3]),
        cut=st.booleans(),
        steps=lasting,
        calm=calm,
    )
    def breaks(self, name: str, fault: str, scope: str, times: int | None, cut: bool, steps: int, calm: bool) -> None:
        name = self.known(name)
        if name not in self.faults:
            broken = self.servers[name].broken(FAULTS[fault], *SCOPES[scope], times)
            self.start_fault(name, steps, broken, cut=cut)
            if calm and scope in BLINDING and times is None and (cut or name == PAGERDUTY):
                self.goes_blind(name)
        self.after(calm=calm)

    @step(name=names, steps=lasting, calm=calm)
    def refuses(self, name: str, steps: int, calm: bool) -> None:
        name = self.known(name)
        if name not in self.faults:
            self.start_fault(name, steps, self.servers[name].refusing())
            if calm:
                self.goes_blind(name)
        self.after(calm=calm)

    @step(name=names, fault=faults, seconds=st.integers(60, 200), calm=calm)
    def blacks_out(self, name: str, fault: str, seconds: int, calm: bool) -> None:
        name = self.known(name)
        if name not in self.faults:
            self.start_fault(name, 2, self.servers[name].broken(FAULTS[fault]), cut=True)
            self.goes_blind(name)
            self.passes(timedelta(seconds=seconds))
        self.after(calm=calm)

    @step(name=names, steps=lasting, calm=calm)
    def freezes(self, name: str, steps: int, calm: bool) -> None:
        name = self.known(name)
        if name not in self.faults:
            self.start_fault(name, steps, self.servers[name].frozen())
        self.after(calm=calm)

    @step(name=names, garbage=st.sampled_from(GARBAGE), calm=calm)
    def says_nonsense(self, name: str, garbage: bytes, calm: bool) -> None:
        self.account(name).tell(garbage)
        self.after(calm=calm)

    @step(name=names, number=numbers, calm=calm)
    def repeats(self, name: str, number: int, calm: bool) -> None:
        account = self.account(name)
        incidents = sorted(account.incidents)
        if incidents:
            account.tell(account.event(incidents[number % len(incidents)]))
        self.after(calm=calm)

    @step(name=names, number=numbers, deed=st.sampled_from(["acknowledge", "resolve", "escalate"]), calm=calm)
    def skips(self, name: str, number: int, deed: str, calm: bool) -> None:
        """A change that no stream tells, and one that it does tell: a gap in its numbers."""
        account = self.account(name)
        if len(account.open_ones()) < MOST_OPEN and account.streams:
            with account.untold():
                self.happens(name, number, deed)
            account.trigger("After a gap", to="ben")
        self.after(calm=calm)

    @step(name=names, calm=calm)
    def cuts(self, name: str, calm: bool) -> None:
        self.servers[self.known(name)].cut()
        self.after(calm=calm)

    # What happens to the machine

    @step(deeds=meanwhile, calm=calm)
    def crash(self, deeds: Deeds, calm: bool) -> None:
        self.crash_and_start(deeds)
        self.watches_anew()
        self.after(calm=calm)

    @step(calm=calm)
    def quit_and_start(self, calm: bool) -> None:
        self.pager.quit()
        self.silenced.clear()
        self.pager.start()
        self.watches_anew()
        self.after(calm=calm)

    @step(deeds=meanwhile, hours=st.integers(1, 10), calm=calm)
    def sleeps(self, deeds: Deeds, hours: int, calm: bool) -> None:
        streams = {n: s.count(STREAM) for n, s in self.servers.items() if n == WATCHBELL and n not in self.faults}
        self.sleep_and_wake(timedelta(hours=hours), deeds)
        self.watches_anew()
        # Whatever a line that was open all the time may bring: everything is asked for anew.
        for name, opened in streams.items():
            self.servers[name].await_asked(STREAM, opened + 1)
        self.after(calm=calm)

    @step(minutes=st.sampled_from([-60, 60]), calm=calm)
    def clock_is_set(self, minutes: int, calm: bool) -> None:
        self.set_clock(timedelta(minutes=minutes))
        self.watches_anew()
        self.after(calm=calm)

    @step(seconds=st.sampled_from([25, 40, 70, 100]), calm=calm)
    def time_passes(self, seconds: int, calm: bool) -> None:
        self.passes(timedelta(seconds=seconds))
        self.after(calm=calm)

    @told
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


def hold(runs: int, steps: int, *, derandomize: bool) -> None:
    how = settings(max_examples=runs, stateful_step_count=steps, derandomize=derandomize, **HERE)
    Machine.broken.clear()
    try:
        run_state_machine_as_test(Machine, settings=how)
    except Exception as e:
        raise AssertionError("\n\n".join(Machine.broken) or str(e)) from e


def test_the_promises_hold_in_some_runs() -> None:
    hold(8, 25, derandomize=True)


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_the_promises_hold_in_500_runs_of_50_steps() -> None:
    hold(500, 50, derandomize=False)
