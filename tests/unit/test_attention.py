from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from desktop.domain.attention import (
    SENDING_QUIET,
    Command,
    ConnectionState,
    Contact,
    Lost,
    Page,
    Quiet,
    Sending,
    Sound,
    Tray,
    attention,
    in_contact,
    mute,
)
from desktop.domain.incident import Acknowledgement, Asked, Incident, OnCall, Person, Snapshot, Status
from desktop.domain.severity import Severity
from tests.fakes.backend import ANA, ON_CALL, T0, incident

BEN = Person("ben", "Ben Okafor")
MINUTE = timedelta(minutes=1)


def live(*incidents: Incident, on_call: bool = True) -> ConnectionState:
    snapshot = Snapshot(ANA, incidents, ON_CALL if on_call else (), T0)
    return ConnectionState("one", "Server", Contact.LIVE, T0, snapshot, heard_at=T0)


def test_calm_needs_contact_and_a_shift() -> None:
    assert attention((live(),), T0).tray is Tray.CALM
    assert attention((live(on_call=False),), T0).tray is Tray.OFF_CALL


def test_unknown_never_looks_like_calm() -> None:
    connecting = ConnectionState("one", "Server", Contact.CONNECTING, T0)
    assert attention((connecting,), T0).tray is Tray.LOST
    assert attention((), T0).tray is Tray.LOST


@pytest.mark.parametrize(
    ("severity", "sound", "loop"),
    [
        (Severity.SEV0, Sound.SIREN, True),
        (Severity.SEV1, Sound.RING, True),
        (Severity.SEV2, Sound.CHIME, False),
        (Severity.SEV3, None, False),
    ],
)
def test_each_severity_has_its_sound(severity: Severity, sound: Sound | None, loop: bool) -> None:
    decided = attention((live(incident(severity=severity)),), T0)
    assert (decided.tray, decided.sound, decided.loop) == (Tray.RINGING, sound, loop)


def test_the_most_urgent_page_comes_first() -> None:
    late = incident("late", created_at=T0 + MINUTE)
    mild = incident("mild", severity=Severity.SEV2, created_at=T0 - MINUTE)
    decided = attention((live(mild, late, incident("first")),), T0)
    assert [p.incident.id for p in decided.pages] == ["first", "late", "mild"]


def test_somebody_elses_page_is_not_mine() -> None:
    decided = attention((live(incident(assignees=(BEN,))),), T0)
    assert decided.pages == ()
    assert decided.tray is Tray.CALM


def test_acknowledged_work_is_open_but_quiet() -> None:
    decided = attention((live(incident(status=Status.ACKNOWLEDGED)),), T0)
    assert (decided.tray, decided.sound, decided.acknowledged) == (Tray.ACKNOWLEDGED, None, 1)
    assert [p.incident.id for p in decided.settled] == ["I1"]


def test_who_is_asked_to_help_is_paged_though_somebody_has_it() -> None:
    bens = incident(status=Status.ACKNOWLEDGED, assignees=(BEN,), acknowledgements=(Acknowledgement(BEN, T0),))
    assert attention((live(bens),), T0).pages == ()
    asked = replace(bens, asked=(Asked(ANA, BEN),))
    decided = attention((live(asked),), T0)
    assert ([p.incident.id for p in decided.pages], decided.sound) == (["I1"], Sound.SIREN)
    assert attention((live(replace(bens, asked=(Asked(BEN, ANA),))),), T0).pages == ()
    resolved = replace(asked, status=Status.RESOLVED)
    assert attention((live(resolved),), T0).pages == ()


def test_who_answered_the_request_to_help_has_it_and_is_left_alone() -> None:
    both = (Acknowledgement(BEN, T0), Acknowledgement(ANA, T0))
    # The request may be said to be open still: PagerDuty has no way to accept one.
    joined = incident(status=Status.ACKNOWLEDGED, assignees=(BEN,), acknowledgements=both, asked=(Asked(ANA, BEN),))
    decided = attention((live(joined),), T0)
    assert (decided.pages, decided.tray, decided.acknowledged) == ((), Tray.ACKNOWLEDGED, 1)


def test_a_page_that_is_being_acknowledged_is_quiet_until_it_takes_too_long() -> None:
    sending = MappingProxyType({"I1": Sending(Command.ACKNOWLEDGE, T0)})
    state = replace(live(incident()), sending=sending)
    soon = attention((state,), T0 + timedelta(seconds=19))
    late = attention((state,), T0 + timedelta(seconds=21))
    assert (soon.sound, soon.pages[0].sending, soon.pages[0].overdue) == (None, Command.ACKNOWLEDGE, False)
    assert (late.sound, late.pages[0].overdue) == (Sound.SIREN, True)


