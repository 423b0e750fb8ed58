"""Whatever a backend does: what is blind never looks live, and what is seen again is right at once."""

from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest

from desktop.domain.attention import Contact, Sound
from desktop.system.clock import utc_now
from tests.faults.backend import misbehaving as how
from tests.faults.backend.account import Account
from tests.faults.backend.server import FaultyServer, Misbehave
from tests.faults.backend.watching import find, live, lost, shows, watched
from tests.faults.pager.checked import Checked
from tests.faults.pager.stage import PAGERDUTY, WATCHBELL


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    server = FaultyServer()
    yield server
    server.stop()


@pytest.fixture
def pagerduty(server: FaultyServer) -> FaultyServer:
    """The same without what PagerDuty lacks: the stream, above all."""
    server.account.ours = False
    return server


WRONG_SERVER = "from the right server"
FAULTS = {
    "silent": (how.silent, "in time"),
    "half open": (how.half_open, "in time"),
    "reset": (how.reset, "cannot be reached"),
    "cut before the answer": (how.done_and_cut, "cannot be reached"),
    "dripping body": (how.drip, "too slowly"),
    "dripping header": (how.drip_headers, "too slowly"),
    "200 MB": (how.huge, "more than 32 MiB"),
    "429": (how.status(429), "fewer requests"),
    "401": (how.status(401), "does not accept the token"),
    "403": (how.status(403), "does not allow this"),
    "500": (how.status(500), "failed (HTTP 500): no"),
    "502 without a body": (how.status(502, body=b""), "failed (HTTP 502)"),
    "503 with a page": (how.status(503, body=how.PORTAL), "failed (HTTP 503)"),
    "redirect": (how.redirect("http://127.0.0.1:1"), "sent us elsewhere"),
    "captive portal": (how.portal, "login page"),
    "invalid JSON": (how.invalid_json, "not JSON"),
    "wrong types": (how.wrong_types, WRONG_SERVER),
    "no list": (how.no_list, WRONG_SERVER),
    "numbers out of range": (how.strange_numbers, "makes no sense"),
}
named = pytest.mark.parametrize(("fault", "words"), FAULTS.values(), ids=FAULTS.keys())


@named
def test_polling_is_blind_while_that_lasts_and_right_at_the_first_look_after(
    pagerduty: FaultyServer, tmp_path: Path, fault: Misbehave, words: str
) -> None:
    account = pagerduty.account
    first = account.trigger("Disk full")
    with watched(pagerduty, tmp_path) as seen:
        seen.until(shows(first))
        mark = seen.mark()
        with pagerduty.broken(fault):
            told = seen.until(lost, mark)
            assert words in told.trouble
            # What was known stays known, as old news.
            assert find(told, first) == find(seen.states[mark - 1], first)
            second = account.trigger("Meanwhile")
            blind = seen.since(mark)
            assert find(blind[-1], second) is None
        again = seen.until(live, mark + len(blind))
        assert find(again, second) is not None
        assert again.trouble == ""
        assert not any(live(s) and find(s, second) is None for s in seen.since(mark + len(blind)))


@named
def test_a_stream_that_is_cut_off_then_is_blind_while_that_lasts(
    server: FaultyServer, tmp_path: Path, fault: Misbehave, words: str
) -> None:
    account = server.account
    first = account.trigger("Disk full")
    with watched(server, tmp_path) as seen:
        seen.until(shows(first))
        mark = seen.mark()
        with server.broken(fault):
            server.cut()
            # A new connection asks whose token it is first.
            said = (words, "whose token") if words == WRONG_SERVER else (words,)
            seen.until(lambda s: lost(s) and any(w in s.trouble for w in said), mark)
            second = account.trigger("Meanwhile")
            assert all(find(s, second) is None for s in seen.since(mark))
        again = seen.until(live, mark)
        assert find(again, second) is not None


def test_nobody_listening_is_lost_contact_until_somebody_does(server: FaultyServer, tmp_path: Path) -> None:
    with watched(server, tmp_path) as seen:
        seen.until(live)
        mark = seen.mark()
        server.refuse()
        seen.until(lambda s: lost(s) and "refused" in s.trouble, mark)
        second = server.account.trigger("Meanwhile")
        again = seen.mark()
        server.accept()
        assert find(seen.until(live, again), second) is not None


def test_a_start_without_contact_says_so_and_claims_nothing(server: FaultyServer, tmp_path: Path) -> None:
    with server.broken(how.portal) as fault, watched(server, tmp_path) as seen:
        told = seen.until(lost)
        assert told.snapshot is None
        fault.lifted.set()
        seen.until(live)
        assert [s.contact for s in seen.states if s.snapshot is None and s.contact is Contact.LIVE] == []


def test_the_token_follows_no_redirect(pagerduty: FaultyServer, tmp_path: Path) -> None:
    other = FaultyServer(Account())
    try:
        with pagerduty.broken(how.redirect(other.url)), watched(pagerduty, tmp_path) as seen:
            seen.until(lambda s: "sent us elsewhere" in s.trouble)
        assert other.asked == []
    finally:
        other.stop()


def date(seconds: float) -> str:
    return format_datetime(utc_now().replace(microsecond=0) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Retry-After", 429),
        ("Retry-After", 503),
        ("Retry-After as a date", 429),
        ("Retry-After as a date", 503),
        ("ratelimit-reset", 429),
    ],
)
def test_nobody_comes_back_earlier_than_asked_for(
    pagerduty: FaultyServer, tmp_path: Path, header: str, code: int
) -> None:
    name, _, as_date = header.partition(" ")
    headers = {name: "1"} if not as_date else {name: date(2), "Date": date(1)}
    with watched(pagerduty, tmp_path) as seen:
        seen.until(live)
        mark, before = seen.mark(), len(pagerduty.asked)
        with pagerduty.broken(how.status(code, headers), times=1):
            seen.until(lost, mark)
            # Whoever presses "try again" does not get past it, either.
            seen.live.resync()
            seen.until(live, mark)
        times = [r.at for r in pagerduty.asked[before:]]
        assert max(later - earlier for earlier, later in pairwise(times)) >= 1.0


def test_without_being_told_when_it_comes_back_soon(pagerduty: FaultyServer, tmp_path: Path) -> None:
    with watched(pagerduty, tmp_path) as seen:
        seen.until(live)
        mark = seen.mark()
        with pagerduty.broken(how.status(429), times=2):
            seen.until(lost, mark)
            seen.until(live, mark)


def test_an_alarm_that_was_silenced_silences_no_other_that_comes_later() -> None:
    pager = Checked()
    with pager.end:
        pager.set_up((WATCHBELL, PAGERDUTY))
        pager.after(calm=True)
        for name in (PAGERDUTY, WATCHBELL):
            pager.start_fault(name, 99, pager.servers[name].broken(how.status(500)), cut=True)
            pager.goes_blind(name)
            pager.passes(timedelta(seconds=100))
            # In no time so much went by that the other one has to be heard again.
            blind = set(pager.blind)
            pager.pager.until(lambda v, blind=blind: set(dict(v.lost)) == blind, "not the one that is blind")  # type: ignore[misc]
            assert pager.pager.until(lambda v: v.playing is Sound.LOST, "silent").lost
            pager.silence_alarm()
            pager.pager.until(lambda v: v.playing is None, "still heard")
