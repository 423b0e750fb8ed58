"""What happens to the watch meanwhile: overrides, absences, handovers, maintenance, one after the other. A thread.

Each leaves the watch as the rotation has it, so that whoever is on call changes again and again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event, Thread

import requests

from tests.faults.asking import PAUSES, Asking, Json
from tests.faults.evidence import Attempt, Outcome
from tests.faults.handover_story import HandoverStory
from tests.faults.plans import MANAGER, RINGS, ROLES, SERVICES
from tests.faults.traces import Sighting

_GIVES_UP = 12.0
_SHIFT = timedelta(hours=1)
_LOOKS = (0.1, 0.5)
_DAN = f"person:{MANAGER}"


@dataclass
class Shifts:
    """Changes who has one of ``roles``, until it is stopped; ``age`` lets a handover be old.

    ``absences``: people may be away meanwhile, which changes the other roles too.
    """

    name: str
    dice: Random
    urls: Sequence[str]
    tokens: Mapping[str, str]
    roles: Sequence[str]
    pause: float
    age: Callable[[str], None]
    absences: bool
    attempts: list[Attempt] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stopping = Event()
        self._thread = Thread(target=self._run, name=self.name)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let it end what it is at, and no more."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            self._asking = Asking(self.urls, self.tokens, session, self.dice, self.attempts)
            number = 0
            while not self._stopping.wait(self.dice.uniform(0, 2 * self.pause)):
                number += 1
                try:
                    self._one(number)
                except Exception as error:  # noqa: BLE001 - shown at the end of the run, with its seed
                    self.failures.append(f"{self.name}-{number}: {error!r}")

    def _one(self, number: int) -> None:
        role = self.dice.choice(self.roles)
        turns: list[tuple[float, Callable[[], None]]] = [
            (3, lambda: self._override(role)),
            (5, lambda: self._handover(role, f"{self.name}-{number}")),
            (2, self._away if self.absences else self._maintain),
        ]
        self.dice.choices([turn for _, turn in turns], [weight for weight, _ in turns])[0]()
        self._as_it_was(role)

    def _override(self, role: str) -> None:
        holder, now = self._holder(role), datetime.now(UTC)
        who = self.dice.choice([p for p in RINGS[role] if p != holder])
        part = {"start": _said(now), "end": _said(now + _SHIFT), "user": {"id": who, "type": "user_reference"}}
        self._insist("override", "POST", f"/schedules/{role}/overrides", {"override": part})
        self._wait()

    def _away(self) -> None:
        """Somebody is away: a manager says yes, so that it holds at once."""
        who, now = self._holder(self.dice.choice(self.roles)), datetime.now(UTC)
        part = {"person": who, "start": _said(now), "end": _said(now + _SHIFT)}
        self._insist("absence", "POST", "/watchbell/v1/absences", {"absence": part})
        for absence in self._open_absences():
            self._insist("absence", "POST", f"/watchbell/v1/absences/{absence}/confirm", {})
        self._wait()

    def _maintain(self) -> None:
        now = datetime.now(UTC)
        part = {
            "type": "maintenance_window",
            "start_time": _said(now),
            "end_time": _said(now + timedelta(seconds=self.dice.uniform(4, 12))),
            "services": [{"id": SERVICES[1], "type": "service_reference"}],
        }
        self._insist("window", "POST", "/maintenance_windows", {"maintenance_window": part})

    def _handover(self, role: str, key: str) -> None:
        HandoverStory(self._asking, self.dice, role, key, self._holder(role), self.age, self._stopping.is_set).tell()

    def _as_it_was(self, role: str) -> None:
        """Take back what was made, whoever made it."""
        for override in self._open_overrides(role):
            self._insist("override", "DELETE", f"/schedules/{role}/overrides/{override}", {})
        for absence in self._open_absences() if self.absences else ():
            self._insist("absence", "DELETE", f"/watchbell/v1/absences/{absence}", {})

    def _open_overrides(self, role: str) -> list[str]:
        now = datetime.now(UTC)
        asked = f"since={_said(now)}&until={_said(now + _SHIFT)}&editable=true".replace("+", "%2B")
        found = self._asking.get(MANAGER, f"/schedules/{role}/overrides?{asked}", lambda answer: [answer["overrides"]])
        return [str(override["id"]) for override in found[0]]

    def _open_absences(self) -> list[str]:
        now = datetime.now(UTC)
        asked = f"since={_said(now)}&until={_said(now + _SHIFT)}&limit=100".replace("+", "%2B")
        found = self._asking.get(MANAGER, f"/watchbell/v1/absences?{asked}", lambda answer: [answer["absences"]])
        return [str(absence["id"]) for absence in found[0] if datetime.fromisoformat(absence["end"]) > now]

    def _holder(self, role: str) -> str:
        return str(self._asking.get(MANAGER, _oncalls(role), lambda answer: on_call(answer).get(role))[0])

    def _insist(self, kind: str, method: str, path: str, body: Json) -> None:
        """Ask until it is answered, or for a while."""
        deadline = time.monotonic() + _GIVES_UP
        while self._asking.ask(kind, path, _DAN, method, path, body) is Outcome.UNKNOWN:
            if time.monotonic() > deadline:
                return
            time.sleep(self.dice.uniform(*PAUSES))

    def _wait(self) -> None:
        self._stopping.wait(self.dice.uniform(0, 2 * self.pause))


class Looker:
    """Looks who is on call, again and again, at one server after the other; ``seen`` is what it was told."""

    def __init__(self, urls: Sequence[str], tokens: Mapping[str, str], dice: Random) -> None:
        self.seen: list[Sighting] = []
        self._urls, self._tokens, self._dice = urls, tokens, dice
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="looker")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look away."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            asking = Asking(self._urls, self._tokens, session, self._dice, [])
            while not self._stopping.wait(self._dice.uniform(*_LOOKS)):
                began = time.time()
                answer = asking.send(_DAN, "GET", _oncalls(*ROLES))
                if answer is not None and answer.status_code == 200:
                    self.seen.append(Sighting(began, time.time(), on_call(answer.json())))


def on_call(answer: Json) -> dict[str, list[str]]:
    """Return who has each role, by what ``/oncalls`` answered."""
    found: dict[str, list[str]] = {role: [] for role in ROLES}
    for entry in answer["oncalls"]:
        people = found[entry["schedule"]["id"]]
        if entry["user"]["id"] not in people:
            people.append(entry["user"]["id"])
    return found


def _oncalls(*roles: str) -> str:
    return "/oncalls?limit=100&" + "&".join(f"schedule_ids[]={role}" for role in roles)


def _said(at: datetime) -> str:
    return at.isoformat()
