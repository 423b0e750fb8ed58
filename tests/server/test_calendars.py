"""Calendars for other programs: what is in them, what opens them, and that nothing else is opened by that."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from icalendar import Calendar
from sqlalchemy import select

from desktop.cli import main
from desktop.server import tokens
from desktop.server.tables.audit import audit_log
from tests.server.house import DIRECTOR, House, Json

FEED = "/watchbell/v1/calendar/ana.ics"
DAY = timedelta(days=1)


def made(house: House, person: str = "ana") -> Json:
    answer = house.call("POST", "/watchbell/v1/calendar_tokens", {}, person=person)
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["calendar_token"])


def fetched(house: House, token: str, path: str = FEED, **headers: str) -> requests.Response:
    return house.call("GET", path, person="", params={"token": token}, headers=headers)


def events(answer: requests.Response) -> dict[str, tuple[str, str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    found: Any = Calendar.from_ical(answer.text)
    return {
        str(event["uid"]): (
            str(event["summary"]),
            f"{event['dtstart'].dt:%m-%d %H:%M}",
            f"{event['dtend'].dt:%m-%d %H:%M}",
        )
        for event in found.walk("VEVENT")
    }


def test_a_calendar_is_updated_not_doubled(house: House) -> None:
    token = made(house)["token"]
    answer = fetched(house, token)
    before = events(answer)
    assert ("Primary: Ana Ruiz", "01-05 17:00", "01-12 17:00") in before.values()
    assert ("Secondary: Ana Ruiz", "01-12 17:00", "01-19 17:00") in before.values()
    assert all(summary.endswith("Ana Ruiz") for summary, _, _ in before.values())
    assert len(before) >= 52
    tag = answer.headers["etag"]
    for sent in (tag, f"W/{tag}", f'"x", {tag}'):
        unchanged = fetched(house, token, **{"If-None-Match": sent})
        assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    assert fetched(house, token, **{"If-None-Match": '"x"'}).status_code == 200
    # Seen through a later window, what has not changed is the same: a shift that is cut by it, too.
    house.clock.forward(91 * DAY)
    later = events(fetched(house, token))
    assert {uid: before[uid] for uid in before if before[uid][1][:2] in {"01", "02"}}.items() <= later.items()
    house.clock.forward(-91 * DAY)
    times = {"start": "2026-01-10T18:00:00Z", "end": "2026-01-11T18:00:00Z"}
    override = {**times, "user": {"id": "ben", "type": "user_reference"}, "reason": "dentist"}
    assert house.call("POST", "/schedules/primary/overrides", {"override": override}).status_code == 201
    changed = fetched(house, token, **{"If-None-Match": tag})
    after = events(changed)
    assert changed.headers["etag"] != tag
    [shift] = [uid for uid, (_, start, _) in after.items() if start == "01-05 17:00"]
    assert (before[shift][2], after[shift][2]) == ("01-12 17:00", "01-10 18:00")
    assert ("Primary: Ana Ruiz", "01-11 18:00", "01-12 17:00") in after.values()


def test_its_token_opens_that_calendar_and_nothing_else(shared: House) -> None:
    found = made(shared)
    token, url = found["token"], urlsplit(found["url"])
    assert (f"{url.path}?{url.query}", url.netloc) == (f"{FEED}?token={token}", urlsplit(shared.url).netloc)
    assert fetched(shared, token).status_code == 200
    others = ["/watchbell/v1/calendar/ben.ics", "/watchbell/v1/duties", "/watchbell/v1/review.csv", "/incidents",
              "/watchbell/v1/calendar_tokens", "/users/me", "/watchbell/v1/stream", "/metrics", f"{FEED}/", f"{FEED}x",
              "/watchbell/v1/calendar/ana%2Eics/x.ics"]  # fmt: skip
    for path in others:
        assert fetched(shared, token, path).status_code == 401, path
        header = {"Authorization": f"Bearer {token}"}
        assert shared.call("GET", path, person="", headers=header).status_code == 401, path
    assert shared.call("POST", FEED, {}, person="", params={"token": token}).status_code == 401
    assert shared.call("POST", "/v2/enqueue", {**shared.event(), "routing_key": token}, person="").status_code == 400
    for wrong in ("", "x", shared.tokens["ana"], shared.key, token[:-1], f"{token}x"):
        assert fetched(shared, wrong).status_code == 401
    assert shared.call("GET", f"{FEED}?token={token}&token={token}", person="").status_code == 401
    # A header counts more than the address: what is revoked there is not let in here.
    wrong_header = {"Authorization": "Bearer wb_wrong"}
    assert fetched(shared, token, **wrong_header).status_code == 401


def test_a_calendar_of_ones_own_is_listed_and_revoked(shared: House) -> None:
    found, bens = made(shared), made(shared, "ben")
    listed = shared.get("/watchbell/v1/calendar_tokens")["calendar_tokens"]
    assert found["id"] in [each["id"] for each in listed]
    assert {each["user"]["id"] for each in listed} == {"ana"}
    assert found["token"] not in str(listed)
    everybodys = shared.call("GET", "/watchbell/v1/calendar_tokens", person="cho").json()["calendar_tokens"]
    assert {found["id"], bens["id"]} <= {each["id"] for each in everybodys}
    path = f"/watchbell/v1/calendar_tokens/{found['id']}"
    assert [shared.call("DELETE", path).status_code for _ in range(2)] == [204, 204]
    assert fetched(shared, found["token"]).status_code == 401
    with shared.server.storage.read() as connection:
        named = audit_log.c.target == f"token:{found['id']}"
        rows = connection.execute(select(audit_log).where(named).order_by(audit_log.c.id)).all()
    said = {"kind": "calendar", "owner": "ana"}
    assert [(row.actor, row.action, row.after | said == row.after) for row in rows] == [
        ("person:ana", "token.create", True), ("person:ana", "token.revoke", True)]  # fmt: skip
    assert shared.call("DELETE", f"/watchbell/v1/calendar_tokens/{bens['id']}").status_code == 403
    # A token of another kind is none of a calendar.
    assert shared.call("DELETE", "/watchbell/v1/calendar_tokens/1", person="cho").status_code == 404
    for person in (DIRECTOR, "nobody", "", 5, None):
        answer = shared.call("POST", "/watchbell/v1/calendar_tokens", {"person": person}, person="cho")
        assert answer.status_code == 400


@pytest.mark.parametrize("shared_database", ["sqlite"], indirect=True)
def test_the_commands(shared: House, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--database", shared.database]
    assert main(["token", "create", "--calendar", "ana", *where]) == 0
    token = capsys.readouterr().out.strip()
    assert fetched(shared, token).status_code == 200
    assert main(["token", "list", *where]) == 0
    assert "calendar  ana  valid" in capsys.readouterr().out
    assert main(["token", "revoke", str(tokens.issued(shared.database)[-1].id), *where]) == 0
    assert tokens.issued(shared.database)[-1].revoked_at is not None
    assert main(["token", "create", "--calendar", "nobody", *where]) == 2


def test_a_calendar_of_nobody(shared: House) -> None:
    for person in ("nobody", DIRECTOR, "%20", "a" * 300):
        assert shared.call("GET", f"/watchbell/v1/calendar/{person}.ics").status_code == 404
