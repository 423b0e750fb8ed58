"""The command that says how the watch stands: shift, open incidents, what each connection says, and who watches it."""

import os
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from desktop.backends.route import without_login
from desktop.cli import accounts, output, watching
from desktop.cli.accounts import Listed
from desktop.cli.watching import Running, Watched, watched
from desktop.connections.accounts import open_backend
from desktop.domain.attention import ConnectionState, Contact, shifts
from desktop.domain.errors import WatchbellError
from desktop.domain.incident import OnCall, Snapshot
from desktop.sync.archive import read_copy
from desktop.system.clock import utc_now
from desktop.system.paths import Paths, user_paths
from desktop.system.secrets import Secrets
from desktop.system.settings import ConnectionSettings

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Found:
    """What a connection says now, or said when it was last heard; ``trouble`` says why not now."""

    connection: ConnectionSettings
    snapshot: Snapshot | None
    heard_at: datetime | None
    trouble: str = ""
    retryable: bool = False

    @property
    def unread(self) -> str:
        """What is to be said where more is open than was read; empty where all was."""
        whole = self.snapshot is None or self.snapshot.whole
        return "" if whole else "more is open there than was read; what is assigned to you is asked for first"

    @property
    def mine(self) -> tuple[OnCall, ...]:
        """The shifts that this person has there."""
        state = ConnectionState(self.connection.id, "", Contact.LIVE, utc_now(), self.snapshot)
        return shifts(state)

    @property
    def me(self) -> str:
        """Whose token it is, as it says now; "" when it does not answer."""
        return "" if self.trouble or self.snapshot is None else self.snapshot.me.id


def run(options: Namespace) -> int:
    """Ask every connection; exit 0 when all answered, 3 when one cannot be reached, else 2."""
    paths = user_paths()
    listed = accounts.every(os.environ, paths, Secrets())
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="watchbell-status") as pool:
        found = list(pool.map(lambda each: _look(each, paths), listed))
    running, now = watching.ask(paths), utc_now()
    if options.json:
        output.data(_data(found, running, now))
    else:
        for each in found:
            for line in _lines(each, watched(running, each.connection.id, now, each.me)):
                output.line(line)
        for line in _others(found, running, now):
            output.line(line)
    troubled = [each for each in found if each.trouble]
    if any(each.retryable for each in troubled):
        return 3
    return 2 if troubled else 0


def _look(listed: Listed, paths: Paths) -> Found:
    try:
        return Found(listed.connection, open_backend(listed.account()).snapshot(), utc_now())
    except WatchbellError as e:
        copy = read_copy(paths.store, listed.connection.id)
        if copy is None:
            return Found(listed.connection, None, None, e.message, e.retryable)
        return Found(listed.connection, copy.snapshot, copy.heard_at, e.message, e.retryable)


def _data(found: list[Found], running: Running, now: datetime) -> dict[str, object]:
    return {
        "at": output.instant(now),
        "application": {"state": running.state, "guard": running.guard},
        "connections": [
            {
                "id": each.connection.id,
                "name": each.connection.name,
                "url": without_login(each.connection.url),
                "state": "lost" if each.trouble else "live",
                "message": each.trouble or each.unread,
                "heard_at": output.instant(each.heard_at),
                "person": None if each.snapshot is None else each.snapshot.me.id,
                "shifts": None if each.snapshot is None else [_shift(shift) for shift in each.mine],
                "watch": _watch(watched(running, each.connection.id, now, each.me)),
            }
            for each in found
        ],
        "incidents": [
            {**output.incident(it), "connection": each.connection.id}
            for each in found
            if each.snapshot is not None
            for it in each.snapshot.incidents
            if it.open
        ],
    }


def _watch(found: Watched) -> dict[str, object]:
    """Return the JSON shape of who watches: more of it where the application says what it sees."""
    said: dict[str, object] = {"state": found.eyes.value, "message": found.message}
    if (sight := found.sight) is None:
        return said
    return said | {
        "since": output.instant(sight.since),
        "heard_at": output.instant(sight.heard_at),
        "person": sight.person or None,
        "waiting": sight.waiting,
        "waiting_since": output.instant(sight.waiting_since),
        "refused": sight.refused or None,
    }


def _shift(shift: OnCall) -> dict[str, object]:
    return {"role": shift.role, "until": output.instant(shift.until)}


def _lines(found: Found, seen: Watched) -> list[str]:
    """Say how a connection stands, and who watches it; what is unknown is said as unknown."""
    name = found.connection.name
    if not found.trouble:
        head = f"{name}: answers"
    elif found.heard_at is None:
        head = f"{name}: NO CONTACT, nothing is known: {found.trouble}"
    else:
        head = f"{name}: NO CONTACT, last heard {output.local(found.heard_at)}: {found.trouble}"
    heads = [head, f"  {seen.line}"]
    if found.snapshot is None:
        return heads
    was = "you were" if found.trouble else "you are"
    shifts_said = [
        f"  {was} {s.role} until {output.local(s.until) if s.until else 'further notice'}" for s in found.mine
    ]
    incidents = [f"  {output.incident_line(it)}" for it in found.snapshot.incidents if it.open]
    nothing = "  nothing was known to be open" if found.trouble else "  nothing is open"
    last = [f"  {found.unread}"] if found.unread else []
    return [*heads, *(shifts_said or [f"  {was} not on call"]), *(incidents or ([] if last else [nothing])), *last]


def _others(found: list[Found], running: Running, now: datetime) -> list[str]:
    """Say what the application watches beside what this command knows of."""
    known = {each.connection.id for each in found}
    sights = () if running.report is None else running.report.sights
    others = [(s, watched(running, s.id, now)) for s in sights if s.id not in known]
    return [f"{s.name}: not looked at from here\n  {w.line}" for s, w in others]
