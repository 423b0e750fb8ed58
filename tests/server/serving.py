"""The real ``serve`` process for tests: started, awaited by what it prints, killed. The test's own thread."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PARENT_TOKEN = "wb_" + "t" * 43

# What the command line does with its arguments; the process under test is the server's own.
PROGRAM = """
import json, sys
from pathlib import Path
from desktop.server.serve import ServeOptions, run
options = json.loads(sys.argv[1])
for name in ("team", "tls_cert", "tls_key"):
    if options.get(name):
        options[name] = Path(options[name])
sys.exit(run(ServeOptions(**options)))
"""


class Serve:
    """A running ``serve``; ``url`` is known once ``ready``."""

    def __init__(
        self, options: Mapping[str, object], environment: Mapping[str, str] | None = None, program: str = PROGRAM
    ) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-c", program, json.dumps(dict(options))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        )
        self.url = ""
        self._errors: list[str] = []
        self._written = threading.Condition()
        self._reader = threading.Thread(target=self._read_errors, name="reads-serve", daemon=True)
        self._reader.start()

    def say(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()

    def close_input(self) -> None:
        """Close its standard input, as a parent that dies does."""
        assert self.popen.stdin is not None
        self.popen.stdin.close()

    def ready(self) -> str:
        """Wait until it listens; return where. AssertionError with its log when it ends instead."""
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        assert line.startswith(("listening on http://", "listening on https://")), (line, self.end())
        self.url = line.removeprefix("listening on ").strip()
        return self.url

    def output(self) -> str:
        """Return what else it wrote to standard output, once it has ended."""
        assert self.popen.stdout is not None
        return self.popen.stdout.read()

    def await_log(self, text: str, seconds: float = 15) -> None:
        """Wait until its log says ``text``."""
        with self._written:
            assert self._written.wait_for(lambda: any(text in line for line in self._errors), seconds), self._errors

    def end(self, number: int | None = None, seconds: float = 15) -> tuple[int, str]:
        """Send it a signal (none: it ends by itself), wait, and return its exit code and its log."""
        if number is not None:
            self.popen.send_signal(number)
        code = self.popen.wait(seconds)
        self._reader.join(5)
        return code, "".join(self._errors)

    def _read_errors(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            with self._written:
                self._errors.append(line)
                self._written.notify_all()


@contextmanager
def serve(environment: Mapping[str, str] | None = None, **options: object) -> Iterator[Serve]:
    """Start ``serve`` with these options; it is gone when the block ends."""
    running = Serve({key: str(v) if isinstance(v, Path) else v for key, v in options.items()}, environment)
    try:
        yield running
    finally:
        if running.popen.poll() is None:
            running.end(signal.SIGKILL)
        for pipe in (running.popen.stdin, running.popen.stdout, running.popen.stderr):
            assert pipe is not None
            pipe.close()
