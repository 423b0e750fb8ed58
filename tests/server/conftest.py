"""Fixtures of the server's tests: a house shared by a file's tests, and one for a test alone."""

from collections.abc import Iterator

import pytest

from tests.server.house import House, running_house


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server whose clock stands still: each test works on its own dedup keys."""
    with running_house(tmp_path_factory.mktemp("house")) as house:
        house.get("/users/me")  # starts the thread that serves requests: no test's own, none's to end
        yield house


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server for one test."""
    with running_house(tmp_path_factory.mktemp("house")) as alone:
        yield alone
