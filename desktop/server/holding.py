"""Holding an incident back while its service is under maintenance, and letting it go. Pure.

Held is what is triggered within a window: it pages nobody before the window ends, and then begins at its top. What
paged already when the window began goes on. Whom a person assigns, or escalates to, is paged all the same.
"""

from datetime import datetime
from typing import Final

from desktop.domain.escalation import begin_again
from desktop.server.records import ENGINE, Draft, Entry
from desktop.server.roster import Moment
from desktop.server.things import instant

HELD: Final = "maintenance"
OVER: Final = "maintenance_over"


def hold(draft: Draft, moment: Moment, until: datetime) -> None:
    """Let an incident page nobody before ``until``."""
    draft.change(held_until=until, updated_at=moment.now)
    said = instant(until)
    message = f"The service is under maintenance: this pages nobody before {said}, and then whoever is on call."
    draft.note(Entry(HELD, moment.now, ENGINE, "auto", {"until": said, "message": message}))


def plan_anew(draft: Draft, moment: Moment, until: datetime | None) -> None:
    """Take up that the maintenance of a held incident ends ``until``, or (None) now: the engine does the rest."""
    if until is None:
        draft.change(held_until=moment.now, updated_at=moment.now)
    elif until != draft.record.held_until:
        hold(draft, moment, until)


def holds_or_lets_go(draft: Draft, moment: Moment) -> bool:
    """Tell whether an incident is held still; one whose time is over is let go, and begins at its top now."""
    record = draft.record
    if record.held_until is None:
        return False
    if record.held_until > moment.now:
        return True
    progress = begin_again(record.plan, record.progress, moment.now)
    draft.change(held_until=None, progress=progress, updated_at=moment.now)
    draft.note(Entry(OVER, moment.now, ENGINE, "auto"))
    return False
