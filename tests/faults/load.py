"""The load: senders that repeat until they are answered, and people who act on what pages them. A thread for each."""

import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import requests

from tests.faults.asking import PATIENCE, PAUSES, Asking, Json
from tests.faults.evidence import Attempt, Outcome
from tests.faults.plans import KEYS, RESPONDERS, SERVICES, WORDS

# A person gives up: then it is unknown what became of it.
_GIVES_UP = 20.0
_WORSE = tuple(WORDS)
# The second service is under maintenance now and then.
_SERVICES = (2, 1)


@dataclass
class Load:
    """Tells the stories of incidents ``k0``, ``k1``, … to the servers at ``urls``, until ``enough`` of how many say so.

    Most of them are resolved once they are as old as ``lives`` (seconds) says. ``attempts`` is all that was asked,
    ``failures`` what went wrong with the load itself.
    """

    seed: int
    urls: Sequence[str]
    tokens: Mapping[str, str]
    enough: Callable[[int], bool]
    lives: float
    attempts: list[Attempt] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _over: "list[tuple[float, int, Story]]" = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, workers: int) -> None:
        """Tell stories on so many threads, until there are enough and all of them have ended."""
        numbers = itertools.count()
        threads = [threading.Thread(target=self._work, args=(numbers,), name=f"load-{n}") for n in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, numbers: "itertools.count[int]") -> None:
        with requests.Session() as session:
            session.trust_env = False
            while not self.enough(number := next(numbers)):
                dice = Random(f"{self.seed}/{number}")
                asking = Asking(self.urls, self.tokens, session, dice, self.attempts)
                story = Story(asking, f"k{number}", dice, dice.choices(SERVICES, _SERVICES)[0])
                self._try(story.key, story.tell)
                with self._lock:
                    heapq.heappush(self._over, (time.monotonic() + self.lives, number, story))
                self._end_old(session, time.monotonic())
            self._end_old(session, math.inf)

    def _end_old(self, session: requests.Session, now: float) -> None:
        """End the stories that are old enough by ``now``."""
        while True:
            with self._lock:
                if not self._over or self._over[0][0] > now:
                    return
                story = heapq.heappop(self._over)[2]
            story.asking.session = session
            self._try(story.key, story.end)

    def _try(self, key: str, tell: Callable[[], None]) -> None:
        try:
            tell()
        except Exception as error:  # noqa: BLE001 - shown at the end of the run, with its seed
            self.failures.append(f"{key}: {error!r}")


