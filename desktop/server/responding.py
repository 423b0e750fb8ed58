"""What people add to an incident that they work on: notes, status updates, a snooze, a call for help. Pure.

Each function changes one ``Draft``, and only it, like those of ``transitions``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from desktop.domain.incident import Status
from desktop.domain.text import shorten
from desktop.server import escalation_path, transitions
from desktop.server.contributions import SHOWN_NOTE, Answer, Note, Responder
from desktop.server.failures import NOT_ACKNOWLEDGED, refused
from desktop.server.records import Draft, Entry
from desktop.server.roster import Moment
from desktop.server.things import instant

NOTE = "annotate"
STATUS_UPDATE = "status_update"
CALL = "responder_request"
CALLED_OFF = "responder_request_cancelled"


@dataclass(frozen=True, slots=True)
class Call:
    """A request to ``people`` to help: ``targets`` is each one asked for, as sent, with whom it stands for."""

    person: str
    message: str
    targets: tuple[tuple[str, str, tuple[str, ...]], ...]

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who is asked, each once."""
        return tuple(dict.fromkeys(person for _, _, people in self.targets for person in people))


def note(draft: Draft, moment: Moment, person: str, name: str, text: str) -> None:
    """Keep what ``person`` writes, as the note called ``name``; an acknowledgement is renewed by it."""
    actor = f"person:{person}"
    draft.note(Entry(NOTE, moment.now, actor, "note", {"note": name, "content": text}))
    draft.change(latest_note=Note(name, person, shorten(text, SHOWN_NOTE), moment.now), updated_at=moment.now)
    transitions.renew(draft, moment, actor, "note")


def status_update(draft: Draft, moment: Moment, person: str, name: str, update: dict[str, str]) -> None:
    """Keep what ``person`` tells those who wait (``message``, perhaps ``subject`` and ``html_message``); it renews."""
    actor = f"person:{person}"
    draft.note(Entry(STATUS_UPDATE, moment.now, actor, data={"status_update": name, **update}))
    draft.change(updated_at=moment.now)
    transitions.renew(draft, moment, actor, STATUS_UPDATE)


def snooze(draft: Draft, moment: Moment, actor: str, duration: timedelta) -> None:
    """Let the acknowledgement end after ``duration``, however long it would have held; then all are paged."""
    record = draft.record
    transitions.must_be_open(record)
    if record.status is not Status.ACKNOWLEDGED:
        raise refused(NOT_ACKNOWLEDGED, "Incident Is Not Acknowledged", "only an acknowledged incident can be snoozed")
    until = moment.now + duration
    draft.change(snoozed_until=until, updated_at=moment.now)
    changed = [{"type": "unacknowledge", "at": instant(until)}]
    draft.note(Entry("snooze", moment.now, actor, data={"changed_actions": changed}))
    escalation_path.schedule(draft, moment)


def call(draft: Draft, moment: Moment, asked: Call) -> None:
    """Ask people to help and page them, each once; they are assigned beside those who have it, who keep it."""
    record = draft.record
    transitions.must_be_open(record)
    now, actor = moment.now, f"person:{asked.person}"
    known = {responder.person for responder in record.responders}
    new = tuple(person for person in asked.people if person not in known)
    added = tuple(Responder(person, asked.person, asked.message, now) for person in new)
    escalation_path.assign(draft, asked.people, now)
    draft.change(
        responders=record.responders + added,
        progress=replace(record.progress, ever=_joined(record.progress.ever, asked.people)),
        pages=record.pages + 1,
        updated_at=now,
    )
    targets = [{"type": kind, "id": name, "people": list(people)} for kind, name, people in asked.targets]
    draft.note(Entry(CALL, now, actor, data={"message": asked.message, "targets": targets}))
    draft.note(Entry("notify", now, actor, data={"assignees": list(asked.people), "reason": "asked to help"}))
    escalation_path.schedule(draft, moment)


def call_off(draft: Draft, moment: Moment, actor: str, people: Sequence[str]) -> None:
    """Ask those of ``people`` no more who have not come; who has it by that alone is off it, and paged no more.

    Nobody is taken off who is the only one to have it.
    """
    record = draft.record
    transitions.must_be_open(record)
    waited = {r.person: r.at for r in record.responders if r.state is Answer.PENDING and r.person in people}
    if not waited:
        return
    mine = {h.person for h in record.assignments if h.at == waited.get(h.person)} - set(record.progress.paged)
    left = tuple(h for h in record.assignments if h.person not in mine)
    off = tuple(person for person in waited if person in mine) if left else ()
    draft.change(
        responders=tuple(r for r in record.responders if r.person not in waited),
        assignments=left or record.assignments,
        # A step of the list that names them later pages them as anybody.
        progress=replace(record.progress, ever=tuple(p for p in record.progress.ever if p not in off)),
        updated_at=moment.now,
    )
    draft.note(Entry(CALLED_OFF, moment.now, actor, data={"people": list(waited), "unassigned": list(off)}))
    escalation_path.schedule(draft, moment)


def _joined(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))
