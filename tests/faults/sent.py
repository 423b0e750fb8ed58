"""Messages against pages, and against what reached the sink: each at least once, and not again once noted. Pure.

The bound on "at least once": a message that the sink took is sent again only when no server noted that it was taken,
and so only when a fault struck between the two; every attempt is counted in its row before it is made.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tests.faults.evidence import Blow, Entry, Evidence, Incident, Weather
from tests.faults.plans import ADDRESSES
from tests.faults.replay import PAGES
from tests.faults.traces import Delivery, Handover, Message, Page

IN_FLIGHT = 3.0
"""How long after a page ended a message that was taken before may still arrive, beyond what the faults excuse."""

CLIMBS_WITHIN = 10.0
"""How long a page may wait for its first message: whoever sends looks every five seconds at the latest."""

# Noting takes at most so long when no fault strikes.
_NOTED_WITHIN = 2.0
# How long a transaction takes in which the clock is looked at twice.
_STEP = 1.0
_SILENT = "sev3"
_TEXT = "text"
_ON_ITS_WAY = ("waiting", "sending")

_Group = tuple[str, str, str]
"""The place, the kind, and the title of the incident: what the sink can tell messages apart by."""


def sent(evidence: Evidence, weather: Weather) -> Iterator[str]:
    """Yield what is wrong with pages and messages."""
    rows = {row.id: row for row in evidence.incidents}
    yield from _pages(evidence.entries, evidence.pages)
    yield from _climbed(evidence, weather, rows)
    yield from _stood_down(evidence, weather, rows)
    yield from _settled(evidence, rows)
    yield from _arrived(evidence, weather, rows)


def duplicates(evidence: Evidence) -> int:
    """Return how many messages the sink took once more after it had taken them."""
    took = sum(1 for d in evidence.deliveries if _taken(d) and d.at <= evidence.ended)
    return took - sum(1 for m in evidence.messages if m.state == "sent")


def _pages(entries: Sequence[Entry], pages: Sequence[Page]) -> Iterator[str]:
    """Every page of the history is a row, and no other is."""
    told: dict[tuple[str, float], set[str]] = defaultdict(set)
    for entry in entries:
        if entry.type in PAGES:
            told[entry.incident, entry.at] |= set(entry.people)
    there: dict[tuple[str, float], set[str]] = defaultdict(set)
    for page in pages:
        there[page.incident, page.at].add(page.person)
    for where in sorted(told.keys() | there.keys()):
        if told[where] != there[where]:
            yield f"{where[0]}: at {where[1]:.2f} {sorted(told[where])} were paged, rows are of {sorted(there[where])}"


def _climbed(evidence: Evidence, weather: Weather, rows: Mapping[str, Incident]) -> Iterator[str]:
    """A page that went on and whose person has another channel has its first message, soon."""
    given_away = _given_away(evidence.entries)
    changes = [e for e in evidence.entries if e.type == "priority_change"]
    # Pages of a severity that is silent climb no ladder, also if it is raised later.
    silent = {row.id for row in evidence.incidents if row.severity == _SILENT}
    silent |= {e.incident for e in changes if _SILENT in (e.data["from"], e.data["to"])}
    made = {(m.incident, m.page, m.person): m.made for m in reversed(evidence.messages) if m.kind == "page"}
    for page in evidence.pages:
        row = rows[page.incident]
        if not ADDRESSES.get(page.person) or page.incident in silent or page.person not in row.assigned:
            continue
        since = page.at - weather.skew(page.at - 1, page.at)
        given = (at for at in given_away.get(page.incident, ()) if at >= since)
        until = min(evidence.ended, evidence.ended if page.ended is None else page.ended, next(given, evidence.ended))
        at = made.get((page.incident, page.number, page.person))
        end = until if at is None else at
        wrong = weather.skew(page.at - 1, end)
        allowed = CLIMBS_WITHIN + 2 * wrong + weather.slow(page.at, end) + weather.blocked(page.at, end + wrong)
        if end - page.at > allowed:
            said = "has no message" if at is None else "had its first message"
            yield f"{row.key}: page {page.number} of {page.person} {said} after {end - page.at:.2f} s"


def _given_away(entries: Sequence[Entry]) -> Mapping[str, Sequence[float]]:
    """Return when each incident was given to others: whose it is not any more needs no message."""
    found: dict[str, list[float]] = defaultdict(list)
    for entry in sorted(entries, key=lambda e: e.at):
        if entry.type == "handed_over" or (entry.type == "assign" and "reason" not in entry.data):
            found[entry.incident].append(entry.at)
    return found


def _stood_down(evidence: Evidence, weather: Weather, rows: Mapping[str, Incident]) -> Iterator[str]:
    """Whoever was messaged for a page hears that it is over, at the same place, but for who ended it.

    Whoever was offered a watch hears instead what became of the handover, unless they answered themselves. So does who
    gave it away, of what went with it.
    """
    offers = {o.incident: (h, o) for h in evidence.handovers for o in h.offers if o.incident is not None}
    enders = {(e.incident, e.at, e.actor) for e in evidence.entries if e.type in ("acknowledge", "resolve", "assign")}
    enders |= {(e.incident, e.at, f"person:{e.data['giver']}") for e in evidence.entries if "giver" in e.data}
    told = {(m.incident, m.place, m.made) for m in evidence.messages if m.kind == "stand_down"}
    over = {(p.incident, p.number, p.person): p.ended for p in evidence.pages if p.ended is not None}
    for m in evidence.messages:
        ended = over.get((m.incident, m.page or 0, m.person))
        if m.kind != "page" or not m.attempts or ended is None:
            continue
        if (m.incident, ended, f"person:{m.person}") in enders:
            continue
        if m.incident in offers:
            handover, offer = offers[m.incident]
            heard = offer.yes is not None or _heard(evidence.messages, m.place, ended, handover, weather)
        else:
            heard = (m.incident, m.place, ended) in told
        if not heard:
            yield f"{rows[m.incident].key}: {m.person} was messaged at {m.place}, and not that it was over"


def _heard(messages: Sequence[Message], place: str, at: float, handover: Handover, weather: Weather) -> bool:
    """Tell whether the step that ended an offer's page ``at`` that time put in what became of the handover, too."""
    wrong = _STEP + weather.skew(at - _STEP, at)
    since = at - wrong - weather.stopped(at - CLIMBS_WITHIN, at)
    watch = f": {handover.role}, {handover.giver.title()}"
    told = (m for m in messages if m.kind == _TEXT and m.place == place and since <= m.made <= at + wrong)
    return any(m.title.startswith("Handover ") and m.title.endswith(watch) for m in told)


