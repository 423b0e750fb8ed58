"""One run: servers under load while faults strike, then the evidence. On the test's thread; each part has its own."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from threading import Event, Thread

from desktop.server import tokens
from tests.faults.evidence import Blow, Evidence
from tests.faults.faults import Fault
from tests.faults.keeper import Keeper
from tests.faults.load import Load
from tests.faults.places import Hardness, Place
from tests.faults.plans import RESPONDERS
from tests.faults.rows import read
from tests.faults.watch import Watch

_CLIENTS = 4
# What is due must come by itself, and be told.
_SETTLE = 1.5
_CATCH_UP = 20.0


class Lane:
    """Faults of which one strikes after another: in each round all kinds, in an order that the seed shuffles.

    Those of ``once`` belong to the first round.
    """

    def __init__(self, faults: Sequence[Fault], once: Sequence[Fault], rounds: int, dice: Random, pause: float) -> None:
        self.blows: list[Blow] = []
        self.failures: list[str] = []
        self._faults, self._once, self._rounds = faults, once, rounds
        self._dice, self._pause = dice, pause
        self._thread = Thread(target=self._run, name="lane")

    @property
    def going_on(self) -> bool:
        """Whether more are to come."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to strike."""
        self._thread.start()

    def end(self) -> None:
        """Wait for the last one."""
        self._thread.join()

    def _run(self) -> None:
        for number in range(self._rounds):
            kinds = [*self._faults, *(self._once if number == 0 else ())]
            for fault in self._dice.sample(kinds, len(kinds)):
                time.sleep(self._dice.uniform(0, 2 * self._pause))
                try:
                    self.blows.append(fault.strike(self._dice))
                except Exception as error:  # noqa: BLE001 - shown at the end of the run, with its seed
                    self.failures.append(f"{fault.kind} in round {number}: {error!r}")
                    return


def carry_out(place: Place, hardness: Hardness, seed: int) -> tuple[Evidence, list[str]]:
    """Run it; return the evidence, and what went wrong with the run itself."""
    lanes = _lanes(place, hardness, seed)
    with _serving(place):
        access = {person: tokens.create(place.database, person=person) for person in RESPONDERS}
        urls = [keeper.url for keeper in place.keepers]
        load = Load(seed, urls, access, lambda n: n >= hardness.incidents and not any(x.going_on for x in lanes))
        dice = [Random(f"{seed}/watch/{n}") for n in range(_CLIENTS)]
        watches = [Watch(f"client {n}", urls, access["dan"], dice[n]) for n in range(_CLIENTS)]
        with _going_on(watches, lanes):
            load.run(hardness.workers)
        Event().wait(_SETTLE)
        ended = time.time()
        version, entries, incidents = read(place.database)
        behind = [w for w in watches if not w.caught_up(version, _CATCH_UP)]
        for watch in watches:
            watch.stop()
    blows = [blow for lane in lanes for blow in lane.blows]
    clients = [watch.client() for watch in watches]
    failures = [*load.failures, *(failure for lane in lanes for failure in lane.failures)]
    failures += [f"{w.client().name} stands at version {w.version}, the rows at {version}" for w in behind]
    failures += [f"traceback of a server: {line}" for line in _tracebacks(place)]
    return Evidence(load.attempts, blows, entries, incidents, clients, ended, version), failures


def _lanes(place: Place, hardness: Hardness, seed: int) -> list[Lane]:
    rounds = -(-hardness.faults // sum(map(len, place.lanes)))
    both = enumerate(zip(place.lanes, place.once, strict=True))
    return [Lane(all_, once, rounds, Random(f"{seed}/lane/{n}"), hardness.break_between) for n, (all_, once) in both]


@contextmanager
def _serving(place: Place) -> Iterator[None]:
    """Have all servers run until the block ends; they end when asked to."""
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(Keeper.start, place.keepers))
        yield
        assert [keeper.stop() for keeper in place.keepers] == [0] * len(place.keepers)
    finally:
        for keeper in place.keepers:
            keeper.kill()


@contextmanager
def _going_on(watches: Sequence[Watch], lanes: Sequence[Lane]) -> Iterator[None]:
    for watch in watches:
        watch.start()
    for lane in lanes:
        lane.start()
    try:
        yield
    finally:
        for lane in lanes:
            lane.end()


def _tracebacks(place: Place) -> Iterator[str]:
    for keeper in place.keepers:
        for log in keeper.logs:
            lines = log.splitlines()
            for number, line in enumerate(lines):
                if line.startswith("Traceback"):
                    yield "\n".join(lines[max(number - 2, 0) : number + 40])
                    break


def figures(evidence: Evidence, worst: float) -> str:
    """Say in a line what a run was."""
    kinds = Counter(blow.kind for blow in evidence.blows)
    blocked = sum(blow.ended - blow.began for blow in evidence.blows if blow.blocks)
    asked = Counter(attempt.outcome.value for attempt in evidence.attempts)
    return (
        f"{len(evidence.incidents)} incidents, {len(evidence.entries)} log entries, "
        f"{', '.join(f'{count} {outcome}' for outcome, count in sorted(asked.items()))} requests, "
        f"{sum(kinds.values())} faults ({', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))}), "
        f"{blocked:.0f} s in which perhaps no server could work, "
        f"worst lateness beyond those {worst:.2f} s"
    )


def timetable(evidence: Evidence) -> list[str]:
    """Return a line for each fault, in order: what to lay beside a violation."""
    blows = sorted(evidence.blows, key=lambda blow: blow.began)
    return [f"{b.began:.2f}-{b.ended:.2f} {b.kind}{f' {b.skew:+.2f} s' if b.skew else ''}" for b in blows]
