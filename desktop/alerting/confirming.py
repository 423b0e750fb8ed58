"""What can be confirmed of pages: on the screen, heard, and somebody there. Called on the GUI thread; never blocks."""

from dataclasses import dataclass

from desktop.backends.base import Confirmed, Receipt
from desktop.domain.attention import Attention, Page


@dataclass(frozen=True, slots=True)
class Seen:
    """What screen and sound really do: so many pages are ``shown``, one is ``heard``, somebody ``used`` our windows."""

    shown: int
    heard: bool
    used: bool


class Confirmer:
    """Finds what is new to confirm, each page and each time that it was paged once."""

    def __init__(self) -> None:
        self._done: frozenset[tuple[str, Receipt]] = frozenset()

    def update(self, attention: Attention, seen: Seen) -> list[tuple[str, Receipt]]:
        """Return connection and receipt of whatever became true since the last time."""
        # Where a backend does not count pages, there is nobody to confirm them to.
        pages = [page for page in attention.pages if page.pops_up and not page.old and page.incident.pages > 0]
        heard = seen.heard and attention.sound is not None and attention.muted_until is None
        true = [
            found
            for place, page in enumerate(pages)
            for found in self._true_of(page, shown=place < seen.shown, heard=heard, used=seen.used)
        ]
        new = [found for found in true if found not in self._done]
        current = {(page.connection, page.incident.id, page.incident.pages) for page in pages}
        kept = (found for found in self._done if (found[0], found[1].incident, found[1].page) in current)
        self._done = frozenset((*kept, *new))
        return new

    def _true_of(self, page: Page, *, shown: bool, heard: bool, used: bool) -> list[tuple[str, Receipt]]:
        def receipt(confirmed: Confirmed) -> tuple[str, Receipt]:
            return page.connection, Receipt(page.incident.id, page.incident.pages, confirmed)

        displayed = receipt(Confirmed.DISPLAYED)
        # Whoever typed before the page was there has not seen it.
        there = used and displayed in self._done
        found = ((shown, displayed), (heard, receipt(Confirmed.SOUNDED)), (there, receipt(Confirmed.INPUT)))
        return [each for true, each in found if true]
