"""What came and went while nobody watched is told once, when there is contact again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from pytestqt.qtbot import QtBot

from desktop.app.fleet import Fleet
from desktop.app.meanwhile import AWAY as AWAY_WORDS
from desktop.app.meanwhile import SLEPT, Meanwhile
from desktop.app.presence import AWAY, Presence
from desktop.connections.live import LiveConnection
from desktop.domain.attention import Contact
from desktop.domain.errors import BackendFault, Unreachable
from desktop.domain.incident import Acknowledgement, Person, Status
from desktop.domain.waking import Gap
from desktop.qt.bridge import Bridge
from desktop.sync import untold
from desktop.sync.backoff import Backoff
from desktop.system.clock import utc_now
from desktop.system.guard import Guard
from desktop.system.liveness import Liveness
from desktop.system.paths import paths_under
from desktop.system.session_secrets import SessionSecrets
from tests.fakes.backend import T0, FakeBackend, FakeServer, incident
from tests.ui.screens import Notes, screens
from tools import look_samples as sample

BEN = Person("ben", "Ben Okafor")
GAP = Gap(T0, T0 + timedelta(hours=8))
STATE = sample.state(id="embedded", heard_at=T0, contact=Contact.LIVE)


class Told:
    """A ``Meanwhile`` on a backend in memory; after a question that was refused it asks again at once."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = FakeServer()
        monkeypatch.setattr(LiveConnection, "backend", lambda _self: FakeBackend(self.server))
        self.paths = paths_under(folder)
        self.paths.data.mkdir(parents=True)
        self.surfaces, self.bridge = screens(), Bridge()
        self.fleet = Fleet(self.paths, SessionSecrets(), lambda _: None, lambda *_: None, demo=True)
        self.waited: list[float | None] = []
        self.meanwhile = self.started()

    def started(self) -> Meanwhile:
        """Return it as after a start."""
        return Meanwhile(self.fleet, self.surfaces, self.bridge, self.paths.untold, lambda: Pauses(self.waited))

    def hear(self, at: datetime) -> None:
        self.meanwhile.follow((replace(STATE, heard_at=at),))

    def notices(self) -> list[str]:
        by_key = self.surfaces.status.notices.by_key
        return [notice.text.text() for key, notice in by_key.items() if key.startswith("meanwhile")]

    def told(self) -> list[str]:
        return [text for _, _, text in cast("Notes", self.surfaces.notifier).told]

    def asked(self) -> list[str]:
        return [call for call, _ in self.server.calls]


class Pauses(Backoff):
    """Waits no time, and notes what was asked for."""

    def __init__(self, waited: list[float | None]) -> None:
        super().__init__()
        self._waited = waited

    def next(self, retry_after: float | None = None) -> float:
        """Note it."""
        self._waited.append(retry_after)
        return 0.0


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


LATER = GAP.until + timedelta(seconds=1)


def test_a_question_that_was_refused_is_asked_again_until_it_is_answered_and_told_once(
    qtbot: QtBot, told: Told
) -> None:
    told.server.put(incident("I1", status=Status.RESOLVED, created_at=T0 + timedelta(hours=1), title="Disk full"))
    told.server.fail = [BackendFault("503", retry_after=7.0), Unreachable("gone")]
    told.meanwhile.missed(GAP, SLEPT, (STATE,))
    told.hear(LATER)
    # News in between change nothing.
    told.hear(LATER)
    qtbot.waitUntil(lambda: len(told.notices()) == 1)
    assert told.asked() == ["incidents"] * 3
    assert told.waited == [7.0, None]
    told.hear(LATER)
    assert told.told() == ["While this machine slept, an incident came and went: SEV-0 Disk full."]
    assert not told.paths.untold.exists()


def test_it_is_asked_again_only_while_there_is_contact(qtbot: QtBot, told: Told) -> None:
    told.server.put(incident("I1", status=Status.RESOLVED, created_at=T0 + timedelta(hours=1)))
    told.server.fail = [Unreachable("gone")]
    told.meanwhile.missed(GAP, SLEPT, (STATE,))
    told.hear(LATER)
    told.meanwhile.follow((replace(STATE, heard_at=LATER, contact=Contact.LOST),))
    qtbot.waitUntil(lambda: told.waited == [None])
    qtbot.wait(20)
    assert told.asked() == ["incidents"]
    told.hear(LATER)
    qtbot.waitUntil(lambda: len(told.notices()) == 1)


