"""Many rows as one statement on PostgreSQL, always in the same words. Statements and values only, any thread.

The rows travel as one JSON text. Measured: as VALUES lists, which are worded anew for each number of rows, they are
compiled, parsed and planned anew, too, and that took longer than everything else that is done for an alert.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Dialect, Table, TextClause, text

from desktop.domain.text import storable_json
from desktop.server import schema

NUMBER_CHANGES = text("""
WITH taken AS (
    UPDATE counters SET value = value + CAST(:many AS BIGINT) WHERE name = 'version' RETURNING value
), numbered AS (
    UPDATE incidents SET version = taken.value - CAST(:many AS BIGINT) + given.place
    FROM taken, json_to_recordset(CAST(:rows AS JSON)) AS given(id VARCHAR, place BIGINT)
    WHERE incidents.id = given.id
)
SELECT value, pg_notify(:channel, CAST(value AS TEXT)) FROM taken
""")


def packed(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return ``rows`` as the value of the statements here; instants become their numbers."""
    found = _dump(rows)
    if "\\u0000" in found:
        # PostgreSQL can store no NUL, however it is written.
        found = _dump([storable_json(json.loads(_dump([row]))[0]) for row in rows])
    return {"rows": found}


@cache
def insert_rows(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> TextClause:
    """Return the INSERT of rows that have values for ``columns``."""
    names = ", ".join(columns)
    given = _given(dialect, table, columns)
    return text(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {given}")  # noqa: S608 - names of our columns


@cache
def insert_incidents(dialect: Dialect, columns: tuple[str, ...]) -> TextClause:
    """Return the INSERT of incidents under the next numbers, leaving out those whose key has an open one.

    It returns id and number of each that was inserted. They are inserted in one order everywhere: servers that open
    the same ones wait for each other, but not in a circle.
    """
    names = ", ".join(columns)
    given = _given(dialect, schema.incidents, columns)
    # Our own columns' names, nothing that came from outside.
    return text(f"""
INSERT INTO incidents (number, {names})
SELECT number, {names} FROM (SELECT nextval('incident_numbers') AS number, given.* FROM {given}) AS numbered
ORDER BY service_id, dedup_key
ON CONFLICT (service_id, dedup_key) WHERE status != 'resolved' DO NOTHING
RETURNING id, number
""")  # noqa: S608 - see above


@cache
def update_incidents(dialect: Dialect, columns: tuple[str, ...]) -> TextClause:
    """Return the UPDATE of incidents that still have the ``version`` that they were read with, to ``columns``.

    Those that have another by now are left as they are: the result's ``rowcount`` leaves them out.
    """
    new = ", ".join(f"{name} = given.{name}" for name in columns)
    given = _given(dialect, schema.incidents, ("id", "version", *columns))
    # Our own columns' names, nothing that came from outside.
    statement = text(f"""
UPDATE incidents SET {new} FROM {given} WHERE incidents.id = given.id AND incidents.version = given.version
""")  # noqa: S608 - see above
    return statement.execution_options(preserve_rowcount=True)


def _given(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> str:
    typed = ", ".join(f"{name} {table.c[name].type.compile(dialect)}" for name in columns)
    return f"json_to_recordset(CAST(:rows AS JSON)) AS given({typed})"


def _plain(value: object) -> int:
    if isinstance(value, datetime):
        return schema.to_micros(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")


# Lone surrogates stay what they are, for the connection to replace.
_dump: Callable[[object], str] = json.JSONEncoder(ensure_ascii=False, default=_plain).encode
