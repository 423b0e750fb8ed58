"""What becomes of an open incident when the watch that it belongs to is handed over. Changes one ``Draft`` only. Pure.

Whoever takes the watch is paged for it once: not where the schedule's change did so already, nor where somebody has it.
"""

from dataclasses import replace
from typing import Final

from desktop.server import escalation_path, transitions
from desktop.server.records import ENGINE, Draft, Entry, Held
from desktop.server.roster import Moment

HANDED: Final = "handed_over"
"""The type of the history's line by which an incident changes hands and nobody is paged."""


def hand_on(draft: Draft, moment: Moment, giver: str, to: str, of: str) -> None:
    """Give an incident of ``giver`` to ``to``, by the list that it follows; ``of`` is the handover.

    They are paged, unless they were already or somebody has it. What ``giver`` alone had acknowledged is triggered
    again, which pages everyone: nobody else has said that they have it.
    """
    record = draft.record
    if not record.open:
        # Somebody resolved it since the facts were read.
        return
    _swap(draft, moment, giver, to)
    data = {"assignees": [to], "giver": giver, "handover": of}
    if to not in record.progress.ever and not record.acknowledgements:
        draft.note(Entry("assign", moment.now, ENGINE, "auto", data))
        draft.change(pages=record.pages + 1)
    else:
        draft.note(Entry(HANDED, moment.now, ENGINE, "auto", data))
    if record.acknowledgements and not draft.record.acknowledgements:
        transitions.unacknowledge(draft, moment, ENGINE, "auto")
    escalation_path.schedule(draft, moment)


def _swap(draft: Draft, moment: Moment, giver: str, to: str) -> None:
    """Put ``to`` in the place of ``giver``, of whom nothing stays on it."""
    record, progress = draft.record, draft.record.progress
    kept = tuple(held for held in record.assignments if held.person != giver)
    draft.change(
        assignments=kept if any(held.person == to for held in kept) else (*kept, Held(to, moment.now)),
        acknowledgements=tuple(held for held in record.acknowledgements if held.person != giver),
        progress=replace(progress, paged=_swapped(progress.paged, giver, to), ever=_swapped(progress.ever, giver, to)),
        updated_at=moment.now,
    )


def _swapped(people: tuple[str, ...], giver: str, to: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(to if person == giver else person for person in people), to)))
