"""A home on a disk that is full or read-only: the application runs, pages, and takes clicks all the same."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.backends.base import NewPage
from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.domain.incident import Status
from desktop.domain.severity import Severity
from desktop.system import instance
from desktop.system.clock import utc_now
from desktop.system.paths import Paths
from tests.desktop.application import application, await_popup
from tests.desktop.session import Session
from tests.disks import Disk, small_disk
from tests.faults.backend.server import FaultyServer
from tests.isolation import home_environment
from tests.serving import serving


@pytest.fixture
def disk(session: Session) -> Iterator[Disk]:
    with small_disk(Path(tempfile.mkdtemp(dir=session.folder)) / "disk") as disk:
        yield disk
        data = disk.folder / "home" / "data" / "watchbell"
        shutil.rmtree(instance._elsewhere(Paths(data, data, data)), ignore_errors=True)


@pytest.mark.parametrize("how", ["fill", "read_only"])
def test_it_pages_and_takes_clicks(session: Session, disk: Disk, tmp_path: Path, how: str) -> None:
    home = home_environment(disk.folder / "home")
    with serving(tmp_path) as server, session.map_events() as maps:
        token = server.token()
        with session.python("main.py", "connect", server.url, "--token-stdin", env=home) as connect:
            connect.write(token + "\n")
            assert connect.popen.wait(20) == 0, connect.log.read_text()
        (Path(home["XDG_DATA_HOME"]) / "watchbell").mkdir()
        getattr(disk, how)()
        with application(session, home=home) as app:
            begin = app.process.log.stat().st_size
            session.await_tray_icons(1)
            backend = PagerDutyBackend(server.url, token, utc_now)
            it = backend.trigger(NewPage("Disk full", Severity.SEV0))
            popup = await_popup(maps)
            app.acknowledge_by_click(popup, lambda: backend.incident(it.id).status is Status.ACKNOWLEDGED)
            said = app.process.log.read_text("utf-8", "replace")[begin:]
            assert "client.db cannot be" in said
            assert "Traceback" not in said


def test_a_second_start_brings_the_one_of_a_read_only_home_to_the_front_also_when_it_is_writable_again(
    session: Session, disk: Disk
) -> None:
    server = FaultyServer()
    home = home_environment(disk.folder / "home")
    (Path(home["XDG_DATA_HOME"]) / "watchbell").mkdir()
    home |= {"WATCHBELL_URL": server.url, "WATCHBELL_TOKEN": server.account.token}
    disk.read_only()
    try:
        with application(session, home=home), session.map_events() as maps:
            session.await_tray_icons(1)
            second_start(session, home)
            maps.wait("^Watchbell$", 20)
            disk.writable()
            second_start(session, home)
            assert len(session.tray_icons()) == 1
    finally:
        server.stop()


def second_start(session: Session, home: dict[str, str]) -> None:
    with session.python("main.py", env=home) as second:
        assert second.popen.wait(8) == 0, second.log.read_text()
