"""Databases of every schema that was ever released, with data in them, brought to the present one; on both databases.

``migrations/N.DATABASE.sql`` is what a Watchbell of schema N left; ``N-early`` is one whose tables were fewer than
those of a later N.
"""

import hashlib
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Dialect, inspect, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg as postgresql_dialect
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite as sqlite_dialect
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateIndex, CreateSequence, CreateTable

from desktop.domain.errors import InputError, StorageError
from desktop.server import audit, migrations, schema
from desktop.server.storage import Storage, open_existing, resolve
from tests.postgresql import Cluster
from tests.server.house import MINUTE, START, TEAM, Clock, assigned, running_house

DUMPS = Path(__file__).parent / "migrations"
FORMS = sorted({file.name.split(".")[0] for file in DUMPS.iterdir()})
RELEASED = sorted({int(form.split("-")[0]) for form in FORMS})
EVERY = [(form, kind) for form in FORMS for kind in ("sqlite", "postgresql")]
# What each schema's tables are: another digest is another schema, with a number and a migration of its own.
DIGESTS = {5: "49963b535c866e94"}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'w.db'}"
        return
    cluster: Cluster = request.getfixturevalue("postgresql")
    url = cluster.empty()
    yield url
    cluster.drop(url)


@pytest.fixture(params=FORMS)
def old(request: pytest.FixtureRequest, empty: str) -> str:
    """The URL of a database that an older Watchbell left."""
    url = make_url(empty)
    dump = (DUMPS / f"{request.param}.{url.get_backend_name()}.sql").read_text("utf-8")
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(url.database))) as connection:
            connection.executescript(dump)
    else:
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain) as connection:
            connection.execute(dump.encode())
    return empty


@contextmanager
def opened(place: str) -> Iterator[Storage]:
    storage = Storage(resolve(place))
    try:
        yield storage
    finally:
        storage.close()


