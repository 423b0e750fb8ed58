"""Waking up, found once though two tell of it; and what came and went meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest

from desktop.domain.incident import Acknowledgement, Asked, Incident, Person, Snapshot, Status
from desktop.domain.meanwhile import Happened, came_and_went, happened, held, may_have_paged, sentences
from desktop.domain.severity import Severity
from desktop.domain.waking import Gap, Waking
from tests.fakes.backend import ANA, T0, incident

MORNING = T0 + timedelta(hours=8)
SOON = timedelta(seconds=2)


@pytest.fixture
def waking() -> Waking:
    """Ticked at T0, and asleep 5 s later."""
    made = Waking()
    assert made.tick(T0, jumped=False) is None
    return made


def test_the_clock_alone_tells(waking: Waking) -> None:
    assert waking.tick(MORNING, jumped=True) == Gap(T0, MORNING)
    assert waking.tick(MORNING + SOON, jumped=False) is None


def test_two_jumps_in_a_row_are_two(waking: Waking) -> None:
    assert waking.tick(MORNING, jumped=True) == Gap(T0, MORNING)
    later = MORNING + timedelta(hours=1)
    assert waking.tick(later, jumped=True) == Gap(MORNING, later)


def test_both_tell_and_it_is_found_once_whichever_comes_first(waking: Waking) -> None:
    asleep = T0 + timedelta(seconds=5)
    waking.sleeping(asleep)
    assert waking.woke(MORNING) == Gap(asleep, MORNING)
    assert waking.tick(MORNING + SOON, jumped=True) is None
    # The next night the clock is first.
    night = MORNING + timedelta(hours=15)
    waking.tick(night, jumped=False)
    waking.sleeping(night + SOON)
    woke = night + timedelta(hours=8)
    assert waking.tick(woke, jumped=True) == Gap(night, woke)
    assert waking.woke(woke + SOON) is None


def test_whoever_looks_before_the_tick_and_the_systems_word_finds_it_and_they_do_not_again(waking: Waking) -> None:
    assert waking.looked(T0 + timedelta(seconds=30)) is None
    assert waking.looked(MORNING) == Gap(T0, MORNING)
    assert waking.looked(MORNING + SOON) is None
    assert waking.woke(MORNING + SOON) is None
    assert waking.tick(MORNING + 2 * SOON, jumped=True) is None
    assert waking.looked(MORNING + 3 * SOON) is None


def test_whoever_looks_after_the_others_told_finds_nothing_new(waking: Waking) -> None:
    assert Waking().looked(MORNING) is None
    assert waking.woke(MORNING) == Gap(T0, MORNING)
    assert waking.looked(MORNING + SOON) is None
    assert waking.tick(MORNING + 2 * SOON, jumped=True) is None
    night = MORNING + timedelta(hours=15)
    assert waking.tick(night, jumped=True) == Gap(MORNING + 2 * SOON, night)
    assert waking.looked(night + SOON) is None


def test_both_at_one_instant_are_one_waking(waking: Waking) -> None:
    assert waking.woke(MORNING) == Gap(T0, MORNING)
    assert waking.tick(MORNING, jumped=True) is None
    assert waking.woke(MORNING) is None


def test_the_systems_word_alone_comes_after_a_clock_that_told(waking: Waking) -> None:
    assert waking.tick(MORNING, jumped=True) == Gap(T0, MORNING)
    assert waking.woke(MORNING + SOON) is None


def test_two_short_sleeps_are_two(waking: Waking) -> None:
    at = T0
    for _ in range(3):
        waking.sleeping(at)
        at += timedelta(seconds=25)
        assert waking.woke(at) == Gap(at - timedelta(seconds=25), at)
        at += SOON
        assert waking.tick(at, jumped=True) is None


def test_after_a_sleep_that_was_told_the_clock_is_still_heard(waking: Waking) -> None:
    waking.sleeping(T0)
    waking.woke(MORNING)
    waking.tick(MORNING + SOON, jumped=True)
    later = MORNING + timedelta(hours=1)
    assert waking.tick(later, jumped=True) == Gap(MORNING + SOON, later)


def test_a_clock_that_was_set_back_leaves_no_time_in_between(waking: Waking) -> None:
    back = T0 - timedelta(hours=1)
    assert waking.tick(back, jumped=True) == Gap(back, back)


def test_waking_without_having_said_so_before(waking: Waking) -> None:
    assert waking.woke(MORNING) == Gap(T0, MORNING)
    assert Waking().woke(T0) == Gap(T0, T0)


def test_what_came_and_went_is_what_was_opened_meanwhile_and_is_over() -> None:
    def at(number: int, hours: float, **changes: object) -> None:
        them.append(incident(f"I{number}", created_at=T0 + timedelta(hours=hours), **changes))

    them: list = []  # type: ignore[type-arg]
    at(1, -1, status=Status.RESOLVED)
    at(2, 1, status=Status.RESOLVED, severity=Severity.SEV2)
    at(3, 2, status=Status.RESOLVED)
    at(4, 3)
    at(5, 9, status=Status.RESOLVED)
    assert [i.id for i in came_and_went(them, T0, MORNING)] == ["I3", "I2"]
    # From the first instant to the last.
    two = them[2].created_at
    assert [i.id for i in came_and_went(them, two, two)] == ["I3"]


BEN = Person("ben", "Ben Okafor")
WHEN = "While this machine slept"


def test_it_is_said_in_one_sentence() -> None:
    gone = tuple(incident(f"I{n}", title="Disk full\n" * 40, status=Status.RESOLVED) for n in range(5))
    said = sentences(Happened(gone), WHEN)
    assert said.startswith("While this machine slept, 5 incidents came and went: SEV-0 Disk full")
    assert said.endswith("; 2 more.")
    assert "more" not in sentences(Happened(gone[:3]), WHEN)
    assert sentences(Happened(), WHEN) == ""


def test_who_has_now_what_paged_this_person_is_said() -> None:
    taken = incident("I1", status=Status.ACKNOWLEDGED, acknowledgements=(Acknowledgement(BEN, T0),))
    given = incident("I2", title="Given", assignees=(BEN, Person("cho", "Cho\n Lin"), ANA))
    over = incident("I3", title="Ended", status=Status.RESOLVED)
    said = sentences(Happened((), (over,), (taken, given)), WHEN)
    assert said == (
        "While this machine slept, an incident that you had was resolved: SEV-0 Ended. "
        "2 incidents that paged you went to others: SEV-0 Payments API: 5xx above 20 % (acknowledged by Ben Okafor); "
        "SEV-0 Given (with Ben Okafor, Cho Lin and 1 more)."
    )


class TestWhatHappenedToMine:
    def told(self, it: Incident, **before: bool) -> str:
        """Return as what an incident of ``before`` the gap, or of the gap, is told."""
        found = happened((it,), T0, MORNING, "ana", before)
        return "went" if found.went else "over" if found.over else "elsewhere" if found.elsewhere else ""

    def test_what_still_pages_me_is_no_news(self) -> None:
        assert self.told(incident()) == self.told(incident(), I1=False) == self.told(incident(), I1=True) == ""

    def test_what_another_acknowledged_is_news_once(self) -> None:
        taken = incident(status=Status.ACKNOWLEDGED, acknowledgements=(Acknowledgement(BEN, T0),))
        assert self.told(taken) == self.told(taken, I1=False) == "elsewhere"
        assert self.told(taken, I1=True) == ""
        asked = replace(taken, assignees=(BEN,), asked=(Asked(ANA, BEN),))
        assert self.told(asked) == self.told(asked, I1=False) == ""
        mine = replace(taken, acknowledgements=(Acknowledgement(ANA, T0),))
        assert self.told(mine) == self.told(mine, I1=False) == ""

    def test_what_another_has_now_is_news(self) -> None:
        given = incident(assignees=(BEN,))
        assert self.told(given) == self.told(given, I1=False) == self.told(given, I1=True) == "elsewhere"

    def test_what_is_over_is_told_once_and_not_where_i_resolved_it(self) -> None:
        over = incident(status=Status.RESOLVED, created_at=T0 - timedelta(hours=1), resolved_by=BEN)
        assert self.told(over, I1=False) == self.told(over, I1=True) == "over"
        assert self.told(replace(over, resolved_by=ANA), I1=True) == ""
        assert self.told(replace(over, created_at=T0), I1=False) == "went"

    def test_of_what_is_open_elsewhere_the_history_is_asked_for_what_was_opened_meanwhile(self) -> None:
        them = (
            incident("I1", assignees=(BEN,)),
            incident("I2"),
            incident("I3", assignees=(BEN,), status=Status.RESOLVED),
            incident("I4", assignees=(BEN,), created_at=T0 - timedelta(seconds=1)),
            incident("I5", assignees=(BEN,)),
        )
        assert [i.id for i in may_have_paged(them, T0, MORNING, "ana", {"I5": False})] == ["I1"]

    def test_what_is_mine_is_kept_with_whether_somebody_has_it(self) -> None:
        them = (
            incident("I1"),
            incident("I2", status=Status.ACKNOWLEDGED),
            incident("I3", assignees=(BEN,)),
            incident("I4", status=Status.RESOLVED),
        )
        assert dict(held(Snapshot(ANA, them, (), T0))) == {"I1": False, "I2": True}
        assert dict(held(None)) == {}
