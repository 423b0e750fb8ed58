"""Print what team files cost that nobody would write: ``python -m tests.benchmarks.bench_hostile_teams``.

Each is as large as a team file may be, one megabyte, and read in a process of its own. Goal: about two seconds, and no
memory to speak of; beside it stands how many lines are told.
"""

import resource
import time
from collections.abc import Callable, Iterator
from itertools import count
from multiprocessing import get_context

from desktop.domain.errors import TeamFileError
from desktop.team import parse
from desktop.team.document import LIMIT

HEAD = 'time_zone = "UTC"\n'
RING = '[rotation.primary]\nstart = 2026-01-05T09:00:00\nevery = "1 week"\nmembers = ['
AWAY = '{{person="a{}",cover="a{}",start=2026-01-01T00:{:02}:{:02},end=2027-01-01T00:00:00}},'


def main() -> None:
    """Measure and print."""
    context = get_context("fork")
    for name, text in files():
        answer = context.SimpleQueue()
        process = context.Process(target=lambda text=text, answer=answer: answer.put(read(text)))
        process.start()
        seconds, megabytes, problems = answer.get()
        process.join()
        print(f"{name:.<50} {seconds:6.2f} s {megabytes:6.0f} MiB more {problems:6} lines")


def read(text: str) -> tuple[float, float, int]:
    """Read ``text``; return seconds of the processor, the growth of memory in MiB, and the number of mistakes."""
    before, began, problems = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time(), 0
    try:
        parse(text, "team.toml")
    except TeamFileError as error:
        problems = len(error.problems)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return time.process_time() - began, (after - before) / 1024, problems


def files() -> Iterator[tuple[str, str]]:
    """Yield the files, each with what it is full of."""
    yield "unknown keys", full(HEAD, lambda n: f"k{n}=1\n")
    yield "one array", full(HEAD + "a=[", lambda _: "1,", "]")
    yield "an array under 400 brackets", full(HEAD + "a=" + "[" * 400, lambda _: "1,", "]" * 400)
    yield "brackets", HEAD + "a=" + "[" * (LIMIT // 3) + "]" * (LIMIT // 3)
    yield "one key with dots", HEAD + "a" + ".a" * (LIMIT // 3) + " = 1\n"
    yield "people", full(HEAD + "people=[", lambda n: f'{{id="a{n}"}},', "]")
    yield "people without an id", full(HEAD + "people=[", lambda _: "{},", "]")
    many = full(HEAD, lambda n: f'[[people]]\nid="a{n}"\n', size=LIMIT // 2)
    yield "unknown members, and as many people", full(many + RING, lambda n: f'"b{n}",', "]")
    yield "unknown zones", full(HEAD, lambda n: f'[[people]]\nid="a{n}"\ntime_zone="Eurpe/Berln"\n')
    yield "dates that are none", full(HEAD + "a=[", lambda _: "2026-02-30,", "]")
    few = "]\n" + "".join(f'[[people]]\nid="a{n}"\n' for n in range(31))
    yield "covers that branch", full(HEAD + "absences=[", lambda n: AWAY.format(n % 30, n % 30 + 1, 0, n % 60), few)
    row = HEAD + "people=[" + "".join(f'{{id="a{n}"}},' for n in range(7001)) + "]\nabsences=["
    yield "covers in a row", full(row, lambda n: AWAY.format(n % 7000, n % 7000 + 1, n // 60 % 60, n % 60), "]")
    yield "one text", HEAD + 'a="' + "x" * (LIMIT - 100) + '"\n'


def full(head: str, piece: Callable[[int], str], tail: str = "", size: int = LIMIT) -> str:
    """Return ``head``, as many pieces as fit into ``size`` bytes, and ``tail``."""
    parts, length = [head], len(head) + len(tail) + 1
    for n in count():
        length += len(piece(n))
        if length > size:
            return "".join(parts) + tail + "\n"
        parts.append(piece(n))
    raise AssertionError


if __name__ == "__main__":
    main()
