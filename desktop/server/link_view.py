"""What the page of a link says: its person's view of one incident at one instant. Pure; the look is ``link_page``."""

from dataclasses import dataclass
from datetime import timedelta

from desktop.domain.incident import Status
from desktop.domain.text import plain
from desktop.server.escalation_path import acknowledged_until
from desktop.server.link_words import (
    NAME_LIMIT,
    Next,
    Reader,
    Runs,
    escalated_to,
    left_of,
    listed,
    next_of,
    web_address,
    with_roles,
)
from desktop.server.links import Action, Link, possible
from desktop.server.records import Held, Record

TITLE_LIMIT = 200
# Further ahead, an hour without its day would mislead.
_RING_SHOWS = timedelta(hours=12)
CALM, LOST, QUIET = "calm", "lost", "quiet"


@dataclass(frozen=True, slots=True)
class Ring:
    """The time until the escalation: ``left`` of it (1 to 0), which ends in ``seconds``, ``at`` (``clock`` o'clock)."""

    left: float
    seconds: int
    clock: str
    at: str


@dataclass(frozen=True, slots=True)
class Button:
    """What pressing it does: its label says as whom, ``effect`` what follows."""

    label: str
    effect: Runs


@dataclass(frozen=True, slots=True)
class View:
    """One page. ``mark`` names the accent and its shape; ``chip`` says it in words; ``state`` is the state's accent."""

    mark: str
    chip: str
    title: str
    state: str
    verdict: Runs
    more: tuple[str, ...] = ()
    ring: Ring | None = None
    button: Button | None = None
    rows: tuple[tuple[str, str], ...] = ()
    runbook: tuple[str, str] | None = None
    foot: tuple[str, ...] = ()


def view(link: Link, record: Record, reader: Reader) -> View:
    """Return what the person of ``link`` is shown of its incident."""
    ahead = next_of(record, reader.roster) if record.status is Status.TRIGGERED else Next(None)
    state, verdict = _state(record, reader, ahead)
    runbook = reader.directory.service(record.service_id).runbook
    host = web_address(runbook)
    return View(
        mark=record.severity.key,
        chip=f"{record.severity.label} {record.severity.word}",
        title=plain(record.title, TITLE_LIMIT) or "(no title)",
        state=state,
        verdict=verdict,
        more=tuple(_more(link, record, reader)),
        ring=_ring(record, reader, ahead),
        button=_button(link, record, reader),
        rows=_rows(record, reader),
        runbook=(runbook, host) if host else None,
        foot=_foot(link, record, reader),
    )


def _state(record: Record, reader: Reader, ahead: Next) -> tuple[str, Runs]:
    if record.status is Status.RESOLVED:
        by, at = reader.actor(record.changed_by), record.resolved_at or record.changed_at
        return CALM, ((by, True), (" resolved this at ", False), (reader.at(at), True))
    if record.status is Status.ACKNOWLEDGED:
        first = _first(record)
        if first is None:
            said = ((reader.actor(record.changed_by), True), (" acknowledged this at ", False))
            return record.severity.key, (*said, (reader.at(record.changed_at), True), (", but nobody has it", False))
        mine = _mine(record, reader.person)
        by, at = ("You", mine.at) if mine else (reader.name(first.person), first.at)
        return CALM, ((by, True), (" acknowledged this at ", False), (reader.at(at), True))
    return record.severity.key, _ahead(reader, ahead)


def _ahead(reader: Reader, ahead: Next) -> Runs:
    """Say what happens unless somebody acknowledges."""
    if ahead.at is None:
        return (("Nobody has acknowledged this, and nobody is left to escalate to", False),)
    if not ahead.people:
        said = "Escalates to nobody else: those paged are paged again at "
        return ((said, False), (reader.at(ahead.at), True))
    to = with_roles(reader, ahead.people, ahead.at)
    verb = "Starts again from the top, with " if ahead.anew else "Escalates to "
    if ahead.at <= reader.now:
        return ((verb, False), *to, (" now", False))
    return ((verb, False), *to, (" at ", False), (reader.at(ahead.at), True))


