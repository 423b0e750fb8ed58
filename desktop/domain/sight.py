"""What the running application sees of each connection, as it says that to a command that asks. Pure.

One line of JSON over its own socket, without tokens and without anything of an incident but how many clicks wait. It is
read as what a stranger said, for the application may be of another age than the command.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from desktop.domain.attention import ConnectionState, Contact
from desktop.domain.text import plain

STUCK_AFTER = timedelta(minutes=2)
"""Longer than the longest time between two polls and their answers: a watch that heard nothing for so long hangs."""

_MOST = 200
_NAME, _TEXT = 120, 300


class Eyes(StrEnum):
    """What the watch of one connection is worth. Only the first is a watch."""

    WATCHED = "watched"
    CONNECTING = "connecting"
    OLD = "old"
    LOST = "lost"
    TOKEN_MISSING = "token missing"  # noqa: S105 - no token
    STUCK = "stuck"
    SOMEBODY_ELSE = "somebody else"
    UNWATCHED = "not watched"
    UNTOLD = "not told"
    SILENT = "no answer"
    ABSENT = "not running"


@dataclass(frozen=True, slots=True)
class Sight:
    """One connection as the application sees it; the times are this machine's.

    ``person`` is whose watch it is, "" while nothing is known. ``waiting`` clicks are on their way, the first
    ``waiting_since``; ``refused`` says why one was refused for good.
    """

    id: str
    name: str
    contact: Contact
    since: datetime
    heard_at: datetime | None = None
    trouble: str = ""
    needs_token: bool = False
    person: str = ""
    waiting: int = 0
    waiting_since: datetime | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All that it sees; ``guard`` is who starts it again after a crash, as ``system.guard`` names them."""

    guard: str
    sights: tuple[Sight, ...]

    def of(self, connection: str) -> Sight | None:
        """Return what it sees of a connection, None when it does not watch that."""
        return next((s for s in self.sights if s.id == plain(connection, _NAME)), None)


def sight_of(state: ConnectionState) -> Sight:
    """Return what is to be told of a connection."""
    return Sight(
        id=plain(state.id, _NAME),
        name=plain(state.name, _NAME),
        contact=state.contact,
        since=state.since,
        heard_at=state.heard_at,
        trouble=plain(state.trouble, _TEXT),
        needs_token=state.needs_token,
        person="" if state.snapshot is None else plain(state.snapshot.me.id, _NAME),
        waiting=len(state.sending),
        waiting_since=min((s.since for s in state.sending.values()), default=None),
        refused=plain(next(iter(state.failed.values()), ""), _TEXT),
    )


def eyes(sight: Sight | None, now: datetime, me: str = "") -> Eyes:
    """Tell what a watch is worth ``now``; ``me`` is who the connection's token belongs to, where that is known."""
    if sight is None:
        return Eyes.UNWATCHED
    if sight.needs_token:
        return Eyes.TOKEN_MISSING
    if sight.contact is Contact.LOST:
        return Eyes.LOST
    if sight.contact is Contact.CONNECTING:
        return Eyes.OLD if sight.person else Eyes.CONNECTING
    # A clock that was set back makes it seem to come: that is as long ago.
    if sight.heard_at is None or abs(now - sight.heard_at) > STUCK_AFTER:
        return Eyes.STUCK
    return Eyes.SOMEBODY_ELSE if me and sight.person and me != sight.person else Eyes.WATCHED


def told(states: tuple[ConnectionState, ...], guard: str) -> bytes:
    """Return the line that is said."""
    return json.dumps({"guard": guard, "connections": [_data(sight_of(s)) for s in states[:_MOST]]}).encode() + b"\n"


def read(line: bytes) -> Report | None:
    """Return what was said; None when that is no such line."""
    try:
        said = json.loads(line)
        sights = tuple(_sight(each) for each in said["connections"][:_MOST])
        return Report(plain(str(said["guard"]), _NAME), sights)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None


def _data(sight: Sight) -> dict[str, object]:
    return {
        "id": sight.id,
        "name": sight.name,
        "contact": sight.contact.value,
        "since": sight.since.isoformat(),
        "heard_at": _text(sight.heard_at),
        "trouble": sight.trouble,
        "needs_token": sight.needs_token,
        "person": sight.person,
        "waiting": sight.waiting,
        "waiting_since": _text(sight.waiting_since),
        "refused": sight.refused,
    }


def _sight(said: Mapping[str, Any]) -> Sight:
    return Sight(
        id=plain(str(said["id"]), _NAME),
        name=plain(str(said["name"]), _NAME),
        contact=Contact(said["contact"]),
        since=_required(said["since"]),
        heard_at=_moment(said["heard_at"]),
        trouble=plain(str(said["trouble"]), _TEXT),
        needs_token=bool(said["needs_token"]),
        person=plain(str(said["person"]), _NAME),
        waiting=int(said["waiting"]),
        waiting_since=_moment(said["waiting_since"]),
        refused=plain(str(said["refused"]), _TEXT),
    )


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _moment(said: str | None) -> datetime | None:
    return None if said is None else _required(said)


def _required(said: str) -> datetime:
    # One without an offset is no instant, and cannot be compared with any.
    at = datetime.fromisoformat(said)
    if at.tzinfo is None:
        raise ValueError(said)
    return at.astimezone(UTC)
