"""Ends what lets people in who are not in the team: tokens, calendars, links in messages. On a writing connection.

For good: whoever is in the team again, or another person with the same id, gets new ones.
"""

from datetime import datetime

from sqlalchemy import Connection, select, update

from desktop.server import audit, schema, tokens
from desktop.server.audit import By
from desktop.server.tables.links import links
from desktop.server.tables.tokens import tokens as token_rows
from desktop.server.tokens import Issued, Owner

_token, _person, _link = token_rows.c, schema.people.c, links.c


def revoke_departed(connection: Connection, by: By, now: datetime) -> None:
    """Revoke whatever holds still of those who left, and note that ``by`` did."""
    theirs = _token.person_id.in_(select(_person.id).where(_person.active.is_(False)))
    asked = select(token_rows).where(theirs, _token.revoked_at.is_(None)).order_by(_token.id)
    for row in connection.execute(asked).all():
        owner = Owner(row.kind, row.person_id)
        tokens.end(connection, Issued(row.id, owner, row.label, row.created_at, row.expires_at, None), by, now)
    _end_links(connection, by, now)


def _end_links(connection: Connection, by: By, now: datetime) -> None:
    live = (_link.expires_at > now, _link.spent_at.is_(None))
    gone = select(_link.person_id).join(schema.people, _person.id == _link.person_id).where(_person.active.is_(False))
    for person in connection.execute(gone.where(*live).distinct().order_by(_link.person_id)).scalars().all():
        ended = connection.execute(update(links).where(*live, _link.person_id == person).values(expires_at=now))
        after = {"links": ended.rowcount}
        audit.note(connection, by, "link.revoke", f"person:{person}", now, after=after)
