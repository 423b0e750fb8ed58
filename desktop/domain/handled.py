"""Incidents and pages as they went, from which the review is made. Pure values; every time is aware."""

from dataclasses import dataclass
from datetime import datetime

from desktop.domain.severity import Severity
from desktop.domain.working_hours import Span


@dataclass(frozen=True, slots=True)
class Paged:
    """``person`` was paged for an incident at each of ``at`` (not empty), and acknowledged it then, if ever.

    ``acknowledged`` is the first time that they did. ``released`` is when they had no more to do with it (handed on);
    None: with its resolution.
    """

    person: str
    at: tuple[datetime, ...]
    acknowledged: datetime | None = None
    released: datetime | None = None


@dataclass(frozen=True, slots=True)
class Handled:
    """One incident as it went. Only people acknowledge; who resolves without, acknowledged by that.

    *Ended by itself:* resolved, and ``acknowledged`` None. Within the target nobody was late; later, it was missed.

    *Reopened* (``calm``: the times between a resolution and the reopening, in order): one incident, of the month of its
    trigger. What counts of its acknowledgement is the first ring: ``acknowledged`` and the pages before the first of
    ``calm`` ended. ``resolved`` is the last resolution, None while it is open; nobody worked in between.

    *Merged* (``merged_into``: the id of the incident that it ended up in): counted once, under that one. By itself it
    has no times against targets and is neither resolved nor a false alarm; its pages were pages all the same.
    """

    id: str
    severity: Severity
    triggered: datetime
    acknowledged: datetime | None = None
    resolved: datetime | None = None
    false_alarm: bool = False
    pages: tuple[Paged, ...] = ()
    calm: tuple[Span, ...] = ()
    merged_into: str = ""

    @property
    def reopened(self) -> datetime | None:
        """When its first ring was over for good; None for one that was never reopened."""
        return self.calm[0][1] if self.calm else None

    @property
    def first_over(self) -> datetime | None:
        """When its first ring was resolved, None while that is open."""
        return self.calm[0][0] if self.calm else self.resolved

    @property
    def first_acknowledged(self) -> datetime | None:
        """When its first ring was acknowledged, None when nobody did."""
        return self.in_first_ring(self.acknowledged)

    def in_first_ring(self, at: datetime | None) -> datetime | None:
        """Return ``at`` if it is before the first reopening, else None."""
        return at if at is not None and (self.reopened is None or at < self.reopened) else None
