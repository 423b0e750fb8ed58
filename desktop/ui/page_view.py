"""What the pop-up says about each page, lost connection and page that went away: formatting only."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from desktop.domain.attention import Lost, Page
from desktop.domain.incident import Incident, Status, next_responders
from desktop.domain.text import isolated, plain
from desktop.ui import words
from desktop.ui.drain import key_of
from desktop.ui.ring import RingState
from desktop.ui.theme import Mark, mark_of

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Face:
    """What every card shows: chip, meta line, title, a text of runs, ring, and the foot's two ends."""

    mark: Mark
    chip: str
    meta: str
    title: str
    text: tuple[words.Run, ...]
    ring: RingState
    foot_left: str = ""
    foot_right: str = ""


@dataclass(frozen=True, slots=True)
class PageView:
    """A page as its card shows it. ``note`` says what became of my command; links are http(s) or empty."""

    key: Key
    face: Face
    busy: bool = False
    note: str = ""
    note_bad: bool = False
    browser: str = ""
    runbook: str = ""


@dataclass(frozen=True, slots=True)
class RowView:
    """A line below the card. ``button`` is empty where there is nothing to press."""

    key: Key
    mark: Mark
    title: str
    right: str = ""
    button: str = ""
    enabled: bool = True
    spoken: str = ""


@dataclass(frozen=True, slots=True)
class Gone:
    """A page that went away at ``since`` (local): its last and, where told, its latest state."""

    page: Page
    latest: Incident | None
    since: datetime


def left_of(page: Page, now: datetime) -> timedelta | None:
    """Return the time to the page's escalation on the server's clock; ``now`` is local. None: none is pending."""
    at = page.incident.escalates_at
    return None if at is None else at - (now + page.offset)


def page_view(page: Page, now: datetime, fraction: float) -> PageView:
    """Return what the card of ``page`` says at ``now`` (local)."""
    incident = page.incident
    severity = incident.severity
    face = Face(
        mark=mark_of(severity),
        chip=f"{severity.label} {severity.word}",
        meta=_meta(page, now),
        title=words.title_of(incident.title),
        text=tuple(_text(page, now)),
        ring=_ring(page, now, fraction),
        foot_left=f"{words.name_of(page.connection_name)} · #{incident.number}",
        foot_right=words.paged(incident, page.me),
    )
    note, bad = _note(page)
    return PageView(
        key=key_of(page),
        face=face,
        busy=page.sending is not None,
        note=note,
        note_bad=bad,
        browser=words.web_link(incident.url),
        runbook=words.web_link(incident.runbook),
    )


def _meta(page: Page, now: datetime) -> str:
    old = f"{words.age(now + page.offset - page.incident.created_at)} ago"
    service = words.name_of(page.incident.service)
    return f"· {isolated(service)} · {old}" if service else f"· {old}"


def _text(page: Page, now: datetime) -> list[words.Run]:
    """Return who asks for help, if anybody does, and what comes next unless somebody has it."""
    asked = words.request_runs(page.incident, page.me)
    if asked and page.incident.status is Status.ACKNOWLEDGED:
        return asked
    return [*asked, (". ", False), *_escalation(page, now)] if asked else _escalation(page, now)


def _escalation(page: Page, now: datetime) -> list[words.Run]:
    incident = page.incident
    at = incident.escalates_at
    if at is None:
        return words.escalation_runs((), None, overdue=False)
    when = words.local_time(at - page.offset, now)
    responders = next_responders(incident, page.on_call)
    return words.escalation_runs(responders, when, overdue=at <= now + page.offset, known=_list_known(page))


def _list_known(page: Page) -> bool:
    """Tell whether the backend told who is on the list of this incident."""
    return any(o.policy == page.incident.policy for o in page.on_call)


def _ring(page: Page, now: datetime, fraction: float) -> RingState:
    mark = mark_of(page.incident.severity)
    left = left_of(page, now)
    if left is None:
        open_for = now + page.offset - page.incident.created_at
        return RingState(words.elapsed(open_for), "open for", 0.0, mark, f"Open for {_coarse(open_for)}")
    digits = words.countdown(left)
    if _list_known(page) and not next_responders(page.incident, page.on_call):
        return RingState(digits, "to next round", fraction, mark, f"{_coarse(left)} to the next round")
    if left <= timedelta(0):
        return RingState(digits, "escalating", 0.0, mark, "Escalating now")
    return RingState(digits, "to escalation", fraction, mark, f"{_coarse(left)} to escalation")


