"""What a run leaves behind beside incidents: messages, handovers, who was on call. Values, times as in evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sighting:
    """Who was on call for each role, as one server said between ``began`` and ``ended``."""

    began: float
    ended: float
    roles: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Page:
    """A row of ``pages``; ``climbs``: it has, or had, a ladder to climb."""

    incident: str
    number: int
    person: str
    at: float
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A row of ``messages``; ``person`` and ``place`` (of the sink) are whom and where it goes to."""

    id: int
    kind: str
    incident: str
    page: int | None
    person: str
    place: str
    state: str
    attempts: int
    made: float
    settled: float | None = None
    # Of what has words of its own, as offers of a handover have; the title of every other follows from its incident.
    title: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request that reached the sink at ``place``: ``status`` is what it answered, 0 where it broke off instead."""

    place: str
    kind: str
    title: str
    at: float
    answered: float
    status: int


@dataclass(frozen=True, slots=True)
class Offer:
    """Somebody was offered the watch; ``yes`` is None as long as they said nothing."""

    person: str
    at: float
    incident: str | None = None
    yes: bool | None = None
    answered: float | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A point was confirmed or waived for the ``receiver``."""

    point: str
    receiver: str
    by: str
    at: float
    waived: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """Something that a handover made: ``person`` is whom an override put on call, else nobody."""

    kind: str
    thing: str
    at: float
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """A row of ``handovers`` with all that belongs to it; ``closes`` is how often the audit log says that it ended.

    ``told`` are the ends, and the stages before, that people were told of, each with the yes that held then.
    """

    id: str
    key: str
    asker: str
    giver: str
    role: str
    asked: float
    outcome: str | None = None
    ended: float | None = None
    closes: int = 0
    cancelled: float | None = None
    offers: Sequence[Offer] = ()
    confirmed: Sequence[Confirmed] = ()
    made: Sequence[Made] = ()
    told: Sequence[tuple[str, str, float | None]] = ()