def test_what_was_not_answered_before_a_crash_is_asked_after_it(qtbot: QtBot, told: Told) -> None:
    told.server.put(incident("I1", created_at=T0 - timedelta(hours=1), title="Mine before"))
    before = replace(STATE, snapshot=told.server.snapshot())
    told.meanwhile.missed(GAP, SLEPT, (before,))
    again = told.meanwhile = told.started()
    away = Gap(GAP.until, GAP.until + timedelta(hours=1))
    told.server.put(incident("I1", created_at=T0 - timedelta(hours=1), title="Mine before", assignees=(BEN,)))
    told.server.put(incident("I2", status=Status.RESOLVED, created_at=away.since + timedelta(minutes=1)))
    again.missed(away, AWAY_WORDS, (replace(STATE, heard_at=GAP.until),))
    told.hear(away.until)
    qtbot.waitUntil(lambda: len(told.notices()) == 2)
    assert told.told() == [
        "While this machine slept, an incident that paged you went to others: SEV-0 Mine before (with Ben Okafor).",
        "While Watchbell was not running, an incident came and went: SEV-0 Payments API: 5xx above 20 %.",
    ]
    assert untold.read(told.paths.untold) == {}


def test_each_gap_is_told_for_itself_and_takes_nothing_of_the_others_away(qtbot: QtBot, told: Told) -> None:
    second = Gap(GAP.until + timedelta(hours=1), GAP.until + timedelta(hours=2))
    told.server.put(incident("I1", status=Status.RESOLVED, created_at=T0 + timedelta(hours=1)))
    told.server.put(incident("I2", status=Status.RESOLVED, created_at=second.since + timedelta(minutes=1)))
    told.meanwhile.missed(GAP, SLEPT, (STATE,))
    told.hear(LATER)
    qtbot.waitUntil(lambda: len(told.notices()) == 1)
    told.meanwhile.missed(second, SLEPT, (replace(STATE, heard_at=LATER),))
    told.hear(second.until)
    qtbot.waitUntil(lambda: len(told.notices()) == 2)
    assert all("an incident" in text for text in told.notices())


def test_what_paged_me_meanwhile_and_is_somebody_elses_now_is_told(qtbot: QtBot, told: Told) -> None:
    at = T0 + timedelta(hours=1)
    told.server.put(incident("I1", created_at=at, title="Escalated"))
    told.server.put(incident("I1", created_at=at, title="Escalated", assignees=(BEN,)))
    told.server.put(incident("I2", created_at=at, title="Never mine", assignees=(BEN,)))
    taken = {"status": Status.ACKNOWLEDGED, "acknowledgements": (Acknowledgement(BEN, at),)}
    told.server.put(incident("I3", created_at=at, title="Taken", **taken))
    told.meanwhile.missed(GAP, SLEPT, (STATE,))
    told.hear(LATER)
    qtbot.waitUntil(lambda: len(told.notices()) == 1)
    (said,) = told.notices()
    assert said == (
        "While this machine slept, 2 incidents that paged you went to others: SEV-0 Escalated (with Ben Okafor); "
        "SEV-0 Taken (acknowledged by Ben Okafor)."
    )


def test_each_connection_is_asked_when_it_is_heard(qtbot: QtBot, told: Told) -> None:
    told.server.put(incident("I1", status=Status.RESOLVED, created_at=T0 + timedelta(hours=1)))
    other = replace(STATE, id="other", name="Other")
    told.fleet._connections["other"] = told.fleet._connections[STATE.id]
    told.meanwhile.missed(GAP, SLEPT, (STATE, other))
    told.meanwhile.follow((replace(STATE, heard_at=LATER), replace(other, contact=Contact.LOST)))
    qtbot.waitUntil(lambda: len(told.notices()) == 1)
    assert list(untold.read(told.paths.untold)) == ["other"]
    told.meanwhile.follow((replace(STATE, heard_at=LATER), replace(other, heard_at=LATER)))
    qtbot.waitUntil(lambda: len(told.notices()) == 2)
    assert not told.paths.untold.exists()


@pytest.mark.parametrize("content", ["", "[]", '{"one": [{"since": "2026-01-01T00:00:00"}]}', '{"one": 3}', "\0"])
def test_a_file_that_makes_no_sense_keeps_nobody_from_starting(told: Told, content: str) -> None:
    told.paths.untold.write_text(content)
    assert untold.read(told.paths.untold) == {}


def test_a_disk_that_takes_nothing_costs_no_telling(qtbot: QtBot, told: Told) -> None:
    told.paths.untold.mkdir()
    told.server.put(incident("I1", status=Status.RESOLVED, created_at=T0 + timedelta(hours=1)))
    told.meanwhile.missed(GAP, SLEPT, (STATE,))
    told.hear(LATER)
    qtbot.waitUntil(lambda: len(told.notices()) == 1)


def test_nothing_that_happened_is_nothing_to_tell(qtbot: QtBot, told: Told) -> None:
    told.server.put(incident("I1", created_at=T0 + timedelta(hours=1)))
    told.meanwhile.missed(GAP, SLEPT, (STATE,))
    told.hear(GAP.until)
    qtbot.waitUntil(lambda: told.server.calls != [])
    qtbot.wait(0)
    assert told.notices() == []
