"""The embedded server as a child process: started, kept alive, ended. Its own thread.

The child gets its token on standard input and tells its port on standard output (facts, engineering): never an
argument, the environment, or a port trusted from disk. It outlives a crash of ours and ends on Quit.
"""

import json
import logging
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from desktop.domain.errors import WatchbellError
from desktop.system.paths import Paths, private_folder
from desktop.system.program import child_command, child_environment

log = logging.getLogger(__name__)

_READY = "listening on "
_PORT_TAKEN = "port taken"
_PORT_ATTEMPTS = 3
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 5.0
_GRACE = 6.0


class EmbeddedServer(threading.Thread):
    """Runs ``serve`` as a child until ``stop``, and starts it again whenever it dies.

    ``whose`` returns the id of the person whom ``token`` stands for; it is called on this thread before each start and
    may raise a WatchbellError. ``changed`` is called on this thread with the server's address, None while it has none.
    """

    def __init__(
        self, paths: Paths, token: str, whose: Callable[[], str], changed: Callable[[str | None], None]
    ) -> None:
        super().__init__(name="watchbell-embedded-server", daemon=True)
        self._paths = paths
        self._token = token
        self._whose = whose
        self._changed = changed
        self._stopping = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self.url: str | None = None
        self.trouble = "the built-in server is starting"
        # What a person has to mend before the server can start.
        self.mistake = ""
        self._port_taken = 0

    def run(self) -> None:
        """Keep a child running until stopped."""
        wait = _FIRST_WAIT
        while not self._stopping.is_set():
            wait = _FIRST_WAIT if self._try_child() else min(wait * 2, _LONGEST_WAIT)
            self.url = None
            self._changed(None)
            self._stopping.wait(wait)

    def stop(self) -> None:
        """End the child and wait for it; from any thread. One that is being started at this moment ends as well."""
        self._stopping.set()
        process = self._process
        if process is not None:
            _quit(process)
        if self.ident is not None:
            self.join(_GRACE)
        process = self._process
        if process is not None and process.poll() is None:
            log.warning("the built-in server did not end by itself")
            process.kill()
            process.wait()

    def kill(self) -> None:
        """End the child by force, since it hangs; the next one is started as after any crash."""
        process = self._process
        if process is not None and self.url is not None:
            log.warning("the built-in server does not answer: starting it anew")
            process.kill()

    @property
    def _port_file(self) -> Path:
        return self._paths.data / "preferred-port"

    def _preferred_port(self) -> int:
        """Return last time's port, so that what posts alerts to it survives a restart; 0 for any."""
        try:
            port = int(self._port_file.read_text("ascii"))
        except (OSError, ValueError):
            return 0
        return port if 1024 <= port < 65536 else 0

    def _try_child(self) -> bool:
        """Run one child to its end; return whether it ever became ready."""
        try:
            person = self._whose()
            self.mistake = ""
            return self._run_child(person, self._preferred_port())
        except WatchbellError as e:
            self.trouble = self.mistake = f"the built-in server cannot start: {e.message}"
        except OSError as e:
            self.trouble = f"the built-in server cannot start: {e}"
        log.warning("%s", self.trouble)
        return False

    def _run_child(self, person: str, port: int) -> bool:
        private_folder(self._paths.data)
        with (
            (private_folder(self._paths.log) / "server.log").open("ab") as errors,
            self._spawn(port, errors) as process,
        ):
            self._process = process
            self._greet(process, person)
            if self._stopping.is_set():
                # Whoever stopped us may have looked before there was a process.
                _quit(process)
            ready = self._listen(process)
            status = process.wait()
        if not self._stopping.is_set():
            log.warning("the built-in server ended with status %s; starting it again", status)
            self.trouble = f"the built-in server stopped (status {status}); its log is {self._paths.log / 'server.log'}"
        return ready

    def _spawn(self, port: int, errors: IO[bytes]) -> subprocess.Popen[str]:
        command = child_command("serve", "--parent-stdin", "--host", "127.0.0.1")
        command += ["--port", str(port), "--team", str(self._paths.team)]
        command += ["--database", f"sqlite:///{self._paths.server_database}"]
        return subprocess.Popen(  # noqa: S603 - our own program, every argument ours
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=child_environment(),
            # Ctrl+C in a terminal is for us; the child ends when we say so.
            start_new_session=True,
        )

    def _greet(self, process: subprocess.Popen[str], person: str) -> None:
        if process.stdin is None:
            return
        try:
            process.stdin.write(json.dumps({"token": self._token, "person": person}) + "\n")
            process.stdin.flush()
        except OSError:
            log.warning("the built-in server ended before it took its token")

    def _listen(self, process: subprocess.Popen[str]) -> bool:
        ready = False
        for line in process.stdout or ():
            if line.startswith(_PORT_TAKEN):
                self._give_way()
            elif line.startswith(_READY):
                ready = True
                self.mistake = ""
                self._port_taken = 0
                url = line.removeprefix(_READY).strip()
                self._port_file.write_text(url.rpartition(":")[2], "ascii")
                self.url = url
                self._changed(url)
        return ready

    def _give_way(self) -> None:
        """Forget last time's port once it has been somebody else's for a few attempts; never for any other reason.

        What posts alerts knows the old one, so that a port given up lightly is pages lost.
        """
        self._port_taken += 1
        if self._port_taken >= _PORT_ATTEMPTS:
            self._port_taken = 0
            self._port_file.unlink(missing_ok=True)


def _quit(process: subprocess.Popen[str]) -> None:
    """Ask a child to end; it reads that as soon as it is up."""
    if process.stdin is None:
        return
    try:
        process.stdin.write("quit\n")
        process.stdin.flush()
    except (OSError, ValueError):
        log.info("the built-in server was gone already")


def running_server(paths: Paths) -> str | None:
    """Return the address of the embedded server that runs now, None when none does.

    The address in its file is believed only while the server holds its lock: a stale port may be anybody's.
    """
    database = paths.server_database
    lock = FileLock(database.with_name(database.name + ".lock"))
    try:
        with lock.acquire(timeout=0):
            return None
    except Timeout:
        pass
    except OSError:
        return None
    try:
        found = json.loads(database.with_name("server.json").read_text("utf-8"))
        return str(found["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
