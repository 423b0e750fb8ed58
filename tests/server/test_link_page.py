"""What the page of a link says, to whom, in which zone; whatever comes from outside is plain text in it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desktop import team as teams
from desktop.server import incidents
from desktop.server.directory import Directory, Somebody
from desktop.server.link_page import page
from desktop.server.link_view import Button, Ring, View
from desktop.server.link_words import Reader, next_of, web_address
from desktop.server.records import Record
from desktop.server.roster import Roster
from tests.server.house import MINUTE, START, TEAM, Clock, House, running_house
from tests.server.linking import ask, issued, words


def test_the_page_says_what_there_is_and_what_the_button_does(shared: House) -> None:
    said = words(ask(shared, "GET", issued(shared, "said", summary="5xx above 20 %")))
    assert said == (
        "SEV-0 Critical: 5xx above 20 % SEV-0 Critical 5xx above 20 % 10:15 escalates "
        "Escalates to Ben Okafor (secondary) at 10:15 PST "
        "Acknowledge as Ana Ruiz Stops the escalation. Everyone paged is told that you have it. "
        "Service Payments Since 10:00 PST, just now Status Triggered Has it nobody yet Paged you "
        "Runbook runbooks.example.com Watchbell, incident "
        f"{shared.incident('said')['incident_number']}, as of 10:00 PST (America/Los_Angeles). "
        "This link is Ana Ruiz's alone, works once, and ends Thu 8 Jan, 10:00 PST. Do not forward it. Look again"
    )


IN_TOKYO = TEAM.replace('id = "ana"', 'id = "ana"\ntime_zone = "Asia/Tokyo"')


FROM_THE_TOP = [
    "Escalates to Ben Okafor (secondary) at 03:15 JST",
    "Escalates to Cho Lee (manager) at 03:30 JST",
    "Escalates to Duty director (emergency contact) at 04:00 JST",
    "Starts again from the top, with you (primary) at 04:15 JST",
]


# Monday morning, ten minutes before the shift changes: whoever is secondary then was paged as primary now.
BEFORE_THE_CHANGE = datetime(2026, 1, 12, 16, 50, tzinfo=UTC)


ACROSS_IT = ["Escalates to Cho Lee (manager) at 02:05 JST"]


@pytest.mark.parametrize(("start", "verdicts"), [(START, FROM_THE_TOP), (BEFORE_THE_CHANGE, ACROSS_IT)])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_is_said_to_be_paged_next_is_paged_then(database: str, start: datetime, verdicts: list[str]) -> None:
    with running_house(database, IN_TOKYO, Clock(start)) as house:
        url, incident = issued(house, "k"), house.incident("k")["id"]
        told = []
        for _ in range(len(verdicts) + 3):
            ahead = next_of(record(house, incident), house.server.station.roster)
            assert ahead.at is not None
            told.append(verdict(house, url))
            before = pages(house, incident)
            house.tick(ahead.at - house.clock() - MINUTE)
            assert pages(house, incident) == before
            house.tick(MINUTE)
            assert pages(house, incident) == [*before, *ahead.people]
    assert told[: len(verdicts)] == verdicts


def pages(house: House, incident: str) -> list[str]:
    """Return whom the steps of the escalation paged, in order."""
    found = [data for _, data in house.history(incident) if data.get("reason") in {"step", "round"}]
    return [person for data in found for person in data["assignees"]]


def record(house: House, incident: str) -> Record:
    with house.server.storage.read() as connection:
        return incidents.find(house.server.station, connection, incident)


def verdict(house: House, url: str) -> str:
    said = words(ask(house, "GET", url))
    found = re.search(r"((Escalates|Starts|Nobody) (?!Escalates).*?)(?: Acknowledge as|$)", said)
    assert found is not None, said
    return found[1]


def test_a_time_on_another_day_has_its_day_and_a_zone_without_letters_is_named() -> None:
    directory = Directory({"ben": Somebody("ben", "Ben Okafor", time_zone="America/Caracas")})
    reader = Reader("ben", START + timedelta(hours=14), directory, Roster(teams.parse(TEAM, "team.toml")))
    assert reader.at(START) == "Wed 7 Jan, 14:00 UTC-04"
    assert reader.at(reader.now) == "04:00 UTC-04"
    assert replace(reader, person="ana").at(reader.now) == "00:00 PST"


def test_what_escalates_to_nobody_says_when_it_pages_again(shared: House) -> None:
    url = issued(shared, "direct")
    given = [{"assignee": {"id": "ana", "type": "user_reference"}}]
    assert shared.put(shared.incident("direct")["id"], assignments=given).status_code == 200
    assert verdict(shared, url) == "Escalates to nobody else: those paged are paged again at 10:15 PST"


def test_what_an_integration_acknowledged_can_still_be_taken(shared: House) -> None:
    url = issued(shared, "machine")
    shared.enqueue("acknowledge", "machine")
    said = words(ask(shared, "GET", url))
    assert "Payments acknowledged this at 10:00 PST , but nobody has it Unless somebody takes it, everyone" in said
    assert "Acknowledge as Ana Ruiz Says that you have it." in said
    assert ask(shared, "POST", url).status_code == 303
    assert "You acknowledged this at 10:00 PST" in words(ask(shared, "GET", url))


def test_hostile_text_is_shown_as_plain_cut_text(shared: House) -> None:
    title = "</title><script>alert(1)</script>\" onload='x' {secret} \u202eevil\u2066\x00\x07 " + "y" * 10_000
    page = ask(shared, "GET", issued(shared, "hostile", summary=title))
    assert page.status_code == 200
    assert "<script" not in page.text
    assert page.text.count("</title>") == 1
    assert "alert(1)&lt;/script&gt;&#34; onload=&#39;x&#39; {secret} evil" in page.text
    assert not set("\u202e\u2066\x00\x07") & set(page.text)
    assert "y" * 150 not in page.text
    assert len(page.content) < 12_000


def test_nothing_that_is_shown_is_markup() -> None:
    evil = "<i>"
    runs = ((evil, False), (evil, True))
    shown = View(
        mark="sev0",
        chip=evil,
        title=evil,
        state="calm",
        verdict=runs,
        more=(evil,),
        ring=Ring(1, 1, evil, evil),
        button=Button(evil, runs),
        rows=((evil, evil),),
        runbook=('https://x/"<i>', evil),
        foot=(evil,),
    )
    written = page(shown)
    assert "<i>" not in written
    assert written.count("&lt;i&gt;") == 17
    assert 'href="https://x/&#34;&lt;i&gt;"' in written


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://runbooks.example.com/x", "runbooks.example.com"),
        ("http://intra:8080", "intra"),
        ("javascript:alert(1)", ""),
        ("https://good.example@evil.example/", ""),
        ("https://x/\u202egnp", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_only_addresses_of_the_web_are_linked(url: str, host: str) -> None:
    assert web_address(url) == host
