"""Of what waits for one address the gravest page goes first, what is about one incident in its order."""

import json
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from desktop.channels.text import Text
from desktop.domain.severity import Mapped, Severity
from desktop.server import dispatch, incidents, outbox, schema, turns
from desktop.server.outbox import Kind, Message
from desktop.server.running import Server
from desktop.server.writer import Work
from tests.fakes.http import Answer
from tests.postgresql import Cluster
from tests.server.house import Clock, running_server
from tests.server.paging import SECOND, Office, office, team

MANY = turns._LOOK + 10


@pytest.fixture(scope="module")
def built(shared_database: str) -> Iterator[Office]:
    with office(shared_database) as found:
        yield found


@pytest.fixture
def desk(built: Office) -> Iterator[Office]:
    yield built
    built.clear()


def wait_for(desk: Office, key: str, severity: str) -> None:
    """Let a page of another incident wait for Ana's first address, one second after what waits already."""
    desk.house.clock.forward(SECOND)
    desk.house.enqueue(key=key, severity=severity, summary=key)
    desk.house.server.messenger._prepare()


def said(desk: Office) -> list[str]:
    """Have all sent that is due, and return what it was, in order."""
    desk.web.asked.clear()
    desk.house.server.messenger.tick()
    return [json.loads(asked.body)["title"] for asked in desk.web.asked]


def test_a_graver_page_is_the_next_however_many_wait(desk: Office) -> None:
    for number in range(MANY):
        desk.house.enqueue(key=f"mild{number}", severity="warning", summary=f"mild{number}")
    desk.house.server.messenger._prepare()
    for key, severity in {"high": "error", "worst": "critical", "second": "critical"}.items():
        wait_for(desk, key, severity)
    titles = said(desk)
    assert titles[:3] == ["[SEV-0] worst", "[SEV-0] second", "[SEV-1] high"]
    assert titles[3:] == [f"[SEV-2] mild{number}" for number in range(MANY)]


def test_what_was_raised_meanwhile_goes_as_what_it_is_now(desk: Office) -> None:
    wait_for(desk, "first", "error")
    wait_for(desk, "raised", "warning")
    with desk.house.server.storage.write() as connection:
        raised = schema.incidents
        connection.execute(raised.update().where(raised.c.dedup_key == "raised").values(severity=0))
    assert said(desk) == ["[SEV-0] raised", "[SEV-1] first"]


def test_a_page_that_is_tried_again_goes_first_too(desk: Office) -> None:
    wait_for(desk, "again", "critical")
    desk.web.answer = lambda _: Answer(503)
    assert said(desk) == ["[SEV-0] again"]
    desk.web.answer = lambda _: Answer()
    wait_for(desk, "milder", "warning")
    desk.house.clock.forward(2 * SECOND)
    assert said(desk) == ["[SEV-0] again", "[SEV-2] milder"]


def test_a_stand_down_follows_its_page_and_whoever_is_called_comes_first(desk: Office) -> None:
    wait_for(desk, "over", "critical")
    assert said(desk) == ["[SEV-0] over"]
    desk.house.put(desk.house.incident("over")["id"], "ben", status="resolved")
    wait_for(desk, "milder", "error")
    wait_for(desk, "new", "critical")
    assert said(desk) == ["[SEV-0] new", "Stand down: over", "[SEV-1] milder"]


def test_what_is_about_no_incident_waits_for_grave_pages_only(desk: Office) -> None:
    station = desk.house.server.station
    wait_for(desk, "mild", "warning")
    station.writer.run(
        lambda work: outbox.to_person(
            work.connection, station.roster, "ana", "told", Text("Handover done", "b"), station.clock(), most=1
        )
    )
    wait_for(desk, "high", "error")
    assert said(desk) == ["[SEV-1] high", "Handover done", "[SEV-2] mild"]


def test_what_is_about_one_incident_keeps_its_order(desk: Office) -> None:
    server, text = desk.house.server, Text("said before", "b")
    wait_for(desk, "ordered", "critical")
    name = desk.house.incident("ordered")["id"]
    [page] = desk.rows("ordered")
    early = desk.house.clock() - timedelta(hours=1)
    told = Message("early", Kind.OVERDUE, page.recipient, page.address, early, name, text=text)
    server.writer.run(lambda work: outbox.put(work.connection, [told]))
    wait_for(desk, "another", "critical")
    assert said(desk) == ["said before", "[SEV-0] ordered", "[SEV-0] another"]


def test_what_another_server_took_since_it_was_found_is_left_to_it(desk: Office) -> None:
    station = desk.house.server.station
    wait_for(desk, "found", "critical")
    wait_for(desk, "behind", "critical")
    with station.storage.read() as connection:
        ids = turns.first(connection, station.clock())
    [taken] = station.writer.run(lambda work: dispatch.take(station, work, 9))
    # Neither it, nor what is behind it.
    assert (ids, station.writer.run(lambda work: dispatch.take(station, work, 9, ids))) == ([taken.id], [])
    behind = [row.id for row in desk.rows("behind")]
    assert station.writer.run(lambda work: dispatch.take(station, work, 9, behind)) == []
    desk.house.clock.forward(outbox.LEASE)


def test_a_look_reads_what_waits_once(postgresql: Cluster) -> None:
    """Plans are made while there is hardly anything, and statistics come late: neither may make it read more."""
    place, clock, looks = postgresql.ready(), Clock(), 10
    with running_server(place, team("http://127.0.0.1:9"), clock) as server:
        for _ in range(looks):
            _look(server)
        waiting = 600
        server.writer.run(lambda work: _wait(server, work, waiting))
        for _ in range(looks):
            assert len(_look(server)) == 1
    with psycopg.connect(place.replace("+psycopg", "")) as connection:
        read: dict[str, int] = dict(connection.execute(
            "SELECT relname, seq_tup_read FROM pg_stat_user_tables "
            "UNION ALL SELECT indexrelname, idx_tup_read FROM pg_stat_user_indexes"
        ).fetchall())  # fmt: skip
    postgresql.drop(place)
    assert read["ix_messages_due"] >= looks * waiting
    assert {name: count for name, count in read.items() if count > 3 * looks * waiting} == {}


def _look(server: Server) -> list[int]:
    """Look what is to be sent, as the messenger does, and take none of it."""
    now = server.station.clock()
    with server.storage.read() as connection:
        ids = turns.first(connection, now)
    return [row.id for row in server.writer.run(lambda work: turns.lock(work.connection, ids, now))]


def _wait(server: Server, work: Work, many: int) -> None:
    """Let pages of ``many`` incidents wait for one address."""
    station = server.station
    moment, mapped = station.moment(), Mapped(Severity.SEV2)
    drafts = [incidents.new(station, moment, "payments", f"k{n}", "t", mapped, "engine") for n in range(many)]
    saved = incidents.save(station, work, drafts, moment.now)
    outbox.put(
        work.connection,
        [Message(f"k{r.id}", Kind.PAGE, "person:ana", "a", moment.now, r.id, page=1) for r in saved],
    )
