"""The escalation of one incident: every rule of design section 3 as a row of a table."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from desktop.domain.business import BusinessHours
from desktop.domain.escalation import (
    MAX_REPEATS,
    Event,
    Exhausted,
    Page,
    Policy,
    Progress,
    Reason,
    Step,
    WhoIsOnCall,
    advance,
    begin,
    begin_again,
    default_policy,
    escalate,
    next_action_at,
    next_step_at,
    resume,
    take_over,
)
from desktop.domain.severity import DEFAULT_TARGETS, Severity

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 1, 7, 3, 0, tzinfo=UTC)  # a Wednesday, three in the morning
HOURS = BusinessHours(ZoneInfo("UTC"), frozenset({date(2026, 1, 8)}))
TEAM = {"primary": ("ana",), "secondary": ("ben",), "manager": ("cho",), "emergency": ("dir",)}


def team(people: Mapping[str, tuple[str, ...]]) -> WhoIsOnCall:
    return lambda role: people.get(role, ())


def policy(severity: Severity) -> Policy:
    return default_policy(severity, DEFAULT_TARGETS[severity])


def told(events: tuple[Event, ...]) -> list[tuple[str, ...]]:
    """Name each event shortly: its reason and whom it pages."""
    return [(e.reason.value, *e.people) if isinstance(e, Page) else ("exhausted",) for e in events]


def run(plan: Policy, progress: Progress, until: datetime, who: WhoIsOnCall) -> list[tuple[timedelta, Event]]:
    """Live through an escalation at exactly the instants that it asks for; return what happened when."""
    story: list[tuple[timedelta, Event]] = []
    while (due := next_action_at(plan, progress, HOURS)) is not None and due <= until:
        progress, events = advance(plan, progress, due, who, HOURS)
        story += [(due - START, event) for event in events]
    return story


def january(text: str) -> datetime:
    """Return the instant "06 04:30" of January 2026 (the sixth is a Tuesday, the eighth a holiday)."""
    return datetime.fromisoformat(f"2026-01-{text}").replace(tzinfo=UTC)


def steps_of(story: list[tuple[timedelta, Event]]) -> list[tuple[timedelta, tuple[str, ...]]]:
    return [(at, e.people) for at, e in story if isinstance(e, Page) and e.reason is Reason.STEP]


class TestTheTimes:
    """Primary at once; secondary, manager and emergency after 1, 2 and 4 acknowledge targets."""

    @pytest.mark.parametrize(
        ("severity", "expected"),
        [
            (Severity.SEV0, [(0, "ana"), (15, "ben"), (30, "cho"), (60, "dir")]),
            (Severity.SEV1, [(0, "ana"), (30, "ben"), (60, "cho"), (120, "dir")]),
            # Manager in business hours only: at 09:00, six hours after the trigger.
            (Severity.SEV2, [(0, "ana"), (60, "ben"), (360, "cho")]),
            # 4 h to the secondary, 8 h to the manager: 11:00, in business hours.
            (Severity.SEV3, [(0, "ana"), (240, "ben"), (480, "cho")]),
        ],
    )
    def test_each_severity(self, severity: Severity, expected: list[tuple[int, str]]) -> None:
        story = run(policy(severity), begin(START), START + 12 * HOUR, team(TEAM))
        assert steps_of(story) == [(minutes * MINUTE, (person,)) for minutes, person in expected]

    def test_those_paged_are_paged_again_every_target(self) -> None:
        story = run(policy(Severity.SEV0), begin(START), START + HOUR, team(TEAM))
        again = [(at / MINUTE, e.people) for at, e in story if isinstance(e, Page) and e.reason is Reason.AGAIN]
        assert again == [
            (15, ("ana",)),
            (30, ("ana", "ben")),
            (45, ("ana", "ben", "cho")),
            (60, ("ana", "ben", "cho")),
        ]

    def test_whatever_was_missed_they_are_paged_again_once_and_then_at_the_times_of_before(self) -> None:
        plan = Policy((Step(timedelta(0), ("primary",)),), 15 * MINUTE)
        progress, _ = advance(plan, begin(START), START, team(TEAM), HOURS)
        progress, events = advance(plan, progress, START + 40 * MINUTE, team(TEAM), HOURS)
        assert [e for e in events if isinstance(e, Page)] == [Page(("ana",), 1, Reason.AGAIN)]
        assert progress.again_at == START + 45 * MINUTE

    def test_when_a_round_pages_all_who_are_due_again_there_is_no_page_to_nobody(self) -> None:
        plan = Policy((Step(timedelta(0), ("primary",)),), HOUR, 1)
        progress, _ = advance(plan, begin(START), START, team(TEAM), HOURS)
        _, events = advance(plan, progress, START + HOUR, team(TEAM), HOURS)
        assert events == (Page(("ana",), 1, Reason.ROUND),)

    def test_rounds_start_a_target_after_the_last_step(self) -> None:
        story = run(policy(Severity.SEV0), begin(START), START + 4 * HOUR, team(TEAM))
        rounds = [(at / MINUTE, e.people) for at, e in story if isinstance(e, Page) and e.reason is Reason.ROUND]
        assert rounds[:5] == [(75, ("ana",)), (90, ("ben",)), (105, ("cho",)), (135, ("dir",)), (150, ("ana",))]

    @pytest.mark.parametrize(("severity", "rounds"), [(s, MAX_REPEATS if s.repeats else 0) for s in Severity])
    def test_exhausted_once_after_the_last_round_and_still_ringing(self, severity: Severity, rounds: int) -> None:
        story = run(policy(severity), begin(START), START + 30 * DAY, team(TEAM))
        ends = [at for at, e in story if isinstance(e, Exhausted)]
        starts = [e for _, e in story if isinstance(e, Page) and e.reason is Reason.ROUND and e.people == ("ana",)]
        assert (len(ends), len(starts)) == (1, rounds)
        assert [e for at, e in story if at > ends[0] and isinstance(e, Page) and e.reason is Reason.AGAIN]


class TestWhoIsAdded:
    """Each step adds; nobody is released, nobody paged twice by one round."""

    @pytest.mark.parametrize(
        ("people", "expected"),
        [
            ({**TEAM, "secondary": ()}, [(0, "ana"), (15, "cho"), (60, "dir")]),
            ({**TEAM, "secondary": ("ana",)}, [(0, "ana"), (15, "cho"), (60, "dir")]),
            ({**TEAM, "primary": ()}, [(0, "ben"), (30, "cho"), (60, "dir")]),
            ({**TEAM, "primary": (), "secondary": ()}, [(0, "cho"), (60, "dir")]),
            ({**TEAM, "manager": ("ana",)}, [(0, "ana"), (15, "ben"), (30, "dir")]),
            ({"primary": ("ana",)}, [(0, "ana")]),
            ({"emergency": ("dir",)}, [(0, "dir")]),
        ],
        ids=["no secondary", "same person", "no primary", "neither", "manager is primary", "alone", "emergency only"],
    )
    def test_a_step_that_adds_nobody_fires_the_next_at_once(
        self, people: dict[str, tuple[str, ...]], expected: list[tuple[int, str]]
    ) -> None:
        story = run(policy(Severity.SEV0), begin(START), START + HOUR, team(people))
        assert steps_of(story) == [(minutes * MINUTE, (person,)) for minutes, person in expected]

    def test_nobody_at_all_is_exhausted_and_asks_for_nothing_more(self) -> None:
        plan = Policy((Step(timedelta(0), ("primary",)), Step(HOUR, ("secondary",))), HOUR)
        progress, events = advance(plan, begin(START), START, team({}), HOURS)
        assert events == ()
        progress, events = advance(plan, progress, START + DAY, team({}), HOURS)
        assert told(events) == [("exhausted",)]
        assert next_action_at(plan, progress, HOURS) is None

    def test_an_empty_step_does_not_wake_who_waits_for_business_hours(self) -> None:
        story = run(policy(Severity.SEV2), begin(START), START + 12 * HOUR, team({**TEAM, "secondary": ()}))
        assert steps_of(story) == [(timedelta(0), ("ana",)), (6 * HOUR, ("cho",))]

    @pytest.mark.parametrize(
        ("severity", "begins", "comes"),
        [
            (Severity.SEV3, "06 04:30", "06 09:00"),
            (Severity.SEV2, "06 07:30", "06 09:00"),
            (Severity.SEV3, "06 10:00", "06 14:00"),
            (Severity.SEV3, "09 14:00", "12 09:00"),
        ],
        ids=["before the opening", "the same for SEV-2", "while it is open", "on a Friday evening"],
    )
    def test_at_once_means_at_the_next_opening_for_who_waits_for_business_hours(
        self, severity: Severity, begins: str, comes: str
    ) -> None:
        at = january(begins)
        story = run(policy(severity), begin(at), at + 4 * DAY, team({**TEAM, "secondary": ()}))
        assert [(START + since, people) for since, people in steps_of(story)] == [
            (at, ("ana",)),
            (january(comes), ("cho",)),
        ]

    @pytest.mark.parametrize(
        ("begins", "comes", "last"),
        [("06 04:30", "06 09:00", "06 14:30"), ("09 14:00", "12 09:00", "12 11:00")],
        ids=["earlier than its time: they keep theirs", "later than its time: they wait equally"],
    )
    def test_the_steps_after_one_that_came_at_the_opening(self, begins: str, comes: str, last: str) -> None:
        plan = Policy((*policy(Severity.SEV3).steps, Step(10 * HOUR, ("emergency",))), 4 * HOUR)
        at = january(begins)
        story = run(plan, begin(at), at + 4 * DAY, team({**TEAM, "secondary": ()}))
        assert [START + since for since, _ in steps_of(story)] == [at, january(comes), january(last)]

    def test_an_acknowledgement_before_the_opening_forgets_that_it_was_at_once(self) -> None:
        plan, who = policy(Severity.SEV3), team({**TEAM, "secondary": ()})
        progress, _ = advance(plan, begin(january("06 04:30")), january("06 04:30"), who, HOURS)
        progress, _ = advance(plan, progress, january("06 08:30"), who, HOURS)
        progress, _ = resume(plan, progress, january("06 10:00"), who, HOURS)
        assert next_step_at(plan, progress, HOURS) == january("06 14:00")

    def test_the_empty_last_step_of_a_round_hastens_nothing_in_the_next(self) -> None:
        plan = Policy((Step(HOUR, ("primary",)), Step(2 * HOUR, ("secondary",))), HOUR, 1)
        story = run(plan, begin(START), START + 6 * HOUR, team({"primary": ("ana",)}))
        assert [at for at, e in story if isinstance(e, Page) and e.reason is Reason.ROUND] == [4 * HOUR]
        assert [(at, e.people) for at, e in story if isinstance(e, Exhausted)] == [(6 * HOUR, ("ana",))]

    def test_both_who_hold_a_role_are_paged(self) -> None:
        _, events = advance(policy(Severity.SEV0), begin(START), START, team({"primary": ("ana", "ben")}), HOURS)
        assert told(events) == [("step", "ana", "ben")]

    def test_a_step_of_several_roles_pages_each_person_once(self) -> None:
        plan = Policy((Step(timedelta(0), ("primary", "secondary")),), MINUTE)
        _, events = advance(plan, begin(START), START, team({"primary": ("ana",), "secondary": ("ana",)}), HOURS)
        assert told(events) == [("step", "ana")]


class TestBusinessHours:
    def test_later_steps_wait_equally(self) -> None:
        plan = Policy(
            (Step(timedelta(0), ("manager",), business=True), Step(HOUR, ("primary",)), Step(2 * HOUR, ("secondary",))),
            HOUR,
        )
        story = run(plan, begin(START), START + 12 * HOUR, team(TEAM))
        assert steps_of(story) == [(6 * HOUR, ("cho",)), (7 * HOUR, ("ana",)), (8 * HOUR, ("ben",))]

    def test_a_holiday_is_waited_out(self) -> None:
        at = datetime(2026, 1, 7, 16, 30, tzinfo=UTC)  # the next day is a holiday
        plan = Policy((Step(HOUR, ("manager",), business=True),), HOUR)
        assert next_step_at(plan, begin(at), HOURS) == datetime(2026, 1, 9, 9, 0, tzinfo=UTC)

    def test_found_overdue_at_night_it_waits_for_the_morning(self) -> None:
        plan = Policy((Step(7 * HOUR, ("manager",), business=True), Step(8 * HOUR, ("primary",))), HOUR)
        night = datetime(2026, 1, 10, 2, 0, tzinfo=UTC)  # a Saturday
        progress, events = advance(plan, begin(START), night, team(TEAM), HOURS)
        assert events == ()
        monday = datetime(2026, 1, 12, 9, 0, tzinfo=UTC)
        assert next_step_at(plan, progress, HOURS) == monday
        progress, events = advance(plan, progress, monday, team(TEAM), HOURS)
        assert told(events) == [("step", "cho")]
        assert next_step_at(plan, progress, HOURS) == monday + HOUR

    def test_a_moment_late_at_closing_time_is_not_a_night(self) -> None:
        due = datetime(2026, 1, 7, 16, 59, 59, tzinfo=UTC)
        plan = Policy((Step(due - START, ("manager",), business=True),), HOUR)
        _, events = advance(plan, begin(START), due + 2 * SECOND, team(TEAM), HOURS)
        assert told(events) == [("step", "cho")]

    def test_found_overdue_within_the_hours_it_delays_nobody(self) -> None:
        plan = Policy((Step(7 * HOUR, ("manager",), business=True), Step(9 * HOUR, ("primary",))), HOUR)
        progress, events = advance(plan, begin(START), START + 8 * HOUR, team(TEAM), HOURS)
        assert told(events) == [("step", "cho")]
        assert next_step_at(plan, progress, HOURS) == START + 9 * HOUR

    def test_emergency_contacts_in_business_hours_have_their_grace_at_the_opening(self) -> None:
        plan = Policy((Step(HOUR, ("emergency",), business=True),), HOUR)
        progress, events = advance(plan, begin(january("05 12:00")), january("07 08:58"), team(TEAM), HOURS)
        assert events == ()
        assert next_step_at(plan, progress, HOURS) == january("07 09:03")


class TestWhenAnAcknowledgementEnds:
    def test_everyone_is_paged_and_the_next_step_follows_after_its_gap(self) -> None:
        plan = policy(Severity.SEV0)
        progress, _ = advance(plan, begin(START), START, team(TEAM), HOURS)
        progress, _ = advance(plan, progress, START + 15 * MINUTE, team(TEAM), HOURS)
        at = START + 2 * HOUR
        progress, events = resume(plan, progress, at, team(TEAM), HOURS)
        assert events == (Page(("ana", "ben"), 2, Reason.TIMEOUT),)
        assert next_step_at(plan, progress, HOURS) == at + 15 * MINUTE
        assert progress.again_at == at + 15 * MINUTE

    def test_a_list_begun_anew_meanwhile_counts_from_now(self) -> None:
        plan, at = policy(Severity.SEV0), START + 2 * HOUR
        progress = begin_again(plan, replace(begin(START), ever=("ana", "eve")), START + HOUR)
        progress, events = resume(plan, progress, at, team(TEAM), HOURS)
        assert told(events) == [("acknowledgement ended", "eve"), ("step", "ana")]
        assert next_step_at(plan, progress, HOURS) == at + 15 * MINUTE

    @pytest.mark.parametrize(("severity", "minutes"), [(0, 30), (1, 60), (2, None), (3, None)])
    def test_how_long_it_holds(self, severity: int, minutes: int | None) -> None:
        holds = policy(Severity(severity)).acknowledge_timeout
        assert holds == (None if minutes is None else minutes * MINUTE)

    def test_nobody_was_paged_then_nobody_is(self) -> None:
        assert resume(policy(Severity.SEV0), begin(START), START + HOUR, team({}), HOURS)[1] == ()

    def test_after_the_last_step_a_round_follows(self) -> None:
        plan = policy(Severity.SEV0)
        progress = begin(START)
        for minutes in (0, 15, 30, 60):
            progress, _ = advance(plan, progress, START + minutes * MINUTE, team(TEAM), HOURS)
        progress, _ = resume(plan, progress, START + 3 * HOUR, team(TEAM), HOURS)
        progress, events = advance(plan, progress, START + 3 * HOUR + 15 * MINUTE, team(TEAM), HOURS)
        assert told(events)[0] == ("round", "ana")


class TestBeginningAgain:
    """The severity was raised, or it came back: from the top, for those who know of it already, too."""

    def test_from_the_top(self) -> None:
        plan, at = policy(Severity.SEV0), START + HOUR
        progress = begin_again(plan, replace(begin(START), step=2, paged=("ana", "ben"), ever=("ana", "ben")), at)
        assert next_step_at(plan, progress, HOURS) == at
        assert progress.again_at == at + 15 * MINUTE
        progress, events = advance(plan, progress, at, team(TEAM), HOURS)
        assert events == (Page(("ana",), 1, Reason.STEP),)

    def test_a_list_without_steps_pages_those_who_know_again(self) -> None:
        plan = Policy((), HOUR)
        progress = begin_again(plan, replace(begin(START), ever=("ana",)), START)
        _, events = advance(plan, progress, START + HOUR, team(TEAM), HOURS)
        assert told(events) == [("exhausted",), ("again", "ana")]

    def test_nobody_knows_then_nobody_is_paged_again(self) -> None:
        assert begin_again(policy(Severity.SEV0), begin(START), START + HOUR) == begin(START + HOUR)


class TestTakingOver:
    def test_the_new_primary_is_added_at_once(self) -> None:
        plan = policy(Severity.SEV0)
        progress, _ = advance(plan, begin(START), START, team(TEAM), HOURS)
        changed = team({**TEAM, "primary": ("eve",), "secondary": ("fay",)})
        progress, events = take_over(plan, progress, START + MINUTE, changed)
        # The secondary has not been reached: the new one waits for that step.
        assert events == (Page(("eve",), 1, Reason.TAKEOVER, ("eve",)),)
        assert progress.ever == ("ana", "eve")
        assert take_over(plan, progress, START + MINUTE, changed) == (progress, ())

    def test_who_took_over_is_not_paged_by_a_later_step_of_the_round(self) -> None:
        plan = policy(Severity.SEV0)
        progress, _ = advance(plan, begin(START), START, team(TEAM), HOURS)
        both = team({**TEAM, "primary": ("eve",), "secondary": ("eve",)})
        progress, _ = take_over(plan, progress, START + MINUTE, both)
        _, events = advance(plan, progress, START + 15 * MINUTE, both, HOURS)
        assert told(events) == [("step", "cho"), ("again", "ana", "eve")]

    def test_in_a_later_round_every_role_counts(self) -> None:
        plan = policy(Severity.SEV0)
        progress = replace(begin(START), round=1, ever=("ana", "ben", "cho", "dir"))
        _, events = take_over(plan, progress, START, team({**TEAM, "manager": ("eve",)}))
        assert told(events) == [("took over", "eve")]

    def test_the_first_on_call_after_nobody_is_paged_again_like_any_other(self) -> None:
        plan = policy(Severity.SEV2)
        progress, _ = advance(plan, begin(START), START + DAY, team({}), HOURS)
        progress, events = take_over(plan, progress, START + DAY, team(TEAM))
        assert events
        assert next_action_at(plan, progress, HOURS) == START + DAY + plan.page_again


class TestEscalatingByHand:
    @pytest.mark.parametrize(
        ("upto", "people", "expected", "next_in"),
        [
            (2, TEAM, [("ben",)], 15),
            (3, TEAM, [("ben",), ("cho",)], 30),
            (4, TEAM, [("ben",), ("cho",), ("dir",)], 15),
            (9, TEAM, [("ben",), ("cho",), ("dir",)], 15),
            (2, {**TEAM, "secondary": ()}, [("cho",)], 30),
        ],
        ids=["one", "two", "all", "more than there are", "past an empty one"],
    )
    def test_up_to_a_step(
        self, upto: int, people: dict[str, tuple[str, ...]], expected: list[tuple[str, ...]], next_in: int
    ) -> None:
        plan = policy(Severity.SEV0)
        progress, _ = advance(plan, begin(START), START, team(people), HOURS)
        at = START + MINUTE
        progress, events = escalate(plan, progress, at, upto, team(people))
        assert [e.people for e in events] == expected
        assert next_step_at(plan, progress, HOURS) == at + next_in * MINUTE
        assert progress.again_at == at + 15 * MINUTE

    def test_before_anybody_was_paged(self) -> None:
        plan, at = policy(Severity.SEV0), START + MINUTE
        progress, events = escalate(plan, begin(START), at, 1, team(TEAM))
        assert told(events) == [("step", "ana")]
        assert next_action_at(plan, progress, HOURS) == at + 15 * MINUTE

    def test_what_waited_for_its_opening_waits_no_more_and_what_follows_keeps_its_gap(self) -> None:
        plan = Policy((*policy(Severity.SEV3).steps, Step(10 * HOUR, ("emergency",))), 4 * HOUR)
        who = team({**TEAM, "secondary": ()})
        progress, _ = advance(plan, begin(january("06 04:30")), january("06 04:30"), who, HOURS)
        progress, _ = advance(plan, progress, january("06 08:30"), who, HOURS)
        progress, events = escalate(plan, progress, january("06 08:45"), 3, who)
        assert told(events) == [("step", "cho")]
        assert next_step_at(plan, progress, HOURS) == january("06 10:45")

    def test_it_does_not_wait_for_business_hours(self) -> None:
        plan = policy(Severity.SEV2)
        progress, _ = advance(plan, begin(START), START, team(TEAM), HOURS)
        _, events = escalate(plan, progress, START, 3, team(TEAM))
        assert [e.people for e in events] == [("ben",), ("cho",)]

    def test_a_list_without_steps_has_nothing_to_escalate(self) -> None:
        plan = Policy((), MINUTE)
        assert escalate(plan, begin(START), START, 3, team(TEAM)) == (begin(START), ())