def test_nothing_is_quiet_until_a_time_from_before_the_clock_was_set_back() -> None:
    sending = MappingProxyType({"I1": Sending(Command.ACKNOWLEDGE, T0)})
    page = replace(live(incident()), sending=sending)
    assert attention((page,), T0 - timedelta(hours=1)).sound is Sound.SIREN
    blind = replace(lost(), heard_at=T0)
    decided = attention((blind,), T0 - timedelta(hours=1))
    assert (decided.tray, decided.sound) == (Tray.LOST, Sound.LOST)


def test_a_page_says_all_that_its_window_shows() -> None:
    skew = timedelta(seconds=3)
    sending = MappingProxyType({"I1": Sending(Command.RESOLVE, T0)})
    state = replace(live(incident(), incident("I2")), offset=skew, sending=sending)
    first, second = attention((state,), T0).pages
    assert first == Page("one", "Server", incident(), ON_CALL, ANA, sending=Command.RESOLVE, offset=skew)
    assert second == Page("one", "Server", incident("I2"), ON_CALL, ANA, offset=skew)


def test_as_long_as_it_may_take_is_not_too_long() -> None:
    sending = MappingProxyType({"I1": Sending(Command.ACKNOWLEDGE, T0)})
    (page,) = attention((replace(live(incident()), sending=sending),), T0 + SENDING_QUIET).pages
    assert not page.overdue


def test_my_shifts_are_shown_once_for_each_role_by_level() -> None:
    second, first = OnCall(ANA, "secondary", 2, "SEV0"), OnCall(ANA, "primary", 1, "SEV0")
    again, other = OnCall(ANA, "primary", 1, "SEV1"), OnCall(BEN, "manager", 1, "SEV0")
    state = ConnectionState("one", "Server", Contact.LIVE, T0, Snapshot(ANA, (), (second, other, first, again), T0))
    assert attention((state, live()), T0).on_call == (first, second)
    assert attention((live(on_call=False),), T0).on_call == ()


def test_a_refused_acknowledgement_rings_on() -> None:
    state = replace(live(incident()), failed=MappingProxyType({"I1": "not allowed"}))
    decided = attention((state,), T0)
    assert decided.sound is Sound.SIREN
    assert decided.pages[0].failed == "not allowed"


def lost(*, on_call: bool = True) -> ConnectionState:
    return replace(live(on_call=on_call), contact=Contact.LOST, since=T0 + MINUTE, trouble="timed out")


@pytest.mark.parametrize(
    ("seconds", "tray", "sound"),
    [(59, Tray.CALM, None), (60, Tray.LOST, None), (89, Tray.LOST, None), (90, Tray.LOST, Sound.LOST)],
)
def test_lost_contact_is_seen_after_60_s_and_heard_after_90(seconds: int, tray: Tray, sound: Sound | None) -> None:
    decided = attention((lost(),), T0 + timedelta(seconds=seconds))
    assert (decided.tray, decided.sound) == (tray, sound)


def test_a_lost_connection_is_told_by_name_since_when_it_was_last_heard() -> None:
    found = attention((lost(),), T0 + timedelta(seconds=90))
    assert found.lost == (Lost("one", "Server", T0, "timed out", loud=True),)
    assert found.loop is True
    never = ConnectionState("one", "Server", Contact.LOST, T0 + MINUTE, trouble="refused")
    assert attention((never,), T0 + MINUTE).lost == (Lost("one", "Server", T0 + MINUTE, "refused", loud=False),)


def test_lost_contact_is_not_heard_off_call() -> None:
    decided = attention((lost(on_call=False),), T0 + 5 * MINUTE)
    assert (decided.tray, decided.sound) == (Tray.LOST, None)


def test_a_backend_that_never_answered_is_loud_in_the_end() -> None:
    never = ConnectionState("one", "Server", Contact.LOST, T0, trouble="refused")
    assert attention((never,), T0 + timedelta(seconds=90)).sound is Sound.LOST


