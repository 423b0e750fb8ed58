"""Checks the tables about the emergency handover: its states, its stories, and what is refused from the start."""

from collections.abc import Iterator
from datetime import datetime

from desktop.domain import handover
from desktop.domain.handover_facts import Handover, State
from desktop.domain.rotation import on_call
from desktop.domain.team import Role, Team
from tests.unit.procedure.checking import Answers, Check
from tests.unit.procedure.document import Table
from tests.unit.procedure.handing import Handing, held
from tests.unit.procedure.moments import HOUR, MINUTE, NONE, Wrong, moment
from tests.unit.procedure.world import World, named, told

HEADER = ("At", "What happens", "State", "On call", "Watchbell then")


def stories(table: Table, world: World) -> Iterator[Answers]:
    """Yield where a handover stands after each thing that happens, who is on call, and what Watchbell does."""
    handing, team = _handing(table, world)
    for row, at in told(table, team.time_zone):
        refusal = handing.happens(row["What happens"], at)
        did = "; ".join([*[f"refuses: {refusal}"] * bool(refusal), *handing.live(at)])
        yield {
            "State": handing.stands(at),
            "On call": named(team, _on_call(handing, at)),
            "Watchbell then": did or NONE,
        }


def _handing(table: Table, world: World) -> tuple[Handing, Team]:
    given = world.given(table)
    team = given.team()
    handing = Handing(team, held(given, team))
    given.close()
    return handing, team


def played(table: Table, world: World) -> Handing:
    """Return the handover that ``table`` tells, at its end."""
    handing, team = _handing(table, world)
    for row, at in told(table, team.time_zone):
        handing.happens(row["What happens"], at)
        handing.live(at)
    return handing


def _on_call(handing: Handing, at: datetime) -> str | None:
    """Return the primary by the schedule; the handover, which is about that role, must say the same."""
    person = on_call(handing.effect(), at)[Role.PRIMARY].person
    facts = handing.known()
    if facts.role is not Role.PRIMARY or handover.on_call(facts, at) != person:
        raise Wrong(f"the schedule says {person}, the handover {handover.on_call(facts, at)} as {facts.role}")
    return person


def refused(table: Table, world: World) -> Iterator[Answers]:
    """Yield what is said to somebody who asks for a handover at one given moment."""
    given = world.given(table)
    team = given.team()
    at = moment(given.need(r"it is (.+)")[1], team.time_zone)
    given.close()
    for row in table.rows:
        handing = Handing(team)
        refusal = handing.happens(row["Somebody wants it"], at)
        yield {"Answer": f"no: {refusal}" if refusal else f"yes: {handing.stands(at)}"}


def states(table: Table, world: World) -> Iterator[Answers]:
    """Yield who is on call, and who is paged for what is new, in every state that there is."""
    given = world.given(table)
    team = given.team()
    begun = given.need(r"at (.+) (\w+ asks, because .+)")
    given.close()
    at = moment(begun[1], team.time_zone)
    for each in State:
        facts, now = _in_state(each, begun[2], team, at)
        if handover.state(facts, now) is not each:
            raise Wrong(f"this is not {each.value} but {handover.state(facts, now).value}")
        yield {
            "State": each.value,
            "On call": named(team, handover.on_call(facts, now)),
            "New pages go to": named(team, *handover.paged(facts, now)),
        }


def _in_state(each: State, begun: str, team: Team, at: datetime) -> tuple[Handover, datetime]:
    """Return a handover that stands in the state ``each``, and the instant at which it does."""
    handing = Handing(team)
    handing.happens(begun, at)
    if each is State.REQUESTED:
        return handing.known(), at
    handing.live(at)
    for minute, what in enumerate(_WAYS[each], start=1):
        handing.happens(what, at + minute * MINUTE)
        if not (each is State.APPLYING and minute == len(_WAYS[each])):
            handing.live(at + minute * MINUTE)
    if each is State.EXPIRED:
        at += 2 * HOUR
        handing.live(at)
    if each is State.NOTHING_LEFT:
        at = on_call(team, at)[Role.PRIMARY].end
        handing.live(at)
    return handing.known(), at + len(_WAYS[each]) * MINUTE


_YES = ("Cho acknowledges the page", "Cho says yes")
_ALL = (*_YES, "Cho confirms the briefing", "Cho confirms the access check")
_WAYS: dict[State, tuple[str, ...]] = {
    State.PAGING: ("Cho acknowledges the page",),
    State.ACCEPTED: _YES,
    State.APPLYING: _ALL,
    State.DONE: _ALL,
    State.DECLINED: ("Cho says no", "Ana says no", "Dora says no"),
    State.CANCELLED: ("Ben cancels",),
    State.EXPIRED: ("Cho acknowledges the page",),
    State.NOTHING_LEFT: _YES,
}

CHECKS = (
    Check(HEADER, stories, inputs=("At", "What happens")),
    Check(("Somebody wants it", "Answer"), refused, inputs=("Somebody wants it",)),
    Check(("State", "On call", "New pages go to"), states),
)
