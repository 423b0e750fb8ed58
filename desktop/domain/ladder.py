"""Which of a person's other channels is tried next, and when: the ladder that each page climbs. Pure.

Source of the rules: design, section 6. A page that the person's tray application showed waits a while for them; one
that nobody can have seen climbs at once, and so does one whose last message failed for good. Only who calls this knows
whether somebody acknowledged: then it ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from desktop.domain.severity import Severity

# A tray application confirms "displayed" within this time, or it cannot be relied on.
CONFIRMED_WITHIN = timedelta(seconds=30)
# Somebody in front of a page that is displayed has this long to touch keyboard or mouse.
UNTOUCHED = timedelta(minutes=2)
# A voice call or a chat needs about this long to be noticed and answered; then the next channel is tried.
BETWEEN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Climb:
    """How far one page of one person has climbed: the addresses ``used``, the last of them at ``climbed_at``.

    ``failed`` are those of them at which the message will never arrive. ``displayed_at`` and ``input_at`` are when
    their tray application confirmed that it shows the page, and that there was keyboard or mouse input since; None: it
    did not.
    """

    paged_at: datetime
    used: tuple[str, ...] = ()
    climbed_at: datetime | None = None
    displayed_at: datetime | None = None
    input_at: datetime | None = None
    failed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rung:
    """What to do now: send to ``address`` (None: nothing), and look again at ``look_at`` (None: never again).

    ``unreached``: nothing is left to try, and nothing can have told the person of the page.
    """

    address: str | None = None
    look_at: datetime | None = None
    unreached: bool = False


def has_ladder(severity: Severity) -> bool:
    """Tell whether pages of ``severity`` climb: SEV-3 is a notification only (design, section 3)."""
    return severity is not Severity.SEV3


def next_rung(
    addresses: Sequence[str], climb: Climb, now: datetime, *, live: bool, showing: bool = False
) -> Rung:  # fmt: skip
    """Return what is due ``now`` on the way along ``addresses``; ``live``: the tray application has a stream now.

    ``showing``: it shows the person other pages meanwhile, of which there may be more than a screen holds.
    However late somebody looks, one address is due at a time: an outage does not make all of them ring at once.
    """
    left = [address for address in addresses if address not in climb.used]
    if not left:
        return _top(climb, now, showing=showing)
    due = _due_at(climb, live=live)
    if due is None:
        return Rung()
    if due > now:
        return Rung(look_at=due)
    return Rung(left[0], now + BETWEEN if len(left) > 1 else None)


def _top(climb: Climb, now: datetime, *, showing: bool) -> Rung:
    """Return what there is to say where no address is left: whether the person was reached by any means."""
    if climb.displayed_at is not None or not climb.failed.issuperset(climb.used):
        return Rung()
    limit = climb.paged_at + CONFIRMED_WITHIN
    if now < limit:
        return Rung(look_at=limit)
    return Rung(look_at=now + UNTOUCHED) if showing else Rung(unreached=True)


def _due_at(climb: Climb, *, live: bool) -> datetime | None:
    """Return when the next address is due, None when the person is there and needs none."""
    if climb.climbed_at is not None:
        # What will never arrive is not waited for.
        return climb.climbed_at + (BETWEEN if climb.failed.isdisjoint(climb.used[-1:]) else timedelta(0))
    limit = climb.paged_at + CONFIRMED_WITHIN
    if climb.displayed_at is not None and climb.displayed_at <= limit:
        return climb.paged_at + UNTOUCHED if climb.input_at is None else None
    return limit if live else climb.paged_at
