"""Messages to people on their other channels: when they leave, once, to whom, and how they end."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, select, update

from desktop.channels.outcome import DELIVERED, Outcome
from desktop.channels.text import Text
from desktop.domain.errors import StorageError
from desktop.server import dispatch, files, outbox, presence, schema
from desktop.server.outbox import LEASE, MOST_ATTEMPTS
from desktop.server.tables.messages import messages, presences
from tests.fakes.http import Answer, ScriptedServer
from tests.fakes.mail import mailbox
from tests.postgresql import Cluster
from tests.server.house import MINUTE, Clock, House, running_house, running_server
from tests.server.listening import listening
from tests.server.paging import SECOND, Office, office, team

UNKNOWN = Outcome(delivered=False, reason="the connection broke", retry=True)


@pytest.fixture(scope="module")
def built(shared_database: str) -> Iterator[Office]:
    with office(shared_database) as found:
        yield found


@pytest.fixture
def desk(built: Office) -> Iterator[Office]:
    yield built
    built.clear()


def said(desk: Office) -> str:
    return "\n".join(f"{one['title']}\n{one['message']}" for one in desk.last)


@contextmanager
def live(desk: Office, person: str) -> Iterator[None]:
    """Let ``person`` have a stream at some server for as long as the block lasts."""
    storage, until = desk.house.server.storage, desk.house.clock() + timedelta(days=1)
    with storage.write() as connection:
        connection.execute(presences.insert().values(server="another", person_id=person, until=until))
    yield
    with storage.write() as connection:
        connection.execute(presences.delete().where(presences.c.server == "another"))


def test_without_a_stream_the_ladder_is_climbed_at_once_until_it_ends(desk: Office) -> None:
    desk.house.enqueue(key="climb")
    assert desk.after(0) == ["ana1"]
    assert "[SEV-0] db down" in said(desk)
    assert "You are paged: db down" in said(desk)
    assert (desk.after(59), desk.after(1), desk.after(60), desk.after(300)) == ([], ["ana2"], [], [])
    assert [(row.state, row.attempts, row.error) for row in desk.rows("climb")] == [("sent", 1, "")] * 2
    entries = desk.house.get(f"/incidents/{desk.house.incident('climb')['id']}/log_entries")["log_entries"]
    told = [e for e in entries if e["watchbell"]["type"] == "message"]
    assert [(e["type"], e["summary"], e["user"]["id"]) for e in told] == [
        ("notify_log_entry", "Messaged Ana Ruiz", "ana")
    ] * 2


def test_acknowledged_nothing_more_is_sent_and_who_was_messaged_stands_down(desk: Office) -> None:
    desk.house.enqueue(key="taken")
    assert desk.after(0) == ["ana1"]
    desk.house.put(desk.house.incident("taken")["id"], "ben", status="acknowledged")
    assert desk.after(60) == ["ana1"]
    assert said(desk).startswith("Stand down: db down\nBen Okafor has it.")
    assert desk.after(600) == []


def test_who_acknowledges_is_not_told_that_they_did(desk: Office) -> None:
    desk.house.enqueue(key="own")
    assert desk.after(0) == ["ana1"]
    desk.house.put(desk.house.incident("own")["id"], "ana", status="acknowledged")
    assert desk.after(60) == []


def test_resolved_by_the_monitoring_who_was_messaged_is_told(desk: Office) -> None:
    desk.house.enqueue(key="gone")
    assert (desk.after(0), desk.after(60)) == (["ana1"], ["ana2"])
    desk.house.enqueue("resolve", key="gone")
    assert sorted(desk.after(0)) == ["ana1", "ana2"]
    assert "It is resolved.\n" in said(desk)


def test_acknowledged_before_anything_left_nothing_does(desk: Office) -> None:
    desk.house.enqueue(key="fast")
    desk.house.put(desk.house.incident("fast")["id"], "ana", status="acknowledged")
    assert (desk.after(0), desk.after(600), desk.rows("fast")) == ([], [], [])


def test_with_a_stream_it_has_thirty_seconds_to_confirm(desk: Office) -> None:
    with live(desk, "ana"):
        desk.house.enqueue(key="live")
        assert (desk.after(0), desk.after(29), desk.after(1)) == ([], [], ["ana1"])


def test_acknowledged_within_thirty_seconds_nothing_was_sent(desk: Office) -> None:
    with live(desk, "ana"):
        desk.house.enqueue(key="quick")
        assert desk.after(20) == []
        desk.house.put(desk.house.incident("quick")["id"], "ana", status="acknowledged")
        assert (desk.after(20), desk.after(600)) == ([], [])


def test_displayed_it_waits_two_minutes_and_with_input_for_ever(desk: Office) -> None:
    with live(desk, "ana"):
        for key, types in {"shown": ["displayed", "sounded"], "touched": ["displayed", "input"]}.items():
            desk.house.enqueue(key=key)
            assert desk.confirm(key, *types) == 200
        assert (desk.after(30), desk.after(89), desk.after(1)) == ([], [], ["ana1"])
        assert desk.rows("touched") == []
        # Paged again, it climbs again; nobody confirmed that.
        desk.house.put(desk.house.incident("shown")["id"], "ana", status="acknowledged")
        desk.house.tick(15 * MINUTE)
        desk.after(0)
        assert desk.after(30) == ["ana1"]


def test_whoever_is_added_climbs_too_and_those_paged_again_begin_anew(desk: Office) -> None:
    desk.house.enqueue(key="round")
    assert desk.after(120) == ["ana1"]
    assert desk.after(60) == ["ana2"]
    desk.house.tick(13 * MINUTE)
    assert sorted(desk.after(0)) == ["ana1", "ben1"]


def test_sev3_has_no_ladder(desk: Office) -> None:
    desk.house.enqueue(key="low", severity="info")
    assert (desk.after(0), desk.after(3600)) == ([], [])


def test_what_was_handed_to_somebody_else_is_not_climbed_any_more(desk: Office) -> None:
    desk.house.enqueue(key="handed")
    assert desk.after(0) == ["ana1"]
    ben = [{"assignee": {"id": "ben", "type": "user_reference"}}]
    desk.house.put(desk.house.incident("handed")["id"], "ana", assignments=ben)
    assert (desk.after(0), desk.after(120)) == (["ben1"], [])


def test_asked_to_help_one_is_messaged_while_another_has_it(desk: Office) -> None:
    desk.house.enqueue(key="help")
    name = desk.house.incident("help")["id"]
    desk.house.put(name, "cho", status="acknowledged")
    asked = {"message": "", "responder_request_targets": [{"id": p, "type": "user_reference"} for p in ("ana", "ben")]}
    assert desk.house.call("POST", f"/incidents/{name}/responder_requests", asked, person="cho").status_code < 300
    assert sorted(desk.after(0)) == ["ana1", "ben1"]
    desk.house.put(name, "ben", status="acknowledged")
    # Ben came; that says nothing of Ana.
    assert desk.after(60) == ["ana2"]


def test_an_emergency_contact_is_messaged(desk: Office) -> None:
    desk.house.enqueue(key="worst")
    for minutes in (15, 15, 30):
        desk.house.tick(minutes * MINUTE)
    assert "director" in desk.after(0)


def test_a_manager_is_told_when_the_target_to_resolve_passed(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.house.enqueue(key="late")
    desk.house.put(desk.house.incident("late")["id"], "ana", status="acknowledged")
    desk.house.tick(59 * MINUTE)
    monkeypatch.setenv("WB_TEST_CHO", desk.web.url.replace("http", "json") + "/cho")
    desk.house.tick(2 * MINUTE)
    assert [(row.kind, row.recipient) for row in desk.rows("late") if row.kind == "overdue"] == [
        ("overdue", "person:cho")
    ]


def test_a_service_that_fails_is_tried_again(desk: Office) -> None:
    desk.web.answer = lambda _: Answer(500)
    desk.house.enqueue(key="fails")
    assert desk.after(0) == ["ana1"]
    [row] = desk.rows("fails")
    assert (row.state, row.attempts, row.error) == ("waiting", 1, "the service failed (HTTP 500)")
    desk.web.answer = lambda _: Answer()
    assert desk.after(2) == ["ana1"]
    assert [(row.state, row.attempts, row.error) for row in desk.rows("fails")] == [("sent", 2, "")]


def test_what_became_of_messages_is_in_the_metrics(desk: Office) -> None:
    def value(name: str) -> float:
        text = desk.house.call("GET", "/metrics").text
        return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(f"watchbell_{name}")))

    sent, waiting = value('messages{state="sent"}'), value('messages{state="waiting"}')
    desk.web.answer = lambda _: Answer(503)
    desk.house.enqueue(key="counted")
    desk.after(0)
    assert value('messages{state="waiting"}') == waiting + 1
    desk.house.clock.forward(40 * SECOND)
    assert value("messages_oldest_seconds") == 40
    desk.web.answer = lambda _: Answer()
    assert desk.after(0) == ["ana1"]
    assert (value('messages{state="sent"}'), value('messages{state="waiting"}')) == (sent + 1, waiting)
    assert value("messages_oldest_seconds") == 0


def test_what_a_service_asks_to_wait_is_waited(desk: Office) -> None:
    desk.web.answer = lambda _: Answer(429, headers={"Retry-After": "40"})
    desk.house.enqueue(key="busy")
    assert desk.after(0) == ["ana1"]
    desk.web.answer = lambda _: Answer()
    assert (desk.after(39), desk.after(3)) == ([], ["ana1"])


def test_what_is_tried_again_is_not_once_somebody_has_it(desk: Office) -> None:
    desk.web.answer = lambda _: Answer(503)
    desk.house.enqueue(key="moot")
    assert desk.after(0) == ["ana1"]
    desk.web.answer = lambda _: Answer()
    desk.house.put(desk.house.incident("moot")["id"], "ben", status="acknowledged")
    assert desk.after(10) == ["ana1"]
    assert said(desk).startswith("Stand down")
    assert [row.state for row in desk.rows("moot")] == ["cancelled", "sent"]


def test_what_will_never_be_sent_is_marked_so(desk: Office) -> None:
    desk.web.answer = lambda _: Answer(404)
    desk.house.enqueue(key="never")
    assert desk.after(0) == ["ana1"]
    [row] = desk.rows("never")
    with desk.house.server.storage.read() as connection:
        found = outbox.failed(connection, row.settled_at - MINUTE)
        assert outbox.failed(connection, row.settled_at) == []
    why = "the service knows no such address (HTTP 404)"
    assert [(f.recipient, f.address, f.error) for f in found] == [("person:ana", row.address, why)]
    desk.house.server.keeper.tick()
    told = [i for i in desk.house.get("/incidents")["incidents"] if "Messages to Ana" in i["title"]]
    assert [i["service"]["summary"] for i in told] == ["Watchbell itself"]
    desk.web.answer = lambda _: Answer()
    desk.house.enqueue(key="mended")
    assert "ana1" in desk.after(0)
    with desk.house.server.storage.read() as connection:
        assert "person:ana" not in {f.recipient for f in outbox.failed(connection, row.settled_at - MINUTE)}


def test_after_so_many_attempts_it_has_failed(desk: Office) -> None:
    desk.web.answer = lambda _: Answer(500)
    desk.house.enqueue(key="tired")
    for _ in range(MOST_ATTEMPTS):
        desk.after(120)
    assert (desk.rows("tired")[0].state, desk.rows("tired")[0].attempts) == ("failed", MOST_ATTEMPTS)


def test_a_private_address_is_refused_unless_the_operator_allows_it(desk: Office) -> None:
    desk.house.server.messenger.allow_private = False
    try:
        desk.house.enqueue(key="inside")
        assert desk.after(0) == []
        [row] = desk.rows("inside")
        assert row.state == "failed"
        assert "--allow-private-channels" in row.error
    finally:
        desk.house.server.messenger.allow_private = True


def test_killed_between_sending_and_noting_it_another_sends_it_again(desk: Office) -> None:
    station = desk.house.server.station
    desk.house.enqueue(key="killed")
    desk.house.server.messenger._prepare()
    [first] = station.writer.run(lambda work: dispatch.take(station, work, 9))
    # Whoever took it is dead. Nobody else has it before the lease ends.
    assert desk.after(LEASE.total_seconds() - 1) == []
    desk.house.clock.forward(SECOND)
    [second] = station.writer.run(lambda work: dispatch.take(station, work, 9))
    assert (first.id, first.attempt, second.id, second.attempt) == (second.id, 1, first.id, 2)
    # It was not dead after all: what it says does not count any more.
    now = station.clock()
    station.writer.run(lambda work: dispatch.settle(work, first, DELIVERED, now))
    assert (desk.rows("killed")[0].state, desk.rows("killed")[0].attempts) == ("sending", 2)
    assert "ana1" in desk.after(LEASE.total_seconds())
    assert (desk.rows("killed")[0].state, desk.rows("killed")[0].attempts) == ("sent", 3)


def test_the_only_server_of_a_file_takes_up_at_once_what_the_one_before_it_had_in_hands(tmp_path: Path) -> None:
    with ScriptedServer() as web:
        with running_house(tmp_path, team(web.url)) as before:
            before.enqueue(key="killed")
            before.server.messenger._prepare()
            before.server.writer.run(lambda work: dispatch.take(before.server.station, work, 9))
        with running_house(tmp_path, team(web.url), before.clock) as after:
            after.server.messenger.allow_private = True
            assert after.server.messenger.tick() == 1
            assert [asked.path for asked in web.asked] == ["/ana1"]
            # What it has in hands itself is nobody else's.
            after.enqueue(key="another")
            after.server.messenger._prepare()
            after.server.writer.run(lambda work: dispatch.take(after.server.station, work, 9))
            assert after.server.messenger.tick() == 0


def test_what_the_database_does_not_take_is_noted_when_it_does(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    settle, failures = dispatch.settle, iter(range(2))

    def unlucky(*about: object) -> None:
        if next(failures, None) is not None:
            raise StorageError("the disk is full")
        settle(*about)  # type: ignore[arg-type]

    monkeypatch.setattr("desktop.server.messenger.dispatch.settle", unlucky)
    monkeypatch.setattr("desktop.server.messenger._AFTER_A_FAULT", 0.01)
    desk.house.enqueue(key="unnoted")
    assert desk.after(0) == ["ana1"]
    assert [(row.state, row.attempts) for row in desk.rows("unnoted")] == [("sent", 1)]


def test_a_stand_down_follows_the_page_that_was_on_its_way_and_that_is_not_repeated(desk: Office) -> None:
    station = desk.house.server.station
    desk.house.enqueue(key="crossed")
    desk.house.server.messenger._prepare()
    station.writer.run(lambda work: dispatch.take(station, work, 9))
    desk.house.put(desk.house.incident("crossed")["id"], "ben", status="acknowledged")
    assert desk.after(LEASE.total_seconds() - 1) == []
    assert desk.after(1) == ["ana1"]
    assert said(desk).startswith("Stand down")
    assert [row.state for row in desk.rows("crossed")] == ["cancelled", "sent"]


def test_who_stands_down_hears_it_when_another_server_notes_just_then_that_an_attempt_failed(
    postgresql: Cluster,
) -> None:
    """It may have arrived all the same: whoever took it may have hung up before they answered."""
    place = postgresql.ready()
    with office(place) as desk:
        station = desk.house.server.station
        other = create_engine(place)
        desk.house.enqueue(key="between")
        desk.house.server.messenger._prepare()
        [taken] = station.writer.run(lambda work: dispatch.take(station, work, 9))

        def note(_connection: object, _cursor: object, words: str, *_more: object) -> None:
            if words.startswith("UPDATE messages SET state") and not noted:
                with other.begin() as connection:
                    became = outbox.settle(connection, taken.id, taken.attempt, UNKNOWN, desk.house.clock())
                    noted.append(became)

        noted = list[str | None]()
        event.listen(station.storage.engine, "after_cursor_execute", note)
        desk.house.put(desk.house.incident("between")["id"], "ben", status="acknowledged")
        event.remove(station.storage.engine, "after_cursor_execute", note)
        other.dispose()
        assert noted == [outbox.State.WAITING]
        assert desk.after(300) == ["ana1"]
        assert said(desk).startswith("Stand down")
        assert [row.state for row in desk.rows("between")] == ["cancelled", "sent"]
    postgresql.drop(place)


def test_a_message_to_a_channel_of_the_team_leaves_once(
    desk: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WB_TEST_INCIDENTS", desk.web.url.replace("http", "json") + "/incidents")
    vouch(desk.house, tmp_path, team(desk.web.url))
    station = desk.house.server.station
    desk.house.enqueue(key="posted", severity="info")
    name = desk.house.incident("posted")["id"]
    for _ in range(2):
        station.writer.run(
            lambda work: outbox.to_channel(
                work.connection, station.roster, "incidents", "k1", Text("t", "b"), station.clock(), name
            )
        )
    assert desk.after(0) == ["incidents"]
    assert (desk.last[0]["title"], desk.last[0]["message"]) == ("t", "b")
    entries = desk.house.get(f"/incidents/{name}/log_entries")["log_entries"]
    assert (entries[0]["type"], entries[0]["summary"]) == ("annotate_log_entry", "Posted to a channel of the team")
    assert not station.writer.run(
        lambda work: outbox.to_channel(
            work.connection, station.roster, "nowhere", "k2", Text("t", "b"), station.clock(), None
        )
    )


def vouch(house: House, folder: Path, text: str) -> None:
    """Let the team file be one that whoever runs the server named."""
    file = folder / "team.toml"
    file.write_text(text)
    with house.server.storage.write() as connection:
        files.remember(connection, file, text, house.clock())


def test_a_secret_is_resolved_only_where_an_operator_named_the_file_and_stays_nowhere(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    with office(database) as desk:
        secret = f"{desk.web.url.replace('http', 'json')}/S3cr3tT0ken0123456789"
        monkeypatch.setenv("WB_TEST_CHO", secret)
        page(desk, "unvouched", "cho")
        assert desk.after(0) == []
        assert desk.rows("unvouched")[0].error == "env:WB_TEST_CHO is no channel that the server's own team file names"
        vouch(desk.house, tmp_path, team(desk.web.url))
        page(desk, "vouched", "cho")
        assert desk.after(0) == ["S3cr3tT0ken0123456789"]
        desk.web.answer = lambda _: Answer(500)
        page(desk, "failing", "cho")
        assert desk.after(0) == ["S3cr3tT0ken0123456789"]
        monkeypatch.delenv("WB_TEST_CHO")
        page(desk, "unset", "cho")
        assert desk.after(0) == []
        [row] = desk.rows("unset")
        assert (row.state, row.error) == ("waiting", "env:WB_TEST_CHO is not set where the server runs")
        with desk.house.server.storage.read() as connection:
            tables = schema.metadata.tables.values()
            stored = "\n".join(str(row) for table in tables for row in connection.execute(select(table)))
        shown = "".join(
            desk.house.call("GET", path, person="cho").text
            for path in (
                "/incidents",
                "/log_entries",
                "/users/cho?include[]=contact_methods",
                "/watchbell/v1/stream-not",
            )
        )
    for place in (stored, shown, caplog.text):
        assert "S3cr3tT0ken" not in place
    assert "message failed" in caplog.text


def page(desk: Office, key: str, person: str) -> None:
    incident = {
        "type": "incident",
        "title": key,
        "incident_key": key,
        "service": {"id": "payments", "type": "service_reference"},
        "assignments": [{"assignee": {"id": person, "type": "user_reference"}}],
    }
    assert desk.house.call("POST", "/incidents", {"incident": incident}).status_code == 201


def test_mail_leaves_as_mail(tmp_path: Path) -> None:
    with mailbox() as box:
        text = team("http://127.0.0.1:9").replace("json://127.0.0.1:9/ana1", box.address)
        with running_house(tmp_path, text) as house:
            house.server.messenger.allow_private = True
            house.enqueue(key="mail")
            house.server.messenger.tick()
    [(to, mail)] = box.mails
    assert to == ["ana@example.com"]
    assert mail["Subject"] == "[SEV-0] db down"


def test_a_running_messenger_needs_nobody_to_tell_it(tmp_path: Path) -> None:
    arrived = threading.Event()

    def answer(_: object) -> Answer:
        arrived.set()
        return Answer()

    with office(tmp_path) as desk:
        desk.web.answer = answer
        desk.house.server.messenger.start()
        desk.house.enqueue(key="alone")
        assert arrived.wait(10)


def test_a_channel_that_hangs_holds_up_neither_others_nor_the_end(tmp_path: Path) -> None:
    hanging, other = threading.Event(), threading.Event()

    def answer(asked: object) -> Answer:
        held = "ana1" in str(asked)
        (hanging if held else other).set()
        return Answer(body=b"x", hold=held)

    with office(tmp_path) as desk:
        desk.web.answer = answer
        messenger = desk.house.server.messenger
        messenger.start()
        desk.house.enqueue(key="hangs")
        assert hanging.wait(10)
        page(desk, "goes", "ben")
        assert other.wait(10)
        messenger.stop()
        [row] = desk.rows("hangs")
    # Cut off with the server, it waits for the next one.
    assert (row.state, row.attempts) == ("waiting", 1)


def test_several_servers_send_each_message_once(postgresql: Cluster) -> None:
    place, clock = postgresql.ready(), Clock()
    with office(place) as desk:
        desk.house.clock = clock
        with (
            running_server(place, team(desk.web.url), clock) as second,
            running_server(place, team(desk.web.url), clock) as third,
        ):
            servers = [desk.house.server, second, third]
            desk.house.server.station.clock = clock
            for server in servers:
                server.messenger.allow_private = True
            for n in range(12):
                desk.house.enqueue(key=f"k{n}")
            threads = [threading.Thread(target=server.messenger.tick) for server in servers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for server in servers:
                server.messenger.tick()
        paths = [asked.path for asked in desk.web.asked]
        assert paths == ["/ana1"] * 12
        titles = [json.loads(asked.body)["message"].split("\n")[1].split(",")[0] for asked in desk.web.asked]
        assert len(set(titles)) == 12
    postgresql.drop(place)


def test_a_stream_at_one_server_counts_at_all_until_its_server_is_silent(desk: Office) -> None:
    server, now = desk.house.server, desk.house.clock()
    with server.storage.write() as connection:
        row = {"server": "another", "person_id": "ana", "until": now + presence.HELD}
        connection.execute(presences.insert().values(row))
    desk.house.enqueue(key="there")
    assert desk.after(0) == []
    assert desk.after(31) == ["ana1"]
    desk.house.enqueue(key="later")
    assert desk.after(0) == ["ana1"]


def held(desk: Office) -> list[timedelta]:
    """Return for how long each stream still counts."""
    with desk.house.server.storage.read() as connection:
        return [at - desk.house.clock() for at in connection.execute(select(presences.c.until)).scalars()]


def test_a_stream_counts_from_its_first_to_its_last_and_is_renewed(database: str) -> None:
    with office(database) as desk:
        with listening(desk.house.url, desk.house.tokens["ana"]) as stream:
            stream.next()
            desk.after(0)
            assert held(desk) == [30 * SECOND]
            desk.house.enqueue(key="seen there")
            assert (desk.after(9), held(desk)) == ([], [21 * SECOND])
            assert (desk.after(1), held(desk)) == ([], [30 * SECOND])
            with desk.house.server.storage.write() as connection:
                connection.execute(presences.delete())
            assert (desk.after(10), held(desk)) == ([], [30 * SECOND])
        while desk.house.server.hub.streams:
            os.sched_yield()
        desk.house.enqueue(key="unseen")
        assert (desk.after(0), held(desk)) == (["ana1"], [])


def test_a_stream_that_only_tries_whether_there_is_one_holds_up_nothing(database: str) -> None:
    with office(database) as desk, listening(desk.house.url, desk.house.tokens["ana"], "?present=false") as stream:
        stream.next()
        assert (desk.house.server.hub.streams, desk.house.server.hub.people) == (1, frozenset())
        desk.house.enqueue(key="at once")
        assert (desk.after(0), held(desk)) == (["ana1"], [])


def test_what_was_taken_out_of_the_team_file_is_not_sent(desk: Office) -> None:
    desk.house.enqueue(key="old")
    desk.house.server.messenger._prepare()
    with desk.house.server.storage.write() as connection:
        connection.execute(update(messages).where(messages.c.state == "waiting").values(address="0" * 16))
    assert desk.after(0) == []
    assert (desk.rows("old")[0].state, desk.rows("old")[0].error) == (
        "failed",
        "the address is not in the team file any more",
    )


def test_one_that_cannot_be_worded_holds_up_no_other(desk: Office) -> None:
    desk.house.enqueue(key="odd")
    desk.house.server.messenger._prepare()
    with desk.house.server.storage.write() as connection:
        connection.execute(update(messages).where(messages.c.state == "waiting").values(text={"no": "title"}))
    page(desk, "even", "ben")
    assert desk.after(0) == ["ben1"]
    assert (desk.rows("odd")[0].state, desk.rows("odd")[0].error) == ("failed", "it cannot be worded")


def test_receipts_are_taken_once_and_stand_in_the_history(desk: Office) -> None:
    desk.house.enqueue(key="seen")
    name = desk.house.incident("seen")["id"]
    for _ in range(2):
        assert desk.confirm("seen", "displayed", "sounded", "displayed") == 200
    entries = desk.house.get(f"/incidents/{name}/log_entries")["log_entries"]
    found = [(e["type"], e["summary"], e["agent"]["id"]) for e in entries if e["type"] == "notify_log_entry"]
    assert found == [
        ("notify_log_entry", "Sounded for Ana Ruiz", "ana"),
        ("notify_log_entry", "Displayed to Ana Ruiz", "ana"),
    ]
    overview = desk.house.get(f"/incidents/{name}/log_entries", is_overview="true")["log_entries"]
    assert [e for e in overview if e["type"] == "notify_log_entry"] == []


def test_only_ones_own_pages_are_confirmed(desk: Office) -> None:
    desk.house.enqueue(key="mine")
    assert desk.confirm("mine", "displayed", person="ben") == 404
    # A later look at the same page confirms the earlier ones.
    assert desk.confirm("mine", "displayed", page=7) == 200
    body = {"receipts": [{"incident": "QNOSUCH", "page": 1, "type": "displayed"}]}
    assert desk.house.call("POST", "/watchbell/v1/receipts", body).status_code == 404


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"receipts": []}, {"receipts": [1]}, {"receipts": [{}] * 101},
     {"receipts": [{"incident": "Q1", "page": 0, "type": "displayed"}]},
     {"receipts": [{"incident": "Q1", "page": True, "type": "displayed"}]},
     {"receipts": [{"incident": "Q1", "page": 2**31, "type": "displayed"}]},
     {"receipts": [{"incident": "", "page": 1, "type": "displayed"}]},
     {"receipts": [{"incident": "Q1", "page": 1, "type": "seen"}]},
     {"receipts": [{"incident": "Q1", "page": 1, "type": ["displayed"]}]}],
)  # fmt: skip
def test_a_receipt_that_makes_no_sense_is_refused(desk: Office, body: object) -> None:
    answer = desk.house.call("POST", "/watchbell/v1/receipts", body, data=json.dumps(body))
    assert (answer.status_code, bool(answer.json()["error"]["errors"])) == (400, True)


def test_a_token_is_needed_to_confirm(desk: Office) -> None:
    assert desk.house.call("POST", "/watchbell/v1/receipts", {}, person="").status_code == 401
