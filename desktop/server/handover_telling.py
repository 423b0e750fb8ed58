"""Tells people of an emergency handover: in a row that the application shows, and by message. On the writer's thread.

A message goes to every address that its person has, whatever their application shows: the procedure wants the incoming
engineer told by all channels, and a watch that changes hands is news for all who take part. It is put in by the
transaction that writes what it tells of.
"""

from desktop.channels.text import Text, bounded
from desktop.domain.handover_facts import State, accepted_at
from desktop.server import handover_rows, handover_words, handover_writing, outbox, places
from desktop.server.handover_scene import Scene
from desktop.server.outbox import Kind, Message
from desktop.server.records import Record
from desktop.server.wording import local, said

_LINE = 1000
_ANSWER = "Acknowledging the page is no answer: say yes or no in the Watchbell application."
_ASK_AGAIN = "To ask somebody else: watchbell handover --to PERSON --reason TEXT, or in the Watchbell application."
_CONFIRM = "To be confirmed in the Watchbell application: that the briefing was given and the access check passed."
_STAYS = (
    "You stay on call until somebody has said yes and confirmed it. You can call it off in the Watchbell application."
)
_TO_DO = {
    State.REQUESTED.value: _STAYS,
    State.ACCEPTED.value: _CONFIRM,
    State.DECLINED.value: _ASK_AGAIN,
    State.EXPIRED.value: _ASK_AGAIN,
}
_TITLES = {
    State.REQUESTED.value: "Your watch is given away",
    State.ACCEPTED.value: "Handover accepted",
    State.DONE.value: "Handover done",
    State.DECLINED.value: "Handover declined by everybody",
    State.CANCELLED.value: "Handover called off",
    State.EXPIRED.value: "Handover without an answer",
    State.NOTHING_LEFT.value: "Handover of nothing",
}


def offer(scene: Scene, person: str, page: Record) -> None:
    """Put in what offers ``person`` the watch, at all of their addresses at once.

    It belongs to their ``page``, and ends with it. The ladder would go from one address to another, and finds it said.
    """
    text = _offered(scene, person)
    outbox.put(
        scene.work.connection,
        [
            Message(
                key=outbox.page_key(page.id, page.pages, person, address),
                kind=Kind.PAGE,
                recipient=f"{places.PERSON}{person}",
                address=address,
                at=scene.now,
                incident=page.id,
                page=page.pages,
                text=text,
            )
            for address in places.ladder(scene.station.roster, person)
        ],
    )


def say(scene: Scene, kind: str, about: str, people: tuple[str, ...], text: str) -> None:
    """Write that ``people`` are told ``text``, and put in the messages that tell them."""
    connection, facts = scene.work.connection, scene.facts
    number = handover_writing.add_notice(
        connection,
        facts.id,
        scene.now,
        kind=kind,
        about=about,
        said_at=accepted_at(facts),
        people=list(people),
        text=text,
    )
    for person in people:
        told = _told(scene, kind, about, person, text)
        outbox.to_person(connection, scene.station.roster, person, f"handover:{facts.id}:{number}", told, scene.now)


def _offered(scene: Scene, person: str) -> Text:
    facts, directory = scene.facts, scene.station.directory
    asker, giver = said(directory.person(facts.asker).name), said(directory.person(facts.giver).name)
    many = sum(incident.open for incident in facts.incidents)
    lines = [
        f"{asker} asks: will you take over as {facts.role} from {giver}?",
        f"Why: {said(facts.reason, _LINE)}",
        _until(scene, person),
        f"Open incidents that come with it: {many}",
        _ANSWER,
        f"{giver} stays on call until you have said yes and it is confirmed.",
    ]
    title = said(handover_words.title(directory, facts))
    return bounded(Text(title, "\n".join(line for line in lines if line)))


def _told(scene: Scene, kind: str, about: str, person: str, text: str) -> Text:
    if kind == handover_rows.ASK:
        title, to_do = "Ask the next one", "To say so, or to name somebody else: the Watchbell application."
    elif kind == handover_rows.REMIND:
        title, to_do = "Handover not confirmed", _CONFIRM
    else:
        title, to_do = _TITLES[about], _TO_DO.get(about, "")
    facts, giver = scene.facts, said(scene.station.directory.person(scene.facts.giver).name)
    lines = [said(text, _LINE), _until(scene, person), to_do]
    title = f"{title}: {facts.role}, {giver}"
    return bounded(Text(title, "\n".join(line for line in lines if line)))


def _until(scene: Scene, person: str) -> str:
    """Return until when the watch is, on the clock of whom it is told; nothing where it has no end."""
    facts = scene.facts
    until = max((o.end for o in facts.overrides), default=facts.until)
    zone = scene.station.roster.zone(person).key
    return "" if until is None else f"The watch ends {local(until, zone)}."
