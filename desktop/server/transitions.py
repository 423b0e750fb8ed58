"""What can become of an incident: each function changes one ``Draft``, and only it. Pure.

Whom it pages on its way is ``escalation_path``; the rules of who is told are ``domain.notices``.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from desktop.domain import escalation, notices
from desktop.domain.escalation import Page, Progress, Reason
from desktop.domain.incident import Status
from desktop.domain.notices import Notice
from desktop.domain.severity import Severity, Urgency, wakes_anew
from desktop.server import escalation_path, holding
from desktop.server.contributions import joined
from desktop.server.failures import ALREADY_RESOLVED, CANNOT_ESCALATE, refused
from desktop.server.records import ENGINE, Draft, Entry, Held, Record
from desktop.server.roster import Moment, steps_to_level

# A dedup key that fires again this soon after its incident was resolved is the same trouble (design, section 3).
REOPEN_WITHIN_MINUTES: Final = 10


def work_off(draft: Draft, moment: Moment) -> None:
    """Do what is due: escalate, page again, end an acknowledgement that held its time, tell that one is overdue."""
    record = draft.record
    if record.status is Status.TRIGGERED and holding.holds_or_lets_go(draft, moment):
        escalation_path.schedule(draft, moment)
        return
    if record.status is Status.TRIGGERED:
        escalation_path.advance(draft, moment)
    elif (ends := escalation_path.acknowledged_until(record)) and ends <= moment.now:
        unacknowledge(draft, moment, ENGINE, channel="timeout")
    if record.open and (due := record.resolve_due_at) and due <= moment.now:
        _tell(draft, Notice.OVERDUE, notices.told_of_overdue(moment.who), moment.now, ENGINE)
        draft.change(overdue_told_at=moment.now)
    escalation_path.schedule(draft, moment)


def acknowledge(draft: Draft, moment: Moment, actor: str, person: str | None, channel: str = "api") -> None:
    """Acknowledge for ``person`` (None: an integration did); doing so twice changes nothing."""
    record = draft.record
    must_be_open(record)
    if any(held.person == person for held in record.acknowledgements):
        return
    if person is None and record.status is Status.ACKNOWLEDGED:
        return
    if person is not None:
        escalation_path.assign(draft, (person,), moment.now)
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
    escalation_path.schedule(draft, moment)


def must_be_open(record: Record) -> None:
    """Refuse what is asked of an incident that is resolved already."""
    if not record.open:
        raise refused(ALREADY_RESOLVED, "Incident Already Resolved", f"incident {record.number} is already resolved")


def renew(draft: Draft, moment: Moment, actor: str, what: str) -> None:
    """Let an acknowledgement hold its whole time from now, for ``what`` ("note", "status_update") was written."""
    if draft.record.status is Status.ACKNOWLEDGED:
        draft.change(renewed_at=moment.now)
        draft.note(Entry("renew", moment.now, actor, data={"by": what}))
    escalation_path.schedule(draft, moment)


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
    if holding.holds_or_lets_go(draft, moment):
        escalation_path.schedule(draft, moment)
        return
    record = draft.record
    progress, events = escalation.resume(record.plan, record.progress, moment.now, moment.who, moment.hours)
    escalation_path.follow(draft, progress, events, moment.now)
    # The shift may have changed while somebody had it.
    escalation_path.take_over(draft, moment)


def resolve(draft: Draft, moment: Moment, actor: str, resolution: str = "") -> None:
    """Resolve; an incident that is resolved already is refused."""
    record = draft.record
    must_be_open(record)
    _status(draft, Status.RESOLVED, moment.now, actor)
    draft.change(resolved_at=moment.now, held_until=None)
    draft.note(Entry("resolve", moment.now, actor, data={"resolution": resolution} if resolution else {}))
    escalation_path.schedule(draft, moment)


def reopen(
    draft: Draft,
    moment: Moment,
    actor: str,
    data: Mapping[str, object] | None = None,
    held_until: datetime | None = None,
) -> None:
    """Make a resolved incident triggered again: it begins at the top of its list, and whoever that pages has it.

    Those who had it keep it, and hear it once, where its list pages nobody now or they were given it directly. Nobody
    is paged before ``held_until``, when its service is under maintenance.
    """
    record, now = draft.record, moment.now
    _status(draft, Status.TRIGGERED, now, actor)
    draft.change(resolved_at=None, acknowledgements=(), flaps=record.flaps + 1)
    draft.note(Entry("trigger", now, actor, data={**(data or {}), "reopened": True}))
    if record.escalates_as is None:
        draft.change(progress=escalation.begin_again(record.plan, record.progress, now))
    else:
        draft.change(assignments=(), progress=escalation.begin(now))
    if held_until is not None:
        holding.hold(draft, moment, held_until)
    work_off(draft, moment)
    if draft.record.held_until is None and draft.record.pages == record.pages and (had := record.progress.ever):
        again_at = now + record.plan.page_again
        draft.change(progress=replace(draft.record.progress, ever=had, again_at=again_at))
        escalation_path.page_people(draft, Page(had, 0, Reason.AGAIN), now)
        escalation_path.schedule(draft, moment)


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


def escalate(draft: Draft, moment: Moment, actor: str, level: int, channel: str = "api") -> None:
    """Escalate to ``level`` (from 1) now; an acknowledged incident is triggered again.

    When that adds nobody, those who were paged are paged once more: whoever asks for it must not be met with silence.
    """
    record = draft.record
    ends = steps_to_level(record.plan)
    if why := escalation_path.why_not(record, level):
        raise refused(CANNOT_ESCALATE, "Incident Cannot Be Escalated", why)
    # A person asks for it: maintenance or not.
    draft.change(held_until=None)
    if record.status is Status.ACKNOWLEDGED:
        _status(draft, Status.TRIGGERED, moment.now, actor)
        draft.change(acknowledgements=())
    progress, events = escalation.escalate(record.plan, record.progress, moment.now, ends[level - 1], moment.who)
    escalation_path.follow(draft, progress, events, moment.now, actor, channel)
    if not events and progress.ever:
        again = Page(progress.ever, progress.step, Reason.AGAIN)
        escalation_path.page_people(draft, again, moment.now, actor, channel)
    escalation_path.take_over(draft, moment)


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
    escalation_path.schedule(draft, moment)


def delegate(draft: Draft, moment: Moment, actor: str, severity: Severity) -> None:
    """Let it escalate along the list of ``severity``, from its top, keeping who is assigned."""
    record = draft.record
    draft.change(escalates_as=severity, updated_at=moment.now)
    _count_from(draft, moment.now)
    draft.change(progress=escalation.begin_again(draft.record.plan, record.progress, moment.now))
    draft.note(Entry("delegate", moment.now, actor, data={"escalation_policy": severity.key}))
    work_off(draft, moment)


def _count_from(draft: Draft, now: datetime) -> None:
    """Let an acknowledgement, if there is one, hold its time from ``now``: the list, and with it the time, changed."""
    if draft.record.status is Status.ACKNOWLEDGED:
        draft.change(renewed_at=now)


def _tell(draft: Draft, notice: Notice, people: tuple[str, ...], now: datetime, actor: str) -> None:
    """Write into the history that ``people`` are told: it pages nobody."""
    draft.note(Entry(notice.value, now, actor, "auto", {"told": list(people)}))
    draft.change(updated_at=now)


def _status(draft: Draft, status: Status, now: datetime, actor: str) -> None:
    draft.change(status=status, changed_at=now, changed_by=actor, updated_at=now, snoozed_until=None)
