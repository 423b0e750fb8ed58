"""Says in the window which incidents went from this person to somebody else, until that is read. GUI thread."""

from datetime import datetime, timedelta

from desktop.app.surfaces import Surfaces
from desktop.domain.attention import ConnectionState
from desktop.domain.incident import Incident, Person, Snapshot, Status
from desktop.domain.text import shorten
from desktop.ui import words

PREFIX = "passed "
_TITLE = 80


class Passing:
    """Follows the states; what comes back, or is over, is said no longer."""

    def __init__(self, surfaces: Surfaces) -> None:
        self._surfaces = surfaces

    def follow(self, before: tuple[ConnectionState, ...], after: tuple[ConnectionState, ...], now: datetime) -> None:
        """Say what left between two states of the connections; of a time in which nobody watched ``Meanwhile`` does."""
        known = {state.id: state for state in before}
        for state in after:
            earlier = known.get(state.id)
            if earlier is None or earlier.left == state.left:
                continue
            for incident_id in set(earlier.left) - set(state.left):
                self._surfaces.status.set_notice(_key(state, incident_id), None)
            if earlier.watched_since is None:
                self._tell(earlier, state, now)

    def _tell(self, earlier: ConnectionState, state: ConnectionState, now: datetime) -> None:
        if earlier.snapshot is None or state.snapshot is None:
            return
        was, new = _by_id(earlier.snapshot), _by_id(state.snapshot)
        for incident_id in state.left:
            if incident_id not in earlier.left and incident_id in was and incident_id in new:
                text = _said(was[incident_id], new[incident_id], state.snapshot.me, state.offset, now)
                self._surfaces.status.set_notice(_key(state, incident_id), text, "OK")


def _by_id(snapshot: Snapshot) -> dict[str, Incident]:
    return {i.id: i for i in snapshot.incidents}


def _key(state: ConnectionState, incident_id: str) -> str:
    return f"{PREFIX}{state.id} {incident_id}"


def _said(was: Incident, new: Incident, me: Person, offset: timedelta, now: datetime) -> str:
    """Return ``SEV-0 Disk full: it escalated past you to Ben Okafor at 03:12.``."""
    said = words.farewell(was, new, me, now + offset)
    if said.startswith("It "):
        said = f"i{said[1:]}"
    at = f" at {words.local_time(now, now)}" if new.status is Status.TRIGGERED else ""
    return f"{new.severity.label} {shorten(words.title_of(new.title), _TITLE)}: {said}{at}."