def _more(link: Link, record: Record, reader: Reader) -> list[str]:
    """Return the sentences under the state: what the link did, what that means, what is left to do."""
    said = []
    mine = _mine(record, reader.person)
    if link.spent_at is not None and not (link.action is Action.ACKNOWLEDGE and mine and record.open):
        verb = "acknowledged" if link.action is Action.ACKNOWLEDGE else "escalated"
        ended = ", but that has ended" if _ended(link, record) else ""
        said.append(f"You {verb} it at {reader.at(link.spent_at)}{ended}.")
    first = _first(record)
    if record.status is Status.ACKNOWLEDGED and mine and first is not None and first.person != reader.person:
        said.append(f"{reader.name(first.person)} was first, at {reader.at(first.at)}.")
    if record.status is Status.ACKNOWLEDGED and (ends := acknowledged_until(record)):
        until = reader.at(ends)
        if mine:
            said.append(f"It is yours until {until}; a note or a status update renews that.")
        elif first is not None:
            said.append(f"There is nothing for you to do. Not renewed, everyone is paged again at {until}.")
        else:
            said.append(f"Unless somebody takes it, everyone is paged again at {until}.")
    elif record.status is Status.RESOLVED or (first is not None and not mine):
        said.append("There is nothing for you to do.")
    elif record.status is Status.TRIGGERED and link.spent_at is not None:
        said.append("This link is used up. Take the one in the latest message, or open Watchbell.")
    return said


def _ended(link: Link, record: Record) -> bool:
    return record.status is Status.TRIGGERED and link.action is Action.ACKNOWLEDGE


def _ring(record: Record, reader: Reader, ahead: Next) -> Ring | None:
    if ahead.at is None or not ahead.people or not reader.now < ahead.at <= reader.now + _RING_SHOWS:
        return None
    left, seconds = left_of(record.progress, ahead.at, reader.now), int((ahead.at - reader.now).total_seconds())
    return Ring(left, seconds, reader.clock(ahead.at), reader.at(ahead.at))


def _button(link: Link, record: Record, reader: Reader) -> Button | None:
    """Return the button, if the link can act; not to acknowledge what somebody else has, though that would count."""
    if not possible(link, record, reader.now) or (_first(record) and not _mine(record, link.person)):
        return None
    me = reader.name(link.person)
    if link.action is Action.ACKNOWLEDGE:
        stops = "Stops the escalation. Everyone paged is told that you have it."
        effect = stops if record.status is Status.TRIGGERED else "Says that you have it."
        return Button(f"Acknowledge as {me}", ((effect, False),))
    moment = reader.roster.moment(reader.now)
    people = escalated_to(record, moment)
    if not people:
        return Button(f"Escalate as {me}", (("Goes on at once, but nobody who is not paged yet is on call.", False),))
    held = "Ends your acknowledgement and pages " if record.status is Status.ACKNOWLEDGED else "Pages "
    after = " at once. You stay paged." if _assigned(record, link.person) else " at once."
    return Button(f"Escalate as {me}", ((held, False), *with_roles(reader, people, reader.now), (after, False)))


def _rows(record: Record, reader: Reader) -> tuple[tuple[str, str], ...]:
    service = plain(reader.directory.service(record.service_id).name, NAME_LIMIT)
    paged = tuple(held.person for held in record.assignments)
    rows = [
        ("Service", service or record.service_id),
        ("Since", f"{reader.at(record.created_at)}, {reader.ago(record.created_at)}"),
        ("Status", record.status.capitalize()),
    ]
    if record.open:
        holders = tuple(held.person for held in record.acknowledgements)
        rows.append(("Has it", listed(reader, holders) or "nobody yet"))
        rows.append(("Paged", listed(reader, paged) or "nobody: nobody is on call"))
    return tuple(rows)


def _foot(link: Link, record: Record, reader: Reader) -> tuple[str, ...]:
    asked = f"Watchbell, incident {record.number}, as of {reader.at(reader.now)} ({reader.zone.key})."
    if link.spent_at is not None:
        return (asked, f"This link is {reader.name(link.person)}'s and has been used.")
    until = reader.at(link.expires_at)
    return (asked, f"This link is {reader.name(link.person)}'s alone, works once, and ends {until}. Do not forward it.")


def _first(record: Record) -> Held | None:
    return min(record.acknowledgements, key=lambda held: held.at, default=None)


def _mine(record: Record, person: str) -> Held | None:
    return next((held for held in record.acknowledgements if held.person == person), None)


def _assigned(record: Record, person: str) -> bool:
    return any(held.person == person for held in record.assignments)
