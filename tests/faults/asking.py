"""Asks the servers, one after the other, as whoever it is; keeps what was asked. On the thread of who asks."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import requests

from tests.faults.evidence import Attempt, Outcome

Json = dict[str, Any]

# Senders never give up; a run in which nobody is taken for so long has failed.
PATIENCE = 90.0
PAUSES = (0.2, 0.7)
_TIMEOUTS = (2, 6)


@dataclass
class Asking:
    """Asks with one ``session``; ``attempts`` grows by each request that changes something."""

    urls: Sequence[str]
    tokens: Mapping[str, str]
    session: requests.Session
    dice: Random
    attempts: list[Attempt]

    def ask(self, kind: str, key: str, actor: str, method: str, path: str, body: Json, about: str = "") -> Outcome:
        """Ask once for what is called ``kind``; return what is known of it."""
        return self.asked(kind, key, actor, method, path, body, lambda _: about)[0]

    def asked(
        self, kind: str, key: str, actor: str, method: str, path: str, body: Json, about: Callable[[Json], str]
    ) -> tuple[Outcome, Json]:
        """Ask once; return what is known of it, and the answer. ``about`` says what an answer is about."""
        began = time.time()
        answer = self.send(actor, method, path, body, {"Idempotency-Key": key})
        status = 0 if answer is None else answer.status_code
        outcome = {2: Outcome.ACCEPTED, 4: Outcome.REFUSED}.get(status // 100, Outcome.UNKNOWN)
        said = answer.json() if answer is not None and outcome is Outcome.ACCEPTED and answer.content else {}
        self.attempts.append(Attempt(kind, key, actor, began, time.time(), outcome, status, about(said)))
        return outcome, said

    def get(self, person: str, path: str, found: Callable[[Json], Any]) -> Any:
        """Look until there is something: what ``found`` makes of an answer."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = self.send(f"person:{person}", "GET", path)
            if answer is not None and answer.status_code == 200 and (it := found(answer.json())):
                return it
            time.sleep(self.dice.uniform(*PAUSES))
        raise AssertionError(f"nobody finds {path}")

    def send(
        self, actor: str, method: str, path: str, body: Json | None = None, more: Mapping[str, str] | None = None
    ) -> requests.Response | None:
        """Ask one of the servers; None when the connection died, or there was none."""
        kind, _, person = actor.partition(":")
        headers = {"Authorization": f"Token token={self.tokens[person]}", **(more or {})} if kind == "person" else {}
        url = self.dice.choice(self.urls) + path
        try:
            return self.session.request(method, url, json=body, headers=headers, timeout=_TIMEOUTS)
        except requests.RequestException:
            return None
