"""One team and its watch, for the tests of handovers and acting primaries: what people do, by HTTP."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import requests
from sqlalchemy import delete, insert, select

from desktop.server import additions
from desktop.server.running import Server
from desktop.server.tables import metadata
from desktop.server.tables.additions import absences
from desktop.server.tables.audit import audit_log
from tests.server.house import MINUTE, START, House, Json, assigned

__all__ = ["GRANTED", "MINUTE", "TEAM", "Watch", "anew", "wipe"]

# What a team is and who may come in stays; whatever happened goes, what refers to something before that.
_STAYS = {
    "meta",
    "alembic_version",
    "counters",
    "team",
    "team_files",
    "people",
    "services",
    "tokens",
    "policies",
    "audit",
}
_LEFT = [table for table in reversed(metadata.sorted_tables) if table.name not in _STAYS]

PLACE = "/watchbell/v1/handovers"
GRANTED = [("GET", PLACE), ("POST", PLACE), ("POST", f"{PLACE}/H1/accept"), ("GET", "/watchbell/v1/acting")]

# Cho is primary and Ben secondary in the week in which the tests begin; Ana was primary before.
TEAM = """
time_zone = "UTC"
[[people]]
id = "ana"
name = "Ana Ruiz"
access = "admin"
[[people]]
id = "ben"
name = "Ben Okafor"
[[people]]
id = "cho"
name = "Cho Lee"
[[people]]
id = "dora"
name = "Dora Weil"
access = "manager"
[[people]]
id = "eve"
name = "Eve Berg"
certified = false
[rotation.primary]
members = ["ana", "cho", "ben"]
start = 2025-12-29T09:00:00
every = "1 week"
[rotation.secondary]
members = ["cho", "ben", "ana"]
start = 2025-12-29T09:00:00
every = "1 week"
[rotation.manager]
members = ["dora"]
start = 2025-12-29T09:00:00
every = "1 week"
[[services]]
id = "payments"
name = "Payments"
"""


@dataclass
class Watch:
    """What people do about the watch of a house; ``latest`` is the handover that was asked for last."""

    house: House
    latest: str = ""

    def __post_init__(self) -> None:
        self.began = self.house.clock()

    def at(self, by: timedelta = timedelta(0)) -> str:
        """Return the present instant, or one ``by`` later, as the API writes it."""
        return (self.house.clock() + by).isoformat().replace("+00:00", "Z")

    def answer(self, who: str, key: str = "", **wish: Any) -> requests.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return self.house.call("POST", PLACE, {"handover": wish}, person=who, headers=headers)

    def ask(self, who: str, reason: str = "a fever", **wish: Any) -> Json:
        """Ask for a handover; return it."""
        answer = self.answer(who, reason=reason, **wish)
        assert answer.status_code == 201, answer.text
        self.latest = str(answer.json()["handover"]["id"])
        return dict(answer.json()["handover"])

    def say(self, who: str, what: str, of: str = "", **body: Any) -> requests.Response:
        return self.house.call("POST", f"{PLACE}/{of or self.latest}/{what}", body, person=who)

    def do(self, who: str, what: str, of: str = "", **body: Any) -> Json:
        """Let somebody do something about the latest handover (or ``of`` another); return what it became."""
        answer = self.say(who, what, of, **body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["handover"])

    def refused(self, who: str, what: str) -> int:
        """Let somebody do what they are refused; return the status."""
        answer = self.say(who, what)
        assert answer.json()["error"]["errors"], answer.text
        return answer.status_code

    def shown(self) -> Json:
        """Return the latest handover."""
        return dict(self.house.get(f"{PLACE}/{self.latest}")["handover"])

    def offered(self, handover: Json | None = None) -> list[str]:
        return [offer["user"]["id"] for offer in (handover or self.shown())["offers"]]

    def page(self, who: str) -> Json:
        """Return the incident by which somebody is offered the latest watch."""
        found = next(o["incident"] for o in self.shown()["offers"] if o["user"]["id"] == who)
        return dict(self.house.get(f"/incidents/{found}")["incident"])

    def on_call(self, role: str = "primary") -> str:
        """Return who has ``role``: there must be exactly one."""
        found = self.house.get("/oncalls", **{"schedule_ids[]": role, "limit": 100})["oncalls"]
        people = {entry["user"]["id"] for entry in found}
        assert len(people) == 1, people
        return str(people.pop())

    def incident(self, key: str, **payload: Any) -> str:
        """Return the id of a new incident (SEV-0)."""
        self.house.enqueue(key=key, **payload)
        return str(self.house.incident(key)["id"])

    def assigned(self, incident: str) -> list[str]:
        return assigned(self.house.get(f"/incidents/{incident}")["incident"])

    def later(self, by: timedelta = timedelta(0)) -> None:
        """Move the clock and do what is due then."""
        self.house.clock.forward(by)
        self.house.server.watchkeeper.tick()
        self.house.server.engine.tick()
        self.house.server.watchkeeper.tick()

    def override(
        self, who: str, role: str = "primary", start: timedelta = timedelta(0), end: timedelta = timedelta(days=9)
    ) -> None:
        now = self.house.clock()
        part = {"start": (now + start).isoformat(), "end": (now + end).isoformat(), "user": {"id": who}}
        answer = self.house.call("POST", f"/schedules/{role}/overrides", {"override": part}, person="dora")
        assert answer.status_code == 201, answer.text

    def absent(self, who: str, start: timedelta, end: timedelta) -> None:
        """Let somebody be away: until there is an endpoint for that, by a row."""
        now = self.house.clock()
        row = {"id": f"A-{who}", "person_id": who, "starts_at": now + start, "ends_at": now + end, "announced_at": now}
        with self.house.server.storage.write() as connection:
            connection.execute(
                insert(absences).values(**row, confirmed_at=now, created_at=now, created_by="person:dora")
            )
            additions.advance(connection)
        self.house.server.station.refresh()

    def audit(self) -> list[Json]:
        """Return the audit log of this test, oldest first, without the tokens that the house made."""
        with self.house.server.storage.read() as connection:
            table = audit_log
            rows = connection.execute(
                select(table).where(table.c.actor != "operator", table.c.at >= self.began).order_by(table.c.id)
            )
            return [dict(row._mapping) for row in rows]


def anew(house: House) -> Watch:
    """Return the watch of a house three weeks on, when everybody has the same turn again and nothing is open."""
    house.clock.forward(timedelta(days=21))
    house.clock.now = house.clock.now.replace(hour=18, minute=0, second=0)
    house.clock.forward(timedelta(days=-((house.clock.now.date() - START.date()).days % 21)))
    wipe(house.server)
    house.server.engine.tick()
    return Watch(house)


def wipe(server: Server) -> None:
    """Let nothing be open, and nothing changed in the schedule."""
    with server.storage.write() as connection:
        for table in _LEFT:
            connection.execute(delete(table))
        additions.advance(connection)
    server.station.refresh()
