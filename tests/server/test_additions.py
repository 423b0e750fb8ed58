"""What people added to a team in the application, as rows."""

from datetime import timedelta

from sqlalchemy import insert

from desktop.server import additions
from desktop.server.tables.additions import absences
from tests.server.house import START, House

DAY = timedelta(days=1)


def test_an_absence_stands_in_rows(house: House) -> None:
    row = {"id": "A1", "person_id": "ana", "cover_id": "cho", "starts_at": START, "ends_at": START + DAY}
    said = {"announced_at": START - 30 * DAY, "created_at": START - 30 * DAY, "created_by": "person:ana"}
    with house.server.storage.write() as connection:
        connection.execute(insert(absences).values(**row, **said))
        additions.advance(connection)
    # Or what follows other servers has taken it up already.
    house.server.station.refresh()
    assert house.server.station.roster.holders("primary", START) == ("cho",)
    assert not house.server.station.refresh()


def test_each_revision_is_the_next(house: House) -> None:
    with house.server.storage.write() as connection:
        first = additions.revision(connection)
        assert [additions.advance(connection) for _ in range(3)] == [first + 1, first + 2, first + 3]
        assert additions.revision(connection) == first + 3
