"""A duty of the watch, what was done about it, and how it stands. Pure; every time is aware.

Nothing is stored but marks: a duty and its state follow from the team, the facts and the instant asked for
(``duties``), so that a mark made twice counts once and marks count the same in any order.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from desktop.domain.errors import InputError
from desktop.domain.wall import clock, instant


class Kind(StrEnum):
    """The recurring tasks of the procedure; the value begins a duty's id."""

    CHECK_IN = "check-in"
    MONITORING = "monitoring"
    STATUS_PAGE = "status-page"
    CUSTOMER_NOTICE = "customer-notice"
    STATUS_UPDATE = "status-update"
    INCIDENT_REVIEW = "incident-review"
    HANDOVER = "handover"
    MONTHLY_REVIEW = "monthly-review"
    TRAINING = "training"
    CERTIFICATION = "certification"

    @property
    def urgent(self) -> bool:
        """Whether its reminder goes out at any hour: somebody outside is waiting, or the watch changes hands."""
        return self in _URGENT


_URGENT = {Kind.STATUS_PAGE, Kind.CUSTOMER_NOTICE, Kind.STATUS_UPDATE, Kind.HANDOVER}


class State(StrEnum):
    """How a duty stands. What is overdue stays so until it is done or waived."""

    AHEAD = "ahead"
    DUE = "due"
    OVERDUE = "overdue"
    DONE = "done"
    WAIVED = "waived"

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self in (State.DONE, State.WAIVED)


class Act(StrEnum):
    """What somebody did about a duty."""

    TICK = "tick"
    SIGN = "sign"
    WAIVE = "waive"


@dataclass(frozen=True, slots=True)
class Mark:
    """Somebody ticked a ``point`` (from 1), signed the duty as done, or waived it with a ``reason``.

    Raises ``InputError`` for a waiver without a reason and for a time without a zone.
    """

    duty: str
    act: Act
    by: str
    at: datetime
    point: int = 0
    reason: str = ""

    def __post_init__(self) -> None:
        if self.act is Act.WAIVE and not self.reason.strip():
            raise InputError("A duty is waived with a reason only: say why.")
        if self.at.tzinfo is None:
            raise InputError(f"{self.at.isoformat()} names no zone: add one, or Z for UTC.")


class Duty(NamedTuple):
    """One thing to do once. A tuple, as what is made of it below: a frozen dataclass costs five times as much to make.

    ``people`` have to do it (empty: nobody is there to, which must show); it is done once all of ``signers`` signed or,
    where there are none, once anybody signed or every point is ticked. It may be done from ``opens``, should be at
    ``due`` and is overdue from ``late``; ``due`` and ``late`` are None where nothing presses.
    ``subject`` is what it is about: an incident's, a person's, a shift's id.
    """

    id: str
    kind: Kind
    people: tuple[str, ...]
    opens: datetime
    due: datetime | None
    late: datetime | None
    points: tuple[str, ...]
    subject: str = ""
    signers: tuple[str, ...] = ()


class Standing(NamedTuple):
    """How a duty stands: ``ticked`` points (from 1), who ``signed``, when it was settled, why it was waived."""

    state: State
    ticked: frozenset[int] = frozenset()
    signed: tuple[str, ...] = ()
    settled_at: datetime | None = None
    reason: str = ""


class Listed(NamedTuple):
    """A duty and how it stands."""

    duty: Duty
    standing: Standing

    @property
    def state(self) -> State:
        """Its state."""
        return self.standing.state


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours, on a person's own clock, in which reminders that can wait do wait; they may span midnight."""

    start: time = time(22)
    end: time = time(7)

    def end_after(self, at: datetime, zone: ZoneInfo) -> datetime:
        """Return ``at``, or the end (UTC) of the quiet hours that ``at`` lies in on a clock in ``zone``."""
        wall = clock(at, zone)
        over, begun = self.start > self.end, wall.time() >= self.start
        if not over and not begun:
            return at
        day = wall.date() + timedelta(days=over and begun)
        # Where the clock goes back, they end when it first shows their end: what it shows again is after them.
        return max(at, instant(datetime.combine(day, self.end), zone))


NIGHT = Quiet()
_WHEN = attrgetter("at", "by", "reason")
_UNTOUCHED = {state: Standing(state) for state in (State.AHEAD, State.DUE, State.OVERDUE)}


def stand(duty: Duty, marks: Collection[Mark], now: datetime) -> Standing:
    """Return how ``duty`` stands at ``now`` after ``marks``, all of them its own; later ones than ``now`` count too."""
    if not marks:
        return _UNTOUCHED[_open_state(duty, now)]
    ticks: dict[int, datetime] = {}
    signatures: dict[str, datetime] = {}
    waiver: Mark | None = None
    for mark in sorted(marks, key=_WHEN):
        if mark.act is Act.SIGN:
            signatures.setdefault(mark.by, mark.at)
        elif mark.act is Act.WAIVE:
            waiver = waiver or mark
        elif 0 < mark.point <= len(duty.points):
            ticks.setdefault(mark.point, mark.at)
    done = _done_at(duty, ticks, signatures)
    signed = tuple(signatures)
    if done is not None and (waiver is None or done <= waiver.at):
        return Standing(State.DONE, frozenset(ticks), signed, done)
    if waiver is not None:
        return Standing(State.WAIVED, frozenset(ticks), signed, waiver.at, waiver.reason)
    return Standing(_open_state(duty, now), frozenset(ticks), signed)


def remind_at(duty: Duty, zone: ZoneInfo, quiet: Quiet = NIGHT) -> datetime:
    """Return when (UTC) to remind somebody in ``zone`` of ``duty``: as it opens, or when their quiet hours end.

    What is urgent does not wait, nor does what would be overdue by then.
    """
    opens = duty.opens.astimezone(UTC)
    if duty.kind.urgent:
        return opens
    later = quiet.end_after(opens, zone)
    return later if duty.late is None or later < duty.late else opens


def reminder_due(duty: Duty, zone: ZoneInfo, now: datetime, quiet: Quiet = NIGHT) -> bool:
    """Tell whether somebody in ``zone`` who was not reminded of ``duty`` yet is to be by ``now``.

    A reminder that comes late, after an outage or an absence, waits for the end of the quiet hours like any other,
    unless the duty would be overdue by then; what is overdue already can wait.
    """
    if now < remind_at(duty, zone, quiet):
        return False
    later = quiet.end_after(now, zone)
    return duty.kind.urgent or later == now or (duty.late is not None and now < duty.late <= later)


def _open_state(duty: Duty, now: datetime) -> State:
    if now < duty.opens or duty.due is None:
        return State.AHEAD
    return State.OVERDUE if duty.late is not None and now >= duty.late else State.DUE


def _done_at(duty: Duty, ticks: dict[int, datetime], signatures: dict[str, datetime]) -> datetime | None:
    """Return when ``duty`` was done, None when it is not."""
    if duty.signers:
        times = [signatures.get(person) for person in duty.signers]
        signed = [t for t in times if t is not None]
        return max(signed) if len(signed) == len(times) else None
    # The first signature is the first in the dictionary, too: marks were taken in order.
    signed_at = next(iter(signatures.values()), None)
    ticked_at = max(ticks.values()) if duty.points and len(ticks) == len(duty.points) else None
    if signed_at is None or ticked_at is None:
        return signed_at or ticked_at
    return min(signed_at, ticked_at)
