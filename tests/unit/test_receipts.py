"""Receipts on their way to the backend: as well as can be, and never in anybody's way."""

import queue
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from desktop.backends.base import Backend, Confirmed, Receipt
from desktop.domain.errors import Forbidden, NotFound, Unauthorized, Unreachable
from desktop.sync.receipts import ATTEMPTS, MOST, Receipts
from tests.fakes.backend import FakeBackend, FakeServer, incident


class Telling(FakeBackend):
    """A backend that says when it was told something, whatever it thought of that."""

    def __init__(self, server: FakeServer, told: "queue.Queue[int]") -> None:
        super().__init__(server)
        self._told = told

    def confirm(self, receipts: Sequence[Receipt]) -> None:
        try:
            super().confirm(receipts)
        finally:
            self._told.put(len(receipts))


@contextmanager
def running(server: FakeServer) -> Iterator[tuple[Receipts, "queue.Queue[int]"]]:
    told: queue.Queue[int] = queue.Queue()

    def connect() -> Backend:
        return Telling(server, told)

    thread = Receipts("test", connect, lambda _low, _high: 0.0)
    thread.start()
    try:
        yield thread, told
    finally:
        thread.stop()
        thread.join(5)
        assert not thread.is_alive()


def receipt(name: str = "I1", page: int = 1) -> Receipt:
    return Receipt(name, page, Confirmed.DISPLAYED)


def a_server() -> FakeServer:
    server = FakeServer()
    server.put(incident())
    return server


def test_a_receipt_reaches_the_backend_also_after_a_failure() -> None:
    server = a_server()
    server.fail = [Unreachable("no"), Unreachable("no")]
    with running(server) as (thread, told):
        thread.confirm([receipt()])
        for _ in range(3):
            told.get(timeout=5)
    assert server.receipts == [receipt()]


@pytest.mark.parametrize("error", [NotFound("no"), Forbidden("no"), RuntimeError("a fault of ours")])
def test_what_is_refused_is_dropped_and_the_next_one_goes(error: Exception) -> None:
    server = a_server()
    server.fail = [error]  # type: ignore[list-item]
    with running(server) as (thread, told):
        thread.confirm([receipt()])
        told.get(timeout=5)
        thread.confirm([receipt(page=2)])
        told.get(timeout=5)
    assert server.receipts == [receipt(page=2)]


def test_without_contact_it_gives_up() -> None:
    server = a_server()
    server.fail = [Unreachable("no")] * ATTEMPTS
    with running(server) as (thread, told):
        thread.confirm([receipt()])
        for _ in range(ATTEMPTS):
            told.get(timeout=5)
        thread.confirm([receipt(page=2)])
        told.get(timeout=5)
    assert server.receipts == [receipt(page=2)]


def test_many_go_together_but_not_more_than_are_taken() -> None:
    server = a_server()
    thread = Receipts("test", lambda: FakeBackend(server))
    thread.confirm([receipt(page=n) for n in range(1, MOST + 2)])
    thread.stop()
    thread.start()
    thread.join(5)
    assert [call for call, _ in server.calls] == ["confirm"] * 2
    assert len(server.receipts) == MOST + 1


def test_a_receipt_takes_the_new_token_where_the_old_one_was_revoked() -> None:
    server = a_server()
    with running(server) as (thread, told):
        thread.confirm([receipt()])
        told.get(timeout=5)
        server.fail = [Unauthorized("revoked")]
        thread.confirm([receipt(page=2)])
        told.get(timeout=5)
        told.get(timeout=5)
        # A token that is new and not accepted either is tried once.
        server.fail = [Unauthorized("revoked"), Unauthorized("revoked")]
        thread.confirm([receipt(page=3)])
        told.get(timeout=5)
        told.get(timeout=5)
        thread.confirm([receipt(page=4)])
        told.get(timeout=5)
    assert server.receipts == [receipt(), receipt(page=2), receipt(page=4)]
