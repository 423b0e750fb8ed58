"""Covers that go round in a circle: A is away, covered by B, who is away then, covered by A. Pure; any thread."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

# A search that has met so many people is given up: covering never goes round itself (``covering.Presence.covers``), so
# that a circle not told of does no harm, while a file may hold thousands of absences.
_FAR = 500


@dataclass(frozen=True, slots=True)
class Covered:
    """Absence ``number`` of the file: ``cover`` stands in for ``person`` in ``[start, end)``, two instants."""

    number: int
    person: str
    cover: str
    start: datetime
    end: datetime


_Covers = dict[str, dict[str, Covered]]
"""Who covers whom, by the person covered, then the cover; of several absences the one that ends last."""


def circles(absences: Iterable[Covered]) -> Iterator[tuple[Covered, ...]]:
    """Yield the circles, each once and from its first absence in the file on.

    A circle closes when the last of its absences begins: that is the only instant at which it is looked for.
    """
    covers: _Covers = {}
    told: set[tuple[datetime, frozenset[str]]] = set()
    for absence in sorted(absences, key=attrgetter("start")):
        those = covers.setdefault(absence.person, {})
        known = those.get(absence.cover)
        if known is None or known.end < absence.end:
            those[absence.cover] = absence
        if known is None or known.end <= absence.start:
            circle = _closed_by(absence, covers)
            # The same people may go round again at another time; at one time several absences can close one circle.
            key = absence.start, frozenset(each.person for each in circle)
            if circle and key not in told:
                told.add(key)
                yield _from_first(circle)


def _closed_by(last: Covered, covers: _Covers) -> list[Covered]:
    """Return the absences of a circle that ``last`` closes as it begins, ``last`` at its end; empty when none."""
    met = {last.cover: last}
    queue = [last.cover]
    while queue and last.person not in met and len(met) < _FAR:
        for cover, absence in covers.get(queue.pop(), {}).items():
            if cover not in met and last.start < absence.end:
                met[cover] = absence
                queue.append(cover)
    return _way(last, met) if last.person in met else []


def _way(last: Covered, met: dict[str, Covered]) -> list[Covered]:
    """Return the absences by which the person of ``last`` was met, in the order in which one covers the other."""
    way = [met[last.person]]
    while way[-1] is not last:
        way.append(met[way[-1].person])
    return way[::-1]


def _from_first(circle: list[Covered]) -> tuple[Covered, ...]:
    first = circle.index(min(circle, key=attrgetter("number")))
    return (*circle[first:], *circle[:first])
