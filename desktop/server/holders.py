"""Who is assigned to incidents, and who acknowledged them: asked for together. On a connection, any thread."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BindParameter,
    CompoundSelect,
    Connection,
    Select,
    String,
    Table,
    bindparam,
    func,
    literal_column,
    select,
    true,
    union_all,
)

from desktop.server import schema
from desktop.server.records import Held

# SQLite takes 32,766 values with one statement, and each incident is asked for twice.
_MANY = 500


def holders(connection: Connection, incidents: Sequence[str]) -> Mapping[tuple[str, str], tuple[Held, ...]]:
    """Return by table and incident who stands there, those who came first before the others."""
    found: dict[tuple[str, str], list[Held]] = {}
    asked = _asked(connection.dialect.name == "postgresql")
    for start in range(0, len(incidents), _MANY):
        for row in connection.execute(asked, {"ids": list(incidents[start : start + _MANY])}):
            found.setdefault((row.place, row.incident_id), []).append(Held(row.person_id, row.at))
    return {where: tuple(held) for where, held in found.items()}


# Built once: SQLAlchemy takes longer to build a statement than SQLite to run it.
@cache
def _asked(apart: bool) -> CompoundSelect[Any]:
    part = _apart if apart else _among
    return union_all(*map(part, (schema.assignments, schema.acknowledgements))).order_by("at", "person_id")


def _among(table: Table) -> Select[Any]:
    ids: BindParameter[str] = bindparam("ids", expanding=True)
    return _columns(table).where(table.c.incident_id.in_(ids))


def _apart(table: Table) -> Select[Any]:
    """Look for each incident by itself, any number in the same words (``by_keys`` says why)."""
    asked = func.unnest(bindparam("ids", type_=ARRAY(String))).table_valued("id", name="asked").render_derived()
    found = _columns(table).where(table.c.incident_id == asked.c.id).offset(0).lateral("found")
    return select(*found.c).select_from(asked.join(found, true()))


def _columns(table: Table) -> Select[Any]:
    place = literal_column(f"'{table.name}'", String).label("place")
    return select(place, table.c.incident_id, table.c.person_id, table.c.at)
