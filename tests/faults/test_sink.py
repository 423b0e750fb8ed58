"""The sink's record says what whoever sent to it saw: that it was taken, refused, or nothing at all."""

import itertools
from random import Random
from typing import Any

import requests

from tests.faults.sink import Sink
from tests.faults.traces import Delivery


class Turns(Random):
    """Each mood of the sink in its turn, and no waiting."""

    def __init__(self) -> None:
        super().__init__(1)
        self._turn = itertools.count()

    def choices(self, population: Any, *_: Any, **__: Any) -> list[Any]:
        return [population[next(self._turn) % len(population)]]

    def uniform(self, a: float, b: float) -> float:
        return 0.0


def send(url: str, title: str) -> int:
    try:
        return requests.post(f"{url}/ana1", json={"title": title}, timeout=5).status_code
    except requests.ConnectionError:
        return 0


def seen(sink: Sink, many: int) -> list[Delivery]:
    """Return what it saw, once it has noted that many."""
    while len(sink.seen()) < many:
        pass
    return sink.seen()


def test_it_notes_what_it_answered() -> None:
    with Sink(Turns()) as sink:
        saw = [send(sink.url, "[SEV-1] trouble k1") for _ in range(6)]
        noted = seen(sink, 6)
    assert saw == [200, 503, 429, 0, 0, 200]
    assert [d.status for d in noted] == saw
    assert {(d.place, d.kind, d.title) for d in noted} == {("ana1", "page", "trouble k1")}


def test_once_it_is_kind_it_takes_all() -> None:
    with Sink(Turns()) as sink:
        sink.kind = True
        assert [send(sink.url, title) for title in ("Stand down: trouble k1", "Overdue: x", "else")] == [200] * 3
        assert [(d.kind, d.title) for d in seen(sink, 3)] == [
            ("stand_down", "trouble k1"),
            ("overdue", "x"),
            ("text", "else"),
        ]
