"""A server that dies between any two steps of a handover: whoever goes on makes the same of it, and nothing twice."""

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from desktop.domain import handover_answers as answers
from desktop.domain.handover import next_action
from desktop.domain.handover_actions import ReadBack
from desktop.domain.handover_effects import applied
from desktop.domain.handover_facts import Handover, Kind, Point
from desktop.domain.handover_request import Wish
from desktop.domain.rotation import on_call
from desktop.domain.team import Override, Role
from desktop.server import handover_doing, handover_rows, handover_scene, handovers, overrides, schema, tokens
from desktop.server.audit import By
from desktop.server.enqueueing import Enqueue
from desktop.server.events import Action, Event
from desktop.server.handovers import Asked
from desktop.server.records import new_id
from desktop.server.running import Server
from desktop.server.tables import additions as added
from desktop.server.tables import handovers as tables
from desktop.server.tables.messages import messages, pages
from desktop.server.writer import Work
from tests.postgresql import Cluster
from tests.server.handing import MINUTE, wipe
from tests.server.handing import TEAM as PEOPLE
from tests.server.house import Clock, running_server

HOUR = timedelta(hours=1)
# Two of them are told by message, too; nobody sends these here.
TEAM = PEOPLE
for name in ("ben", "cho"):
    TEAM = TEAM.replace(f'id = "{name}"', f'id = "{name}"\nnotify = ["json://127.0.0.1:1/{name}"]')
CHO, BEN = By("person:cho"), By("person:ben")


class Killed(BaseException):
    """The process is gone."""


class Mortal:
    """Lets a server die before its ``deadly``-th transaction; sees after each one who has the watch."""

    def __init__(self, deadly: int | None) -> None:
        self.deadly = deadly
        self.done = 0
        self.held: list[str] = []

    @contextmanager
    def watching(self, server: Server) -> Iterator[Server]:
        run = server.writer.run

        def mortal(command: Callable[[Any], Any]) -> Any:
            self.done += 1
            if self.done == self.deadly:
                raise Killed
            result = run(command)
            with server.storage.read() as connection:
                team = handover_rows.team_now(server.station, connection)
            self.held.append(on_call(team, server.station.clock())[Role.PRIMARY].person or "nobody")
            return result

        server.writer.run = mortal  # type: ignore[method-assign]
        try:
            yield server
        finally:
            server.writer.run = run  # type: ignore[method-assign]


def asked(server: Server) -> str:
    """Let Cho ask for a handover; return its id."""
    team = server.station.roster.team
    cho = team.member("cho")
    assert cho is not None
    wish = Wish("H" + new_id()[1:], Kind.ASK, cho, cho, "a fever", auto_next=True)
    return handovers.ask(server.station, CHO, Asked(wish))[0]


def accepted(server: Server, handover: str) -> None:
    """Let Ben accept and confirm."""
    ben = server.station.roster.team.member("ben")
    assert ben is not None

    def deed(facts: Handover, now: Any) -> Handover:
        facts = answers.accept(facts, "ben", now)
        for point in Point:
            facts = handovers.confirmed(facts, ben, point, now)
        return facts

    handovers.say(server.station, BEN, handover, "handover.accept", deed)


def cancelled(server: Server, handover: str) -> None:
    cho = server.station.roster.team.member("cho")
    assert cho is not None
    handovers.say(server.station, CHO, handover, "handover.cancel", lambda facts, now: answers.cancel(facts, cho, now))


Script = Callable[[Server, str], None]


def outcome(server: Server) -> list[list[str]]:
    """Return all that a handover left behind, without what differs each time: ids."""
    found: list[list[str]] = []
    with server.storage.read() as connection:
        for table, columns in (
            (tables.handovers, ("kind", "giver_id", "ended_as", "ended_at", "next_action_at", "cancelled_at")),
            (tables.handover_offers, ("person_id", "number", "yes")),
            (tables.handover_notices, ("kind", "about", "people", "text")),
            (tables.handover_works, ("kind",)),
            (tables.companions, ("role", "person_id")),
            (added.overrides, ("role", "person_id", "starts_at", "ends_at")),
            (added.absences, ("person_id", "cover_id", "starts_at", "ends_at")),
            (schema.incidents, ("dedup_key", "status", "pages")),
            (schema.assignments, ("person_id",)),
            (schema.log_entries, ("type", "actor")),
            (messages, ("kind", "recipient", "state", "text")),
        ):
            rows = connection.execute(select(*(table.c[name] for name in columns)))
            found.append(sorted(repr(tuple(row)).replace(handover_id(connection), "H") for row in rows))
    return found


