"""What demands a person's attention now, and how loudly: the ringing policy. Pure; every time is aware.

The screen, the tray icon and the sound all follow one ``Attention`` made here. "Cannot know" is a state of its own,
and outranks calm (design, promise 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from itertools import compress
from operator import not_
from types import MappingProxyType

from desktop.domain.incident import Incident, OnCall, Person, Snapshot, Status
from desktop.domain.severity import Severity

# Lost contact while on call: amber after the first, a loud alarm after the second (design, section 7).
LOST_AFTER = timedelta(seconds=60)
ALARM_AFTER = timedelta(seconds=90)
# Who looks live and was not heard for so long does not watch any more, whatever was said last. Off call a watch asks
# every minute, and its answers may take as long again and more; on call it asks every few seconds.
SILENT_AFTER, SILENT_ON_CALL = timedelta(minutes=3), ALARM_AFTER
_SILENT = "nothing was heard for a while, though nothing was said to fail"
# A command that is not confirmed by then may never be: the page must not stay quiet.
SENDING_QUIET = timedelta(seconds=20)
CHIME_EVERY = timedelta(minutes=10)


class Contact(StrEnum):
    """Whether a connection's state can be trusted."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"


class Command(StrEnum):
    """What a person asked of an incident and the backend has not confirmed yet."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Sending:
    """A command on its way to the backend, durable ``since`` (local time); ``trouble`` is why it waits, where known."""

    command: Command
    since: datetime
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """One connection as its watcher knows it.

    ``snapshot`` is None before the first answer; ``heard_at`` is when the backend was last heard (local time, None
    before), ``since`` when the present ``contact`` began; ``sending`` maps incident ids to what is on its way;
    ``failed`` maps incident ids to why a command was refused for good; ``offset`` is server time minus local time.
    ``needs_token``: contact is lost for want of a token, which only a person can give.
    ``watched_since`` is when this program began to look after a time in which it could not, where the state is of
    before that: its start with a kept copy, or the machine's waking up.
    ``left`` are the ids of open incidents that were this person's and are somebody else's now, the latest last.
    ``names_others``: it is no connection, but the settings that name them, which cannot be read.
    """

    id: str
    name: str
    contact: Contact
    since: datetime
    snapshot: Snapshot | None = None
    heard_at: datetime | None = None
    trouble: str = ""
    offset: timedelta = timedelta(0)
    needs_token: bool = False
    watched_since: datetime | None = None
    left: tuple[str, ...] = ()
    names_others: bool = False
    sending: Mapping[str, Sending] = field(default_factory=lambda: MappingProxyType({}))
    failed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class Tray(IntEnum):
    """The states of the tray icon, the more urgent the higher."""

    OFF_CALL = 0
    CALM = 1
    ACKNOWLEDGED = 2
    PAUSED = 3
    LOST = 4
    RINGING = 5


class Sound(StrEnum):
    """What is heard. The values name the sound files."""

    SIREN = "siren"
    RING = "ring"
    CHIME = "chime"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Page:
    """One incident that demands this person's attention now.

    ``sending`` is on its way and not confirmed; ``overdue`` says that it has been so for too long. ``old`` says that it
    is from a time in which nobody watched, and that the backend was not heard since: shown, neither told nor heard.
    ``trouble`` is why what is on its way waits, where that is known.
    """

    connection: str
    connection_name: str
    incident: Incident
    on_call: tuple[OnCall, ...]
    me: Person
    sending: Command | None = None
    overdue: bool = False
    failed: str = ""
    offset: timedelta = timedelta(0)
    old: bool = False
    trouble: str = ""

    @property
    def pops_up(self) -> bool:
        """Whether it takes a piece of the screen; SEV-3 is a notification only (design, section 3)."""
        return self.incident.severity is not Severity.SEV3


@dataclass(frozen=True, slots=True)
class Lost:
    """A connection that cannot be trusted now, ``since`` when (local time); or settings that cannot be read."""

    connection: str
    connection_name: str
    since: datetime
    trouble: str
    loud: bool
    settings: bool = False


@dataclass(frozen=True, slots=True)
class Attention:
    """Everything that the person's machine shows and plays, decided.

    ``pages`` are sorted, the most urgent first. ``settled`` are this person's incidents that are acknowledged, or were
    resolved or went to somebody else a moment ago: a page that leaves ``pages`` is told as what became of it.
    ``unread`` names the connections that answer and where more is open than could be read.
    """

    tray: Tray
    pages: tuple[Page, ...] = ()
    settled: tuple[Page, ...] = ()
    lost: tuple[Lost, ...] = ()
    on_call: tuple[OnCall, ...] = ()
    acknowledged: int = 0
    sound: Sound | None = None
    loop: bool = False
    muted_until: datetime | None = None
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quiet:
    """What a person silenced: ``heard`` from ``muted_at`` until ``muted_until``; the alarm of ``lost`` altogether.

    ``heard`` are the pages (connection, incident, how often it had been paged) and lost connections (connection, "", 0)
    that there were when the sound was switched off: whatever comes later, or is paged again, is heard all the same.
    """

    muted_at: datetime | None = None
    muted_until: datetime | None = None
    heard: frozenset[tuple[str, str, int]] = frozenset()
    lost: frozenset[str] = frozenset()

    def muted(self, now: datetime) -> bool:
        """Tell whether something is muted at ``now``; never before it was, however the clock is set."""
        if self.muted_at is None or self.muted_until is None:
            return False
        return self.muted_at <= now < self.muted_until


def mute(decided: "Attention", quiet: Quiet, now: datetime, until: datetime | None) -> Quiet:
    """Return ``quiet`` with all that ``decided`` shows muted ``now`` ``until`` then; None lets it be heard again."""
    heard = frozenset({*map(_heard, decided.pages), *((x.connection, "", 0) for x in decided.lost)})
    return replace(quiet, muted_at=now, muted_until=until, heard=heard)


def _heard(page: Page) -> tuple[str, str, int]:
    """Return what tells this page from the next one of the same incident."""
    return page.connection, page.incident.id, page.incident.pages


def attention(states: tuple[ConnectionState, ...], now: datetime, quiet: Quiet | None = None) -> Attention:
    """Decide from all connections' ``states`` what is shown and played at ``now`` (local time).

    A page whose acknowledgement is on its way stays shown as "sending" and goes quiet; it rings again when the
    backend refuses, or has not confirmed within ``SENDING_QUIET``. ``quiet`` takes away sound, never the picture.
    """
    assigned = sorted((p for s in states for p in _assigned(s, now)), key=_urgency)
    paging = [_pages(p) for p in assigned]
    pages = tuple(compress(assigned, paging))
    settled = tuple(compress(assigned, map(not_, paging)))
    lost = tuple(x for s in states if (x := _lost(s, now)) is not None)
    mine = tuple(dict.fromkeys(o for s in states for o in shifts(s)))
    acknowledged = sum(p.incident.status is Status.ACKNOWLEDGED and _mine(p) for p in settled)
    quiet = quiet or Quiet()
    muted = quiet.muted(now)
    silent = quiet.heard if muted else frozenset()
    alarms = tuple(x for x in lost if x.connection not in quiet.lost and (x.connection, "", 0) not in silent)
    sound, loop = _sound(tuple(p for p in pages if _heard(p) not in silent), alarms)
    unread = tuple(s.name for s in states if s.contact is Contact.LIVE and s.snapshot and not s.snapshot.whole)
    blind = bool(lost or unread or not states)
    tray = _tray(pages, mine, acknowledged, blind=blind, muted=muted)
    return Attention(
        tray=tray,
        pages=pages,
        settled=settled,
        lost=lost,
        on_call=mine,
        acknowledged=acknowledged,
        sound=sound,
        loop=loop,
        muted_until=quiet.muted_until if muted else None,
        unread=unread,
    )


def shifts(state: ConnectionState) -> tuple[OnCall, ...]:
    """Return the shifts that the connection's person has now, one for each role, as last told."""
    if state.snapshot is None:
        return ()
    me = state.snapshot.me.id
    by_role = {o.role: o for o in reversed(state.snapshot.on_call) if o.person.id == me}
    return tuple(sorted(by_role.values(), key=lambda o: o.level))


