"""The proof of messages finds one that never came, came once too often, too late, or to somebody who was not paged."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.faults.evidence import Blow, Entry, Evidence, Incident, Weather
from tests.faults.sent import sent
from tests.faults.traces import Delivery, Handover, Message, Offer, Page

TITLE = "trouble k1"
ROW = Incident("Q1", "k1", "sev0", "acknowledged", 3, 2, 2, frozenset({"ana", "ben", "fay"}), frozenset(), TITLE)
ENTRIES = (
    Entry(1, "Q1", "trigger", 100.0, "service:payments"),
    Entry(2, "Q1", "assign", 100.0, data={"assignees": ["ana"], "reason": "step"}),
    Entry(3, "Q1", "escalate", 102.0, data={"assignees": ["ben"], "reason": "step"}),
    Entry(4, "Q1", "acknowledge", 105.0, "person:ben"),
)
PAGES = (Page("Q1", 1, "ana", 100.0, 105.0), Page("Q1", 2, "ben", 102.0, 105.0))
MESSAGES = (
    Message(1, "page", "Q1", 1, "ana", "ana1", "sent", 2, 100.1, 103.0),
    Message(2, "page", "Q1", 2, "ben", "ben1", "sent", 1, 102.1, 102.3),
    Message(3, "stand_down", "Q1", None, "ana", "ana1", "sent", 1, 105.0, 105.4),
)
DELIVERIES = (
    Delivery("ana1", "page", TITLE, 100.2, 100.3, 503),
    Delivery("ana1", "page", TITLE, 102.8, 102.9, 200),
    Delivery("ben1", "page", TITLE, 102.2, 102.2, 200),
    Delivery("ana1", "stand_down", TITLE, 105.2, 105.3, 200),
)
GOOD = Evidence((), (), ENTRIES, (ROW,), (), 200.0, pages=PAGES, messages=MESSAGES, deliveries=DELIVERIES)
KILLED = (Blow("kill -9", 102.95, 104.0),)


def having(*more: Delivery, of: Sequence[Delivery] = DELIVERIES, blows: Sequence[Blow] = ()) -> Evidence:
    return replace(GOOD, deliveries=(*of, *more), blows=blows)


def row(number: int, **changed: object) -> Evidence:
    messages = [replace(m, **changed) if m.id == number else m for m in MESSAGES]  # type: ignore[arg-type]
    return replace(GOOD, messages=messages)


def tried(number: int, attempts: int, evidence: Evidence) -> Evidence:
    return replace(evidence, messages=row(number, attempts=attempts).messages)


def said(evidence: Evidence) -> list[str]:
    return list(sent(evidence, Weather(evidence.blows)))


def test_nothing_is_found_where_all_is_well() -> None:
    assert said(GOOD) == []


AGAIN = Delivery("ana1", "page", TITLE, 102.95, 102.99, 200)

SPOILED: dict[str, tuple[Evidence, str]] = {
    "one that never reached the sink": (having(of=DELIVERIES[:1] + DELIVERIES[2:]), "1 are noted as sent, 0 reached"),
    "one that the sink refused": (
        having(of=(DELIVERIES[0], replace(DELIVERIES[1], status=0), *DELIVERIES[2:])),
        "1 are noted as sent, 0 reached",
    ),
    "one sent more often than it was tried": (having(AGAIN), "the sink saw 3, and only 2 were tried"),
    "one sent again although nothing struck": (
        tried(1, 3, having(AGAIN)),
        "sent 1 times more after it was taken, 0 of which a fault explains",
    ),
    "one sent again long before a fault": (
        tried(1, 3, having(AGAIN, blows=[Blow("kill -9", 110.0, 111.0)])),
        "0 of which a fault explains",
    ),
    "one sent again by a wrong clock": (
        tried(1, 3, having(AGAIN, blows=[Blow("clock", 102.0, 104.0, blocks=False, skew=1.0)])),
        "0 of which a fault explains",
    ),
    "one sent twice more than a fault explains": (
        tried(2, 3, having(*(replace(DELIVERIES[2], at=at, answered=at) for at in (90.0, 90.1)), blows=KILLED)),
        "sent 2 times more after it was taken, 1 of which",
    ),
    "one sent after it was noted": (
        having(Delivery("ana1", "page", TITLE, 104.0, 104.1, 503)),
        "sent again at 104.00, noted at 103.00",
    ),
    "one that still waits": (row(3, state="waiting", settled=None), "message 3 (stand_down to ana) is waiting"),
    "one that failed for good": (row(3, state="failed"), "message 3 (stand_down to ana) is failed"),
    "a page without a message": (
        replace(GOOD, messages=MESSAGES[1:], pages=(replace(PAGES[0], ended=None), PAGES[1])),
        "page 1 of ana has no message",
    ),
    "a page whose message came late": (
        replace(row(1, made=111.0, settled=114.0), pages=(replace(PAGES[0], ended=None), PAGES[1])),
        "page 1 of ana had its first message after 11.00 s",
    ),
    "somebody who was not paged": (
        having(Delivery("cho1", "page", TITLE, 103.0, 103.0, 200)),
        "cho1 page trouble k1: reached somebody at 103.00 who was not paged",
    ),
    "somebody before they were paged": (
        having(of=(*DELIVERIES[:2], replace(DELIVERIES[2], at=101.0, answered=101.0), DELIVERIES[3])),
        "ben1 page trouble k1: reached somebody at 101.00",
    ),
    "somebody who hears nothing": (
        having(Delivery("eve1", "stand_down", TITLE, 105.5, 105.5, 200)),
        "eve1 stand_down trouble k1: reached somebody",
    ),
    "a page when it was over": (
        replace(
            tried(2, 2, having(of=(*DELIVERIES[:2], replace(DELIVERIES[2], at=109.0, answered=109.0), DELIVERIES[3]))),
            messages=[MESSAGES[0], replace(MESSAGES[1], settled=109.1), MESSAGES[2]],
        ),
        "a page arrived at 109.00, when it was over",
    ),
    "nobody told to stand down": (replace(GOOD, messages=MESSAGES[:2], deliveries=DELIVERIES[:3]), "ana was messaged"),
    "a page that is no row": (replace(GOOD, pages=PAGES[:1]), "['ben'] were paged, rows are of []"),
    "a row that is no page": (replace(GOOD, pages=(*PAGES, Page("Q1", 3, "fay", 104.0))), "[] were paged, rows are of"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_is_spoiled_is_found(name: str) -> None:
    evidence, wanted = SPOILED[name]
    assert any(wanted in what for what in said(evidence)), said(evidence)


ALLOWED: dict[str, Evidence] = {
    "one sent again since the server was killed before it noted it": tried(1, 3, having(AGAIN, blows=KILLED)),
    "a message that came as late as no server could work": replace(
        row(1, made=111.0, settled=114.0),
        pages=(replace(PAGES[0], ended=None), PAGES[1]),
        blows=(Blow("restart", 101.0, 103.0),),
        deliveries=(replace(DELIVERIES[0], at=111.1), replace(DELIVERIES[1], at=112.0), *DELIVERIES[2:]),
    ),
    "a message that was on its way when its page ended": replace(
        having(of=(*DELIVERIES[:2], replace(DELIVERIES[2], at=106.0, answered=106.0), DELIVERIES[3])),
        messages=[MESSAGES[0], replace(MESSAGES[1], settled=106.1), MESSAGES[2]],
    ),
    "one that is on its way at the end": replace(row(3, state="sending", settled=None), ended=106.0),
    "a silent severity": replace(GOOD, incidents=(replace(ROW, severity="sev3"),)),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_is_not_held_against_anybody(name: str) -> None:
    assert said(ALLOWED[name]) == []


GIVEN = Entry(5, "Q1", "handed_over", 103.5, data={"assignees": ["fay"], "giver": "ana", "handover": "H1"})


@pytest.mark.parametrize(
    ("entry", "hears"),
    [(GIVEN, False), (replace(GIVEN, data={"giver": "ben"}), True),
     (Entry(5, "Q1", "assign", 103.5, "person:ana", data={"assignees": ["fay"]}), False),
     (Entry(5, "Q1", "assign", 103.5, "person:eve", data={"assignees": ["fay"]}), True)],
)  # fmt: skip
def test_who_gave_it_to_others_need_not_be_told_that_it_is_over(entry: Entry, *, hears: bool) -> None:
    given = (replace(PAGES[0], ended=103.5), PAGES[1])
    evidence = replace(GOOD, entries=(*ENTRIES, entry), pages=given, messages=MESSAGES[:2])
    assert any("ana was messaged" in what for what in said(evidence)) is hears


def offered(offer: Offer, *told: Message) -> list[str]:
    """Return what is said where Ana was offered Fay's watch, was paged again, and the handover ended at 105."""
    of = Handover("H1", "first", "fay", "fay", "primary", 99.0, offers=[offer])
    pages = [Page("Q1", 1, "ana", 100.0, 105.0), Page("Q1", 2, "ana", 102.0, 105.0)]
    messages = [
        Message(1, "page", "Q1", 1, "ana", "ana1", "sent", 1, 100.1, 103.0, title="Will you take over as primary?"),
        Message(2, "page", "Q1", 2, "ana", "ana1", "sent", 1, 102.1, 103.0),
    ]
    evidence = replace(GOOD, handovers=[of], pages=pages, messages=[*messages, *told])
    return [what for what in said(evidence) if "not that it was over" in what]


def test_whoever_was_offered_a_watch_hears_what_became_of_it_unless_they_answered() -> None:
    open_one = Offer("ana", 99.5, "Q1")
    end = Message(
        3, "text", "", None, "ana", "ana1", "sent", 1, 104.9, 105.4, "Handover without an answer: primary, Fay"
    )
    assert offered(open_one, end) == []
    assert offered(replace(open_one, yes=False, answered=105.0)) == []
    # Nothing at all, of another watch, elsewhere, or about something that was before.
    spoiled = replace(end, title="Handover done: primary, Ben"), replace(end, place="ana2"), replace(end, made=103.5)
    for told in ((), *((each,) for each in spoiled)):
        assert offered(open_one, *told) == ["k1: ana was messaged at ana1, and not that it was over"] * 2
