"""Maintenance and incidents: which are held back, until when, and what a changed window makes of them.

On the writer's thread. ``windows`` knows the windows, ``holding`` what becomes of one incident.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam

from desktop.server import escalation_path, holding, schema, transitions, windows
from desktop.server.attempts import Work
from desktop.server.records import Draft
from desktop.server.roster import Moment
from desktop.server.rows import IS_OPEN, load, query, save
from desktop.server.station import Station

_incidents = schema.incidents.c
_HELD = query(
    _incidents.held_until > bindparam("now"),
    _incidents.service_id.in_(bindparam("services", expanding=True)),
    IS_OPEN,
).with_for_update()


def until(station: Station, work: Work, service: str, now: datetime) -> datetime | None:
    """Return until when incidents of ``service`` are held back that are triggered ``now``; None when they are not.

    The rows decide, so that none is held back by a window that another server just ended. They are asked only when a
    window is known: one made this instant elsewhere may still let a page through, which harms nobody.
    """
    if windows.covered_until(station.windows, service, now) is None:
        return None
    return windows.covered_until(windows.holding(work.connection, service, now), service, now)


def begin(station: Station, work: Work, draft: Draft, moment: Moment) -> None:
    """Page whom a new incident pages first, or nobody yet when its service is under maintenance."""
    held_until = until(station, work, draft.record.service_id, moment.now)
    if held_until is not None:
        holding.hold(draft, moment, held_until)
    transitions.work_off(draft, moment)


def plan_anew(station: Station, work: Work, services: Collection[str]) -> int:
    """After windows of ``services`` were changed: let what they hold back be held as long as they say now.

    What is not held any more is due at once, for the engine to page. Return how many incidents are held, or were.
    """
    moment = station.moment()
    held = load(work.connection, station.policies, _HELD, now=moment.now, services=sorted(services))
    drafts = [Draft(record, record) for record in held]
    known = {service: windows.holding(work.connection, service, moment.now) for service in services}
    for draft in drafts:
        service = draft.record.service_id
        holding.plan_anew(draft, moment, windows.covered_until(known[service], service, moment.now))
        escalation_path.schedule(draft, moment)
    work.changed.extend(save(work.connection, drafts, work.history))
    return len(drafts)
