"""A schedule as an iCalendar file. Pure; any thread.

RFC 5545, by the ``icalendar`` library. The same segment keeps its UID, so that a calendar updates it in place.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from icalendar import Calendar, Event

from desktop.domain.flags import Flag
from desktop.domain.segments import Segment, Why, nobody
from desktop.domain.team import Team

_PRODUCT = "-//Watchbell//schedule//EN"
_WHY = {
    Why.WEEK: "as the team file says for this week",
    Why.HOLIDAY: "covers a holiday",
    Why.ABSENCE: "covers an absence",
    Why.COVER: "covers for who covers elsewhere",
    Why.OVERRIDE: "by an override",
}


def calendar(team: Team, segments: Iterable[Segment], made_at: datetime, flagged: Iterable[Flag] = ()) -> bytes:
    """Return ``segments`` as iCalendar; a time with nobody on call is an event as well, and says so.

    What is ``flagged`` within a segment stands in its description.
    """
    names = {p.id: p.name for p in team.people}
    flags = tuple(flagged)
    made = Calendar()
    made.add("prodid", _PRODUCT)
    made.add("version", "2.0")
    for segment in segments:
        made.add_component(_event(segment, names, made_at, [f for f in flags if _within(f.segment, segment)]))
    return bytes(made.to_ical())


def _within(part: Segment, whole: Segment) -> bool:
    return part.role is whole.role and whole.start <= part.start < whole.end


def _event(segment: Segment, names: dict[str, str], made_at: datetime, flags: list[Flag]) -> Event:
    who = names.get(segment.person, segment.person) if segment.person is not None else nobody(segment.role)
    event = Event()
    event.add("uid", f"{_fingerprint(segment)}@watchbell")
    event.add("dtstamp", made_at)
    event.add("dtstart", segment.start)
    event.add("dtend", segment.end)
    event.add("summary", f"{segment.role.value.capitalize()}: {who}")
    why = _WHY.get(segment.why)
    said = [] if why is None else [f"{who} {why}." if segment.person is not None else f"{who}."]
    said += [f"{who}: {doubt}." for doubt in dict.fromkeys(f.doubt.value for f in flags)]
    if said:
        event.add("description", " ".join(said))
    return event


def _fingerprint(segment: Segment) -> str:
    text = f"{segment.role.value} {segment.person} {segment.start.isoformat()}"
    return sha256(text.encode()).hexdigest()[:32]
