from dataclasses import replace
from datetime import timedelta

from desktop.alerting.ringer import Ringer
from desktop.domain.attention import Attention, Page, Sound, attention
from desktop.domain.incident import Incident, Status
from desktop.domain.severity import Severity
from tests.fakes.backend import T0, incident
from tests.unit.test_attention import live

MINUTE = timedelta(minutes=1)


class Recorder:
    """Player and notifier that note what they are told."""

    def __init__(self) -> None:
        self.sounds: list[str] = []
        self.notices: list[str] = []

    def play(self, sound: Sound, loop: bool) -> None:
        self.sounds.append(f"{sound.value}{' for ever' if loop else ''}")

    def stop(self) -> None:
        self.sounds.append("stop")

    def notify(self, page: Page) -> None:
        self.notices.append(f"{page.incident.id} {page.incident.pages}")

    def withdraw(self, connection: str, incident_id: str) -> None:
        self.notices.append(f"{incident_id} withdrawn")


def decide(*incidents: Incident) -> Attention:
    return attention((live(*incidents),), T0)


def test_a_page_rings_until_it_is_acknowledged() -> None:
    told = Recorder()
    ringer = Ringer(told, told)
    ringer.update(decide(), T0)
    for _ in range(3):
        ringer.update(decide(incident()), T0)
    ringer.update(decide(incident(status=Status.ACKNOWLEDGED)), T0)
    assert told.sounds == ["siren for ever", "stop"]
    assert told.notices == ["I1 1", "I1 withdrawn"]


def test_a_worse_page_takes_over_and_the_milder_one_comes_back() -> None:
    told = Recorder()
    ringer = Ringer(told, told)
    mild = incident("mild", severity=Severity.SEV1)
    ringer.update(decide(mild), T0)
    ringer.update(decide(mild, incident()), T0)
    ringer.update(decide(mild), T0)
    assert told.sounds == ["ring for ever", "siren for ever", "ring for ever"]


def test_being_paged_again_is_told_again() -> None:
    told = Recorder()
    ringer = Ringer(told, told)
    for pages in (1, 1, 2, 2):
        ringer.update(decide(incident(pages=pages)), T0)
    assert told.notices == ["I1 1", "I1 2"]


def test_a_chime_sounds_once_and_again_every_ten_minutes() -> None:
    told = Recorder()
    ringer = Ringer(told, told)
    mild = decide(incident(severity=Severity.SEV2))
    for minutes in range(21):
        ringer.update(mild, T0 + minutes * MINUTE)
    assert told.sounds == ["chime"] * 3


def test_a_second_page_while_the_first_is_unseen_chimes_again() -> None:
    told = Recorder()
    ringer = Ringer(told, told)
    one, two = (incident(i, severity=Severity.SEV2) for i in ("one", "two"))
    ringer.update(decide(one), T0)
    ringer.update(decide(one, two), T0 + MINUTE)
    ringer.update(decide(one, two), T0 + MINUTE)
    assert told.sounds == ["chime", "chime"]


def test_muted_is_silent_and_rings_again_afterwards() -> None:
    told = Recorder()
    ringer = Ringer(told, told)
    loud = decide(incident())
    ringer.update(loud, T0)
    ringer.update(replace(loud, sound=None), T0)
    ringer.update(loud, T0)
    assert told.sounds == ["siren for ever", "stop", "siren for ever"]
