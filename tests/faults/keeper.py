"""A server kept running as a service manager keeps it: started again until it listens. Called from several threads."""

import os
import signal
import socket
import time
from pathlib import Path
from threading import Timer

from tests.faults.plans import DIRECTOR, DIRECTOR_VARIABLE, KEY_VARIABLES, KEYS, address
from tests.server.serving import PROGRAM, Serve

_PATIENCE = 60.0
_PAUSE = 0.2
_CLOCK_VARIABLE = "WB_FAULT_CLOCK"

# A server whose clock is wrong by as much as a file says. libfaketime (0.9.10) would let the whole process see it, but
# makes each of Python's waits for a lock a busy one: measured, a request then costs twenty times as much.
_WITH_A_CLOCK = f"""
import datetime, os
from pathlib import Path
from threading import Timer
from desktop.server import station

class Wrong(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        by = float(Path(os.environ["{_CLOCK_VARIABLE}"]).read_text())
        return datetime.datetime.now(tz) + datetime.timedelta(seconds=by)

station.datetime = Wrong
"""


class Keeper:
    """One server at one ``url``, whatever becomes of its processes; ``logs`` are what those that ended said."""

    def __init__(self, number: int, database: str, team: Path, folder: Path, hook: str) -> None:
        self.number = number
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.logs: list[str] = []
        self._options = {"database": database, "team": str(team), "port": self.port, "allow_private_channels": True}
        self._clock, self._log = folder / f"clock-{number}", folder / f"server-{number}.log"
        self._director = address(hook, DIRECTOR)
        self._serve: Serve | None = None
        self.set_clock(0)

    @property
    def pid(self) -> int:
        """The process that serves; ProcessLookupError while there is none."""
        if (serve := self._serve) is None:
            raise ProcessLookupError
        return serve.popen.pid

    def start(self) -> None:
        """Start it, again and again until it listens."""
        deadline = time.monotonic() + _PATIENCE
        while not self._started():
            assert time.monotonic() < deadline, self.logs[-1]
            time.sleep(_PAUSE)

    def kill(self) -> None:
        """End it as a power cut does, if it runs."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        return self._end(signal.SIGTERM)

    def signal(self, number: int) -> None:
        """Send the process a signal."""
        os.kill(self.pid, number)

    def set_clock(self, seconds: float) -> None:
        """Let its clock be wrong by so much."""
        new = self._clock.with_suffix(".new")
        new.write_text(f"{seconds:.3f}")
        new.replace(self._clock)

    def _started(self) -> bool:
        keys = {KEY_VARIABLES[service]: key for service, key in KEYS.items()}
        environment = {**keys, DIRECTOR_VARIABLE: self._director, _CLOCK_VARIABLE: str(self._clock)}
        self._serve = Serve(self._options, environment, _WITH_A_CLOCK + PROGRAM)
        assert self._serve.popen.stdout is not None
        # One that neither listens nor ends is a failure, and must not hold up the run.
        watchdog = Timer(_PATIENCE, self._serve.popen.kill)
        watchdog.start()
        try:
            listens = self._serve.popen.stdout.readline().startswith("listening on")
        finally:
            watchdog.cancel()
        if not listens:
            self._end(None)
        return listens

    def _end(self, number: int | None) -> int:
        serve, self._serve = self._serve, None
        if serve is None:
            return 0
        code, log = serve.end(number)
        self.logs.append(log)
        # Kept beside the evidence: what holds servers up is told by their logs alone.
        with self._log.open("a", encoding="utf-8") as kept:
            kept.write(f"{log}\n--- ended with {code}\n")
        for pipe in (serve.popen.stdin, serve.popen.stdout, serve.popen.stderr):
            assert pipe is not None
            pipe.close()
        return code


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
