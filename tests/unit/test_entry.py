"""main.py: it hands over the arguments, and a missing package is told in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

ENTRY = Path(__file__).parents[2] / "main.py"


@pytest.fixture
def start(tmp_path: Path) -> "Start":
    return Start(tmp_path)


class Start:
    """Starts a copy of main.py beside a `desktop.cli` of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, cli: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "desktop").mkdir()
        (self.folder / "desktop" / "__init__.py").touch()
        (self.folder / "desktop" / "cli.py").write_text(cli, encoding="utf-8")
        (self.folder / "main.py").write_bytes(ENTRY.read_bytes())
        command = [sys.executable, "-S", str(self.folder / "main.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_arguments_and_exit_status_are_handed_on(start: Start) -> None:
    ended = start("def main(argv):\n    print(argv)\n    return 3\n", "ack", "--json", "-x")

    assert (ended.stdout, ended.stderr, ended.returncode) == ("['ack', '--json', '-x']\n", "", 3)


@pytest.mark.parametrize(
    "cli",
    ["import no_such_library.part\n", "def main(argv):\n    import no_such_library.part\n"],
    ids=["at once", "later"],
)
def test_a_missing_package_is_one_line_that_says_what_to_do(start: Start, cli: str) -> None:
    ended = start(cli)

    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "'no_such_library' is not installed" in ended.stderr
    assert "./watchbell run" in ended.stderr


def test_a_fault_of_our_own_is_not_hidden(start: Start) -> None:
    ended = start("import desktop.no_such_part\n")

    assert ended.returncode == 1
    assert "Traceback" in ended.stderr
