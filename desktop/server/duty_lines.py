"""Duties as JSON: what each is called, whose it is, how it stands, who did what about it. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from desktop.domain.announcement import update_wanted
from desktop.domain.duties import MajorIncident
from desktop.domain.duty import Duty, Kind, Listed
from desktop.domain.team import Team
from desktop.server import things
from desktop.server.directory import Directory
from desktop.server.marks import Act, Made

Json = dict[str, Any]

_NAMES = {
    Kind.CHECK_IN: "Morning check-in of {subject}",
    Kind.MONITORING: "Monitoring round of {subject}",
    Kind.STATUS_PAGE: "Status page: {title}",
    Kind.CUSTOMER_NOTICE: "Customer notice: {title}",
    Kind.STATUS_UPDATE: "Status update: {title}",
    Kind.INCIDENT_REVIEW: "Post-incident review: {title}",
    Kind.HANDOVER: "Weekly handover of {subject}",
    Kind.MONTHLY_REVIEW: "Monthly review of {subject}",
    Kind.TRAINING: "Training of {person}",
    Kind.CERTIFICATION: "Certification of {person}",
}


def shown(
    listed: Listed,
    held: Sequence[Made],
    incident: MajorIncident | None,
    team: Team,
    directory: Directory,
    now: datetime,
) -> Json:
    """Return a duty; ``held`` are the marks of it that hold, ``incident`` is what it is about, if it is about one."""
    duty, standing = listed
    return {
        "id": duty.id,
        "type": "duty",
        "kind": duty.kind.value,
        "summary": name(duty, incident, directory),
        "says": says(listed, incident, team, now),
        "state": listed.state.value,
        "people": [things.user(directory, person, full=False) for person in duty.people],
        "opens_at": things.instant(duty.opens),
        "due_at": things.instant(duty.due),
        "overdue_at": things.instant(duty.late),
        "subject": duty.subject,
        "points": _points(duty, held, directory),
        "signers": [things.user(directory, person, full=False) for person in duty.signers],
        "signed": [_by(mark, directory) for mark in held if mark.act is Act.DONE],
        "settled_at": things.instant(standing.settled_at),
        "waived": next(
            (_by(mark, directory) | {"reason": mark.reason} for mark in held if mark.act is Act.WAIVE), None
        ),
    }


def mark(made: Made, directory: Directory) -> Json:
    """Return one mark as it was made, but for the sheet that a signature is under."""
    signed = made.act is Act.DONE and bool(made.text)
    return {
        "type": made.act.value,
        **_by(made, directory),
        "point": made.point or None,
        "reason": made.reason,
        "text": "" if signed else made.text,
        "signed_text": signed,
        "checks": None if made.data is None else [dict(part) for part in made.data],
    }


def by_duty(held: Sequence[Made]) -> Mapping[str, list[Made]]:
    """Return marks by the duty that they are of."""
    found: dict[str, list[Made]] = {}
    for made in held:
        found.setdefault(made.duty, []).append(made)
    return found


def _points(duty: Duty, held: Sequence[Made], directory: Directory) -> list[Json]:
    ticks = {made.point: made for made in held if made.act is Act.TICK}
    return [
        {
            "number": number,
            "text": text,
            "ticked": None if number not in ticks else _by(ticks[number], directory),
        }
        for number, text in enumerate(duty.points, 1)
    ]


def _by(made: Made, directory: Directory) -> Json:
    return {"user": things.user(directory, made.person, full=False), "at": things.instant(made.at)}


def name(duty: Duty, incident: MajorIncident | None, directory: Directory) -> str:
    """Return what a duty is called; ``incident`` is what it is about, if it is about one."""
    title = duty.subject if incident is None else incident.title
    return _NAMES[duty.kind].format(subject=duty.subject, title=title, person=directory.person(duty.subject).name)


def says(listed: Listed, incident: MajorIncident | None, team: Team, now: datetime) -> str:
    """Return in words what matters most of a duty; nothing of one that is settled."""
    duty = listed.duty
    if listed.state.settled:
        return ""
    if not duty.people:
        return "Nobody is on call to do this"
    if duty.kind is Kind.STATUS_UPDATE and incident is not None and duty.due is not None:
        return update_wanted(incident, duty.due, now, team.time_zone)
    if duty.signers:
        missing = [person for person in duty.signers if person not in listed.standing.signed]
        return f"To be signed by {' and '.join(_member(team, person) for person in missing)}"
    left = len(duty.points) - len(listed.standing.ticked)
    return f"{left} of {len(duty.points)} points to do"


def _member(team: Team, person: str) -> str:
    found = team.member(person)
    return person if found is None else found.name
