"""Tokens: making, listing and ending them. Only their SHA-256 is ever stored. On a connection, any thread.

Whose a token is that somebody comes with says ``authentication``.
"""

import contextlib
import difflib
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, insert, select, update

from desktop.domain.errors import InputError
from desktop.server import audit, schema, storage
from desktop.server.tables.tokens import tokens
from desktop.server.things import instant

PREFIX = "wb_"
USER, CALENDAR, INTEGRATION = "user", "calendar", "integration"
"""Kinds: to act as a person, to open the calendar of one and nothing else, to send a service's events."""
EMBEDDED, TEAM = "embedded", "team"
"""Labels of those that are replaced as a whole: that of the application that started this server, the team file's."""

_tokens = tokens.c


@dataclass(frozen=True, slots=True)
class Holder:
    """Who came with a token, and until when it holds (None: until it is revoked); ``digest`` is what is stored of it.

    ``embedded``: it is the application that started this server.
    """

    person: str
    digest: str
    expires_at: datetime | None
    embedded: bool

    def expired(self, now: datetime) -> bool:
        """Tell whether the token held until now, or shorter."""
        return over(self.expires_at, now)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a token of a ``kind`` belongs to: a person, or a service whose integration key it is."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A token as it may be shown: whose it is, since when, until when. Never the token, nor what is stored of it."""

    id: int
    owner: Owner
    label: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """Return "valid", "expired" or "revoked"."""
        if over(self.revoked_at, now):
            return "revoked"
        return "expired" if over(self.expires_at, now) else "valid"


def create(
    database: str | None,
    person: str | None = None,
    service: str | None = None,
    lifetime: timedelta | None = None,
    calendar: str | None = None,
) -> str:
    """Make a token for a ``person``, an integration key for a ``service``, or what opens somebody's ``calendar`` only.

    It is returned, and shown only here. Works beside a running server, which knows it at once; it ends after
    ``lifetime``, None: when it is revoked. InputError names the nearest when there is no such person.
    """
    token = new()
    with _opened(database) as opened, opened.write() as connection:
        if person is not None or calendar is not None:
            owner = Owner(USER if calendar is None else CALENDAR, person or calendar or "")
            _must_exist(connection, schema.people, "person", owner.id)
        elif service is not None:
            _must_exist(connection, schema.services, "service", service)
            owner = Owner(INTEGRATION, service)
        else:
            raise InputError("say whose token it is: --person ID, --service ID or --calendar ID")
        now = datetime.now(UTC)
        add(connection, token, owner, now, expires_at=None if lifetime is None else now + lifetime)
    return token


def over(end: datetime | None, now: datetime) -> bool:
    """Tell whether ``end`` (None: there is none) has come; a token does not hold any more at the instant it ends."""
    return end is not None and end <= now


def new() -> str:
    """Return a token that nobody has: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def issued(database: str | None) -> list[Issued]:
    """Return all tokens and integration keys, in the order in which they were made."""
    with _opened(database) as opened, opened.read() as connection:
        return [_issued(row) for row in connection.execute(select(tokens).order_by(_tokens.id))]


def revoke(database: str | None, token_id: int) -> Issued:
    """End the token numbered ``token_id``, and return it as it was; a running server knows it at once.

    InputError when there is none, or it ended already, or it stands in the team file, which would bring it back.
    """
    with _opened(database) as opened, opened.write() as connection:
        row = connection.execute(select(tokens).where(_tokens.id == token_id)).one_or_none()
        if row is None:
            raise InputError(f"there is no token {token_id}: see 'watchbell token list'")
        found, now = _issued(row), datetime.now(UTC)
        if found.revoked_at is not None:
            raise InputError(f"token {token_id} was revoked already")
        if found.label == TEAM:
            raise InputError(
                f"token {token_id} is the integration key of {found.owner.id} in the team file: change it there"
            )
        end(connection, found, audit.OPERATOR, now)
    return found


def end(connection: Connection, token: Issued, by: audit.By, now: datetime) -> None:
    """Revoke a ``token`` that holds, and note who did."""
    connection.execute(update(tokens).where(_tokens.id == token.id).values(revoked_at=now))
    audit.note(connection, by, "token.revoke", f"token:{token.id}", now, after=_said(token.owner))


def calendars(connection: Connection) -> list[Issued]:
    """Return the tokens of all calendars, in the order in which they were made."""
    asked = select(tokens).where(_tokens.kind == CALENDAR).order_by(_tokens.id)
    return [_issued(row) for row in connection.execute(asked)]


def add(
    connection: Connection,
    token: str,
    owner: Owner,
    now: datetime,
    label: str = "",
    expires_at: datetime | None = None,
    by: audit.By = audit.OPERATOR,
) -> int:
    """Store the hash of ``token``, and that it was made; return its number."""
    row = {
        "hash": digest_of(token),
        "kind": owner.kind,
        "person_id": None if owner.kind == INTEGRATION else owner.id,
        "service_id": owner.id if owner.kind == INTEGRATION else None,
        "label": label,
        "created_at": now,
        "expires_at": expires_at,
    }
    made: int = connection.execute(insert(tokens).values(row).returning(_tokens.id)).scalar_one()
    after = {**_said(owner), "expires_at": None if expires_at is None else instant(expires_at)}
    audit.note(connection, by, "token.create", f"token:{made}", now, after=after)
    return made


def replace_embedded(connection: Connection, token: str, person: str, now: datetime) -> None:
    """Make ``token`` the one with which the application that started this server acts as ``person``."""
    _must_exist(connection, schema.people, "person", person)
    connection.execute(delete(tokens).where(tokens.c.label == EMBEDDED))
    connection.execute(delete(tokens).where(tokens.c.hash == digest_of(token)))
    add(connection, token, Owner(USER, person), now, EMBEDDED)


def digest_of(token: str) -> str:
    """Return what is stored of ``token``. Looking it up by its hash tells nothing by how long it takes."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@contextlib.contextmanager
def _opened(database: str | None) -> Iterator[storage.Storage]:
    opened = storage.open_existing(database)
    try:
        yield opened
    finally:
        opened.close()


def _issued(row: Row[Any]) -> Issued:
    owner = Owner(row.kind, row.person_id or row.service_id or "")
    return Issued(row.id, owner, row.label, row.created_at, row.expires_at, row.revoked_at)


def _said(owner: Owner) -> dict[str, str]:
    """Return what the audit log says of whose a token is."""
    return {"kind": owner.kind, "owner": owner.id}


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
