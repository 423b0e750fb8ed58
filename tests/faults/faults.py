"""The faults, each a class of the same shape: it strikes once, and says when and how. On the thread of a lane."""

import contextlib
import errno
import os
import resource
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol

import psycopg
from sqlalchemy.engine import make_url

from tests.faults.evidence import SECONDS_UNTIL_FREED, Blow
from tests.faults.keeper import Keeper
from tests.faults.relay import Relay
from tests.postgresql import OwnCluster

_CHUNK = bytes(1 << 16)


class Fault(Protocol):
    """Something that breaks, and is mended."""

    @property
    def kind(self) -> str:
        """What it is called."""

    def strike(self, dice: Random) -> Blow:
        """Break something, mend it, and say what no server could do meanwhile."""


@dataclass(frozen=True)
class Kill:
    """A server ends as in a power cut, and is started again."""

    keepers: Sequence[Keeper]
    kind: str = "kill -9"

    def strike(self, dice: Random) -> Blow:
        keeper = dice.choice(self.keepers)
        began = time.time()
        keeper.kill()
        time.sleep(dice.uniform(0, 0.6))
        keeper.start()
        return Blow(self.kind, began, time.time(), blocks=len(self.keepers) == 1)


@dataclass(frozen=True)
class Pause:
    """A server stands still, perhaps in the middle of a transaction."""

    keepers: Sequence[Keeper]
    shortest: float
    longest: float
    kind: str = "pause"

    def strike(self, dice: Random) -> Blow:
        keeper = dice.choice(self.keepers)
        began = time.time()
        keeper.signal(signal.SIGSTOP)
        time.sleep(dice.uniform(self.shortest, self.longest))
        keeper.signal(signal.SIGCONT)
        return _held_up(self.kind, began, len(self.keepers))


@dataclass(frozen=True)
class WrongClock:
    """A server's clock jumps, and some time later jumps back."""

    keepers: Sequence[Keeper]
    furthest: float
    direction: int

    @property
    def kind(self) -> str:
        return "clock forward" if self.direction > 0 else "clock back"

    def strike(self, dice: Random) -> Blow:
        keeper = dice.choice(self.keepers)
        skew = self.direction * dice.uniform(self.furthest / 4, self.furthest)
        began = time.time()
        keeper.set_clock(skew)
        time.sleep(dice.uniform(0.5, 2))
        keeper.set_clock(0)
        return Blow(self.kind, began, time.time(), blocks=False, skew=skew)


@dataclass(frozen=True)
class NoRoomInFile:
    """A server may write no further than to where its files end now: as at the end of a quota."""

    keepers: Sequence[Keeper]
    database: Path
    kind: str = "no room in file"

    def strike(self, dice: Random) -> Blow:
        keeper = dice.choice(self.keepers)
        began = time.time()
        # It may be killed meanwhile.
        with contextlib.suppress(ProcessLookupError):
            pid = keeper.pid
            _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (dice.randrange(1, self.database.stat().st_size), most))
            time.sleep(dice.uniform(0.3, 2))
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        return Blow(self.kind, began, time.time())


@dataclass(frozen=True)
class DiskFull:
    """The disk that the database is on is filled up."""

    disk: Path
    kind: str = "disk full"

    def strike(self, dice: Random) -> Blow:
        filler = self.disk / "filler"
        began = time.time()
        try:
            _fill(filler)
            time.sleep(dice.uniform(0.3, 2))
        finally:
            filler.unlink()
        return Blow(self.kind, began, time.time())


@dataclass(frozen=True)
class RestartDatabase:
    """PostgreSQL is restarted: ``fast`` as an administrator does, ``immediate`` as a power cut."""

    cluster: OwnCluster
    mode: str

    @property
    def kind(self) -> str:
        return f"restart PostgreSQL, {self.mode}"

    def strike(self, dice: Random) -> Blow:
        began = time.time()
        self.cluster.stop(mode=self.mode)
        time.sleep(dice.uniform(0, 1))
        self.cluster.start()
        return Blow(self.kind, began, time.time())


@dataclass(frozen=True)
class Terminate:
    """PostgreSQL ends some connections."""

    database: str
    kind: str = "terminate connections"

    def strike(self, dice: Random) -> Blow:
        url = make_url(self.database).set(drivername="postgresql").render_as_string(hide_password=False)
        began = time.time()
        with psycopg.connect(url, autocommit=True) as connection:
            query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            found = sorted(row[0] for row in connection.execute(query))
            for pid in dice.sample(found, dice.randint(min(1, len(found)), len(found))):
                connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        return Blow(self.kind, began, time.time(), blocks=False)


@dataclass(frozen=True)
class Cut:
    """All connections of one server to PostgreSQL break."""

    relays: Sequence[Relay]
    kind: str = "cut"

    def strike(self, dice: Random) -> Blow:
        began = time.time()
        dice.choice(self.relays).cut()
        return Blow(self.kind, began, time.time(), blocks=False)


@dataclass(frozen=True)
class Hang:
    """Nothing comes through between one server and PostgreSQL, though nothing breaks; then it does, or it goes on."""

    relays: Sequence[Relay]
    shortest: float
    longest: float
    kind: str = "hang"

    def strike(self, dice: Random) -> Blow:
        relay = dice.choice(self.relays)
        began = time.time()
        relay.hang()
        time.sleep(dice.uniform(self.shortest, self.longest))
        if dice.random() < 0.5:
            relay.cut()
        relay.go_on()
        return _held_up(self.kind, began, len(self.relays))


def _held_up(kind: str, began: float, servers: int) -> Blow:
    """Return the blow of a server that may hold what the others need: PostgreSQL frees it after a while."""
    now = time.time()
    return Blow(kind, began, now if servers == 1 else min(now, began + SECONDS_UNTIL_FREED), over=now)


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(_CHUNK)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
        os.fsync(filler.fileno())
