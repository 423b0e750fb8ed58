"""What holds for every test: a home of its own, no real keyring, screen, sound or bus, and nothing left behind."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from hypothesis import Phase, settings

from tests.fakes.keyring_fake import MemoryKeyring
from tests.isolation import HIDDEN, UNREACHABLE, home_environment, nothing_left_behind

# Before anything is imported that reads these once, for good (platformdirs, Qt, keyring).
_first_home = tempfile.TemporaryDirectory(prefix="watchbell-tests-")
for _name in HIDDEN:
    os.environ.pop(_name, None)
os.environ.update(UNREACHABLE)
os.environ.update(home_environment(Path(_first_home.name)))

# The same examples every time, on every machine: a failure must be the change's, not the day's.
# Which part of a failing example matters is left to --full: finding it out can take longer than a test may.
settings.register_profile(
    "watchbell",
    derandomize=True,
    deadline=None,
    database=None,
    phases=[phase for phase in Phase if phase is not Phase.explain],
)
settings.register_profile(
    "watchbell-full", parent=settings.get_profile("watchbell"), max_examples=1000, phases=tuple(Phase)
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the long tests too (marked full)")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("watchbell-full" if config.getoption("--full") else "watchbell")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without --full, take the long tests out, and say how many."""
    if config.getoption("--full"):
        return
    long = [item for item in items if item.get_closest_marker("full")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("full")]


def pytest_unconfigure() -> None:
    _first_home.cleanup()


@pytest.fixture(autouse=True)
def clean_end() -> Iterator[None]:
    """Fail the test that leaves a thread or a window behind."""
    with nothing_left_behind():
        yield


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_end: None) -> Path:
    """Give the test a home folder of its own, empty, and return it."""
    place = tmp_path / "home"
    for name, value in home_environment(place).items():
        monkeypatch.setenv(name, value)
    return place


@pytest.fixture(autouse=True)
def memory_keyring(clean_end: None) -> MemoryKeyring:
    """Put an empty keyring in memory in the place of the real one, and return it."""
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    return backend


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures of runs that rolled dice, and with which seed, whatever came of them."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, said in getattr(report, "user_properties", ()):
                if name == "faults" and report.when == "call":
                    terminalreporter.write_line(f"{report.nodeid}: {said}")
