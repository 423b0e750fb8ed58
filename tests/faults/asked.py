"""What stands in an incident's history against what was asked for: nothing missing, nothing invented. Pure."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.faults.evidence import Attempt, Entry, Outcome, Weather

# A request begins a moment before our clock is read, and ends a moment after.
_MOMENT = 0.1
_ENGINE = "engine"
KINDS = ("trigger", "acknowledge", "unacknowledge", "resolve", "escalate", "priority_change", "assign", "delegate")
# What a sender does by sending again, and what a person does by escalating.
_IN_PASSING = ("priority_change", "assign")
# When an escalation adds nobody, those who were paged are paged once more.
_ESCALATIONS = ("assign", "notify")

_BY_PEOPLE = ("escalate", *_ESCALATIONS)

Complain = Callable[[str], None]


def compare(
    history: Sequence[Entry], attempts: Sequence[Attempt], weather: Weather, complain: Complain, severity: str
) -> None:
    """Complain of entries that nobody asked for, and of accepted requests that left none where they had to."""
    actors = {a.actor for a in attempts} | {e.actor for e in history if e.type in KINDS} - {_ENGINE}
    for actor in sorted(actors):
        for kind in KINDS:
            asked = [a for a in attempts if (a.actor, a.kind) == (actor, kind) and a.outcome is not Outcome.REFUSED]
            _pair(list(_made(history, actor, kind)), asked, weather, complain, history, severity)


def _made(history: Sequence[Entry], actor: str, kind: str) -> Iterator[Entry]:
    """Yield what ``actor`` did, each deed once: one escalation may take several steps."""
    at = math.nan
    raised = {e.at for e in history if e.type == "priority_change" and e.actor == actor}
    for entry in history:
        # What becomes worth waking people for ends the acknowledgement by itself.
        if entry.type == "unacknowledge" and entry.channel == "auto" and entry.at in raised:
            continue
        if (entry.actor, _kind(entry)) == (actor, kind) and not (kind == "escalate" and entry.at == at):
            at = entry.at
            yield entry


def _kind(entry: Entry) -> str:
    person = entry.actor.startswith("person:")
    # Whoever un-acknowledges what was resolved meanwhile opens it again.
    if entry.type == "trigger" and person:
        return "unacknowledge"
    if entry.type in _IN_PASSING and not person:
        return ""
    # The first page of an incident is an assignment, whoever asks for it.
    return "escalate" if person and entry.type in _ESCALATIONS and "reason" in entry.data else entry.type


def _pair(
    made: Sequence[Entry],
    asked: Sequence[Attempt],
    weather: Weather,
    complain: Complain,
    history: Sequence[Entry],
    severity: str,
) -> None:
    """Give each entry a request of its own within which it was made; the most pressing first, so that none is left."""
    free = list(asked)
    for entry in made:
        skew = _MOMENT + weather.wrong(entry.at)
        fit = [a for a in free if a.began - skew <= entry.at <= _until(a) + skew and _says(entry, a)]
        if not fit:
            complain(f"invented: {entry.type} by {entry.actor}, which nobody asked for then")
            continue
        free.remove(min(fit, key=_until))
    for attempt in free:
        if attempt.outcome is Outcome.ACCEPTED and not _was_so_already(attempt, history, weather, severity):
            complain(f"lost: {attempt.kind} by {attempt.actor} was accepted, and is not there")


def _says(entry: Entry, attempt: Attempt) -> bool:
    """Tell whether the entry says what was asked for: which severity, whose it is to be."""
    if entry.type == "priority_change":
        return str(entry.data["to"]) == attempt.about
    if entry.type == "assign" and "reason" not in entry.data:
        return entry.people == (attempt.about,)
    return entry.type != "delegate" or str(entry.data["escalation_policy"]) == attempt.about


def _until(attempt: Attempt) -> float:
    """Until when it may be carried out: whoever was not answered may find it done much later."""
    return attempt.ended if attempt.outcome is Outcome.ACCEPTED else math.inf


def _was_so_already(attempt: Attempt, history: Sequence[Entry], weather: Weather, severity: str) -> bool:
    """Tell whether at some instant of the request there was nothing to do: then nothing is written, rightly."""
    skew = _MOMENT + weather.skew(attempt.began, attempt.ended)
    began, ended = attempt.began - skew, attempt.ended + skew
    state = _State(severity)
    for index, entry in enumerate(history):
        state.take(entry)
        until = history[index + 1].at if index + 1 < len(history) else math.inf
        if state.leaves_nothing_to(attempt) and entry.at <= ended and until >= began:
            return True
    return False


@dataclass(slots=True)
class _State:
    """What an incident is, and for whom."""

    severity: str
    status: str = ""
    by: set[str] = field(default_factory=set)

    def take(self, entry: Entry) -> None:
        """Take up ``entry``."""
        if entry.type == "acknowledge":
            self.status = "acknowledged"
            self.by.add(entry.actor)
        elif entry.type == "resolve":
            self.status = "resolved"
        elif entry.type == "priority_change":
            self.severity = str(entry.data["to"])
        elif _begins_again(entry):
            self.status = "triggered"
            self.by.clear()

    def leaves_nothing_to(self, attempt: Attempt) -> bool:
        """Tell whether carrying out ``attempt`` changes nothing."""
        sender = attempt.actor.startswith("service:")
        if attempt.kind == "acknowledge":
            return self.status != "triggered" if sender else self.status == "acknowledged" and attempt.actor in self.by
        if attempt.kind == "priority_change":
            return self.severity == attempt.about
        if attempt.kind == "resolve":
            return sender and self.status == "resolved"
        return attempt.kind == "unacknowledge" and self.status == "triggered"


def _begins_again(entry: Entry) -> bool:
    if entry.type == "trigger":
        return not entry.data.get("repeated")
    return entry.type == "unacknowledge" or (entry.type in _BY_PEOPLE and entry.actor != _ENGINE)
