"""What a person may do, by their access in the team. On a connection, any thread.

Engineers act on incidents and their own shifts, managers on all, admins on the team (design, section 6, "Access"). One
server is one team: whoever is awake may acknowledge and resolve whatever is open, so that no page waits for a right.

============================================  ========  =======  =====  ===========
what                                          engineer  manager  admin  integration
============================================  ========  =======  =====  ===========
read incidents, schedules and people          yes       yes      yes    no
open an incident                              yes       yes      yes    no
acknowledge or resolve anybody's incident     yes       yes      yes    no
write a note on anybody's incident            yes       yes      yes    no
snooze anybody's incident                     yes       yes      yes    no
ask anybody to help                           yes       yes      yes    no
ask them no more                              yes       yes      yes    no
hand somebody's incident to somebody else     yes       yes      yes    no
override one's own shift                      yes       yes      yes    no
override somebody else's shift                no        yes      yes    no
take back an override that one made           yes       yes      yes    no
take back an override that others made        no        yes      yes    no
take back one by which oneself is on call     no        yes      yes    no
take back an override that a handover made    no        yes      yes    no
take back an override in the team file        no        no       no     no
see maintenance windows and heartbeats        yes       yes      yes    no
put a service under maintenance, or end that  no        yes      yes    no
promise a heartbeat for a service             no        yes      yes    no
send a heartbeat                              no        no       no     yes
read the metrics                              yes       yes      yes    no
read handovers, and who acts as primary       yes       yes      yes    no
ask for a handover of one's own watch         yes       yes      yes    no
take somebody's watch, certified              yes       yes      yes    no
give somebody else's watch away               no        yes      yes    no
answer an offer of a watch to oneself         yes       yes      yes    no
answer an offer of a watch to somebody else   no        no       no     no
cancel or widen a handover of one's own       yes       yes      yes    no
cancel or widen a handover of others          no        yes      yes    no
say for another primary that they are back    no        no       no     no
confirm what one's application showed         yes       yes      yes    no
read duties, sheets, reviews and absences     yes       yes      yes    no
mark one's own duty                           yes       yes      yes    no
mark somebody else's duty                     no        yes      yes    no
write a note on one's own training            yes       yes      yes    no
sign off one's own training                   no        yes      yes    no
sign off somebody else's training             no        yes      yes    no
announce one's own absence                    yes       yes      yes    no
announce somebody else's absence              no        yes      yes    no
say yes to an absence that one covers         yes       yes      yes    no
say yes to somebody else's absence            no        yes      yes    no
say yes to one's own absence                  no        no       no     no
withdraw one's own absence                    yes       yes      yes    no
withdraw somebody else's absence              no        yes      yes    no
follow somebody's calendar                    yes       yes      yes    no
make and revoke tokens of one's own calendar  yes       yes      yes    no
make tokens of somebody else's calendar       no        yes      yes    no
revoke tokens of somebody else's calendar     no        yes      yes    no
read the team file                            no        no       yes    no
apply a team file                             no        no       yes    no
read the audit log                            no        no       yes    no
change schedules or policies piece by piece   no        no       no     no
make, list or revoke tokens                   no        no       no     no
enqueue an event                              no        no       no     yes
============================================  ========  =======  =====  ===========

Tokens are made, listed and revoked by whoever may open the database on the server's own machine. The emergency
contacts, and who left the team, have no access at all. A link in a message lets whoever it was sent to, an emergency
contact too, acknowledge or escalate that incident (``links``); of who left, it is a link no more. What is said of
training holds for certification, too: whoever is certified may take a watch. Whoever was put on call by somebody else,
or said yes to a watch, does not give it back alone: they hand it over, or ask a manager.
"""

from sqlalchemy import Connection, select

from desktop.domain.team import Access
from desktop.server import schema
from desktop.server.audit import By
from desktop.server.failures import FORBIDDEN, Refused

_people = schema.people.c


def access_of(connection: Connection, person: str) -> Access:
    """Return what ``person`` may do; who is not in the team may do least."""
    asked = select(_people.access).where(_people.id == person, _people.active, _people.contact.is_(False))
    found = connection.execute(asked).scalar_one_or_none()
    return Access.ENGINEER if found is None else Access(found)


def need_admin(connection: Connection, person: str) -> None:
    """Refuse (403) whoever is no admin."""
    access = access_of(connection, person)
    if access is not Access.ADMIN:
        raise forbidden(f"only an admin may do this: {person}'s access is {access.value}")


def need_manager(connection: Connection, by: By) -> None:
    """Refuse (403) whoever is neither a manager nor an admin."""
    person = by.actor.removeprefix("person:")
    access = access_of(connection, person)
    if access is Access.ENGINEER:
        raise forbidden(f"only a manager or an admin may do this: {person}'s access is {access.value}")


def forbidden(*errors: str) -> Refused:
    """Return the refusal of a request that its sender may not make."""
    return Refused(403, FORBIDDEN, "Forbidden", errors)
