"""Which incidents are known by their dedup keys. On a connection, any thread.

On PostgreSQL each key is looked for by itself, and any number of them in the same words: as a list of values, what many
keys would cost is set against a table that was small when the plan was made, and every incident of the service is read.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Select,
    String,
    bindparam,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from desktop.domain.incident import Status
from desktop.server import schema
from desktop.server.records import Record
from desktop.server.rows import PolicyById, load, query

_incidents = schema.incidents.c
_Columns = ReadOnlyColumnCollection[str, Column[Any]]


def known(
    connection: Connection, policies: PolicyById, service: str, keys: Sequence[str], recent: datetime
) -> list[Record]:
    """Return, for each of ``keys`` of ``service``, the open incident, else the last that was resolved after ``recent``.

    Those of which there is neither are left out.
    """
    asked = _by_keys(connection.dialect.name == "postgresql")
    found = load(connection, policies, asked, service=service, keys=sorted(set(keys)), recent=recent)
    # The first of each key.
    return list({record.dedup_key: record for record in reversed(found)}.values())


@cache
def _by_keys(apart: bool) -> Select[Any]:
    # The open one of a key stands before those that were resolved a short while ago, the latest of which comes next.
    order = (_incidents.resolved_at.is_(None).desc(), _incidents.resolved_at.desc())
    if not apart:
        keys: BindParameter[str] = bindparam("keys", expanding=True)
        return query(*_matching(_incidents, _incidents.dedup_key.in_(keys)), order=order)
    asked = func.unnest(bindparam("keys", type_=ARRAY(String))).table_valued("key", name="asked").render_derived()
    one = schema.incidents.alias("one").c
    # The offset keeps the planner from joining in another order.
    found = select(one.id).where(*_matching(one, one.dedup_key == asked.c.key)).offset(0).lateral("found")
    return query(_incidents.id == found.c.id, order=order).select_from(schema.incidents, asked.join(found, true()))


def _matching(incidents: _Columns, key: ColumnElement[bool]) -> Sequence[ColumnElement[bool]]:
    is_open, late = incidents.status != Status.RESOLVED.value, incidents.resolved_at > bindparam("recent")
    return incidents.service_id == bindparam("service"), key, or_(is_open, late)
