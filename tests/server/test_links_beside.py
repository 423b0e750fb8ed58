"""Links beside others: two servers at once, a proxy before one, and the log, which shows none."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from desktop import team as teams
from desktop.server import audit, links, schema, tokens
from desktop.server.enqueueing import Enqueue
from desktop.server.links import Link
from desktop.server.logs import OneLine
from desktop.server.roster import Roster
from desktop.server.running import Server
from desktop.server.station import Station
from desktop.server.storage import Storage, resolve
from desktop.server.tables.audit import audit_log
from desktop.server.writer import Work, Writer
from tests.postgresql import Cluster
from tests.server.house import TEAM, Clock, running_server
from tests.server.linking import PUBLIC, at_once, event, secret_of
from tests.server.serving import serve


@pytest.mark.parametrize("action", ["acknowledge", "escalate"])
def test_two_servers_at_once_act_once(postgresql: Cluster, action: str) -> None:
    place, clock, total = postgresql.ready(), Clock(), 12
    with running_server(place, TEAM, clock) as first, running_server(place, TEAM, clock) as second:
        key = tokens.create(place, service="payments")
        for n in range(total):
            first.writer.run(Enqueue(first.station, event(key, n)))
        for link in issued_for_all(first, action):
            acts = [partial(server.writer.run, partial(act, server, link=link)) for server in (first, second)]
            assert sorted(at_once(acts)) == [False, True]
        with first.storage.read() as connection:
            kinds = list(connection.execute(select(schema.log_entries.c.type)).scalars())
            done = list(connection.execute(select(audit_log.c.action)).scalars())
    assert (kinds.count(action), done.count(f"link.{action}")) == (total, total)
    postgresql.drop(place)


def act(server: Server, work: Work, link: Link) -> bool:
    return links.act(server.station, work, link, "")


def issued_for_all(server: Server, action: str) -> list[Link]:
    with server.storage.write() as connection:
        names = connection.execute(select(schema.incidents.c.id)).scalars().all()
        urls = [links.issue(connection, name, "ana", action, server.station.clock(), PUBLIC) for name in names]
        found = [links.find(connection, secret_of(url)) for url in urls]
    return [link for link in found if link is not None]


def test_no_log_shows_a_link_and_behind_a_proxy_its_person_has_an_address(tmp_path: Path) -> None:
    team, database = tmp_path / "team.toml", f"sqlite:///{tmp_path / 'w.db'}"
    team.write_text(TEAM)
    with serve(team=team, database=database, verbose=True, public_url=PUBLIC, behind_proxy=["127.0.0.1"]) as running:
        here = running.ready()
        url = issued_beside(database)
        path = url.removeprefix(PUBLIC)
        ways = [("HEAD", path), ("GET", path), ("GET", f"{path}x"), ("PUT", path), ("POST", path), ("POST", path),
                ("GET", f"/x{path}"), ("GET", path.replace("wb_", "wb%5F"))]  # fmt: skip
        headers = {"Host": "pager.example.com", "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
        with requests.Session() as session:
            session.trust_env = False
            asked = [session.request(method, here + way, headers=headers, timeout=10, allow_redirects=False)
                     for method, way in ways]  # fmt: skip
        _, log = running.end(signal.SIGTERM)
    assert [answer.status_code for answer in asked] == [200, 200, 404, 405, 303, 303, 401, 200]
    assert '"level": "debug"' in log
    assert secret_of(url)[3:19] not in log
    with opened(database) as storage, storage.read() as connection:
        line = audit.read(connection, audit.Asked(None, None, 1, 0))[0][0]
    assert (line["actor"], line["address"], line["action"]) == ("person:ana", "203.0.113.7", "link.acknowledge")


@contextmanager
def opened(database: str) -> Iterator[Storage]:
    storage = Storage(resolve(database))
    try:
        yield storage
    finally:
        storage.close()


def issued_beside(database: str) -> str:
    """Open an incident beside a running server, and return a link for it."""
    with opened(database) as storage:
        roster = Roster(teams.parse(TEAM, "team.toml"))
        writer = Writer(storage)
        writer.start()
        station = Station(storage, writer, roster)
        key = tokens.create(database, service="payments")
        writer.run(Enqueue(station, event(key, 1)))
        writer.close()
        with storage.write() as connection:
            incident = connection.execute(select(schema.incidents.c.id)).scalar_one()
            return links.issue(connection, incident, "ana", "acknowledge", station.clock(), PUBLIC)


def test_a_fault_that_names_the_path_shows_no_secret() -> None:
    record = logging.LogRecord("x", logging.ERROR, "", 0, "internal fault", (), None)
    record.fields = {"path": f"/link/wb_{'a' * 52}"}
    assert "aaa" not in OneLine().format(record)
