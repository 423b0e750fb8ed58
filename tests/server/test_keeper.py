"""What the server finds wrong with itself: an incident for the admins, once, gone by itself; never a storm."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from desktop import team as teams
from desktop.domain.errors import StorageError
from desktop.domain.severity import Mapped, Severity
from desktop.server import auditing, findings, incidents, schema
from desktop.server.findings import Finding
from desktop.server.incidents import Opening
from tests.postgresql import Cluster
from tests.server.house import MINUTE, START, TEAM, Clock, House, Json, assigned, running_house, running_server

ADMIN = '[[people]]\nid = "ida"\nname = "Ida Berg"\naccess = "admin"\n'
STAFFED = TEAM + ADMIN
SECOND = timedelta(seconds=1)
HOLE = '[[absences]]\nperson = "{}"\nstart = 2026-01-14T09:00:00\nend = 2026-01-15T09:00:00\n'


@pytest.fixture
def staffed(database: str) -> Iterator[House]:
    with running_house(database, STAFFED) as house:
        yield house


def found(house: House, **more: str) -> list[Json]:
    asked = {"service_ids[]": findings.SERVICE, "date_range": "all", "sort_by": "incident_number", **more}
    return list(house.get("/incidents", **asked)["incidents"])


def nobody(house: House) -> list[Json]:
    """Return what was told of roles without anybody (the steps of that are late when the clock leaps)."""
    return [incident for incident in found(house) if incident["title"].startswith("Nobody")]


def look(house: House, by: timedelta = timedelta(0)) -> None:
    house.tick(by)
    house.server.keeper.tick()


def test_steps_done_late_are_one_incident_of_the_admins_and_it_ends_by_itself(staffed: House) -> None:
    for number in range(12):
        staffed.enqueue(key=f"k{number}")
    look(staffed, 15 * MINUTE)
    assert found(staffed) == []
    look(staffed, 15 * MINUTE + 6 * SECOND)
    [incident] = found(staffed)
    assert (assigned(incident), incident["assigned_via"]) == (["ida"], "direct_assignment")
    assert (incident["priority"]["id"], incident["service"]["summary"]) == ("sev1", "Watchbell itself")
    assert incident["title"].startswith("Escalations are late")
    body = staffed.get(f"/incidents/{incident['id']}", **{"include[]": "body"})["incident"]["body"]["details"]
    assert body["worked_off_late_by_seconds"] == 6
    for number in range(12):
        staffed.enqueue("resolve", f"k{number}")
    # It is over when nothing was late for ten minutes.
    look(staffed, 9 * MINUTE)
    assert found(staffed)[0]["status"] == "triggered"
    look(staffed, 2 * MINUTE)
    assert [i["status"] for i in found(staffed)] == ["resolved"]
    kinds = [kind for kind, _ in staffed.history(incident["id"])]
    assert kinds == ["trigger", "assign", "resolve"]
    # Not offered to anybody, though its incidents name it.
    assert findings.SERVICE not in {s["id"] for s in staffed.get("/services")["services"]}


def test_what_is_not_done_at_all_is_found_too_and_its_own_incident_adds_none(staffed: House) -> None:
    staffed.enqueue(key="k")
    with staffed.server.storage.write() as connection:
        connection.execute(update(schema.incidents).values(progress={}))
    look(staffed, 16 * MINUTE)
    for _ in range(5):
        # Nobody looks at anything in time any more: the incident about that is late itself.
        look(staffed, 3 * 60 * MINUTE)
    assert len(found(staffed)) == 1
    assert found(staffed)[0]["status"] == "triggered"


def test_resolved_by_hand_it_comes_back_a_day_later_while_its_cause_goes_on(staffed: House) -> None:
    station = staffed.server.station
    finding = Finding(findings.MESSAGE, "ana", "No message reaches Ana", {"channel": "mail"})

    def report() -> list[str]:
        station.writer.run(lambda work: findings.report(station, work, finding))
        station.refresh()
        return [i["status"] for i in found(staffed)]

    assert report() == ["triggered"]
    staffed.put(found(staffed)[0]["id"], status="resolved")
    staffed.clock.forward(23 * 60 * MINUTE)
    assert report() == ["resolved"]
    staffed.clock.forward(2 * 60 * MINUTE)
    assert report() == ["resolved", "triggered"]
    station.writer.run(lambda work: findings.over(station, work, findings.MESSAGE, "ana"))
    assert [i["status"] for i in found(staffed)] == ["resolved", "resolved"]
    # Soon again, it is the same trouble.
    assert report() == ["resolved", "triggered"]


def test_a_role_that_will_have_nobody_is_told_and_told_again_louder(database: str) -> None:
    text = STAFFED.replace('members = ["ben", "ana"]', 'members = ["ben"]') + "".join(map(HOLE.format, ("ben", "ana")))
    text = text.replace('members = ["ana", "ben"]', 'members = ["ana"]')
    text += "".join(map(HOLE.format, ("cho", "ida")))
    with running_house(database, text) as house:
        look(house)
        look(house, MINUTE)
        seen = {i["title"]: i["priority"]["id"] for i in nobody(house)}
        until = "from 2026-01-14 09:00 until 2026-01-15 09:00 (America/Los_Angeles)"
        assert seen == {f"Nobody is {role} {until}": "sev3" for role in ("primary", "secondary", "manager")}
        house.clock.now = START + timedelta(days=6, hours=1)
        look(house)
        # Of one gap there is one incident at a time.
        still = [i["priority"]["id"] for i in nobody(house) if i["status"] != "resolved"]
        assert (still, len(nobody(house))) == (["sev1"] * 3, 6)
        # Somebody takes it.
        times = {"start": "2026-01-14T17:00:00Z", "end": "2026-01-15T17:00:00Z"}
        for role, person in (("primary", "ana"), ("secondary", "ben"), ("manager", "cho")):
            override = {**times, "user": {"id": person, "type": "user_reference"}}
            answer = house.call("POST", f"/schedules/{role}/overrides", {"override": override}, person="cho")
            assert answer.status_code == 201
        for _ in range(3):
            look(house, 6 * MINUTE)
        assert {i["status"] for i in nobody(house)} == {"resolved"}


@pytest.mark.parametrize(
    ("change", "whom"),
    [
        (lambda text: text, ("ida",)),
        (lambda text: text.replace(ADMIN, ""), ("cho",)),
        (lambda text: text.replace(ADMIN, "").replace('access = "manager"', ""), ()),
    ],
)
def test_whom_it_is_told(tmp_path: Path, change: object, whom: tuple[str, ...]) -> None:
    assert callable(change)
    with running_house(tmp_path, change(STAFFED)) as house:
        assert findings.admins(house.server.station) == whom
        station = house.server.station
        station.writer.run(lambda work: findings.report(station, work, Finding("x", "k", "t", {}, Severity.SEV1)))
        station.refresh()
        assert assigned(found(house)[0]) == list(whom or ("ana",))


def test_a_fault_in_one_part_stops_no_other(
    staffed: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise StorageError("no luck")

    monkeypatch.setattr("desktop.server.keeper.heartbeats.any_promised", broken)
    staffed.enqueue(key="k")
    look(staffed, 16 * MINUTE)
    assert "not looked after" in caplog.text
    assert len(found(staffed)) == 1


def test_only_roles_with_a_rotation_can_lack_somebody() -> None:
    alone = TEAM.split("[rotation.secondary]")[0] + '[[services]]\nid = "x"\nname = "X"\n'
    gaps = auditing.unmanned(teams.parse(alone, "team.toml"), START)
    assert {role.value: times for role, times in gaps.items()} == {"primary": []}


ONCE = """
[rotation.{}]
members = ["cho"]
start = 2026-06-01T09:00:00
every = "1 week"
"""


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        (TEAM, set()),
        (TEAM.replace("[rotation.manager]", ONCE.format("manager") + "[rotation.x]").partition("[rotation.x]")[0],
         {"manager"}),
        (TEAM.partition("[rotation.manager]")[0], set()),
        (TEAM + ONCE.format("shadow"), set()),
    ],
    ids=["all", "no manager yet", "no manager's rotation", "not paged"],
)  # fmt: skip
def test_every_role_that_is_paged_is_looked_after(text: str, lacking: set[str]) -> None:
    gaps = auditing.unmanned(teams.parse(text, "team.toml"), START)
    assert {role.value for role, times in gaps.items() if times} == lacking


def test_what_lasts_longer_than_is_looked_has_no_end_in_words() -> None:
    late = TEAM.replace("2026-01-05T09:00:00", "2026-06-01T09:00:00")
    gaps = auditing.unmanned(teams.parse(late, "team.toml"), START)
    titles = [f.title for f in auditing.missing(gaps, START, START + MINUTE, ZoneInfo("UTC"))]
    assert titles == ["Nobody is primary now", "Nobody is secondary now", "Nobody is manager now"]


def test_a_gap_that_is_there_already_is_one_incident(database: str) -> None:
    now = HOLE.replace("2026-01-14", "2026-01-07").replace("2026-01-15", "2026-01-08")
    with running_house(database, STAFFED + "".join(map(now.format, ("ana", "ben", "cho", "ida")))) as house:
        look(house)
        until = "now until 2026-01-08 09:00 (America/Los_Angeles)"
        assert [(i["title"], i["priority"]["id"]) for i in sorted(nobody(house), key=lambda i: i["title"])] == [
            (f"Nobody is {role} {until}", "sev1") for role in ("manager", "primary", "secondary")
        ]


def test_of_several_servers_one_tells(postgresql: Cluster) -> None:
    place, clock = postgresql.ready(), Clock()
    with ExitStack() as stack:
        stack.callback(postgresql.drop, place)
        servers = [stack.enter_context(running_server(place, STAFFED, clock)) for _ in range(3)]
        opening = Opening("x", "payments", Mapped(Severity.SEV0), "k", {})
        first = servers[0]
        first.writer.run(lambda work: incidents.create(first.station, work, "person:ana", opening))
        clock.forward(16 * MINUTE)
        threads = [threading.Thread(target=server.keeper.tick) for server in servers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with first.storage.read() as connection:
            services = connection.execute(select(schema.incidents.c.service_id)).scalars().all()
        assert sorted(services) == ["payments", findings.SERVICE]
