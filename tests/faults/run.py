"""One run: servers under load while faults strike, then the evidence. On the test's thread; each part has its own."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from random import Random
from threading import Event, Thread

from desktop.server import tokens
from tests.faults.evidence import Blow, Entry, Evidence
from tests.faults.faults import Fault
from tests.faults.keeper import Keeper
from tests.faults.load import Load
from tests.faults.places import Hardness, Place
from tests.faults.plans import CONTACT, RESPONDERS, SERVICES
from tests.faults.proof import Verdict
from tests.faults.rows import age, hurry, read, waiting
from tests.faults.sent import duplicates
from tests.faults.shifts import Looker, Shifts
from tests.faults.watch import Watch

_CLIENTS = 4
# What is due must come by itself, and be told; longer than the sink hangs.
_SETTLE = 1.8
_GLANCE = 0.1
_SENT_WITHIN = 60.0
_TOLD = ("severities raised", "emergency steps", "given to somebody", "taken over", "handed on", "held")
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

    def stop(self) -> None:
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
        began = time.time()
        access = {person: tokens.create(place.database, person=person) for person in RESPONDERS}
        urls = [keeper.url for keeper in place.keepers]
        load = Load(
            seed, urls, access, lambda n: n >= hardness.incidents and not any(x.going_on for x in lanes), hardness.lives
        )
        dice = [Random(f"{seed}/watch/{n}") for n in range(_CLIENTS)]
        watches = [Watch(f"client {n}", urls, access["dan"], dice[n]) for n in range(_CLIENTS)]
        shifts = _shifts(place, hardness, seed, access)
        looker = Looker(urls, access, Random(f"{seed}/looker"))
        with _going_on(watches):
            with _going_on([looker, *shifts, *lanes]):
                load.run(hardness.workers)
            unsent = _all_sent(place)
            rows = read(place.database, place.sink.url, began)
            seen = place.sink.seen()
            behind = [w for w in watches if not w.caught_up(rows.version, _CATCH_UP)]
    failures = [
        *load.failures,
        *(f for lane in lanes for f in lane.failures),
        *(f for each in shifts for f in each.failures),
    ]
    failures += [f"{w.client().name} stands at version {w.version}, the rows at {rows.version}" for w in behind]
    failures += [f"traceback of a server: {line}" for line in _tracebacks(place)]
    failures += [f"{unsent} messages were not sent in {_SENT_WITHIN:.0f} s"] if unsent else []
    evidence = Evidence(
        attempts=[*load.attempts, *(attempt for each in shifts for attempt in each.attempts)],
        blows=[blow for lane in lanes for blow in lane.blows],
        entries=rows.entries,
        incidents=rows.incidents,
        clients=[watch.client() for watch in watches],
        ended=rows.at,
        version=rows.version,
        rota=rows.rota,
        sightings=looker.seen,
        handovers=rows.handovers,
        pages=rows.pages,
        messages=rows.messages,
        deliveries=seen,
    )
    return evidence, failures


def _shifts(place: Place, hardness: Hardness, seed: int, access: Mapping[str, str]) -> list[Shifts]:
    """Two change the watch: one who is primary and secondary, one who is manager."""
    roles = {"shifts": ("primary", "secondary"), "managers": ("manager",)}
    urls = [keeper.url for keeper in place.keepers]
    return [
        Shifts(
            name=name,
            dice=Random(f"{seed}/{name}"),
            urls=urls,
            tokens=access,
            roles=those,
            pause=hardness.shifts,
            age=lambda handover: age(place.database, handover),
            absences=name == "shifts",
        )
        for name, those in roles.items()
    ]


def _all_sent(place: Place) -> int:
    """Let what is due come by itself, and every message leave: those that wait for another attempt, at once."""
    place.sink.kind = True
    Event().wait(_SETTLE)
    hurry(place.database)
    deadline = time.monotonic() + _SENT_WITHIN
    while (left := waiting(place.database)) and time.monotonic() < deadline:
        Event().wait(_GLANCE)
        hurry(place.database)
    return left


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
def _going_on(parts: Sequence[Watch | Looker | Shifts | Lane]) -> Iterator[None]:
    """Have all of them at work until the block ends."""
    with ExitStack() as stack:
        for part in parts:
            part.start()
            stack.callback(part.stop)
        yield


def _tracebacks(place: Place) -> Iterator[str]:
    for keeper in place.keepers:
        for log in keeper.logs:
            lines = log.splitlines()
            for number, line in enumerate(lines):
                if line.startswith("Traceback"):
                    yield "\n".join(lines[max(number - 2, 0) : number + 40])
                    break


def figures(evidence: Evidence, verdict: Verdict) -> str:
    """Say in a line what a run was."""
    kinds = Counter(blow.kind for blow in evidence.blows)
    blocked = sum(blow.ended - blow.began for blow in evidence.blows if blow.blocks)
    asked = Counter(attempt.outcome.value for attempt in evidence.attempts)
    ends = Counter(handover.outcome or "open" for handover in evidence.handovers)
    took = sum(1 for d in evidence.deliveries if 200 <= d.status < 300)
    what = Counter(_happened(entry) for entry in evidence.entries)
    own = sum(1 for row in evidence.incidents if row.service not in SERVICES)
    return (
        f"{len(evidence.incidents)} incidents, {len(evidence.entries)} log entries, "
        f"{', '.join(f'{count} {outcome}' for outcome, count in sorted(asked.items()))} requests, "
        f"{', '.join(f'{what[name]} {name}' for name in _TOLD)}, "
        f"{len(evidence.handovers)} handovers ({', '.join(f'{n} {end}' for end, n in sorted(ends.items()))}), "
        f"{len(evidence.rota.shifts)} shifts, {len(evidence.pages)} pages, "
        f"{len(evidence.messages)} messages ({len(evidence.deliveries)} attempts reached the sink, {took} taken, "
        f"{duplicates(evidence)} of them again), {own} incidents of the server's own, "
        f"{sum(kinds.values())} faults ({', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))}), "
        f"{blocked:.0f} s in which perhaps no server could work, "
        f"worst lateness beyond those {verdict.worst:.2f} s ({verdict.where})"
    )


def _happened(entry: Entry) -> str:
    """Return what of the figures an entry counts for, nothing for most."""
    if entry.type == "priority_change":
        return "severities raised" if entry.data["to"] < entry.data["from"] else ""
    if "handover" in entry.data:
        return "handed on"
    if CONTACT in entry.people and entry.data.get("reason") in ("step", "round"):
        return "emergency steps"
    by_person = entry.actor.startswith("person:")
    if entry.type == "assign" and by_person and "reason" not in entry.data:
        return "given to somebody"
    return {"took over": "taken over"}.get(str(entry.data.get("reason")), {"maintenance": "held"}.get(entry.type, ""))


def timetable(evidence: Evidence) -> list[str]:
    """Return a line for each fault, in order: what to lay beside a violation."""
    blows = sorted(evidence.blows, key=lambda blow: blow.began)
    return [f"{b.began:.2f}-{b.ended:.2f} {b.kind}{f' {b.skew:+.2f} s' if b.skew else ''}" for b in blows]
