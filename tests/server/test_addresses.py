"""Addresses that cannot work are said at the start and when a team is applied, before a page finds out."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from desktop.domain.errors import InputError
from desktop.server import applying, findings
from desktop.server.roster import Roster
from desktop.server.tables.promises import findings as rows
from desktop.team import parse
from tests.server.house import TEAM, Clock, running_server

WRITTEN = (
    TEAM.replace('id = "ana"', 'id = "ana"\nnotify = ["mailto://ana@example.com", "slack://sh0rt", "env:WB_TEST_ANA"]')
    .replace('id = "ben"', 'id = "ben"\nnotify = ["json://127.0.0.1:8599/hush"]')
    .replace('name = "Duty director"', 'name = "Duty director"\nnotify = ["env:WB_TEST_DIRECTOR"]')
    + '[channels]\nincidents = "mailto://ops"\n'
)
UNREADABLE = "cannot work: the address cannot be understood: is it an Apprise URL?"


def test_each_is_named_by_whose_it_is_and_never_by_what_it_says(
    database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WB_TEST_ANA", "tgram://hush")
    monkeypatch.delenv("WB_TEST_DIRECTOR", raising=False)
    clock = Clock()
    with running_server(database, WRITTEN, clock) as server:
        # As a file that an operator named does.
        monkeypatch.setattr("desktop.server.places._vouched", lambda *_: True)
        server.keeper.tick()
        with server.storage.read() as connection:
            told = {row.title for row in connection.execute(select(rows)) if row.kind == findings.ADDRESS}
            assert findings.count(connection)[findings.ADDRESS] == 5
        private, unset = sorted(told - {one for one in told if one.endswith(UNREADABLE)})
        assert sorted(one for one in told if one.endswith(UNREADABLE)) == [
            f"Address 2 of Ana Ruiz {UNREADABLE}",
            f"Address 3 of Ana Ruiz {UNREADABLE}",
            f"The address of the channel incidents {UNREADABLE}",
        ]
        assert private.startswith("The address of Ben Okafor cannot work: the address is of this machine or a private")
        assert unset.startswith("The address of Duty director cannot work: env:WB_TEST_DIRECTOR is not set where")
        said = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "found wrong"]
        assert {fields["title"] for fields in said} == told
        for secret in ("hush", "sh0rt", "ops", "ana@"):
            assert not any(secret in str(fields) for fields in said)
        assert server.storage.ready()
        server.messenger.allow_private = True
        clock.forward(timedelta(hours=1))
        assert not any("Ben" in one.title for one in server.keeper._addresses.wrong())


def test_a_team_that_is_applied_is_looked_at_and_what_is_mended_is_over(database: str) -> None:
    clock = Clock()
    with running_server(database, WRITTEN, clock) as server:
        server.keeper.tick()
        roster = Roster(parse(TEAM, "team.toml"))
        with server.storage.write() as connection:
            applying.apply(connection, roster, TEAM, "team.toml", clock())
        server.station.refresh()
        for _ in range(2):
            clock.forward(timedelta(minutes=6))
            server.keeper.tick()
        with server.storage.read() as connection:
            assert findings.ADDRESS not in findings.count(connection)


def test_a_keyring_that_does_not_answer_is_asked_once(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEAM.replace('id = "ana"', 'id = "ana"\nnotify = ["keyring:a", "keyring:b", "mailto://ana"]')
    asked = []

    def locked(reference: str, _: float) -> None:
        asked.append(reference)
        raise InputError("the keyring does not answer")

    monkeypatch.setattr("desktop.server.places._vouched", lambda *_: True)
    monkeypatch.setattr("desktop.server.places.secret", locked)
    with running_server(database, text, Clock()) as server:
        server.keeper.tick()
        with server.storage.read() as connection:
            assert (asked, findings.count(connection)[findings.ADDRESS]) == (["keyring:a"], 2)
