"""Links for tests: issued, asked for, pressed, and what they leave in the rows. The test's own thread."""

import html
import re
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import requests
from sqlalchemy import select

from desktop.server import links, schema, tokens
from desktop.server.events import Event, parse
from desktop.server.tables.audit import audit_log
from desktop.server.tables.links import links as table
from tests.server.house import House

T = TypeVar("T")


PUBLIC = "https://pager.example.com"


def ask(house: House, method: str, url: str, **headers: str) -> requests.Response:
    path = url.removeprefix(house.url)
    return house.call(method, path, person="", headers=headers, allow_redirects=False)


def issued(house: House, key: str, person: str = "ana", action: str = "acknowledge", **payload: Any) -> str:
    """Trigger an incident with ``key``, unless it is known, and return a link for it."""
    if not house.get("/incidents", incident_key=key, date_range="all")["incidents"]:
        house.enqueue(key=key, **payload)
    incident = house.incident(key)["id"]
    with house.server.storage.write() as connection:
        return links.issue(connection, incident, person, action, house.clock(), house.url)


def press(url: str) -> requests.Response:
    """Press the button of a page, on a connection of its own."""
    with requests.Session() as session:
        session.trust_env = False
        return session.post(url, allow_redirects=False, timeout=10)


def secret_of(url: str) -> str:
    return url.rpartition("/")[2]


def row(house: House, url: str) -> Any:
    with house.server.storage.read() as connection:
        return connection.execute(select(table).where(table.c.hash == tokens.digest_of(secret_of(url)))).one()


def words(response: requests.Response) -> str:
    """Return what a page says, as a person reads it."""
    body = re.sub(r"<style>.*?</style>|<[^>]*>", " ", response.text, flags=re.DOTALL)
    return " ".join(html.unescape(body).split())


def entries(house: House, key: str, kind: str) -> list[Any]:
    found = schema.log_entries
    asked = select(found).where(found.c.incident_id == house.incident(key)["id"], found.c.type == kind)
    with house.server.storage.read() as connection:
        return list(connection.execute(asked.order_by(found.c.id)).all())


def audited(house: House, key: str) -> list[Any]:
    target = f"incident:{house.incident(key)['id']}"
    with house.server.storage.read() as connection:
        return list(connection.execute(select(audit_log).where(audit_log.c.target == target)).all())


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run ``calls`` on threads that begin together, and return their results."""
    together = threading.Barrier(len(calls))
    results: list[T] = []

    def run(call: Callable[[], T]) -> None:
        together.wait(10)
        results.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def event(key: str, n: int) -> Event:
    payload = {"summary": "db down", "source": "db1", "severity": "critical"}
    return parse({"routing_key": key, "event_action": "trigger", "dedup_key": f"k{n}", "payload": payload})
