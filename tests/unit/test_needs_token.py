"""A connection that lacks a token says so, and only then."""

import queue
from collections.abc import Iterator

import pytest

from desktop.domain.attention import ConnectionState, Contact
from desktop.domain.errors import SecretsUnavailable, Unauthorized, Unreachable, WatchbellError
from desktop.sync.keeper import Keeper
from desktop.sync.watcher import Watcher
from tests.fakes.backend import T0, FakeBackend, FakeServer


class Watched:
    """A watcher whose backend does as the test says."""

    def __init__(self) -> None:
        self.states: queue.Queue[ConnectionState] = queue.Queue()
        self.server = FakeServer()
        state = ConnectionState("pd", "PagerDuty", Contact.CONNECTING, T0)
        self.watcher = Watcher(Keeper(state, self.states.put), lambda: FakeBackend(self.server), lambda: T0)


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.watcher.stop()
    made.watcher.join(10)


@pytest.mark.parametrize(
    ("error", "needed"),
    [
        (Unauthorized("the token is not accepted"), True),
        (SecretsUnavailable("the keyring holds none"), True),
        (Unreachable("no answer"), False),
    ],
)
def test_it_is_needed_until_there_is_contact(watched: Watched, error: WatchbellError, needed: bool) -> None:
    # The stream and what is asked instead of it.
    watched.server.fail = [error, error]
    watched.watcher.start()
    lost = watched.states.get(timeout=10)
    assert (lost.contact, lost.needs_token) == (Contact.LOST, needed)
    while (state := watched.states.get(timeout=10)).contact is not Contact.LIVE:
        continue
    assert not state.needs_token
