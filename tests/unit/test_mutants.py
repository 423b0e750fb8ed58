"""The rules under mutation: whatever change to them no test notices is explained. Most of an hour."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.full
@pytest.mark.skipif(sys.platform == "win32", reason="mutmut forks, which Windows cannot")
@pytest.mark.timeout(4 * 3600)
def test_every_surviving_mutant_of_the_rules_is_explained() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.mutants"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_each_explanation_says_of_what_and_why() -> None:
    explained = tomllib.loads((ROOT / "tests" / "unit" / "equivalent_mutants.toml").read_text())["mutant"]
    assert explained
    for mutant in explained:
        assert set(mutant) == {"function", "was", "now", "why"}
        assert mutant["was"] != mutant["now"]
        module = ROOT / "desktop" / "domain" / f"{mutant['function'].partition('.')[0]}.py"
        text = " ".join(module.read_text().split())
        assert mutant["was"] in text, f"the rule has changed: {mutant}"
