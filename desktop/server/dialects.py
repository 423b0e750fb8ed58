"""What SQL cannot say in the same words on SQLite and PostgreSQL. On a connection, any thread."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table, Update, bindparam, insert, text, update

from desktop.server import bulk, schema

CHANNEL = "watchbell"

_counter = schema.counters.c
_NEXT_NUMBERS = (
    update(schema.counters)
    .where(_counter.name == "incident")
    .values(value=_counter.value + bindparam("many"))
    .returning(_counter.value)
)
_NEXT_VERSIONS = (
    update(schema.counters)
    .where(_counter.name == "version")
    .values(value=_counter.value + bindparam("many"))
    .returning(_counter.value)
)
_SET_VERSION = (
    update(schema.incidents).where(schema.incidents.c.id == bindparam("b_id")).values(version=bindparam("b_version"))
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


def open_incidents(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> dict[str, int] | None:
    """Insert incidents under the next numbers and return these by id; None when one with the same key is open already.

    On PostgreSQL the numbers come from a sequence, of which some are never used: a counter's row would be locked until
    the commit there, and have servers wait for each other.
    """
    if connection.dialect.name == "postgresql":
        found = connection.execute(bulk.insert_incidents(connection.dialect, tuple(rows[0])), bulk.packed(rows))
        numbers: dict[str, int] = {row.id: row.number for row in found}
        return numbers if len(numbers) == len(rows) else None
    last: int = connection.execute(_NEXT_NUMBERS, {"many": len(rows)}).scalar_one()
    numbered = [{**row, "number": number} for number, row in enumerate(rows, last - len(rows) + 1)]
    statement = insert_new(schema.incidents, "sqlite", ("service_id", "dedup_key"), "status != 'resolved'")
    if connection.execute(statement, numbered).rowcount != len(rows):
        return None
    return {row["id"]: row["number"] for row in numbered}


def update_incidents(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Update incidents (by ``id``) that still have the ``version`` of their row; tell whether all of them had.

    Every other column of a row is set. The version itself stays: ``number_changes`` gives the next one.
    """
    columns = tuple(name for name in rows[0] if name not in ("id", "version"))
    if connection.dialect.name == "postgresql":
        statement: Any = bulk.update_incidents(connection.dialect, columns)
        return bool(connection.execute(statement, bulk.packed(rows)).rowcount == len(rows))
    named = [{_NAMED.get(name, name): value for name, value in row.items()} for row in rows]
    return bool(connection.execute(_update_known(columns), named).rowcount == len(rows))


# An UPDATE takes no values under the names of columns that it compares.
_NAMED = {"id": "b_id", "version": "b_version"}


@cache
def _update_known(columns: tuple[str, ...]) -> Update:
    known = schema.incidents.c.id == bindparam("b_id"), schema.incidents.c.version == bindparam("b_version")
    return update(schema.incidents).where(*known).values({name: bindparam(name) for name in columns})


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert ``rows``, all with the same columns, in one round trip."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(bulk.insert_rows(connection.dialect, table, tuple(rows[0])), bulk.packed(rows))
    else:
        connection.execute(insert(table), rows)


def number_changes(connection: Connection, many: int, places: Mapping[str, int]) -> int:
    """Take the next ``many`` versions and return the last of them; tell every server on the database, at the commit.

    ``places`` says which of them each incident gets, by its id, counted from 1.
    """
    if connection.dialect.name == "postgresql":
        rows = [{"id": name, "place": place} for name, place in places.items()]
        values = {**bulk.packed(rows), "many": many, "channel": CHANNEL}
        return int(connection.execute(bulk.NUMBER_CHANGES, values).scalar_one())
    last: int = connection.execute(_NEXT_VERSIONS, {"many": many}).scalar_one()
    versions = [{"b_id": name, "b_version": last - many + place} for name, place in places.items()]
    connection.execute(_SET_VERSION, versions)
    return last


def tell(connection: Connection, number: int) -> None:
    """Tell every server on the database, at the commit, that there is something new; ``number`` says up to where."""
    if connection.dialect.name == "postgresql":
        connection.execute(_TELL, {"channel": CHANNEL, "number": str(number)})


def clock(connection: Connection) -> datetime | None:
    """Return what time it is at the database; None where that is this machine."""
    if connection.dialect.name != "postgresql":
        return None
    return schema.from_micros(connection.execute(_CLOCK).scalar_one())
