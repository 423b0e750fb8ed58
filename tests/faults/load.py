"""The load: senders that repeat until they are answered, and people who act on what pages them. A thread for each."""

import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import requests

from tests.faults.evidence import Attempt, Outcome
from tests.faults.plans import KEY, RESPONDERS, SERVICE, WORDS

Json = dict[str, Any]

SENDER = f"service:{SERVICE}"
_TIMEOUTS = (2, 6)
_PAUSES = (0.2, 0.7)
# Senders never give up; a run in which nobody is taken for so long has failed.
_PATIENCE = 90.0
# A person does: then it is unknown what became of it.
_GIVES_UP = 20.0


@dataclass
class Load:
    """Tells the stories of incidents ``k0``, ``k1``, … to the servers at ``urls``, until ``enough`` of how many say so.

    ``attempts`` is all that was asked, ``failures`` what went wrong with the load itself.
    """

    seed: int
    urls: Sequence[str]
    tokens: Mapping[str, str]
    enough: Callable[[int], bool]
    attempts: list[Attempt] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

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
                try:
                    Story(self, session, f"k{number}", Random(f"{self.seed}/{number}")).tell()
                except Exception as error:  # noqa: BLE001 - shown at the end of the run, with its seed
                    self.failures.append(f"k{number}: {error!r}")


@dataclass
class Story:
    """What happens to one incident."""

    load: Load
    session: requests.Session
    key: str
    dice: Random
    id: str = ""

    def tell(self) -> None:
        """Tell it from its trigger to whatever is its end."""
        severity = self.dice.choice(tuple(WORDS))
        self._event("trigger", severity)
        for _ in range(self.dice.choice((0, 0, 1, 2))):
            self._wait(2)
            self._event("trigger", severity)
        turn = self.dice.choices(
            (self._nobody, self._answered, self._escalated, self._passing, self._seen_to), weights=(6, 8, 3, 2, 1)
        )
        turn[0](severity)

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
        self._change("escalate", self._somebody(), escalation_level=2)

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

    def _somebody(self) -> str:
        return self.dice.choice(RESPONDERS)

    def _wait(self, longest: float) -> None:
        time.sleep(self.dice.uniform(0, longest))

    def _event(self, action: str, severity: str = "") -> None:
        body: Json = {"routing_key": KEY, "event_action": action, "dedup_key": self.key}
        if action == "trigger":
            body["payload"] = {"summary": f"trouble {self.key}", "source": "faults", "severity": severity}
        deadline = time.monotonic() + _PATIENCE
        while self._ask(action, SENDER, "POST", "/v2/enqueue", body) is Outcome.UNKNOWN:
            assert time.monotonic() < deadline, f"{action} was not taken for {_PATIENCE:.0f} s"
            time.sleep(self.dice.uniform(*_PAUSES))

    def _change(self, kind: str, person: str, **part: object) -> None:
        incident = self.id or self._find(person)
        body = {"incident": {"type": "incident_reference", **part}}
        deadline = time.monotonic() + _GIVES_UP
        while self._ask(kind, f"person:{person}", "PUT", f"/incidents/{incident}", body) is Outcome.UNKNOWN:
            if time.monotonic() > deadline:
                return
            time.sleep(self.dice.uniform(*_PAUSES))

    def _find(self, person: str) -> str:
        """Return the incident's id, as whoever was paged knows it."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            answer = self._send(f"person:{person}", "GET", f"/incidents?date_range=all&incident_key={self.key}")
            if answer is not None and answer.status_code == 200 and (found := answer.json()["incidents"]):
                self.id = found[0]["id"]
                return self.id
            time.sleep(self.dice.uniform(*_PAUSES))
        raise AssertionError("accepted, and nobody finds it")

    def _ask(self, kind: str, actor: str, method: str, path: str, body: Json) -> Outcome:
        began = time.time()
        answer = self._send(actor, method, path, body)
        status = 0 if answer is None else answer.status_code
        outcome = {2: Outcome.ACCEPTED, 4: Outcome.REFUSED}.get(status // 100, Outcome.UNKNOWN)
        self.load.attempts.append(Attempt(kind, self.key, actor, began, time.time(), outcome, status))
        return outcome

    def _send(self, actor: str, method: str, path: str, body: Json | None = None) -> requests.Response | None:
        """Ask one of the servers; None when the connection died, or there was none."""
        kind, _, person = actor.partition(":")
        headers = {"Authorization": f"Token token={self.load.tokens[person]}"} if kind == "person" else {}
        url = self.dice.choice(self.load.urls) + path
        try:
            return self.session.request(method, url, json=body, headers=headers, timeout=_TIMEOUTS)
        except requests.RequestException:
            return None