def handover_id(connection: Any) -> str:
    return str(connection.execute(select(tables.handovers.c.id)).scalar_one())


def played(first: Server, place: str, script: Script, deadly: int | None) -> tuple[list[list[str]], Mortal]:
    """Play ``script``; whoever gets no answer from a dead server says the same again to the next one."""
    wipe(first)
    event = Event(tokens.create(place, service="payments"), Action.TRIGGER, "k", "db down", "critical", "", {})
    first.writer.run(Enqueue(first.station, event))
    mortal, handover = Mortal(deadly), ""

    def said(to: Server) -> str:
        script(to, handover)
        return handover

    with ExitStack() as stack:
        server = stack.enter_context(mortal.watching(first))
        for deed in (asked, said):
            try:
                handover = deed(server)
            except Killed:
                new = stack.enter_context(running_server(place, TEAM, first.station.clock))
                server = stack.enter_context(mortal.watching(new))
                server.watchkeeper.tick()
                handover = deed(server)
        return outcome(server), mortal


@pytest.mark.parametrize(
    ("database", "script"),
    [("sqlite", accepted), ("postgresql", accepted), ("sqlite", cancelled)],
    indirect=["database"],
)
def test_wherever_it_dies_the_end_is_the_same(database: str, script: Script) -> None:
    with running_server(database, TEAM, Clock()) as first:
        whole, undisturbed = played(first, database, script, None)
        assert ("done" in str(whole[0])) is (script is accepted)
        assert undisturbed.held.count("ben") >= (5 if script is accepted else 0)
        # The offer to Ben, and what both are told of how it ended; where he said yes, of that, too.
        assert len(whole[-1]) == (5 if script is accepted else 3)
        for deadly in range(1, undisturbed.done + 1):
            found, mortal = played(first, database, script, deadly)
            assert found == whole, deadly
            # There is always exactly one, and the watch never goes back.
            assert mortal.held == sorted(mortal.held, reverse=True), deadly
            assert set(mortal.held) <= {"cho", "ben"}, deadly


def heard(server: Server, person: str) -> tuple[int, int]:
    """Return how many pages ``person`` had, and how many lines say that something was assigned to them."""
    with server.storage.read() as connection:
        rows = connection.execute(select(pages).where(pages.c.person_id == person)).all()
        lines = connection.execute(select(schema.log_entries.c.data).where(schema.log_entries.c.type == "assign"))
        offers = set(connection.execute(select(tables.handover_offers.c.incident_id)).scalars())
        told = [data for data in lines.scalars() if data["assignees"] == [person]]
    # The page of the offer is beside.
    return len([row for row in rows if row.incident_id not in offers]), len(told) - 1


