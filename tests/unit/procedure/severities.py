"""Checks the tables about severities: targets, foreign words, priorities, what stands where the procedure differs."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from desktop.domain.attention import CHIME_EVERY, ConnectionState, Contact, Sound, attention
from desktop.domain.incident import Incident, Person, Snapshot, Status
from desktop.domain.policies import policy
from desktop.domain.rotation import on_call
from desktop.domain.severity import (
    EVENTS_MAP,
    LABEL_MAP,
    Mapped,
    Severity,
    Urgency,
    from_word,
    of_priority,
)
from desktop.domain.team import Role, Team
from tests.unit.procedure.checking import Answers, Check
from tests.unit.procedure.document import Table
from tests.unit.procedure.moments import Wrong, moment, show, show_span
from tests.unit.procedure.world import World

UTC = ZoneInfo("UTC")
NOTHING = "(nothing)"


def severity(label: str) -> Severity:
    """Return the severity whose label it is."""
    found = next((s for s in Severity if s.label == label), None)
    if found is None:
        raise Wrong(f'"{label}" is no severity: write SEV-0, SEV-1, SEV-2 or SEV-3')
    return found


def targets(table: Table, world: World) -> Iterator[Answers]:
    """Yield the targets of each severity, and how a page of it makes itself known."""
    given = world.given(table)
    team = given.team()
    given.close()
    for each in Severity:
        yield {
            "Severity": each.label,
            "Called": each.word,
            "Acknowledge within": show_span(team.targets[each].acknowledge),
            "Resolve within": show_span(team.targets[each].resolve),
            **_noise(each),
        }


def _noise(each: Severity) -> Answers:
    """Return what is heard and seen of a page, by the ringing policy itself."""
    now = moment("Mon 2026-01-05 09:00", UTC)
    me = Person("ana", "Ana")
    page = Incident("I", 1, "?", Status.TRIGGERED, each, each.urgency, now, assignees=(me,))
    found = attention((ConnectionState("c", "c", Contact.LIVE, now, Snapshot(me, (page,), (), now)),), now)
    sounds = {
        None: "none",
        Sound.SIREN: "siren, until acknowledged",
        Sound.RING: "ring, until acknowledged",
        Sound.CHIME: f"chime, every {show_span(CHIME_EVERY)}",
    }
    if found.loop != (found.sound in {Sound.SIREN, Sound.RING}):
        raise Wrong(f"{each.label}: the sound does not end, or ends, as it should not")
    return {
        "Sound": sounds[found.sound],
        "On the screen": "a window" if found.pages[0].pops_up else "a notification only",
    }


def words(table: Table, world: World) -> Iterator[Answers]:
    """Yield what becomes of every word that the two usual maps know."""
    for word in dict.fromkeys((*EVENTS_MAP, *LABEL_MAP)):
        senders = [name for name, known in (("events", EVENTS_MAP), ("labels", LABEL_MAP)) if word in known]
        found = {from_word(word, known) for known in (EVENTS_MAP, LABEL_MAP) if word in known}
        if len(found) > 1:
            raise Wrong(f"{word}: events and labels differ")
        yield {"Word": word, "Known in": ", ".join(senders), **_mapped(found.pop())}


def own_words(table: Table, world: World) -> Iterator[Answers]:
    """Yield what becomes of a word in a team that changes the maps."""
    given = world.given(table)
    team = given.team()
    given.close()
    known = {**EVENTS_MAP, **LABEL_MAP, **team.severity_words}
    for row in table.rows:
        word = None if row["The event says"] == NOTHING else row["The event says"]
        yield _mapped(from_word(word, known))


def _mapped(found: Mapped) -> Answers:
    if found.note and found.severity.label not in found.note:
        raise Wrong(f"the note does not say how it is treated: {found.note}")
    return {"Severity": found.severity.label, "Said in the incident": "yes" if found.note else "no"}


def priorities(table: Table, world: World) -> Iterator[Answers]:
    """Yield the severity of an incident from a PagerDuty account, by priority and urgency."""
    given = world.given(table)
    account = given.need(r"an account with the priorities (.+)")[1].split(", ")
    given.close()
    for row in table.rows:
        name = None if row["Priority"] == NOTHING else row["Priority"]
        yield {"Severity": of_priority(name, Urgency(row["Urgency"]), account).label}


def differences(table: Table, world: World) -> Iterator[Answers]:
    """Yield what stands where two places of the procedure differ, in the order of the questions."""
    given = world.given(table)
    team = given.team()
    given.close()
    for question, answer in _STANDS.items():
        yield {"Question": question, "What stands": answer(team)}


def _acknowledge(each: Severity) -> Callable[[Team], str]:
    return lambda team: show_span(team.targets[each].acknowledge)


def _paged(role: str, each: Severity) -> Callable[[Team], str]:
    return lambda team: when(team, each, role)


def when(team: Team, each: Severity, role: str) -> str:
    """Return after what time an incident that nobody answers pages ``role``."""
    step = next((s for s in policy(team, each).steps if role in s.roles), None)
    if step is None:
        return "never"
    at = show_span(step.after) if step.after else "at once"
    return f"{at}, in business hours" if step.business else at


def _in_summer(team: Team) -> str:
    at = moment("Mon 2026-07-06 09:00", team.time_zone)
    just_before = on_call(team, at - timedelta(minutes=1))[Role.PRIMARY]
    if just_before.end != at:
        raise Wrong("the watch is not handed over at 09:00 in July")
    return f"{show(at, team.time_zone)} on the clock, {show(at, UTC)} in UTC"


_STANDS: Mapping[str, Callable[[Team], str]] = {
    "How soon is a SEV-0 acknowledged?": _acknowledge(Severity.SEV0),
    "How soon is a SEV-1 acknowledged?": _acknowledge(Severity.SEV1),
    "How soon is a SEV-2 acknowledged?": _acknowledge(Severity.SEV2),
    "How soon is a SEV-3 acknowledged?": _acknowledge(Severity.SEV3),
    "When is the secondary paged for a SEV-0?": _paged("secondary", Severity.SEV0),
    "When is the secondary paged for a SEV-1?": _paged("secondary", Severity.SEV1),
    "When is the manager paged for a SEV-0?": _paged("manager", Severity.SEV0),
    "When is the manager paged for a SEV-2?": _paged("manager", Severity.SEV2),
    "When are the emergency contacts paged for a SEV-0?": _paged("emergency", Severity.SEV0),
    "When are the emergency contacts paged for a SEV-1?": _paged("emergency", Severity.SEV1),
    "When are the emergency contacts paged for a SEV-2?": _paged("emergency", Severity.SEV2),
    "When is the Monday handover in July?": _in_summer,
}

CHECKS = (
    Check(("Severity", "Called", "Acknowledge within", "Resolve within", "Sound", "On the screen"), targets),
    Check(("Word", "Known in", "Severity", "Said in the incident"), words),
    Check(("The event says", "Severity", "Said in the incident"), own_words, inputs=("The event says",)),
    Check(("Priority", "Urgency", "Severity"), priorities, inputs=("Priority", "Urgency")),
    Check(("Question", "The procedure says", "It also says", "What stands"), differences),
)
