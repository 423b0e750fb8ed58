"""The real programs that some tests need: where one is missing, a person's run skips them and CI fails."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

SYSTEM_FOLDERS = os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/sbin"))  # daemons, outside an ordinary user's PATH


def in_ci() -> bool:
    """Tell whether nothing may be missing (CI=true)."""
    return os.environ.get("CI", "").lower() == "true"


def need(program: str) -> Path:
    """Return the path of a program; without it skip the test, and under CI=true fail it."""
    found = shutil.which(program) or shutil.which(program, path=SYSTEM_FOLDERS)
    if not found:
        lacking(f"{program} is not installed: ./watchbell setup --tests")
    return Path(found)


def lacking(reason: str) -> NoReturn:
    """Skip the test for want of a real part, and under CI=true fail it."""
    if in_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
