"""Links in messages: looking changes nothing, a press acts once, as its person; only a hash is kept of a link."""

import html
import logging
import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
from sqlalchemy import func, insert, select, update

from desktop import team as teams
from desktop.server import audit, incidents, links, schema, tokens
from desktop.server.directory import Directory, Somebody
from desktop.server.events import Event, parse
from desktop.server.limits import Limits, Requests
from desktop.server.link_page import page
from desktop.server.link_view import Button, Ring, View
from desktop.server.link_words import Reader, next_of, web_address
from desktop.server.links import Link
from desktop.server.logs import OneLine
from desktop.server.records import Record
from desktop.server.roster import Roster
from desktop.server.running import Server
from desktop.server.station import Station
from desktop.server.storage import Storage, resolve
from desktop.server.tables.links import links as table
from desktop.server.writer import Work, Writer
from tests.postgresql import Cluster
from tests.server.house import MINUTE, START, TEAM, Clock, House, running_house, running_server
from tests.server.serving import serve

T = TypeVar("T")

PUBLIC = "https://pager.example.com"


def ask(house: House, method: str, url: str, **headers: str) -> requests.Response:
    path = url.removeprefix(house.url)
    return house.call(method, path, person="", headers=headers, allow_redirects=False)


def issued(house: House, key: str, person: str = "ana", action: str = "acknowledge", **payload: Any) -> str:
    """Trigger an incident with ``key``, unless it is known, and return a link for it."""
    if not house.get("/incidents", incident_key=key, date_range="all")["incidents"]:
        house.enqueue(key=key, **payload)
    incident = house.incident(key)["id"]
    with house.server.storage.write() as connection:
        return links.issue(connection, incident, person, action, house.clock(), house.url)


def press(url: str) -> requests.Response:
    """Press the button of a page, on a connection of its own."""
    with requests.Session() as session:
        session.trust_env = False
        return session.post(url, allow_redirects=False, timeout=10)


def secret_of(url: str) -> str:
    return url.rpartition("/")[2]


def row(house: House, url: str) -> Any:
    with house.server.storage.read() as connection:
        return connection.execute(select(table).where(table.c.hash == tokens.digest_of(secret_of(url)))).one()


def words(response: requests.Response) -> str:
    """Return what a page says, as a person reads it."""
    body = re.sub(r"<style>.*?</style>|<[^>]*>", " ", response.text, flags=re.DOTALL)
    return " ".join(html.unescape(body).split())


def entries(house: House, key: str, kind: str) -> list[Any]:
    found = schema.log_entries
    asked = select(found).where(found.c.incident_id == house.incident(key)["id"], found.c.type == kind)
    with house.server.storage.read() as connection:
        return list(connection.execute(asked.order_by(found.c.id)).all())