@pytest.mark.parametrize("engine_first", [True, False])
def test_wherever_it_dies_whoever_takes_the_watch_is_paged_once(database: str, *, engine_first: bool) -> None:
    with running_server(database, TEAM, Clock()) as server:

        def engine() -> None:
            server.engine.rotation_changed()
            server.engine.tick()

        looks: list[Callable[[], object]] = [engine, server.watchkeeper.tick]
        for deadly in itertools.count(1):
            wipe(server)
            key = tokens.create(database, service="payments")
            event = Event(key, Action.TRIGGER, "k", "db down", "critical", "", {})
            server.writer.run(Enqueue(server.station, event))
            handover, mortal = asked(server), Mortal(deadly)
            with mortal.watching(server), suppress(Killed):
                accepted(server, handover)
            for look in (*(looks if engine_first else reversed(looks)), *looks):
                look()
            if deadly == 1:
                # Nothing of it was written: they say it again.
                accepted(server, handover)
                engine()
            assert "done" in str(outcome(server)[0]), deadly
            assert heard(server, "ben") == (1, 1), deadly
            if mortal.done < deadly:
                return


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_step_that_comes_late_rewrites_nothing(database: str) -> None:
    clock = Clock()
    with running_server(database, TEAM, clock) as server:
        handover = asked(server)
        with Mortal(3).watching(server), pytest.raises(Killed):
            accepted(server, handover)
        clock.forward(2 * HOUR)
        server.watchkeeper.tick()
        with server.storage.read() as connection:
            starts = set(connection.execute(select(added.overrides.c.starts_at)).scalars())
            starts |= set(connection.execute(select(added.absences.c.starts_at)).scalars())
        assert starts == {clock.now}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_another_schedule_in_the_midst_of_it(database: str) -> None:
    """Ben is on call already when Dora is put there: the handover is over, and it is not Ben's any more."""
    clock = Clock()
    with running_server(database, TEAM, clock) as server:
        handover = asked(server)
        with Mortal(4).watching(server), pytest.raises(Killed):
            accepted(server, handover)
        wanted = Override(Role.PRIMARY, "dora", clock.now, clock.now + timedelta(days=9))
        server.writer.run(lambda work: overrides.add(work.connection, [wanted], "person:dora", clock.now))
        server.watchkeeper.tick()
        assert "done" in outcome(server)[0][0]
        assert server.station.roster.shifts(clock.now)[Role.PRIMARY].person == "dora"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nothing_is_done_before_it_was_really_read_back(database: str) -> None:
    with running_server(database, TEAM, Clock()) as server:
        handover = asked(server)
        with Mortal(3).watching(server), pytest.raises(Killed):
            accepted(server, handover)

        def claimed(work: Work) -> None:
            row = handover_rows.lock(work.connection, handover)
            assert row is not None
            facts, now = handover_rows.facts(server.station, work.connection, row), server.station.clock()
            # Everything was made, so the facts say; the rows do not.
            while not isinstance(action := next_action(facts, now), ReadBack):
                assert action is not None
                facts = applied(facts, action, now)
            handover_doing.do(handover_scene.Scene(server.station, work, facts, now), action)

        with pytest.raises(handover_doing.NotWritten, match="primary is cho, not ben"):
            server.writer.run(claimed)


@contextmanager
def crew(place: str, clock: Clock) -> Iterator[list[Server]]:
    with ExitStack() as stack:
        yield [stack.enter_context(running_server(place, TEAM, clock)) for _ in range(2)]


def at_once(tasks: list[Callable[[], object]]) -> list[BaseException]:
    """Do ``tasks`` each on a thread of its own, begun together; return what went wrong."""
    failed: list[BaseException] = []
    together = threading.Barrier(len(tasks))

    def run(task: Callable[[], object]) -> None:
        together.wait(10)
        try:
            task()
        except Exception as error:  # noqa: BLE001 - the test says what it may be
            failed.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def asked_at_once(servers: Sequence[Server]) -> str:
    """Let Cho ask at all ``servers`` in the same instant; return the id: it is one handover."""
    ids: set[str] = set()
    assert not at_once([partial(lambda server: ids.add(asked(server)), server) for server in servers])
    (handover,) = ids
    return handover


def test_two_servers_do_each_step_once(postgresql: Cluster) -> None:
    place, clock = postgresql.ready(), Clock()
    with crew(place, clock) as servers:
        for _ in range(5):
            cancelled(servers[0], asked_at_once(servers))
        wipe(servers[0])
        handover = asked_at_once(servers * 2)
        for _ in range(3):
            assert not at_once([server.watchkeeper.tick for server in servers * 2])
            clock.forward(5 * MINUTE)
        assert not at_once([partial(accepted, server, handover) for server in servers * 2])
        assert not at_once([server.watchkeeper.tick for server in servers * 2])
        ends, offers, notices, works = outcome(servers[0])[:4]
        assert "done" in str(ends)
        assert offers == ["('ana', 2, None)", "('ben', 1, True)", "('dora', 3, None)"]
        assert (len(str(notices).split("tell")) - 1, works) == (2, ["('absence',)", "('override',)"])
    postgresql.drop(place)
