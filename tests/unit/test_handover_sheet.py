"""The sheet of a weekly handover, line by line: what is not known, what there is none of, and whom nobody knows."""

from dataclasses import replace

import pytest

from desktop.domain.duty import Listed
from desktop.domain.handover_sheet import Known, OpenIncident, markdown
from desktop.domain.segments import Segment, Why
from desktop.domain.severity import Severity
from desktop.domain.team import Member, Role, Team
from tests.unit.test_duties_examples import SINCE, TEAM, at, one, replace_marks, waived

MEETING = one(TEAM, SINCE, "2026-01-19 09:00", "handover/2026-01-19")
DATABASE = OpenIncident("Database down", Severity.SEV0, at("2026-01-19 08:00"))
NOTHING = Known((), 0, (), ())


def changed(person: str | None) -> Known:
    """Return what is known when the coming shift differs by this one segment."""
    segment = Segment(Role.PRIMARY, person, at("2026-01-21 18:00"), at("2026-01-22 09:00"), Why.ABSENCE)
    return replace(NOTHING, overrides=(segment,))


def people(*others: Member) -> Team:
    return replace(TEAM, people=(*(p for p in TEAM.people if p.id not in {o.id for o in others}), *others))


def attending(*who: str) -> Listed:
    return MEETING._replace(duty=MEETING.duty._replace(people=("ben", "cho", *who)))


# What is odd about it, the team, the meeting, what is known, and lines that stand on the sheet one after the other.
LINES = [
    ("one manager", TEAM, MEETING, NOTHING, "- Manager: Dora"),
    ("two managers", TEAM, attending("dora", "ana"), NOTHING, "- Manager: Dora, Ana"),
    ("no manager", TEAM, attending(), NOTHING, "- Manager: nobody"),
    ("when", TEAM, MEETING, NOTHING,
     "# Weekly handover, 2026-01-19 09:00 \\(America\\/Los\\_Angeles\\)\n\n- Outgoing: Ben\n- Incoming: Cho"),
    ("no time", TEAM, MEETING._replace(duty=MEETING.duty._replace(due=None)), NOTHING,
     "# Weekly handover, 2026-01-19 \\(America\\/Los\\_Angeles\\)\n"),
    ("nothing is open", TEAM, MEETING, NOTHING,
     "and any open incidents\n  - Open incidents: none\n  - Pages in the last shift: 0\n"),
    ("something is open", TEAM, MEETING, replace(NOTHING, open_incidents=(DATABASE,), pages=3),
     "incidents\n  - SEV-0: Database down, since 2026-01-19 08:00\n  - Pages in the last shift: 3\n- [ ] Transfer"),
    ("nothing is known", TEAM, MEETING, Known(),
     "and any open incidents\n  - Open incidents: unknown\n  - Pages in the last shift: unknown\n"),
    ("incidents, but not how many pages", TEAM, MEETING, Known(()),
     "and any open incidents\n  - Open incidents: none\n  - Pages in the last shift: unknown\n"),
    ("no contact", TEAM, MEETING, NOTHING, "availability\n  - Phone: none\n  - Mail: none\n  - Changes of"),
    ("no changes", TEAM, MEETING, NOTHING, "none\n  - Changes of the coming shift: none\n- [ ] Review any upcoming"),
    ("a contact", people(Member("cho", "Cho", email="cho@example.com", phone="555")), MEETING, Known(),
     "availability\n  - Phone: 555\n  - Mail: cho＠example\\.com\n  - Changes of the coming shift: unknown\n- [ ]"),
    ("an incoming engineer whom the team no longer has", replace(TEAM, people=()), MEETING, NOTHING,
     "- Incoming: cho\n- Manager: dora\n"),
    ("their contact", replace(TEAM, people=()), MEETING, NOTHING, "availability\n  - Phone: none\n  - Mail: none\n"),
    ("a name that shows nothing", people(Member("cho", "\u200b")), MEETING, NOTHING, "- Incoming: cho\n"),
    ("no name, and an id that is too long", replace(TEAM, people=()), attending("d" * 200), NOTHING,
     f"- Manager: {'d' * 79}…\n"),
    ("nobody in the coming shift", TEAM, MEETING, changed(None),
     "  - Mail: none\n  - Primary: NOBODY, 2026-01-21 18:00 to 2026-01-22 09:00 \\(absence\\)\n- [ ] Review"),
    ("no note", TEAM, MEETING, NOTHING, "areas of concern\n- [ ] Confirm monitoring"),
    ("a note", TEAM, MEETING, replace(NOTHING, note="Disk"), "areas of concern\n  - Disk\n- [ ] Confirm monitoring"),
    ("no checks", TEAM, MEETING, NOTHING, "configured\n  - Access check: none set up\n\n## Signatures\n"),
    ("not checked", TEAM, MEETING, Known(), "configured\n  - Access check: not made\n\n## Signatures\n"),
]  # fmt: skip


@pytest.mark.parametrize("row", LINES, ids=[row[0] for row in LINES])
def test_a_line_of_the_sheet(row: tuple[str, Team, Listed, Known, str]) -> None:
    _, team, meeting, known, lines = row
    assert lines in markdown(team, meeting, known)


def test_a_waiver_stands_below_the_signatures() -> None:
    waiver = waived(MEETING.duty.id, "dora", "2026-01-19 09:20", "all are ill")
    sheet = markdown(TEAM, replace_marks(MEETING, (waiver,)), NOTHING)
    assert sheet.endswith("## Signatures\n\n- Ben: not signed\n- Cho: not signed\n\nWaived: all are ill\n")


def test_an_id_without_a_name_is_escaped_and_shortened_too() -> None:
    """Whatever the backend calls somebody, it is no markup and has an end."""
    hidden = people(Member("*" * 200, "\u200b"))
    sheet = markdown(hidden, attending("*" * 200), NOTHING)
    manager = next(line for line in sheet.split("\n") if line.startswith("- Manager: "))
    assert manager == "- Manager: " + "\\*" * 79 + "…"
