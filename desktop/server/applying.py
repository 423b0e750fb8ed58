"""Applying a team file: its document, people, services and integration keys as rows. On a writing connection.

Only what came from a file is replaced: overrides and absences that people made are rows of their own, left alone.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from desktop.domain.team import Access
from desktop.server import additions, schema
from desktop.server.audit import OPERATOR, By
from desktop.server.keys import integration_keys
from desktop.server.revoking import revoke_departed
from desktop.server.roster import Roster
from desktop.server.tables.team import team
from desktop.server.tables.tokens import tokens
from desktop.server.tokens import INTEGRATION, TEAM
from desktop.server.tokens import digest_of as token_digest

FILE = "file"
"""Who applied a team that came with the start of a server; else ``person:ID``."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The team file that was applied last, when, and by whom."""

    document: str
    source: str
    digest: str
    at: datetime
    by: str


def apply(connection: Connection, roster: Roster, document: str, source: str, now: datetime) -> None:
    """Make the rows say what the team file ``document`` says; InputError when a secret that it names is not there.

    People and services that are gone are kept, inactive: history names them.
    """
    write(connection, roster, Applied(document, source, digest_of(document), now, FILE), integration_keys(roster.team))


def write(
    connection: Connection, roster: Roster, applied: Applied, keys: Mapping[str, str], address: str = ""
) -> int:  # fmt: skip
    """Like ``apply``, with the integration ``keys`` (the service of each) known; return the revision that it made.

    What lets those in who left is revoked, in the name of whoever applied it from ``address``.
    """
    # First of all: two servers that apply at once take turns.
    revision = additions.advance(connection)
    _store(connection, applied)
    by = OPERATOR if applied.by == FILE else By(applied.by, address)
    _replace_people(connection, roster, by, applied.at)
    _replace(connection, schema.services, _services(roster))
    _replace_keys(connection, keys, applied.at)
    remember_policies(connection, roster)
    return revision


def take_up(connection: Connection, roster: Roster, now: datetime) -> None:
    """Go on with the team that was applied last, as its file was: an older version called its contacts otherwise."""
    known = select(schema.people.c.id).where(schema.people.c.contact, schema.people.c.active)
    if set(connection.execute(known).scalars()) != set(roster.contacts):
        additions.advance(connection)
        _replace_people(connection, roster, OPERATOR, now)
    remember_policies(connection, roster)


def current(connection: Connection) -> Applied | None:
    """Return the team file that was applied last, None when none was."""
    row = connection.execute(select(team)).one_or_none()
    return None if row is None else Applied(row.document, row.source, row.digest, row.applied_at, row.applied_by)


def digest_of(document: str) -> str:
    """Return the name that equal files share."""
    return hashlib.sha256(document.encode()).hexdigest()


def remember_policies(connection: Connection, roster: Roster) -> None:
    """Store the escalation lists, so that incidents born under them can name them."""
    table = schema.policies
    if connection.execute(select(table.c.digest).where(table.c.digest == roster.digest)).first() is None:
        connection.execute(insert(table).values(digest=roster.digest, document=roster.document))


def _store(connection: Connection, applied: Applied) -> None:
    connection.execute(delete(team))
    row = {"id": 1, "document": applied.document, "source": applied.source, "digest": applied.digest}
    connection.execute(insert(team).values(**row, applied_at=applied.at, applied_by=applied.by))


def _people(roster: Roster) -> list[dict[str, Any]]:
    members = [
        {
            "id": p.id,
            "name": p.name,
            "email": p.email,
            "phone": p.phone,
            "time_zone": str(p.time_zone or roster.team.time_zone),
            "access": p.access.value,
            "contact": False,
            "active": True,
        }
        for p in roster.team.people
    ]
    contacts = [
        {
            "id": contact_id,
            "name": c.name,
            "email": c.email,
            "phone": c.phone,
            "time_zone": str(roster.team.time_zone),
            "access": Access.ENGINEER.value,
            "contact": True,
            "active": True,
        }
        for contact_id, c in roster.contacts.items()
    ]
    return members + contacts


def _replace_people(connection: Connection, roster: Roster, by: By, now: datetime) -> None:
    # Also of those who left before that was revoked: they may be back by this file.
    revoke_departed(connection, by, now)
    _replace(connection, schema.people, _people(roster))
    revoke_departed(connection, by, now)


def _services(roster: Roster) -> list[dict[str, Any]]:
    return [
        {
            "id": s.id,
            "name": s.name,
            "runbook": s.runbook,
            "severity": None if s.severity is None else s.severity.value,
            "active": True,
        }
        for s in roster.services.values()
    ]


def _replace(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Write ``rows`` over those of the same id; the others stay, inactive."""
    known = set(connection.execute(select(table.c.id)).scalars())
    connection.execute(update(table).values(active=False))
    for row in rows:
        if row["id"] in known:
            connection.execute(update(table).where(table.c.id == row["id"]).values(row))
        else:
            connection.execute(insert(table).values(row))


def _replace_keys(connection: Connection, keys: Mapping[str, str], now: datetime) -> None:
    connection.execute(delete(tokens).where(tokens.c.label == TEAM))
    for key, service in keys.items():
        digest = token_digest(key)
        connection.execute(delete(tokens).where(tokens.c.hash == digest, tokens.c.kind == INTEGRATION))
        row = {"hash": digest, "kind": INTEGRATION, "service_id": service, "label": TEAM, "created_at": now}
        connection.execute(insert(tokens).values(row))
