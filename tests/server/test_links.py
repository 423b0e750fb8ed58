"""Links in messages: looking changes nothing, a press acts once, as its person; only a hash is kept of a link."""

import re
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, insert, select, update

from desktop.server import links, schema, tokens
from desktop.server.limits import Limits, Requests
from desktop.server.tables.links import links as table
from tests.server.house import DIRECTOR, MINUTE, START, House
from tests.server.linking import PUBLIC, ask, at_once, audited, entries, issued, press, row, secret_of, words


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
    url = issued(shared, "contact", person=DIRECTOR)
    assert "Acknowledge as Duty director" in words(ask(shared, "GET", url))
    assert ask(shared, "POST", url).status_code == 303
    assert entries(shared, "contact", "acknowledge")[0].actor == f"person:{DIRECTOR}"


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
