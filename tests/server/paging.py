"""A house whose people have other channels: webhooks of one server on this machine, which a test scripts."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from desktop.server.tables.messages import messages
from tests.fakes.http import Answer, ScriptedServer
from tests.server.house import TEAM, House, running_house

SECOND = timedelta(seconds=1)


def team(web: str) -> str:
    """Return a team in which Ana has two addresses, Ben and the director one, and Cho one that is a secret."""
    hook = web.replace("http", "json", 1)
    return (
        TEAM.replace('id = "ana"', f'id = "ana"\nnotify = ["{hook}/ana1", "{hook}/ana2"]')
        .replace('id = "ben"', f'id = "ben"\nnotify = ["{hook}/ben1"]')
        .replace('id = "cho"', 'id = "cho"\nnotify = ["env:WB_TEST_CHO"]')
        .replace('name = "Duty director"', f'name = "Duty director"\nnotify = ["{hook}/director"]')
        + '[channels]\nincidents = "env:WB_TEST_INCIDENTS"\n'
    )


def reachable(document: str, web: str, twice: str) -> str:
    """Return the team ``document`` (of Ana, Ben, Cho and Dora) with an address for everybody, two for ``twice``."""
    hook = web.replace("http", "json", 1)
    for name in ("ana", "ben", "cho", "dora"):
        addresses = [f"{hook}/{name}", *([f"{hook}/{name}2"] if name == twice else ())]
        document = document.replace(f'id = "{name}"', f'id = "{name}"\nnotify = {json.dumps(addresses)}')
    return document


@dataclass
class Office:
    """A house, and the server at which its messages arrive."""

    house: House
    web: ScriptedServer

    def begin_again(self) -> None:
        """Forget what was sent, and take whatever comes."""
        self.web.asked.clear()
        self.web.answer = lambda _: Answer()

    def after(self, seconds: float) -> list[str]:
        """Let ``seconds`` pass, have everything done that is due, and return where messages went, in order."""
        self.house.clock.forward(seconds * SECOND)
        self.house.server.messenger.tick()
        self.seen = [asked.path.strip("/") for asked in self.web.asked]
        self.last = [json.loads(asked.body) for asked in self.web.asked]
        self.web.asked.clear()
        return self.seen

    def said_to(self, path: str) -> str:
        """Return what was said at ``path`` in what was sent last, all of it."""
        told = (each for seen, each in zip(self.seen, self.last, strict=True) if seen == path)
        return "\n".join(f"{each['title']}\n{each['message']}" for each in told)

    def rows(self, key: str) -> list[Any]:
        """Return the messages of the incident called ``key``, oldest first."""
        asked = select(messages).where(messages.c.incident_id == self.house.incident(key)["id"])
        with self.house.server.storage.read() as connection:
            return list(connection.execute(asked.order_by(messages.c.id)).all())

    def confirm(self, key: str, *types: str, person: str = "ana", page: int | None = None) -> int:
        """Confirm a page as the application of ``person`` does; return the status of the answer."""
        incident = self.house.incident(key)
        number = incident["watchbell"]["pages"] if page is None else page
        body = {"receipts": [{"incident": incident["id"], "page": number, "type": kind} for kind in types]}
        return self.house.call("POST", "/watchbell/v1/receipts", body, person=person).status_code

    def clear(self) -> None:
        """Resolve whatever is open, and have all that follows from it done."""
        self.web.answer = lambda _: Answer()
        for incident in self.house.get("/incidents", limit=100)["incidents"]:
            if incident["status"] != "resolved":
                self.house.put(incident["id"], status="resolved")
        self.after(600)


@contextmanager
def office(place: str | Path, written: Callable[[str], str] = team) -> Iterator[Office]:
    """Run both; ``written`` makes the team file out of the address of the other."""
    with ScriptedServer() as web, running_house(place, written(web.url)) as house:
        house.server.messenger.allow_private = True
        house.get("/users/me")
        yield Office(house, web)
