"""The desktop of these tests: one for all of a process, started when the first asks for it."""

import sys
from collections.abc import Iterator

import pytest

if sys.platform == "linux":
    from tests.desktop.session import Session, start_session

    @pytest.fixture(scope="session")
    def session() -> Iterator[Session]:
        """A running desktop: see tests/desktop/session.py."""
        with start_session() as session:
            yield session
else:
    collect_ignore_glob = ["test_*.py"]  # a session of X11 and D-Bus: on Linux only