def audited(house: House, key: str) -> list[Any]:
    target = f"incident:{house.incident(key)['id']}"
    with house.server.storage.read() as connection:
        return list(connection.execute(select(schema.audit).where(schema.audit.c.target == target)).all())


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Run ``calls`` on threads that begin together, and return their results."""
    together = threading.Barrier(len(calls))
    results: list[T] = []

    def run(call: Callable[[], T]) -> None:
        together.wait(10)
        results.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def event(key: str, n: int) -> Event:
    payload = {"summary": "db down", "source": "db1", "severity": "critical"}
    return parse({"routing_key": key, "event_action": "trigger", "dedup_key": f"k{n}", "payload": payload})


def test_a_link_has_256_random_bits_of_which_only_a_hash_is_kept(shared: House) -> None:
    urls = {issued(shared, "hash") for _ in range(3)}
    assert len(urls) == 3
    for url in urls:
        assert re.fullmatch(rf"{shared.url}/link/wb_[a-z2-7]{{52}}", url)
        ask(shared, "POST", url)
    with shared.server.storage.read() as connection:
        stored = [str(row) for each in schema.metadata.tables.values() for row in connection.execute(select(each))]
    for url in urls:
        assert not [row for row in stored if secret_of(url) in row]
        assert [row for row in stored if tokens.digest_of(secret_of(url)) in row]


def test_without_a_public_address_there_is_no_link(shared: House) -> None:
    incident = shared.incident(shared.enqueue(key="nowhere"))["id"]
    with shared.server.storage.write() as connection:
        before = connection.execute(select(func.count()).select_from(table)).scalar_one()
        assert not links.issue(connection, incident, "ana", "acknowledge", START, shared.server.station.public_url)
        assert connection.execute(select(func.count()).select_from(table)).scalar_one() == before
        with pytest.raises(ValueError, match="resolve"):
            links.issue(connection, incident, "ana", "resolve", START, PUBLIC)


def test_whatever_follows_every_link_changes_nothing(shared: House) -> None:
    for action in ("acknowledge", "escalate"):
        url = issued(shared, "scanned", action=action)
        before = (shared.incident("scanned"), shared.history(shared.incident("scanned")["id"]))
        page = ask(shared, "GET", url)
        assert page.status_code == 200
        found = re.findall(r'(?:href|src|action)="([^"]*)"', page.text)
        assert found == ["https://runbooks.example.com/payments", ""]  # elsewhere, and the page itself
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
            answer = ask(shared, method, f"{url}?x=1#y")
            assert (answer.status_code == 200) == (method in {"GET", "HEAD"})
        assert not ask(shared, "HEAD", url).content
        assert (shared.incident("scanned"), shared.history(shared.incident("scanned")["id"])) == before
        assert row(shared, url).spent_at is None


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


def test_a_press_acknowledges_as_the_person_of_the_link(shared: House) -> None:
    url = issued(shared, "pressed")
    answer = ask(shared, "POST", url, Origin=shared.url, **{"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.headers["location"]) == (303, url.removeprefix(shared.url))
    state = ask(shared, "GET", url)
    assert state.status_code == 200
    assert "You acknowledged this at 10:00 PST It is yours until 10:30 PST" in words(state)
    assert "<button" not in state.text
    assert shared.incident("pressed")["acknowledgements"][0]["acknowledger"]["id"] == "ana"
    entry = entries(shared, "pressed", "acknowledge")[0]
    assert (entry.actor, entry.channel) == ("person:ana", "website")
    line = audited(shared, "pressed")[0]
    assert (line.actor, line.address, line.action) == ("person:ana", "127.0.0.1", "link.acknowledge")
    assert line.after == {"status": "acknowledged", "acknowledged_by": ["ana"], "history": ["acknowledge"]}
    assert row(shared, url).spent_at == START


def test_an_emergency_contact_who_cannot_log_in_can_acknowledge(shared: House) -> None:
    url = issued(shared, "contact", person="contact-1")
    assert "Acknowledge as Duty director" in words(ask(shared, "GET", url))
    assert ask(shared, "POST", url).status_code == 303
    assert entries(shared, "contact", "acknowledge")[0].actor == "person:contact-1"


def test_pressed_many_times_at_once_it_acts_once(house: House) -> None:
    url = issued(house, "many")
    assert [answer.status_code for answer in at_once([partial(press, url)] * 6)] == [303] * 6
    assert len(entries(house, "many", "acknowledge")) == len(audited(house, "many")) == 1


def test_a_spent_link_never_acts_again(shared: House) -> None:
    url = issued(shared, "again")
    ask(shared, "POST", url)
    assert shared.put(shared.incident("again")["id"], status="triggered").status_code == 200
    assert ask(shared, "POST", url).status_code == 303
    assert shared.incident("again")["status"] == "triggered"
    said = words(ask(shared, "GET", url))
    assert "Escalates to Ben Okafor" in said
    assert "You acknowledged it at 10:00 PST, but that has ended. This link is used up." in said
    assert "Acknowledge as" not in said


def test_acknowledged_elsewhere_the_page_says_by_whom_and_a_press_still_counts(
    shared: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = issued(shared, "elsewhere")
    shared.put(shared.incident("elsewhere")["id"], person="ben", status="acknowledged")
    shown = ask(shared, "GET", url)
    assert shown.status_code == 200
    assert "Ben Okafor acknowledged this at 10:00 PST There is nothing for you to do." in words(shown)
    assert "<button" not in shown.text
    # Pressed on a page that was opened before: no acknowledgement is lost.
    monkeypatch.setattr(shared.clock, "now", START + MINUTE)
    assert ask(shared, "POST", url).status_code == 303
    assert "You acknowledged this at 10:01 PST Ben Okafor was first, at 10:00 PST." in words(ask(shared, "GET", url))


def test_acknowledged_by_oneself_elsewhere_there_is_nothing_left_to_do(shared: House) -> None:
    url = issued(shared, "mine")
    shared.put(shared.incident("mine")["id"], status="acknowledged")
    assert "You acknowledged this at 10:00 PST" in words(ask(shared, "GET", url))
    assert ask(shared, "POST", url).status_code == 303
    assert len(entries(shared, "mine", "acknowledge")) == 1
    assert row(shared, url).spent_at is None


def test_a_resolved_incident_is_left_alone(shared: House) -> None:
    urls = [issued(shared, "resolved", action=action) for action in ("acknowledge", "escalate")]
    shared.put(shared.incident("resolved")["id"], person="ben", status="resolved")
    for url in urls:
        shown, pressed = ask(shared, "GET", url), ask(shared, "POST", url)
        assert (shown.status_code, pressed.status_code) == (200, 409)
        assert "Ben Okafor resolved this at 10:00 PST There is nothing for you to do." in words(shown)
        assert words(pressed) == words(shown)
        assert row(shared, url).spent_at is None
    assert shared.incident("resolved")["status"] == "resolved"


def test_an_expired_link_says_so_and_nothing_of_its_incident(shared: House) -> None:
    url = issued(shared, "expired", summary="CONFIDENTIAL")
    assert row(shared, url).expires_at == START + timedelta(hours=24)
    with shared.server.storage.write() as connection:
        hit = table.c.hash == tokens.digest_of(secret_of(url))
        connection.execute(update(table).where(hit).values(expires_at=START))
    for method in ("GET", "POST"):
        answer = ask(shared, method, url)
        assert answer.status_code == 410
        assert "This link no longer works It held until 10:00 PST." in words(answer)
        assert "CONFIDENTIAL" not in answer.text
    assert shared.incident("expired")["status"] == "triggered"


UNKNOWN = [
    "wb_" + "a" * 52,
    "wb_" + "a" * 51,
    "WB_" + "A" * 52,
    "",
    "x",
    "a/b",
    "%00",
    "%F0%9F%94%94",
    "..%2f",
    "a" * 900,
]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_and_malformed_links_look_the_same(shared: House, method: str) -> None:
    shared.server.station.limits = Limits(Requests(1_000_000), guesses=Requests(1_000))
    answers = [ask(shared, method, f"{shared.url}/link/{secret}") for secret in UNKNOWN]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert "This link is not known" in words(answers[0])


def test_who_left_the_team_has_links_no_more(shared: House) -> None:
    url = issued(shared, "left", person="cho")
    for active, status in ((False, 404), (True, 200)):
        with shared.server.storage.write() as connection:
            connection.execute(update(schema.people).where(schema.people.c.id == "cho").values(active=active))
        assert ask(shared, "GET", url).status_code == status
        if not active:
            assert ask(shared, "POST", url).status_code == 404
    assert shared.incident("left")["status"] == "triggered"


def test_an_escalation_pages_whom_the_page_said(shared: House) -> None:
    url = issued(shared, "escalated", action="escalate")
    said = words(ask(shared, "GET", url))
    assert "Escalate as Ana Ruiz Pages Ben Okafor (secondary) at once. You stay paged." in said
    assert [ask(shared, "POST", url).status_code for _ in range(2)] == [303, 303]
    entry = entries(shared, "escalated", "escalate")[0]
    assert (entry.actor, entry.channel, entry.data["assignees"]) == ("person:ana", "website", ["ben"])
    assert len(entries(shared, "escalated", "escalate")) == 1
    assert audited(shared, "escalated")[0].action == "link.escalate"
    said = words(ask(shared, "GET", url))
    assert "Escalates to Cho Lee (manager) at 10:15 PST You escalated it at 10:00 PST." in said


def test_escalating_takes_an_incident_from_nobody_but_oneself(shared: House) -> None:
    taken, own = issued(shared, "taken", action="escalate"), issued(shared, "own", action="escalate")
    shared.put(shared.incident("taken")["id"], person="ben", status="acknowledged")
    assert "<button" not in ask(shared, "GET", taken).text
    assert ask(shared, "POST", taken).status_code == 409
    assert shared.incident("taken")["status"] == "acknowledged"
    shared.put(shared.incident("own")["id"], status="acknowledged")
    assert "Ends your acknowledgement and pages Ben Okafor (secondary) at once." in words(ask(shared, "GET", own))
    assert ask(shared, "POST", own).status_code == 303
    assert shared.incident("own")["status"] == "triggered"


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


def test_every_answer_has_the_headers_of_a_page_that_is_a_secret(shared: House) -> None:
    url = issued(shared, "headers")
    answers = [ask(shared, "GET", url), ask(shared, "HEAD", url), ask(shared, "POST", url), ask(shared, "GET", url)]
    answers += [ask(shared, "GET", url[:-1]), ask(shared, "POST", url, Origin="https://evil.example.com")]
    assert [answer.status_code for answer in answers] == [200, 200, 303, 200, 404, 403]
    for headers in (answer.headers for answer in answers):
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-robots-tag"].startswith("noindex")
        assert re.fullmatch(
            r"default-src 'none'; style-src 'sha256-[\w+/=]{44}'; form-action 'self'; base-uri 'none'; "
            r"frame-ancestors 'none'",
            headers["content-security-policy"],
        )
        assert not {"set-cookie", "server", "access-control-allow-origin"} & {name.lower() for name in headers}


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


ORIGINS = [
    ("https://evil.example.com", "cross-site", 403),
    ("null", "cross-site", 403),
    ("null", "same-site", 403),
    ("http://[", "same-origin", 403),
    ("http://localhost", "same-origin", 403),
    ("null", "same-origin", 303),
    ("null", None, 303),
]


@pytest.mark.parametrize(("origin", "site", "status"), ORIGINS)
def test_a_press_on_another_web_page_is_refused(shared: House, origin: str, site: str | None, status: int) -> None:
    key = f"origin {origin} {site}"
    url = issued(shared, key)
    headers = {"Origin": origin} | ({} if site is None else {"Sec-Fetch-Site": site})
    assert ask(shared, "POST", url, **headers).status_code == status
    assert shared.incident(key)["status"] == ("triggered" if status == 403 else "acknowledged")


def test_the_gate_holds_for_links_too(shared: House) -> None:
    url = issued(shared, "gate")
    assert ask(shared, "POST", url, Host="evil.example.com").status_code == 421
    path = url.removeprefix(shared.url)
    assert shared.call("POST", path, person="", data=b"x" * (512 * 1024 + 1)).status_code == 413
    for near in (f"{path}/incidents", "/links", "/link", f"/x{path}"):
        assert shared.call("GET", near, person="").status_code in {401, 404}
    assert shared.incident("gate")["status"] == "triggered"


def test_guessing_is_limited_by_address_and_keeps_nobody_with_a_true_link_waiting(shared: House) -> None:
    shared.server.station.limits = Limits(Requests(1_000_000), guesses=Requests(2))
    url = issued(shared, "guessed")
    wrong = [ask(shared, "GET", f"{shared.url}/link/wb_{letter * 52}") for letter in "abc"]
    assert [answer.status_code for answer in wrong] == [404, 404, 429]
    assert 0 < int(wrong[2].headers["retry-after"]) <= 60
    assert ask(shared, "GET", url).status_code == 200
    shared.server.station.limits = Limits(Requests(1_000_000))


def test_links_that_ended_a_week_ago_are_forgotten(shared: House) -> None:
    incident = shared.incident(shared.enqueue(key="pruned"))["id"]
    common = {"incident_id": incident, "person_id": "ana", "action": "acknowledge", "issued_at": START}
    ends = {"old": START - timedelta(days=7, seconds=1), "young": START - timedelta(days=7)}
    with shared.server.storage.write() as connection:
        rows = [{"hash": name, "expires_at": at, **common} for name, at in ends.items()]
        connection.execute(insert(table), rows)
    issued(shared, "pruned")
    with shared.server.storage.read() as connection:
        left = set(connection.execute(select(table.c.hash).where(table.c.hash.in_(ends))).scalars())
    assert left == {"young"}


def test_what_cannot_be_stored_is_said_to_be_unknown(house: House) -> None:
    url = issued(house, "k")
    house.server.writer.close()
    answer = ask(house, "POST", url)
    assert answer.status_code == 503
    assert "It is not known whether you acknowledged this" in words(answer)
    assert "Acknowledge as Ana Ruiz" in words(ask(house, "GET", url))


@pytest.mark.parametrize("action", ["acknowledge", "escalate"])
def test_two_servers_at_once_act_once(postgresql: Cluster, action: str) -> None:
    place, clock, total = postgresql.ready(), Clock(), 12
    with running_server(place, TEAM, clock) as first, running_server(place, TEAM, clock) as second:
        key = tokens.create(place, service="payments")
        for n in range(total):
            first.writer.run(partial(enqueue, first, event=event(key, n)))
        for link in issued_for_all(first, action):
            acts = [partial(server.writer.run, partial(act, server, link=link)) for server in (first, second)]
            assert sorted(at_once(acts)) == [False, True]
        with first.storage.read() as connection:
            kinds = list(connection.execute(select(schema.log_entries.c.type)).scalars())
            done = list(connection.execute(select(schema.audit.c.action)).scalars())
    assert (kinds.count(action), done.count(f"link.{action}")) == (total, total)
    postgresql.drop(place)


def enqueue(server: Server, work: Work, event: Event) -> str:
    return incidents.enqueue(server.station, work, event)


def act(server: Server, work: Work, link: Link) -> bool:
    return links.act(server.station, work, link, "")


def issued_for_all(server: Server, action: str) -> list[Link]:
    with server.storage.write() as connection:
        names = connection.execute(select(schema.incidents.c.id)).scalars().all()
        urls = [links.issue(connection, name, "ana", action, server.station.clock(), PUBLIC) for name in names]
        found = [links.find(connection, secret_of(url)) for url in urls]
    return [link for link in found if link is not None]


def test_no_log_shows_a_link_and_behind_a_proxy_its_person_has_an_address(tmp_path: Path) -> None:
    team, database = tmp_path / "team.toml", f"sqlite:///{tmp_path / 'w.db'}"
    team.write_text(TEAM)
    with serve(team=team, database=database, verbose=True, public_url=PUBLIC, behind_proxy=["127.0.0.1"]) as running:
        here = running.ready()
        url = issued_beside(database)
        path = url.removeprefix(PUBLIC)
        ways = [("HEAD", path), ("GET", path), ("GET", f"{path}x"), ("PUT", path), ("POST", path), ("POST", path),
                ("GET", f"/x{path}"), ("GET", path.replace("wb_", "wb%5F"))]  # fmt: skip
        headers = {"Host": "pager.example.com", "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
        with requests.Session() as session:
            session.trust_env = False
            asked = [session.request(method, here + way, headers=headers, timeout=10, allow_redirects=False)
                     for method, way in ways]  # fmt: skip
        _, log = running.end(signal.SIGTERM)
    assert [answer.status_code for answer in asked] == [200, 200, 404, 405, 303, 303, 401, 200]
    assert "level=debug" in log
    assert secret_of(url)[3:19] not in log
    with opened(database) as storage, storage.read() as connection:
        line = audit.read(connection, audit.Asked(None, None, 1, 0))[0][0]
    assert (line["actor"], line["address"], line["action"]) == ("person:ana", "203.0.113.7", "link.acknowledge")


@contextmanager
def opened(database: str) -> Iterator[Storage]:
    storage = Storage(resolve(database))
    try:
        yield storage
    finally:
        storage.close()


def issued_beside(database: str) -> str:
    """Open an incident beside a running server, and return a link for it."""
    with opened(database) as storage:
        roster = Roster(teams.parse(TEAM, "team.toml"))
        writer = Writer(storage)
        writer.start()
        station = Station(storage, writer, roster)
        key = tokens.create(database, service="payments")
        writer.run(lambda work: incidents.enqueue(station, work, event(key, 1)))
        writer.close()
        with storage.write() as connection:
            incident = connection.execute(select(schema.incidents.c.id)).scalar_one()
            return links.issue(connection, incident, "ana", "acknowledge", station.clock(), PUBLIC)


def test_a_fault_that_names_the_path_shows_no_secret() -> None:
    record = logging.LogRecord("x", logging.ERROR, "", 0, "internal fault", (), None)
    record.fields = {"path": f"/link/wb_{'a' * 52}"}
    assert "aaa" not in OneLine().format(record)
