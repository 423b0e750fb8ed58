"""What the benchmarks read of processes in /proc, and how they name the machine. Linux; any thread."""

import os
import platform
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Look:
    """What a process had done until ``at`` (monotonic): voluntary switches by thread, seconds of a processor."""

    at: float
    switches: Mapping[tuple[int, str], int]
    seconds: float


@dataclass(frozen=True)
class Idled:
    """What a process did between two looks: ``wakeups`` a second in all, by thread's name, and share of a core."""

    wakeups: float
    threads: Mapping[str, float]
    share: float


@dataclass(frozen=True)
class Memory:
    """What a process holds, in MiB: resident, its share of what is shared, and what is its own alone."""

    rss: float
    pss: float
    uss: float


def look(pid: int) -> Look:
    """Look at the process ``pid``; a thread that ends meanwhile is left out."""
    switches = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            status = _fields(task / "status")
        except (FileNotFoundError, ProcessLookupError):
            continue
        # Python 3.11 gives its threads no names of their own.
        name = "main" if int(task.name) == pid else status["Name"]
        switches[int(task.name), name] = int(status["voluntary_ctxt_switches"])
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Look(time.monotonic(), switches, (int(parts[11]) + int(parts[12])) / _TICKS)


def idled(first: Look, last: Look) -> Idled:
    """Return what happened from the ``first`` look to the ``last``, a thread that began between them included."""
    passed = last.at - first.at
    threads = Counter[str]()
    for (task, name), count in last.switches.items():
        threads[name] += count - first.switches.get((task, name), 0)
    rates = {name: count / passed for name, count in threads.most_common()}
    return Idled(sum(rates.values()), rates, (last.seconds - first.seconds) / passed)


def memory(pid: int) -> Memory:
    """Return what the process ``pid`` holds now."""
    found = _fields(Path(f"/proc/{pid}/smaps_rollup"))
    mib = {name: int(value.split()[0]) / 1024 for name, value in found.items() if value.endswith(" kB")}
    return Memory(mib["Rss"], mib["Pss"], mib["Private_Clean"] + mib["Private_Dirty"])


def children(pid: int) -> list[int]:
    """Return the processes that ``pid`` started and that still run."""
    listed = (task / "children" for task in Path(f"/proc/{pid}/task").iterdir())
    return [int(child) for file in listed for child in file.read_text().split()]


def described() -> str:
    """Return a line about this machine, and how busy it is."""
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores, {system}, Python {platform.python_version()}; load average {load}"


def _fields(file: Path) -> dict[str, str]:
    lines = (line.partition(":") for line in file.read_text().splitlines())
    return {name: value.strip() for name, _, value in lines}
