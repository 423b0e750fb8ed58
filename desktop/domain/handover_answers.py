"""What people do about an emergency handover that has begun: answer, allow, confirm, cancel. Pure.

Refusals are ``InputError``. Doing the same thing twice returns the same facts. Source of the rules: design, section 3,
"Handover"; ``handover_request`` says how one begins.
"""

from dataclasses import replace
from datetime import datetime
from typing import NoReturn

from desktop.domain.errors import InputError
from desktop.domain.handover import lapsed, on_call, state
from desktop.domain.handover_facts import (
    Answer,
    Confirmation,
    Handover,
    Offer,
    Point,
    State,
    expires_at,
    offer_to,
    receiver,
)
from desktop.domain.handover_watch import hindrance
from desktop.domain.team import Access, Member

MANAGING = frozenset({Access.MANAGER, Access.ADMIN})


def accept(facts: Handover, person: str, at: datetime) -> Handover:
    """Record that ``person`` takes the watch.

    Raises ``InputError`` when they were not asked, cannot have it, or it is too late: somebody else accepted first and
    has confirmed, or may still confirm undisturbed.
    """
    offer = _open_offer(facts, person, at)
    first = receiver(facts)
    if first == person:
        return facts
    if first is not None and not lapsed(facts, at):
        _refuse(f"{first} accepted first: nothing is left for you to do.")
    _check_free(facts, person, at)
    return _answered(facts, offer, Answer(yes=True, at=at))


def decline(facts: Handover, person: str, at: datetime) -> Handover:
    """Record that ``person`` does not take the watch; they may still change their mind while the paging goes on."""
    offer = _open_offer(facts, person, at)
    if receiver(facts) == person:
        _refuse("You have accepted this watch already: hand it over again.")
    if offer.answer is not None and not offer.answer.yes:
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
    asking = state(facts, at) in {State.REQUESTED, State.PAGING, State.DECLINED} or lapsed(facts, at)
    if not asking or facts.ended is not None:
        _refuse("Nobody is asked any more: begin another handover.")
    if person == facts.giver:
        _refuse(f"{person} has this watch already: name somebody else.")
    _check_free(facts, person, at)
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
    if any(c.point is point and c.receiver == to for c in facts.confirmations):
        return facts
    return replace(facts, confirmations=(*facts.confirmations, Confirmation(point, by.id, to, at, waived)))


def cancel(facts: Handover, by: Member, at: datetime) -> Handover:
    """Call the handover off. Raises ``InputError`` once somebody has accepted and may still confirm, or it is over."""
    _check_involved(facts, by)
    if facts.cancelled_at is not None:
        return facts
    if (to := receiver(facts)) is not None and not lapsed(facts, at):
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
            _refuse(f"This handover was cancelled: {_who_is(facts, at)} on call.")
        if facts.ended is not None or at >= expires_at(facts):
            _refuse(f"This offer is no longer open: {_who_is(facts, at)} on call.")
    return offer


def _who_is(facts: Handover, at: datetime) -> str:
    """Return the beginning of a sentence that ends in "on call", for the role of this handover."""
    person = on_call(facts, at)
    if person is None:
        return "nobody is"
    return f"{person} {'stays' if person == facts.giver else 'is'}"


def _check_free(facts: Handover, person: str, at: datetime) -> None:
    found = hindrance(person, facts.role, facts.segments, facts.away, at)
    if found is not None:
        _refuse(f"{person} is {found.why}: somebody else has to take the watch.")


def _answered(facts: Handover, offer: Offer, answer: Answer) -> Handover:
    return _replaced(facts, offer, replace(offer, answer=answer))


def _replaced(facts: Handover, offer: Offer, new: Offer) -> Handover:
    return replace(facts, offers=tuple(new if o is offer else o for o in facts.offers))


def _check_involved(facts: Handover, by: Member) -> None:
    if by.id not in {facts.asker, facts.giver, receiver(facts)} and by.access not in MANAGING:
        _refuse(f"{by.name} has no part in this handover: only those in it and a manager can do that.")


def _refuse(message: str) -> NoReturn:
    raise InputError(message)