@dataclass
class Story:
    """What happens to one incident."""

    asking: Asking
    key: str
    dice: Random
    service: str
    id: str = ""

    def tell(self) -> None:
        """Tell it from its trigger to whatever is its end."""
        severity = self.dice.choices(tuple(WORDS), (3, 3, 3, 1))[0]
        self._event("trigger", severity)
        for _ in range(self.dice.choice((0, 0, 1, 2))):
            self._wait(2)
            # Some of them are worse, or milder.
            self._event("trigger", severity if self.dice.random() < 0.6 else self.dice.choice(_WORSE))
        turns = {
            self._nobody: 5,
            self._answered: 8,
            self._escalated: 3,
            self._passing: 2,
            self._seen_to: 1,
            self._judged: 3,
            self._given: 2,
        }
        self.dice.choices(tuple(turns), tuple(turns.values()))[0](severity)

    def end(self) -> None:
        """Resolve it, mostly: its trouble is over."""
        if self.dice.random() < 0.9:
            self._event("resolve")

    def _nobody(self, severity: str) -> None:
        """Nobody answers."""

    def _answered(self, severity: str) -> None:
        """Somebody acknowledges, and perhaps it goes on."""
        self._wait(4)
        person = self._somebody()
        self._change("acknowledge", person, status="acknowledged")
        self._wait(3)
        match self.dice.randrange(5):
            case 0:
                self._change("unacknowledge", self._somebody(), status="triggered")
            case 1:
                self._change("acknowledge", self._somebody(), status="acknowledged")
            case 2:
                self._change("resolve", person, status="resolved")
                # Too late: what is over is given to nobody.
                self._give(self._somebody())
            case 3:
                self._event("resolve")
                self._wait(1)
                self._event("trigger", severity)

    def _escalated(self, severity: str) -> None:
        """Somebody asks for the next level, perhaps after it was acknowledged."""
        self._wait(2)
        if self.dice.random() < 0.5:
            self._change("acknowledge", self._somebody(), status="acknowledged")
            self._wait(1)
        self._change("escalate", self._somebody(), escalation_level=self.dice.choice((2, 2, 3)))

    def _passing(self, severity: str) -> None:
        """It ends by itself, perhaps only for a moment."""
        self._wait(4)
        self._event("resolve")
        if self.dice.random() < 0.5:
            self._wait(2)
            self._event("trigger", severity)

    def _seen_to(self, severity: str) -> None:
        """Another system says that somebody has it."""
        self._wait(2)
        self._event("acknowledge")

    def _judged(self, severity: str) -> None:
        """Somebody says how bad it is, perhaps while another has it."""
        self._wait(2)
        if self.dice.random() < 0.4:
            self._change("acknowledge", self._somebody(), status="acknowledged")
        for _ in range(self.dice.choice((1, 1, 2))):
            self._wait(2)
            to = WORDS[self.dice.choice(_WORSE)]
            self._change("priority_change", self._somebody(), to, priority={"id": to, "type": "priority_reference"})

    def _given(self, severity: str) -> None:
        """Somebody gives it to somebody, and perhaps back to a list."""
        self._wait(3)
        to = self._somebody()
        self._give(to)
        self._wait(2)
        match self.dice.randrange(4):
            case 0:
                self._change("acknowledge", to, status="acknowledged")
            case 1:
                policy = WORDS[severity]
                part = {"id": policy, "type": "escalation_policy_reference"}
                self._change("delegate", self._somebody(), policy, escalation_policy=part)
            case 2:
                self._event("trigger", "critical")

    def _give(self, to: str) -> None:
        self._change("assign", self._somebody(), to, assignments=[{"assignee": {"id": to, "type": "user_reference"}}])

    def _somebody(self) -> str:
        return self.dice.choice(RESPONDERS)

    def _wait(self, longest: float) -> None:
        time.sleep(self.dice.uniform(0, longest))

    def _event(self, action: str, severity: str = "") -> None:
        body: Json = {"routing_key": KEYS[self.service], "event_action": action, "dedup_key": self.key}
        if action == "trigger":
            body["payload"] = {"summary": f"trouble {self.key}", "source": "faults", "severity": severity}
        deadline, sender = time.monotonic() + PATIENCE, f"service:{self.service}"
        while self.asking.ask(action, self.key, sender, "POST", "/v2/enqueue", body) is Outcome.UNKNOWN:
            assert time.monotonic() < deadline, f"{action} was not taken for {PATIENCE:.0f} s"
            time.sleep(self.dice.uniform(*PAUSES))

    def _change(self, kind: str, person: str, about: str = "", **part: object) -> None:
        incident = self.id or self._find(person)
        body = {"incident": {"type": "incident_reference", **part}}
        deadline, path = time.monotonic() + _GIVES_UP, f"/incidents/{incident}"
        while self.asking.ask(kind, self.key, f"person:{person}", "PUT", path, body, about) is Outcome.UNKNOWN:
            if time.monotonic() > deadline:
                return
            time.sleep(self.dice.uniform(*PAUSES))

    def _find(self, person: str) -> str:
        """Return the incident's id, as whoever was paged knows it."""
        found = self.asking.get(person, f"/incidents?date_range=all&incident_key={self.key}", lambda a: a["incidents"])
        self.id = str(found[0]["id"])
        return self.id
