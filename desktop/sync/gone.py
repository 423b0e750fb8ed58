"""What became of incidents that are not among the open ones any more: asked for one by one. The watcher's thread."""

import logging
import time
from collections.abc import Iterable

from desktop.backends.base import Backend
from desktop.domain.errors import BackendError, Forbidden, NotFound, Rejected
from desktop.domain.incident import Incident

log = logging.getLogger(__name__)

# So many are asked for at a time, and for no longer than this (seconds): what is open cannot wait for what is over.
ASKED = 20
_LONG = 2.0
# After a failure, for it may have taken long, and whoever asks for fewer requests asks for that (seconds).
PAUSE = 60.0
# More than anybody is told of one by one.
_MOST = 200


class Gone:
    """The ids of this person's incidents that are gone, and of which it is still to be told what became of them."""

    def __init__(self, name: str, pause: float = PAUSE) -> None:
        self._name = name
        self._pause = pause
        self._ids: dict[str, None] = {}
        self._again_at = 0.0

    def note(self, gone: Iterable[str], there: Iterable[str]) -> None:
        """Note which are ``gone``; those that are ``there`` (again) are not."""
        self._ids |= dict.fromkeys(gone)
        for incident_id in there:
            self._ids.pop(incident_id, None)
        for incident_id in list(self._ids)[:-_MOST]:
            del self._ids[incident_id]

    def ask(self, backend: Backend) -> tuple[Incident, ...]:
        """Return what became of some of them; those of which that cannot be known now are asked for another time."""
        told: list[Incident] = []
        began = time.monotonic()
        if began < self._again_at:
            return ()
        for incident_id in list(self._ids)[:ASKED]:
            if time.monotonic() - began > _LONG:
                break
            try:
                told.append(backend.incident(incident_id))
            except (NotFound, Forbidden, Rejected) as e:
                log.info("%s: what became of %s is not told: %s", self._name, incident_id, e.message)
            except BackendError as e:
                # Whoever asks for fewer requests, or does not answer, is asked no more now.
                log.info("%s: what became of %s is not known yet: %s", self._name, incident_id, e.message)
                self._again_at = time.monotonic() + max(self._pause, e.retry_after or 0.0)
                break
            del self._ids[incident_id]
        return tuple(told)
