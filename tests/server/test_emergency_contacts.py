"""An emergency contact's identity never passes to another: whoever takes their place is somebody else."""

import json
from collections.abc import Iterator

import pytest
import requests
from sqlalchemy import select, update

from desktop.domain.team import Contact
from desktop.server import schema
from desktop.server.emergency import contact_id, identified
from desktop.server.running import load_team
from tests.server.house import DIRECTOR, MINUTE, TEAM, House, assigned, last_paged, running_house
from tests.server.linking import ask, audited, issued, words

STAFFED = TEAM.replace('id = "ana"', 'id = "ana"\naccess = "admin"')
FIRST = '[[emergency_contacts]]\nname = "Duty director"\n'
SECOND = '[[emergency_contacts]]\nname = "New director"\n'
NEW = contact_id(Contact("New director"))
REPLACED, BOTH = STAFFED.replace(FIRST, SECOND), STAFFED.replace(FIRST, FIRST + SECOND)
GONE, REORDERED = STAFFED.replace(FIRST, ""), STAFFED.replace(FIRST, SECOND + FIRST)
ELSEWHERE = STAFFED.replace(FIRST, FIRST + 'phone = "+49 30 1234567"\n')


@pytest.fixture
def house(database: str) -> Iterator[House]:
    with running_house(database, STAFFED) as alone:
        yield alone


def put(house: House, text: str) -> requests.Response:
    headers = {"Content-Type": "application/toml"}
    answer = house.call(
        "PUT", "/watchbell/v1/team", data=text.encode(), headers=headers, params={"force": "true"}
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    house.tick()
    return answer


def escalated(house: House, key: str) -> str:
    """Open an incident that the emergency contacts have, too, and return its id."""
    house.enqueue(key=key)
    for minutes in (15, 15, 30):
        house.tick(minutes * MINUTE)
    assert DIRECTOR in assigned(house.incident(key))
    return str(house.incident(key)["id"])


def acknowledged_by(house: House, key: str) -> list[str]:
    return [each["acknowledger"]["id"] for each in house.incident(key)["acknowledgements"]]


@pytest.mark.parametrize("text", [REPLACED, GONE, ELSEWHERE], ids=["replaced", "removed", "other address"])
def test_a_link_of_whoever_was_replaced_acknowledges_nothing(house: House, text: str) -> None:
    url = issued(house, "k", person=DIRECTOR)
    put(house, text)
    shown = words(ask(house, "GET", url))
    assert "Acknowledge as" not in shown
    assert "New director" not in shown
    assert ask(house, "POST", url).status_code != 303
    assert (house.incident("k")["status"], acknowledged_by(house, "k"), audited(house, "k")) == ("triggered", [], [])
    assert house.get("/watchbell/v1/audit", limit=10)["audit"][-1]["target"] != f"person:{NEW}"
    ended = [line for line in house.get("/watchbell/v1/audit")["audit"] if line["action"] == "link.revoke"]
    assert [line["target"] for line in ended] == [f"person:{DIRECTOR}"]


def test_their_open_incidents_are_not_the_others(house: House) -> None:
    incident = escalated(house, "k")
    put(house, REPLACED)
    had = assigned(house.incident("k"))
    # Who holds a role that was paged already is paged as whoever takes over a shift is.
    assert DIRECTOR not in had
    assert {"ana", "ben", "cho", NEW} == set(had)
    assert last_paged(house, incident) == [NEW]
    left = [data for kind, data in house.history(incident) if kind == "left_team"]
    assert left == [{"left": [DIRECTOR], "message": "Not in the team any more: Duty director."}]
    assert house.get(f"/users/{DIRECTOR}")["user"]["name"] == "Duty director"


def test_an_acknowledgement_of_whoever_was_replaced_ends(house: House) -> None:
    escalated(house, "k")
    assert ask(house, "POST", issued(house, "k", person=DIRECTOR)).status_code == 303
    assert acknowledged_by(house, "k") == [DIRECTOR]
    put(house, REPLACED)
    assert (house.incident("k")["status"], acknowledged_by(house, "k")) == ("triggered", [])


def test_another_order_is_no_change(house: House) -> None:
    put(house, BOTH)
    url = issued(house, "k", person=DIRECTOR)
    put(house, REORDERED)
    assert "Acknowledge as Duty director" in words(ask(house, "GET", url))
    assert ask(house, "POST", url).status_code == 303
    assert acknowledged_by(house, "k") == [DIRECTOR]


@pytest.mark.parametrize("with_file", [True, False])
def test_what_an_older_version_called_by_its_place_is_taken_up(database: str, with_file: bool) -> None:
    with running_house(database, STAFFED) as house:
        escalated(house, "k")
        url, clock = issued(house, "k", person=DIRECTOR), house.clock
        _rename(house, "contact-1")
        if not with_file:
            load_team(house.server.storage, None, clock())
    # With its file the house applies the team as a start does.
    with running_house(database, STAFFED, clock) as house:
        house.tick()
        assert set(assigned(house.incident("k"))) == {"ana", "ben", "cho", DIRECTOR}
        assert ask(house, "POST", "/link/" + url.rpartition("/")[2]).status_code != 303
        assert house.get("/users/contact-1")["user"]["name"] == "Duty director"


def test_a_start_without_a_file_gives_contacts_of_an_older_version_their_ids(house: House) -> None:
    _rename(house, "contact-1")
    load_team(house.server.storage, None, house.clock())
    with house.server.storage.read() as connection:
        people = schema.people.c
        rows = connection.execute(select(people.id, people.active).where(people.contact)).all()
    assert {row.id: row.active for row in rows} == {"contact-1": False, DIRECTOR: True}


def _rename(house: House, old: str) -> None:
    """Write the rows as a version did that called contacts by their places."""
    with house.server.storage.write() as connection:
        row = dict(connection.execute(select(schema.people).where(schema.people.c.id == DIRECTOR)).one()._mapping)
        connection.execute(schema.people.insert().values({**row, "id": old}))
        for table in schema.metadata.tables.values():
            if "person_id" in table.c:
                connection.execute(update(table).where(table.c.person_id == DIRECTOR).values(person_id=old))
        for each in connection.execute(select(schema.incidents.c.id, schema.incidents.c.progress)).all():
            told = json.loads(json.dumps(each.progress).replace(DIRECTOR, old))
            connection.execute(update(schema.incidents).where(schema.incidents.c.id == each.id).values(progress=told))
        connection.execute(schema.people.delete().where(schema.people.c.id == DIRECTOR))


ONE = Contact("Duty director", "+49 30 1", "d@example.com", "always", ("env:ONE", "env:TWO"))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Contact("Duty director", "+49 30 1", "d@example.com", "never", ("env:TWO", "env:ONE")), True),
        (Contact("New director", "+49 30 1", "d@example.com", "always", ("env:ONE", "env:TWO")), False),
        (Contact("Duty director", "+49 30 2", "d@example.com", "always", ("env:ONE", "env:TWO")), False),
        (Contact("Duty director", "+49 30 1", "e@example.com", "always", ("env:ONE", "env:TWO")), False),
        (Contact("Duty director", "+49 30 1", "d@example.com", "always", ("env:ONE",)), False),
    ],
)
def test_an_id_says_who_it_is_and_how_they_are_reached(other: Contact, same: bool) -> None:
    assert (contact_id(other) == contact_id(ONE)) == same


def test_ids_are_nobody_elses() -> None:
    name = contact_id(ONE)
    assert list(identified([ONE, Contact("x"), ONE])) == [name, contact_id(Contact("x")), f"{name}-2"]
    assert list(identified([ONE], {name})) == [f"{name}-2"]
