"""Applying a team file to a running server: what it changes at once, what it says, and what it refuses."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests

from desktop.channels.sending import UNREADABLE
from desktop.server import applying, replacing
from tests.server.house import START, House, Json, assigned, running_house
from tests.server.house import TEAM as PLAIN
from tests.server.listening import listening

ADMIN = '[[people]]\nid = "ida"\nname = "Ida Berg"\naccess = "admin"\n'
TEAM = PLAIN.replace("[rotation.primary]", f"{ADMIN}[rotation.primary]")
PEOPLE = "Ana Ruiz, Ben Okafor, Cho Lee, Ida Berg"
WITHOUT = [
    f"no address (notify) of {PEOPLE}: only Watchbell where they work can show them a page.",
    "no address (notify) of Duty director among the emergency contacts: no page reaches them.",
]
BATCH = TEAM.replace("Nightly batch", "Batch")
# Ben has the first week instead of Ana, and so is primary at START.
SWAPPED = TEAM.replace('members = ["ana", "ben"]', 'members = ["ben", "ana"]')
WITHOUT_BEN = TEAM.replace('[[people]]\nid = "ben"\nname = "Ben Okafor"\n', "").replace('"ben"', '"cho"')
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def staffed(database: str) -> Iterator[House]:
    """A server whose team has an admin, Ida."""
    with running_house(database, TEAM) as house:
        yield house


def put(
    house: House, text: str | bytes, person: str = "ida", kind: str = "application/toml", **query: str
) -> requests.Response:
    data = text.encode() if isinstance(text, str) else text
    return house.call(
        "PUT", "/watchbell/v1/team", data=data, person=person, headers={"Content-Type": kind}, params=query
    )


def applied(house: House, text: str, **query: str) -> Json:
    answer = put(house, text, **query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def errors(answer: requests.Response, status: int, code: int = 2001) -> list[str]:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    return list(answer.json()["error"]["errors"])


def document(house: House) -> Json:
    answer = house.call("GET", "/watchbell/v1/team", person="ida")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def primary(house: House) -> str:
    return str(house.call("GET", "/oncalls?schedule_ids[]=primary").json()["oncalls"][0]["user"]["id"])


def test_it_is_applied_and_says_what_it_changed(staffed: House) -> None:
    answer = applied(staffed, BATCH, source="nightly.toml")
    assert answer == {
        "applied": True,
        "unchanged": False,
        "digest": applying.digest_of(BATCH),
        "source": "nightly.toml",
        "applied_at": "2026-01-07T18:00:00Z",
        "changes": ["services: Batch (batch): name Batch instead of Nightly batch"],
        "on_call_changes": [],
        "incident_changes": [],
        "warnings": WITHOUT,
    }
    assert staffed.get("/services/batch")["service"]["name"] == "Batch"
    assert document(staffed) == {
        "document": BATCH,
        "source": "nightly.toml",
        "digest": answer["digest"],
        "applied_at": "2026-01-07T18:00:00Z",
        "applied_by": "person:ida",
    }


def test_the_same_file_does_nothing(staffed: House) -> None:
    before = document(staffed)
    staffed.clock.forward(timedelta(minutes=1))
    answer = applied(staffed, TEAM, force="true")
    assert (answer["applied"], answer["unchanged"], answer["changes"]) == (False, True, [])
    assert document(staffed) == before


def test_who_is_on_call_changes_by_force_only(staffed: House) -> None:
    answer = put(staffed, SWAPPED)
    said = [
        "Ben Okafor would be primary instead of Ana Ruiz at this moment",
        "Ana Ruiz would be secondary instead of Ben Okafor at this moment",
    ]
    assert errors(answer, 409, replacing.NEEDS_FORCE) == said
    relief = {
        "role": "primary",
        "before": {"id": "ana", "name": "Ana Ruiz"},
        "after": {"id": "ben", "name": "Ben Okafor"},
        "says": said[0],
    }
    assert answer.json()["on_call_changes"][0] == relief
    assert (primary(staffed), document(staffed)["document"]) == ("ana", TEAM)
    forced = applied(staffed, SWAPPED, force="true")
    assert (forced["applied"], forced["on_call_changes"][0]) == (True, relief)
    assert primary(staffed) == "ben"


def test_what_changes_later_shifts_only_needs_no_force(staffed: House) -> None:
    later = TEAM.replace('members = ["ana", "ben"]', 'members = ["ana", "cho"]')
    assert applied(staffed, later)["changes"] == [
        "rotation.primary.members: Ana Ruiz, Cho Lee instead of Ana Ruiz, Ben Okafor"
    ]


def test_a_dry_run_only_says_what_would_be(staffed: House) -> None:
    answer = applied(staffed, SWAPPED, dry_run="true")
    assert (answer["applied"], len(answer["on_call_changes"]), answer["applied_at"]) == (False, 2, None)
    assert applied(staffed, SWAPPED, dry_run="true", force="true")["applied"] is False
    assert (primary(staffed), document(staffed)["document"]) == ("ana", TEAM)


def test_who_takes_over_a_paged_role_is_paged_and_every_client_hears_of_it(staffed: House) -> None:
    staffed.enqueue(key="k")
    with listening(staffed.url, staffed.tokens["cho"]) as stream:
        stream.next()
        applied(staffed, SWAPPED, force="true")
        staffed.tick()
        told = dict((stream.next()[0::2]) for _ in range(2))
        assert told["oncalls"]["oncalls"][0]["user"]["id"] == "ben"
        assert [a["assignee"]["id"] for a in told["incident"]["assignments"]] == ["ana", "ben"]
    assert assigned(staffed.incident("k")) == ["ana", "ben"]


def test_the_engine_is_woken_at_once(staffed: House) -> None:
    staffed.enqueue(key="k")
    staffed.server.engine.start()
    with listening(staffed.url, staffed.tokens["cho"]) as stream:
        stream.next()
        applied(staffed, SWAPPED, force="true")
        while stream.next()[0] != "incident":
            pass
    assert assigned(staffed.incident("k")) == ["ana", "ben"]


def test_incidents_keep_the_lists_that_they_were_born_with(staffed: House) -> None:
    staffed.enqueue(key="old")
    quick = f'{TEAM}[severity.sev0]\nacknowledge = "1m"\n'
    applied(staffed, quick)
    staffed.enqueue(key="new")
    due = {key: staffed.incident(key)["pending_actions"][0]["at"] for key in ("old", "new")}
    assert due == {"old": "2026-01-07T18:15:00Z", "new": "2026-01-07T18:01:00Z"}


def test_overrides_and_absences_of_the_application_stay(staffed: House) -> None:
    override = {"start": START.isoformat(), "end": "2026-01-08T00:00:00Z", "user": {"id": "cho"}}
    staffed.call("POST", "/schedules/primary/overrides", {"overrides": [override]}, person="cho")
    assert primary(staffed) == "cho"
    # By the file it would be Ben, but he would not be on call now: no force is needed.
    answer = applied(staffed, SWAPPED.replace('members = ["ben", "ana"]', 'members = ["ben", "ana", "cho"]', 1))
    assert [c["role"] for c in answer["on_call_changes"]] == []
    assert primary(staffed) == "cho"


def test_who_is_gone_is_out_at_once(staffed: House) -> None:
    with listening(staffed.url, staffed.tokens["ben"]) as stream:
        stream.next()
        applied(staffed, WITHOUT_BEN, force="true")
        assert stream.ended()
    assert staffed.call("GET", "/users/me", person="ben").status_code == 401
    assert staffed.call("GET", "/users/me", person="ana").status_code == 200


@pytest.mark.parametrize("person", ["ana", "cho"])
def test_only_admins_may(staffed: House, person: str) -> None:
    for answer in (put(staffed, BATCH, person), staffed.call("GET", "/watchbell/v1/team", person=person)):
        access = {"ana": "engineer", "cho": "manager"}[person]
        assert errors(answer, 403, 2010) == [f"only an admin may do this: {person}'s access is {access}"]
    assert put(staffed, BATCH, person="").status_code == 401
    assert document(staffed)["document"] == TEAM


def test_an_admin_by_an_applied_file_may_at_once(staffed: House) -> None:
    assert put(staffed, BATCH, person="cho").status_code == 403
    applied(staffed, TEAM.replace('access = "manager"', 'access = "admin"'))
    assert put(staffed, BATCH, person="cho").status_code == 200


def test_the_last_admin_stays(staffed: House) -> None:
    for text in (TEAM.replace(ADMIN, ""), TEAM.replace('"admin"', '"engineer"')):
        said = errors(put(staffed, text, force="true"), 409, replacing.NEEDS_PEOPLE)
        assert said == ['nobody would be an admin: give at least one person access = "admin"']
    assert errors(put(staffed, PLAIN, dry_run="true"), 409, replacing.NEEDS_PEOPLE)


def test_who_applies_it_leaves_the_team_by_force_only(staffed: House) -> None:
    other = TEAM.replace('id = "ida"\nname = "Ida Berg"', 'id = "eva"\nname = "Eva Holm"')
    said = errors(put(staffed, other), 409, replacing.NEEDS_FORCE)
    assert said == ["Ida Berg, who applies this, would not be in the team any more"]
    applied(staffed, other, force="true")
    assert staffed.call("GET", "/users/me", person="ida").status_code == 401


def test_every_mistake_is_listed(staffed: House) -> None:
    wrong = TEAM.replace('"ana", "ben"', '"ana", "bem"').replace("time_zone =", "time_zoen =")
    said = errors(put(staffed, wrong, source="a.toml"), 400)
    assert said == [
        'a.toml: "time_zone" is missing.',
        'a.toml:2: time_zoen: unknown key; did you mean "time_zone"?',
        'a.toml:19: rotation.primary.members[2]: nobody has the id "bem"; did you mean "ben"?',
    ]
    assert document(staffed)["document"] == TEAM


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"\xff = 1", "team.toml:1: is not UTF-8 (byte 0xff): save the file as UTF-8."),
        (b"", 'team.toml: "time_zone" is missing.'),
        (b"a = [", "team.toml: is not TOML"),
        (b"a = '\x00'", "team.toml:1: is not TOML"),
    ],
)
def test_what_is_no_team_file_is_refused(staffed: House, content: bytes, error: str) -> None:
    assert errors(put(staffed, content), 400)[0].startswith(error)


def test_plain_text_is_taken_and_other_kinds_are_not(staffed: House) -> None:
    assert put(staffed, BATCH, kind="text/plain; charset=utf-8").status_code == 200
    assert errors(put(staffed, TEAM, kind="application/json"), 415)
    assert errors(put(staffed, TEAM, kind=""), 415)


def test_a_body_of_more_than_512_kib_is_refused(staffed: House) -> None:
    padding = "#" * (512 * 1024)
    assert put(staffed, TEAM + padding).status_code == 413
    chunks = (part.encode() for part in (TEAM, padding))
    headers = {"Content-Type": "text/plain"}
    answer = staffed.call("PUT", "/watchbell/v1/team", data=chunks, person="ida", headers=headers)
    assert answer.status_code == 413
    assert document(staffed)["document"] == TEAM


def test_a_comment_is_a_new_file_that_changes_nothing(staffed: House) -> None:
    answer = applied(staffed, f"# reviewed\n{TEAM}")
    assert (answer["applied"], answer["changes"]) == (True, [])


def test_what_is_worth_a_look_is_told(staffed: House) -> None:
    span = "start = 2026-12-21T09:00:00\nend = 2026-12-22T09:00:00"
    text = f'{TEAM}[[absences]]\nperson = "cho"\n{span}\nannounced = 2026-12-20\n'
    assert applied(staffed, text)["warnings"] == [
        "team.toml:44: absences[1].announced: cho announced this absence 1 days ahead, not 14.",
        *WITHOUT,
    ]


def test_an_address_that_cannot_be_used_is_a_mistake_and_one_of_this_network_a_note(staffed: House) -> None:
    wrong = TEAM.replace('id = "ben"', 'id = "ben"\nnotify = ["mailto://ben@example.com", "slack://short"]')
    assert errors(put(staffed, wrong), 400) == [f"team.toml:9: people[2].notify[2]: cannot be used: {UNREADABLE}"]
    assert document(staffed)["document"] == TEAM
    near = TEAM.replace('id = "ben"', 'id = "ben"\nnotify = ["json://10.0.0.7/hook"]')
    said = applied(staffed, near)["warnings"]
    assert any(one.startswith("team.toml:9: people[2].notify[1]: is of this machine or a private") for one in said)


def test_two_at_once_are_both_applied_one_after_the_other(staffed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is looked at against the team that it replaces: the second sees the first."""
    both = threading.Barrier(2)
    first_look = replacing.examine
    met: list[bool] = []

    def examine(*arguments: object) -> replacing.Examined:
        found = first_look(*arguments)  # type: ignore[arg-type]
        if len(met) < 2:
            met.append(True)
            both.wait(10)
        return found

    monkeypatch.setattr(replacing, "examine", examine)
    texts = [TEAM.replace("Nightly batch", name) for name in ("One", "Two")]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda text: applied_alone(staffed, text), texts))
    assert all(answer["applied"] for answer in answers)
    told = sorted(answer["changes"][0] for answer in answers)
    last = document(staffed)["document"]
    first, second = ("One", "Two") if last == texts[1] else ("Two", "One")
    assert told == sorted(
        [
            f"services: {first} (batch): name {first} instead of Nightly batch",
            f"services: {second} (batch): name {second} instead of {first}",
        ]
    )


def applied_alone(house: House, text: str) -> Json:
    """Apply on a session of its own: one is not for two threads."""
    headers = {"Authorization": f"Token token={house.tokens['ida']}", "Content-Type": "application/toml"}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.put(f"{house.url}/watchbell/v1/team", data=text.encode(), headers=headers, timeout=20)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())
