"""The escalation of one incident after an outage: nobody looked for a while, and then somebody does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from desktop.domain.escalation import (
    EMERGENCY_GRACE,
    Page,
    Policy,
    Reason,
    Step,
    advance,
    begin,
    next_action_at,
    next_step_at,
    resume,
    take_over,
)
from desktop.domain.severity import Severity
from tests.unit.test_escalation import DAY, HOUR, HOURS, MINUTE, SECOND, START, TEAM, january, policy, team, told


class TestAfterAnOutage:
    def test_overdue_steps_fire_at_once_and_emergency_five_minutes_later(self) -> None:
        plan = policy(Severity.SEV0)
        progress, _ = advance(plan, begin(START), START, team(TEAM), HOURS)
        back = START + 10 * HOUR
        progress, events = advance(plan, progress, back, team(TEAM), HOURS)
        assert told(events) == [("step", "ben"), ("step", "cho"), ("again", "ana")]
        assert next_action_at(plan, progress, HOURS) == back + EMERGENCY_GRACE
        progress, events = advance(plan, progress, back + EMERGENCY_GRACE, team(TEAM), HOURS)
        assert told(events)[0] == ("step", "dir")

    def test_it_does_not_burn_the_rounds(self) -> None:
        plan = policy(Severity.SEV0)
        back = START + 7 * DAY
        progress, _ = advance(plan, begin(START), back, team(TEAM), HOURS)
        progress, events = advance(plan, progress, back + EMERGENCY_GRACE, team(TEAM), HOURS)
        assert told(events)[0] == ("step", "dir")
        assert progress.round == 0
        assert next_step_at(plan, progress, HOURS) == back + EMERGENCY_GRACE + plan.page_again
        # Once more asleep, in the middle of a round: the next round starts when it wakes, one at a time.
        progress, _ = advance(plan, progress, back + DAY, team(TEAM), HOURS)
        assert (progress.round, progress.exhausted) == (1, False)

    def test_the_grace_counts_from_each_return(self) -> None:
        plan = policy(Severity.SEV0)
        progress, _ = advance(plan, begin(START), START + 10 * HOUR, team(TEAM), HOURS)
        back = START + 11 * HOUR
        progress, events = advance(plan, progress, back, team(TEAM), HOURS)
        assert told(events) == [("again", "ana", "ben", "cho")]
        assert next_step_at(plan, progress, HOURS) == back + EMERGENCY_GRACE
        progress, events = advance(plan, progress, back + EMERGENCY_GRACE + SECOND, team(TEAM), HOURS)
        assert told(events) == [("step", "dir")]

    def test_a_server_that_is_always_late_reaches_the_emergency_contacts(self) -> None:
        plan = policy(Severity.SEV0)
        progress, paged = begin(START), []
        for looks in range(20):
            progress, events = advance(plan, progress, START + looks * 7 * MINUTE, team(TEAM), HOURS)
            paged += [p for e in events if isinstance(e, Page) for p in e.people]
        assert "dir" in paged

    def test_the_grace_holds_in_later_rounds(self) -> None:
        plan = policy(Severity.SEV0)
        progress = replace(
            begin(START), round=1, step=3, paged=("ana", "ben", "cho"), ever=("ana", "ben", "cho", "dir")
        )
        back = START + 10 * HOUR
        progress, events = advance(plan, progress, back, team(TEAM), HOURS)
        assert events == ()
        assert next_step_at(plan, progress, HOURS) == back + EMERGENCY_GRACE
        progress, events = advance(plan, progress, back + EMERGENCY_GRACE, team(TEAM), HOURS)
        assert told(events) == [("round", "dir")]
        later = back + EMERGENCY_GRACE + 15 * MINUTE
        assert next_step_at(plan, progress, HOURS) == later
        progress, events = advance(plan, progress, later, team(TEAM), HOURS)
        assert told(events)[0] == ("round", "ana")
        assert next_step_at(plan, progress, HOURS) == later + 15 * MINUTE

    @pytest.mark.parametrize(("turn", "reason"), [(0, Reason.STEP), (1, Reason.ROUND)])
    def test_only_the_emergency_contacts_of_a_step_wait(self, turn: int, reason: Reason) -> None:
        plan = Policy((Step(timedelta(0), ("primary",)), Step(HOUR, ("manager", "emergency"))), HOUR, turn)
        progress = replace(begin(START), round=turn, step=1, paged=("ana",), ever=("ana",))
        back = START + 2 * HOUR
        progress, events = advance(plan, progress, back, team(TEAM), HOURS)
        assert events == (Page(("cho",), 2, reason, ("cho",)),)
        assert next_step_at(plan, progress, HOURS) == back + EMERGENCY_GRACE
        progress, events = advance(plan, progress, back + EMERGENCY_GRACE, team(TEAM), HOURS)
        assert events == (Page(("dir",), 2, reason, ("dir",)),)

    def test_whoever_takes_over_a_role_of_a_step_that_waits_for_its_emergency_contacts_is_paged(self) -> None:
        plan = Policy((Step(HOUR, ("manager", "emergency")),), HOUR)
        progress, _ = advance(plan, begin(START), START + 2 * HOUR, team(TEAM), HOURS)
        changed = team({"manager": ("eve",), "emergency": ("fay",)})
        assert told(take_over(plan, progress, START + 2 * HOUR + SECOND, changed)[1]) == [("took over", "eve")]

    def test_what_waits_for_business_hours_keeps_its_emergency_contacts_and_managers_waiting(self) -> None:
        plan = Policy((Step(HOUR, ("manager", "emergency"), business=True),), HOUR)
        progress, _ = advance(plan, begin(january("07 14:00")), january("07 16:57"), team(TEAM), HOURS)
        assert progress.ever == ("cho",)
        assert next_step_at(plan, progress, HOURS) == january("09 09:00")
        # Slept through that, too, until the evening: nobody is reached then.
        progress, events = advance(plan, progress, january("09 20:00"), team(TEAM), HOURS)
        assert told(events) == [("again", "cho")]
        assert take_over(plan, progress, january("09 21:00"), team({"manager": ("eve",)}))[1] == ()
        assert next_step_at(plan, progress, HOURS) == january("12 09:00")

    @pytest.mark.parametrize("repeats", [0, 2])
    def test_what_follows_waits_a_target_after_the_last_step_really_fired(self, repeats: int) -> None:
        plan = Policy(
            (Step(timedelta(0), ("primary",)), Step(15 * MINUTE, ("secondary",))),
            page_again=15 * MINUTE,
            repeats=repeats,
        )
        back = START + 10 * HOUR
        progress, _ = advance(plan, begin(START), START, team(TEAM), HOURS)
        progress, events = advance(plan, progress, back, team(TEAM), HOURS)
        assert told(events) == [("step", "ben"), ("again", "ana")]
        assert next_step_at(plan, progress, HOURS) == back + 15 * MINUTE
        _, events = advance(plan, progress, back + 15 * MINUTE, team(TEAM), HOURS)
        assert told(events)[0] == (("round", "ana") if repeats else ("exhausted",))

    def test_the_manager_is_not_paged_and_the_list_exhausted_at_one_instant(self) -> None:
        plan, back = policy(Severity.SEV2), START + 10 * HOUR
        progress, _ = advance(plan, begin(START), START, team(TEAM), HOURS)
        progress, events = advance(plan, progress, back, team(TEAM), HOURS)
        assert told(events) == [("step", "ben"), ("step", "cho"), ("again", "ana")]
        assert next_step_at(plan, progress, HOURS) == back + HOUR

    def test_a_moment_late_moves_no_later_round(self) -> None:
        plan = Policy((Step(timedelta(0), ("primary",)),), HOUR, 2)
        progress = begin(START)
        for hours in (0, 1, 2):
            progress, _ = advance(plan, progress, START + hours * HOUR + MINUTE, team(TEAM), HOURS)
            assert (progress.round, next_step_at(plan, progress, HOURS)) == (hours, START + (hours + 1) * HOUR)

    def test_more_than_a_moment_late_the_round_starts_then(self) -> None:
        plan = Policy((Step(timedelta(0), ("primary",)), Step(HOUR, ("secondary",))), HOUR, 1)
        progress = replace(begin(START), step=2, paged=("ana", "ben"), ever=("ana", "ben"))
        back = START + 2 * HOUR + MINUTE + SECOND
        progress, events = advance(plan, progress, back, team(TEAM), HOURS)
        assert told(events) == [("round", "ana")]
        assert next_step_at(plan, progress, HOURS) == back + HOUR

    def test_a_short_target_burns_no_rounds_either(self) -> None:
        plan = Policy((Step(timedelta(0), ("primary",)),), SECOND, 9)
        late = START + 45 * SECOND
        progress, events = advance(plan, begin(START), late, team(TEAM), HOURS)
        assert told(events) == [("step", "ana")]
        assert next_step_at(plan, progress, HOURS) == late + SECOND

    def test_an_acknowledgement_in_the_grace_forgets_it(self) -> None:
        plan = policy(Severity.SEV0)
        back = START + 10 * HOUR
        progress, _ = advance(plan, begin(START), back, team(TEAM), HOURS)
        progress, _ = resume(plan, progress, back + HOUR, team(TEAM), HOURS)
        # After its original gap: the manager at 2, emergency at 4 targets.
        assert next_step_at(plan, progress, HOURS) == back + HOUR + 30 * MINUTE

    def test_a_step_a_moment_late_is_no_outage(self) -> None:
        plan = policy(Severity.SEV0)
        progress, _ = advance(plan, begin(START), START + 30 * MINUTE, team(TEAM), HOURS)
        _, events = advance(plan, progress, START + HOUR + 30 * SECOND, team(TEAM), HOURS)
        assert ("step", "dir") in told(events)

    @pytest.mark.parametrize(("late", "slept"), [(30, False), (31, True), (45, True), (25, False)])
    def test_half_of_a_short_target_is_more_than_a_moment(self, late: int, slept: bool) -> None:
        plan = Policy((Step(timedelta(0), ("primary",)),), MINUTE, 2)
        now = START + late * SECOND
        progress, _ = advance(plan, begin(START), now, team(TEAM), HOURS)
        assert next_step_at(plan, progress, HOURS) == (now if slept else START) + MINUTE

    def test_there_are_two_graces_and_a_new_two_for_the_next_step_and_after_an_acknowledgement(self) -> None:
        plan = Policy((Step(HOUR, ("emergency",)), Step(20 * HOUR, ("manager", "emergency"))), HOUR)
        progress, back = begin(START), START
        for paged in ([], [], [("step", "dir")]):
            back += 2 * HOUR
            progress, events = advance(plan, progress, back, team(TEAM), HOURS)
            assert told(events) == paged
        put_off, _ = advance(plan, progress, back + 30 * HOUR, team({"emergency": ("fay",)}), HOURS)
        assert (progress.graces, put_off.graces) == (0, 1)
        assert resume(plan, put_off, back + 31 * HOUR, team(TEAM), HOURS)[0].graces == 0
