"""What people do about an emergency handover: ask for it, answer, confirm, cancel. Pure; refusals are ``InputError``.

Doing the same thing twice returns the same facts. Source of the rules: design, section 3, "Handover".
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NoReturn

from desktop.domain.covering import Presence
from desktop.domain.errors import InputError
from desktop.domain.handover import state
from desktop.domain.handover_facts import (
    Answer,
    Confirmation,
    Handover,
    Kind,
    Offer,
    Point,
    State,
    expires_at,
    offer_to,
    receiver,
    watch,
)
from desktop.domain.rotation import LOOK_AHEAD, on_call, schedule
from desktop.domain.segments import Segment
from desktop.domain.team import Access, Member, Role, Team
from desktop.domain.text import plain

_REASON_LIMIT = 500
_MANAGING = {Access.MANAGER, Access.ADMIN}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for: ``receiver`` is whom they would like to have the watch, None for the next in order."""

    id: str
    kind: Kind
    giver: Member
    asker: Member
    reason: str = ""
    receiver: Member | None = None
    auto_next: bool = False
    stays_available: bool = False


@dataclass(frozen=True, slots=True)
class Around:
    """The team at that moment: whom to offer the watch, in order, who is away, and the schedule from then on."""

    candidates: tuple[str, ...]
    away: frozenset[str]
    segments: tuple[Segment, ...]


def around(team: Team, giver: str, at: datetime) -> Around:
    """Return secondary, previous week's engineer and manager as candidates, who is away, and the schedule."""
    presence = Presence(team.absences, team.time_zone)
    now = on_call(team, at)
    secondary, manager = (now[r].person if r in now else None for r in (Role.SECONDARY, Role.MANAGER))
    found = (secondary, _previous(team, giver, at), manager)
    return Around(
        candidates=tuple(p for p in found if p is not None),
        away=frozenset(p.id for p in team.people if presence.absent(p.id, at)),
        segments=schedule(team, at, at + LOOK_AHEAD),
    )


def _previous(team: Team, giver: str, at: datetime) -> str | None:
    """Return who had the role that ``giver`` has (primary, when they have none) last before them."""
    role = next((r for r, segment in on_call(team, at).items() if segment.person == giver), Role.PRIMARY)
    before = [s.person for s in schedule(team, at - LOOK_AHEAD, at) if s.role is role]
    return next((p for p in reversed(before) if p not in {giver, None}), None)


def request(wish: Wish, team: Around, at: datetime) -> Handover:
    """Begin a handover; whoever takes the watch has thereby said yes.

    Raises ``InputError`` when ``wish`` may not be asked for, or there is no watch to hand over, or nobody to take it.
    """
    _check_kind(wish)
    wanted = wish.asker if wish.kind is Kind.TAKE else wish.receiver
    _check_receiver(wish, wanted, team.away)
    candidates = _in_order(wish.giver.id, None if wanted is None else wanted.id, team)
    if not candidates:
        _refuse(f"Nobody is there to take the watch of {wish.giver.name}: name somebody.")
    facts = Handover(
        id=wish.id,
        kind=wish.kind,
        giver=wish.giver.id,
        asker=wish.asker.id,
        requested_at=at,
        candidates=candidates,
        segments=team.segments,
        reason=plain(wish.reason, _REASON_LIMIT),
        auto_next=wish.auto_next,
        stays_available=wish.stays_available,
    )
    if not watch(facts, at):
        _refuse(f"{wish.giver.name} is not on call now: there is nothing to hand over.")
    if wish.kind is Kind.TAKE:
        return replace(facts, offers=(Offer(wish.asker.id, at, Answer(yes=True, at=at)),))
    return facts


def _check_kind(wish: Wish) -> None:
    own = wish.asker.id == wish.giver.id
    if wish.kind is Kind.ASK and not own:
        _refuse(f"Only {wish.giver.name} can ask for that; a manager can give the watch, somebody certified take it.")
    if wish.kind is Kind.GIVE and wish.asker.access not in _MANAGING:
        _refuse(f"{wish.asker.name} is not a manager: only a manager can give somebody else's watch away.")
    if wish.kind is Kind.TAKE and own:
        _refuse(f"{wish.giver.name} has this watch already.")
    # As everywhere, only who is said not to be certified counts as such: a team need not record it.
    if wish.kind is Kind.TAKE and wish.asker.certified is False:
        _refuse(f"{wish.asker.name} is not certified: only somebody certified can take the watch.")
    if wish.kind is not Kind.ASK and not wish.reason.strip():
        _refuse(f"Say why {wish.giver.name} cannot hand over the watch: a reason is needed.")


