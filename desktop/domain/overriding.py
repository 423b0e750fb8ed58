"""Overrides that overlap, made into a plain list of who holds a role when. Pure."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from heapq import heappop, heappush
from itertools import pairwise
from zoneinfo import ZoneInfo

from desktop.domain.team import Override, Role
from desktop.domain.wall import instant

Piece = tuple[datetime, datetime, str]
"""``[start, end)`` and the person."""


class Overriding:
    """The overrides of all roles, ready for questions; of two that overlap the later in the list wins."""

    def __init__(self, overrides: Iterable[Override], zone: ZoneInfo) -> None:
        raw: dict[Role, list[Piece]] = {}
        for override in overrides:
            start, end = instant(override.start, zone), instant(override.end, zone)
            if start < end:
                raw.setdefault(override.role, []).append((start, end, override.person))
        self._pieces = {role: _flat(pieces) for role, pieces in raw.items()}
        self._starts = {role: [start for start, _, _ in pieces] for role, pieces in self._pieces.items()}

    def edges(self) -> set[datetime]:
        """Return every instant at which an override begins or ends to hold."""
        return {t for pieces in self._pieces.values() for start, end, _ in pieces for t in (start, end)}

    def at(self, at: datetime) -> dict[Role, str]:
        """Return who has which role by override at the instant ``at``."""
        found = {}
        for role, pieces in self._pieces.items():
            index = bisect_right(self._starts[role], at) - 1
            if index >= 0 and at < pieces[index][1]:
                found[role] = pieces[index][2]
        return found


def _flat(pieces: list[Piece]) -> list[Piece]:
    """Return ``pieces`` (the later win) without overlap, in order of time."""
    edges = sorted({t for start, end, _ in pieces for t in (start, end)})
    waiting = sorted(range(len(pieces)), key=lambda i: pieces[i][0], reverse=True)
    open_now: list[int] = []
    flat: list[Piece] = []
    for start, end in pairwise(edges):
        while waiting and pieces[waiting[-1]][0] <= start:
            heappush(open_now, -waiting.pop())
        while open_now and pieces[-open_now[0]][1] <= start:
            heappop(open_now)
        if open_now:
            flat.append((start, end, pieces[-open_now[0]][2]))
    return flat
