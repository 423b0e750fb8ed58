"""The review: figures from what happened, month by month, and no more read than a month needs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from desktop.server import handling, schema
from tests.server.house import MINUTE, House, Json

JANUARY = {"month": "2026-01"}
SECONDS = 60.0


def reviewed(house: House, **params: Any) -> Json:
    found = house.get("/watchbell/v1/review", **(params or JANUARY))["review"]
    assert len(found) == 1
    return dict(found[0])


def table(house: House, **params: str) -> list[list[str]]:
    answer = house.call("GET", "/watchbell/v1/review.csv", params={**JANUARY, **params})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return [line.split(",") for line in answer.text.splitlines()]


def opened(house: House, key: str, **payload: Any) -> str:
    return str(house.incident(house.enqueue(key=key, **payload))["id"])


def test_what_a_month_was_like(house: House) -> None:
    database = opened(house, "database")  # Wednesday at ten: Ana's
    house.clock.forward(5 * MINUTE)
    assert house.put(database, status="acknowledged").status_code == 200
    house.clock.forward(55 * MINUTE)
    assert house.put(database, status="resolved", resolution="restarted").status_code == 200
    house.clock.forward(timedelta(hours=9))  # the evening, out of hours
    login = opened(house, "login", severity="error")
    house.tick(30 * MINUTE)  # Ben is paged, and Ana again
    house.clock.forward(10 * MINUTE)
    assert house.put(login, person="ben", status="acknowledged").status_code == 200
    house.clock.forward(20 * MINUTE)
    assert house.put(login, person="ben", status="resolved", resolution="False alarm: the probe").status_code == 200
    found = reviewed(house)
    critical, high, medium, _ = found["severities"]
    assert (critical["incidents"], critical["acknowledge"]["mean_seconds"]) == (1, 5 * SECONDS)
    assert (critical["resolve"]["mean_seconds"], critical["resolve"]["share_within_target"]) == (60 * SECONDS, 1.0)
    assert (high["acknowledge"]["mean_seconds"], high["acknowledge"]["late"]) == (40 * SECONDS, 1)
    assert (high["acknowledge"]["target_seconds"], medium["incidents"]) == (30 * SECONDS, 0)
    assert (found["resolved"], found["false_alarms"], found["false_alarm_rate"]) == (2, 1, 0.5)
    assert found["too_many_false_alarms"] is True
    people = {each["user"]["id"]: each for each in found["people"]}
    # Ben is measured from his own page, half an hour after the first.
    assert (people["ben"]["response"]["mean_seconds"], people["ben"]["response"]["within"]) == (10 * SECONDS, 1)
    assert (people["ana"]["response"]["within"], people["ana"]["response"]["missed"]) == (1, 1)
    assert [(people[p]["pages"], people[p]["call_outs"]) for p in ("ana", "ben", "cho")] == [(3, 1), (1, 1), (0, 0)]
    assert people["ben"]["worked_out_of_hours_seconds"] == 20 * SECONDS
    assert people["ana"]["standby_out_of_hours_seconds"] > 0
    first = found["shifts"][0]
    assert (first["user"]["id"], first["pages"], found["pages"]) == ("ana", 3, 4)
    months = house.get("/watchbell/v1/review", **{"from": "2025-12", "to": "2026-02"})["review"]
    assert [(each["month"], each["pages"]) for each in months] == [("2025-12", 0), ("2026-01", 4), ("2026-02", 0)]
    assert reviewed(house, **{"from": "2026-01"}) == found == house.get("/watchbell/v1/review")["review"][0]
    lines = table(house)
    assert dict(zip(*lines, strict=True)) | {"month": "2026-01", "false_alarm_rate": "0.5000", "pages": "4"} == dict(
        zip(*lines, strict=True)
    )
    assert [line[1] for line in table(house, table="people")] == ["person", "ana", "ben", "cho"]
    assert table(house, table="severities")[1][:5] == ["2026-01", "SEV-0", "1", "15.0000", "5.0000"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_reopened_it_is_one_incident(house: House) -> None:
    name = opened(house, "k")
    house.clock.forward(MINUTE)
    # Who resolves without acknowledging has acknowledged by that.
    assert house.put(name, status="resolved", resolution="false alarm").status_code == 200
    house.clock.forward(5 * MINUTE)
    house.enqueue(key="k")
    house.enqueue(key="k")
    found = reviewed(house)
    critical = found["severities"][0]
    assert (critical["incidents"], critical["acknowledge"]["mean_seconds"]) == (1, 1 * SECONDS)
    assert (found["resolved"], found["false_alarms"], found["pages"]) == (0, 0, 2)
    house.clock.forward(9 * MINUTE)
    assert house.put(name, status="resolved").status_code == 200
    found = reviewed(house)
    assert (found["resolved"], found["false_alarms"]) == (1, 0)
    assert found["severities"][0]["resolve"]["mean_seconds"] == 15 * SECONDS


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_was_handed_on_is_not_waited_for(house: House) -> None:
    name = opened(house, "k")
    house.clock.forward(MINUTE)
    give = [{"assignee": {"id": "cho", "type": "user_reference"}}]
    assert house.put(name, person="cho", assignments=give).status_code == 200
    house.clock.forward(timedelta(hours=2))
    people = {each["user"]["id"]: each for each in reviewed(house)["people"]}
    assert (people["ana"]["pages"], people["ana"]["response"]["missed"]) == (1, 0)
    assert (people["cho"]["pages"], people["cho"]["response"]["missed"]) == (1, 1)
    # Given back, it is hers again.
    back = [{"assignee": {"id": "ana", "type": "user_reference"}}]
    assert house.put(name, person="cho", assignments=back).status_code == 200
    people = {each["user"]["id"]: each for each in reviewed(house)["people"]}
    assert (people["ana"]["pages"], people["ana"]["response"]["missed"]) == (2, 1)


def test_what_reaches_from_one_month_into_the_next(house: House) -> None:
    mild = opened(house, "long", severity="warning")
    assert house.put(mild, status="acknowledged").status_code == 200
    house.clock.forward(timedelta(days=25))  # the first of February, in the week that began in January: Ben's
    opened(house, "k")
    january, february = reviewed(house), reviewed(house, month="2026-02")
    assert (january["shifts"][-1]["start"], january["shifts"][-1]["pages"]) == ("2026-01-26T17:00:00Z", 1)
    assert (january["pages"], february["pages"]) == (1, 1)
    # Nothing happened to it in February, but Ana is at it still.
    people = {each["user"]["id"]: each for each in february["people"]}
    assert people["ana"]["worked_out_of_hours_seconds"] == 10 * 60 * SECONDS


@pytest.mark.parametrize(
    "params",
    [{"month": "2026-13"}, {"month": "26-01"}, {"month": "1969-01"}, {"month": "2199-01"}, {"to": "2026-01"},
     {"month": "2026-01", "to": "2026-02"}, {"from": "2026-02", "to": "2026-01"}, {"from": "2020-01", "to": "2026-01"},
     {"month": "2026-01\n"}, {"month": "２０２６-01"}],
)  # fmt: skip
def test_what_is_no_month(shared: House, params: Json) -> None:
    for path in ("review", "review.csv"):
        answer = shared.call("GET", f"/watchbell/v1/{path}", params=params)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2001), answer.text


@pytest.mark.parametrize(
    ("resolution", "false"),
    [("false alarm", True), (" False Alarm: the probe", True), ("no false alarm", False), ("", False), (None, False),
     ({"false alarm": 1}, False)],
)  # fmt: skip
def test_what_says_that_there_was_nothing(resolution: object, false: bool) -> None:
    assert handling.is_false_alarm(resolution) is false


class Counting:
    """A connection that counts the rows which are read from it."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.rows = connection, 0

    def execute(self, *asked: Any) -> Any:
        frozen = self.connection.execute(*asked).freeze()
        self.rows += len(frozen.data)
        return frozen()