def _settled(evidence: Evidence, rows: Mapping[str, Incident]) -> Iterator[str]:
    """After the sink took everything, nothing waits but what came last; nothing ever failed for good."""
    for m in evidence.messages:
        on_its_way = m.state in _ON_ITS_WAY and m.made > evidence.ended - IN_FLIGHT
        if m.state not in ("sent", "cancelled") and not on_its_way:
            about = rows[m.incident].key if m.incident else m.title
            yield f"{about}: message {m.id} ({m.kind} to {m.person}) is {m.state} after {m.attempts}"


def _arrived(evidence: Evidence, weather: Weather, rows: Mapping[str, Incident]) -> Iterator[str]:
    due: dict[_Group, list[Message]] = defaultdict(list)
    for message in evidence.messages:
        if message.title:
            due[message.place, _TEXT, message.title].append(message)
        else:
            due[message.place, message.kind, rows[message.incident].title].append(message)
    there: dict[_Group, list[Delivery]] = defaultdict(list)
    for delivery in evidence.deliveries:
        there[delivery.place, delivery.kind, delivery.title].append(delivery)
    pages: dict[tuple[str, str], list[Page]] = defaultdict(list)
    for page in evidence.pages:
        pages[rows[page.incident].title, page.person].append(page)
    who = {place: person for person, places in ADDRESSES.items() for place in places}
    for group in sorted(due.keys() | there.keys()):
        where = " ".join(group)
        came = [d for d in there[group] if d.at <= evidence.ended]
        yield from (f"{where}: {said}" for said in _counted(due[group], there[group], came, weather))
        if group[1] == _TEXT:
            # It is about no page, and nothing ends it.
            continue
        theirs = pages.get((group[2], who.get(group[0], "")), [])
        yield from (f"{where}: {said}" for said in _allowed(group[1], came, theirs, weather))


def _counted(
    due: Sequence[Message], there: Sequence[Delivery], came: Sequence[Delivery], weather: Weather
) -> Iterator[str]:
    """At least once each; never more often than it was tried; again only where a fault kept it from being noted."""
    noted = sum(1 for m in due if m.state == "sent")
    taken = [d for d in there if _taken(d)]
    if len(taken) < noted:
        yield f"{noted} are noted as sent, {len(taken)} reached the sink"
    tried = sum(m.attempts for m in due)
    if len(came) > tried:
        yield f"the sink saw {len(came)}, and only {tried} were tried"
    surplus = sum(1 for d in came if _taken(d)) - noted
    broken = sum(1 for d in came if _taken(d) and _unnoted(d, weather.blows))
    # At the very end some are not noted yet.
    surplus -= sum(1 for m in due if m.state == "sending")
    if surplus > broken:
        yield f"sent {surplus} times more after it was taken, {broken} of which a fault explains"
    last = max((m.settled or 0.0 for m in due), default=0.0)
    if due and all(m.settled is not None for m in due):
        for d in came:
            if d.at > last + weather.skew(last - 1, d.at) + 0.1 and not _unnoted(d, weather.blows):
                yield f"sent again at {d.at:.2f}, noted at {last:.2f}"


def _allowed(kind: str, came: Sequence[Delivery], pages: Sequence[Page], weather: Weather) -> Iterator[str]:
    """Nobody hears of what they were not paged for, nor is paged for what is over."""
    for d in came:
        wrong = weather.skew(d.at - IN_FLIGHT, d.at)
        before = [p for p in pages if p.at - wrong <= d.at]
        if not before:
            yield f"reached somebody at {d.at:.2f} who was not paged"
        elif kind == "page" and not any(_open(p, d, wrong, weather) for p in before):
            yield f"a page arrived at {d.at:.2f}, when it was over"


def _open(page: Page, delivery: Delivery, wrong: float, weather: Weather) -> bool:
    if page.ended is None:
        return True
    allowed = IN_FLIGHT + 2 * wrong + weather.stopped(page.ended - IN_FLIGHT, delivery.at)
    return delivery.at - page.ended <= allowed


def _taken(delivery: Delivery) -> bool:
    return 200 <= delivery.status < 300


def _unnoted(delivery: Delivery, blows: Sequence[Blow]) -> bool:
    """Tell whether a fault struck between what the sink answered and the note that a server makes of it."""
    struck = (b for b in blows if not b.skew)
    return any(b.began <= delivery.answered + _NOTED_WITHIN and b.mended >= delivery.at for b in struck)
