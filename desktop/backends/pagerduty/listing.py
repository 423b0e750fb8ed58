"""Lists that are read page by page, and what of them was not read. Pure but for what it is given to ask with.

PagerDuty refuses ``offset + limit`` past 10,000: incidents are asked for newest first, so that what is cut off is old.
Each page is a request of the 960 a minute: where very many are open, a look takes a part of them, and the next goes on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from desktop.domain.incident import Incident

PAGE = 100
# PagerDuty refuses offset + limit past this.
MOST = 10_000
# How many pages one look takes at most.
LOOK = 10

Ask = Callable[[int, int], tuple[Sequence[Incident], bool]]
"""Returns up to ``limit`` incidents from ``offset`` on, the newest first, and whether there are more."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What was read, each once; ``whole`` unless something that is there was not read."""

    incidents: tuple[Incident, ...]
    whole: bool


@dataclass
class Sweep:
    """Goes through a long list a part at a time, again and again.

    ``fresh`` are those read by the latest ``read``, by their ids; ``known`` is all that is known of the others.
    """

    fresh: dict[str, Incident] = field(default_factory=dict)
    known: dict[str, Incident] = field(default_factory=dict)
    # Whether the list was read from end to end: at once; and at all.
    at_once: bool = False
    whole: bool = False
    _found: dict[str, Incident] = field(default_factory=dict)
    _offset: int = 0

    def read(self, ask: Ask, pages: int) -> None:
        """Read ``pages`` more of them at most; ends with the list, and the next begins it anew."""
        from_the_top = self._offset == 0
        self.at_once, self.fresh = False, {}
        for _ in range(pages):
            page, more = ask(min(PAGE, MOST - self._offset), self._offset)
            self._offset += len(page)
            self.fresh |= {i.id: i for i in page}
            if not page or not more or self._offset >= MOST:
                self._end(whole=not more, at_once=from_the_top)
                return
        self._found |= self.fresh
        self.known |= self.fresh

    def _end(self, *, whole: bool, at_once: bool) -> None:
        self.known = self._found | self.fresh
        self.whole, self.at_once = whole, whole and at_once
        self._found, self._offset = {}, 0


def read_all(ask: Ask) -> Listed:
    """Read as much as there is and as PagerDuty gives."""
    sweep = Sweep()
    sweep.read(ask, MOST // PAGE)
    return Listed(tuple(sweep.known.values()), sweep.whole)


def both(everything: Ask, urgent: Ask) -> Listed:
    """Read ``everything``; where that does not go on to its end, what is ``urgent`` of it is not left out for that."""
    found = read_all(everything)
    if found.whole:
        return found
    return Listed(tuple({i.id: i for i in (*found.incidents, *read_all(urgent).incidents)}.values()), whole=False)


def with_mine(sweep: Sweep, mine: Listed, me: str) -> Listed:
    """Return all that is known where ``sweep`` could not read everything at once: ``mine`` are those of ``me`` now.

    What an earlier look took for mine, and is not among mine, is not told of as that.
    """
    now = sweep.fresh | {i.id: i for i in mine.incidents}
    others = {i.id: i for i in sweep.known.values() if i.id not in now and not i.assigned_to(me)}
    return Listed((*others.values(), *now.values()), sweep.whole and mine.whole)
