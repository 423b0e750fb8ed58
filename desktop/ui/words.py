"""How times, people and incidents read on the screen. Pure; no Qt, no clock.

Sentence case, no exclamation marks, times in the person's zone, the zone named where a mistake would cost something.
"""

from datetime import datetime, timedelta, tzinfo
from math import ceil
from urllib.parse import urlsplit

from desktop.domain.attention import Lost
from desktop.domain.incident import Incident, OnCall, Person, Status
from desktop.domain.text import isolated, plain

TITLE_LIMIT = 300
NAME_LIMIT = 60
URL_LIMIT = 2000
REQUEST_LIMIT = 160

_SOON = timedelta(seconds=5)

# A run of text and whether it is bold.
Run = tuple[str, bool]


def title_of(text: str) -> str:
    """Return an incident's title as the screen shows it: one plain line, never empty."""
    return plain(text, TITLE_LIMIT) or "(no title)"


def name_of(text: str) -> str:
    """Return a person's, service's or connection's name: one plain, short line."""
    return plain(text, NAME_LIMIT)


def countdown(left: timedelta) -> str:
    """Return ``14:32`` or ``1:02:03``; a started second counts whole, the past is ``0:00``."""
    seconds = max(ceil(left.total_seconds()), 0)
    return _digits(seconds)


def elapsed(passed: timedelta) -> str:
    """Return a duration that grows as digits, ``1:34``; whole seconds only."""
    return _digits(max(int(passed.total_seconds()), 0))


