"""What each action of an emergency handover does to the rows. On the writer's thread, in the transaction of a step.

Whoever calls has locked the handover, read ``Facts`` in the same transaction, and been told by ``domain.handover`` that
the action is called for.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import insert, select

from desktop.domain import handover
from desktop.domain.handover_actions import (
    Action,
    AddNote,
    AskAsker,
    Close,
    CreateOverride,
    Delegate,
    PagePerson,
    ReadBack,
    RecordAbsence,
    Remind,
    Tell,
)
from desktop.domain.handover_facts import Ended, Offer, State
from desktop.domain.handover_watch import missing_absences, missing_overrides, roles_of
from desktop.domain.rotation import on_call
from desktop.domain.severity import Mapped, Severity
from desktop.domain.team import Role
from desktop.domain.text import plain
from desktop.server import (
    additions,
    audit,
    handing_on,
    handover_rows,
    handover_telling,
    handover_words,
    handover_writing,
    incidents,
    overrides,
    responding,
    schema,
    transitions,
)
from desktop.server.audit import By
from desktop.server.handover_scene import Scene
from desktop.server.incidents import Opening
from desktop.server.records import ENGINE, Draft, new_id
from desktop.server.roster import Moment
from desktop.server.station import Station
from desktop.server.tables.additions import absences
from desktop.server.things import instant
from desktop.server.writer import Work

_ENGINE = By(ENGINE)
_TITLE = 200


class NotWritten(Exception):
    """What was read back is not what was written: nobody may be told that it is done."""


def do(scene: Scene, action: Action) -> None:
    """Carry ``action`` out."""
    match action:
        case PagePerson(person):
            _page(scene, person)
        case AskAsker(asker, person):
            text = handover_words.asked(scene.station.directory, scene.facts, person)
            handover_telling.say(scene, handover_rows.ASK, person, (asker,), text)
        case Remind(_, people):
            text = handover_words.reminded(scene.station.directory, scene.facts)
            handover_telling.say(scene, handover_rows.REMIND, "", people, text)
        case CreateOverride():
            _override(scene, action)
        case RecordAbsence():
            _absence(scene, action)
        case AddNote(incident, text):
            step = partial(responding.note, person=scene.receiver, name=new_id(), text=text)
            _on_incident(scene, handover_rows.NOTE, incident, step)
        case Delegate(incident, giver, to, _):
            roles = roles_left(scene) if scene.leaves is None else scene.leaves
            step = partial(handing_on.hand_on, giver=giver, to=to, of=scene.facts.id, roles=roles)
            _on_incident(scene, handover_rows.DELEGATION, incident, step)
        case _:
            _end(scene, action)


def roles_left(scene: Scene) -> frozenset[Role]:
    """Return the roles that the schedule, with what was made until now, leaves who gives the watch."""
    team = handover_rows.team_now(scene.station, scene.work.connection)
    return roles_of(scene.facts.giver, on_call(team, scene.now).values())


def end_page(station: Station, work: Work, incident: str | None, why: str) -> None:
    """Resolve the page of an offer, where there is one and it is open."""
    if incident is None:
        return
    record = incidents.find(station, work.connection, incident)
    if record.open:
        incidents.change(station, work, [(incident, [partial(transitions.resolve, actor=ENGINE, resolution=why)])])


def _page(scene: Scene, person: str) -> None:
    """Open an incident of its own for ``person`` alone, SEV-0: acknowledging it answers nothing."""
    facts, station = scene.facts, scene.station
    title = handover_words.title(station.directory, facts)
    opening = Opening(
        title=plain(title, _TITLE),
        service=next(iter(station.roster.services)),
        severity=Mapped(Severity.SEV0),
        key=f"handover:{facts.id}:{len(facts.offers) + 1}",
        original={"title": title, "handover": facts.id},
        people=(person,),
    )
    page = incidents.create(station, scene.work, f"person:{facts.asker}", opening)
    handover_writing.add_offer(scene.work.connection, facts.id, Offer(person, scene.now), page.id)
    handover_telling.offer(scene, person, page)


def _override(scene: Scene, action: CreateOverride) -> None:
    connection, facts = scene.work.connection, scene.facts
    # What is past is not rewritten, however late this step comes.
    wanted = replace(action.override, start=max(action.override.start, scene.now))
    (kept,) = overrides.add(connection, [wanted], ENGINE, scene.now)
    after = {**_span(wanted.start, wanted.end), "role": wanted.role.value, "person": wanted.person}
    audit.note(
        connection, _ENGINE, "override.create", f"override:{kept.id}", scene.now, after=after | {"handover": facts.id}
    )
    handover_writing.add_work(connection, facts.id, handover_rows.OVERRIDE, kept.id, scene.now)


def _absence(scene: Scene, action: RecordAbsence) -> None:
    connection, now, wanted = scene.work.connection, scene.now, action.absence
    absence, start, to = new_id(), max(wanted.start, now), scene.receiver
    row = {
        "id": absence,
        "person_id": wanted.person,
        "cover_id": wanted.cover,
        "starts_at": start,
        "ends_at": wanted.end,
        "announced_at": now,
        # Whoever took the watch has said yes to covering it.
        "confirmed_at": now,
        "confirmed_by": f"person:{to}",
        "created_at": now,
        "created_by": ENGINE,
    }
    connection.execute(insert(absences).values(row))
    additions.advance(connection)
    after = {**_span(start, wanted.end), "person": wanted.person, "cover": wanted.cover, "handover": scene.facts.id}
    audit.note(connection, _ENGINE, "absence.create", f"absence:{absence}", now, after=after)
    handover_writing.add_work(connection, scene.facts.id, handover_rows.ABSENCE, absence, now)


def _on_incident(scene: Scene, kind: str, incident: str, step: Callable[[Draft, Moment], None]) -> None:
    """Do ``step`` to an incident, unless somebody gave it to others since the facts were read."""
    connection, facts = scene.work.connection, scene.facts
    theirs = False

    def if_theirs(draft: Draft, moment: Moment) -> None:
        nonlocal theirs
        theirs = any(held.person == facts.giver for held in draft.record.assignments)
        if theirs:
            step(draft, moment)

    def seen(draft: Draft) -> None:
        if theirs:
            audit.note_draft(connection, _ENGINE, f"handover.{kind}", draft, scene.now)

    incidents.change(scene.station, scene.work, [(incident, [if_theirs])], seen)
    if theirs:
        handover_writing.add_work(connection, facts.id, kind, incident, scene.now)


def _end(scene: Scene, action: Action) -> None:
    """Do what belongs to the end of a stage: read back, close, tell."""
    connection, facts = scene.work.connection, scene.facts
    match action:
        case ReadBack():
            _read_back(scene)
            handover_writing.change(connection, facts.id, read_at=scene.now)
        case Close(state):
            handover_writing.change(connection, facts.id, ended_as=state.value, ended_at=scene.now)
            audit.note(
                connection, _ENGINE, "handover.close", f"handover:{facts.id}", scene.now, after={"state": state.value}
            )
        case Tell(state, people):
            text = handover_words.told(scene.station.directory, facts, action)
            # How it ended the managers hear, too: somebody else is on call now, or still nobody who can be.
            also = facts.managers if facts.ended else ()
            everybody = tuple(dict.fromkeys((*people, *also)))
            handover_telling.say(scene, handover_rows.TELL, state.value, everybody, text)
            for offer in handover_rows.offers(connection, facts.id):
                if offer.person_id in people:
                    end_page(scene.station, scene.work, offer.incident_id, text)


def _read_back(scene: Scene) -> None:
    """Check against all rows, those of others too, that the watch is where it should be."""
    connection, facts, now = scene.work.connection, scene.facts, scene.now
    team = handover_rows.team_now(scene.station, connection)
    holder = on_call(team, now)[facts.role].person
    # Somebody else where another schedule has put them there since: the rest of the watch is the receiver's.
    wanted = handover.on_call(replace(facts, ended=Ended(State.DONE, now)), now)
    if missing_overrides(facts, now) or missing_absences(facts, now) or holder != wanted:
        raise NotWritten(f"{facts.role} is {holder}, not {wanted}")
    held = schema.assignments.c
    asked = select(held.incident_id).where(held.person_id == facts.giver)
    mine = set(connection.execute(asked.where(held.incident_id.in_([i.id for i in facts.incidents]))).scalars())
    if any(i.open and i.id in mine for i in facts.incidents):
        raise NotWritten("an incident is still the outgoing engineer's")


def _span(start: datetime, end: datetime) -> dict[str, str | None]:
    return {"start": instant(start), "end": instant(end)}
