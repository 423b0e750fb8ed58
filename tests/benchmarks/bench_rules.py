"""Print what the rules cost: ``python -m tests.benchmarks.bench_rules``. Figures, not a test.

Goals: ten years of weekly rotation with US holidays in 50 ms, warm, and 250 ms as the first thing that a process does,
the reading of the team file and the library of holidays included; who is on call at an instant in 50 µs after the first
call.
"""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

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
FIRST_THING = """
import sys, time
began = time.process_time()
from datetime import UTC, datetime, timedelta
from desktop.domain.rotation import schedule
from desktop.team import parse
team = parse(sys.stdin.read(), "team.toml")
read = time.process_time()
schedule(team, datetime(2026, 1, 5, 17, tzinfo=UTC), datetime(2036, 1, 5, 17, tzinfo=UTC))
print(read - began, time.process_time() - began)
"""
START = datetime(2026, 1, 5, 17, tzinfo=UTC)
TEN_YEARS = timedelta(days=3652)


def main() -> None:
    """Measure and print."""
    cold()
    team = parse(text("1 week"), "team.toml")
    show("reading a team file with US holidays, warm", typical(lambda: parse(text("1 week"), "team.toml"), 20))
    schedules(team)
    on_call(team)
    show("a team file of 900 KiB", typical(lambda: parse(text("1 week") + "# filler\n" * 100_000, "team.toml"), 3))


def cold() -> None:
    """Measure the first thing that a process does, with Python's bytecode kept, as an installed program has it."""
    with TemporaryDirectory() as folder:
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPYCACHEPREFIX": folder}
        first_thing(kept)
        figures = [first_thing(kept) for _ in range(5)]
    for number, what in enumerate(("reading a team file with US holidays", "and ten years of it (goal 250 ms)")):
        show(f"cold: {what}", median(figure[number] for figure in figures))


def first_thing(environment: dict[str, str]) -> tuple[float, float]:
    """Return after how long a new process has read the team file, and has its schedule: seconds of its processor."""
    run, root = [sys.executable, "-c", FIRST_THING], Path(__file__).parents[2]
    said = subprocess.run(
        run, cwd=root, env=environment, input=text("1 week").encode(), capture_output=True, check=True
    )
    read, known = said.stdout.split()
    return float(read), float(known)


def schedules(team: Team) -> None:
    """Measure ten years of several teams."""
    fresh = [replace(team, overrides=(override(n),)) for n in range(6)]
    show("ten years, weekly, first question about a team", median(cost(partial(ten_years, t)) for t in fresh))
    show("ten years, weekly, warm (goal 50 ms)", typical(lambda: ten_years(team), 20))
    for every in ("1 day", "12 hours", "1 hour"):
        short = parse(text(every), "team.toml")
        show(f"ten years, shifts of {every}, warm", typical(partial(ten_years, short), 3))
    large = ring(team, 500)
    show("ten years, weekly, ring of 500, warm", typical(lambda: ten_years(large), 5))
    busy = replace(team, overrides=tuple(override(n) for n in range(2000)))
    show("ten years, weekly, 2,000 overrides, warm", typical(lambda: ten_years(busy), 5))


def on_call(team: Team) -> None:
    """Measure one instant: as the first question about a team, in the weeks after those, and after that."""
    at = START + timedelta(days=400)
    hours = parse(text("1 hour"), "team.toml")
    for what, asked in (("weekly", team), ("ring of 500", ring(team, 500)), ("shifts of an hour", hours)):
        fresh = [replace(asked, overrides=(override(n),)) for n in range(5)]
        show(f"on call, first question, {what}", median(cost(partial(rotation.on_call, t, at)) for t in fresh))
        later = [at + n * timedelta(weeks=8) for n in range(1, 10)]
        show("    and in the next eight weeks", median(cost(partial(rotation.on_call, fresh[-1], t)) for t in later))
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
