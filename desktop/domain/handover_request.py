"""How an emergency handover begins: who may ask for it, and whom the watch is offered to. Pure.

Refusals are ``InputError``. Source of the rules: design, section 3, "Handover".
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn

from desktop.domain.errors import InputError
from desktop.domain.handover_answers import MANAGING
from desktop.domain.handover_facts import Answer, Handover, Kind, Offer
from desktop.domain.handover_watch import Hindrance, foremost, hindrance
from desktop.domain.rotation import LOOK_AHEAD, schedule
from desktop.domain.segments import Segment
from desktop.domain.team import Absence, Member, Role, Team
from desktop.domain.text import plain
from desktop.domain.wall import instant
from desktop.domain.watch import Watch, shift_at

_REASON_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for: ``receiver`` is whom they would like to have the watch, None for the next in order."""

    id: str
    kind: Kind
    giver: Member
    asker: Member
    reason: str
    receiver: Member | None = None
    auto_next: bool = False
    stays_available: bool = False


@dataclass(frozen=True, slots=True)
class Around:
    """The team at that moment, as the giver of the watch finds it.

    ``candidates``: whom to offer the watch, in order. ``segments``: the schedule from then on. ``until``: when the
    shift of the role that they hold ends, None without a rotation. ``away``: the absences that are not past, with aware
    times. ``managers``: who hears of a yes that is not confirmed.
    """

    candidates: tuple[str, ...]
    segments: tuple[Segment, ...]
    until: datetime | None = None
    away: tuple[Absence, ...] = ()
    managers: tuple[str, ...] = ()


def around(team: Team, giver: str, at: datetime) -> Around:
    """Return what a handover of the watch of ``giver`` finds ``at``; no candidates when they have no watch.

    The candidates are the secondary, the previous shift's engineer and the manager, each of them once, without
    ``giver`` and without whoever cannot take the watch now: somebody absent, or with a role that stands before it. As
    the previous engineer counts the nearest one, by the ring, who is none of these.
    """
    segments = schedule(team, at, at + LOOK_AHEAD)
    away = _away(team, at)
    role = foremost(giver, segments, at)
    if role is None:
        return Around((), segments)
    shift = shift_at(team, role, at)

    def free(person: str) -> bool:
        return person != giver and hindrance(person, role, segments, away, at) is None

    secondary, manager = (_holder(segments, r, at) for r in (Role.SECONDARY, Role.MANAGER))
    previous = next((p for p in (shift.earlier if shift else ()) if p != secondary and free(p)), None)
    return Around(
        candidates=tuple(dict.fromkeys(p for p in (secondary, previous, manager) if p is not None and free(p))),
        segments=segments,
        until=shift.end if shift else None,
        away=away,
        managers=Watch(team).managers(at),
    )


def _away(team: Team, at: datetime) -> tuple[Absence, ...]:
    zone = team.time_zone
    found = (replace(a, start=instant(a.start, zone), end=instant(a.end, zone)) for a in team.absences)
    return tuple(a for a in found if a.start < a.end and a.end > at)


def _holder(segments: tuple[Segment, ...], role: Role, at: datetime) -> str | None:
    return next((s.person for s in segments if s.role is role and s.start <= at < s.end), None)


def request(wish: Wish, team: Around, at: datetime) -> Handover:
    """Begin a handover; whoever takes the watch has thereby said yes.

    Raises ``InputError`` when ``wish`` may not be asked for, there is no watch to hand over, nobody to take it, or no
    reason.
    """
    _check_kind(wish)
    role = foremost(wish.giver.id, team.segments, at)
    if role is None:
        _refuse(f"{wish.giver.name} is not on call now: there is nothing to hand over.")
    wanted = wish.asker if wish.kind is Kind.TAKE else wish.receiver
    if wanted is not None:
        _check_receiver(wish, wanted, hindrance(wanted.id, role, team.segments, team.away, at))
    candidates = tuple(dict.fromkeys((*(() if wanted is None else (wanted.id,)), *team.candidates)))
    if not candidates:
        _refuse(f"Nobody is there to take the watch of {wish.giver.name}: name somebody.")
    taken = (Offer(wish.asker.id, at, Answer(yes=True, at=at)),) if wish.kind is Kind.TAKE else ()
    return Handover(
        id=wish.id,
        kind=wish.kind,
        giver=wish.giver.id,
        asker=wish.asker.id,
        requested_at=at,
        role=role,
        until=team.until,
        segments=team.segments,
        away=team.away,
        candidates=candidates,
        managers=team.managers,
        reason=_reason(wish),
        auto_next=wish.auto_next,
        stays_available=wish.stays_available,
        offers=taken,
    )


def _check_kind(wish: Wish) -> None:
    own = wish.asker.id == wish.giver.id
    if wish.kind is Kind.ASK and not own:
        _refuse(f"Only {wish.giver.name} can ask for that; a manager can give the watch, somebody certified take it.")
    if wish.kind is Kind.GIVE and wish.asker.access not in MANAGING:
        _refuse(f"{wish.asker.name} is not a manager: only a manager can give somebody else's watch away.")
    if wish.kind is Kind.TAKE and own:
        _refuse(f"{wish.giver.name} has this watch already.")
    # As everywhere, only who is said not to be certified counts as such: a team need not record it.
    if wish.kind is Kind.TAKE and wish.asker.certified is False:
        _refuse(f"{wish.asker.name} is not certified: only somebody certified can take the watch.")


def _check_receiver(wish: Wish, wanted: Member, hindered: Hindrance | None) -> None:
    if wish.kind is Kind.TAKE and wish.receiver is not None and wish.receiver.id != wish.asker.id:
        _refuse(f"Who takes the watch takes it for themselves: a manager can give it to {wish.receiver.name}.")
    if wanted.id == wish.giver.id:
        _refuse(f"{wanted.name} has this watch already: name somebody else.")
    if hindered is not None:
        _refuse(f"{wanted.name} is {hindered.why}: somebody else has to take the watch.")


def _reason(wish: Wish) -> str:
    """Return the reason, made plain; there must be one, whoever begins and however."""
    reason = plain(wish.reason, _REASON_LIMIT)
    if not reason.strip():
        hands = "hands" if wish.kind is Kind.ASK else "cannot hand"
        _refuse(f"Say why {wish.giver.name} {hands} over the watch: a reason is needed.")
    return reason


def _refuse(message: str) -> NoReturn:
    raise InputError(message)