def _assigned(state: ConnectionState, now: datetime) -> list[Page]:
    snapshot = state.snapshot
    if snapshot is None:
        return []
    old = _old(state)
    return [
        Page(
            connection=state.id,
            connection_name=state.name,
            incident=incident,
            on_call=snapshot.on_call,
            me=snapshot.me,
            sending=sending.command if (sending := state.sending.get(incident.id)) else None,
            overdue=sending is not None and _ago(sending.since, now) > SENDING_QUIET,
            failed=state.failed.get(incident.id, ""),
            offset=state.offset,
            old=old,
            trouble=sending.trouble if sending is not None else "",
        )
        for incident in snapshot.incidents
        # A resolved incident is nobody's any more, and what left is another's: still to be told as what it is.
        if incident.concerns(snapshot.me.id) or not incident.open or incident.id in state.left
    ]


def _pages(page: Page) -> bool:
    return page.incident.pages_person(page.me.id)


def _mine(page: Page) -> bool:
    return page.incident.concerns(page.me.id)


def _old(state: ConnectionState) -> bool:
    if state.contact is Contact.LIVE or state.watched_since is None or state.heard_at is None:
        return False
    return state.watched_since - state.heard_at > ALARM_AFTER


def _ago(then: datetime, now: datetime) -> timedelta:
    """Return how long ago something was; what seems to be still to come, since the clock was set back, as long ago.

    Nothing that counts from it may wait for that time: it would be quiet until then.
    """
    return abs(now - then)


