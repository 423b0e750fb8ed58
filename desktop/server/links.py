"""Links in messages: each lets one person do one thing to one incident, once. On a connection; ``act`` on the writer.

Whoever holds the link is the person it was sent to, so what stands in it is a secret: 256 random bits, of which only
the SHA-256 is kept. It begins like a token, so that no log line can show it (``logs``). Looking it up changes nothing.
"""

import base64
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from desktop.server import audit, escalation_path, incidents, schema, transitions
from desktop.server.audit import By
from desktop.server.failures import INVALID, Refused
from desktop.server.records import Draft, Record
from desktop.server.roster import Moment
from desktop.server.station import Station
from desktop.server.tables.links import links
from desktop.server.tokens import PREFIX, digest_of
from desktop.server.writer import Work

PATH = "/link/"
LIFETIME = timedelta(hours=24)
# How long a link that ended is still known, so that it can say what it was.
KEPT = timedelta(days=7)
_PRUNED_AT_ONCE = 100
# What an acknowledgement by a page in a browser is called in PagerDuty's log entries.
_CHANNEL = "website"
# Letters and digits only: mail programs leave a hyphen or underscore at the end of an address out of the link.
_SECRET = re.compile(rf"{PREFIX}[a-z2-7]{{52}}")

_links = links.c
_FIND = (
    select(links)
    .join(schema.people, schema.people.c.id == _links.person_id)
    .where(_links.hash == bindparam("digest"), schema.people.c.active)
)
_SPEND = (
    update(links)
    .where(_links.hash == bindparam("b_digest"), _links.spent_at.is_(None))
    .values(spent_at=bindparam("b_now"))
)
_OLD = (
    select(_links.hash)
    .where(_links.expires_at < bindparam("b_before"))
    .limit(_PRUNED_AT_ONCE)
    .with_for_update(skip_locked=True)
)
_PRUNE = delete(links).where(_links.hash.in_(_OLD))


class Action(StrEnum):
    """What a link does. Not resolving: that wants a look at more than a phone shows, and closes what may still burn."""

    ACKNOWLEDGE = "acknowledge"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was issued to ``person``, for one incident and action; ``spent_at`` is when it acted."""

    digest: str
    incident: str
    person: str
    action: Action
    expires_at: datetime
    spent_at: datetime | None

    def expired(self, now: datetime) -> bool:
        """Tell whether it no longer acts."""
        return self.expires_at <= now


def issue(connection: Connection, incident_id: str, person: str, action: str, now: datetime, origin: str) -> str:
    """Make a link and return its URL, empty where ``origin`` is: others then cannot reach the server.

    ``action`` is "acknowledge" or "escalate", ``origin`` the station's ``public_url``, ``connection`` one that writes.
    The URL is a secret that is stored nowhere: issue it in the transaction in which its message is about to be sent,
    and keep neither in a row, a log line or an error. A message that is sent anew gets a new one; both work.
    """
    if not origin:
        return ""
    secret = PREFIX + base64.b32encode(secrets.token_bytes(32)).decode("ascii").rstrip("=").lower()
    row = {
        "hash": digest_of(secret),
        "incident_id": incident_id,
        "person_id": person,
        "action": Action(action).value,
        "issued_at": now,
        "expires_at": now + LIFETIME,
    }
    connection.execute(_PRUNE, {"b_before": now - KEPT})
    connection.execute(insert(links).values(row))
    return f"{origin}{PATH}{secret}"


def is_link(path: str) -> bool:
    """Tell whether ``path`` is where links lead to."""
    return path.startswith(PATH)


def find(connection: Connection, secret: str) -> Link | None:
    """Return the link in which ``secret`` stands; None when there is none, or its person left the team."""
    if not _SECRET.fullmatch(secret):
        return None
    row = connection.execute(_FIND, {"digest": digest_of(secret)}).one_or_none()
    if row is None:
        return None
    return Link(row.hash, row.incident_id, row.person_id, Action(row.action), row.expires_at, row.spent_at)


def possible(link: Link, record: Record, now: datetime) -> bool:
    """Tell whether ``link`` can do what it was made for: whoever has an incident is not taken it away by a link."""
    if link.spent_at is not None or link.expired(now) or not record.open:
        return False
    holders = {held.person for held in record.acknowledgements}
    if link.action is Action.ACKNOWLEDGE:
        return link.person not in holders
    return holders <= {link.person} and escalation_path.next_level(record) is not None


def fulfilled(link: Link, record: Record, now: datetime) -> bool:
    """Tell whether what ``link`` is for has happened, by it or in another way."""
    holders = {held.person for held in record.acknowledgements}
    done = link.action is Action.ACKNOWLEDGE and record.open and link.person in holders
    return not link.expired(now) and (link.spent_at is not None or done)


def act(station: Station, work: Work, link: Link, address: str) -> bool:
    """Do what ``link`` says and spend it; False when it was spent already. The writer's command.

    Of all who try at once, whatever their servers, one finds it unspent. Refused when the incident is no longer such
    that it can: then it stays unspent.
    """
    now = station.clock()
    if not work.connection.execute(_SPEND, {"b_digest": link.digest, "b_now": now}).rowcount:
        return False
    by = By(f"person:{link.person}", address)

    def seen(draft: Draft) -> None:
        audit.note_draft(work.connection, by, f"link.{link.action.value}", draft, now)

    incidents.change(station, work, [(link.incident, [partial(_do, link=link)])], seen)
    return True


def _do(draft: Draft, moment: Moment, link: Link) -> None:
    level = escalation_path.next_level(draft.record)
    if not possible(link, draft.record, moment.now):
        raise Refused(409, INVALID, "the incident is not such any more")
    actor = f"person:{link.person}"
    if link.action is Action.ACKNOWLEDGE:
        transitions.acknowledge(draft, moment, actor, link.person, _CHANNEL)
    elif level is not None:
        transitions.escalate(draft, moment, actor, level, _CHANNEL)
