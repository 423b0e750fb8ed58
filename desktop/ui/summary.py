"""The state of the watch in a few sentences: what the tray and the status window say. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from desktop.domain.attention import Attention, ConnectionState, Contact, Page, Tray, in_contact
from desktop.domain.incident import OnCall, next_responders
from desktop.ui import words
from desktop.ui.theme import Mark


@dataclass(frozen=True, slots=True)
class Headline:
    """The biggest words of the status window, and the lines below; ``mark`` None is neither good nor bad."""

    text: str
    lines: tuple[str, ...]
    mark: Mark | None


def headline(attention: Attention, states: tuple[ConnectionState, ...], now: datetime) -> Headline:
    """Say what this person is now, and until when; lost contact is said before anything else."""
    if not states and not attention.lost:
        return Headline("Not connected", ("No connection is set up: nothing can page you here.",), Mark.LOST)
    if attention.lost:
        lost = attention.lost[0]
        roles = words.listed([words.name_of(o.role) for o in attention.on_call])
        was = f"When contact broke, you were {roles}." if roles else "Whether you are on call is not known."
        blind = words.spoken(now - lost.since)
        gone = (
            f"{words.no_answer(lost)}, for {blind} now." if lost.settings else f"{words.no_answer(lost)} for {blind}."
        )
        return Headline("Contact lost", (gone, was), Mark.LOST)
    if any(s.snapshot is None for s in states):
        return Headline("Connecting", ("Whether you are on call is not known yet.",), None)
    if attention.unread:
        return Headline("Not all is read", (_unread(attention.unread[0]), *_shifts_line(attention.on_call)), Mark.LOST)
    if not attention.on_call:
        return Headline("You are not on call", (), None)
    return Headline(_role_words(attention.on_call), tuple(_until(attention.on_call, now)), Mark.CALM)


def _unread(name: str) -> str:
    return f"More is open at {words.name_of(name)} than could be read yet. What is assigned to you is asked for first."


def _shifts_line(shifts: tuple[OnCall, ...]) -> tuple[str, ...]:
    return (f"{_role_words(shifts)}.",) if shifts else ()


def _role_words(shifts: tuple[OnCall, ...]) -> str:
    roles = dict.fromkeys(words.name_of(o.role) for o in shifts)
    named = [r for r in roles if r]
    return f"You are {words.listed(named)}" if named else "You are on call"


def _until(shifts: tuple[OnCall, ...], now: datetime) -> list[str]:
    ends = [o.until for o in shifts if o.until is not None]
    if not ends:
        return ["with no end set"]
    end = min(ends)
    return [f"until {words.local_time_and_zone(end, now)}", f"{words.spoken(end - now)} left"]


def pages_line(attention: Attention) -> str:
    """Say how much is open: ``2 open pages, 1 acknowledged``."""
    taken = f"{attention.acknowledged} acknowledged" if attention.acknowledged else ""
    if not attention.pages:
        if attention.lost or attention.unread:
            return "Nothing known to be open"
        return f"Nothing rings, {taken}" if taken else "Nothing is open"
    count = words.plural(len(attention.pages), "open page", "open pages")
    return f"{count}, {taken}" if taken else count


def escalation_line(attention: Attention, now: datetime) -> str:
    """Say what escalates next, when and to whom; empty when nothing does."""
    due = [(at - p.offset, p) for p in attention.pages if (at := p.incident.escalates_at) is not None]
    if not due:
        return ""
    at, page = min(due, key=lambda pair: pair[0])
    if at <= now:
        return "Escalating now"
    to = words.listed([words.name_of(o.person.name) for o in next_responders(page.incident, page.on_call)])
    return f"Next escalation at {words.local_time(at, now)}" + (f", to {to}" if to else "")


def tray_lines(attention: Attention, states: tuple[ConnectionState, ...], now: datetime) -> list[str]:
    """Return the state in words, the most important line first."""
    head = headline(attention, states, now)
    # Minutes are precise enough here: a menu that changes every second closes under the hand on some desktops.
    first = f"{head.text} {head.lines[0]}" if head.mark is Mark.CALM else head.text
    lines = [first.rstrip(), pages_line(attention), escalation_line(attention, now)]
    if attention.lost:
        lines.insert(1, words.no_answer(attention.lost[0]))
    elif attention.unread:
        lines.insert(1, f"More is open at {words.name_of(attention.unread[0])} than could be read yet")
    if attention.muted_until is not None and now < attention.muted_until:
        lines.append(f"Sound off until {words.local_time(attention.muted_until, now)}")
    return [line for line in lines if line]


def tooltip(lines: list[str]) -> str:
    """Return ``lines`` for the tray's tooltip: some desktops read markup in it, so angle brackets are replaced."""
    return "\n".join(["Watchbell", *lines]).replace("<", "‹").replace(">", "›")


def freshness(state: ConnectionState, now: datetime) -> tuple[str, Mark | None]:
    """Say how fresh what a connection told is, and its mark where that matters."""
    if state.names_others:
        return "cannot be read", Mark.LOST
    if in_contact(state, now):
        whole = state.snapshot is None or state.snapshot.whole
        return ("live", Mark.CALM) if whole else ("not all is read", Mark.LOST)
    silent = now - (state.heard_at or state.since)
    if state.contact is Contact.CONNECTING and silent < timedelta(seconds=60):
        return "connecting", None
    return f"silent for {words.spoken(silent)}", Mark.LOST


def roster(states: tuple[ConnectionState, ...]) -> list[tuple[str, str]]:
    """Return each role on call now and who has it (``you``), by level."""
    people: dict[str, list[str]] = {}
    levels: dict[str, int] = {}
    for state in states:
        if state.snapshot is None:
            continue
        for on_call in state.snapshot.on_call:
            role = words.name_of(on_call.role).capitalize() or "On call"
            mine = on_call.person.id == state.snapshot.me.id
            name = "you" if mine else words.name_of(on_call.person.name)
            levels[role] = min(levels.get(role, on_call.level), on_call.level)
            if name not in people.setdefault(role, []):
                people[role].append(name)
    return [(role, words.listed(people[role])) for role in sorted(people, key=lambda r: levels[r])]


def page_state(page: Page) -> str:
    """Say in a word what a page is doing."""
    if page.overdue:
        return "not confirmed"
    if page.sending is not None:
        return "sending"
    if page.failed:
        return "not sent"
    # Of a time in which nobody watched: it is not known whether it still is, and it makes no sound.
    return "as last known" if page.old else "ringing"


def is_on_call(attention: Attention) -> bool:
    """Whether quitting would leave this person deaf while on call, as far as anybody knows."""
    return bool(attention.on_call) or bool(attention.pages) or attention.tray is Tray.LOST
