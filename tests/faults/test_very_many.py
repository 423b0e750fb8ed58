"""More is open than a look can read: what pages this person is seen at once, and what was not read never looks calm."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.backends.pagerduty import listing
from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.backends.pagerduty.listing import LOOK, MOST, PAGE
from desktop.domain.attention import Attention, ConnectionState, Tray, attention
from desktop.domain.incident import Status
from desktop.domain.severity import Severity
from desktop.system.clock import utc_now
from desktop.ui import summary
from tests.faults.backend import speaking
from tests.faults.backend.account import user
from tests.faults.backend.server import FaultyServer
from tests.faults.backend.watching import Watched, live, shows, watched


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    """One that speaks as PagerDuty does: it has to be polled."""
    server = FaultyServer()
    server.account.ours = False
    yield server
    server.stop()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """Let PagerDuty stop earlier."""
    most = 3 * PAGE
    monkeypatch.setattr(listing, "MOST", most)
    monkeypatch.setattr(speaking, "LAST", most)
    return most


def fill(server: FaultyServer, number: int, to: str = "ben", status: str = "triggered") -> list[str]:
    """Open very many, one after the other."""
    incidents = server.account.incidents
    example = incidents[server.account.trigger("Host is down", to=to)]
    example["status"] = status
    names = [f"Q{n:05}" for n in range(len(incidents) + 1, len(incidents) + number)]
    incidents.update({name: {**deepcopy(example), "id": name, "status": status} for name in names})
    return [example["id"], *names]


def decided(state: ConnectionState) -> Attention:
    return attention((state,), utc_now())


def paging(state: ConnectionState) -> bool:
    return bool(decided(state).pages)


def requests(server: FaultyServer, path: str = "/incidents") -> int:
    return sum(r.path == path for r in server.asked)


def rings(seen: Watched, incident: str, mark: int) -> Attention:
    return decided(seen.until(shows(incident), mark))


def test_of_more_than_can_be_listed_mine_page_and_nothing_looks_calm(server: FaultyServer, tmp_path: Path) -> None:
    account = server.account
    oldest = account.trigger("The first of all")
    fill(server, MOST + PAGE)
    newest = account.trigger("The newest of all")
    with watched(server, tmp_path) as seen:
        first = seen.until(live)
        assert {p.incident.id for p in decided(first).pages} == {oldest, newest}
        mark = seen.mark()
        third = account.trigger("One more")
        rings(seen, third, mark)
        for mine in (oldest, newest, third):
            account.resolve(mine)
        # Read to where PagerDuty stops, and still not all.
        done = seen.until(lambda s: s.snapshot is not None and len(s.snapshot.incidents) >= MOST and not paging(s))
        calm = [s for s in seen.states if live(s) and decided(s).tray in {Tray.CALM, Tray.OFF_CALL}]
    assert calm == []
    shown = decided(done)
    assert (shown.tray, shown.unread) == (Tray.LOST, ("Faulty",))
    assert summary.headline(shown, (done,), utc_now()).text == "Not all is read"
    assert summary.pages_line(shown) == "Nothing known to be open"
    assert summary.freshness(done, utc_now())[0] == "not all is read"
    assert any("could be read" in line for line in summary.tray_lines(shown, (done,), utc_now()))


def test_a_look_asks_for_no_more_than_a_part_and_the_next_ones_read_the_rest(
    server: FaultyServer, tmp_path: Path
) -> None:
    account = server.account
    others = fill(server, PAGE * LOOK + 1)
    backend = PagerDutyBackend(server.url, account.token, utc_now)
    first = backend.snapshot()
    assert not first.whole
    # A part of the others, and mine.
    assert requests(server) == LOOK + 1
    mine = account.trigger("Mine")
    second = backend.snapshot()
    assert second.whole
    assert {i.id for i in second.incidents} == {mine, *others}
    assert requests(server) == (LOOK + 1) + 2


def test_what_an_earlier_look_took_for_mine_is_not_told_of_as_mine(server: FaultyServer) -> None:
    account = server.account
    mine = account.trigger("The first of all")
    fill(server, PAGE * LOOK)
    backend = PagerDutyBackend(server.url, account.token, utc_now)
    for _ in range(2):
        assert mine in {i.id for i in backend.snapshot().incidents}
    account.reassign(mine, "ben")
    found = backend.snapshot()
    assert len(found.incidents) == PAGE * LOOK
    assert not any(i.assigned_to("ana") for i in found.incidents)


def test_all_that_a_look_can_read_at_once_is_asked_for_once(server: FaultyServer) -> None:
    fill(server, PAGE * LOOK)
    backend = PagerDutyBackend(server.url, server.account.token, utc_now)
    for looks in (1, 2):
        assert backend.snapshot().whole
        assert requests(server) == looks * LOOK


def test_mine_alone_may_be_too_many_and_what_is_not_acknowledged_is_read_all_the_same(
    server: FaultyServer, few: int
) -> None:
    account = server.account
    oldest = account.trigger("The first of all")
    fill(server, few + 1, "ana", "acknowledged")
    backend = PagerDutyBackend(server.url, account.token, utc_now)
    found = backend.snapshot()
    assert not found.whole
    assert oldest in {i.id for i in found.incidents if i.status is Status.TRIGGERED}


def test_of_more_than_can_be_listed_the_newest_are(server: FaultyServer, few: int) -> None:
    account = server.account
    fill(server, few + 1)
    found = PagerDutyBackend(server.url, account.token, utc_now).incidents(
        resolved=True, since=utc_now() - timedelta(days=1)
    )
    assert len(found) == few
    assert found[-1].id == account.newest
    assert found[0].id != min(account.incidents)


def test_beside_a_stream_everything_is_read_anew(server: FaultyServer) -> None:
    account = server.account
    account.ours = True
    others = fill(server, PAGE * LOOK + 1)
    backend = PagerDutyBackend(server.url, account.token, utc_now)
    # Ends in the middle.
    backend.snapshot()
    with backend.stream() as events:
        next(events)
        account.resolve(others[-1])
        for _ in range(2):
            found = backend.snapshot()
            assert found.whole
            assert {i.id for i in found.incidents} == set(others[:-1])


def test_of_more_shifts_than_are_given_ones_own_are_known(server: FaultyServer, few: int) -> None:
    account = server.account
    entry = account.oncalls()[0]
    account.other_shifts = [
        {**entry, "user": user("ben"), "schedule": {"id": f"s{n}", "summary": f"s{n}"}} for n in range(few + 1)
    ]
    found = PagerDutyBackend(server.url, account.token, utc_now).on_call()
    assert len(found) == few + len(Severity)
    assert {o.role for o in found if o.person.id == "ana"} == {"primary"}
