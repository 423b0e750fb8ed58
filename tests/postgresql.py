"""A throw-away PostgreSQL for tests, on a Unix socket, gone with the process that started it. Main thread.

WATCHBELL_TEST_POSTGRESQL names a server to use instead (``postgresql://USER@HOST``), on which databases may be created.
"""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
from sqlalchemy.engine import URL, make_url

from desktop.server.storage import Storage
from tests.parts import need

VARIABLE = "WATCHBELL_TEST_POSTGRESQL"
_TEMPLATE = "watchbell_template"
_SETTINGS = "-c listen_addresses='' -c max_connections=200 -c shared_buffers=32MB -c log_min_messages=fatal"
_TELLING = " -c log_min_messages=log -c log_lock_waits=on -c log_checkpoints=on"
_UNSAFE = " -c fsync=off -c full_page_writes=off"

# The shell ends the server when this process lets go of its standard input, however this process ends.
_SCRIPT = """
"$1/initdb" -D "$2/data" -U watchbell --auth=trust --no-sync --encoding=UTF8 --locale=C.UTF-8 >"$2/log" 2>&1 &&
"$1/pg_ctl" -D "$2/data" -l "$2/log" -w -o "-k $2 $3" start >/dev/null </dev/null &&
echo ready && read -r _
"$1/pg_ctl" -D "$2/data" -m immediate stop >/dev/null 2>&1
"""


class Cluster:
    """A PostgreSQL server and the databases that tests make on it."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._numbers = itertools.count(1)
        self._made: list[str] = []
        self._template = f"{_TEMPLATE}_{os.getpid()}"
        self._has_template = False

    def empty(self) -> str:
        """Return the URL of a new database with nothing in it."""
        return self._create("template0")

    def ready(self) -> str:
        """Return the URL of a new database with the present tables."""
        if not self._has_template:
            self._create("template0", self._template)
            storage = Storage(self._url.set(database=self._template))
            storage.migrate()
            storage.close()
            self._has_template = True
        return self._create(self._template)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is still connected to it."""
        name = str(make_url(url).database)
        self._do(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._made.remove(name)

    def drop_all(self) -> None:
        """Drop what is left."""
        for name in tuple(self._made):
            self.drop(_text(self._url.set(database=name)))

    def _create(self, template: str, name: str = "") -> str:
        name = name or f"w_{os.getpid()}_{next(self._numbers)}"
        self._do(f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING UTF8')
        self._made.append(name)
        return _text(self._url.set(database=name))

    def _do(self, statement: LiteralString) -> None:
        url = self._url.set(drivername="postgresql", database=self._url.database or "postgres")
        with psycopg.connect(_text(url), autocommit=True) as connection:
            connection.execute(statement)


class OwnCluster(Cluster):
    """A server that the tests started themselves, in ``folder``, and may stop and start."""

    def __init__(self, programs: Path, folder: Path, settings: str) -> None:
        super().__init__(URL.create("postgresql+psycopg", "watchbell", query={"host": str(folder)}))
        self._programs, self.folder, self._settings = programs, folder, settings

    def stop(self, *, mode: str = "immediate") -> None:
        """Stop the server; ``immediate`` is what a power cut does."""
        self._control("-m", mode, "stop")

    def start(self) -> None:
        """Start the server again and wait until it takes connections."""
        self._control("-o", f"-k {self.folder} {self._settings}", "start")

    def _control(self, *arguments: str) -> None:
        command: list[str | Path] = [
            self._programs / "pg_ctl",
            "-D",
            self.folder / "data",
            "-l",
            self.folder / "log",
            "-w",
            *arguments,
        ]
        subprocess.run(command, check=True, timeout=60, cwd="/", user=_user(), stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)  # fmt: skip


@contextmanager
def cluster(*, safe: bool = False, telling: bool = False) -> Iterator[OwnCluster]:
    """Run a PostgreSQL server until the block ends; ``safe``: what is committed survives a power cut.

    ``telling``: its log says what waited for which lock for a second, and what it ended.
    """
    programs = _programs()
    settings = _SETTINGS + ("" if safe else _UNSAFE) + (_TELLING if telling else "")
    with _folder() as folder:
        command = ["sh", "-c", _SCRIPT, "sh", str(programs), str(folder), settings]
        shell = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/", user=_user()
        )  # fmt: skip
        assert shell.stdin is not None
        assert shell.stdout is not None
        try:
            assert shell.stdout.readline() == "ready\n", (folder / "log").read_text("utf-8")
            yield OwnCluster(programs, folder, settings)
        finally:
            shell.stdin.close()
            shell.wait(60)
            shell.stdout.close()


@contextmanager
def any_cluster() -> Iterator[Cluster]:
    """Use the server that the environment names, else run one; skip the test where there is none (in CI: fail)."""
    named = os.environ.get(VARIABLE)
    if named is None:
        with cluster() as own:
            yield own
        return
    found = Cluster(make_url(named).set(drivername="postgresql+psycopg"))
    try:
        yield found
    finally:
        found.drop_all()


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs; Debian keeps one for each version, outside the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return versions[-1].parent if versions else need("initdb").resolve().parent


@contextmanager
def _folder() -> Iterator[Path]:
    # Not pytest's own: a socket's path must be short, and PostgreSQL, which refuses root, must be able to enter.
    folder = Path(tempfile.mkdtemp(prefix="wb-pg-"))
    user = _user()
    if user is not None:
        os.chown(folder, user, -1)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> int | None:
    """Return as whom the server runs: nobody in particular where we are root, else ourselves."""
    return pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
