"""An incident on its escalation path: whom it pages next, and when it has to be looked at again. Pure.

Each function that changes something changes one ``Draft``, and only it. The rules are ``domain.escalation``.
"""

from datetime import datetime

from desktop.domain import escalation
from desktop.domain.escalation import Event, Exhausted, Page, Progress, Reason
from desktop.domain.incident import Status
from desktop.server import holding
from desktop.server.records import ENGINE, Draft, Entry, Held, Record
from desktop.server.roster import Moment, steps_to_level

_PAGE_TYPES = {
    Reason.STEP: "escalate",
    Reason.ROUND: "repeat_escalation_path",
    Reason.AGAIN: "notify",
    Reason.TIMEOUT: "notify",
    Reason.TAKEOVER: "assign",
}


def take_over(draft: Draft, moment: Moment) -> None:
    """Page whoever took over a role that was already paged.

    What is due is done first: whoever takes over in the very instant at which all are paged again hears it once.
    """
    if draft.record.status is Status.TRIGGERED and not holding.holds_or_lets_go(draft, moment):
        advance(draft, moment)
        record = draft.record
        progress, events = escalation.take_over(record.plan, record.progress, moment.now, moment.who)
        follow(draft, progress, events, moment.now)
    schedule(draft, moment)


def next_level(record: Record) -> int | None:
    """Return the level (from 1) that is paged next, None when all were."""
    done = record.progress.step if not record.progress.round else len(record.plan.steps)
    return next((level for level, end in enumerate(steps_to_level(record.plan), 1) if end > done), None)


def why_not(record: Record, level: int) -> str:
    """Return why an incident cannot be escalated to ``level``; nothing when it can."""
    last, first = len(steps_to_level(record.plan)), next_level(record)
    if not record.open:
        return "it is resolved"
    if not 1 <= level <= last:
        return f"there is no level {level}: there are 1 to {last}" if last else "it has no levels"
    if first is None:
        return f"level {level} was paged already, and so were all others"
    return f"level {level} was paged already: the next one is {first}" if level < first else ""


def acknowledged_until(record: Record) -> datetime | None:
    """Return when the acknowledgement ends, None when it holds for ever (or there is none)."""
    if record.status is Status.ACKNOWLEDGED and record.snoozed_until is not None:
        return record.snoozed_until
    timeout = record.plan.holds(by_person=bool(record.acknowledgements))
    if record.status is not Status.ACKNOWLEDGED or timeout is None:
        return None
    since = [record.changed_at, *(held.at for held in record.acknowledgements)]
    return max(since if record.renewed_at is None else [*since, record.renewed_at]) + timeout


def schedule(draft: Draft, moment: Moment) -> None:
    """Set when the engine has to look at it next."""
    record = draft.record
    times: list[datetime | None] = []
    if record.status is Status.TRIGGERED and record.held_until is not None:
        times = [record.held_until]
    elif record.status is Status.TRIGGERED:
        times = [escalation.next_action_at(record.plan, record.progress, moment.hours), record.resolve_due_at]
    elif record.status is Status.ACKNOWLEDGED:
        times = [acknowledged_until(record), record.resolve_due_at]
    draft.change(next_action_at=min((at for at in times if at is not None), default=None))


def advance(draft: Draft, moment: Moment) -> None:
    """Page whomever its list pages by now."""
    record = draft.record
    progress, events = escalation.advance(record.plan, record.progress, moment.now, moment.who, moment.hours)
    follow(draft, progress, events, moment.now)


def follow(
    draft: Draft,
    progress: Progress,
    events: tuple[Event, ...],
    now: datetime,
    actor: str = ENGINE,
    channel: str = "auto",
) -> None:
    """Take up how far it has come on its list, and do what happened on the way: ``events``."""
    draft.change(progress=progress)
    for event in events:
        if isinstance(event, Exhausted):
            draft.note(Entry("exhaust_escalation_path", now, ENGINE, "auto"))
            draft.change(updated_at=now)
        elif event.people:
            page_people(draft, event, now, actor, channel)


def page_people(draft: Draft, page: Page, now: datetime, actor: str = ENGINE, channel: str = "auto") -> None:
    """Page the people of ``page``, and assign them beside those who are."""
    first = not draft.record.assignments
    assign(draft, page.people, now)
    kind = "assign" if first and page.reason is Reason.STEP else _PAGE_TYPES[page.reason]
    data = {"assignees": list(page.people), "step": page.step, "reason": page.reason.value}
    draft.note(Entry(kind, now, actor, channel, data))
    draft.change(pages=draft.record.pages + 1, updated_at=now)


def assign(draft: Draft, people: tuple[str, ...], now: datetime) -> None:
    """Assign ``people`` who are not yet, beside those who are."""
    assigned = {held.person for held in draft.record.assignments}
    new = tuple(Held(person, now) for person in people if person not in assigned)
    if new:
        draft.change(assignments=draft.record.assignments + new)
