"""Fixtures of the server's tests: a house shared by a file's tests, and one for a test alone; on both databases.

A test that is about one of them says so: ``@pytest.mark.parametrize("database", ["sqlite"], indirect=True)``.
"""

from collections.abc import Iterator

import pytest

from desktop.server import heartbeats
from tests.postgresql import Cluster, any_cluster
from tests.server.house import House, running_house

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(scope="session", autouse=True)
def _houses_tell_the_time() -> Iterator[None]:
    """Houses live at a time of their own, which their database does not know."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heartbeats, "clock", lambda _connection: None)
        yield


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL server on which tests make databases."""
    with any_cluster() as cluster:
        yield cluster


def _new(request: pytest.FixtureRequest, factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{factory.mktemp('house') / 'watchbell.db'}"
        return
    cluster: Cluster = request.getfixturevalue("postgresql")
    url = cluster.ready()
    yield url
    cluster.drop(url)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a new database for one test."""
    yield from _new(request, tmp_path_factory)


@pytest.fixture(scope="module", params=DATABASES)
def shared_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a new database for the tests of a file."""
    yield from _new(request, tmp_path_factory)


@pytest.fixture(scope="module")
def shared(shared_database: str) -> Iterator[House]:
    """A server whose clock stands still: each test works on its own dedup keys."""
    with running_house(shared_database) as house:
        house.get("/users/me")  # starts the thread that serves requests: no test's own, none's to end
        yield house


@pytest.fixture
def house(database: str) -> Iterator[House]:
    """A server for one test."""
    with running_house(database) as alone:
        yield alone
