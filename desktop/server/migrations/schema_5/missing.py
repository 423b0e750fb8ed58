"""Steps that leave alone what is there already: databases of schema 4 differ in what they have. Main thread.

Tables and columns came to be added while the number stayed 4, so that it does not tell which of them there are.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op


def create_table(name: str, *columns: "sa.Column[Any]") -> None:
    """Create a table, or add those of its ``columns`` that one with its name lacks."""
    if not sa.inspect(op.get_bind()).has_table(name):
        op.create_table(name, *columns)
        return
    for column in columns:
        add_column(name, column)


def add_column(table: str, column: "sa.Column[Any]") -> None:
    """Add a column to a table that lacks it."""
    if column.name not in {known["name"] for known in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def create_index(name: str, table: str, columns: list[str], **options: object) -> None:
    """Create an index that a table lacks."""
    if name not in _indexes(table):
        op.create_index(name, table, columns, **options)  # type: ignore[arg-type]


def drop_index(name: str, table: str) -> None:
    """Drop an index that only some have."""
    if name in _indexes(table):
        op.drop_index(name, table)


def _indexes(table: str) -> set[str | None]:
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
