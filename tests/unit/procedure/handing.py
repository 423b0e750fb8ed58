"""One emergency handover played through: what people do, and all that Watchbell then does by itself. Pure."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from desktop.domain import handover_answers as answers
from desktop.domain.errors import InputError
from desktop.domain.handover import next_action, state
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
from desktop.domain.handover_effects import applied
from desktop.domain.handover_facts import Handover, Held, Kind, Point
from desktop.domain.handover_request import Wish, around, request
from desktop.domain.segments import Segment
from desktop.domain.severity import Severity
from desktop.domain.team import Absence, Member, Override, Team
from desktop.domain.wall import instant
from tests.unit.procedure.moments import NONE, Wrong, show
from tests.unit.procedure.world import Given, named, person

_BEGINS = re.compile(
    r"(?P<asker>\w+) (?:(?P<ask>asks)(?: for (?P<wanted>\w+))?(?P<each>, and decides who is next)?"
    r"|(?P<verb>gives|takes) (?P<giver>\w+)'s watch(?: to (?P<to>\w+))?)(?:, because (?P<reason>.+))?"
)
_ANSWERS = re.compile(r"(\w+) (acknowledges the page|says yes|says no|cancels)")
_POINTS = {"the briefing": Point.BRIEFING, "the access check": Point.ACCESS}
_CONFIRMS = re.compile(rf"(\w+) (confirms|waives) ({'|'.join(_POINTS)})")
_ALLOWS = re.compile(r"(\w+) allows (\w+)")


def held(given: Given, team: Team) -> tuple[Held, ...]:
    """Return the incidents that are given: whose they are and how they escalate."""
    found = []
    while (clause := given.take(r"(\w+) has the incident \*(.+)\* \((SEV-\d)\)")) is not None:
        policy = next(s.key for s in Severity if s.label == clause[3])
        found.append(Held(clause[2], policy, (person(team, clause[1]).id,)))
    return tuple(found)


class Handing:
    """A handover of somebody's watch, from the asking on."""

    def __init__(self, team: Team, incidents: tuple[Held, ...] = ()) -> None:
        self.team = team
        self.facts: Handover | None = None
        self._incidents = incidents

    def happens(self, what: str, at: datetime) -> str:
        """Let somebody do ``what``; return the refusal, "" when there is none."""
        if what == NONE:
            return ""
        try:
            self.facts = self._deed(what, at)
        except InputError as error:
            return self._names(error.message)
        return ""

    def live(self, at: datetime) -> list[str]:
        """Do all that is to be done at ``at``, one thing after the other; return what it was."""
        did: list[str] = []
        while self.facts is not None and (action := next_action(self.facts, at)) is not None:
            did.append(self._said(action, at))
            self.facts = applied(self.facts, action, at)
            if len(did) > 50:
                raise Wrong(f"it never ends: {'; '.join(did)}")
        return did

    def known(self) -> Handover:
        """Return the facts, once somebody has asked."""
        if self.facts is None:
            raise Wrong("nobody has asked for a handover yet")
        return self.facts

    def effect(self) -> Team:
        """Return the team with what the handover has done to its schedule."""
        facts = self.known()
        overrides = (*self.team.overrides, *facts.overrides)
        return replace(self.team, overrides=overrides, absences=(*self.team.absences, *facts.absences))

    def stands(self, at: datetime) -> str:
        """Return the state at ``at``; a dash before anybody has asked."""
        return NONE if self.facts is None else state(self.facts, at).value

    def _deed(self, what: str, at: datetime) -> Handover:
        if begins := _BEGINS.fullmatch(what):
            if self.facts is not None:
                raise Wrong("this handover has begun already")
            return self._begun(begins, at)
        if found := _ANSWERS.fullmatch(what):
            return self._answer(person(self.team, found[1]), found[2], at)
        if found := _CONFIRMS.fullmatch(what):
            by, point = person(self.team, found[1]), _POINTS[found[3]]
            return answers.confirm(self.known(), by, point, at, waived=found[2] == "waives")
        if found := _ALLOWS.fullmatch(what):
            return answers.allow(self.known(), person(self.team, found[1]), person(self.team, found[2]).id, at)
        raise Wrong(f'"{what}" is not understood here')

    def _begun(self, said: re.Match[str], at: datetime) -> Handover:
        asker = person(self.team, said["asker"])
        giver = asker if said["ask"] else person(self.team, said["giver"])
        wanted = said["wanted"] or said["to"]
        wish = Wish(
            id="H1",
            kind={None: Kind.ASK, "gives": Kind.GIVE, "takes": Kind.TAKE}[said["verb"]],
            giver=giver,
            asker=asker,
            reason=said["reason"] or "",
            receiver=person(self.team, wanted) if wanted else None,
            auto_next=not said["each"],
        )
        return replace(request(wish, around(self.team, giver.id, at), at), incidents=self._incidents)

    def _answer(self, by: Member, verb: str, at: datetime) -> Handover:
        deeds: dict[str, Callable[[], Handover]] = {
            "acknowledges the page": lambda: answers.acknowledge(self.known(), by.id, at),
            "says yes": lambda: answers.accept(self.known(), by.id, at),
            "says no": lambda: answers.decline(self.known(), by.id, at),
            "cancels": lambda: answers.cancel(self.known(), by, at),
        }
        return deeds[verb]()

    def _said(self, action: Action, at: datetime) -> str:
        """Say in a few words what ``action`` does."""
        if isinstance(action, CreateOverride):
            made = action.override
            return f"puts {self._name(made.person)} on call as {made.role} {self._while(made, at)}"
        if isinstance(action, RecordAbsence):
            return f"counts {self._name(action.absence.person)} as absent {self._while(action.absence, at)}"
        if isinstance(action, AddNote | Delegate):
            return self._incident(action)
        return self._told(action)

    def _incident(self, action: AddNote | Delegate) -> str:
        if isinstance(action, AddNote):
            return f"writes it into {action.incident}"
        return f"gives {action.incident} to {self._name(action.receiver)}"

    def _told(self, action: PagePerson | AskAsker | Remind | ReadBack | Close | Tell) -> str:
        match action:
            case PagePerson(who):
                return f"pages {self._name(who)}"
            case AskAsker(asker, who):
                return f"asks {self._name(asker)} about {self._name(who)}"
            case Remind(receiver, people):
                return f"reminds {named(self.team, *people)} that {self._name(receiver)} has not confirmed"
            case ReadBack():
                return "reads everything back"
            case Close(end):
                return f"closes it: {end.value}"
            case Tell():
                return f"tells {named(self.team, *action.people)}: {action.state.value}{self._but(action.left_out)}"

    def _but(self, left_out: Iterable[Segment]) -> str:
        """Say what of the watch the receiver cannot have."""
        return "".join(f", but for {s.role} from {self._until(s.start)} to {self._until(s.end)}" for s in left_out)

    def _name(self, who: str) -> str:
        return named(self.team, who)

    def _while(self, made: Override | Absence, at: datetime) -> str:
        begins = instant(made.start, self.team.time_zone)
        since = f"from {self._until(begins)} " if begins > at else ""
        return f"{since}until {self._until(instant(made.end, self.team.time_zone))}"

    def _until(self, at: datetime) -> str:
        return show(at, self.team.time_zone)

    def _names(self, text: str) -> str:
        """Return ``text`` with names in the place of ids."""
        for member in self.team.people:
            text = re.sub(rf"\b{re.escape(member.id)}\b", member.name, text)
        return text
