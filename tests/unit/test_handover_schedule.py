"""What a handover's overrides and absence do to the schedule of any team, worked out by the rotation itself."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from desktop.domain import handover_answers as answers
from desktop.domain.covering import Presence
from desktop.domain.handover_answers import Around, Wish, request
from desktop.domain.handover_facts import Handover, Kind, Offer, Point, wanted_absence, wanted_overrides, watch
from desktop.domain.rotation import schedule
from desktop.domain.segments import Segment
from desktop.domain.team import Member, Role, Team
from tests.unit.handovers import MINUTE
from tests.unit.teams import HALF_HOUR, Case, cases


def people(segments: tuple[Segment, ...], at: datetime) -> dict[Role, str | None]:
    """Return who has each role at ``at``."""
    return {s.role: s.person for s in segments if s.start <= at < s.end}


def handed_over(team: Team, giver: str, at: datetime, end: datetime) -> Handover:
    """Return a handover of the watch of ``giver`` that somebody who is present accepted and confirmed at once."""
    presence = Presence(team.absences, team.time_zone)
    others = tuple(p.id for p in team.people if p.id != giver and not presence.absent(p.id, at))
    assume(others)
    person, to = Member(giver, giver), Member(others[0], others[0])
    facts = request(Wish("H", Kind.ASK, person, person), Around(others, frozenset(), schedule(team, at, end)), at)
    facts = replace(facts, offers=(Offer(to.id, at),))
    facts = answers.accept(facts, to.id, at)
    for point in Point:
        facts = answers.confirm(facts, to, point, at)
    return facts


@given(cases(days=5), st.integers(0, 120), st.booleans())
def test_the_receiver_has_exactly_the_watch_and_nobody_else_is_lost(case: Case, step: int, stays: bool) -> None:
    at = case.start + step * HALF_HOUR
    assume(at < case.end)
    before = schedule(case.team, at, case.end)
    giver = people(before, at)[Role.PRIMARY]
    assume(giver is not None)
    facts = replace(handed_over(case.team, giver or "", at, case.end), stays_available=stays)
    absence = wanted_absence(facts)
    after = replace(
        case.team,
        overrides=(*case.team.overrides, *wanted_overrides(facts, at)),
        absences=(*case.team.absences, *(() if absence is None else (absence,))),
    )
    own = watch(facts, at)
    reached = max(s.end for s in own)
    segments = schedule(after, at, case.end)
    now = at
    while now < case.end:
        old, new = people(before, now), people(segments, now)
        assert {new[s.role] for s in own if s.start <= now < s.end} <= {facts.offers[0].person}
        assert old[Role.PRIMARY] is None or new[Role.PRIMARY] is not None
        if now >= reached:
            assert new == old
        elif not stays:
            assert giver not in {new.get(Role.PRIMARY), new.get(Role.SECONDARY)}
        now += timedelta(hours=1) + 7 * MINUTE
