"""Times, names and lists as the page of a link says them. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from desktop.domain import escalation
from desktop.domain.announcement import spoken
from desktop.domain.escalation import Page, Progress, Reason
from desktop.domain.team import Role
from desktop.domain.text import plain
from desktop.server import escalation_path, present
from desktop.server.directory import Directory
from desktop.server.records import Record
from desktop.server.roster import Moment, Roster, steps_to_level

Run = tuple[str, bool]
Runs = tuple[Run, ...]
"""A sentence in pieces; those with True are what the eye looks for: names and times."""

NAME_LIMIT = 60
_ROLE_WORDS = {Role.EMERGENCY: "emergency contact"}
_NEW = (Reason.STEP, Reason.ROUND)


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom the page speaks to, in which zone, at which instant; what it needs to know of the team."""

    person: str
    now: datetime
    directory: Directory
    roster: Roster

    @property
    def zone(self) -> ZoneInfo:
        """The person's zone, else the team's."""
        own = self.directory.person(self.person).time_zone
        return ZoneInfo(own) if own else self.roster.team.time_zone

    def at(self, at: datetime) -> str:
        """Return ``03:29 PST`` for today, ``Mon 30 Nov, 09:00 PST`` otherwise."""
        here, today = at.astimezone(self.zone), self.now.astimezone(self.zone)
        day = "" if here.date() == today.date() else f"{here:%a} {here.day} {here:%b}, "
        return f"{day}{self.clock(at)} {_zone_name(here)}"

    def clock(self, at: datetime) -> str:
        """Return ``03:29``."""
        return f"{at.astimezone(self.zone):%H:%M}"

    def ago(self, at: datetime) -> str:
        """Return ``12 min ago``."""
        passed = self.now - at
        return "just now" if passed < timedelta(minutes=1) else f"{spoken(passed)} ago"

    def name(self, person: str) -> str:
        """Return the name of ``person``."""
        return plain(self.directory.person(person).name, NAME_LIMIT) or person

    def you(self, person: str) -> str:
        """Return ``You``, or the name of somebody else."""
        return "You" if person == self.person else self.name(person)

    def actor(self, actor: str) -> str:
        """Return who did something, as a log entry names them."""
        kind, _, name = actor.partition(":")
        if kind == "person":
            return self.you(name)
        return plain(self.directory.service(name).name, NAME_LIMIT) if kind == "service" else "Watchbell"


@dataclass(frozen=True, slots=True)
class Next:
    """What escalation does by itself next: ``people`` are paged ``at`` that instant; nobody where nobody new comes.

    ``anew``: it starts from the top with them.
    """

    at: datetime | None
    people: tuple[str, ...] = ()
    anew: bool = False


def next_of(record: Record, roster: Roster) -> Next:
    """Return what happens to a triggered incident unless somebody acknowledges: the rules are asked, as of then."""
    due = escalation.next_step_at(record.plan, record.progress, roster.hours)
    if due is None or not present.pending_actions(record, roster):
        return Next(record.progress.again_at)
    moment = roster.moment(due)
    _, events = escalation.advance(record.plan, record.progress, due, moment.who, moment.hours)
    pages = [event for event in events if isinstance(event, Page) and event.reason in _NEW]
    people = tuple(person for page in pages for person in page.people)
    return Next(due, people, any(page.reason is Reason.ROUND and page.step == 1 for page in pages))


def escalated_to(record: Record, moment: Moment) -> tuple[str, ...]:
    """Return who would be paged if somebody escalated ``record`` by one level now."""
    level = escalation_path.next_level(record)
    if level is None:
        return ()
    upto = steps_to_level(record.plan)[level - 1]
    _, events = escalation.escalate(record.plan, record.progress, moment.now, upto, moment.who)
    return tuple(person for event in events if isinstance(event, Page) for person in event.people)


def with_roles(reader: Reader, people: tuple[str, ...], at: datetime) -> Runs:
    """Return ``Ben Okafor (secondary) and 2 more``: those who are paged ``at`` that instant, each with their role."""
    runs: list[Run] = []
    for index, person in enumerate(people[:2]):
        runs += [(" and ", False)] if index else []
        role = _role(reader.roster, person, at)
        runs += [("you" if person == reader.person else reader.name(person), True)]
        runs += [(f" ({role})", False)] if role else []
    more = len(people) - 2
    return (*runs, (f" and {more} more", False)) if more > 0 else tuple(runs)


def listed(reader: Reader, people: tuple[str, ...]) -> str:
    """Return ``you, Ben Okafor and 2 more``."""
    others = [reader.name(person) for person in people if person != reader.person]
    names = ["you", *others] if reader.person in people else others
    if len(names) > 4:
        names = [*names[:3], f"{len(names) - 3} more"]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def left_of(progress: Progress, due: datetime, now: datetime) -> float:
    """Return how much is left of the time until ``due``, from 1 (just paged) to 0."""
    whole = due - (progress.fired_at or progress.base)
    return min(max((due - now) / whole, 0.0), 1.0) if whole > timedelta(0) else 0.0


def web_address(url: str) -> str:
    """Return the host of a runbook that a browser may be given, empty for anything else."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    good = parts.scheme in {"http", "https"} and parts.username is None and plain(url, 2000) == url
    return plain(parts.hostname or "", 80) if good else ""


def _role(roster: Roster, person: str, at: datetime) -> str:
    found = next((role for role in Role if role is not Role.SHADOW and person in roster.holders(role, at)), None)
    return "" if found is None else _ROLE_WORDS.get(found, found.value)


def _zone_name(here: datetime) -> str:
    name = here.tzname() or ""
    return name if name[:1].isalpha() else f"UTC{name}"
