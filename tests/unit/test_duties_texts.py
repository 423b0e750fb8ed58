"""What duties write for others: the message for the incident channel and the handover's sheet, with hostile titles."""

import re
import string
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.announcement import missed_updates, spoken, status_update, update_wanted
from desktop.domain.defused import cell, csv, for_chat, for_markdown
from desktop.domain.duty import Act, Duty, Listed, Mark
from desktop.domain.handover_sheet import Checked, Known, OpenIncident, markdown
from desktop.domain.segments import Segment, Why
from desktop.domain.severity import Severity
from desktop.domain.team import Member, Role, Team
from tests.unit.test_duties_examples import LOS_ANGELES, OPEN, SEV0, SINCE, TEAM, at, one, replace_marks, signed, waived

HOSTILE = (
    "<!channel> @channel @here <https://evil.example/x|Payments> [fix](https://evil.example) *bold* _it_ ~no~ `rm -rf`"
    " \n# heading\n<script>alert(1)</script> www.evil.example #42 &amp; \u202e\0 a\\"
)
anything = st.text(st.characters(exclude_categories=()), max_size=120) | st.just(HOSTILE)
NOON = at("2026-01-14 10:30")


def test_the_prepared_message_says_all() -> None:
    assert status_update(SEV0, "Ben", "Failing over.", NOON, LOS_ANGELES) == (
        "@channel SEV-0: Payments down\n"
        "Status: open for 30 min; Ben has it.\n"
        "Failing over.\n"
        "Next update by 11:00 (America/Los_Angeles)."
    )


@pytest.mark.parametrize(("severity", "mention"), [(Severity.SEV0, "@channel "), (Severity.SEV1, "@here ")])
def test_use_here_for_urgent_situations_and_channel_for_critical(severity: Severity, mention: str) -> None:
    assert status_update(replace(SEV0, severity=severity), "", "", NOON, LOS_ANGELES).startswith(mention)


def test_nobody_and_resolved_are_said() -> None:
    assert "nobody has acknowledged it." in status_update(SEV0, "", "", NOON, LOS_ANGELES)
    over = replace(SEV0, ended=NOON, resolved=NOON)
    assert status_update(over, "Ben", "", NOON, LOS_ANGELES) == (
        "@channel SEV-0: Payments down\nStatus: resolved after 30 min."
    )


@pytest.mark.parametrize(
    ("minutes", "words"), [(-5, "0 min"), (0, "0 min"), (59, "59 min"), (60, "1 h 00 min"), (1505, "25 h 05 min")]
)
def test_spans_are_spoken(minutes: int, words: str) -> None:
    assert spoken(timedelta(minutes=minutes)) == words


# SEV0 began at 10:00. The first update that was not posted was due at; the clock; it ended at; missed
MISSED = [
    ("10:30", "10:25", None, 0),
    ("10:30", "10:29", None, 0),
    ("10:30", "10:30", None, 1),
    ("10:30", "10:59", None, 1),
    ("10:30", "11:00", None, 2),
    ("10:30", "12:45", None, 5),
    ("11:10", "12:45", None, 4),
    ("10:30", "12:45", "12:31", 5),
    ("10:30", "18:00", "12:30", 4),
    ("10:30", "18:00", "10:31", 1),
    ("10:30", "18:00", "10:30", 0),
    ("10:30", "18:00", "10:05", 0),
]


@pytest.mark.parametrize(("due", "now", "ended", "count"), MISSED)
def test_updates_that_were_missed_are_counted(due: str, now: str, ended: str | None, count: int) -> None:
    over = None if ended is None else at(f"2026-01-14 {ended}")
    incident = replace(SEV0, ended=over)
    assert missed_updates(incident, at(f"2026-01-14 {due}"), at(f"2026-01-14 {now}")) == count


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ("10:25", "Status update by 10:30"),
        ("10:30", "Status update: 1 missed since 10:30"),
        ("12:45", "Status update: 5 missed since 10:30"),
    ],
)
def test_what_is_listed_once_says_how_many_were_missed(now: str, words: str) -> None:
    clock = at(f"2026-01-14 {now}")
    listed = one(TEAM, OPEN, f"2026-01-14 {now}", "status-update/I1/1")
    assert listed.duty.due is not None
    assert update_wanted(SEV0, listed.duty.due, clock, LOS_ANGELES) == words


