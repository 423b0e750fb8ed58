"""How much is taken of one sender: requests by token, new incidents by key, bytes; what is said to the rest."""

from dataclasses import dataclass
from typing import Any

import pytest

from desktop.server import tokens
from desktop.server.access import BODY_LIMIT
from desktop.server.limits import Flooded, Floods, Limits, Requests
from tests.server.house import MINUTE, House, assigned
from tests.server.listening import listening


@dataclass
class Watch:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


class Attempt:
    """What stands for a run of a command: the next one may well be given the same place in memory."""


def limit(house: House, requests: int = 1_000_000, new: int = 1_000) -> Watch:
    watch = Watch()
    house.server.station.limits = Limits(Requests(requests, watch), Floods(new, watch))
    return watch


def rates(answer: Any) -> tuple[int, ...]:
    return tuple(int(answer.headers[f"ratelimit-{name}"]) for name in ("limit", "remaining", "reset"))


class TestRequests:
    def test_the_usual_limits(self, house: House) -> None:
        house.server.station.limits = Limits()
        assert rates(house.call("GET", "/users/me"))[:2] == (960, 959)
        assert rates(house.call("GET", "/nothing"))[:2] == (960, 958)

    def test_one_too_many_is_429_in_pagerdutys_words(self, house: House) -> None:
        watch = limit(house, requests=3)
        left = []
        for _ in range(3):
            left.append(rates(house.call("GET", "/users/me")))
            watch.now += 10.5
        assert left == [(3, 2, 60), (3, 1, 50), (3, 0, 39)]
        answer = house.call("GET", "/users/me")
        assert (answer.status_code, rates(answer), answer.headers["retry-after"]) == (429, (3, 0, 29), "29")
        assert (answer.json()["error"]["message"], answer.json()["error"]["code"]) == ("Rate Limit Exceeded", 2020)
        watch.now += 28.5
        assert house.call("GET", "/users/me").status_code == 200

    def test_each_token_counts_for_itself(self, house: House) -> None:
        limit(house, requests=1)
        other = {"Authorization": f"Bearer {tokens.create(house.database, person='ana')}"}
        assert house.call("GET", "/users/me").status_code == 200
        assert house.call("GET", "/users/me").status_code == 429
        assert house.call("GET", "/users/me", person="ben").status_code == 200
        assert house.call("GET", "/users/me", person="", headers=other).status_code == 200

    def test_what_is_refused_changes_nothing(self, house: House) -> None:
        incident = house.incident(house.enqueue(key="k"))
        limit(house, requests=1)
        assert house.call("GET", "/users/me").status_code == 200
        assert house.put(incident["id"], status="resolved").status_code == 429
        limit(house)
        assert house.incident("k")["status"] == "triggered"

    def test_strangers_and_health_are_not_told_of_limits(self, house: House) -> None:
        for path in ("/users/me", "/healthz"):
            assert "ratelimit-limit" not in house.call("GET", path, person="").headers

    def test_the_application_of_this_server_is_not_limited(self, house: House) -> None:
        token = "wb_" + "e" * 43
        with house.server.storage.write() as connection:
            tokens.replace_embedded(connection, token, "ana", house.clock())
        limit(house, requests=1)
        headers = {"Authorization": f"Bearer {token}"}
        for _ in range(5):
            assert house.call("GET", "/users/me", person="", headers=headers).status_code == 200
            with listening(house.url, token) as listener:
                assert listener.next()[0] == "snapshot"

    def test_a_stream_is_one_request_however_long_it_lasts(self, house: House) -> None:
        limit(house, requests=2)
        with listening(house.url, house.tokens["ana"]) as listener:
            assert listener.next()[0] == "snapshot"
            for number in range(5):
                house.enqueue(key=f"k{number}")
                assert listener.next()[0] == "incident"
        assert rates(house.call("GET", "/users/me"))[:2] == (2, 0)


