"""What a person may do, by their access in the team. On a connection, any thread.

Engineers act on incidents and their own shifts, managers on all, admins on the team (design, section 6, "Access").
"""

from sqlalchemy import Connection, select

from desktop.domain.team import Access
from desktop.server import schema
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


def forbidden(*errors: str) -> Refused:
    """Return the refusal of a request that its sender may not make."""
    return Refused(403, FORBIDDEN, "Forbidden", errors)