@given(anything, anything, anything)
def test_no_text_from_outside_mentions_links_or_marks_up_in_the_channel(title: str, owner: str, note: str) -> None:
    message = status_update(replace(SEV0, title=title), owner, note, NOON, LOS_ANGELES)
    assert message.startswith("@channel ")
    assert message.count("@") == 1
    assert not set("<>`*&[]|~") & set(message)
    assert "://" not in message
    assert not re.search(r"[\w-]\.[^\W\d]", message)
    assert len(message.split("\n")) <= 4
    assert len(message) <= 1000


def test_a_hostile_title_is_still_readable() -> None:
    assert for_chat("DB <main> 99.5% @ host-1.example.com", 100) == "DB ‹main› 99.5% ＠ host-1․example․com"
    assert for_chat("see https://evil", 100) == "see https∶//evil"


def unescaped(text: str) -> str:
    """Return ``text`` without its escapes, each of which must be one, failing where punctuation stands bare."""
    parts = re.findall(r"\\(.)|(.)", text)
    assert not {bare for _, bare in parts} & set(string.punctuation)
    return "".join(a or b for a, b in parts)


@given(anything)
def test_every_punctuation_of_a_title_is_escaped_in_markdown(text: str) -> None:
    found = for_markdown(text, 80)
    assert "\n" not in found
    assert "\r" not in found
    assert len(unescaped(found)) <= 80
    assert "@" not in found
    assert "#" not in found


KNOWN = Known(
    open_incidents=(OpenIncident(HOSTILE, Severity.SEV1, NOON),),
    pages=7,
    overrides=(Segment(Role.PRIMARY, "ben", at("2026-01-21 18:00"), at("2026-01-22 09:00"), Why.OVERRIDE),),
    access=(("Grafana", Checked.PASSED), ("AWS *", Checked.UNKNOWN)),
    note="Disk 3 is slow",
)
MEETING = one(TEAM, SINCE, "2026-01-19 09:00", "handover/2026-01-19")


def test_the_sheet_has_the_six_points_with_what_is_known_filled_in() -> None:
    known = replace(KNOWN, open_incidents=(OpenIncident("Payments down", Severity.SEV1, NOON),))
    team = replace(TEAM, people=(*TEAM.people[:2], Member("cho", "Cho", phone="555 0100"), TEAM.people[3]))
    ticked = Mark(MEETING.duty.id, Act.TICK, "ben", at("2026-01-19 09:05"), point=1)
    marks = (ticked, signed(MEETING.duty.id, "ben", "2026-01-19 09:20"))
    assert markdown(team, replace_marks(MEETING, marks), known) == SHEET


SHEET = r"""# Weekly handover, 2026-01-19 09:00 \(America\/Los\_Angeles\)

- Outgoing: Ben
- Incoming: Cho
- Manager: Dora

## Checklist

- [x] Review current system status and any open incidents
  - SEV-1: Payments down, since 2026-01-14 10:30
  - Pages in the last shift: 7
- [ ] Transfer knowledge of ongoing issues or scheduled maintenance
- [ ] Confirm contact information and availability
  - Phone: 555 0100
  - Mail: none
  - Primary: Ben, 2026-01-21 18:00 to 2026-01-22 09:00 \(override\)
- [ ] Review any upcoming deployments or changes
- [ ] Document any known issues or areas of concern
  - Disk 3 is slow
- [ ] Confirm monitoring alerts are properly configured
  - Access to Grafana: passed
  - Access to AWS \*: could not be checked

## Signatures

- Ben: signed
- Cho: not signed
"""


def meeting(people: tuple[str, ...], signers: tuple[str, ...], due: datetime | None = MEETING.duty.due) -> Listed:
    """Return the handover as one of ``people``, which ``signers`` sign."""
    it = MEETING.duty
    duty = Duty(it.id, it.kind, people, it.opens, due, it.late, it.points, it.subject, signers)
    return Listed(duty, MEETING.standing)


def points(known: Known, sheet_of: Team = TEAM) -> list[str]:
    """Return what is filled in below the points of the sheet."""
    return [line[4:] for line in markdown(sheet_of, MEETING, known).split("\n") if line.startswith("  - ")]


def test_what_could_not_be_found_out_is_said_and_is_not_none() -> None:
    assert points(Known()) == [
        "Open incidents: unknown",
        "Pages in the last shift: unknown",
        "Phone: none",
        "Mail: none",
        "Changes of the coming shift: unknown",
        "Access check: not made",
    ]
    assert points(Known((), 0, (), ())) == [
        "Open incidents: none",
        "Pages in the last shift: 0",
        "Phone: none",
        "Mail: none",
        "Changes of the coming shift: none",
        "Access check: none set up",
    ]


