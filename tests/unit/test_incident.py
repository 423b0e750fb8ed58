"""What is asked of an incident: whose it is, what happens to it next, and who comes after."""

from dataclasses import replace
from datetime import timedelta

import pytest

from desktop.domain.incident import (
    Acknowledgement,
    ActionKind,
    Incident,
    OnCall,
    PendingAction,
    Person,
    Status,
    next_responders,
)
from tests.fakes.backend import ANA, T0, incident

MINUTE = timedelta(minutes=1)
BEN, CHO = Person("ben", "Ben Okafor"), Person("cho", "Cho Park")
ESCALATES, LATER = (
    PendingAction(ActionKind.ESCALATE, T0 + 15 * MINUTE),
    PendingAction(ActionKind.ESCALATE, T0 + 30 * MINUTE),
)
TAKEN_BACK = PendingAction(ActionKind.UNACKNOWLEDGE, T0 + 5 * MINUTE)


def test_the_next_escalation_is_the_earliest_and_no_other_action() -> None:
    it = incident(pending=(TAKEN_BACK, LATER, ESCALATES))
    assert it.escalates_at == it.action_at(ActionKind.ESCALATE) == T0 + 15 * MINUTE
    assert it.action_at(ActionKind.UNACKNOWLEDGE) == T0 + 5 * MINUTE
    assert it.action_at(ActionKind.RESOLVE) is None
    assert incident(pending=(TAKEN_BACK,)).escalates_at is None


@pytest.mark.parametrize(
    ("status", "is_open"), [(Status.TRIGGERED, True), (Status.ACKNOWLEDGED, True), (Status.RESOLVED, False)]
)
def test_only_what_is_resolved_is_closed(status: Status, *, is_open: bool) -> None:
    assert incident(status=status).open is is_open


def test_it_is_known_whose_it_is_and_who_acknowledged() -> None:
    it = incident(assignees=(ANA, BEN), acknowledgements=(Acknowledgement(BEN, T0), Acknowledgement(CHO, T0)))
    assert [it.assigned_to(p) for p in ("ana", "ben", "cho")] == [True, True, False]
    assert [it.acknowledged_by(p) for p in ("ana", "ben", "cho")] == [False, True, True]
    assert not incident().acknowledged_by("ana")


def level(person: Person, number: int, policy: str = "SEV0", role: str = "role") -> OnCall:
    return OnCall(person, role, number, policy)


FIRST, SECOND, THIRD = level(ANA, 1), level(BEN, 2), level(CHO, 3)
# sentence, the incident, who is on call, who comes next
NEXT: dict[str, tuple[Incident, tuple[OnCall, ...], tuple[OnCall, ...]]] = {
    "the next level": (incident(), (FIRST, SECOND, THIRD), (SECOND,)),
    "in whatever order": (incident(), (THIRD, SECOND, FIRST), (SECOND,)),
    "a level of those who have it already adds nobody": (incident(), (FIRST, level(ANA, 2), THIRD), (THIRD,)),
    "of a level of two, the new one": (incident(), (FIRST, level(ANA, 2), SECOND), (SECOND,)),
    "a level of two": (incident(), (FIRST, SECOND, level(CHO, 2)), (SECOND, level(CHO, 2))),
    "another policy says nothing": (incident(), (FIRST, level(BEN, 1, "SEV1"), THIRD), (THIRD,)),
    "everybody has it": (incident(assignees=(ANA, BEN)), (FIRST, SECOND), ()),
    "nobody is on call": (incident(), (), ()),
    "nobody has it yet": (incident(assignees=()), (FIRST, SECOND), (FIRST,)),
    "a level numbered 0 counts, too": (incident(), (replace(SECOND, level=0), THIRD), (replace(SECOND, level=0),)),
}


@pytest.mark.parametrize("case", NEXT)
def test_who_comes_next(case: str) -> None:
    it, on_call, expected = NEXT[case]
    assert next_responders(it, on_call) == expected
