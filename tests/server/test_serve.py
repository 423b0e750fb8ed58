"""The ``serve`` process: what it prints, whom it obeys, how it ends, and what a kill -9 leaves."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import stat
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from desktop.cli import main
from desktop.domain.errors import InputError
from desktop.server import tokens
from tests.server.house import DIRECTOR, TEAM
from tests.server.listening import listening
from tests.server.serving import PARENT_TOKEN, Serve, serve

KEY = "0123456789abcdef0123456789abcdef"
HANDSHAKE = json.dumps({"token": PARENT_TOKEN, "person": "ana"})


@pytest.fixture
def team(tmp_path: Path) -> Path:
    file = tmp_path / "team.toml"
    file.write_text(TEAM.replace('id = "payments"', 'id = "payments"\nintegration_key = "env:WB_TEST_KEY"'))
    return file


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "watchbell.db"


ENVIRONMENT = {"WB_TEST_KEY": KEY}


def ask(method: str, url: str, token: str = "", body: object = None) -> requests.Response:
    headers = {"Authorization": f"Token token={token}"} if token else {}
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, json=body, headers=headers, timeout=10)


def trigger(url: str, key: str = "k") -> None:
    payload = {"summary": "db down", "source": "db1", "severity": "critical"}
    body = {"routing_key": KEY, "event_action": "trigger", "dedup_key": key, "payload": payload}
    assert ask("POST", f"{url}/v2/enqueue", body=body).status_code == 202


def incidents(url: str, token: str) -> list[dict[str, Any]]:
    answer = ask("GET", f"{url}/incidents?date_range=all", token)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["incidents"])


def test_one_line_on_standard_output_and_a_graceful_end(team: Path, database: Path) -> None:
    with serve(ENVIRONMENT, team=team, database=str(database)) as running:
        url = running.ready()
        note = database.with_name("server.json")
        assert json.loads(note.read_text()) == {"pid": running.popen.pid, "url": url, "database": str(database)}
        assert {stat.S_IMODE(p.stat().st_mode) for p in database.parent.iterdir()} == {0o600}
        trigger(url)
        token = tokens.create(str(database), person="ana")
        with listening(url, token) as listener:
            assert listener.next()[0] == "snapshot"
            began = time.monotonic()
            code, log = running.end(signal.SIGTERM)
            assert listener.ended()
        assert (code, running.output()) == (0, "")
        # Without the stop event an open stream holds the end up for the whole grace of 3 s.
        assert time.monotonic() - began < 3
        assert not note.exists()
        assert all(json.loads(line)["event"] for line in log.splitlines()), log
        assert KEY not in log
        assert token not in log


def test_the_embedded_server_and_its_parent(team: Path, database: Path) -> None:
    with serve(ENVIRONMENT, team=team, database=str(database), parent_stdin=True) as running:
        running.say(HANDSHAKE)
        url = running.ready()
        assert ask("GET", f"{url}/users/me", PARENT_TOKEN).json()["user"]["id"] == "ana"
        running.say("hello?")
        running.say("quit")
        code, log = running.end()
        assert code == 0
        assert PARENT_TOKEN not in log


def test_it_outlives_its_parent_and_its_successor_takes_over(team: Path, database: Path) -> None:
    options = {"team": team, "database": str(database), "parent_stdin": True}
    with serve(ENVIRONMENT, **options) as first, serve(ENVIRONMENT, **options) as second:
        first.say(HANDSHAKE)
        url = first.ready()
        first.close_input()
        trigger(url)
        newer = PARENT_TOKEN.replace("t", "u")
        second.say(json.dumps({"token": newer, "person": "ben"}))
        url = second.ready()
        assert first.end() == (0, first.end()[1])
        assert [i["title"] for i in incidents(url, newer)] == ["db down"]
        assert ask("GET", f"{url}/users/me", PARENT_TOKEN).status_code == 401
        assert json.loads(database.with_name("server.json").read_text())["pid"] == second.popen.pid


def test_it_outlives_a_parent_that_died_while_it_started(team: Path, database: Path) -> None:
    with serve(ENVIRONMENT, team=team, database=str(database), parent_stdin=True, verbose=True) as server:
        server.say(HANDSHAKE)
        server.close_input()
        assert server.popen.stdout is not None
        server.popen.stdout.close()
        server.await_log("listening")
        # Its end in order shows that it got over that nobody reads what it says.
        code, log = server.end(signal.SIGTERM)
        assert code == 0, log
        assert "Traceback" not in log


def test_a_second_server_on_the_same_database_says_who_holds_it(team: Path, database: Path) -> None:
    with serve(ENVIRONMENT, team=team, database=str(database)) as first:
        url = first.ready()
        with serve(ENVIRONMENT, team=team, database=str(database)) as second:
            code, log = second.end()
        assert (code, log.count("\n"), second.popen.poll()) == (2, 1, 2)
        assert f"served by process {first.popen.pid} at {url}" in log
        assert ask("GET", f"{url}/readyz").status_code == 200


def test_a_stale_note_is_nobodys_death(team: Path, database: Path) -> None:
    """A note left by a crash names a process that may be anybody's by now: without the lock it is not believed."""
    database.parent.mkdir()
    note = {"pid": os.getpid(), "url": "http://127.0.0.1:1", "database": str(database)}
    database.with_name("server.json").write_text(json.dumps(note))
    with serve(ENVIRONMENT, team=team, database=str(database), parent_stdin=True) as running:
        running.say(HANDSHAKE)
        running.ready()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"host": "0.0.0.0"}, "--tls-cert"),
        ({"port": 99999}, "--port 99999"),
        ({"team": "nowhere/team.toml"}, "team.toml"),
        ({"team": None}, "no team yet"),
        ({"database": "mysql://u:secret@h/d"}, "mysql cannot be used"),
        ({"database": "postgresql://u:secret@127.0.0.1:1/d"}, "connection failed"),
        ({"database": "/dev/null/w.db"}, "/dev/null"),
    ],
)
def test_what_cannot_work_is_one_line_and_exit_2(
    team: Path, database: Path, options: dict[str, object], says: str
) -> None:
    with serve(ENVIRONMENT, **{"team": team, "database": str(database), **options}) as running:
        code, log = running.end()
        assert (code, running.output(), log.count("\n")) == (2, "", 1), log
    assert says in log
    assert "secret" not in log


