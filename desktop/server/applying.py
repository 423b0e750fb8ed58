"""Applying a team file: its document, people, services and integration keys as rows. On a writing connection."""

import hashlib
import os
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from desktop.domain.errors import InputError
from desktop.domain.team import Access, Team
from desktop.server import schema
from desktop.server.roster import Roster
from desktop.server.tokens import digest_of

_TEAM_LABEL = "team"


def apply(connection: Connection, roster: Roster, document: str, source: str, now: datetime) -> None:
    """Make the rows say what the team file ``document`` says; InputError when a secret that it names is not there.

    People and services that are gone are kept, inactive: history names them.
    """
    keys = _integration_keys(roster.team)
    _store(connection, document, source, now)
    _replace(connection, schema.people, _people(roster))
    _replace(connection, schema.services, _services(roster))
    _replace_keys(connection, keys, now)
    remember_policies(connection, roster)


def stored(connection: Connection) -> tuple[str, str] | None:
    """Return the document that was applied last and where it came from, None when none was."""
    row = connection.execute(select(schema.team.c.document, schema.team.c.source)).one_or_none()
    return None if row is None else (row.document, row.source)


def remember_policies(connection: Connection, roster: Roster) -> None:
    """Store the escalation lists, so that incidents born under them can name them."""
    table = schema.policies
    if connection.execute(select(table.c.digest).where(table.c.digest == roster.digest)).first() is None:
        connection.execute(insert(table).values(digest=roster.digest, document=roster.document))


def _store(connection: Connection, document: str, source: str, now: datetime) -> None:
    connection.execute(delete(schema.team))
    digest = hashlib.sha256(document.encode()).hexdigest()
    row = {"id": 1, "document": document, "source": source, "digest": digest, "applied_at": now}
    connection.execute(insert(schema.team).values(row))


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


def _integration_keys(team: Team) -> dict[str, str]:
    """Return the service of each integration key that the file names."""
    keys: dict[str, str] = {}
    for service in team.services:
        if service.integration_key:
            key = _secret(service.integration_key, service.id)
            if key in keys:
                raise InputError(f"services {keys[key]} and {service.id} share an integration key: give each its own")
            keys[key] = service.id
    return keys


def _secret(reference: str, service: str) -> str:
    kind, _, name = reference.partition(":")
    if kind == "env":
        value = os.environ.get(name)
    elif kind == "keyring":
        value = _from_keyring(name)
    else:
        raise InputError(f"service {service}: write integration_key as env:NAME or keyring:NAME")
    if not value:
        raise InputError(f"service {service}: {reference} is not set where the server runs")
    return value


def _from_keyring(name: str) -> str | None:
    # Costs a tenth of a second and reaches for D-Bus: only when a team file asks for it.
    import keyring  # noqa: PLC0415
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        return keyring.get_password("watchbell", name)
    except KeyringError as error:
        raise InputError(f"keyring:{name}: the keyring cannot be used: {error}") from error


def _replace_keys(connection: Connection, keys: dict[str, str], now: datetime) -> None:
    table = schema.tokens
    connection.execute(delete(table).where(table.c.label == _TEAM_LABEL))
    for key, service in keys.items():
        digest = digest_of(key)
        connection.execute(delete(table).where(table.c.hash == digest, table.c.kind == "integration"))
        row = {"hash": digest, "kind": "integration", "service_id": service, "label": _TEAM_LABEL, "created_at": now}
        connection.execute(insert(table).values(row))