OLD, MANY = 1_000, 1_000


def _row(number: int, at: datetime, **more: Any) -> Json:
    return {
        "id": f"Q{number:010}", "number": 1_000_000 + number, "service_id": "payments", "dedup_key": f"old{number}",
        "title": "old", "status": "resolved", "severity": 0, "urgency": "high", "progress": {}, "version": 1,
        "pages": 1, "created_at": at, "updated_at": at, "changed_at": at, "resolved_at": at + MINUTE,
        "changed_by": "person:ana", **more,
    }  # fmt: skip


@pytest.fixture
def crowded(house: House) -> House:
    """A house with thousands of old incidents, resolved and open, in the months around one quiet month."""
    at = [datetime(2025, 6 if number % 2 else 9, 10, tzinfo=UTC) + number * MINUTE for number in range(OLD + MANY)]
    rows = [_row(number, at[number]) for number in range(OLD)]
    rows += [_row(n, at[n], status="triggered", resolved_at=None) for n in range(OLD, OLD + MANY)]
    rows.append(_row(99_999, datetime(2025, 7, 10, tzinfo=UTC)))
    entries = [
        {"incident_id": row["id"], "type": kind, "at": row["created_at"], "actor": actor, "channel": "api",
         "data": {"assignees": ["ana"], "reason": "step", "event": "x" * 100}}
        for row in rows for kind, actor in (("trigger", "service:payments"), ("assign", "engine"))
    ]  # fmt: skip
    with house.server.storage.write() as connection:
        policy = connection.execute(select(schema.policies.c.digest)).scalars().first()
        connection.execute(insert(schema.incidents), [{**row, "policy": policy} for row in rows])
        connection.execute(insert(schema.log_entries), entries)
    return house


def test_a_month_reads_what_happened_in_it_and_no_more(crowded: House) -> None:
    start, end = datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 8, 1, tzinfo=UTC)
    with crowded.server.storage.read() as connection:
        counting = Counting(connection)
        found = list(handling.handled(counting, start, end))  # type: ignore[arg-type]
    assert [each.id for each in found] == ["Q0000099999"]
    assert counting.rows <= 5
    assert reviewed(crowded, month="2025-07")["pages"] == 1
