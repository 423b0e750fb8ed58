"""A server within the test process: real rows, real HTTP on a free port, a clock that the test moves.

The engine does not run by itself: ``tick`` does what it would do, so that nothing has to be waited for.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import uvicorn
from sqlalchemy import select

from desktop import team as teams
from desktop.domain.team import Contact
from desktop.server import applying, schema, storage, tokens
from desktop.server.app import create_app
from desktop.server.emergency import contact_id
from desktop.server.limits import Limits, Requests
from desktop.server.roster import Roster
from desktop.server.running import Server
from desktop.server.tables.messages import pages

Json = dict[str, Any]

START = datetime(2026, 1, 7, 18, 0, tzinfo=UTC)  # Wednesday, ten in the morning in Los Angeles
MINUTE = timedelta(minutes=1)

TEAM = """
time_zone = "America/Los_Angeles"
[[people]]
id = "ana"
name = "Ana Ruiz"
email = "ana@example.com"
[[people]]
id = "ben"
name = "Ben Okafor"
[[people]]
id = "cho"
name = "Cho Lee"
access = "manager"
[rotation.primary]
members = ["ana", "ben"]
start = 2026-01-05T09:00:00
every = "1 week"
[rotation.secondary]
members = ["ben", "ana"]
start = 2026-01-05T09:00:00
every = "1 week"
[rotation.manager]
members = ["cho"]
start = 2026-01-05T09:00:00
every = "1 week"
[[emergency_contacts]]
name = "Duty director"
[[services]]
id = "payments"
name = "Payments"
runbook = "https://runbooks.example.com/payments"
[[services]]
id = "batch"
name = "Nightly batch"
severity = "sev3"
"""


DIRECTOR = contact_id(Contact("Duty director"))
"""The id of the emergency contact of ``TEAM``."""


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


@dataclass
class House:
    """A running server and the ways in: as Ana, as Ben, as the integration of Payments."""

    server: Server
    clock: Clock
    url: str
    database: str
    tokens: dict[str, str]
    key: str
    session: requests.Session = field(default_factory=requests.Session)

    def call(
        self, method: str, path: str, body: object = None, *, person: str = "ana", **more: Any
    ) -> requests.Response:
        headers = {"Authorization": f"Token token={self.tokens[person]}"} if person else {}
        headers |= more.pop("headers", {})
        data = more.pop("data", None if body is None else json.dumps(body))
        return self.session.request(method, self.url + path, data=data, headers=headers, timeout=10, **more)

    def get(self, path: str, **params: Any) -> Json:
        response = self.call("GET", path, params=params)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def event(self, action: str = "trigger", key: str | None = None, **payload: Any) -> Json:
        body: Json = {"routing_key": self.key, "event_action": action}
        if key is not None:
            body["dedup_key"] = key
        if action == "trigger":
            body["payload"] = {"summary": "db down", "source": "db1", "severity": "critical", **payload}
        return body

    def enqueue(self, action: str = "trigger", key: str | None = None, **payload: Any) -> str:
        response = self.call("POST", "/v2/enqueue", self.event(action, key, **payload), person="")
        assert response.status_code == 202, response.text
        return str(response.json()["dedup_key"])

    def incident(self, key: str) -> Json:
        found = self.get("/incidents", incident_key=key, date_range="all")["incidents"]
        assert len(found) == 1, found
        return dict(found[0])

    def put(self, name: str, person: str = "ana", **part: Any) -> requests.Response:
        return self.call(
            "PUT", f"/incidents/{name}", {"incident": {"type": "incident_reference", **part}}, person=person
        )

    def tick(self, by: timedelta = timedelta(0)) -> int:
        """Move the clock and do what is due then."""
        self.clock.forward(by)
        return self.server.engine.tick()

    def history(self, incident: str) -> list[tuple[str, Json]]:
        """Return the incident's log entries, oldest first."""
        with self.server.storage.read() as connection:
            entries = schema.log_entries.c
            rows = connection.execute(
                select(entries.type, entries.data).where(entries.incident_id == incident).order_by(entries.id)
            )
            return [(row.type, row.data) for row in rows]


def last_paged(house: House, incident: str) -> list[str]:
    """Return who was paged last by rows that messages follow from."""
    with house.server.storage.read() as connection:
        asked = select(pages.c.number, pages.c.person_id).where(pages.c.incident_id == incident)
        rows = connection.execute(asked).all()
    last = max(row.number for row in rows)
    return sorted(row.person_id for row in rows if row.number == last)


def assigned(incident: Json) -> list[str]:
    return [a["assignee"]["id"] for a in incident["assignments"]]


@contextmanager
def running_house(place: Path | str, text: str = TEAM, clock: Clock | None = None) -> Iterator[House]:
    """Run a server on the database ``place`` (a URL, or a folder for SQLite); what was there before is taken up."""
    clock = clock or Clock()
    with running_server(place, text, clock) as server, _http(server) as url:
        database = _url(place)
        people = {p.id: tokens.create(database, person=p.id) for p in server.station.roster.team.people}
        key = tokens.create(database, service=next(iter(server.station.roster.services)))
        house = House(server, clock, url, database, people, key)
        house.session.trust_env = False
        try:
            yield house
        finally:
            house.session.close()


@contextmanager
def running_server(place: Path | str, text: str, clock: Callable[[], datetime]) -> Iterator[Server]:
    """Run all of a server but HTTP and the engine's thread."""
    opened = storage.Storage(storage.resolve(_url(place)))
    opened.migrate()
    roster = Roster(teams.parse(text, "team.toml"))
    with opened.write() as connection:
        applying.apply(connection, roster, text, "team.toml", clock())
    server = Server(opened, roster, clock)
    # Tests ask more in a second than people do in a minute; what is tested of the limits sets them.
    server.station.limits = Limits(Requests(1_000_000))
    server.begin()
    try:
        yield server
    finally:
        server.stop()


def _url(place: Path | str) -> str:
    return place if isinstance(place, str) else f"sqlite:///{place / 'watchbell.db'}"


@contextmanager
def _http(server: Server) -> Iterator[str]:
    config = uvicorn.Config(
        create_app(server.station, server.hub),
        proxy_headers=False,
        port=0,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=3,
    )
    http = _Http(config, server)
    thread = threading.Thread(target=http.run, name="house")
    thread.start()
    try:
        assert http.ready.wait(10)
        yield http.url
    finally:
        http.should_exit = True
        http.end_streams()
        thread.join()


class _Http(uvicorn.Server):
    """uvicorn on a thread, which says when it listens."""

    def __init__(self, config: uvicorn.Config, server: Server) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.url = ""
        self._watchbell = server

    async def startup(self, sockets: Any = None) -> None:
        self._watchbell.hub.start(self._watchbell.station)
        await super().startup(sockets)
        self.url = f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}"
        self._watchbell.station.reached_at(self.url)
        self.ready.set()

    def end_streams(self) -> None:
        self._watchbell.hub.close()
