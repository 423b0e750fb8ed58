from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.incident import Acknowledgement, Asked, OnCall, Person, Status
from desktop.ui import words
from tools import look_samples as sample

PACIFIC = ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(872, "14:32"), (871.2, "14:32"), (60, "1:00"), (0.1, "0:01"), (0, "0:00"), (-5, "0:00"), (3723, "1:02:03")],
)
def test_a_countdown_counts_started_seconds_whole(seconds: float, text: str) -> None:
    assert words.countdown(timedelta(seconds=seconds)) == text


@given(st.integers(1, 86_400))
def test_a_countdown_reads_back(seconds: int) -> None:
    parts = [int(p) for p in words.countdown(timedelta(seconds=seconds)).split(":")]
    assert sum(p * 60**i for i, p in enumerate(reversed(parts))) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(28, "0:28"), (599, "9:59"), (1320, "22 min"), (7200, "2 h"), (259_200, "3 days"), (-4, "0:00")],
)
def test_ages_get_coarser(seconds: int, text: str) -> None:
    assert words.age(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (94, "1 min 34 s"),
        (3600, "1 hour"),
        (7260, "2 hours 1 min"),
        (356_400, "4 days 3 hours"),
        (0, "0 s"),
        (86_405, "1 day"),
    ],
)
def test_durations_in_words_name_two_units(seconds: int, text: str) -> None:
    assert words.spoken(timedelta(seconds=seconds)) == text


def test_times_are_in_the_persons_zone_and_name_it_where_it_matters() -> None:
    now = datetime(2026, 11, 26, 11, 0, tzinfo=UTC)
    assert words.local_time(now + timedelta(minutes=29), now, PACIFIC) == "03:29"
    monday = datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
    assert words.local_time_and_zone(monday, now, PACIFIC) == "Mon 30 Nov, 09:00 PST"
    assert words.local_time(datetime(2027, 1, 4, 17, 0, tzinfo=UTC), now, PACIFIC) == "Mon 4 Jan 2027, 09:00"


def test_midnight_is_the_zones_own() -> None:
    now = datetime(2026, 11, 26, 23, 50, tzinfo=UTC)
    after = now + timedelta(minutes=20)
    assert words.local_time(after, now, UTC) == "Fri 27 Nov, 00:10"
    assert words.local_time(after, now, timezone(timedelta(hours=1))) == "01:10"


def test_lists_stay_short() -> None:
    assert words.listed([]) == ""
    assert words.listed(["Ana"]) == "Ana"
    assert words.listed(["Ana", "Ben", "Cho"]) == "Ana, Ben and Cho"
    assert words.listed(["Ana", "Ben", "Cho", "Dan"]) == "Ana, Ben and 2 more"


def plain_text(runs: list[words.Run]) -> str:
    return "".join(text for text, _ in runs).replace("\N{NO-BREAK SPACE}", " ")


def test_the_escalation_names_whom_and_when() -> None:
    ben = OnCall(sample.BEN, "secondary", 2, "sev0")
    runs = words.escalation_runs((ben,), "03:29", overdue=False)
    assert plain_text(runs) == "Escalates to Ben Okafor (secondary) at 03:29"
    assert [text for text, bold in runs if bold] == ["Ben Okafor"]


def test_the_escalation_of_many_of_nobody_and_of_now() -> None:
    people = tuple(OnCall(Person(str(i), f"P{i}"), "", 2, "sev0") for i in range(4))
    assert (
        plain_text(words.escalation_runs(people, "03:29", overdue=False))
        == "Escalates to P0 and P1 and 2 more at 03:29"
    )
    assert plain_text(words.escalation_runs((), "03:29", overdue=False)) == "Escalates at 03:29"
    assert "Nobody is left" in plain_text(words.escalation_runs((), "03:29", overdue=False, known=True))
    assert plain_text(words.escalation_runs((), None, overdue=False)) == "No further escalation: nobody comes after you"
    assert plain_text(words.escalation_runs(people[:1], "03:29", overdue=True)) == "Escalating to P0 now"


