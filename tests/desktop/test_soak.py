"""Ten minutes of an account in which something happens five times a second: the application holds no more than before.

WATCHBELL_SOAK_SECONDS=N makes it shorter, to try it.
"""

import os
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from random import Random

import pytest

from desktop.connections.accounts import TOKEN_VARIABLE, URL_VARIABLE
from tests.benchmarks.machine import memory
from tests.desktop.application import application
from tests.desktop.session import Session
from tests.desktop.test_staying import tray_of
from tests.faults.backend.account import Account
from tests.faults.backend.server import FaultyServer

LENGTH = float(os.environ.get("WATCHBELL_SOAK_SECONDS", "") or 600)
RATE = 5.0
# What is made once (fonts, pictures of windows, a pool's connections) is made by then.
WARM = 0.3
MOST_OPEN = 12
# What Python's and the C library's allocators keep by chance differs by so much from one minute to the next.
MIB = 4.0
DEEDS: dict[str, Callable[[Account, str], None]] = {
    "acknowledge": lambda account, incident: account.acknowledge(incident),
    "unacknowledge": lambda account, incident: account.unacknowledge(incident),
    "escalate": lambda account, incident: account.reassign(incident, "ana"),
    "resolve": lambda account, incident: account.resolve(incident),
}
KINDS = ("trigger", "acknowledge", "trigger", "escalate", "unacknowledge", "trigger", "resolve", "resolve", "on call")


@dataclass(frozen=True)
class Held:
    """What the process holds at one moment: MiB that are its own alone, open handles, and threads."""

    own: float
    handles: int
    threads: int


def held(pid: int) -> Held:
    folder = Path(f"/proc/{pid}")
    return Held(memory(pid).uss, len(list((folder / "fd").iterdir())), len(list((folder / "task").iterdir())))


def happen(kind: str, account: Account, dice: Random) -> None:
    """Let something of this kind happen where it can: there are always some pages, and never many."""
    incidents = {i["id"]: i["status"] for i in account.open_ones()}
    wanted = {"acknowledge": {"triggered"}, "unacknowledge": {"acknowledged"}}.get(kind, {"triggered", "acknowledged"})
    found = [i for i, status in incidents.items() if status in wanted]
    if kind == "on call":
        account.put_on_call(*dice.choice([("ana", "ben"), ("ben", "ana")]))
    elif kind == "trigger" and len(incidents) < MOST_OPEN:
        account.trigger(f"Disk {dice.randrange(1000)} is full", dice.randrange(4))
    elif kind in DEEDS and found:
        DEEDS[kind](account, dice.choice(found))


@pytest.mark.full
@pytest.mark.timeout(LENGTH + 300)
@pytest.mark.parametrize("ours", [True, False], ids=["stream", "polling"])
def test_what_happens_for_ten_minutes_leaves_nothing_behind(
    session: Session, ours: bool, record_property: Callable[[str, object], None]
) -> None:
    account, dice, pause = Account(ours=ours), Random(1), threading.Event()
    server = FaultyServer(account)
    variables = {URL_VARIABLE: server.url, TOKEN_VARIABLE: account.token}
    try:
        with application(session, home={**session.new_home(), **variables}) as app:
            session.await_tray_icons(1)
            tray, begin, happened, found = tray_of(app), time.monotonic(), 0, list[tuple[float, Held]]()
            for kind in cycle(KINDS):
                happen(kind, account, dice)
                happened += 1
                passed = time.monotonic() - begin
                if not found or passed - found[-1][0] >= LENGTH / 60:
                    found.append((passed, held(tray)))
                if passed >= LENGTH:
                    break
                pause.wait(max(happened / RATE - passed, 0))
            # It was the same process all the time.
            assert tray_of(app) == tray
    finally:
        server.stop()
    warm = [h for at, h in found if at >= LENGTH * WARM]
    third = len(warm) // 3
    first, last = warm[:third], warm[-third:]
    growth = statistics.median(h.own for h in last) - statistics.median(h.own for h in first)
    record_property("soak", f"{happened} events; {found[0][1]}, {first[0]}, {last[-1]}; {growth:+.2f} MiB")
    assert happened >= LENGTH * RATE * 0.95
    assert max(h.threads for h in last) <= max(h.threads for h in first)
    # What is open for a moment, a click's connection or a file, may be so at a look or not.
    assert statistics.median(h.handles for h in last) <= statistics.median(h.handles for h in first)
    assert max(h.handles for h in last) <= max(h.handles for h in first) + 3
    assert growth < MIB, " ".join(f"{h.own:.2f}" for h in warm)
