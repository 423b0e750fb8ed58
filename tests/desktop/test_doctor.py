"""The doctor, on a whole desktop and on machines that lack each part."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.desktop.application import Application, application
from tests.desktop.session import PROJECT, Session
from tests.desktop.test_staying import await_that, tray_of, trays
from tests.serving import serving

WATCH = "watch of environment"


def command(environment: dict[str, str], *arguments: str, expect: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "main.py", *arguments],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def doctor(environment: dict[str, str], expect: int) -> dict[str, tuple[bool, str]]:
    checks = json.loads(command(environment, "doctor", "--json", expect=expect))["checks"]
    assert all(c["ok"] or c["mend"] or c["message"] for c in checks)
    return {c["name"]: (c["ok"], c["message"]) for c in checks}


def test_a_whole_desktop_is_well(session: Session) -> None:
    with application(session) as app:
        session.await_tray_icons(1)
        app.await_server()
        found = doctor({**session.env, **app.home}, 0)
    assert all(ok for ok, _ in found.values())
    assert found["notifications"] == (True, "dunst")
    assert "answers as" in found["connection Watchbell server"][1]
    assert "the running Watchbell watches it" in found["watch of Watchbell server"][1]
    assert found["restart after a crash"] == (True, "its supervisor is there")


def test_a_supervisor_that_is_gone_is_found_while_the_application_runs_on(session: Session) -> None:
    home = session.new_home()
    with application(session, home=home) as app:
        session.await_tray_icons(1)
        app.await_server()
        tray = tray_of(app)
        try:
            os.kill(app.process.pid, signal.SIGKILL)
            app.process.popen.wait()
            await_that(lambda: status(app)["application"]["guard"] == "nobody", "it does not know")
            found = doctor({**session.env, **home}, 1)
            assert [name for name, (ok, _) in found.items() if not ok] == ["restart after a crash"]
        finally:
            os.kill(tray, signal.SIGTERM)
            await_that(lambda: not trays(home), "it does not end")


def test_a_supervisor_whose_application_is_gone_is_told_from_nobody(session: Session) -> None:
    home = session.new_home()
    with application(session, home=home) as app:
        session.await_tray_icons(1)
        await_that(lambda: status(app)["connections"][0]["watch"]["state"] == "watched", "it does not watch")
        first = tray_of(app)
        os.kill(app.process.pid, signal.SIGSTOP)
        os.kill(first, signal.SIGKILL)
        await_that(
            lambda: "tries to start it" in doctor({**session.env, **home}, 1)["application"][1], "it is not told"
        )
        told = status(app)
        assert told["application"] == {"state": "not running", "guard": "supervisor"}
        assert "nobody watches here now" in told["connections"][0]["watch"]["message"]
        os.kill(app.process.pid, signal.SIGCONT)
        await_that(lambda: status(app)["application"]["state"] == "answers", "it is not started again")
        app.await_server()


def test_a_token_that_only_the_application_has_wrong_is_found(session: Session, tmp_path: Path) -> None:
    home = session.new_home()
    with serving(tmp_path) as server:
        wrong, right = {"WATCHBELL_URL": server.url, "WATCHBELL_TOKEN": "wb_no"}, server.token()
        with application(session, home={**home, **wrong}):
            session.await_tray_icons(1)
            environment = {**session.env, **home, **wrong, "WATCHBELL_TOKEN": right}
            await_that(lambda: "has no good token" in doctor(environment, 1)[WATCH][1], "it is not told")
            found = doctor(environment, 1)
            assert found["connection environment"] == (True, "answers as Ana Ruiz")
            assert [name for name, (ok, _) in found.items() if not ok] == [WATCH]
            assert found[WATCH][1].startswith("you are primary until ")
            connection = json.loads(command(environment, "status", "--json"))["connections"][0]
            assert (connection["state"], connection["watch"]["state"]) == ("live", "token missing")


def status(app: Application) -> dict[str, Any]:
    """Return what ``status`` prints, whether the backend answers it yet or not."""
    environment = {**app.session.env, **app.home}
    arguments = [sys.executable, "main.py", "status", "--json"]
    done = subprocess.run(arguments, env=environment, cwd=PROJECT, capture_output=True, check=False, timeout=60)
    assert done.returncode in {0, 2, 3}, done.stderr
    return dict(json.loads(done.stdout))


def test_an_application_that_hangs_or_was_killed_is_found(session: Session) -> None:
    home = session.new_home()
    with application(session, home=home) as app:
        session.await_tray_icons(1)
        app.await_server()
        tray = tray_of(app)
        os.kill(tray, signal.SIGSTOP)
        ok, message = doctor({**session.env, **home}, 1)["application"]
        assert not ok
        assert f"process {tray}" in message
        watch = status(app)["connections"][0]["watch"]
        assert watch["message"] == "Watchbell runs, and does not answer: nobody knows whether it watches"
        os.kill(tray, signal.SIGCONT)
        os.killpg(app.process.pid, signal.SIGKILL)
        app.process.popen.wait()
        found = doctor({**session.env, **home}, 1)
        ok, message = found["application"]
        assert not ok
        assert "ended without being quit" in message
        assert str(app.data / "show") in message
        # The built-in server goes on without it.
        assert found["connection Watchbell server"][0]
        ok, message = found["watch of Watchbell server"]
        assert not ok
        assert message.startswith("you are primary until ")
        assert message.endswith("Watchbell does not run on this machine: nobody watches here")


def test_a_bare_machine_is_told_everything_that_it_lacks(session: Session) -> None:
    bare = {**session.env, **session.new_home(), "PULSE_SERVER": "unix:/nonexistent"}
    del bare["DBUS_SESSION_BUS_ADDRESS"]
    found = doctor(bare, 3)
    assert found["screen"][0]
    assert not found["sound"][0]
    assert not found["notifications"][0]
    assert not found["keyring"][0]
    assert not found["connection Watchbell server"][0]


def test_no_screen_is_a_finding_and_not_a_crash(session: Session) -> None:
    found = doctor({**session.env, **session.new_home(), "DISPLAY": ":9999"}, 3)
    assert found["screen"] == (False, "no screen can be opened")
    assert found["keyring"][0]


def test_a_token_that_is_not_accepted_is_found(session: Session, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        environment = {**session.env, **session.new_home(), "WATCHBELL_URL": server.url, "WATCHBELL_TOKEN": "wb_no"}
        found = doctor(environment, 3)
        assert "not accept" in found["connection environment"][1]
        environment["WATCHBELL_TOKEN"] = server.token()
        found = doctor(environment, 1)
    assert [name for name, (ok, _) in found.items() if not ok] == [WATCH]
    assert found["connection environment"] == (True, "answers as Ana Ruiz")
    assert found["clock of environment"][0]
