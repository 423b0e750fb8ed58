"""A clock that was wrong for a while makes nothing late for longer than two minutes, and no shift pass unnoticed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select

from desktop.server.outbox import State
from desktop.server.tables.messages import messages, pages, presences
from tests.server.house import MINUTE, TEAM, Clock, House, assigned, running_house

HOUR = timedelta(hours=1)


@pytest.fixture
def now_house(database: str) -> Iterator[House]:
    """A house that lives today, as the database does; Ana and Ben keep their roles."""
    always = TEAM.replace('["ana", "ben"]', '["ana"]').replace('["ben", "ana"]', '["ben"]')
    with running_house(database, always, Clock(datetime.now(UTC).replace(microsecond=0))) as house:
        house.tick()
        yield house


def pending(house: House, key: str) -> timedelta:
    """Return in how long something happens to it by itself."""
    at = house.incident(key)["pending_actions"][0]["at"]
    return datetime.fromisoformat(at) - house.clock.now


def two_looks(house: House) -> None:
    """Let the engine find that the clock stays as it is."""
    house.tick(MINUTE)
    house.tick(MINUTE)


def test_what_was_triggered_an_hour_ahead_escalates_minutes_late(now_house: House) -> None:
    house = now_house
    house.clock.forward(HOUR)
    house.enqueue(key="k")
    house.tick(-HOUR)
    # An event that repeats is written in the right time, and hides nothing.
    house.enqueue(key="k")
    assert pending(house, "k") == HOUR + 15 * MINUTE
    two_looks(house)
    assert pending(house, "k") == 15 * MINUTE
    house.tick(15 * MINUTE)
    assert sorted(assigned(house.incident("k"))) == ["ana", "ben"]
    house.tick(MINUTE)
    assert pending(house, "k") == 14 * MINUTE


def test_what_escalated_too_soon_goes_on_at_its_distance(now_house: House) -> None:
    house = now_house
    house.enqueue(key="k")
    house.tick(2 * HOUR)
    before = assigned(house.incident("k"))
    house.tick(-2 * HOUR)
    two_looks(house)
    assert assigned(house.incident("k")) == before == ["ana", "ben", "cho"]
    assert pending(house, "k") <= 15 * MINUTE


def test_an_acknowledgement_of_the_future_holds_its_time_and_no_longer(now_house: House) -> None:
    house = now_house
    house.clock.forward(HOUR)
    house.enqueue(key="k")
    house.put("1", status="acknowledged")
    house.tick(-HOUR)
    two_looks(house)
    incident = house.incident("k")
    assert (incident["status"], [a["at"] for a in incident["acknowledgements"]]) == (
        "acknowledged",
        [house.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")],
    )
    house.tick(30 * MINUTE)
    assert house.incident("k")["status"] == "triggered"


def test_a_clock_that_is_slow_for_a_moment_changes_nothing(now_house: House) -> None:
    house = now_house
    house.enqueue(key="k")
    before = house.incident("k")
    house.tick(-HOUR)
    house.tick(HOUR)
    house.tick(MINUTE)
    assert house.incident("k") == before


def test_a_clock_that_stays_slow_is_believed_only_where_no_other_tells_the_time(
    now_house: House, database: str
) -> None:
    house = now_house
    house.enqueue(key="k")
    house.tick(-HOUR)
    two_looks(house)
    shared = database.startswith("postgresql")
    assert pending(house, "k") == (HOUR + 13 * MINUTE if shared else 14 * MINUTE)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_shift_that_changes_after_the_clock_was_put_back_is_noticed(house: House) -> None:
    house.tick()
    house.tick(timedelta(days=6))  # Tuesday: Ben's week
    house.tick(timedelta(days=-6))
    house.enqueue(key="k")
    assert assigned(house.incident("k")) == ["ana"]
    house.clock.now = datetime(2026, 1, 12, 17, 0, tzinfo=UTC) - MINUTE
    house.put("1", status="acknowledged")
    house.put("1", status="triggered")
    pages = house.incident("k")["watchbell"]["pages"]
    house.tick(MINUTE)
    assert house.incident("k")["watchbell"]["pages"] == pages + 1
    assert "took over" in [data.get("reason") for _, data in house.history(house.incident("k")["id"])]


def test_a_snooze_of_the_future_holds_its_time_and_no_longer(now_house: House) -> None:
    house = now_house
    house.clock.forward(HOUR)
    house.enqueue(key="k")
    house.put("1", status="acknowledged")
    house.call("POST", f"/incidents/{house.incident('k')['id']}/snooze", {"duration": 600})
    house.tick(-HOUR)
    two_looks(house)
    assert timedelta(0) < pending(house, "k") <= 10 * MINUTE


# What waits, how far ahead of the right time a clock that was an hour fast left it, and the longest that it waits.
WAITS = {
    "the next rung of a ladder": (pages, "next_at", timedelta(minutes=2)),
    "a message that is due": (messages, "due_at", timedelta(minutes=12)),
    "a message that a killed server had in hands": (messages, "leased_until", MINUTE),
    "who is there": (presences, "until", timedelta(seconds=30)),
}


@pytest.mark.parametrize("name", WAITS)
def test_what_waits_by_a_clock_that_was_fast_waits_two_minutes_more(now_house: House, name: str) -> None:
    house, (table, column, longest) = now_house, WAITS[name]
    house.enqueue(key="k")
    incident, now = house.incident("k")["id"], house.clock.now
    state = State.SENDING if column == "leased_until" else State.WAITING
    rows: dict[str, dict[str, object]] = {
        "pages": {"incident_id": incident, "number": 9, "person_id": "ben", "paged_at": now, "used": []},
        "messages": {"key": "k", "kind": "page", "recipient": "person:ben", "address": "x", "state": state,
                     "attempts": 1, "created_at": now, "due_at": now, "error": ""},
        "presences": {"server": "s", "person_id": "ben"},
    }  # fmt: skip

    def left() -> timedelta:
        with house.server.storage.read() as connection:
            at: datetime = connection.execute(select(table.c[column])).scalar_one()
        return at - house.clock.now

    def wait(until: datetime) -> None:
        with house.server.storage.write() as connection:
            connection.execute(delete(table))
            connection.execute(insert(table).values(**{**rows[table.name], column: until}))

    wait(now + longest + MINUTE / 2)
    two_looks(house)
    assert left() == longest + MINUTE / 2 - 2 * MINUTE
    wait(house.clock.now + HOUR)
    two_looks(house)
    assert left() <= timedelta(0)