def _urgency(page: Page) -> tuple[int, datetime]:
    return page.incident.severity.value, page.incident.created_at


def in_contact(state: ConnectionState, now: datetime) -> bool:
    """Tell whether what is known of a connection can be trusted: it is said to be live, and was heard not long ago."""
    patience = SILENT_ON_CALL if shifts(state) else SILENT_AFTER
    return state.contact is Contact.LIVE and _ago(state.heard_at or state.since, now) < patience


def _lost(state: ConnectionState, now: datetime) -> Lost | None:
    if in_contact(state, now):
        return None
    since = state.heard_at or state.since
    blind = _ago(since, now)
    # A copy may lack the page that rang when a crash came: nothing is known until the backend is heard again.
    watching = state.snapshot is not None and state.watched_since is None
    if watching and blind < LOST_AFTER:
        return None
    # A program that was not running, or a machine that slept, gets the same time to find contact again.
    looked = _ago(max(since, state.watched_since or since), now)
    trouble = _SILENT if state.contact is Contact.LIVE else state.trouble
    return Lost(
        state.id, state.name, since, trouble, _may_be_on_call(state, now) and looked >= ALARM_AFTER, state.names_others
    )


def _may_be_on_call(state: ConnectionState, now: datetime) -> bool:
    """Tell whether the person may be on call ``now``, as far as anybody knows: then the loss of contact is loud.

    Who was on call when contact broke still is. Once a shift of anybody's has ended since, it may be theirs; and nobody
    knows before the first answer.
    """
    if state.snapshot is None or shifts(state):
        return True
    return any(o.until is not None and o.until <= now + state.offset for o in state.snapshot.on_call)


def _sound(pages: tuple[Page, ...], lost: tuple[Lost, ...]) -> tuple[Sound | None, bool]:
    worst = next((p.incident.severity for p in pages if not p.old and (p.sending is None or p.overdue)), None)
    if worst is Severity.SEV0:
        return Sound.SIREN, True
    if worst is Severity.SEV1:
        return Sound.RING, True
    if any(x.loud for x in lost):
        return Sound.LOST, True
    return (Sound.CHIME, False) if worst is Severity.SEV2 else (None, False)


def _tray(
    pages: tuple[Page, ...],
    mine: tuple[OnCall, ...],
    acknowledged: int,
    *,
    blind: bool,
    muted: bool,
) -> Tray:
    if any(not p.old for p in pages):
        return Tray.RINGING
    if blind:
        return Tray.LOST
    if muted:
        return Tray.PAUSED
    if acknowledged:
        return Tray.ACKNOWLEDGED
    return Tray.CALM if mine else Tray.OFF_CALL