def test_several_changes_and_a_role_that_nobody_has_are_on_the_sheet() -> None:
    nobody = Segment(Role.SECONDARY, None, at("2026-01-19 09:00"), at("2026-01-20 09:00"), Why.ABSENCE)
    stranger = Segment(Role.PRIMARY, "x_1", at("2026-01-20 09:00"), at("2026-01-21 09:00"), Why.OVERRIDE)
    assert points(replace(KNOWN, overrides=(nobody, stranger)))[4:6] == [
        r"Secondary: NOBODY, 2026-01-19 09:00 to 2026-01-20 09:00 \(absence\)",
        r"Primary: x\_1, 2026-01-20 09:00 to 2026-01-21 09:00 \(override\)",
    ]


def test_who_hands_over_is_named_though_no_longer_of_the_team_or_without_a_name() -> None:
    incoming = Member("cho", " ", phone="555 0100", email="cho@example.com")
    left = replace(TEAM, people=(TEAM.people[0], incoming))
    sheet = markdown(left, MEETING, Known())
    assert sheet.split("\n")[2:5] == ["- Outgoing: ben", "- Incoming: cho", "- Manager: dora"]
    assert points(Known(), left)[2:4] == ["Phone: 555 0100", r"Mail: cho＠example\.com"]
    gone = replace(TEAM, people=TEAM.people[:2])
    assert points(Known(), gone)[2:4] == ["Phone: none", "Mail: none"]


def test_a_name_of_nothing_visible_is_replaced_by_a_short_id() -> None:
    both = ("ben", "c" * 100)
    unnamed = replace(TEAM, people=(Member("c" * 100, "\u200b"),))
    assert f"- Incoming: {'c' * 79}…\n" in markdown(unnamed, meeting(both, both), Known())


@pytest.mark.parametrize(("managers", "said"), [((), "nobody"), (("dora",), "Dora"), (("dora", "ana"), "Dora, Ana")])
def test_the_managers_are_named(managers: tuple[str, ...], said: str) -> None:
    listed = meeting(("ben", "cho", *managers), ("ben", "cho"))
    assert f"- Manager: {said}\n" in markdown(TEAM, listed, Known())


def test_a_handover_without_a_time_is_named_by_its_shift() -> None:
    listed = meeting(("ben", "cho"), ("ben", "cho"), due=None)
    assert markdown(TEAM, listed, Known()).startswith("# Weekly handover, 2026-01-19 \\(")


def test_a_waiver_is_on_the_sheet() -> None:
    waiver = waived(MEETING.duty.id, "dora", "2026-01-19 09:20", "all *hands* meeting")
    assert markdown(TEAM, replace_marks(MEETING, (waiver,)), Known()).endswith(
        "## Signatures\n\n- Ben: not signed\n- Cho: not signed\n\nWaived: all \\*hands\\* meeting\n"
    )


@given(anything, anything)
def test_no_title_changes_the_shape_of_the_sheet(title: str, note: str) -> None:
    plain_sheet = markdown(TEAM, MEETING, replace(KNOWN, open_incidents=(OpenIncident("x", Severity.SEV1, NOON),)))
    known = replace(KNOWN, open_incidents=(OpenIncident(title, Severity.SEV1, NOON),), note=note or "x")
    sheet = markdown(TEAM, MEETING, known)
    assert len(sheet.split("\n")) >= len(plain_sheet.split("\n")) - 1
    assert [line[:4] for line in sheet.split("\n") if not line.startswith("  - ")] == [
        line[:4] for line in plain_sheet.split("\n") if not line.startswith("  - ")
    ]
    assert "<" not in sheet.replace("\\<", "")
    assert "](" not in sheet


CELLS = [
    ("plain", "plain"),
    ("=1+1", "'=1+1"),
    ("+1", "'+1"),
    ("-1", "'-1"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("  =1+1", "'  =1+1"),
    ("\t=1+1", '"\'\t=1+1"'),
    ("＝1", "'＝1"),
    ("＋1", "'＋1"),
    ("－1", "'－1"),
    ("＠x", "'＠x"),
    ("a,b", '"a,b"'),
    ('say "x"', '"say ""x"""'),
    ("a\nb", '"a\nb"'),
    ('=HYPERLINK("http://evil","x")', '"\'=HYPERLINK(""http://evil"",""x"")"'),
    ("", ""),
    ("a\0", "a\ufffd"),
]


@pytest.mark.parametrize(("text", "expected"), CELLS)
def test_a_cell_is_never_a_formula_and_quoted_as_rfc_4180_says(text: str, expected: str) -> None:
    assert cell(text) == expected


def test_lines_end_as_rfc_4180_says() -> None:
    assert csv([("a", "b"), ("c", "")]) == "a,b\r\nc,\r\n"
