"""The command line: what each command is called and takes. Commands are imported only when they run.

Exit codes (design, section 5): 0 success, 2 bad usage or input (one line on standard error), 3 no contact.
"""

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from desktop.cli.parser import parse
from desktop.domain.errors import WatchbellError

OK, BAD_INPUT, NO_CONTACT = 0, 2, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that ``argv`` names and return the exit code."""
    _use_utf8()
    # Whatever a command writes is its owner's alone.
    os.umask(0o077)
    _dump_no_memory()
    try:
        options = parse(sys.argv[1:] if argv is None else argv)
        logging.basicConfig(
            level=logging.DEBUG if options.verbose else logging.WARNING,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
            stream=sys.stderr,
        )
        module, _, function = options.run.partition(":")
        return int(getattr(import_module(f"desktop.cli.{module}"), function)(options))
    except WatchbellError as e:
        return report(e)
    except BrokenPipeError:
        # Whoever read us has seen enough (`watchbell incidents | head`).
        sys.stderr.close()
        return OK
    except KeyboardInterrupt:
        return 130


def report(error: WatchbellError) -> int:
    """Say what went wrong on standard error, a line for each mistake; return the exit code that it means."""
    for line in error.message.splitlines() or [error.title]:
        print(f"watchbell: {line}", file=sys.stderr)
    return NO_CONTACT if error.retryable else BAD_INPUT


def _dump_no_memory() -> None:
    """Leave no core file at a crash, of this process and of all that it starts: there are tokens in its memory."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _use_utf8() -> None:
    """Let any title be printed, whatever the terminal's encoding: what it cannot show becomes an escape."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
