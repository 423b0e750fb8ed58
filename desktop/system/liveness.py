"""A mark that says when the application last ran, so that the next start can tell for how long nobody watched.

It is a file whose time is set anew with a tick that happens anyway: no timer of its own, no fsync. Being quit removes
it; a crash, a power loss or the end of the session leaves it. GUI thread.
"""

import logging
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

log = logging.getLogger(__name__)

# A tick comes every second at times: this is precise enough.
_EVERY = timedelta(seconds=10)


class Liveness:
    """The mark at ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._marked: datetime | None = None

    def begin(self, now: datetime) -> datetime | None:
        """Begin to mark; return when the last run was last alive, None when it was quit (or there was none).

        One that is still to come tells that the clock was set since: it was not quit, and since when nobody knows.
        """
        since: datetime | None = None
        with suppress(OSError):
            since = datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        try:
            self._path.touch(mode=0o600)
        except OSError as e:
            log.warning("a crash could not be told later: %s", e.strerror)
        self._marked = None
        self.touch(now)
        return since

    def touch(self, now: datetime) -> None:
        """Note that the application runs at ``now``."""
        if self._marked is not None and timedelta(0) <= now - self._marked < _EVERY:
            return
        self._marked = now
        with suppress(OSError):
            os.utime(self._path, (now.timestamp(), now.timestamp()))

    def end(self) -> None:
        """Note that a person ended it: the next start has nothing to tell."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
