"""What came and went while nobody watched is told once, when there is contact again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from pytestqt.qtbot import QtBot

from desktop.app.fleet import Fleet
from desktop.app.meanwhile import SLEPT, Meanwhile
from desktop.app.presence import AWAY, Presence
from desktop.connections.live import LiveConnection
from desktop.domain.attention import Contact
from desktop.domain.incident import Status
from desktop.domain.waking import Gap
from desktop.qt.bridge import Bridge
from desktop.system.clock import utc_now
from desktop.system.guard import Guard
from desktop.system.liveness import Liveness
from desktop.system.paths import paths_under
from desktop.system.session_secrets import SessionSecrets
from tests.fakes.backend import T0, FakeBackend, FakeServer, incident
from tests.ui.screens import Notes, screens
from tools import look_samples as sample

GAP = Gap(T0, T0 + timedelta(hours=8))
STATE = sample.state(id="embedded", heard_at=T0, contact=Contact.LIVE)


class Told:
    """A ``Meanwhile`` on a backend in memory."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = FakeServer()
        monkeypatch.setattr(LiveConnection, "backend", lambda _self: FakeBackend(self.server))
        self.surfaces, self.bridge = screens(), Bridge()
        fleet = Fleet(paths_under(folder), SessionSecrets(), lambda _: None, lambda *_: None, demo=True)
        self.meanwhile = Meanwhile(fleet, self.surfaces, self.bridge)

    def hear(self, at: datetime) -> None:
        self.meanwhile.follow((replace(STATE, heard_at=at),))

    def notices(self) -> list[str]:
        by_key = self.surfaces.status.notices.by_key
        return [notice.text.text() for key, notice in by_key.items() if key.startswith("meanwhile")]


@pytest.fixture
def told(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    made = Told(tmp_path, monkeypatch)
    yield made
    made.bridge.close()
    made.surfaces.stop()


def test_it_waits_for_contact_and_asks_once(qtbot: QtBot, told: Told) -> None:
    told.server.put(incident("I1", status=Status.RESOLVED, created_at=T0 + timedelta(hours=1), title="Disk full"))
    told.meanwhile.missed(GAP, SLEPT, (STATE,))
    told.hear(T0)
    assert told.server.calls == []
    for _ in range(3):
        told.hear(GAP.until + timedelta(seconds=1))
    qtbot.waitUntil(lambda: told.notices() == ["While this machine slept, an incident came and went: SEV-0 Disk full."])
    assert [call for call, _ in told.server.calls] == ["incidents"]


def test_a_crash_after_the_clock_was_ahead_is_told_though_nobody_knows_since_when(qtbot: QtBot, tmp_path: Path) -> None:
    paths, now = paths_under(tmp_path), utc_now()
    paths.data.mkdir()
    Liveness(paths.alive).begin(now + timedelta(hours=1))
    surfaces, bridge = screens(), Bridge()
    presence = Presence(paths, Guard.NOBODY, surfaces, bridge, tuple)
    presence.start()
    shown = surfaces.status.notices.by_key[AWAY].text.text()
    assert shown.startswith("Watchbell was not running; since when is unknown")
    assert [title for _, title, _ in cast("Notes", surfaces.notifier).told] == ["Watchbell is back"]
    assert presence.missed is not None
    gap, when = presence.missed
    assert gap.since < now <= gap.until
    assert when == "In the last 12 hours"
    presence.stop(by_person=True)
    bridge.close()
    surfaces.stop()


def test_two_gaps_without_contact_between_are_told_together(qtbot: QtBot, told: Told) -> None:
    told.server.put(incident("I1", status=Status.RESOLVED, created_at=T0 + timedelta(hours=1)))
    told.server.put(incident("I2", status=Status.RESOLVED, created_at=T0 + timedelta(hours=9)))
    told.meanwhile.missed(GAP, SLEPT, (STATE,))
    told.meanwhile.missed(Gap(GAP.until, GAP.until + timedelta(hours=2)), SLEPT, (STATE,))
    told.hear(GAP.until)
    assert told.server.calls == []
    told.hear(GAP.until + timedelta(hours=2))
    qtbot.waitUntil(lambda: any("2 incidents" in text for text in told.notices()))


def test_nothing_that_happened_is_nothing_to_tell(qtbot: QtBot, told: Told) -> None:
    told.server.put(incident("I1", created_at=T0 + timedelta(hours=1)))
    told.meanwhile.missed(GAP, SLEPT, (STATE,))
    told.hear(GAP.until)
    qtbot.waitUntil(lambda: told.server.calls != [])
    qtbot.wait(0)
    assert told.notices() == []
