"""What SQL cannot say in the same words on SQLite and PostgreSQL. On a connection, any thread."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table, insert, text, update
from sqlalchemy.sql.dml import ReturningInsert

from desktop.server import schema

CHANNEL = "watchbell"

_counter = schema.counters.c
_NEXT_NUMBER = (
    update(schema.counters)
    .where(_counter.name == "incident")
    .values(value=_counter.value + 1)
    .returning(_counter.value)
)
_CLOCK = text("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)")
_TELL = text("SELECT pg_notify(:channel, :number)")


@cache
def insert_new(table: Table, dialect: str, columns: tuple[str, ...], where: str = "") -> Insert:
    """Return an INSERT that leaves out what is there already by its unique ``columns`` (as far as ``where`` holds)."""
    partly = text(where) if where else None
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as lite  # noqa: PLC0415 - only the dialect that is in use

        built: Insert = lite(table).on_conflict_do_nothing(index_elements=columns, index_where=partly)
    else:
        from sqlalchemy.dialects.postgresql import insert as post  # noqa: PLC0415 - costs 50 ms

        built = post(table).on_conflict_do_nothing(index_elements=columns, index_where=partly)
    return built.execution_options(preserve_rowcount=True)


def open_incident(connection: Connection, row: Mapping[str, Any]) -> int | None:
    """Insert an incident under the next number and return that; None when one with the same key is open already.

    On PostgreSQL the numbers come from a sequence, of which some are never used: a counter's row would be locked until
    the commit there, and have servers wait for each other.
    """
    if connection.dialect.name == "sqlite":
        number: int = connection.execute(_NEXT_NUMBER).scalar_one()
        return number if connection.execute(_insert_open("sqlite"), {**row, "number": number}).rowcount else None
    return connection.execute(_insert_open("postgresql"), row).scalar_one_or_none()


@cache
def _insert_open(dialect: str) -> Insert | ReturningInsert[tuple[int]]:
    table = schema.incidents
    statement = insert_new(table, dialect, ("service_id", "dedup_key"), "status != 'resolved'")
    if dialect == "sqlite":
        return statement
    return statement.values(number=schema.incident_numbers.next_value()).returning(table.c.number)


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert ``rows`` in as few round trips as there can be: each costs more than what is done there."""
    if len(rows) == 1:
        connection.execute(insert(table), rows[0])
    elif rows and connection.dialect.name == "postgresql":
        # Only where something is returned does SQLAlchemy write many rows as one statement.
        connection.execute(insert(table).returning(*table.primary_key), rows)
    elif rows:
        connection.execute(insert(table), rows)


def tell(connection: Connection, number: int) -> None:
    """Tell every server on the database, at the commit, that there is something new; ``number`` says up to where."""
    if connection.dialect.name == "postgresql":
        connection.execute(_TELL, {"channel": CHANNEL, "number": str(number)})


def clock(connection: Connection) -> datetime | None:
    """Return what time it is at the database; None where that is this machine."""
    if connection.dialect.name != "postgresql":
        return None
    return schema.from_micros(connection.execute(_CLOCK).scalar_one())
