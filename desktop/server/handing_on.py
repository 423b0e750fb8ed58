"""What becomes of an open incident when the watch that it belongs to is handed over. Changes one ``Draft`` only. Pure.

Whoever takes the watch is paged for it once: not where the schedule's change did so already, nor where somebody has it.
Whoever gives it stays on what has reached a role that they have now: the watch is not theirs, that role is.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from desktop.domain import escalation
from desktop.domain.incident import Status
from desktop.server import escalation_path, transitions
from desktop.server.contributions import passed_on
from desktop.server.records import ENGINE, Draft, Entry, Record
from desktop.server.roster import Moment

HANDED: Final = "handed_over"
"""The type of the history's line by which an incident changes hands and nobody is paged."""


def hand_on(draft: Draft, moment: Moment, giver: str, to: str, of: str, roles: Collection[str] = ()) -> None:
    """Give an incident of ``giver`` to ``to``, by the list that it follows; ``of`` is the handover.

    They are paged, unless they were already or somebody has it; also when ``giver`` was asked to help and did not come,
    which they are asked now. What ``giver`` alone had acknowledged is triggered again, which pages everyone: nobody
    else has said that they have it. ``roles`` are those that the schedule leaves ``giver``, who stays on it where one
    of them was paged.
    """
    record = draft.record
    if not record.open:
        # Somebody resolved it since the facts were read.
        return
    data: dict[str, object] = {"assignees": [to], "giver": giver, "handover": of}
    stays = record.escalates_as is not None and not set(roles).isdisjoint(
        escalation.reached(record.plan, record.progress)
    )
    if stays:
        data["stays"] = True
    _put_beside(draft, moment, giver, to)
    if not stays:
        _take_from(draft, giver, to)
    new = to not in record.progress.ever and not record.acknowledgements
    if new or _is_asked_now(draft, record, to):
        draft.note(Entry("assign", moment.now, ENGINE, "auto", data))
        draft.change(pages=record.pages + 1)
    else:
        draft.note(Entry(HANDED, moment.now, ENGINE, "auto", data))
    if record.acknowledgements and not draft.record.acknowledgements:
        transitions.unacknowledge(draft, moment, ENGINE, "auto")
    escalation_path.schedule(draft, moment)


def _is_asked_now(draft: Draft, before: Record, to: str) -> bool:
    """Tell whether ``to`` has to hear of what somebody has, since a request to help has become theirs."""
    waiting = {r.person for r in draft.record.responders} - {r.person for r in before.responders}
    holders = {held.person for held in before.acknowledgements}
    return before.status is Status.ACKNOWLEDGED and to in waiting - holders


def _put_beside(draft: Draft, moment: Moment, giver: str, to: str) -> None:
    """Let ``to`` have it as well, and ``giver`` no longer say that they have it in hands."""
    record, progress = draft.record, draft.record.progress
    escalation_path.assign(draft, (to,), moment.now)
    draft.change(
        acknowledgements=tuple(held for held in record.acknowledgements if held.person != giver),
        progress=replace(progress, paged=_with(progress.paged, giver, to), ever=_with(progress.ever, giver, to)),
        updated_at=moment.now,
    )


def _take_from(draft: Draft, giver: str, to: str) -> None:
    """Let nothing of ``giver`` stay on it; what was asked of them is asked of ``to``."""
    record, progress = draft.record, draft.record.progress
    draft.change(
        assignments=tuple(held for held in record.assignments if held.person != giver),
        responders=passed_on(record.responders, giver, to),
        progress=replace(progress, paged=_without(progress.paged, giver), ever=_without(progress.ever, giver)),
    )


def _with(people: tuple[str, ...], giver: str, to: str) -> tuple[str, ...]:
    """Return ``people`` with ``to``, who comes before ``giver``: the watch is theirs now."""
    found = (person for each in people for person in ((to, each) if each == giver else (each,)))
    return tuple(dict.fromkeys((*found, to)))


def _without(people: tuple[str, ...], giver: str) -> tuple[str, ...]:
    return tuple(person for person in people if person != giver)
