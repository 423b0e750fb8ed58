"""Print what the rules cost: ``python -m tests.benchmarks.bench_rules``. Figures, not a test.

Goals: ten years of weekly rotation with US holidays in 50 ms, warm; who is on call at an instant in 50 µs after the
first call.
"""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

from desktop.domain import rotation
from desktop.domain.team import Every, Override, Role, Rotation, Team, Unit
from desktop.team import parse
from tests.benchmarks.figures import cost, show, typical

FILE = """
time_zone = "America/Los_Angeles"
{people}
[rotation.primary]
members = ["p0", "p1", "p2"]
start = 2026-01-05T09:00:00
every = "{every}"
[rotation.secondary]
members = ["p1", "p2", "p0"]
start = 2026-01-05T09:00:00
every = "{every}"
[rotation.manager]
members = ["p3"]
start = 2026-01-05T09:00:00
every = "1 week"
[holidays]
country = "US"
"""
START = datetime(2026, 1, 5, 17, tzinfo=UTC)
TEN_YEARS = timedelta(days=3652)


def main() -> None:
    """Measure and print."""
    began = time.perf_counter()
    team = parse(text("1 week"), "team.toml")
    show("first team file with US holidays (imports the library)", time.perf_counter() - began)
    show("the same again", typical(lambda: parse(text("1 week"), "team.toml"), 20))
    schedules(team)
    on_call(team)
    show("a team file of 900 KiB", typical(lambda: parse(text("1 week") + "# filler\n" * 100_000, "team.toml"), 3))


def schedules(team: Team) -> None:
    """Measure ten years of several teams."""
    fresh = [replace(team, overrides=(override(n),)) for n in range(6)]
    show("ten years, weekly, first question about a team", median(cost(partial(ten_years, t)) for t in fresh))
    show("ten years, weekly, warm (goal 50 ms)", typical(lambda: ten_years(team), 20))
    daily = parse(text("1 day"), "team.toml")
    show("ten years, daily, warm", typical(lambda: ten_years(daily), 5))
    fifty = ring(team, 50)
    show("ten years, weekly, ring of 50, warm", typical(lambda: ten_years(fifty), 5))
    busy = replace(team, overrides=tuple(override(n) for n in range(2000)))
    show("ten years, weekly, 2,000 overrides, warm", typical(lambda: ten_years(busy), 5))


def on_call(team: Team) -> None:
    """Measure one instant: as the first question about a team, and after that."""
    at = START + timedelta(days=400)
    fresh = [replace(team, overrides=(override(n),)) for n in range(12)]
    show("on call, first question about a team", median(cost(partial(rotation.on_call, t, at)) for t in fresh))
    many = typical(lambda: [rotation.on_call(team, at) for _ in range(1000)], 20)
    show("on call, after that (goal 0.050 ms)", many / 1000)


def ten_years(team: Team) -> object:
    """Return the schedule that the goal is about."""
    return rotation.schedule(team, START, START + TEN_YEARS)


def override(number: int) -> Override:
    """Return one of many overrides, a day and a half apart."""
    start = START + number * timedelta(hours=36)
    return Override(Role.PRIMARY, "p3", start, start + timedelta(hours=8))


def ring(team: Team, size: int) -> Team:
    """Return ``team`` with ``size`` people in the ring of the primary."""
    members = tuple(f"p{n}" for n in range(size))
    primary = Rotation(members, team.rotations[Role.PRIMARY].start, Every(1, Unit.WEEKS))
    return replace(team, rotations={**team.rotations, Role.PRIMARY: primary})


def text(every: str) -> str:
    """Return a team file of fifty people."""
    return FILE.format(every=every, people="".join(f'[[people]]\nid = "p{n}"\n' for n in range(50)))


if __name__ == "__main__":
    main()
