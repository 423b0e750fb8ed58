"""What people do about one emergency handover, and in what order. On the thread of who tells it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.faults.asking import PAUSES, Asking, Json
from tests.faults.evidence import Outcome
from tests.faults.plans import MANAGER, RINGS

PLACE = "/watchbell/v1/handovers"
_GIVES_UP = 15.0
_CARRIED_WITHIN = 20.0
_BOTH = ("briefing", "access")


@dataclass
class HandoverStory:
    """The handover of the watch of ``giver``, called ``key``; once it is ``hurried``, nobody waits for its end."""

    asking: Asking
    dice: Random
    role: str
    key: str
    giver: str
    age: Callable[[str], None]
    hurried: Callable[[], bool]
    id: str = ""
    latest: Json = field(default_factory=dict)

    def tell(self) -> None:
        """Tell it to one of its ends."""
        if not self._request():
            return
        turns = (self._taken, self._declined, self._cancelled, self._expired, self._both)
        if not any(offer["answer"] for offer in self._look()["offers"]):
            self.dice.choices(turns, (6, 2, 2, 2, 2))[0]()
        else:
            self._confirm(self._asked()[0], _BOTH)
        self._until_over()
        if not self.latest["ended_at"]:
            self._say("cancel", MANAGER)
            self._until_over()

    def _request(self) -> bool:
        """Ask for it, give it or take it, as often as it takes; tell whether it was begun."""
        others = [p for p in RINGS[self.role] if p != self.giver]
        asker = self.giver
        wish: Json = {"kind": "ask"}
        match self.dice.randrange(6):
            case 0:
                asker, wish = MANAGER, {"kind": "give", "giver": {"id": self.giver}}
            case 1:
                asker, wish = self.dice.choice(others), {"kind": "take", "giver": {"id": self.giver}}
            case 2 | 3:
                wish = {"kind": "ask", "receiver": {"id": self.dice.choice(others)}}
        stays = self.role == "manager" or self.dice.random() < 0.5
        body = {"handover": {**wish, "reason": f"{self.key}.", "stays_available": stays, "auto_next": True}}
        deadline = time.monotonic() + _GIVES_UP
        while time.monotonic() < deadline:
            actor = f"person:{asker}"
            outcome, said = self.asking.asked("handover.request", self.key, actor, "POST", PLACE, body, _id)
            if outcome is Outcome.ACCEPTED:
                self.id = _id(said)
            if outcome is not Outcome.UNKNOWN:
                return outcome is Outcome.ACCEPTED
            time.sleep(self.dice.uniform(*PAUSES))
        return False

    def _taken(self) -> None:
        """Whoever is asked first says yes, and confirms it in one of several ways."""
        who, points = self._asked()[0], list(_BOTH[: self.dice.randrange(3)])
        self._wait()
        if self.dice.random() < 0.5:
            self._acknowledge(who)
        self._say("accept", who, " ".join(points), points=points)
        self._confirm(who, [point for point in _BOTH if point not in points])

    def _acknowledge(self, who: str) -> None:
        """Acknowledge the page, which answers nothing."""
        for number, offer in enumerate(self._look()["offers"], 1):
            if offer["user"]["id"] == who and offer["incident"]:
                path, body = f"/incidents/{offer['incident']}", {"incident": {"status": "acknowledged"}}
                self.asking.ask("acknowledge", f"handover:{self.id}:{number}", f"person:{who}", "PUT", path, body)

    def _confirm(self, who: str, points: "list[str] | tuple[str, ...]") -> None:
        for point in points:
            self._wait()
            if self.dice.random() < 0.3:
                self._say("waive", self.dice.choice((MANAGER, self.giver)), point, point=point)
            else:
                self._say("confirm", who, point, point=point)

    def _declined(self) -> None:
        """Everybody says no, but perhaps the last one."""
        for _ in range(4):
            silent = self._silent()
            if not silent:
                return
            if self.dice.random() < 0.25:
                self._say("accept", silent[0], " ".join(_BOTH), points=list(_BOTH))
                return
            self._say("decline", silent[0])
            time.sleep(0.5)

    def _cancelled(self) -> None:
        self._wait()
        self._say("cancel", self.dice.choice((self.giver, MANAGER)))

    def _expired(self) -> None:
        """Nobody answers for two hours, which pass at once; somebody says yes too late."""
        who = self._asked()[0]
        deadline = time.monotonic() + _GIVES_UP
        while time.monotonic() < deadline:
            try:
                self.age(self.id)
                break
            except Exception:  # noqa: BLE001 - the database may be down, or its disk full
                time.sleep(self.dice.uniform(*PAUSES))
        self._say("accept", who, " ".join(_BOTH), points=list(_BOTH))

    def _both(self) -> None:
        """The next one is asked as well, and both say yes."""
        first = self._asked()[0]
        self._say("next", self.giver)
        for who in self.dice.sample(people := self._asked(), len(people)):
            self._say("accept", who, " ".join(_BOTH), points=list(_BOTH))
        self._confirm(first, ())

    def _asked(self) -> list[str]:
        """Return whom it was offered to: there is somebody, soon."""
        found = self.asking.get(MANAGER, f"{PLACE}/{self.id}", lambda a: _offered(a["handover"]) or _over(a))
        return found if isinstance(found, list) else [self.giver]

    def _silent(self) -> list[str]:
        return [o["user"]["id"] for o in self._look()["offers"] if not o["answer"]]

    def _look(self) -> Json:
        self.latest = self.asking.get(MANAGER, f"{PLACE}/{self.id}", lambda answer: answer["handover"])
        return self.latest

    def _until_over(self) -> None:
        deadline = time.monotonic() + _CARRIED_WITHIN
        while not self._look()["ended_at"] and time.monotonic() < deadline and not self.hurried():
            time.sleep(self.dice.uniform(*PAUSES))

    def _say(self, what: str, who: str, about: str = "", **body: object) -> None:
        deadline, path = time.monotonic() + _GIVES_UP, f"{PLACE}/{self.id}/{what}"
        kind, actor = f"handover.{what}", f"person:{who}"
        while self.asking.ask(kind, self.id, actor, "POST", path, body, about) is Outcome.UNKNOWN:
            if time.monotonic() > deadline:
                return
            time.sleep(self.dice.uniform(*PAUSES))

    def _wait(self) -> None:
        time.sleep(self.dice.uniform(0, 1))


def _id(answer: Json) -> str:
    return str(answer["handover"]["id"]) if answer else ""


def _offered(handover: Json) -> list[str]:
    return [str(offer["user"]["id"]) for offer in handover["offers"]]


def _over(answer: Json) -> bool:
    return bool(answer["handover"]["ended_at"])
