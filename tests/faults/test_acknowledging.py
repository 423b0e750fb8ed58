"""Acknowledgements arrive once, whatever breaks, and are claimed when they are confirmed; what others do is seen."""

from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from desktop.backends.pagerduty.client import Patience
from desktop.domain.attention import Command
from desktop.domain.incident import Status
from desktop.sync.commands import Commands, Waiting
from tests.faults.backend import misbehaving as how
from tests.faults.backend.account import Account
from tests.faults.backend.server import Exchange, FaultyServer, Misbehave
from tests.faults.backend.speaking import refused
from tests.faults.backend.watching import find, live, shows, watched
from tests.faults.pager.desk import Pager
from tests.faults.pager.process import Backend

ACKNOWLEDGED = Status.ACKNOWLEDGED


@pytest.fixture(params=["stream", "polling"])
def server(request: pytest.FixtureRequest) -> Iterator[FaultyServer]:
    server = FaultyServer(Account(ours=request.param == "stream"))
    yield server
    server.stop()


PASSING: dict[str, Misbehave] = {
    "silent": how.silent,
    "half open, though it happened": how.half_open,
    "reset": how.reset,
    "cut, though it happened": how.done_and_cut,
    "drips": how.drip,
    "429": how.status(429),
    "401": how.status(401),
    "403": how.status(403),
    "500": how.status(500),
    "503 without a body": how.status(503, body=b""),
    "redirect": how.redirect("http://127.0.0.1:1"),
    "captive portal": how.portal,
    "invalid JSON": how.invalid_json,
    "wrong types": how.wrong_types,
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_an_acknowledgement_arrives_once_and_is_claimed_when_confirmed(
    server: FaultyServer, tmp_path: Path, fault: Misbehave
) -> None:
    first = server.account.trigger("Disk full")
    with watched(server, tmp_path) as seen:
        seen.until(shows(first))
        with server.broken(fault, method="PUT", times=1) as broken:
            seen.live.submit(first, Command.ACKNOWLEDGE)
            seen.until(lambda s: first in s.sending)
            assert broken.met.wait(20)
            seen.now(lambda s: first not in s.sending and shows(first, ACKNOWLEDGED)(s))
        assert server.account.times(first, "acknowledge") == 1
        assert not any(s.failed for s in seen.states)


def test_a_click_whose_token_is_not_taken_any_more_asks_for_another(server: FaultyServer, tmp_path: Path) -> None:
    first = server.account.trigger("Disk full")
    with watched(server, tmp_path) as seen:
        seen.until(lambda s: shows(first)(s) and live(s))
        # A stream that was opened with it goes on.
        good, server.account.token = server.account.token, "wb_another"
        seen.live.submit(first, Command.ACKNOWLEDGE)
        old = seen.until(lambda s: s.needs_token)
        assert find(old, first) is not None
        assert first in old.sending
        server.account.token = good
        seen.until(lambda s: live(s) and shows(first, ACKNOWLEDGED)(s) and not s.needs_token)
    assert server.account.times(first, "acknowledge") == 1


def test_a_click_waits_for_no_other_that_hangs(tmp_path: Path) -> None:
    server = FaultyServer()
    first, second = server.account.trigger("Disk full"), server.account.trigger("Disk slow")
    with watched(server, tmp_path, patience=Patience()) as seen:
        seen.until(lambda s: shows(first)(s) and shows(second)(s))
        with server.broken(how.silent, method="PUT", times=1) as broken:
            seen.live.submit(first, Command.ACKNOWLEDGE)
            assert broken.met.wait(20)
            seen.live.submit(second, Command.ACKNOWLEDGE)
            told = seen.until(shows(second, ACKNOWLEDGED), timeout=4)
        assert first in told.sending
    server.stop()


def test_a_click_survives_a_kill_a_moment_later_though_another_hangs(tmp_path: Path) -> None:
    server = FaultyServer()
    first, second = server.account.trigger("Disk full"), server.account.trigger("Disk slow")
    # Nothing is given up before the kill.
    pager = Pager(tmp_path, (Backend("one", server.url, server.account.token),), patience=Patience())
    pager.until(lambda v: {p.incident for p in v.pages} == {first, second}, "not shown")
    with server.broken(how.silent, method="PUT") as broken:
        pager.do("click", "one", first)
        assert broken.met.wait(20)
        pager.do("click", "one", second)
        pager.until(lambda v: second in v.line("one").sending, "it waits for another to be shown", timeout=4)
        pager.kill()
    assert [server.account.times(i, "acknowledge") for i in (first, second)] == [0, 0]
    mark = pager.mark()
    pager.start()
    pager.until(lambda v: all(p.status is ACKNOWLEDGED for p in v.settled) and len(v.settled) == 2, "it is lost")
    pager.quit()
    assert [server.account.times(i, "acknowledge") for i in (first, second)] == [1, 1]
    assert not any(view.line("one").failed for view in pager.views[mark:] if view is not None)
    server.stop()


def test_a_click_that_hung_answers_the_page_that_was_there(tmp_path: Path) -> None:
    server = FaultyServer()
    first, second = server.account.trigger("Disk full"), server.account.trigger("Disk slow")
    with watched(server, tmp_path) as seen:
        seen.until(lambda s: shows(first)(s) and shows(second)(s))
        with server.broken(how.silent, method="PUT", times=2) as broken:
            seen.live.submit(first, Command.ACKNOWLEDGE)
            assert broken.met.wait(20)
            seen.live.submit(second, Command.ACKNOWLEDGE)
            server.account.reassign(second, "ana")
            told = seen.until(lambda s: second in s.failed)
        assert "paged again" in told.failed[second]
    assert server.account.times(second, "acknowledge", "ana") == 0
    server.stop()


def test_a_click_of_an_earlier_run_is_shown_as_on_its_way_from_the_first_contact_on(
    server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = server.account.trigger("Disk full")
    with server.broken(how.status(500), method="PUT"), watched(server, tmp_path) as seen:
        seen.until(shows(first))
        seen.live.submit(first, Command.ACKNOWLEDGE)
        seen.until(lambda s: first in s.sending)
    read, asked = Commands.waiting, len(server.asked)

    def slowly(commands: Commands) -> list[Waiting]:
        # Whoever does not wait for this has asked by then.
        with server._changed:
            server._changed.wait_for(lambda: len(server.asked) > asked, 0.3)
        return read(commands)

    monkeypatch.setattr(Commands, "waiting", slowly)
    with watched(server, tmp_path) as seen:
        seen.until(shows(first, ACKNOWLEDGED))
        before = list(takewhile(lambda s: (it := find(s, first)) is None or it.status is not ACKNOWLEDGED, seen.states))
        assert not any(live(s) and shows(first)(s) and first not in s.sending for s in before)
    assert server.account.times(first, "acknowledge") == 1


@pytest.mark.parametrize(("code", "said"), [(404, "knows no such thing"), (400, "refused")])
def test_what_is_refused_for_good_is_told_and_not_claimed(
    server: FaultyServer, tmp_path: Path, code: int, said: str
) -> None:
    first = server.account.trigger("Disk full")
    with watched(server, tmp_path) as seen:
        seen.until(shows(first))
        with server.broken(how.status(code), method="PUT"):
            seen.live.submit(first, Command.ACKNOWLEDGE)
            told = seen.until(lambda s: first in s.failed)
        assert said in told.failed[first]
        it = find(told, first)
        assert it is not None
        assert it.status is Status.TRIGGERED
        assert server.account.times(first, "acknowledge") == 0


@pytest.mark.parametrize("code", [400, 404, 405, 413, 451])
def test_what_somebody_between_refuses_with_a_web_page_is_no_answer(
    server: FaultyServer, tmp_path: Path, code: int
) -> None:
    first = server.account.trigger("Disk full")
    page = how.status(code, {"Content-Type": "text/html"}, body=b"<html>gateway</html>")
    with watched(server, tmp_path) as seen:
        seen.until(shows(first))
        with server.broken(page, method="PUT"):
            seen.live.submit(first, Command.ACKNOWLEDGE)
            waits = seen.until(lambda s: first in s.sending and "web page" in s.sending[first].trouble)
            assert first not in waits.failed
        seen.until(lambda s: (it := find(s, first)) is not None and it.status is Status.ACKNOWLEDGED)
    assert server.account.times(first, "acknowledge") == 1


def test_an_acknowledgement_that_was_taken_back_meanwhile_is_not_taken_for_one(
    server: FaultyServer, tmp_path: Path
) -> None:
    account = server.account
    first = account.trigger("Disk full")

    def already(exchange: Exchange) -> None:
        exchange.send(refused(400, "Incident Already Acknowledged", 1002))

    with watched(server, tmp_path) as seen:
        seen.until(shows(first))
        with server.broken(already, method="PUT"):
            seen.live.submit(first, Command.ACKNOWLEDGE)
            seen.until(lambda s: first in s.failed)
        seen.live.submit(first, Command.ACKNOWLEDGE)
        seen.until(shows(first, ACKNOWLEDGED))
    assert account.times(first, "acknowledge") == 1


def test_who_was_faster_is_shown_as_who_has_it(server: FaultyServer, tmp_path: Path) -> None:
    first = server.account.trigger("Disk full")
    with watched(server, tmp_path) as seen:
        seen.until(shows(first))
        with server.broken(how.status(503), times=None) as broken:
            seen.live.submit(first, Command.ACKNOWLEDGE)
            seen.until(lambda s: first in s.sending)
            server.account.acknowledge(first, by="ben")
            broken.lifted.set()
            told = seen.now(lambda s: first not in s.sending and shows(first, ACKNOWLEDGED)(s))
        it = find(told, first)
        assert it is not None
        assert [a.person.id for a in it.acknowledgements] == ["ben"]
        assert server.account.times(first, "acknowledge", "ana") == 0
        assert not told.failed


Deed = Callable[[Account, str], None]
DEEDS: dict[str, tuple[Deed, Callable[..., bool]]] = {
    "acknowledges": (lambda a, i: a.acknowledge(i), lambda it: it.acknowledged_by("ben")),
    "resolves": (lambda a, i: a.resolve(i), lambda it: it.status is Status.RESOLVED and it.resolved_by.id == "ben"),
    "reassigns": (lambda a, i: a.reassign(i, "ben"), lambda it: [p.id for p in it.assignees] == ["ben"]),
    "escalates": (lambda a, i: a.escalate(i, "ben"), lambda it: [p.id for p in it.assignees] == ["ana", "ben"]),
}


@pytest.mark.parametrize(("deed", "seen_as"), DEEDS.values(), ids=DEEDS.keys())
def test_what_somebody_else_does_is_seen_as_what_it_is(
    server: FaultyServer, tmp_path: Path, deed: Deed, seen_as: Callable[..., bool]
) -> None:
    first = server.account.trigger("Disk full")
    with watched(server, tmp_path) as seen:
        seen.until(shows(first))
        mark = seen.mark()
        deed(server.account, first)
        seen.until(lambda s: live(s) and (it := find(s, first)) is not None and seen_as(it), mark)


def test_what_somebody_else_resolved_while_nobody_looked_is_told_at_the_next_contact(
    server: FaultyServer, tmp_path: Path
) -> None:
    first = server.account.trigger("Disk full")
    with watched(server, tmp_path) as seen:
        seen.until(shows(first))
        server.refuse()
        server.account.resolve(first)
        mark = seen.mark()
        server.accept()
        it = find(seen.until(live, mark), first)
        assert it is not None
        assert it.status is Status.RESOLVED
        assert it.resolved_by is not None
        assert it.resolved_by.id == "ben"


def test_an_acknowledgement_that_timed_out_pages_again(server: FaultyServer, tmp_path: Path) -> None:
    first = server.account.trigger("Disk full")
    with watched(server, tmp_path) as seen:
        seen.until(shows(first))
        seen.live.submit(first, Command.ACKNOWLEDGE)
        seen.until(shows(first, ACKNOWLEDGED))
        mark = seen.mark()
        server.account.unacknowledge(first)
        it = find(seen.until(shows(first), mark), first)
        assert it is not None
        assert it.pages == (2 if server.account.ours else 0)
