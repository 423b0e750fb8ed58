"""Whose a token is that somebody comes with, as it is asked for each request. On a connection, any thread."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, Table, bindparam, select

from desktop.server import schema
from desktop.server.tables.tokens import tokens
from desktop.server.tokens import CALENDAR, EMBEDDED, INTEGRATION, USER, Holder, digest_of, over

_tokens = tokens.c


def _find(kind: str, owner: Column[str], owners: Table) -> Select[Any]:
    return (
        select(owner.label("owner"), _tokens.label, _tokens.expires_at, _tokens.revoked_at)
        .join(owners, owners.c.id == owner)
        .where(_tokens.hash == bindparam("digest"), _tokens.kind == kind, owners.c.active)
    )


_FIND_PERSON = _find(USER, _tokens.person_id, schema.people)
_FIND_CALENDAR = _find(CALENDAR, _tokens.person_id, schema.people)
_FIND_SERVICE = _find(INTEGRATION, _tokens.service_id, schema.services)


def revoked(connection: Connection, now: datetime) -> frozenset[str]:
    """Return what is stored of every person's token that was revoked."""
    asked = select(_tokens.hash).where(_tokens.kind == USER, _tokens.revoked_at <= now)
    return frozenset(connection.execute(asked).scalars())


def embedded_people(connection: Connection) -> tuple[str, ...]:
    """Return as whom the application that started this server acts; nobody where none did."""
    asked = select(_tokens.person_id).where(_tokens.label == EMBEDDED, _tokens.revoked_at.is_(None))
    return tuple(connection.execute(asked).scalars())


def find_person(connection: Connection, token: str, now: datetime) -> Holder | None:
    """Return whose ``token`` it is, None when it is unknown, revoked, expired, or its person left."""
    return _holder(connection, _FIND_PERSON, token, now)


def find_calendar(connection: Connection, token: str, now: datetime) -> Holder | None:
    """Return whose calendar ``token`` opens, None like ``find_person``."""
    return _holder(connection, _FIND_CALENDAR, token, now)


def find_service(connection: Connection, key: str, now: datetime) -> str | None:
    """Return the service that the integration ``key`` belongs to, None when there is none (any more)."""
    row = connection.execute(_FIND_SERVICE, {"digest": digest_of(key)}).one_or_none()
    return row.owner if row is not None and _valid(row, now) else None


def _holder(connection: Connection, asked: Select[Any], token: str, now: datetime) -> Holder | None:
    digest = digest_of(token)
    row = connection.execute(asked, {"digest": digest}).one_or_none()
    if row is None or not _valid(row, now):
        return None
    return Holder(row.owner, digest, row.expires_at, row.label == EMBEDDED)


def _valid(row: Row[Any], now: datetime) -> bool:
    return not over(row.revoked_at, now) and not over(row.expires_at, now)