def test_muting_takes_the_sound_and_not_the_picture() -> None:
    state = live(incident())
    quiet = mute(attention((state,), T0), Quiet(), T0, T0 + 5 * MINUTE)
    during = attention((state,), T0, quiet)
    after = attention((state,), T0 + 5 * MINUTE, quiet)
    assert (during.tray, during.sound, len(during.pages)) == (Tray.RINGING, None, 1)
    assert after.sound is Sound.SIREN
    assert (during.muted_until, after.muted_until) == (T0 + 5 * MINUTE, None)
    assert attention((live(),), T0, quiet).tray is Tray.PAUSED
    assert attention((state,), T0, mute(during, quiet, T0 + MINUTE, None)).sound is Sound.SIREN


def test_what_comes_after_muting_is_heard() -> None:
    quiet = mute(attention((live(incident()),), T0), Quiet(), T0, T0 + 5 * MINUTE)
    later = live(incident(), incident("I2", severity=Severity.SEV1))
    assert attention((later,), T0 + MINUTE, quiet).sound is Sound.RING
    assert attention((lost(),), T0 + 2 * MINUTE, quiet).sound is Sound.LOST
    blind = attention((lost(),), T0 + 2 * MINUTE)
    assert attention((lost(),), T0 + 3 * MINUTE, mute(blind, Quiet(), T0, T0 + 5 * MINUTE)).sound is None


def test_what_somebody_else_resolved_is_told_as_that() -> None:
    resolved = incident(status=Status.RESOLVED, assignees=(), resolved_by=BEN)
    decided = attention((live(resolved),), T0)
    assert (decided.pages, decided.acknowledged, decided.tray) == ((), 0, Tray.CALM)
    assert [p.incident.resolved_by for p in decided.settled] == [BEN]


def test_what_went_to_somebody_else_is_told_and_neither_pages_nor_counts() -> None:
    bens = [incident(f"I{n}", assignees=(Person("ben", "Ben"),), status=s) for n, s in enumerate(list(Status)[:2])]
    decided = attention((replace(live(*bens), left=("I0", "I1")),), T0)
    assert [p.incident.id for p in decided.settled] == ["I0", "I1"]
    assert (decided.pages, decided.acknowledged, decided.tray) == ((), 0, Tray.CALM)
    assert attention((live(*bens),), T0).settled == ()


def test_what_could_not_all_be_read_never_looks_calm() -> None:
    state = live()
    assert state.snapshot is not None
    part = replace(state, snapshot=replace(state.snapshot, whole=False))
    decided = attention((live(), part), T0)
    assert (decided.tray, decided.unread, decided.sound) == (Tray.LOST, (part.name,), None)
    assert attention((replace(part, contact=Contact.LOST),), T0).unread == ()


def test_a_silenced_alarm_does_not_silence_pages() -> None:
    quiet = Quiet(lost=frozenset({"one"}))
    assert attention((lost(),), T0 + 5 * MINUTE, quiet).sound is None
    ringing = replace(lost(), snapshot=live(incident()).snapshot)
    assert attention((ringing,), T0 + 5 * MINUTE, quiet).sound is Sound.SIREN


def test_the_page_of_a_lost_connection_still_rings() -> None:
    state = replace(live(incident()), contact=Contact.LOST, trouble="timed out")
    decided = attention((state,), T0 + 2 * MINUTE)
    assert (decided.tray, decided.sound) == (Tray.RINGING, Sound.SIREN)
    assert decided.lost[0].trouble == "timed out"


def test_a_clock_that_is_set_back_does_not_prolong_silence() -> None:
    state = live(incident())
    quiet = mute(attention((state,), T0), Quiet(), T0, T0 + 5 * MINUTE)
    assert attention((state,), T0, quiet).sound is None
    assert attention((state,), T0 - timedelta(microseconds=1), quiet).sound is Sound.SIREN
    assert attention((state,), T0 + 5 * MINUTE, quiet).sound is Sound.SIREN


def test_half_of_a_silence_is_none() -> None:
    assert not Quiet(None, T0 + MINUTE).muted(T0)
    assert not Quiet(T0, None).muted(T0)


