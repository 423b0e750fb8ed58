"""What SQL cannot say in the same words on SQLite and PostgreSQL. On a connection, any thread."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Insert, Table, bindparam, func, insert, select, text, update
from sqlalchemy.sql.dml import ReturningInsert

from desktop.server import schema

CHANNEL = "watchbell"

_counter = schema.counters.c
_NEXT_NUMBERS = (
    update(schema.counters)
    .where(_counter.name == "incident")
    .values(value=_counter.value + bindparam("many"))
    .returning(_counter.value)
)
_FROM_SEQUENCE = select(schema.incident_numbers.next_value()).select_from(func.generate_series(1, bindparam("many")))
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


def open_incidents(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[int] | None:
    """Insert incidents under the next numbers and return these; None when one with the same key is open already.

    On PostgreSQL the numbers come from a sequence, of which some are never used: a counter's row would be locked until
    the commit there, and have servers wait for each other.
    """
    many = {"many": len(rows)}
    if connection.dialect.name == "sqlite":
        last: int = connection.execute(_NEXT_NUMBERS, many).scalar_one()
        numbers = list(range(last - len(rows) + 1, last + 1))
    else:
        numbers = sorted(connection.execute(_FROM_SEQUENCE, many).scalars())
    numbered = [{**row, "number": number} for row, number in zip(rows, numbers, strict=True)]
    # In one order everywhere: servers that open the same ones wait for each other, but not in a circle.
    numbered.sort(key=itemgetter("service_id", "dedup_key"))
    return numbers if _insert_open(connection, numbered) == len(rows) else None


def _insert_open(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert those of ``rows`` whose key has no open incident, and return how many they were."""
    dialect = connection.dialect.name
    statement = insert_new(schema.incidents, dialect, ("service_id", "dedup_key"), "status != 'resolved'")
    if dialect == "sqlite":
        return connection.execute(statement, rows).rowcount
    # As one statement: see insert_all.
    return len(connection.execute(_returning_id(statement), rows).all())


@cache
def _returning_id(statement: Insert) -> ReturningInsert[tuple[str]]:
    return statement.returning(schema.incidents.c.id)


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