@pytest.mark.parametrize("option", ["--team", "--host", "--tls-cert", "--tls-key", "--public-url", "--watchdog-url"])
@pytest.mark.parametrize("text", ["", " "])
def test_what_is_named_and_empty_is_not_left_out(
    option: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main(["serve", option, text])
    assert ended.value.code == 2
    assert f"{option}: it is empty" in capsys.readouterr().err


def test_a_port_that_is_taken(team: Path, database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serve(ENVIRONMENT, team=team, database=str(database), port=port) as running:
            code, log = running.end()
    assert (code, log.count("\n")) == (2, 1)
    assert f"--port {port}" in log


@pytest.mark.parametrize(
    "line",
    [
        "",
        "hello",
        "[]",
        '{"token": 5, "person": "ana"}',
        '{"token": "short", "person": "ana"}',
        json.dumps({"token": PARENT_TOKEN, "person": "amy"}),
    ],
)
def test_a_handshake_that_makes_no_sense(team: Path, database: Path, line: str) -> None:
    with serve(ENVIRONMENT, team=team, database=str(database), parent_stdin=True) as running:
        running.say(line)
        code, log = running.end()
    assert (code, log.count("\n")) == (2, 1)
    assert PARENT_TOKEN not in log


def test_an_integration_key_that_is_not_set(team: Path, database: Path) -> None:
    with serve(team=team, database=str(database)) as running:
        code, log = running.end()
    assert code == 2
    assert "env:WB_TEST_KEY is not set" in log


def test_the_stored_team_is_taken_up(team: Path, database: Path) -> None:
    with serve(ENVIRONMENT, team=team, database=str(database)) as first:
        first.ready()
        first.end(signal.SIGINT)
    with serve(database=str(database)) as second:
        trigger(second.ready())


def test_a_start_that_fails_half_way_ends(team: Path, database: Path) -> None:
    """A process that neither serves nor ends would never be started again."""
    with serve(ENVIRONMENT, team=team, database=str(database)) as first:
        first.ready()
        first.end(signal.SIGTERM)
    with contextlib.closing(sqlite3.connect(database)) as broken:
        # What is looked at only when all threads run: what fell due meanwhile.
        broken.execute("ALTER TABLE incidents RENAME TO nowhere")
        broken.commit()
    with serve(ENVIRONMENT, team=team, database=str(database)) as second:
        code, log = second.end()
    assert code == 2
    assert "no such table: incidents" in log


def test_a_start_that_cannot_note_where_it_listens_says_so_in_a_line(team: Path, database: Path) -> None:
    """As on a full disk."""
    (database.parent / "server.json").mkdir(parents=True)
    with serve(ENVIRONMENT, team=team, database=str(database)) as running:
        code, log = running.end()
    assert code == 2
    assert "Traceback" not in log
    assert "server.json: Is a directory" in log.splitlines()[-1]
    assert [path.name for path in database.parent.glob("server.json*")] == ["server.json"]


class TestTokens:
    def test_made_beside_a_running_server(self, team: Path, database: Path) -> None:
        with serve(ENVIRONMENT, team=team, database=str(database)) as running:
            url = running.ready()
            token = tokens.create(str(database), person="ben")
            assert ask("GET", f"{url}/users/me", token).json()["user"]["id"] == "ben"
            with pytest.raises(InputError, match="did you mean ben"):
                tokens.create(str(database), person="bem")
            with pytest.raises(InputError, match="there are batch, payments"):
                tokens.create(str(database), service="xyz")
            with pytest.raises(InputError, match=f"no person '{DIRECTOR}'"):
                tokens.create(str(database), person=DIRECTOR)
            with pytest.raises(InputError, match="--person ID, --service ID or --calendar ID"):
                tokens.create(str(database))


def _due(database: Path) -> None:
    """Make what comes next due now: the test waits for no clock."""
    with sqlite3.connect(database) as connection:
        now = int(datetime.now(UTC).timestamp() * 1_000_000)
        progress = json.loads(connection.execute("SELECT progress FROM incidents").fetchone()[0])
        progress["base"] = now - 15 * 60 * 1_000_000
        progress["again_at"] = now + 15 * 60 * 1_000_000
        connection.execute("UPDATE incidents SET progress = ?, next_action_at = ?", (json.dumps(progress), now))
    connection.close()


def _history(database: Path) -> list[str]:
    connection = sqlite3.connect(database)
    kinds = [row[0] for row in connection.execute("SELECT type FROM log_entries ORDER BY id")]
    connection.close()
    return kinds


@pytest.fixture
def always_on_call(team: Path) -> Path:
    """Ana is primary and Ben secondary, whatever the day."""
    text = team.read_text().replace('["ana", "ben"]', '["ana"]').replace('["ben", "ana"]', '["ben"]')
    team.write_text(text.replace("2026-01-05", "2020-01-06"))
    return team


def test_killed_between_trigger_and_escalation_it_escalates_once(always_on_call: Path, database: Path) -> None:
    with serve(ENVIRONMENT, team=always_on_call, database=str(database)) as first:
        trigger(first.ready())
        first.end(signal.SIGKILL)
    assert _history(database) == ["trigger", "assign"]
    _due(database)
    with serve(ENVIRONMENT, team=always_on_call, database=str(database)) as second:
        # What fell due meanwhile is worked off before it listens.
        url = second.ready()
        token = tokens.create(str(database), person="ana")
        [incident] = incidents(url, token)
        assert [a["assignee"]["id"] for a in incident["assignments"]] == ["ana", "ben"]
        second.end(signal.SIGKILL)
    with serve(ENVIRONMENT, team=always_on_call, database=str(database)) as third:
        third.ready()
        third.end(signal.SIGTERM)
    assert _history(database) == ["trigger", "assign", "escalate"]


def test_whatever_was_answered_202_survives_a_kill(always_on_call: Path, database: Path) -> None:
    """Triggers pour in from several sides until the process is shot; every answered one is there afterwards, once."""
    with serve(ENVIRONMENT, team=always_on_call, database=str(database)) as first:
        url = first.ready()
        answered = _pour_until_dead(first, url)
    assert len(answered) >= 30
    with serve(ENVIRONMENT, team=always_on_call, database=str(database)) as second:
        url = second.ready()
        for key in answered[:1]:
            trigger(url, key)
    connection = sqlite3.connect(database)
    rows = connection.execute("SELECT dedup_key, COUNT(*) FROM incidents GROUP BY dedup_key").fetchall()
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert set(answered) <= {key for key, _ in rows}
    assert {count for _, count in rows} == {1}


def _pour_until_dead(running: Serve, url: str) -> list[str]:
    answered: list[str] = []
    enough = threading.Event()

    def pour(side: int) -> None:
        for n in range(10_000):
            try:
                trigger(url, f"k-{side}-{n}")
            except requests.RequestException:
                return
            answered.append(f"k-{side}-{n}")
            if len(answered) >= 30:
                enough.set()

    sides = [threading.Thread(target=pour, args=(side,)) for side in range(4)]
    for side in sides:
        side.start()
    assert enough.wait(30)
    running.end(signal.SIGKILL)
    for side in sides:
        side.join()
    return answered


def test_a_typo_in_the_team_file_does_not_keep_the_pager_down(team: Path, database: Path) -> None:
    with serve(ENVIRONMENT, team=team, database=str(database)) as first:
        first.ready()
        first.end(signal.SIGTERM)
    team.write_text(team.read_text().replace("[[people]]", "[[poeple]]", 1))
    with serve(ENVIRONMENT, team=team, database=str(database)) as second:
        url = second.ready()
        second.await_log("the team file cannot be used")
        second.await_log("found wrong")
        ready = ask("GET", f"{url}/readyz")
        assert (ready.status_code, ready.json()["team_file"]) == (200, False)
