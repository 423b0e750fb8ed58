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

    def summarise(self, more: tuple[Page, ...], *, news: bool) -> None:
        worst = f", {more[0].incident.severity.label}" if more else ""
        self.notices.append(f"{len(more)} more{worst}{' (news)' if news else ''}")

    def said(self) -> list[str]:
        """Return what was said since the last time."""
        said, self.notices = self.notices, []
        return said


def numbered(*numbers: int, **changes: object) -> list[Incident]:
    """Return incidents, the earlier the smaller their number."""
    return [incident(f"I{n}", created_at=T0 + n * MINUTE, **changes) for n in numbers]


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


def test_a_storm_is_three_notifications_and_one_for_the_rest() -> None:
    told = Recorder()
    ringer = Ringer(told, told)
    for _ in range(2):
        ringer.update(decide(*numbered(*range(300))), T0)
    assert told.notices == ["I0 1", "I1 1", "I2 1", "297 more, SEV-0 (news)"]


def test_pages_that_come_one_by_one_share_the_last_notification() -> None:
    told = Recorder()
    ringer = Ringer(told, told)
    for count in range(1, 7):
        ringer.update(decide(*numbered(*range(count))), T0)
    assert told.notices[:3] == ["I0 1", "I1 1", "I2 1"]
    assert told.notices[3:] == ["1 more, SEV-0 (news)", "2 more, SEV-0 (news)", "3 more, SEV-0 (news)"]


def test_room_is_for_what_comes_or_is_paged_again_not_for_what_was_counted() -> None:
    told = Recorder()
    ringer = Ringer(told, told)
    ringer.update(decide(*numbered(0, 1, 2, 3, 4)), T0)
    told.said()
    ringer.update(decide(*numbered(2, 3, 4)), T0)
    assert told.said() == ["I0 withdrawn", "I1 withdrawn"]
    ringer.update(decide(*numbered(2, 4), *numbered(3, pages=2)), T0)
    assert told.said() == ["I3 2", "1 more, SEV-0"]
    ringer.update(decide(*numbered(2, 4, 5), *numbered(3, pages=2)), T0)
    assert told.said() == ["I5 1"]
    ringer.update(decide(*numbered(2, 5), *numbered(3, pages=2)), T0)
    assert told.said() == ["0 more"]


def test_a_counted_page_that_is_paged_again_without_room_is_news() -> None:
    told = Recorder()
    ringer = Ringer(told, told)
    ringer.update(decide(*numbered(0, 1, 2, 3)), T0)
    told.said()
    ringer.update(decide(*numbered(0, 1, 2), *numbered(3, pages=2)), T0)
    assert told.said() == ["1 more, SEV-0 (news)"]
    ringer.update(decide(*numbered(1, 2), *numbered(0, 3, pages=2)), T0)
    assert told.said() == ["I0 2"]


def test_the_rest_follows_how_bad_its_worst_is() -> None:
    told = Recorder()
    ringer = Ringer(told, told)
    first = numbered(0, 1, 2)
    ringer.update(decide(*first, *numbered(3, severity=Severity.SEV2)), T0)
    assert told.said()[3:] == ["1 more, SEV-2 (news)"]
    ringer.update(decide(*first, *numbered(3, severity=Severity.SEV1)), T0)
    assert told.said() == ["1 more, SEV-1"]


def test_the_most_urgent_of_many_get_the_notifications() -> None:
    told = Recorder()
    mild, bad = numbered(*range(5), severity=Severity.SEV2), numbered(*range(5, 9))
    Ringer(told, told).update(decide(*mild, *bad), T0)
    assert told.notices == ["I5 1", "I6 1", "I7 1", "6 more, SEV-0 (news)"]


def test_a_mild_page_that_is_only_counted_chimes() -> None:
    told = Recorder()
    ringer = Ringer(told, told)
    for count in (3, 4, 4):
        ringer.update(decide(*numbered(*range(count), severity=Severity.SEV2)), T0)
    assert told.sounds == ["chime", "chime"]


class TestWhatIsOld:
    """Pages of before the machine slept, or of an earlier run."""

    def old(self, decided: Attention) -> Attention:
        return replace(decided, pages=tuple(replace(p, old=True) for p in decided.pages), sound=None, loop=False)

    def test_it_is_not_told_before_the_backend_says_that_it_is_so(self) -> None:
        told = Recorder()
        ringer = Ringer(told, told)
        decided = decide(*numbered(1))
        ringer.update(self.old(decided), T0)
        assert (told.said(), told.sounds) == ([], [])
        ringer.update(decided, T0)
        assert (told.said(), told.sounds) == (["I1 1"], ["siren for ever"])

    def test_what_was_told_before_is_not_told_again(self) -> None:
        told = Recorder()
        ringer = Ringer(told, told)
        decided = decide(*numbered(1))
        for step in (decided, self.old(decided), decided):
            ringer.update(step, T0)
        assert told.said() == ["I1 1"]
        assert told.sounds == ["siren for ever", "stop", "siren for ever"]

    def test_paged_again_meanwhile_it_is_told(self) -> None:
        told = Recorder()
        ringer = Ringer(told, told)
        decided = decide(*numbered(1))
        for step in (decided, self.old(decided), decide(*numbered(1, pages=2))):
            ringer.update(step, T0)
        assert told.said() == ["I1 1", "I1 2"]