def contents(connection: Connection, tables: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """Return the rows of ``tables`` (all of them), as far as ``tables`` names their columns."""
    found = inspect(connection)
    tables = tables or {t: [c["name"] for c in found.get_columns(t)] for t in found.get_table_names()}
    return {name: sorted(connection.execute(text(f"SELECT {', '.join(columns)} FROM {name}")).all(), key=str)
            for name, columns in tables.items()}  # fmt: skip


def shape(connection: Connection) -> dict[str, Any]:
    """Return all that can be told of the tables, in an order of its own."""
    found = inspect(connection)
    shapes: dict[str, Any] = {
        "sequences": sorted(found.get_sequence_names()) if connection.dialect.name != "sqlite" else []
    }
    for table in found.get_table_names():
        columns = {c["name"]: (str(c["type"]), c["nullable"], str(c["default"])) for c in found.get_columns(table)}
        shapes[table] = {
            "columns": columns,
            "key": found.get_pk_constraint(table)["constrained_columns"],
            "foreign": sorted((f["constrained_columns"], f["referred_table"], f["referred_columns"])
                              for f in found.get_foreign_keys(table)),
            "unique": sorted(u["column_names"] for u in found.get_unique_constraints(table)),
            "indexes": sorted(_index(index) for index in found.get_indexes(table)),
        }  # fmt: skip
    return shapes


def _index(index: Any) -> tuple[str, list[str], bool, list[str]]:
    options = [str(option) for option in index.get("dialect_options", {}).values()]
    return str(index["name"]), [str(column) for column in index["column_names"]], index["unique"], options


def schema_of(connection: Connection) -> set[str]:
    """Return which schema the database says that it has: every place that does must say the same."""
    meta = "SELECT value FROM meta WHERE key = 'schema_version'"
    return {connection.execute(text(asked)).scalar_one() for asked in (meta, "SELECT version_num FROM alembic_version")}


def test_a_migrated_database_is_as_one_made_anew(old: str, tmp_path: Path, postgresql: Cluster) -> None:
    sqlite = old.startswith("sqlite")
    new = f"sqlite:///{tmp_path / 'new.db'}" if sqlite else postgresql.ready()
    with opened(old) as migrated, opened(new) as made:
        for storage in (migrated, made):
            storage.migrate()
            assert storage.ready()
        with migrated.read() as one, made.read() as other:
            assert shape(one) == shape(other)
            assert schema_of(one) == schema_of(other) == {str(schema.SCHEMA_VERSION)}
            options = {"compare_type": True, "compare_server_default": True, "version_table": "not_left_out"}
            context = MigrationContext.configure(one, opts=options)
            assert compare_metadata(context, schema.metadata) == []
    if not sqlite:
        postgresql.drop(new)


def test_nothing_that_stood_there_is_lost_or_changed(old: str) -> None:
    with opened(old) as storage:
        with storage.read() as connection:
            before = contents(connection)
            found = inspect(connection)
            tables = {t: [c["name"] for c in found.get_columns(t)] for t in found.get_table_names()}
        storage.migrate()
        with storage.read() as connection:
            after = contents(connection, tables)
    before["meta"] = after["meta"]
    for counters in (before["counters"], after["counters"]):
        counters[:] = [row for row in counters if row[0] != "team"]
    before.pop("alembic_version", None)
    after.pop("alembic_version", None)
    assert after == before
    assert len(before["incidents"]) == 4


def test_the_server_goes_on_where_the_old_one_was(old: str) -> None:
    clock = Clock(START + 16 * MINUTE)
    with running_house(old, TEAM, clock) as house:
        statuses = {i["incident_key"]: i["status"] for i in house.get("/incidents", date_range="all")["incidents"]}
        assert statuses == {"acknowledged": "acknowledged", "resolved": "resolved", "open": "triggered",
                            "low": "triggered"}  # fmt: skip
        assert house.incident("open")["title"] == "open: 100 % – „quoted“ it's \\ 🚨"
        house.enqueue(key="open")
        house.enqueue(key="new")
        assert [house.incident(key)["incident_number"] for key in ("open", "new")] == [3, 5]
        house.tick(timedelta(minutes=15))
        assert assigned(house.incident("open")) == ["ana", "ben", "cho"]
        versions = [i["watchbell"]["version"] for i in house.get("/incidents", date_range="all")["incidents"]]
        assert len(set(versions)) == len(versions)
        assert max(versions) > 9


def test_a_migration_that_fails_changes_nothing(old: str) -> None:
    with opened(old) as storage:
        with storage.write() as connection:
            # Whoever has all tables lacks an index then, and its name is taken.
            connection.execute(text("DROP INDEX IF EXISTS ix_incidents_major"))
            connection.execute(text("CREATE TABLE ix_incidents_major (id INTEGER)"))
            before = contents(connection)
        with pytest.raises(StorageError, match="ix_incidents_major"):
            storage.migrate()
        assert not storage.ready()
        with storage.read() as connection:
            assert contents(connection) == before


@pytest.mark.parametrize("empty", ["sqlite"], indirect=True)
def test_a_sqlite_file_is_copied_first(old: str) -> None:
    path = Path(str(make_url(old).database))
    with opened(old) as storage:
        with storage.read() as connection:
            before = contents(connection)
        storage.migrate()
        kept = [p for p in path.parent.iterdir() if p.name.startswith("w.db.schema-")]
        assert [p.name for p in kept] == [f"w.db.schema-{before['meta'][0][1]}"]
        assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600
    with opened(f"sqlite:///{kept[0]}") as copy, copy.read() as connection:
        assert contents(connection) == before


@pytest.mark.parametrize("empty", ["sqlite"], indirect=True)
def test_what_cannot_be_copied_is_not_migrated(old: str) -> None:
    path = Path(str(make_url(old).database))
    for version in RELEASED:
        (path.parent / f"w.db.schema-{version}").mkdir()
    with opened(old) as storage:
        with storage.read() as connection:
            before = contents(connection)
        with pytest.raises(StorageError, match="cannot be copied"):
            storage.migrate()
        with storage.read() as connection:
            assert contents(connection) == before
    assert not list(path.parent.glob("*.half"))


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"])
def test_nobody_changes_the_audit_log_of_a_migrated_database(old: str, statement: str) -> None:
    with opened(old) as storage:
        storage.migrate()
        with storage.write() as connection:
            audit.note(connection, audit.By("person:ana", "127.0.0.1"), "test", "x", START)
        with pytest.raises(StorageError, match="never changed"), storage.write() as connection:
            connection.execute(text(statement))


def test_commands_beside_the_server_leave_an_old_database_alone(old: str) -> None:
    with pytest.raises(InputError, match="of an older Watchbell"):
        open_existing(old)


def test_a_newer_schema_is_refused_and_left_alone(empty: str) -> None:
    with opened(empty) as storage:
        storage.migrate()
        with storage.write() as connection:
            connection.execute(text("UPDATE meta SET value = '999' WHERE key = 'schema_version'"))
            before = contents(connection)
        with pytest.raises(StorageError, match=r"written by a newer Watchbell \(schema 999"):
            storage.migrate()
        assert not storage.ready()
        with storage.read() as connection:
            assert contents(connection) == before


def test_migrating_twice_changes_nothing(empty: str) -> None:
    with opened(empty) as storage:
        storage.migrate()
        with storage.read() as connection:
            before = contents(connection)
        storage.migrate()
        assert storage.ready()
        with storage.read() as connection:
            assert contents(connection) == before


def test_every_schema_has_a_step_to_it_and_a_dump_of_it() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    steps = ScriptDirectory.from_config(config)
    numbers = [int(step.revision) for step in steps.walk_revisions()]
    assert numbers == list(range(schema.SCHEMA_VERSION, 0, -1))
    assert list(range(1, schema.SCHEMA_VERSION)) == RELEASED
    assert {f"{form}.{kind}.sql" for form, kind in EVERY} == {file.name for file in DUMPS.iterdir()}


def test_tables_that_are_changed_have_another_number() -> None:
    dialects: list[Dialect] = [sqlite_dialect(), postgresql_dialect()]
    made: list[CreateTable | CreateIndex | CreateSequence] = []
    for table in schema.metadata.sorted_tables:
        made += [CreateTable(table), *(CreateIndex(i) for i in sorted(table.indexes, key=lambda i: str(i.name)))]
    made.append(CreateSequence(schema.incident_numbers))
    said = "\n".join(str(one.compile(dialect=dialect)) for dialect in dialects for one in made)
    found = hashlib.sha256(said.encode()).hexdigest()[:16]
    assert {schema.SCHEMA_VERSION: found} == DIGESTS, "raise SCHEMA_VERSION, write its migration, then note its digest"


def test_alembic_is_not_loaded_where_there_is_nothing_to_migrate(tmp_path: Path) -> None:
    program = (
        "import sys; from desktop.server.serve import run; from desktop.server.storage import Storage, resolve\n"
        "for _ in range(2): storage = Storage(resolve(sys.argv[1])); storage.migrate(); storage.close()\n"
        "sys.exit(bool({'alembic', 'psycopg'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "w.db")]
    assert subprocess.run(command, check=False, cwd=Path(__file__).parents[2], timeout=30).returncode == 0
