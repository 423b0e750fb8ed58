"""The demonstration, and a connection to somebody else's server, on a real desktop."""

import tempfile
from pathlib import Path

from desktop.backends.base import NewPage
from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.domain.incident import Status
from desktop.domain.severity import Severity
from desktop.system.clock import utc_now
from tests.desktop.application import POPUP, application, await_popup
from tests.desktop.session import Session
from tests.faults.backend.server import FaultyServer
from tests.serving import serving


def test_the_demonstration_pages_and_leaves_nothing_behind(session: Session, tmp_path: Path) -> None:
    home = {**session.new_home(), "TMPDIR": tempfile.mkdtemp(dir=tmp_path)}
    with session.map_events() as maps, session.listen() as ear, application(session, "demo", home=home) as app:
        await_popup(maps)
        ear.wait_for_sound()
        app.process.popen.terminate()
        assert app.process.popen.wait(15) == 0
        ear.wait_for_silence()
    assert list(Path(home["TMPDIR"]).iterdir()) == []
    assert not app.data.exists()


def test_a_connection_is_watched_instead_of_an_embedded_server(session: Session, tmp_path: Path) -> None:
    home = session.new_home()
    with serving(tmp_path) as server, session.map_events() as maps:
        backend = PagerDutyBackend(server.url, server.token(), utc_now)
        with session.python("main.py", "connect", server.url, "--token-stdin", env=home) as connect:
            connect.write(server.token() + "\n")
            assert connect.popen.wait(20) == 0, connect.log.read_text()
        with application(session, home=home) as app:
            session.await_tray_icons(1)
            it = backend.trigger(NewPage("Replica db-3 is behind", Severity.SEV1))
            popup = await_popup(maps)
            app.acknowledge_by_click(popup, lambda: backend.incident(it.id).status is Status.ACKNOWLEDGED)
            assert not (app.data / "server.json").exists()
            # What the terminal sees is the same connection.
            assert it.id in app.command("incidents")


def test_what_happens_while_the_server_is_away_is_seen_when_it_is_back(session: Session, tmp_path: Path) -> None:
    home = session.new_home()
    with session.map_events() as maps:
        with serving(tmp_path) as server:
            token = server.token()
            port = int(server.url.rpartition(":")[2])
            with session.python("main.py", "connect", server.url, "--token-stdin", env=home) as connect:
                connect.write(token + "\n")
                assert connect.popen.wait(20) == 0, connect.log.read_text()
            key = server.key()
            server.kill()
        with application(session, home=home), serving(tmp_path, port=port) as again:
            again.enqueue(key, "Raised before anybody was back in contact")
            await_popup(maps)


def test_what_is_connected_while_it_runs_is_watched_without_a_restart(session: Session) -> None:
    home, server = session.new_home(), FaultyServer()
    try:
        with session.map_events() as maps, application(session, home=home) as app:
            session.await_tray_icons(1)
            app.await_server()
            with session.python("main.py", "connect", server.url, "--token-stdin", env=home) as connect:
                connect.write(server.account.token + "\n")
                assert connect.popen.wait(20) == 0, connect.log.read_text()
                assert "start it again" not in connect.log.read_text()
            server.account.trigger("Payments down")
            # Well within the time between two looks at the settings: it was told.
            maps.wait(POPUP, 8)
    finally:
        server.stop()