class TestFloods:
    def send(self, house: House, key: str, action: str = "trigger") -> Any:
        return house.call("POST", "/v2/enqueue", house.event(action, key), person="")

    def test_beyond_the_limit_new_ones_are_429_and_one_incident_says_so(self, house: House) -> None:
        watch = limit(house, new=3)
        for number in range(3):
            house.enqueue(key=f"k{number}")
        watch.now += 20
        for key in ("k3", "k4", None):
            answer = house.call("POST", "/v2/enqueue", house.event(key=key), person="")
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "40")
            assert answer.json()["status"] == "throttle exceeded"
            assert "send this again in 40 seconds" in answer.json()["errors"][0]
        found = house.get("/incidents", date_range="all")["incidents"]
        assert {i["incident_key"] for i in found} == {"k0", "k1", "k2", "watchbell-flood"}
        flood = house.incident("watchbell-flood")
        assert "more than 3 new incidents of Payments in a minute" in flood["title"]
        assert (flood["priority"]["id"], assigned(flood)) == ("sev1", ["ana"])
        watch.now += 40
        assert self.send(house, "k3").status_code == 202

    def test_what_is_known_is_taken_all_the_same(self, house: House) -> None:
        limit(house, new=1)
        house.enqueue(key="known")
        house.enqueue("resolve", key="known")
        assert self.send(house, "other").status_code == 429
        for action in ("trigger", "trigger", "acknowledge", "resolve", "trigger"):
            assert self.send(house, "known", action).status_code == 202
        assert house.incident("known")["status"] == "triggered"

    def test_a_flood_is_told_once_and_the_next_one_again(self, house: House) -> None:
        watch = limit(house, new=1)
        house.enqueue(key="a")
        for key in ("b", "c"):
            assert self.send(house, key).status_code == 429
        flood = house.incident("watchbell-flood")
        assert len([kind for kind, _ in house.history(flood["id"]) if kind == "trigger"]) == 1
        watch.now += 60
        house.enqueue(key="b")
        assert self.send(house, "c").status_code == 429
        assert house.put(flood["id"], status="resolved").status_code == 200
        house.clock.forward(MINUTE)
        watch.now += 60
        house.enqueue(key="d")
        assert self.send(house, "e").status_code == 429
        assert len(house.get("/incidents", incident_key="watchbell-flood", date_range="all")["incidents"]) == 2

    def test_each_key_counts_for_itself(self, house: House) -> None:
        limit(house, new=1)
        house.enqueue(key="a")
        other = tokens.create(house.database, service="batch")
        body = {**house.event(key="b"), "routing_key": other}
        assert house.call("POST", "/v2/enqueue", body, person="").status_code == 202

    def test_people_are_not_held_up(self, house: House) -> None:
        limit(house, new=1)
        house.enqueue(key="a")
        body = {"incident": {"type": "incident", "title": "t", "service": {"id": "payments", "type": "service"}}}
        assert house.call("POST", "/incidents", body).status_code == 201

    def test_an_attempt_that_began_in_time_is_taken_whole_and_counts_once(self) -> None:
        floods = Floods(2, Watch())
        attempt = Attempt()
        for dedup in ("a", "b", "c", "a"):
            floods.admit("key", "payments", dedup, attempt)
        again = Attempt()
        for dedup in ("a", "b", "c"):
            floods.admit("key", "payments", dedup, again)
        with pytest.raises(Flooded):
            floods.admit("key", "payments", "d", Attempt())

    def test_an_attempt_that_is_over_lets_no_later_one_through(self) -> None:
        floods = Floods(1, Watch())
        attempt = Attempt()
        place = id(attempt)
        floods.admit("key", "payments", "a", attempt)
        del attempt
        others: list[Attempt] = []
        while id(later := Attempt()) != place:
            others.append(later)
            assert len(others) < 100_000, "its place was not given away again"
        with pytest.raises(Flooded):
            floods.admit("key", "payments", "b", later)

    def test_those_that_are_over_are_forgotten(self) -> None:
        watch = Watch()
        requests = Requests(1, watch)
        for number in range(3_000):
            watch.now += 1
            assert requests.take(str(number)).allowed
        assert len(requests._windows._windows) < 1_100


def test_a_body_that_is_too_large_is_413(shared: House) -> None:
    event = shared.event(key="large")
    event["payload"]["custom_details"] = "x" * BODY_LIMIT
    assert shared.call("POST", "/v2/enqueue", event, person="").status_code == 413
    parts = iter([b"{", b" " * BODY_LIMIT, b"}"])
    assert shared.call("POST", "/v2/enqueue", person="", data=parts).status_code == 413