def _digits(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def age(passed: timedelta) -> str:
    """Return how old something is: ``0:28``, ``22 min``, ``2 h``, ``3 days``."""
    seconds = max(int(passed.total_seconds()), 0)
    if seconds < 600:
        return _digits(seconds)
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 172_800:
        return f"{seconds // 3600} h"
    return f"{seconds // 86_400} days"


def spoken(passed: timedelta) -> str:
    """Return a duration in words, its two largest units: ``1 min 34 s``, ``4 days 3 hours``."""
    seconds = max(int(passed.total_seconds()), 0)
    units = ((86_400, " day"), (3600, " hour"), (60, " min"), (1, " s"))
    parts = []
    for size, name in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{name}{'s' if size >= 3600 and count > 1 else ''}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def roughly(passed: timedelta) -> str:
    """Return how long something took, no more precisely than matters: ``12 s``, ``3 min``, ``8 hours 52 min``."""
    seconds = passed.total_seconds()
    return spoken(timedelta(minutes=round(seconds / 60))) if seconds >= 120 else spoken(passed)


def local_time(at: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """Return ``03:29`` for today, ``Mon 30 Nov, 09:00`` otherwise, in ``zone`` (None: the machine's)."""
    here, today = at.astimezone(zone), now.astimezone(zone)
    if here.date() == today.date():
        return f"{here:%H:%M}"
    year = f" {here:%Y}" if here.year != today.year else ""
    return f"{here:%a} {here.day} {here:%b}{year}, {here:%H:%M}"


def local_time_and_zone(at: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """Return ``local_time`` with the zone's name: ``Mon 30 Nov, 09:00 PST``."""
    here = at.astimezone(zone)
    return f"{local_time(at, now, zone)} {here.tzname() or ''}".rstrip()


def listed(names: list[str]) -> str:
    """Return ``Ana``, ``Ana and Ben``, ``Ana, Ben and 2 more``."""
    if len(names) > 3:
        names = [*names[:2], f"{len(names) - 2} more"]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def escalation_runs(responders: tuple[OnCall, ...], at: str | None, *, overdue: bool, known: bool = False) -> list[Run]:
    """Return "Escalates to **Ben Okafor** (secondary) at 03:29" in runs; ``at`` is None when nothing is pending.

    ``known`` says whether the list of this incident is known: then no responders means that nobody new comes.
    """
    if at is None:
        return [("No further escalation: nobody comes after you", False)]
    if not responders and known:
        return [("Nobody is left to escalate to: the same are paged again", False)]
    when = " now" if overdue else f" at\N{NO-BREAK SPACE}{at}"
    verb = "Escalating" if overdue else "Escalates"
    if not responders:
        return [(f"{verb}{when}", False)]
    runs: list[Run] = [(f"{verb} to ", False)]
    for index, who in enumerate(responders[:2]):
        joint = " and " if index else ""
        role = f" ({name_of(who.role)})" if who.role else ""
        runs += [(joint, False), (name_of(who.person.name), True), (role, False)]
    more = len(responders) - 2
    runs.append((f" and {more} more{when}" if more > 0 else when, False))
    return [r for r in runs if r[0]]


def no_answer(lost: Lost) -> str:
    """Return what is lost: ``No answer from PagerDuty``."""
    name = name_of(lost.connection_name)
    return f"{name} cannot be read" if lost.settings else f"No answer from {name}"


def request_runs(incident: Incident, me: Person) -> list[Run]:
    """Return who asks ``me`` to help and for what, and who has the incident; nothing where nobody asks."""
    request = incident.request_to(me.id)
    if request is None:
        return []
    has = [] if incident.status is Status.TRIGGERED else [a.person for a in incident.acknowledgements]
    asker = (name_of(request.by.name) or "Somebody", True)
    message = f": {isolated(plain(request.message, REQUEST_LIMIT))}" if request.message else ""
    if request.by.id in {p.id for p in has}:
        return [asker, (f" has it, and asks you to help{message}", False)]
    others = f". {listed([name_of(p.name) for p in has])} has it" if len(has) == 1 else ""
    if len(has) > 1:
        others = f". {listed([name_of(p.name) for p in has])} have it"
    return [asker, (f" asks you to help{message}{others}", False)]


def paged(incident: Incident, me: Person) -> str:
    """Return who was paged, me first: ``paged: you, Ben Okafor``."""
    others = [name_of(p.name) for p in incident.assignees if p.id != me.id]
    mine = ["you"] if incident.concerns(me.id) else []
    return f"paged: {listed([*mine, *others])}" if mine or others else ""


def farewell(before: Incident, incident: Incident | None, me: Person, server_now: datetime) -> str:
    """Say why a page went away: ``before`` it did, and ``incident`` as it is now, None when that is not known."""
    if incident is None:
        return "It no longer pages you"
    if incident.status is Status.RESOLVED:
        by = incident.resolved_by
        return f"{_who(by, me)} resolved it" if by else "It is resolved"
    if incident.status is Status.ACKNOWLEDGED and incident.acknowledgements:
        return _taken(before, incident, me, server_now)
    others = [name_of(p.name) for p in incident.assignees]
    if not others or incident.concerns(me.id):
        return "It no longer pages you"
    due = before.escalates_at
    # A backend is a little late, and a clock a little off.
    passed = due is not None and due - server_now < _SOON
    return f"It escalated past you to {listed(others)}" if passed else f"It was given to {listed(others)}"


def _taken(before: Incident, incident: Incident, me: Person, server_now: datetime) -> str:
    """Say by whose acknowledgement a page went away, or that it did since nobody asks for help any more."""
    last = max(incident.acknowledgements, key=lambda a: a.at)
    if last.person.id == me.id:
        return "You acknowledged it, and that is confirmed"
    if before.status is Status.ACKNOWLEDGED and before.request_to(me.id) and not incident.acknowledged_by(me.id):
        return "It no longer asks for your help"
    return f"{_who(last.person, me)} acknowledged it {spoken(server_now - last.at)} ago"


def _who(person: Person, me: Person) -> str:
    return "You" if person.id == me.id else name_of(person.name)


def web_link(url: str) -> str:
    """Return ``url`` when it is a plain http(s) address that a browser may be given, else ``""``."""
    if len(url) > URL_LIMIT or plain(url, URL_LIMIT) != url or " " in url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    # A user name before the host makes an address look as if it led elsewhere.
    good = parts.scheme in {"http", "https"} and parts.hostname and parts.username is None
    return url if good else ""


def plural(count: int, one: str, many: str) -> str:
    """Return ``1 page`` or ``3 pages``."""
    return f"{count} {one if count == 1 else many}"
