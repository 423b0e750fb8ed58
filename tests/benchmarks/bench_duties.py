"""What the duties and the review cost. Run it as ``python tests/benchmarks/bench_duties.py``; it prints milliseconds.

The team: 500 people in one ring, all of them still to be trained, US holidays, 50 open SEV-1, and thirteen weeks of
duties of which nine in ten were done.
"""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.domain.duties import Facts, MajorIncident, duties
from desktop.domain.duty import Act, Mark
from desktop.domain.review import Handled, Paged, review
from desktop.domain.severity import Severity
from desktop.domain.team import Every, Member, Role, Rotation, Team, Unit
from tests.benchmarks.figures import show, typical

WEEKLY = Every(1, Unit.WEEKS)
BEGAN = datetime(2026, 1, 5, 9)
NOW = datetime(2026, 6, 17, 20, tzinfo=UTC)
SINCE = NOW - timedelta(weeks=13)
_fresh = count()


def main() -> None:
    """Measure and print."""
    team = five_hundred()
    facts = busy(team)
    now = iter(NOW + n * timedelta(seconds=1) for n in range(10_000))
    show("due duties of 500 people (goal 10 ms)", typical(lambda: duties(team, facts, next(now)), 40))
    show("the same, first question about a team", typical(lambda: duties(fresh(team), facts, NOW), 5))
    quiet = replace(facts, since=NOW - timedelta(days=2))
    show("the same, all settled before two days ago", typical(lambda: duties(team, quiet, next(now)), 40))
    long = replace(facts, since=NOW - timedelta(days=365))
    show("the same, a year of duties", typical(lambda: duties(team, long, next(now)), 20))
    incidents = [incident(n) for n in range(1000)]
    show(
        "review of 13 weeks, 500 people, 1,000 incidents", typical(lambda: review(team, incidents, SINCE, NOW, NOW), 5)
    )
    print(f"{len(duties(team, facts, NOW))} duties listed")


def five_hundred() -> Team:
    """Return the team."""
    people = tuple(Member(f"p{n}", f"Person {n}", certified=False) for n in range(500))
    members = tuple(p.id for p in people)
    rotations = {
        Role.PRIMARY: Rotation(members, BEGAN, WEEKLY),
        Role.SECONDARY: Rotation((*members[1:], members[0]), BEGAN, WEEKLY),
        Role.MANAGER: Rotation(("p0",), BEGAN, WEEKLY),
    }
    days = {datetime(2026, month, day).date(): "Holiday" for month, day in ((1, 1), (1, 19), (5, 25), (6, 19), (7, 3))}
    return Team(ZoneInfo("America/Los_Angeles"), people, rotations, holidays=days)


def fresh(team: Team) -> Team:
    """Return a team that was never asked about."""
    return replace(team, people=(*team.people, Member(f"new-{next(_fresh)}", "New", certified=True)))


def busy(team: Team) -> Facts:
    """Return what is known: open incidents, and marks on nine in ten duties."""
    started = NOW - timedelta(hours=2)
    incidents = tuple(MajorIncident(f"I{n}", "Down", Severity.SEV1, started) for n in range(50))
    facts = Facts(SINCE, incidents)
    listed = duties(team, facts, NOW)
    done = (x.duty for n, x in enumerate(listed) if n % 10)
    marks = tuple(Mark(d.id, Act.SIGN, p, NOW) for d in done for p in d.signers or ("p1",))
    return replace(facts, marks=marks)


def incident(number: int) -> Handled:
    """Return one of many incidents."""
    at = SINCE + number * timedelta(hours=2)
    answered, over = at + timedelta(minutes=number % 40), at + timedelta(hours=1)
    return Handled(
        f"I{number}", Severity(number % 4), at, answered, over, pages=(Paged(f"p{number % 500}", (at,), answered),)
    )


if __name__ == "__main__":
    main()