def _coarse(left: timedelta) -> str:
    """Return a duration that changes seldom, so that a screen reader is not told every second."""
    seconds = max(int(left.total_seconds()), 0)
    step = 60 if seconds >= 60 else 10
    return words.spoken(timedelta(seconds=seconds // step * step)) if seconds >= 10 else "less than 10 s"


def _note(page: Page) -> tuple[str, bool]:
    name = words.name_of(page.connection_name)
    if page.overdue:
        said = f"{name} has still not confirmed it, so it rings again. It is tried until there is an answer."
        return f"{said}{_reason(page.trouble)}", True
    if page.sending is not None and page.trouble:
        return f"{name} has not confirmed it yet. It is tried until there is an answer.{_reason(page.trouble)}", False
    if page.sending is not None:
        return f"Sent to {name}, not confirmed yet", False
    if page.failed:
        return f"Not acknowledged: {plain(page.failed, 200)}", True
    return "", False


def row_of(page: Page, now: datetime) -> RowView:
    """Return the compact row of ``page``."""
    left = left_of(page, now)
    title = words.title_of(page.incident.title)
    label = page.incident.severity.label
    return RowView(
        key=key_of(page),
        mark=mark_of(page.incident.severity),
        title=title,
        right="" if left is None else words.countdown(left),
        button="Sending…" if page.sending else "Acknowledge",
        enabled=page.sending is None,
        spoken=f"Acknowledge {label}: {title}",
    )


def lost_face(lost: Lost, now: datetime, *, on_call: bool) -> Face:
    """Return what the card of a lost connection says; ``on_call`` as far as anybody knows."""
    name = words.name_of(lost.connection_name)
    blind = now - lost.since
    title = f"{words.no_answer(lost)}{' while you are on call' if on_call else ': you may be on call'}"
    return Face(
        mark=Mark.LOST,
        chip="Contact lost",
        meta="",
        title=title,
        text=((f"You may be paged without hearing it here. Keep your phone near.{_reason(lost.trouble)}", False),),
        ring=RingState(words.elapsed(blind), "blind for", 1.0, Mark.LOST, f"Blind for {_coarse(blind)}", dashed=True),
        foot_left=f"no contact since {words.local_time(lost.since, now)}:{lost.since.astimezone():%S}",
        foot_right=name,
    )


def _reason(trouble: str) -> str:
    """Return the reason as the last words, as it was given: a host's name or a file's keeps its small letters."""
    return f" Reason: {plain(trouble, 240)}" if trouble else ""


def lost_row(lost: Lost, now: datetime) -> RowView:
    """Return the compact row of a lost connection."""
    name = words.name_of(lost.connection_name)
    return RowView(
        key=(lost.connection, ""),
        mark=Mark.LOST,
        title=words.no_answer(lost),
        right=words.elapsed(now - lost.since),
        button="Try now",
        spoken=f"Try {name} now",
    )


def gone_face(gone: Gone, now: datetime) -> Face:
    """Return what the quiet card of a page that went away says."""
    page, incident = gone.page, gone.latest
    text = _farewell(gone, now)
    known = incident is not None and incident.status is not Status.TRIGGERED
    chip = incident.status.value.capitalize() if known and incident is not None else "Not yours now"
    # Not knowing what became of it must not look like calm.
    mark = Mark.CALM if known else Mark.SEV3
    old = page_view(page, now, 0.0).face
    return replace(
        old,
        mark=mark,
        chip=chip,
        text=((text, False),),
        ring=RingState("", "", 1.0 if known else 0.0, mark, text, done=known),
        foot_right="",
    )


def gone_row(gone: Gone, now: datetime) -> RowView:
    """Return the compact row of a page that went away."""
    face = gone_face(gone, now)
    return RowView(key_of(gone.page), face.mark, _farewell(gone, now) + f": {face.title}")


def _farewell(gone: Gone, now: datetime) -> str:
    said = words.farewell(gone.page.incident, gone.latest, gone.page.me, now + gone.page.offset)
    handed_on = gone.latest is not None and gone.latest.status is Status.TRIGGERED and gone.latest.assignees
    return f"{said} at {words.local_time(gone.since, now)}" if handed_on else said
