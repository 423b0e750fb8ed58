"""What SQL cannot say in the same words on SQLite and PostgreSQL. On a connection, any thread."""

from functools import cache

from sqlalchemy import Connection, Insert, Table, bindparam, func, select, text, update

from desktop.server import schema

CHANNEL = "watchbell"

_counter = schema.counters.c
_MORE_NUMBERS = (
    update(schema.counters)
    .where(_counter.name == "incident")
    .values(value=_counter.value + bindparam("many"))
    .returning(_counter.value)
)
_MORE_FROM_SEQUENCE = select(schema.incident_numbers.next_value()).select_from(
    func.generate_series(1, bindparam("many")).alias("each")
)
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


def take_numbers(connection: Connection, many: int) -> list[int]:
    """Return ``many`` new incident numbers, ascending. On PostgreSQL those of a command that fails are not used again.

    A counter's row would be locked until the commit there, and have servers wait for each other.
    """
    if connection.dialect.name == "sqlite":
        last: int = connection.execute(_MORE_NUMBERS, {"many": many}).scalar_one()
        return list(range(last - many + 1, last + 1))
    return sorted(connection.execute(_MORE_FROM_SEQUENCE, {"many": many}).scalars())


def tell(connection: Connection, number: int) -> None:
    """Tell every server on the database, at the commit, that there is something new; ``number`` says up to where."""
    if connection.dialect.name == "postgresql":
        connection.execute(_TELL, {"channel": CHANNEL, "number": str(number)})
