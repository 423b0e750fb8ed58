"""The two ways in which a team runs it: one server on a file, several on one PostgreSQL; each with its own faults."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from tests.faults.faults import (
    Cut,
    DiskFull,
    Fault,
    Hang,
    Kill,
    NoRoomInFile,
    Pause,
    RestartDatabase,
    Terminate,
    WrongClock,
)
from tests.faults.keeper import Keeper
from tests.faults.plans import team
from tests.faults.relay import relaying
from tests.faults.sink import Sink
from tests.parts import in_ci
from tests.postgresql import cluster

_SIZE = "96m"
_DISKS = "no disk is full: this user may not mount a tmpfs"


@dataclass(frozen=True, slots=True)
class Hardness:
    """How hard a run is: how many incidents and faults there are, and how long these last (in seconds).

    Incidents are resolved after ``lives`` seconds, the watch changes about every ``shifts`` (it has two such changes).
    ``long_pause`` is for what happens only once: with it, a server stands still for longer than others wait for it.
    """

    incidents: int
    faults: int
    pause: float
    skew: float
    break_between: float
    servers: int
    workers: int
    lives: float
    shifts: float
    long_pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """Servers not yet started, the ``database`` as it is reached past all that breaks, and what can break.

    The faults of different ``lanes`` strike at the same time, those of one after each other, again and again; those of
    ``once`` only one time. ``missing`` says what cannot be broken here, and why; messages go to the ``sink``.
    """

    keepers: Sequence[Keeper]
    database: str
    lanes: Sequence[Sequence[Fault]]
    once: Sequence[Sequence[Fault]]
    missing: Sequence[str]
    sink: Sink


@contextmanager
def on_a_file(folder: Path, hardness: Hardness) -> Iterator[Place]:
    """One server on SQLite, as the application embeds it; on a small disk of its own where that can be had."""
    missing: list[str] = []
    with ExitStack() as stack:
        sink = stack.enter_context(Sink(Random(hardness.incidents)))
        disk = stack.enter_context(_small_disk(folder / "disk", missing))
        file = (disk or folder) / "watchbell.db"
        database = f"sqlite:///{file}"
        keepers = [Keeper(0, database, _team(folder, sink), folder, sink.url)]
        of_database: list[Fault] = [*_full(disk), NoRoomInFile(keepers, file)]
        lanes = [_of_servers(keepers, hardness), of_database]
        yield Place(keepers, database, lanes, [_long_pause(keepers, hardness), []], missing, sink)


@contextmanager
def on_postgresql(folder: Path, hardness: Hardness) -> Iterator[Place]:
    """Several servers on one PostgreSQL, each through a relay of its own."""
    missing: list[str] = []
    with ExitStack() as stack:
        sink = stack.enter_context(Sink(Random(hardness.incidents)))
        own = stack.enter_context(cluster(safe=True, telling=True))
        # Before the cluster is gone: kept beside the evidence.
        stack.callback(lambda: shutil.copy(own.folder / "log", folder / "postgresql.log"))
        disk = stack.enter_context(_small_disk(own.folder / "disk", missing))
        database = own.empty()
        if disk is not None:
            _move(database, disk)
        relays = [stack.enter_context(relaying(own.folder)) for _ in range(hardness.servers)]
        file = _team(folder, sink)
        keepers = [Keeper(n, relay.through(database), file, folder, sink.url) for n, relay in enumerate(relays)]
        of_database: list[Fault] = [
            RestartDatabase(own, "fast"),
            RestartDatabase(own, "immediate"),
            Terminate(database),
            Cut(relays),
            Hang(relays, hardness.pause / 4, hardness.pause),
            *_full(disk),
        ]
        long = hardness.long_pause
        long_hang = [Hang(relays, long, long, "long hang")] if long else []
        lanes = [_of_servers(keepers, hardness), of_database]
        yield Place(keepers, database, lanes, [_long_pause(keepers, hardness), long_hang], missing, sink)


def _of_servers(keepers: Sequence[Keeper], hardness: Hardness) -> list[Fault]:
    clocks = [WrongClock(keepers, hardness.skew, direction) for direction in (1, -1)]
    return [Kill(keepers), Pause(keepers, hardness.pause / 4, hardness.pause), *clocks]


def _full(disk: Path | None) -> list[Fault]:
    return [] if disk is None else [DiskFull(disk)]


def _long_pause(keepers: Sequence[Keeper], hardness: Hardness) -> list[Fault]:
    long = hardness.long_pause
    return [Pause(keepers, long, long, "long pause")] if long else []


def _team(folder: Path, sink: Sink) -> Path:
    file = folder / "team.toml"
    file.write_text(team(sink.url), "utf-8")
    return file


@contextmanager
def _small_disk(folder: Path, missing: list[str]) -> Iterator[Path | None]:
    """Make a small disk at ``folder``, for whom the folder above belongs to; None where that may not be done."""
    folder.mkdir()
    owner = folder.parent.stat().st_uid
    options = f"size={_SIZE},mode=0700,uid={owner}"
    mounting = ["mount", "-t", "tmpfs", "-o", options, "watchbell-faults", str(folder)]
    if subprocess.run(mounting, check=False, capture_output=True).returncode:
        _lack(missing, _DISKS)
        yield None
        return
    try:
        yield folder
    finally:
        # PostgreSQL may still have files open on it.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _move(database: str, disk: Path) -> None:
    """Put the tables of ``database``, and nothing else, on the small ``disk``."""
    url = make_url(database).set(drivername="postgresql")
    name = sql.Identifier(str(url.database))
    admin = url.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(str(disk))))
        connection.execute(sql.SQL("ALTER DATABASE {} SET TABLESPACE small").format(name))


def _lack(missing: list[str], what: str) -> None:
    assert not in_ci(), what
    missing.append(what)