def _check_receiver(wish: Wish, wanted: Member | None, away: Collection[str]) -> None:
    if wanted is None:
        return
    if wish.kind is Kind.TAKE and wish.receiver is not None and wish.receiver.id != wish.asker.id:
        _refuse(f"Who takes the watch takes it for themselves: a manager can give it to {wish.receiver.name}.")
    if wanted.id == wish.giver.id:
        _refuse(f"{wanted.name} has this watch already: name somebody else.")
    if wanted.id in away and wish.kind is not Kind.TAKE:
        _refuse(f"{wanted.name} is away: name somebody else.")


def _in_order(giver: str, wanted: str | None, team: Around) -> tuple[str, ...]:
    first = () if wanted is None else (wanted,)
    others = (p for p in team.candidates if p != giver and p not in team.away)
    return tuple(dict.fromkeys((*first, *others)))


def accept(facts: Handover, person: str, at: datetime) -> Handover:
    """Record that ``person`` takes the watch. Raises ``InputError`` when they were not asked, or it is too late."""
    offer = _open_offer(facts, person, at)
    first = receiver(facts)
    if first == person:
        return facts
    if first is not None:
        _refuse(f"{first} accepted first: nothing is left for you to do.")
    return _answered(facts, offer, Answer(yes=True, at=at))


def decline(facts: Handover, person: str, at: datetime) -> Handover:
    """Record that ``person`` does not take the watch; they may still change their mind while the paging goes on."""
    offer = _open_offer(facts, person, at)
    if receiver(facts) == person:
        _refuse("You have accepted this watch already: hand it over again.")
    if offer.answer is not None:
        return facts
    return _answered(facts, offer, Answer(yes=False, at=at))


def acknowledge(facts: Handover, person: str, at: datetime) -> Handover:
    """Record that ``person`` acknowledged the page, which is no answer."""
    offer = offer_to(facts, person)
    if offer is None:
        _refuse(f"{person} was not offered this watch.")
    if offer.acknowledged_at is not None:
        return facts
    return _replaced(facts, offer, replace(offer, acknowledged_at=at))


def allow(facts: Handover, by: Member, person: str, at: datetime) -> Handover:
    """Record that ``person`` is to be offered the watch next, without waiting."""
    _check_involved(facts, by)
    if state(facts, at) not in {State.REQUESTED, State.PAGING, State.DECLINED} or facts.ended is not None:
        _refuse("Nobody is asked any more: begin another handover.")
    if person == facts.giver:
        _refuse(f"{person} has this watch already: name somebody else.")
    return facts if person in facts.allowed else replace(facts, allowed=(*facts.allowed, person))


def confirm(facts: Handover, by: Member, point: Point, at: datetime, *, waived: bool = False) -> Handover:
    """Record that ``point`` is so (only the receiver can say that), or that ``by`` waives it."""
    to = receiver(facts)
    if to is None or facts.ended is not None:
        _refuse("Nobody has accepted this watch, or it is over: there is nothing to confirm.")
    if waived:
        _check_involved(facts, by)
    elif by.id != to:
        _refuse(f"Only {to}, who takes the watch, can confirm that; it can be waived instead.")
    if any(c.point is point for c in facts.confirmations):
        return facts
    return replace(facts, confirmations=(*facts.confirmations, Confirmation(point, by.id, at, waived)))


def cancel(facts: Handover, by: Member, at: datetime) -> Handover:
    """Call the handover off. Raises ``InputError`` once somebody has accepted, or it is over."""
    _check_involved(facts, by)
    if facts.cancelled_at is not None:
        return facts
    if (to := receiver(facts)) is not None:
        _refuse(f"{to} has accepted already: ask them to hand the watch back.")
    if facts.ended is not None:
        _refuse(f"It is over: {facts.ended.state.value}.")
    return replace(facts, cancelled_at=at)


def _open_offer(facts: Handover, person: str, at: datetime) -> Offer:
    """Return the offer to ``person``, which must still be open, or lead to the one who accepted first."""
    offer = offer_to(facts, person)
    if offer is None:
        _refuse(f"{person} was not offered this watch.")
    if receiver(facts) is None:
        if facts.cancelled_at is not None:
            _refuse(f"This handover was cancelled: {facts.giver} stays on call.")
        if facts.ended is not None or at >= expires_at(facts):
            _refuse(f"This offer is no longer open: {facts.giver} stays on call.")
    return offer


def _answered(facts: Handover, offer: Offer, answer: Answer) -> Handover:
    return _replaced(facts, offer, replace(offer, answer=answer))


def _replaced(facts: Handover, offer: Offer, new: Offer) -> Handover:
    return replace(facts, offers=tuple(new if o is offer else o for o in facts.offers))


def _check_involved(facts: Handover, by: Member) -> None:
    if by.id not in {facts.asker, facts.giver, receiver(facts)} and by.access not in _MANAGING:
        _refuse(f"{by.name} has no part in this handover: only those in it and a manager can do that.")


def _refuse(message: str) -> NoReturn:
    raise InputError(message)
