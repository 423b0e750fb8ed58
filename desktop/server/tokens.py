"""Tokens: making them, and finding whose they are. Only their SHA-256 is ever stored. On a connection, any thread."""

import difflib
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Connection, Select, Table, bindparam, delete, insert, select

from desktop.domain.errors import InputError
from desktop.server import schema, storage

PREFIX = "wb_"
_EMBEDDED = "embedded"
_USER, _INTEGRATION = "user", "integration"

_tokens = schema.tokens.c


def _find(kind: str, owner: Column[str], owners: Table) -> Select[Any]:
    return (
        select(owner.label("owner"), _tokens.label, _tokens.expires_at, _tokens.revoked_at)
        .join(owners, owners.c.id == owner)
        .where(_tokens.hash == bindparam("digest"), _tokens.kind == kind, owners.c.active)
    )


_FIND_PERSON = _find(_USER, _tokens.person_id, schema.people)
_FIND_SERVICE = _find(_INTEGRATION, _tokens.service_id, schema.services)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who came with a token, and until when it holds (None: until it is revoked); ``digest`` is what is stored of it.

    ``embedded``: it is the application that started this server.
    """

    person: str
    digest: str
    expires_at: datetime | None
    embedded: bool


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a token belongs to: a person, or a service whose integration key it is."""

    kind: str
    id: str


def create(database: str | None, person: str | None = None, service: str | None = None) -> str:
    """Make a token for a ``person``, or an integration key for a ``service``, and return it: it is shown only here.

    Works beside a running server, which knows it at once. InputError names the nearest when there is no such person.
    """
    opened = storage.open_existing(database)
    try:
        token = PREFIX + secrets.token_urlsafe(32)
        with opened.write() as connection:
            if person is not None:
                _must_exist(connection, schema.people, "person", person)
                add(connection, token, Owner(_USER, person), datetime.now(UTC))
            elif service is not None:
                _must_exist(connection, schema.services, "service", service)
                add(connection, token, Owner(_INTEGRATION, service), datetime.now(UTC))
            else:
                raise InputError("say whose token it is: --person ID or --service ID")
        return token
    finally:
        opened.close()


def add(connection: Connection, token: str, owner: Owner, now: datetime, label: str = "") -> None:
    """Store the hash of ``token``."""
    connection.execute(
        insert(schema.tokens).values(
            hash=digest_of(token),
            kind=owner.kind,
            person_id=owner.id if owner.kind == _USER else None,
            service_id=owner.id if owner.kind == _INTEGRATION else None,
            label=label,
            created_at=now,
        )
    )


def replace_embedded(connection: Connection, token: str, person: str, now: datetime) -> None:
    """Make ``token`` the one with which the application that started this server acts as ``person``."""
    _must_exist(connection, schema.people, "person", person)
    connection.execute(delete(schema.tokens).where(schema.tokens.c.label == _EMBEDDED))
    connection.execute(delete(schema.tokens).where(schema.tokens.c.hash == digest_of(token)))
    add(connection, token, Owner(_USER, person), now, _EMBEDDED)


def embedded_people(connection: Connection) -> tuple[str, ...]:
    """Return as whom the application that started this server acts; nobody where none did."""
    asked = select(_tokens.person_id).where(_tokens.label == _EMBEDDED, _tokens.revoked_at.is_(None))
    return tuple(connection.execute(asked).scalars())


def find_person(connection: Connection, token: str, now: datetime) -> Holder | None:
    """Return whose ``token`` it is, None when it is unknown, revoked, expired, or its person left."""
    digest = digest_of(token)
    row = connection.execute(_FIND_PERSON, {"digest": digest}).one_or_none()
    if row is None or not _valid(row.expires_at, row.revoked_at, now):
        return None
    return Holder(row.owner, digest, row.expires_at, row.label == _EMBEDDED)


def find_service(connection: Connection, key: str, now: datetime) -> str | None:
    """Return the service that the integration ``key`` belongs to, None when there is none (any more)."""
    row = connection.execute(_FIND_SERVICE, {"digest": digest_of(key)}).one_or_none()
    return row.owner if row is not None and _valid(row.expires_at, row.revoked_at, now) else None


def digest_of(token: str) -> str:
    """Return what is stored of ``token``. Looking it up by its hash tells nothing by how long it takes."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _valid(expires: datetime | None, revoked: datetime | None, now: datetime) -> bool:
    return (revoked is None or revoked > now) and (expires is None or expires > now)


def _must_exist(connection: Connection, table: Table, kind: str, wanted: str) -> None:
    query = select(table.c.id).where(table.c.active)
    if kind == "person":
        query = query.where(table.c.contact.is_(False))
    known = sorted(connection.execute(query).scalars())
    if wanted in known:
        return
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"
    raise InputError(f"there is no {kind} {wanted!r}: {hint}")
