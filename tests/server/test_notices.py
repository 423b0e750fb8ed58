"""What is told by message beside pages: status updates, duties that are due, absences that were announced late."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from desktop.server import reminding, schema
from desktop.server.running import Server
from desktop.server.tables.messages import messages
from tests.server.house import MINUTE, START, TEAM, running_server
from tests.server.paging import Office, office

HOUR = timedelta(hours=1)
BOTH = "Ben Okafor or Cho Lee"


class KilledError(Exception):
    """The process is gone."""


def written(web: str) -> str:
    """Return a team in which everybody has an address, Ana two of them, and so has the incident channel."""
    hook = web.replace("http", "json", 1)
    text = TEAM.replace('id = "ana"', f'id = "ana"\nnotify = ["{hook}/ana", "{hook}/ana2"]')
    for name in ("ben", "cho"):
        text = text.replace(f'id = "{name}"', f'id = "{name}"\nnotify = ["{hook}/{name}"]')
    text = text.replace('name = "Ben Okafor"', 'name = "Ben Okafor"\ntime_zone = "Europe/Berlin"')
    text += f'[[people]]\nid = "eve"\nname = "Eve Berg"\nnotify = ["{hook}/eve"]\n'
    return text + f'[channels]\nincidents = "{hook}/incidents"\n'


@pytest.fixture
def desk(database: str) -> Iterator[Office]:
    with office(database, written) as found:
        yield found


def later(desk: Office, by: timedelta = timedelta(0)) -> list[str]:
    """Move the clock, let the keeper look, and return where messages went, in order."""
    desk.house.clock.forward(by)
    desk.house.server.keeper.tick()
    return sorted(desk.after(0))


def post(desk: Office, incident: str, message: str) -> None:
    answer = desk.house.call("POST", f"/incidents/{incident}/status_updates", {"message": message}, person="ben")
    assert answer.status_code == 200, answer.text


def test_a_status_update_of_a_major_incident_goes_to_the_incident_channel_as_prepared(desk: Office) -> None:
    name = str(desk.house.incident(desk.house.enqueue(key="k", summary="db @here <!channel> down"))["id"])
    desk.house.put(name, "ben", status="acknowledged")
    desk.house.clock.forward(25 * MINUTE)
    post(desk, name, "a disk is full,\n@everyone")
    assert desk.after(0) == ["incidents"]
    assert desk.said_to("incidents").splitlines() == [
        "SEV-0: status update",
        "@channel SEV-0: db ＠here ‹!channel› down",
        "Status: open for 25 min; Ben Okafor has it.",
        "a disk is full, ＠everyone",
        "Next update by 10:55 (America/Los_Angeles).",
    ]
    entries = desk.house.get(f"/incidents/{name}/log_entries")["log_entries"]
    assert "Posted to a channel of the team" in [entry["summary"] for entry in entries]
    # What was prepared, sent back, is not framed twice.
    prepared = desk.house.get(f"/watchbell/v1/incidents/{name}/status_update", note="a new one")["status_update"]
    post(desk, name, prepared["message"])
    assert desk.after(0) == ["incidents"]
    assert desk.said_to("incidents").splitlines()[1:] == prepared["message"].splitlines()
    # Nobody calls a whole channel for what is mild.
    mild = str(desk.house.incident(desk.house.enqueue(key="mild", severity="info"))["id"])
    post(desk, mild, "nothing much")
    assert desk.after(0) == []


def absence(desk: Office, days: float, length: float = 1, by: str = "ana", **part: object) -> str:
    """Let somebody announce an absence that begins in so many days; return its id."""
    start = START + timedelta(days=days)
    body = {"start": start.isoformat(), "end": (start + timedelta(days=length)).isoformat(), **part}
    answer = desk.house.call("POST", "/watchbell/v1/absences", {"absence": body}, person=by)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["absence"]["id"])


def test_an_absence_announced_late_is_told_to_those_whom_it_concerns(desk: Office) -> None:
    made = absence(desk, 0.5, cover="ben")
    # It begins within a day: everywhere at once.
    assert sorted(desk.after(0)) == ["ana", "ana2", "ben", "cho"]
    assert desk.said_to("ben").splitlines() == [
        "Absence of Ana Ruiz: a yes is needed",
        f"Ana Ruiz asks to be absent, less than two weeks ahead, and stays on call until {BOTH} says yes.",
        "primary from 2026-01-08 07:00 (Europe/Berlin) to 2026-01-09 07:00 (Europe/Berlin)",
        f"To say yes: POST /watchbell/v1/absences/{made}/confirm, or ask a manager for an override.",
    ]
    assert f"You stay on call until {BOTH} says yes to your absence." in desk.said_to("ana2")
    for _ in range(2):
        answer = desk.house.call("POST", f"/watchbell/v1/absences/{made}/confirm", person="cho")
        assert answer.status_code == 200
    assert sorted(desk.after(0)) == ["ana", "ana2", "ben"]
    assert desk.said_to("ana").splitlines() == ["Absence of Ana Ruiz: confirmed", "In this time you are not on call."]
    assert desk.said_to("ben").splitlines()[:3] == [
        "Absence of Ana Ruiz: confirmed",
        "In this time you are on call:",
        "primary from 2026-01-08 07:00 (Europe/Berlin) to 2026-01-09 07:00 (Europe/Berlin)",
    ]
    # Back again: Ana did it herself.
    assert desk.house.call("DELETE", f"/watchbell/v1/absences/{made}").status_code == 204
    assert sorted(desk.after(0)) == ["ben"]
    assert "Absence of Ana Ruiz: ended" in desk.said_to("ben")


def test_only_a_late_absence_that_hits_a_shift_is_told_and_its_end_to_who_was_asked(
    desk: Office,
) -> None:
    absence(desk, 20)
    absence(desk, 1, by="eve")
    assert desk.after(0) == []
    with desk.house.server.storage.read() as connection:
        assert connection.execute(select(messages)).all() == []
    later = absence(desk, 13, cover="ben")
    assert sorted(desk.after(0)) == ["ana", "ben", "cho"]
    assert desk.house.call("DELETE", f"/watchbell/v1/absences/{later}").status_code == 204
    assert sorted(desk.after(0)) == ["ben", "cho"]
    assert "no yes is needed any more" in desk.said_to("cho")


def override(desk: Office, person: str, start: float, end: float, by: str, **more: object) -> str:
    """Let ``by`` put ``person`` on call as primary between so many hours from now; return its id."""
    times = {"start": START + start * HOUR, "end": START + end * HOUR}
    part = {**{key: at.isoformat() for key, at in times.items()}, "user": {"id": person}, **more}
    answer = desk.house.call("POST", "/schedules/primary/overrides", {"override": part}, person=by)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["override"]["id"])


def test_an_override_that_puts_somebody_on_call_tells_all_whom_it_concerns_but_who_made_it(desk: Office) -> None:
    # Ana, whose shift it is, puts Ben on call from now on, and becomes the secondary in his place.
    name = override(desk, "ben", 0, 2, "ana", reason="dentist @here")
    assert sorted(desk.after(0)) == ["ben", "cho"]
    assert desk.said_to("ben").splitlines() == [
        "Override made by Ana Ruiz",
        "You are on call:",
        "primary from 2026-01-07 19:00 (Europe/Berlin) to 2026-01-07 21:00 (Europe/Berlin)",
        "You are not on call any more:",
        "secondary from 2026-01-07 19:00 (Europe/Berlin) to 2026-01-07 21:00 (Europe/Berlin)",
        "You were not asked. If you cannot: hand over (watchbell handover), or ask a manager.",
        "Why: dentist @\N{WORD JOINER}here",
    ]
    times = "2026-01-07 10:00 (America/Los_Angeles) to 2026-01-07 12:00 (America/Los_Angeles)"
    assert desk.said_to("cho").splitlines()[:4] == [
        "Override made by Ana Ruiz",
        "Who is on call changes:",
        f"primary from {times}: Ben Okafor instead of Ana Ruiz",
        f"secondary from {times}: Ana Ruiz instead of Ben Okafor",
    ]
    # Cho, a manager, takes it back: Ana is told at all of her addresses, since it is now.
    assert desk.house.call("DELETE", f"/schedules/primary/overrides/{name}", person="cho").status_code == 200
    assert sorted(desk.after(0)) == ["ana", "ana2", "ben"]
    assert desk.said_to("ben").startswith("Override taken back by Cho Lee\nYou are on call:\nsecondary from ")


def test_an_override_of_what_is_far_off_or_changes_nothing_is_told_to_nobody(desk: Office) -> None:
    # Ben has the primary's week from the 12th, and again from the 26th.
    override(desk, "ana", 15 * 24, 15 * 24 + 1, "cho")
    override(desk, "ana", 1, 2, "cho")
    override(desk, "ben", 1_400_000, 1_400_001, "cho")
    assert desk.after(0) == []
    # Within two weeks, but not within a day: at the first address.
    name = override(desk, "ana", 6 * 24, 6 * 24 + 1, "ben")
    assert sorted(desk.after(0)) == ["ana", "cho"]
    assert desk.house.call("DELETE", f"/schedules/primary/overrides/{name}", person="ben").status_code == 204
    assert sorted(desk.after(0)) == ["ana", "cho"]
    assert desk.said_to("ana").startswith("Override taken back by Ben Okafor\nYou are on call:\nsecondary from ")


def mark(desk: Office, duty: str, **sent: object) -> None:
    body = {"marks": [sent]}
    assert desk.house.call("POST", f"/watchbell/v1/duties/{duty}/marks", body, person="cho").status_code == 200


def test_what_is_due_is_reminded_of_once_and_what_is_done_or_waived_is_not(desk: Office) -> None:
    assert later(desk) == []
    # Thursday, nine in the morning, Ana is primary: her two daily duties are one message, at her first address.
    assert later(desk, 23 * HOUR) == ["ana"]
    assert desk.said_to("ana").splitlines() == [
        "2 duties are to be done",
        "Morning check-in of 2026-01-08. Due 2026-01-08 09:00 (America/Los_Angeles). 4 of 4 points to do.",
        "Monitoring round of 2026-01-08. Due 2026-01-08 09:00 (America/Los_Angeles). 4 of 4 points to do.",
    ]
    assert (later(desk, 2 * MINUTE), later(desk, 3 * HOUR)) == ([], [])
    # What the server noted for itself is nobody's word about the duty.
    assert desk.house.get("/watchbell/v1/duties/check-in/2026-01-08/marks")["marks"] == []
    desk.house.clock.forward(20 * HOUR + 58 * MINUTE)
    mark(desk, "check-in/2026-01-09", type="done")
    assert later(desk) == ["ana"]
    assert desk.said_to("ana").startswith("To do: Monitoring round of 2026-01-09\n")
    desk.house.clock.forward(24 * HOUR)
    for kind in ("check-in", "monitoring"):
        mark(desk, f"{kind}/2026-01-10", type="waive", reason="a holiday")
    assert later(desk) == []


def test_after_an_outage_there_is_one_reminder_of_everything_and_it_does_not_wake_anybody(desk: Office) -> None:
    # Sunday, three in the morning: the server was down since Wednesday.
    assert later(desk, 89 * HOUR) == []
    assert later(desk, 4 * HOUR - MINUTE) == []
    assert later(desk, MINUTE) == ["ana"]
    assert desk.said_to("ana").splitlines()[0] == "6 duties are to be done"
    assert "It was due 2026-01-08 09:00" in desk.said_to("ana")
    assert later(desk, MINUTE) == []


def test_whoever_is_away_is_reminded_when_they_are_back(desk: Office) -> None:
    made = absence(desk, 23.5 / 24, 0.9, cover="ben")
    assert desk.house.call("POST", f"/watchbell/v1/absences/{made}/confirm", person="cho").status_code == 200
    desk.after(0)
    # The server was down at nine, when Ana was there.
    assert "ana" not in later(desk, 25 * HOUR)
    assert "ana" in later(desk, 21 * HOUR)
    assert "check-in of 2026-01-08" in desk.said_to("ana")


def test_what_a_major_incident_asks_for_is_said_to_who_has_it_at_any_hour(desk: Office) -> None:
    desk.house.clock.forward(9 * HOUR)  # three in the morning where Ben is, seven in the evening in Los Angeles
    name = str(desk.house.incident(desk.house.enqueue(key="k", summary="db @here down"))["id"])
    desk.house.put(name, "ben", status="acknowledged")
    desk.after(0)
    assert later(desk) == ["ben"]
    assert desk.said_to("ben").splitlines()[0] == "2 duties are to be done"
    assert "Status page: db @\N{WORD JOINER}here down. Due 2026-01-08 04:30 (Europe/Berlin)." in desk.said_to("ben")
    assert later(desk, 24 * MINUTE) == []
    assert later(desk, MINUTE) == ["ben"]
    assert desk.said_to("ben").startswith("To do: Status update: db")


def test_of_several_servers_one_reminds_and_another_goes_on_for_one_that_died(desk: Office) -> None:
    first, clock = desk.house.server, desk.house.clock
    with running_server(desk.house.database, written(desk.web.url), clock) as other:
        clock.forward(23 * HOUR)
        run, ran = first.writer.run, list[object]()

        def mortal(command: Any) -> Any:
            ran.append(command)
            if len(ran) == 2:
                raise KilledError
            return run(command)

        first.writer.run = mortal  # type: ignore[method-assign]
        with pytest.raises(KilledError):
            reminding.remind(first.station)
        first.writer.run = run  # type: ignore[method-assign]
        # It was looked a moment ago, for all that the rows say.
        assert (reminding.remind(other.station), desk.after(0)) == (0, [])
        clock.forward(MINUTE)
        together = threading.Barrier(2)

        def look(server: Server) -> int:
            together.wait(10)
            return reminding.remind(server.station)

        with ThreadPoolExecutor(2) as pool:
            assert sum(pool.map(look, (first, other))) == 1
        assert desk.after(0) == ["ana"]
        clock.forward(MINUTE)
        assert (reminding.remind(other.station), reminding.remind(first.station), desk.after(0)) == (0, 0, [])
        # One that stood still for a minute, just before it wrote, finds that the other has told it meanwhile.
        clock.forward(24 * HOUR)
        ran.clear()

        def stalling(command: Any) -> Any:
            ran.append(command)
            if len(ran) == 2:
                clock.forward(MINUTE)
                assert reminding.remind(other.station) == 1
            return run(command)

        first.writer.run = stalling  # type: ignore[method-assign]
        assert (reminding.remind(first.station), desk.after(0)) == (0, ["ana"])
        first.writer.run = run  # type: ignore[method-assign]
        # A clock that was wrong must not keep everybody waiting.
        with first.storage.write() as connection:
            ahead = str(schema.to_micros(clock.now + timedelta(days=900)))
            connection.execute(update(schema.meta).where(schema.meta.c.key == "duties_remind_at").values(value=ahead))
        clock.forward(24 * HOUR)
        assert (reminding.remind(other.station), desk.after(0)) == (1, ["ana"])
