"""What can be confirmed of pages: on the screen, heard, and somebody there. Called on the GUI thread; never blocks."""

from dataclasses import dataclass

from desktop.backends.base import Confirmed, Receipt
from desktop.domain.attention import Attention

_NOTHING: frozenset[Confirmed] = frozenset()


@dataclass(frozen=True, slots=True)
class Seen:
    """What screen and sound really do: so many pages are ``shown``, one is ``heard``, somebody ``used`` our windows."""

    shown: int
    heard: bool
    used: bool


class Confirmer:
    """Finds what is new to confirm, each page and each time that it was paged once."""

    def __init__(self) -> None:
        # By connection, incident, and how often it had been paged.
        self._done: dict[tuple[str, str, int], frozenset[Confirmed]] = {}

    def update(self, attention: Attention, seen: Seen) -> list[tuple[str, Receipt]]:
        """Return connection and receipt of whatever became true since the last time."""
        # Where a backend does not count pages, there is nobody to confirm them to.
        pages = [page for page in attention.pages if page.pops_up and not page.old and page.incident.pages > 0]
        heard = seen.heard and attention.sound is not None and attention.muted_until is None
        new: list[tuple[str, Receipt]] = []
        before, self._done = self._done, {}
        for place, page in enumerate(pages):
            key = (page.connection, page.incident.id, page.incident.pages)
            done = before.get(key, _NOTHING)
            found = _new(done, shown=place < seen.shown, heard=heard, used=seen.used)
            new += [(page.connection, Receipt(page.incident.id, page.incident.pages, each)) for each in found]
            self._done[key] = done.union(found) if found else done
        return new


def _new(done: frozenset[Confirmed], *, shown: bool, heard: bool, used: bool) -> list[Confirmed]:
    """Return what is true and not ``done`` yet."""
    # Whoever typed before the page was there has not seen it.
    there = used and Confirmed.DISPLAYED in done
    found = ((shown, Confirmed.DISPLAYED), (heard, Confirmed.SOUNDED), (there, Confirmed.INPUT))
    return [each for true, each in found if true and each not in done]