def test_whoever_took_a_page_is_named() -> None:
    by_ben, by_me = sample.acknowledged_by(sample.BEN), sample.acknowledged_by(sample.ANA)
    assert words.farewell(sample.incident(), by_ben, sample.ANA, sample.NOW) == "Ben Okafor acknowledged it 5 s ago"
    assert (
        words.farewell(sample.incident(), by_me, sample.ANA, sample.NOW) == "You acknowledged it, and that is confirmed"
    )
    closed = sample.incident(status=Status.RESOLVED, resolved_by=sample.MIA)
    assert words.farewell(sample.incident(), closed, sample.ANA, sample.NOW) == "Mia Lund resolved it"
    assert words.farewell(sample.incident(), None, sample.ANA, sample.NOW) == "It no longer pages you"
    nobodys = sample.incident(assignees=())
    assert words.farewell(sample.incident(), nobodys, sample.ANA, sample.NOW) == "It no longer pages you"


def test_who_asks_for_help_is_said_and_who_has_it() -> None:
    def said(*have: Person, by: Person = sample.BEN, message: str = "") -> str:
        taken = tuple(Acknowledgement(p, sample.NOW) for p in have)
        status = Status.ACKNOWLEDGED if have else Status.TRIGGERED
        asked = (Asked(sample.ANA, by, message),)
        it = sample.incident(status=status, acknowledgements=taken, asked=asked)
        return "".join(text for text, _ in words.request_runs(it, sample.ANA))

    cho, dev = Person("cho", "Cho Park"), Person("dev", "Dev Rao")
    assert said(sample.BEN) == "Ben Okafor has it, and asks you to help"
    assert said(sample.BEN, message="the disk?") == "Ben Okafor has it, and asks you to help: \u2068the disk?\u2069"
    assert said(sample.BEN, by=cho) == "Cho Park asks you to help. Ben Okafor has it"
    assert said(sample.BEN, dev, by=cho) == "Cho Park asks you to help. Ben Okafor and Dev Rao have it"
    assert said(by=Person("", "")) == "Somebody asks you to help"
    assert words.request_runs(sample.incident(), sample.ANA) == []


def test_a_request_for_help_that_was_taken_back_is_not_said_to_be_another_acknowledgement() -> None:
    taken = (Acknowledgement(sample.BEN, sample.NOW),)
    asked = (Asked(sample.ANA, sample.BEN),)
    before = sample.incident(status=Status.ACKNOWLEDGED, assignees=(sample.BEN,), acknowledgements=taken, asked=asked)
    after = replace(before, asked=())
    assert words.farewell(before, after, sample.ANA, sample.NOW) == "It no longer asks for your help"
    joined = replace(after, acknowledgements=(*taken, Acknowledgement(sample.ANA, sample.NOW + timedelta(seconds=1))))
    assert words.farewell(before, joined, sample.ANA, sample.NOW).startswith("You acknowledged it")


def test_who_has_now_what_went_away_is_said_and_how_it_got_there() -> None:
    bens = sample.incident(assignees=(sample.BEN,))
    before = sample.incident()
    due = before.escalates_at
    assert due is not None
    assert words.farewell(before, bens, sample.ANA, due) == "It escalated past you to Ben Okafor"
    assert words.farewell(before, bens, sample.ANA, due - timedelta(seconds=5)) == "It was given to Ben Okafor"
    assert words.farewell(replace(before, pending=()), bens, sample.ANA, due) == "It was given to Ben Okafor"


@pytest.mark.parametrize("url", ["https://runbooks.example.com/a?b=c", "http://127.0.0.1:8080/x"])
def test_web_links_may_be_opened(url: str) -> None:
    assert words.web_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "https://good.example.com@evil.example.com/",
        "https://example.com/a b",
        "https://example.com/\u202egnp.exe",
        "https://[broken",
        "https://example.com/\n",
        "https://example.com/" + "a" * 3000,
        "",
    ],
)
def test_other_links_may_not(url: str) -> None:
    assert words.web_link(url) == ""


def test_titles_are_one_plain_line_of_limited_length() -> None:
    assert words.title_of("a\nb\t\0c") == "a b \N{REPLACEMENT CHARACTER}c"
    assert words.title_of("  ") == "(no title)"
    assert len(words.title_of("x" * 100_000)) == 300
