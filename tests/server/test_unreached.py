"""A page that nothing brings to its person: said in the history, the log and to the admins; and the next address."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from desktop.server import findings
from desktop.server.outbox import MOST_ATTEMPTS
from desktop.server.tables.messages import messages, presences
from tests.fakes.http import Answer
from tests.server.house import MINUTE, House, Json, assigned
from tests.server.paging import SECOND, Office, office

NO_ADDRESS = "Ana Ruiz could not be reached: no address, and no application showed it"


@pytest.fixture
def desk(database: str) -> Iterator[Office]:
    with office(database) as found:
        yield found


def after(house: House, by: timedelta) -> None:
    """Let time pass, and have ladders and findings looked at, as their threads would."""
    house.clock.forward(by)
    house.server.messenger.tick()
    house.server.keeper.tick()


def confirm(house: House, key: str, kind: str = "displayed") -> None:
    receipt = {"incident": house.incident(key)["id"], "page": 1, "type": kind}
    assert house.call("POST", "/watchbell/v1/receipts", {"receipts": [receipt]}).status_code == 200


def kinds(house: House, key: str) -> list[str]:
    return [kind for kind, _ in house.history(house.incident(key)["id"])]


def told(house: House, who: str = "Ana Ruiz") -> list[Json]:
    """Return the open incidents that say that somebody cannot be reached."""
    asked = {"service_ids[]": findings.SERVICE, "statuses[]": ["triggered", "acknowledged"]}
    return [
        i
        for i in house.get("/incidents", **asked)["incidents"]
        if i["title"].startswith(who) and "cannot be reached" in i["title"]
    ]


def test_a_page_without_an_address_or_an_application_is_said_to_reach_nobody(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.enqueue(key="silent")
    steps = house.incident("silent")["pending_actions"]
    after(house, timedelta(seconds=29.9))
    assert ("no_address" in kinds(house, "silent"), told(house), caplog.records) == (False, [], [])
    after(house, SECOND)
    lines = house.get(f"/incidents/{house.incident('silent')['id']}/log_entries")["log_entries"]
    assert [line["type"] for line in lines if line["summary"] == NO_ADDRESS] == ["annotate_log_entry"]
    [said] = [record for record in caplog.records if record.getMessage() == "a page reached nobody"]
    assert (said.levelno, said.__dict__["fields"]["person"]) == (logging.ERROR, "ana")
    [finding] = told(house)
    assert (assigned(finding), finding["priority"]["id"]) == (["cho"], "sev1")
    assert (
        finding["title"] == "Ana Ruiz cannot be reached: there is no address, and no application showed the last page"
    )
    # The rules know no hurry for this: whoever is next is paged when the team file says.
    assert house.incident("silent")["pending_actions"] == steps
    after(house, 5 * MINUTE)
    assert kinds(house, "silent").count("no_address") == 1
    # Cho, to whom that was told, has neither; telling that ends with them.
    assert [len(told(house, who)) for who in ("", "Cho Lee", "Ana Ruiz")] == [2, 1, 1]
    after(house, MINUTE)
    assert len(told(house, "")) == 2


def test_what_an_application_shows_in_time_is_not_said_and_later_ends_it(house: House) -> None:
    house.enqueue(key="shown")
    house.enqueue(key="info", severity="info")
    after(house, 20 * SECOND)
    confirm(house, "shown")
    after(house, MINUTE)
    assert (kinds(house, "shown").count("no_address"), "no_address" in kinds(house, "info"), told(house)) == (
        0,
        False,
        [],
    )
    house.enqueue(key="late")
    after(house, 31 * SECOND)
    assert len(told(house)) == 1
    confirm(house, "late")
    for _ in range(3):
        after(house, 6 * MINUTE)
    assert told(house) == []
    assert kinds(house, "late").count("no_address") == 1


def test_more_pages_than_a_screen_holds_are_no_reason_while_it_shows_others(house: House) -> None:
    stream = presences.insert().values(server="another", person_id="ana", until=house.clock() + timedelta(days=1))
    with house.server.storage.write() as connection:
        connection.execute(stream)
    for key in ("front", "behind"):
        house.enqueue(key=key)
    confirm(house, "front")
    after(house, MINUTE)
    assert (kinds(house, "behind")[-1], told(house)) == ("assign", [])
    house.put(house.incident("front")["id"], status="acknowledged")
    # Nothing of it is shown any more, and still not this one.
    after(house, 2 * MINUTE)
    assert (kinds(house, "behind")[-1], len(told(house))) == ("no_address", 1)


def test_whoever_answers_in_time_was_reached(house: House) -> None:
    house.enqueue(key="answered")
    house.put(house.incident("answered")["id"], status="acknowledged")
    after(house, MINUTE)
    assert ("no_address" in kinds(house, "answered"), told(house)) == (False, [])


def test_the_next_address_does_not_wait_for_one_that_failed_for_good(desk: Office) -> None:
    desk.web.answer = lambda _: Answer(404)
    desk.house.enqueue(key="refused")
    assert (desk.after(0), desk.after(0)) == (["ana1"], ["ana2"])
    after(desk.house, 29 * SECOND)
    assert "unreached" not in kinds(desk.house, "refused")
    after(desk.house, SECOND)
    assert kinds(desk.house, "refused")[-1] == "unreached"
    assert "Ana Ruiz cannot be reached: every address failed" in told(desk.house)[0]["title"]
    desk.web.answer = lambda _: Answer()
    desk.house.enqueue(key="mended")
    desk.after(SECOND.seconds)
    for _ in range(3):
        after(desk.house, 6 * MINUTE)
    assert told(desk.house) == []


def test_one_address_that_works_is_enough(desk: Office) -> None:
    desk.web.answer = lambda asked: Answer(404 if asked.path == "/ana1" else 200)
    desk.house.enqueue(key="second")
    assert (desk.after(0), desk.after(0), desk.after(60)) == (["ana1"], ["ana2"], [])
    assert "unreached" not in kinds(desk.house, "second")


def test_what_may_still_arrive_is_waited_for_a_minute(desk: Office) -> None:
    desk.web.answer = lambda _: Answer(503)
    desk.house.enqueue(key="busy")
    assert (desk.after(0), desk.after(50)) == (["ana1"], ["ana1"])
    assert "ana2" in desk.after(10)


@pytest.mark.parametrize("fault", [{"attempts": MOST_ATTEMPTS}, {"text": {"no": "title"}}])
def test_a_message_that_is_given_up_unsent_is_no_reason_to_wait(desk: Office, fault: Json) -> None:
    desk.web.answer = lambda asked: Answer(404 if asked.path == "/ana1" else 200)
    desk.house.enqueue(key="given-up")
    assert desk.after(0) == ["ana1"]
    desk.house.server.messenger._prepare()
    # The last of her addresses: nothing else would look at the ladder again.
    with desk.house.server.storage.write() as connection:
        connection.execute(update(messages).where(messages.c.state == "waiting").values(fault))
    assert desk.after(0) == []
    assert [row.state for row in desk.rows("given-up")] == ["failed", "failed"]
    after(desk.house, 31 * SECOND)
    assert kinds(desk.house, "given-up")[-1] == "unreached"
    assert "Ana Ruiz cannot be reached: every address failed" in told(desk.house)[0]["title"]
