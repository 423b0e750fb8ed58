"""The sheet of a weekly handover: the checklist with what is known filled in, exported as Markdown. Pure.

Source of the rules: the procedure's "Handover Checklist" and design, section 3, "Handover". Whatever came from outside
is escaped: it is never markup and never a link.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from desktop.domain.defused import for_markdown
from desktop.domain.duty import Listed, State
from desktop.domain.segments import Segment
from desktop.domain.severity import Severity
from desktop.domain.team import Team
from desktop.domain.wall import clock

_TITLE, _NAME, _NOTE = 200, 80, 1000


class Checked(StrEnum):
    """The result of an access check. That it could not be made is a state of its own, never "fine"."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "could not be checked"


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that the incoming engineer takes on."""

    title: str
    severity: Severity
    since: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at a handover; None where it could not be found out, which the sheet says.

    ``pages`` are those of the last shift, ``overrides`` the segments of the coming one that differ from the rotation,
    ``access`` the checks by name, ``note`` what the outgoing engineer wrote.
    """

    open_incidents: tuple[OpenIncident, ...] | None = None
    pages: int | None = None
    overrides: tuple[Segment, ...] | None = None
    access: tuple[tuple[str, Checked], ...] | None = None
    note: str = ""


def markdown(team: Team, handover: Listed, known: Known) -> str:
    """Return the sheet of ``handover`` (a weekly handover of ``duties``) as Markdown (CommonMark, GitHub's too)."""
    duty, standing = handover.duty, handover.standing
    outgoing, incoming = duty.signers
    others = [p for p in duty.people if p not in duty.signers]
    at = _time(team, duty.due) if duty.due is not None else duty.subject
    lines = [
        f"# Weekly handover, {at} \\({for_markdown(team.time_zone.key, _NAME)}\\)",
        "",
        f"- Outgoing: {_name(team, outgoing)}",
        f"- Incoming: {_name(team, incoming)}",
        f"- Manager: {', '.join(_name(team, p) for p in others) or 'nobody'}",
        "",
        "## Checklist",
        "",
    ]
    filled = _filled(team, incoming, known)
    for number, point in enumerate(duty.points, start=1):
        lines.append(f"- [{'x' if number in standing.ticked else ' '}] {point}")
        lines += [f"  - {line}" for line in filled.get(number, ())]
    lines += ["", "## Signatures", ""]
    lines += [f"- {_name(team, p)}: {'signed' if p in standing.signed else 'not signed'}" for p in duty.signers]
    if standing.state is State.WAIVED:
        lines += ["", f"Waived: {for_markdown(standing.reason, _NOTE)}"]
    return "\n".join(lines) + "\n"


def _filled(team: Team, incoming: str, known: Known) -> dict[int, list[str]]:
    """Return what is known, by the number of the point that it belongs to."""
    person = team.member(incoming)
    phone, email = (person.phone, person.email) if person is not None else ("", "")
    pages = "unknown" if known.pages is None else str(known.pages)
    note = for_markdown(known.note, _NOTE)
    return {
        1: [*_listed(_incident(team, i) for i in known.open_incidents or ()), f"Pages in the last shift: {pages}"]
        if known.open_incidents is not None
        else ["Open incidents: unknown", f"Pages in the last shift: {pages}"],
        3: [
            f"Phone: {for_markdown(phone, _NAME) or 'none'}",
            f"Mail: {for_markdown(email, _NAME) or 'none'}",
            *_changes(team, known.overrides),
        ],
        5: [note] if note else [],
        6: _access(known.access),
    }


def _listed(lines: Iterable[str]) -> Iterator[str]:
    """Yield the open incidents, or that there are none."""
    empty = True
    for line in lines:
        empty = False
        yield line
    if empty:
        yield "Open incidents: none"


def _incident(team: Team, incident: OpenIncident) -> str:
    since = _time(team, incident.since)
    return f"{incident.severity.label}: {for_markdown(incident.title, _TITLE)}, since {since}"


def _changes(team: Team, overrides: tuple[Segment, ...] | None) -> list[str]:
    if overrides is None:
        return ["Changes of the coming shift: unknown"]
    return [
        f"{s.role.capitalize()}: {_name(team, s.person)}, {_time(team, s.start)} to {_time(team, s.end)} \\({s.why}\\)"
        for s in overrides
    ] or ["Changes of the coming shift: none"]


def _access(access: tuple[tuple[str, Checked], ...] | None) -> list[str]:
    if access is None:
        return ["Access check: not made"]
    return [f"Access to {for_markdown(name, _NAME)}: {result}" for name, result in access] or [
        "Access check: none set up"
    ]


def _name(team: Team, person_id: str | None) -> str:
    if person_id is None:
        return "NOBODY"
    person = team.member(person_id)
    return for_markdown(person.name if person is not None else person_id, _NAME) or for_markdown(person_id, _NAME)


def _time(team: Team, at: datetime) -> str:
    return f"{clock(at, team.time_zone):%Y-%m-%d %H:%M}"
