"""Mutation testing of the rules: every change to desktop/domain that the tests do not notice. An hour on two cores.

    .venv/bin/python -m tools.mutants                     all of desktop/domain
    .venv/bin/python -m tools.mutants rotation shifts     these modules of it
    .venv/bin/python -m tools.mutants --keep /tmp/mutants keep the work, and go on with what is there

Ends with 1 when a mutant survives that tests/unit/equivalent_mutants.toml does not explain. mutmut makes the mutants
and runs the quick tests against them; those that survive meet them again, in a process in which nothing was worked out
before, and the thorough ones (oracles, properties) of their subject.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / "tests" / "unit" / "equivalent_mutants.toml"

# Too slow to meet every mutant; each group's survivors meet it all the same.
THOROUGH = {
    ("rotation", "shifts", "covering", "overriding", "segments", "wall", "flags"): (
        "tests/unit/test_rotation_oracle.py",
        "tests/unit/test_rotation_properties.py",
    ),
    ("escalation", "escalation_list", "business"): ("tests/unit/test_escalation_properties.py",),
    ("duties", "duty"): ("tests/unit/test_duties_properties.py",),
    (
        "handover",
        *(f"handover_{part}" for part in ("actions", "answers", "effects", "facts", "request", "watch")),
        "watch",
    ): (
        "tests/unit/test_handover_machine.py",
        "tests/unit/test_handover_schedule.py",
    ),
}
EVERYTHING = ("tests/unit/test_procedure.py",)
_SLOW = {*EVERYTHING, *(path for paths in THOROUGH.values() for path in paths)}
_ELSEWHERE = re.compile(r"PySide6|desktop\.(qt|ui|app|sync|system|connections|alerting)|serving")
_NAME = re.compile(r"desktop\.domain\.(?P<module>\w+)\.(?P<function>.+)__mutmut_\d+")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change that was not noticed: in which function, the line ``was``, and what it became."""

    name: str
    function: str
    was: str
    now: str

    @property
    def change(self) -> tuple[str, str, str]:
        """What it changes, by which it is explained."""
        return self.function, self.was, self.now


def main(arguments: Sequence[str]) -> int:
    """Run it and print what survived; return the exit status."""
    options = _options(arguments)
    place = Path(options.keep) if options.keep else Path(tempfile.mkdtemp(prefix="watchbell-mutants-"))
    try:
        _copy_tree(place)
        _mutmut(place, options.modules, options.workers)
        status = _statuses(place, options.modules)
        left = [_shown(place, name) for name, became in status.items() if became != "killed"]
        explained = _explained()
        open_ones = [mutant for mutant in left if mutant.change not in explained]
        unnoticed = _unnoticed(place, open_ones, options.workers)
        return _tell(len(status), len(left) - len(open_ones), unnoticed)
    finally:
        if not options.keep:
            shutil.rmtree(place)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description="Mutation testing of the rules.")
    parser.add_argument("modules", nargs="*", help="modules of desktop/domain (default: all)")
    parser.add_argument("--keep", metavar="FOLDER", help="work there, keep it, and go on with what it holds")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(arguments)


def _copy_tree(place: Path) -> None:
    """Copy what the project consists of, and tell mutmut what to change and which tests to run."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    tests = sorted({str(path.relative_to(place)) for path in _tests_of_the_rules(place)} - _SLOW)
    settings = {
        "source_paths": ["desktop"],
        "only_mutate": ["desktop/domain/*.py"],
        "also_copy": ["desktop", "resources", "docs", "tools", "main.py", "README.md"],
        "pytest_add_cli_args_test_selection": tests,
    }
    lines = "\n".join(f"{key} = {value!r}" for key, value in settings.items())
    # Which function calls which is not needed, and noting it down makes the first run ten times longer.
    (place / "pyproject.toml").write_text(
        f"{(ROOT / 'pyproject.toml').read_text()}\n[tool.mutmut]\n{lines}\ntrack_dependencies = false\n"
    )


def _tests_of_the_rules(place: Path) -> Iterable[Path]:
    """Return the tests of the rules themselves: those that need no screen, server, network or team file."""
    for path in (place / "tests" / "unit").glob("test_*.py"):
        text = path.read_text()
        if "desktop.domain" in text and not _ELSEWHERE.search(text) and not path.name.startswith("test_team"):
            yield path


def _mutmut(place: Path, modules: Sequence[str], workers: int) -> None:
    wanted = [f"desktop.domain.{module}.*" for module in modules]
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(workers), *wanted]
    with (place / "mutmut.log").open("wb") as log:
        if subprocess.run(command, cwd=place, stdout=log, stderr=log, check=False).returncode:
            raise SystemExit(f"mutmut could not run: see {place / 'mutmut.log'}")


def _statuses(place: Path, modules: Sequence[str]) -> dict[str, str]:
    """Return what became of every mutant: killed, survived, no tests, timeout and so on."""
    command = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    told = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True).stdout
    pairs = (line.strip().rpartition(": ") for line in told.splitlines() if "__mutmut_" in line)
    found = {name: status for name, _, status in pairs if status != "not checked"}
    return {name: s for name, s in found.items() if not modules or _module(name) in modules}


def _module(name: str) -> str:
    match = _NAME.fullmatch(name)
    return match["module"] if match else ""


def _explained() -> set[tuple[str, str, str]]:
    """Return the changes of which it was said why nobody can notice them."""
    return {(m["function"], m["was"], m["now"]) for m in tomllib.loads(EXPLAINED.read_text())["mutant"]}


def _unnoticed(place: Path, mutants: Sequence[Mutant], workers: int) -> list[Mutant]:
    """Return those that the tests do not notice in a fresh process, and the thorough ones do not either."""
    with ThreadPoolExecutor(workers) as pool:
        noticed = pool.map(lambda mutant: _noticed(place, mutant.name), mutants)
        return [mutant for mutant, seen in zip(mutants, noticed, strict=True) if not seen]


def _noticed(place: Path, name: str) -> bool:
    # All once more: what an earlier test worked out and kept can hide a mutant, and a busy machine an endless loop.
    thorough = next((tests for modules, tests in THOROUGH.items() if _module(name) in modules), ())
    tests = (*_selected(place), *thorough, *EVERYTHING)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:randomly", *tests]
    environment = {**os.environ, "MUTANT_UNDER_TEST": name}
    try:
        done = subprocess.run(
            command, cwd=place / "mutants", env=environment, capture_output=True, timeout=600, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def _selected(place: Path) -> list[str]:
    settings = tomllib.loads((place / "pyproject.toml").read_text())
    return list(settings["tool"]["mutmut"]["pytest_add_cli_args_test_selection"])


def _shown(place: Path, name: str) -> Mutant:
    command = [sys.executable, "-m", "mutmut", "show", name]
    diff = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True).stdout.splitlines()
    changed = [line for line in diff if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    was = " ".join(line[1:].strip() for line in changed if line[0] == "-")
    now = " ".join(line[1:].strip() for line in changed if line[0] == "+")
    match = _NAME.fullmatch(name)
    return Mutant(name, f"{_module(name)}.{match['function'] if match else name}", was, now)


def _tell(total: int, explained: int, open_ones: Sequence[Mutant]) -> int:
    """Print the score, and every survivor that is not explained; return the exit status."""
    for m in open_ones:
        print(f"{m.name}\n  - {m.was}\n  + {m.now}")
    killed = total - explained - len(open_ones)
    print(f"{total} mutants, {killed} killed, {explained} explained, {len(open_ones)} open")
    for module, count in Counter(m.function.partition(".")[0] for m in open_ones).most_common():
        print(f"  {count:4} {module}")
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
