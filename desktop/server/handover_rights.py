"""Who may do what in a handover (403); whether it can be done is the rules' to say (409). Pure."""

from desktop.domain.handover_answers import MANAGING
from desktop.domain.handover_facts import Handover, Kind, offer_to, receiver
from desktop.domain.handover_request import Wish
from desktop.domain.team import Member
from desktop.server.rights import forbidden


def check_request(wish: Wish) -> None:
    """Refuse whoever may not begin a handover in this way."""
    if wish.kind is Kind.ASK and wish.asker.id != wish.giver.id:
        raise forbidden("only whose watch it is can ask for that: a manager can give it, somebody certified take it")
    if wish.kind is Kind.GIVE and wish.asker.access not in MANAGING:
        raise forbidden("only a manager can give somebody else's watch away; somebody certified can take it")
    if wish.kind is Kind.TAKE and wish.asker.certified is False:
        raise forbidden("only somebody certified can take the watch")


def check_offered(facts: Handover, person: str) -> None:
    """Refuse whoever was not asked to take the watch."""
    if offer_to(facts, person) is None:
        raise forbidden("you were not offered this watch")


def check_part(facts: Handover, by: Member) -> None:
    """Refuse whoever has no part in the handover and is no manager."""
    if by.id not in {facts.asker, facts.giver, receiver(facts)} and by.access not in MANAGING:
        raise forbidden("you have no part in this handover: only those in it and a manager can do that")


def check_receiver(facts: Handover, by: Member) -> None:
    """Refuse whoever confirms what only the receiver can: nobody, while nobody said yes."""
    to = receiver(facts)
    if to is not None and by.id != to:
        raise forbidden("only who takes the watch can confirm that; it can be waived instead")