class TestWhatIsFromBefore:
    """A copy of an earlier run, or what was known before the machine slept."""

    def before(self, ago: timedelta, contact: Contact = Contact.CONNECTING) -> ConnectionState:
        return replace(live(incident()), contact=contact, since=T0, heard_at=T0 - ago, watched_since=T0)

    @pytest.mark.parametrize("contact", [Contact.CONNECTING, Contact.LOST])
    @pytest.mark.parametrize("ago", [timedelta(seconds=91), timedelta(hours=8)])
    def test_it_is_shown_and_makes_no_sound(self, contact: Contact, ago: timedelta) -> None:
        decided = attention((self.before(ago, contact),), T0)
        assert [(p.incident.id, p.old) for p in decided.pages] == [("I1", True)]
        assert decided.sound is None
        # It does not ring, and nobody knows whether it should.
        assert decided.tray is Tray.LOST

    def test_a_page_of_a_moment_ago_rings_on(self) -> None:
        """Whoever was woken by a page, and whose program crashed, must not be left in silence."""
        decided = attention((self.before(timedelta(seconds=90)),), T0)
        assert [p.old for p in decided.pages] == [False]
        assert decided.sound is Sound.SIREN

    def test_what_the_backend_says_is_not_old(self) -> None:
        decided = attention((self.before(timedelta(hours=8), Contact.LIVE),), T0)
        assert [p.old for p in decided.pages] == [False]
        assert decided.sound is Sound.SIREN

    def test_of_several_connections_only_what_is_old_is_silent(self) -> None:
        other = replace(live(incident("I2", severity=Severity.SEV2)), id="two")
        assert attention((self.before(timedelta(hours=8)), other), T0).sound is Sound.CHIME

    def test_a_copy_of_a_moment_ago_does_not_look_calm(self) -> None:
        """The page that rang when a crash came may not be in it."""
        state = replace(self.before(timedelta(seconds=2)), snapshot=live().snapshot)
        at_once = attention((state,), T0)
        assert at_once.tray is Tray.LOST
        assert at_once.sound is None

    def test_contact_gets_its_time_to_come_back(self) -> None:
        state = replace(self.before(timedelta(hours=8)), snapshot=live().snapshot)
        at_once = attention((state,), T0)
        assert at_once.tray is Tray.LOST
        assert at_once.lost == (Lost("one", "Server", T0 - timedelta(hours=8), "", loud=False),)
        assert attention((state,), T0 + timedelta(seconds=89)).sound is None
        assert attention((state,), T0 + timedelta(seconds=90)).sound is Sound.LOST


class TestWhoLooksLiveAndWasNotHeard:
    @pytest.mark.parametrize(
        ("on_call", "ago", "expected"),
        [
            (True, 89, Tray.CALM),
            (True, 90, Tray.LOST),
            (True, -90, Tray.LOST),
            (False, 179, Tray.OFF_CALL),
            (False, 180, Tray.LOST),
            (False, -180, Tray.LOST),
        ],
    )
    def test_it_is_believed_for_a_while(self, on_call: bool, ago: int, expected: Tray) -> None:
        state, then = live(on_call=on_call), T0 + timedelta(seconds=ago)
        assert attention((state,), then).tray is expected
        assert in_contact(state, then) is (expected is not Tray.LOST)

    def test_it_is_told_with_a_reason_and_loud_while_on_call(self) -> None:
        (told,) = attention((live(),), T0 + timedelta(seconds=90)).lost
        assert told.loud
        assert "nothing was heard" in told.trouble
        (quiet,) = attention((live(on_call=False),), T0 + timedelta(minutes=3)).lost
        assert not quiet.loud


class TestAShiftThatBeginsWhileContactIsLost:
    def lost(self, *shifts: OnCall) -> ConnectionState:
        snapshot = Snapshot(ANA, (), shifts, T0)
        return ConnectionState("one", "Server", Contact.LOST, T0, snapshot, heard_at=T0, offset=MINUTE)

    def test_once_somebodys_shift_has_ended_it_may_be_mine(self) -> None:
        bens = OnCall(BEN, "primary", 1, "sev0", until=T0 + 60 * MINUTE)
        state = self.lost(bens, replace(bens, until=None))
        for minutes, sound in ((58, None), (59, Sound.LOST)):
            decided = attention((state,), T0 + minutes * MINUTE)
            assert (decided.tray, decided.sound) == (Tray.LOST, sound)

    def test_where_no_shift_ends_it_is_not_mine(self) -> None:
        state = self.lost(OnCall(BEN, "primary", 1, "sev0"))
        assert attention((state,), T0 + timedelta(days=9)).sound is None


def test_what_is_paged_again_while_muted_is_heard() -> None:
    state = live(incident(pages=1))
    quiet = mute(attention((state,), T0), Quiet(), T0, T0 + 5 * MINUTE)
    assert attention((state,), T0 + MINUTE, quiet).sound is None
    assert attention((live(incident(pages=2)),), T0 + MINUTE, quiet).sound is Sound.SIREN
