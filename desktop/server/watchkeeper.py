"""Works off handovers and acting primaries: what is due stands in rows. A thread of its own, beside the engine's.

Each thing is guarded for itself, so that one that cannot be carried on holds up no other, and no escalation.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial

from desktop.domain.errors import WatchbellError
from desktop.server import handovers, silences
from desktop.server.passes import GRAVE
from desktop.server.records import Record
from desktop.server.station import Station

log = logging.getLogger(__name__)

_WAIT_SECONDS = 5.0
# Many commits that follow each other are one reason to look.
_PAUSE_SECONDS = 0.2


class Watchkeeper:
    """Carries handovers on when they are due, and the watch of a silent primary as the rules say."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._revision: int | None = None
        self._acting = False
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchkeeper")

    def start(self) -> None:
        """Begin at once, in the background: a long handover must keep nobody waiting who pages or is paged."""
        self._wake.set()
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def committed(self, changed: Sequence[Record]) -> None:
        """Take note of a commit: something may have escalated past somebody, or a silent primary acted."""
        if self._acting or any(r.severity in GRAVE and len(r.progress.ever) > 1 for r in changed):
            self._wake.set()

    def tick(self) -> int:
        """Do all that is due now; return how much there was."""
        self._station.refresh()
        return self._tried(self._handovers) + self._tried(self._silences)

    def _handovers(self) -> int:
        # Another schedule may leave nothing of a watch: every open handover is looked at anew.
        revision = self._station.revision
        found = handovers.due(self._station, all_open=self._revision != revision)
        self._revision = revision
        return sum(self._tried(partial(self._one, handover)) for handover in found)

    def _one(self, handover: str) -> int:
        # Until it was looked at: it may fail, and whoever has it in hands may not know of the new schedule.
        revision, self._revision = self._revision, None
        try:
            if not handovers.look_again(self._station, handover):
                return 0
            done = handovers.finish(self._station, handover)
        except WatchbellError:
            raise
        except Exception:
            log.exception("a handover cannot be carried on", extra={"fields": {"handover": handover}})
            handovers.put_off(self._station, handover)
            done = 0
        self._revision = revision
        self._station.announce()
        return done

    def _silences(self) -> int:
        station = self._station
        with station.storage.read() as connection:
            if not silences.pending(connection, station.clock()):
                self._acting = False
                return 0
        found = 0
        while some := station.writer.run(lambda work: silences.look_into(station, work)):
            found += some
        self._acting = station.writer.run(lambda work: silences.settle(station, work))
        station.refresh()
        station.announce()
        return found

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(_WAIT_SECONDS)
            self._wake.clear()
            if not self._stopping.wait(_PAUSE_SECONDS):
                self._tried(self.tick)

    def _tried(self, part: Callable[[], int]) -> int:
        try:
            return part()
        except WatchbellError as error:
            # A full disk or a locked file: nothing is lost, the rows stay due.
            log.error("handovers delayed", extra={"fields": {"error": error.message}})  # noqa: TRY400 - said in words
        except Exception:
            log.exception("handovers delayed")
        return 0
