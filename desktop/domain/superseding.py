"""Which connections need not be watched any more, since the settings name others. Pure."""

from collections.abc import Collection, Mapping
from datetime import datetime

from desktop.domain.attention import ConnectionState, Contact, attention


def superseded(states: Mapping[str, ConnectionState], wanted: Collection[str], now: datetime) -> tuple[str, ...]:
    """Return the ids that are not ``wanted`` and can go: never before there is contact with all that are wanted.

    What rings there, is in this person's hands, or is on its way there is let come to its end.
    """
    if any(i not in states or states[i].contact is not Contact.LIVE for i in wanted):
        return ()
    return tuple(i for i, state in states.items() if i not in wanted and not _busy(state, now))


def _busy(state: ConnectionState, now: datetime) -> bool:
    known = attention((state,), now)
    held = bool(known.pages) or known.acknowledged > 0
    # What is shown of a connection without contact is old, and may never come to its end.
    return bool(state.sending) or (held and state.contact is Contact.LIVE)
