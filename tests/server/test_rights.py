"""Every line of the table in ``desktop.server.rights``, tried by each access, and by those who have none."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from desktop.domain.errors import InputError
from desktop.domain.team import Override, Role
from desktop.server import overrides, rights, tokens
from desktop.server.records import ENGINE
from tests.server.house import DIRECTOR, TEAM, House, Json, running_house

PEOPLE = {"engineer": "dan", "manager": "cho", "admin": "ida"}
MORE = """
[[people]]
id = "dan"
name = "Dan Oz"
[[people]]
id = "ida"
name = "Ida Berg"
access = "admin"
[[overrides]]
role = "secondary"
person = "cho"
start = 2026-02-02T09:00:00
end = 2026-02-03T09:00:00
"""
# Each of the three has a shift of a week before long; the others' is Ben's.
STAFFED = TEAM.replace('members = ["ana", "ben"]', 'members = ["ana", "ben", "dan", "cho", "ida"]') + MORE
SHIFTS = {"dan": "2026-01-20", "cho": "2026-01-27", "ida": "2026-02-03", "ben": "2026-01-13"}
NUMBERS = itertools.count()

Answer = requests.Response
Try = Callable[[House, str], Answer]


@pytest.fixture(scope="module")
def staffed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running_house(tmp_path_factory.mktemp("house"), STAFFED) as house:
        house.tokens["integration"] = house.key
        house.get("/users/me")
        yield house


def anas(house: House) -> str:
    """Return an incident that is assigned to Ana, acknowledged by her."""
    incident = str(house.incident(house.enqueue(key=f"k{next(NUMBERS)}"))["id"])
    assert house.put(incident, status="acknowledged").status_code == 200
    return incident


def on(path: str, body: object) -> Try:
    return lambda house, who: house.call("POST", f"/incidents/{anas(house)}/{path}", body, person=who)


def opening(house: House, who: str) -> Answer:
    incident = {"type": "incident", "title": "t", "service": {"id": "payments", "type": "service_reference"}}
    return house.call("POST", "/incidents", {"incident": incident}, person=who)


def settle(house: House, who: str) -> Answer:
    incident = str(house.incident(house.enqueue(key=f"k{next(NUMBERS)}"))["id"])
    taken = house.put(incident, person=who, status="acknowledged")
    return house.put(incident, person=who, status="resolved") if taken.status_code == 200 else taken


def hand_over(house: House, who: str) -> Answer:
    return house.put(anas(house), person=who, assignments=[{"assignee": {"id": "ben", "type": "user_reference"}}])


def override(house: House, maker: str, shift_of: str) -> Answer:
    hour = next(NUMBERS) % 20
    day = SHIFTS.get(shift_of, SHIFTS["ben"])
    times = {"start": f"{day}T{hour:02}:00:00Z", "end": f"{day}T{hour:02}:30:00Z"}
    part = {**times, "user": {"id": "ana", "type": "user_reference"}}
    return house.call("POST", "/schedules/primary/overrides", {"override": part}, person=maker)


def take_back(house: House, who: str, maker: str, shift_of: str) -> Answer:
    made = override(house, maker, shift_of).json()
    name = made["override"]["id"] if "override" in made else "Q1"
    return house.call("DELETE", f"/schedules/primary/overrides/{name}", person=who)


def put_on_call(house: House, who: str, maker: str) -> Answer:
    """Let somebody take back an override that ``maker`` made, by which they themselves are on call."""
    start = datetime(2026, 3, 3, next(NUMBERS) % 20, tzinfo=UTC)
    wanted = Override(Role.PRIMARY, someone(who), start, start + timedelta(minutes=30))
    with house.server.storage.write() as connection:
        (made,) = overrides.add(connection, [wanted], maker, house.clock())
    return house.call("DELETE", f"/schedules/primary/overrides/{made.id}", person=who)


def maintain(house: House, who: str) -> Answer:
    times = {"start_time": "2026-03-01T00:00:00Z", "end_time": "2026-03-02T00:00:00Z"}
    part: dict[str, object] = {**times, "services": [{"id": "batch", "type": "service_reference"}]}
    made = house.call("POST", "/maintenance_windows", {"maintenance_window": part}, person="cho").json()
    name = made["maintenance_window"]["id"]
    change: dict[str, object] = {"description": "x"}
    tries = (("POST", "", part), ("PUT", f"/{name}", change), ("DELETE", f"/{name}", change))
    answers = [
        house.call(method, f"/maintenance_windows{path}", {"maintenance_window": body}, person=who)
        for method, path, body in tries
    ]
    assert len({answer.ok for answer in answers}) == 1, answers
    return answers[-1]


def promise(house: House, who: str) -> Answer:
    part = {"service": {"id": "batch"}, "every": "1h"}
    made = house.call("PUT", "/watchbell/v1/heartbeats/job", {"heartbeat": part}, person=who)
    gone = house.call("DELETE", "/watchbell/v1/heartbeats/job", person=who)
    assert made.ok == gone.ok
    return made


def beat(house: House, who: str) -> Answer:
    headers = {"X-Routing-Key": house.tokens[who]}
    return house.call("POST", "/watchbell/v1/heartbeats/beat?every=1h", person="", headers=headers)


def apply(house: House, who: str) -> Answer:
    text = STAFFED.replace("Nightly batch", f"Batch {next(NUMBERS)}")
    headers = {"Content-Type": "application/toml"}
    return house.call("PUT", "/watchbell/v1/team", data=text.encode(), headers=headers, person=who)


def enqueue(house: House, who: str) -> Answer:
    event = {**house.event(key="enqueued"), "routing_key": house.tokens[who]}
    return house.call("POST", "/v2/enqueue", event, person="")


def alike(house: House, who: str, *asked: tuple[str, str]) -> Answer:
    """Make all requests, which must have one status, and return the last answer."""
    answers = [house.call(method, path, None if method == "GET" else {}, person=who) for method, path in asked]
    assert len({answer.status_code for answer in answers}) == 1, answers
    return answers[-1]


def reading(house: House, who: str) -> Answer:
    return alike(house, who, ("GET", "/incidents"), ("GET", "/schedules/primary"), ("GET", "/users"))


def piecemeal(house: House, who: str) -> Answer:
    return alike(house, who, ("PUT", "/escalation_policies/sev0"), ("POST", "/schedules"), ("DELETE", "/users/ben"))


def tokens_by_http(house: House, who: str) -> Answer:
    path = "/watchbell/v1/tokens"
    return alike(house, who, ("GET", path), ("POST", path), ("DELETE", f"{path}/1"))


HANDOVERS = "/watchbell/v1/handovers"


@contextmanager
def on_watch(house: House, who: str) -> Iterator[None]:
    """Let ``who`` be primary meanwhile (the integration is nobody: Dan is)."""
    path = "/schedules/primary/overrides"
    times = {"start": "2026-01-07T18:00:00Z", "end": "2026-01-08T18:00:00Z"}
    part = {**times, "user": {"id": who if who in house.server.station.directory.people else "dan"}}
    made = house.call("POST", path, {"override": part}, person="cho").json()["override"]["id"]
    try:
        yield
    finally:
        house.call("DELETE", f"{path}/{made}", person="cho")


def wish(house: House, who: str, **part: object) -> Answer:
    """Ask for a handover, and call it off."""
    body = {"handover": {"reason": f"r{next(NUMBERS)}", **part}}
    answer = house.call("POST", HANDOVERS, body, person=who)
    if answer.status_code == 201:
        handover = answer.json()["handover"]
        house.clock.forward(timedelta(minutes=5))
        house.call("POST", f"{HANDOVERS}/{handover['id']}/cancel", person="cho")
        house.clock.forward(timedelta(minutes=-5))
    return answer


def asking(house: House, who: str) -> Answer:
    with on_watch(house, who):
        return wish(house, who)


def of_somebody_else(kind: str) -> Try:
    def attempt(house: House, who: str) -> Answer:
        with on_watch(house, "ben"):
            return wish(house, who, kind=kind, giver={"id": "ben"})

    return attempt


def in_a_handover(house: House, who: str, asker: str, receiver: str, *deeds: tuple[str, Json]) -> Answer:
    """Let ``who`` do ``deeds`` in a handover of ``asker`` to ``receiver``; one status for all, the last answer."""
    with on_watch(house, asker):
        body = {"handover": {"reason": "a fever", "receiver": {"id": receiver}}}
        asker = asker if asker in house.server.station.directory.people else "dan"
        place = f"{HANDOVERS}/{house.call('POST', HANDOVERS, body, person=asker).json()['handover']['id']}"
        answers = [house.call("POST", f"{place}/{what}", said, person=who) for what, said in deeds]
        house.clock.forward(timedelta(minutes=5))
        house.call("POST", f"{place}/cancel", person="cho")
        house.clock.forward(timedelta(minutes=-5))
    assert len({answer.status_code for answer in answers}) == 1, [a.text for a in answers]
    return answers[-1]


def answering(house: House, who: str) -> Answer:
    receiver = who if who in house.server.station.directory.people else "dan"
    return in_a_handover(house, who, "ben", receiver, ("decline", {}), ("accept", {}), ("confirm", {"point": "access"}))


def answering_for_another(house: House, who: str) -> Answer:
    return in_a_handover(house, who, "ben", "ana", ("decline", {}), ("accept", {}))


MEDDLING: tuple[tuple[str, Json], ...] = (("next", {"user": {"id": "ana"}}), ("cancel", {}))


def back_for_another(house: House, who: str) -> Answer:
    """Ana is silent: nobody else can say that she is back."""
    place = "/watchbell/v1/acting"
    if not house.call("GET", place).json()["acting"]:
        house.enqueue(key=f"k{next(NUMBERS)}")
        house.clock.forward(timedelta(minutes=15))
        house.server.engine.tick()
        house.server.watchkeeper.tick()
        house.clock.forward(timedelta(minutes=-15))
    return house.call("POST", f"{place}/back", person=who)


def confirm(house: House, who: str) -> Answer:
    part: dict[str, object] = {"title": "t", "type": "incident", "service": {"id": "payments"}}
    part |= {"assignments": [{"assignee": {"id": who if who in house.server.station.directory.people else "ana"}}]}
    made = house.call("POST", "/incidents", {"incident": part}).json()["incident"]
    body = {"receipts": [{"incident": made["id"], "page": 1, "type": "displayed"}]}
    return house.call("POST", "/watchbell/v1/receipts", body, person=who)


def reading_ours(house: House, who: str) -> Answer:
    places = ("duties", "duties/training/ben/marks", "review", "absences")
    return alike(house, who, *(("GET", f"/watchbell/v1/{place}") for place in places))


def marking(house: House, who: str, whose: str, duty: str = "", *types: str) -> Answer:
    """Mark a duty of ``whose`` in each of these ways, which must all be answered alike."""
    with on_watch(house, whose):
        answers = [_marking(house, who, duty or _update_of(house), kind) for kind in types or ("tick", "done")]
    assert len({answer.status_code for answer in answers}) == 1, [a.text for a in answers]
    return answers[-1]


def _marking(house: House, who: str, duty: str, kind: str) -> Answer:
    sent = {"marks": [{"type": kind, "point": 1, "text": "x", "reason": "x"}]}
    return house.call("POST", f"/watchbell/v1/duties/{duty}/marks", sent, person=who)


def _update_of(house: House) -> str:
    """Return a duty of whoever is primary."""
    return f"status-page/{house.incident(house.enqueue(key=f'k{next(NUMBERS)}'))['id']}"


def signing_off(house: House, who: str, whose: str) -> Answer:
    types = ("tick", "untick", "done", "reopen", "waive", "reopen")
    both = [marking(house, who, whose, f"{kind}/{whose}", *types) for kind in ("training", "certification")]
    assert len({answer.status_code for answer in both}) == 1
    return both[-1]


def absence(house: House, maker: str, person: str, cover: str | None = None) -> Answer:
    """Announce an absence that begins too soon to hold by itself."""
    hour = next(NUMBERS) % 20
    part = {"start": f"2026-01-09T{hour:02}:00:00Z", "end": f"2026-01-09T{hour:02}:30:00Z", "cover": cover}
    return house.call("POST", "/watchbell/v1/absences", {"absence": {**part, "person": person}}, person=maker)


def confirming(house: House, who: str, person: str, cover: str | None = None) -> Answer:
    name = absence(house, "cho", person, cover).json()["absence"]["id"]
    return house.call("POST", f"/watchbell/v1/absences/{name}/confirm", person=who)


def withdrawing(house: House, who: str, person: str) -> Answer:
    name = absence(house, "ida" if person != "ida" else "cho", person).json()["absence"]["id"]
    return house.call("DELETE", f"/watchbell/v1/absences/{name}", person=who)


def someone(who: str) -> str:
    """Return somebody of the team for who has no name in it."""
    return who if who in PEOPLE.values() else "dan"


def calendar_token(house: House, who: str, whose: str) -> Answer:
    return house.call("POST", "/watchbell/v1/calendar_tokens", {"person": whose}, person=who)


def revoking(house: House, who: str, whose: str) -> Answer:
    made = calendar_token(house, whose, whose).json()["calendar_token"]["id"]
    return house.call("DELETE", f"/watchbell/v1/calendar_tokens/{made}", person=who)


def own_token(house: House, who: str) -> Answer:
    made = calendar_token(house, who, who)
    if made.status_code != 201:
        return made
    path = f"/watchbell/v1/calendar_tokens/{made.json()['calendar_token']['id']}"
    return house.call("DELETE", path, person=who)


HELP = {"message": "", "responder_request_targets": [{"id": "ben", "type": "user_reference"}]}
TRIES: dict[str, Try] = {
    "read incidents, schedules and people": reading,
    "open an incident": opening,
    "acknowledge or resolve anybody's incident": settle,
    "write a note on anybody's incident": on("notes", {"note": {"content": "x"}}),
    "snooze anybody's incident": on("snooze", {"duration": 60}),
    "ask anybody to help": on("responder_requests", HELP),
    "ask them no more": lambda house, who: house.call(
        "PUT", f"/incidents/{anas(house)}/responder_requests/cancel", HELP, person=who),
    "hand somebody's incident to somebody else": hand_over,
    "override one's own shift": lambda house, who: override(house, who, who),
    "override somebody else's shift": lambda house, who: override(house, who, "ben"),
    "take back an override that one made": lambda house, who: take_back(house, who, who, who),
    "take back an override that others made": lambda house, who: take_back(house, who, "ben", "ben"),
    "take back one by which oneself is on call": lambda house, who: put_on_call(house, who, "person:ben"),
    "take back an override that a handover made": lambda house, who: put_on_call(house, who, ENGINE),
    "take back an override in the team file": lambda house, who: house.call(
        "DELETE", "/schedules/secondary/overrides/file-1", person=who),
    "see maintenance windows and heartbeats": lambda house, who: alike(
        house, who, ("GET", "/maintenance_windows"), ("GET", "/watchbell/v1/heartbeats")),
    "put a service under maintenance, or end that": maintain,
    "promise a heartbeat for a service": promise,
    "send a heartbeat": beat,
    "read the metrics": lambda house, who: house.call("GET", "/metrics", person=who),
    "read handovers, and who acts as primary": lambda house, who: alike(
        house, who, ("GET", HANDOVERS), ("GET", "/watchbell/v1/acting")),
    "ask for a handover of one's own watch": asking,
    "take somebody's watch, certified": of_somebody_else("take"),
    "give somebody else's watch away": of_somebody_else("give"),
    "answer an offer of a watch to oneself": answering,
    "answer an offer of a watch to somebody else": answering_for_another,
    "cancel or widen a handover of one's own": lambda house, who: in_a_handover(
        house, who, who, "ben", *MEDDLING),
    "cancel or widen a handover of others": lambda house, who: in_a_handover(
        house, who, "ben", "ana", ("next", {"user": {"id": "dan"}}), ("cancel", {})),
    "say for another primary that they are back": back_for_another,
    "read duties, sheets, reviews and absences": reading_ours,
    "mark one's own duty": lambda house, who: marking(house, who, someone(who)),
    "mark somebody else's duty": lambda house, who: marking(house, who, "ben"),
    "write a note on one's own training": lambda house, who: marking(
        house, who, someone(who), f"training/{someone(who)}", "note"),
    "sign off one's own training": lambda house, who: signing_off(house, who, someone(who)),
    "sign off somebody else's training": lambda house, who: signing_off(house, who, "ben"),
    "announce one's own absence": lambda house, who: absence(house, who, someone(who)),
    "announce somebody else's absence": lambda house, who: absence(house, who, "ben"),
    "say yes to an absence that one covers": lambda house, who: confirming(house, who, "ben", someone(who)),
    "say yes to somebody else's absence": lambda house, who: confirming(house, who, "ben", "ana"),
    "say yes to one's own absence": lambda house, who: confirming(house, who, someone(who)),
    "withdraw one's own absence": lambda house, who: withdrawing(house, who, someone(who)),
    "withdraw somebody else's absence": lambda house, who: withdrawing(house, who, "ben"),
    "follow somebody's calendar": lambda house, who: house.call(
        "GET", "/watchbell/v1/calendar/ben.ics", person=who),
    "make and revoke tokens of one's own calendar": own_token,
    "make tokens of somebody else's calendar": lambda house, who: calendar_token(house, who, "ben"),
    "revoke tokens of somebody else's calendar": lambda house, who: revoking(house, who, "ben"),
    "read the team file": lambda house, who: house.call("GET", "/watchbell/v1/team", person=who),
    "apply a team file": apply,
    "read the audit log": lambda house, who: house.call("GET", "/watchbell/v1/audit", person=who),
    "change schedules or policies piece by piece": piecemeal,
    "make, list or revoke tokens": tokens_by_http,
    "confirm what one's application showed": confirm,
    "enqueue an event": enqueue,
}  # fmt: skip


def table() -> list[tuple[str, str, bool]]:
    """Return the table as (what, who, may)."""
    lines = str(rights.__doc__).split("\n")
    first, second, last = (number for number, line in enumerate(lines) if line.startswith("===="))
    found = []
    for line in lines[second + 1 : last]:
        what, *answers = (part.strip() for part in line.split("  ") if part.strip())
        who = lines[first + 1].split()[1:]
        assert set(answers) <= {"yes", "no"}
        found += [(what, person, answer == "yes") for person, answer in zip(who, answers, strict=True)]
    return found


def test_every_line_is_tried() -> None:
    assert sorted({what for what, _, _ in table()}) == sorted(TRIES)
    assert {who for _, who, _ in table()} == {*PEOPLE, "integration"}


@pytest.mark.parametrize(("what", "who", "may"), table())
def test_the_table(staffed: House, what: str, who: str, may: bool) -> None:
    answer = TRIES[what](staffed, PEOPLE.get(who, who))
    if may:
        assert answer.status_code in (200, 201, 202, 204), answer.text
    elif what == "enqueue an event":
        assert answer.status_code == 400
        assert "routing_key" in answer.text
    elif who == "integration" or what == "send a heartbeat":
        assert answer.status_code == 401
    elif what == "make, list or revoke tokens":
        assert answer.status_code == 404
    else:
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, 2010), answer.text


def test_who_left_and_emergency_contacts_have_no_access(tmp_path: Path) -> None:
    with running_house(tmp_path, STAFFED) as house:
        assert house.call("GET", "/users/me", person="dan").status_code == 200
        gone = STAFFED.replace('[[people]]\nid = "dan"\nname = "Dan Oz"\n', "").replace(', "dan"', "")
        headers = {"Content-Type": "application/toml"}
        answer = house.call("PUT", "/watchbell/v1/team", data=gone.encode(), headers=headers, person="ida")
        assert answer.status_code == 200, answer.text
        assert house.call("GET", "/users/me", person="dan").status_code == 401
        with pytest.raises(InputError, match=f"no person '{DIRECTOR}'"):
            tokens.create(house.database, person=DIRECTOR)
