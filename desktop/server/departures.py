"""What becomes of an open incident when people leave the team who have it. Changes one ``Draft``, and only it. Pure.

Nobody who left is paged, and no acknowledgement of theirs keeps it quiet. Left with nobody it begins at its top:
whoever is on call for its first step takes their place, and it escalates from there, however they had come by it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from desktop.domain.escalation import begin_again
from desktop.domain.incident import Status
from desktop.server import escalation_path, transitions
from desktop.server.contributions import Answer
from desktop.server.records import ENGINE, Draft, Entry, Held
from desktop.server.roster import Moment

LEFT: Final = "left_team"


def leave(draft: Draft, moment: Moment, gone: Mapping[str, str]) -> None:
    """Take those of ``gone`` (the name of each by id) off it; doing so twice changes nothing."""
    record = draft.record
    those = {h.person: gone[h.person] for h in (*record.assignments, *record.acknowledgements) if h.person in gone}
    if not those or not record.open:
        return
    progress = record.progress
    draft.change(
        assignments=_staying(record.assignments, gone),
        acknowledgements=_staying(record.acknowledgements, gone),
        progress=replace(
            progress,
            paged=tuple(p for p in progress.paged if p not in gone),
            ever=tuple(p for p in progress.ever if p not in gone),
        ),
        # Whoever was asked to help and did not come yet is waited for no longer.
        responders=tuple(r for r in record.responders if r.person not in gone or r.state is Answer.JOINED),
        updated_at=moment.now,
    )
    said = f"Not in the team any more: {', '.join(those.values())}."
    draft.note(Entry(LEFT, moment.now, ENGINE, "auto", {"left": list(those), "message": said}))
    silent = bool(record.acknowledgements) and not draft.record.acknowledgements
    if not draft.record.assignments:
        _begin(draft, moment)
    elif silent:
        _go_on(draft, moment)
    else:
        escalation_path.schedule(draft, moment)


def _begin(draft: Draft, moment: Moment) -> None:
    """Let it follow its list from the first step, for nobody has it.

    One that had been given to who is gone follows the list of its severity: nobody chose whoever is paged now.
    """
    _trigger(draft, moment)
    record = draft.record
    draft.change(escalates_as=record.severity if record.escalates_as is None else record.escalates_as)
    draft.change(progress=begin_again(draft.record.plan, record.progress, moment.now))
    transitions.work_off(draft, moment)


def _go_on(draft: Draft, moment: Moment) -> None:
    """Page everyone who is still assigned, and whoever is on call, for only who left had acknowledged it."""
    record = draft.record
    if record.escalates_as is not None:
        transitions.unacknowledge(draft, moment, ENGINE, "auto")
        return
    _trigger(draft, moment)
    people = (*(held.person for held in record.assignments), *_first(draft, moment))
    transitions.assign_directly(draft, moment, ENGINE, tuple(dict.fromkeys(people)))


def _trigger(draft: Draft, moment: Moment) -> None:
    if draft.record.status is Status.ACKNOWLEDGED:
        now = moment.now
        draft.change(status=Status.TRIGGERED, changed_at=now, changed_by=ENGINE, acknowledgements=())
        draft.change(snoozed_until=None)
        draft.note(Entry("unacknowledge", now, ENGINE, "auto"))


def _first(draft: Draft, moment: Moment) -> tuple[str, ...]:
    """Return whom the first step of its severity that has anybody would page."""
    record = draft.record
    for step in record.policies[record.severity].steps:
        if people := tuple(dict.fromkeys(person for role in step.roles for person in moment.who(role))):
            return people
    return ()


def _staying(held: tuple[Held, ...], gone: Mapping[str, str]) -> tuple[Held, ...]:
    return tuple(h for h in held if h.person not in gone)
