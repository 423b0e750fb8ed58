"""What can become of an incident: each function changes one ``Draft``, and only it. Pure.

The rules of who is paged when are ``domain.escalation``, those of who is told ``domain.notices``; here they meet the
state of an incident.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from desktop.domain import escalation, notices
from desktop.domain.escalation import Event, Exhausted, Page, Progress, Reason
from desktop.domain.incident import Status
from desktop.domain.notices import Notice
from desktop.domain.severity import Severity, Urgency, wakes_anew
from desktop.server import holding
from desktop.server.contributions import joined
from desktop.server.failures import ALREADY_RESOLVED, CANNOT_ESCALATE, refused
from desktop.server.records import ENGINE, Draft, Entry, Held, Record
from desktop.server.roster import Moment, steps_to_level

# A dedup key that fires again this soon after its incident was resolved is the same trouble (design, section 3).
REOPEN_WITHIN_MINUTES: Final = 10

_PAGE_TYPES = {
    Reason.STEP: "escalate",
    Reason.ROUND: "repeat_escalation_path",
    Reason.AGAIN: "notify",
    Reason.TIMEOUT: "notify",
    Reason.TAKEOVER: "assign",
}


def work_off(draft: Draft, moment: Moment) -> None:
    """Do what is due: escalate, page again, end an acknowledgement that held its time, tell that one is overdue."""
    record = draft.record
    if record.status is Status.TRIGGERED and holding.goes_on(draft, moment):
        schedule(draft, moment)
        return
    if record.status is Status.TRIGGERED:
        _advance(draft, moment)
    elif record.status is Status.ACKNOWLEDGED and (ends := acknowledged_until(record)) and ends <= moment.now:
        unacknowledge(draft, moment, ENGINE, channel="timeout")
    if record.open and (due := record.resolve_due_at) and due <= moment.now:
        _tell(draft, Notice.OVERDUE, notices.told_of_overdue(moment.who), moment.now, ENGINE)
        draft.change(overdue_told_at=moment.now)
    schedule(draft, moment)


def take_over(draft: Draft, moment: Moment) -> None:
    """Page whoever took over a role that was already paged.

    What is due is done first: whoever takes over in the very instant at which all are paged again hears it once.
    """
    if draft.record.status is Status.TRIGGERED and not holding.goes_on(draft, moment):
        _advance(draft, moment)
        record = draft.record
        progress, events = escalation.take_over(record.plan, record.progress, moment.now, moment.who)
        _apply(draft, progress, events, moment.now)
    schedule(draft, moment)


def acknowledge(draft: Draft, moment: Moment, actor: str, person: str | None, channel: str = "api") -> None:
    """Acknowledge for ``person`` (None: an integration did); doing so twice changes nothing."""
    record = draft.record
    if record.status is Status.RESOLVED:
        raise refused(ALREADY_RESOLVED, "Incident Already Resolved", f"incident {record.number} is already resolved")
    if any(held.person == person for held in record.acknowledgements):
        return
    if person is None and record.status is Status.ACKNOWLEDGED:
        return
    if person is not None:
        _assign(draft, (person,), moment.now)
        draft.change(acknowledgements=(*draft.record.acknowledgements, Held(person, moment.now)))
        # Whoever takes it anew has the whole time for it, however long somebody else meant to look away.
        draft.change(snoozed_until=None, responders=joined(draft.record.responders, person, moment.now))
        progress = draft.record.progress
        if person not in progress.ever:
            draft.change(progress=replace(progress, ever=(*progress.ever, person)))
    draft.note(Entry("acknowledge", moment.now, actor, channel))
    if record.status is not Status.ACKNOWLEDGED:
        _status(draft, Status.ACKNOWLEDGED, moment.now, actor)
        if told := notices.stand_down(record.progress.ever, person):
            _tell(draft, Notice.STAND_DOWN, told, moment.now, actor)
    schedule(draft, moment)


def renew(draft: Draft, moment: Moment, actor: str, what: str) -> None:
    """Let an acknowledgement hold its whole time from now, for ``what`` ("note", "status_update") was written."""
    if draft.record.status is Status.ACKNOWLEDGED:
        draft.change(renewed_at=moment.now)
        draft.note(Entry("renew", moment.now, actor, data={"by": what}))
    schedule(draft, moment)


def unacknowledge(draft: Draft, moment: Moment, actor: str, channel: str = "api", why: str = "") -> None:
    """Make an acknowledged incident triggered again: everyone assigned is paged at once, or after maintenance.

    The history says ``why``, where it is not clear from who did it.
    """
    record = draft.record
    if record.status is not Status.ACKNOWLEDGED:
        return
    _status(draft, Status.TRIGGERED, moment.now, actor)
    draft.change(acknowledgements=())
    draft.note(Entry("unacknowledge", moment.now, actor, channel, {"message": why} if why else {}))
    if holding.goes_on(draft, moment):
        schedule(draft, moment)
        return
    record = draft.record
    progress, events = escalation.resume(record.plan, record.progress, moment.now, moment.who, moment.hours)
    _apply(draft, progress, events, moment.now)
    # The shift may have changed while somebody had it.
    take_over(draft, moment)


def resolve(draft: Draft, moment: Moment, actor: str, resolution: str = "") -> None:
    """Resolve; an incident that is resolved already is refused."""
    record = draft.record
    if record.status is Status.RESOLVED:
        raise refused(ALREADY_RESOLVED, "Incident Already Resolved", f"incident {record.number} is already resolved")
    _status(draft, Status.RESOLVED, moment.now, actor)
    draft.change(resolved_at=moment.now, held_until=None)
    draft.note(Entry("resolve", moment.now, actor, data={"resolution": resolution} if resolution else {}))
    schedule(draft, moment)


def reopen(
    draft: Draft,
    moment: Moment,
    actor: str,
    data: Mapping[str, object] | None = None,
    held_until: datetime | None = None,
) -> None:
    """Make a resolved incident triggered again: everyone assigned hears it once, and it escalates from the top.

    Not before ``held_until``, when its service is under maintenance.
    """
    record = draft.record
    _status(draft, Status.TRIGGERED, moment.now, actor)
    draft.change(
        resolved_at=None,
        acknowledgements=(),
        flaps=record.flaps + 1,
        progress=escalation.begin_again(record.plan, record.progress, moment.now),
    )
    draft.note(Entry("trigger", moment.now, actor, data={**(data or {}), "reopened": True}))
    if held_until is not None:
        holding.hold(draft, moment, held_until)
    work_off(draft, moment)
    if draft.record.held_until is not None:
        return
    if draft.record.pages == record.pages and draft.record.assignments:
        # Nobody of the list was new (direct assignment): those assigned hear it all the same.
        _page(draft, Page(draft.record.progress.ever, 0, Reason.AGAIN), moment.now)


def set_severity(draft: Draft, moment: Moment, actor: str, severity: Severity) -> None:
    """Change the severity; a raised one picks its list again, counted from now (design, section 3).

    So is an acknowledgement counted from now; it ends when the incident became worth waking people for, unless
    whoever raised it is who has it. A resolved incident follows the raised list once it is reopened.
    """
    record = draft.record
    if severity is record.severity:
        return
    draft.change(severity=severity, urgency=severity.urgency, severity_note="", updated_at=moment.now)
    draft.note(Entry("priority_change", moment.now, actor, data={"from": record.severity.key, "to": severity.key}))
    if severity < record.severity:
        _count_from(draft, moment.now)
        if record.escalates_as is not None:
            draft.change(escalates_as=severity)
            draft.change(progress=escalation.begin_again(draft.record.plan, record.progress, moment.now))
        holders = {f"person:{held.person}" for held in record.acknowledgements}
        if wakes_anew(record.severity, severity) and actor not in holders:
            why = f"Acknowledged as {record.severity.label}, it has become {severity.label}: it pages again."
            unacknowledge(draft, moment, actor, "auto", why)
    work_off(draft, moment)


def set_urgency(draft: Draft, moment: Moment, actor: str, urgency: Urgency) -> None:
    """Change the urgency alone."""
    if urgency is not draft.record.urgency:
        draft.change(urgency=urgency, updated_at=moment.now)
        draft.note(Entry("urgency_change", moment.now, actor, data={"to": urgency.value}))


def set_title(draft: Draft, moment: Moment, actor: str, title: str) -> None:
    """Change the title, keeping the old one in the history."""
    if title != draft.record.title:
        draft.note(Entry("field_value_change", moment.now, actor, data={"title": title, "was": draft.record.title}))
        draft.change(title=title, updated_at=moment.now)


def next_level(record: Record) -> int | None:
    """Return the level (from 1) that is paged next, None when all were."""
    done = record.progress.step if not record.progress.round else len(record.plan.steps)
    return next((level for level, end in enumerate(steps_to_level(record.plan), 1) if end > done), None)


def escalate(draft: Draft, moment: Moment, actor: str, level: int, channel: str = "api") -> None:
    """Escalate to ``level`` (from 1) now; an acknowledged incident is triggered again."""
    record = draft.record
    ends, first = steps_to_level(record.plan), next_level(record)
    if not record.open or first is None or not first <= level <= len(ends):
        raise refused(CANNOT_ESCALATE, "Incident Cannot Be Escalated", f"there is no level {level} to escalate to")
    # A person asks for it: maintenance or not.
    draft.change(held_until=None)
    if record.status is Status.ACKNOWLEDGED:
        _status(draft, Status.TRIGGERED, moment.now, actor)
        draft.change(acknowledgements=())
    progress, events = escalation.escalate(record.plan, record.progress, moment.now, ends[level - 1], moment.who)
    _apply(draft, progress, events, moment.now, actor, channel)
    take_over(draft, moment)


def assign_directly(draft: Draft, moment: Moment, actor: str, people: tuple[str, ...]) -> None:
    """Give it to ``people`` alone and page them: from now on it does not escalate, only pages them again."""
    record = draft.record
    held = {h.person: h for h in record.assignments}
    draft.change(
        assignments=tuple(held.get(p, Held(p, moment.now)) for p in people),
        acknowledgements=(),
        escalates_as=None,
        held_until=None,
        progress=Progress(base=moment.now, paged=people, ever=people, again_at=moment.now + record.plan.page_again),
        updated_at=moment.now,
    )
    if record.status is Status.ACKNOWLEDGED:
        _status(draft, Status.TRIGGERED, moment.now, actor)
    draft.note(Entry("assign", moment.now, actor, data={"assignees": list(people)}))
    draft.change(pages=draft.record.pages + 1)
    schedule(draft, moment)


def delegate(draft: Draft, moment: Moment, actor: str, severity: Severity) -> None:
    """Let it escalate along the list of ``severity``, from its top, keeping who is assigned."""
    record = draft.record
    draft.change(escalates_as=severity, updated_at=moment.now)
    _count_from(draft, moment.now)
    draft.change(progress=escalation.begin_again(draft.record.plan, record.progress, moment.now))
    draft.note(Entry("delegate", moment.now, actor, data={"escalation_policy": severity.key}))
    work_off(draft, moment)


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


def _advance(draft: Draft, moment: Moment) -> None:
    record = draft.record
    progress, events = escalation.advance(record.plan, record.progress, moment.now, moment.who, moment.hours)
    _apply(draft, progress, events, moment.now)


def _count_from(draft: Draft, now: datetime) -> None:
    """Let an acknowledgement, if there is one, hold its time from ``now``: the list, and with it the time, changed."""
    if draft.record.status is Status.ACKNOWLEDGED:
        draft.change(renewed_at=now)


def _tell(draft: Draft, notice: Notice, people: tuple[str, ...], now: datetime, actor: str) -> None:
    """Write into the history that ``people`` are told: it pages nobody."""
    draft.note(Entry(notice.value, now, actor, "auto", {"told": list(people)}))
    draft.change(updated_at=now)


def _apply(
    draft: Draft,
    progress: Progress,
    events: tuple[Event, ...],
    now: datetime,
    actor: str = ENGINE,
    channel: str = "auto",
) -> None:
    draft.change(progress=progress)
    for event in events:
        if isinstance(event, Exhausted):
            draft.note(Entry("exhaust_escalation_path", now, ENGINE, "auto"))
            draft.change(updated_at=now)
        elif event.people:
            _page(draft, event, now, actor, channel)


def _page(draft: Draft, page: Page, now: datetime, actor: str = ENGINE, channel: str = "auto") -> None:
    first = not draft.record.assignments
    _assign(draft, page.people, now)
    kind = "assign" if first and page.reason is Reason.STEP else _PAGE_TYPES[page.reason]
    data = {"assignees": list(page.people), "step": page.step, "reason": page.reason.value}
    draft.note(Entry(kind, now, actor, channel, data))
    draft.change(pages=draft.record.pages + 1, updated_at=now)


def _assign(draft: Draft, people: tuple[str, ...], now: datetime) -> None:
    assigned = {held.person for held in draft.record.assignments}
    new = tuple(Held(person, now) for person in people if person not in assigned)
    if new:
        draft.change(assignments=draft.record.assignments + new)


def _status(draft: Draft, status: Status, now: datetime, actor: str) -> None:
    draft.change(status=status, changed_at=now, changed_by=actor, updated_at=now, snoozed_until=None)
