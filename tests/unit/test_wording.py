"""What messages say, whatever alerts say."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from desktop.channels.text import BODY_LIMIT, TITLE_LIMIT
from desktop.domain.escalation import begin
from desktop.domain.incident import Status
from desktop.domain.severity import Severity, Urgency
from desktop.server import wording
from desktop.server.directory import Directory, Somebody, Thing
from desktop.server.records import Held, Record

T0 = datetime(2026, 1, 7, 11, 0, tzinfo=UTC)
PEOPLE = {
    "ana": Somebody("ana", "Ana Ruiz", time_zone="America/Los_Angeles"),
    "ben": Somebody("ben", "Ben @everyone Okafor"),
}
DIRECTORY = Directory(PEOPLE, {"payments": Thing("payments", "Payments")})
RECORD = Record(
    id="Q1",
    number=7,
    service_id="payments",
    dedup_key="k",
    title="db down",
    status=Status.TRIGGERED,
    severity=Severity.SEV0,
    urgency=Urgency.HIGH,
    policy="p",
    policies={},
    escalates_as=Severity.SEV0,
    progress=begin(T0),
    created_at=T0,
    updated_at=T0,
    changed_at=T0,
    changed_by="service:payments",
    assignments=(Held("ana", T0), Held("ben", T0)),
)


def test_a_page_says_what_it_is_since_when_and_who_else_is_paged() -> None:
    said = wording.page(RECORD, DIRECTORY, "ana")
    assert said.title == "[SEV-0] db down"
    assert said.body.split("\n") == [
        "You are paged: db down",
        "Incident 7, SEV-0, Payments",
        "since 2026-01-07 03:00 (America/Los_Angeles)",
        "Paged: Ana Ruiz, Ben @\u2060everyone Okafor",
    ]
    assert "11:00 (UTC)" in wording.page(RECORD, DIRECTORY, "ben").body


def test_a_link_stands_on_a_line_of_its_own() -> None:
    link = "https://pager.example.com/a/x"
    assert wording.page(RECORD, DIRECTORY, "ana", link).body.split("\n")[-1] == f"Acknowledge: {link}"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("@channel down", "@\u2060channel down"),
        ("<!here> & <@U123> <#C1>", "<\u2060!here> & <\u2060@U123> <\u2060#C1>"),
        ("mail ana@example.com", "mail ana@example.com"),
        ("a\nb\0\u202ec", "a b\ufffdc"),
        ("<b>x</b>", "<b>x</b>"),
    ],
)
def test_the_words_of_an_alert_call_nobody_and_stay_a_line(title: str, shown: str) -> None:
    said = wording.page(replace(RECORD, title=title), DIRECTORY, "ana")
    assert said.title == f"[SEV-0] {shown}"


def test_however_long_it_is_it_fits() -> None:
    record = replace(RECORD, title="x" * 9000, assignments=tuple(Held(f"p{n}" * 50, T0) for n in range(100)))
    said = wording.page(record, DIRECTORY, "ana")
    assert len(said.title) == TITLE_LIMIT
    assert len(said.body) <= BODY_LIMIT


def test_a_stand_down_says_who_has_it() -> None:
    taken = replace(RECORD, status=Status.ACKNOWLEDGED, acknowledgements=(Held("ana", T0),))
    said = wording.stand_down(taken, DIRECTORY)
    assert (said.title, said.body) == ("Stand down: db down", "Ana Ruiz has it.\nIncident 7, SEV-0: db down")
    by_nobody = replace(taken, acknowledgements=(), changed_by="service:payments")
    told = wording.stand_down(by_nobody, DIRECTORY)
    assert told.body.startswith("It was acknowledged by the service Payments; nobody has it yet.")


@pytest.mark.parametrize(
    ("by", "why"), [("person:ana", "It is resolved by Ana Ruiz."), ("service:payments", "It is resolved.")]
)
def test_or_that_it_is_resolved(by: str, why: str) -> None:
    done = replace(RECORD, status=Status.RESOLVED, changed_by=by)
    assert wording.stand_down(done, DIRECTORY).body.split("\n")[0] == why


def test_or_to_whom_it_was_given() -> None:
    said = wording.given(replace(RECORD, title="<!channel> down\n@here", assignments=(Held("ana", T0),)), DIRECTORY)
    assert said.body.split("\n")[0] == "It was given to Ana Ruiz."
    assert said.body.split("\n")[1].startswith("Incident 7, SEV-0: <")
    assert not any(call in said.title + said.body for call in ("<!channel>", "@here"))


def test_overdue() -> None:
    assert "is open since 2026-01-07 03:00" in wording.overdue(RECORD, DIRECTORY, "ana").body
