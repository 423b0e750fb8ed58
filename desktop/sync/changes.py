"""What news does to what is known of a connection. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from desktop.backends.base import Alive, FullState, IncidentChanged, OnCallChanged, StreamEvent
from desktop.domain.attention import Command, ConnectionState, Contact, Sending
from desktop.domain.incident import Incident, Snapshot

# Resolved incidents stay known for a while, so that the screen can say what became of a page.
RESOLVED_KEPT = 20
# And so do those that went to somebody else.
LEFT_KEPT = 20


def heard(state: ConnectionState, event: StreamEvent, now: datetime) -> ConnectionState:
    """Apply one ``event`` of the backend, which is heard ``now`` (local time)."""
    if isinstance(event, FullState):
        offset = event.snapshot.taken_at - now
        known = state.snapshot.incidents if state.snapshot is not None else ()
        left = _left(state, known, {i.id: i for i in event.snapshot.incidents})
        snapshot = _anew(state.snapshot, event.snapshot)
        state = replace(state, snapshot=snapshot, offset=offset, watched_since=None, left=left)
    elif isinstance(event, IncidentChanged):
        state = with_incident(state, event.incident)
    elif isinstance(event, OnCallChanged) and state.snapshot is not None:
        state = replace(state, snapshot=replace(state.snapshot, on_call=event.on_call))
    if state.contact is not Contact.LIVE and (state.snapshot is not None or not isinstance(event, Alive)):
        state = replace(state, contact=Contact.LIVE, since=now, trouble="", needs_token=False)
    return replace(state, heard_at=now)


def _anew(known: Snapshot | None, told: Snapshot) -> Snapshot:
    """Return what was ``told``; what is ``known`` where that says the same, so that nothing is shown or kept anew."""
    return told if known is None or replace(told, taken_at=known.taken_at) != known else known


def _left(state: ConnectionState, known: Iterable[Incident], now: Mapping[str, Incident | None]) -> tuple[str, ...]:
    """Return which incidents are open and somebody else's ``now``, of those that are ``known`` as mine or left before.

    None stands for one of which there is no news.
    """
    if state.snapshot is None:
        return ()
    me = state.snapshot.me.id
    ids = dict.fromkeys((*state.left, *(i.id for i in known if i.open and i.concerns(me))))
    gone = [i for i in ids if i in now and ((it := now[i]) is None or (it.open and not it.concerns(me)))]
    return tuple(gone[-LEFT_KEPT:])


def with_incident(state: ConnectionState, incident: Incident) -> ConnectionState:
    """Put ``incident`` in place of what was known of it, unless a newer version of it is known."""
    snapshot = state.snapshot
    if snapshot is None:
        return state
    known = next((i for i in snapshot.incidents if i.id == incident.id), None)
    if known is not None and known.version > incident.version:
        return state
    rest = [i for i in snapshot.incidents if i.id != incident.id]
    resolved = [i for i in rest if not i.open]
    if not incident.open and len(resolved) >= RESOLVED_KEPT:
        rest.remove(resolved[0])
    failed = without(state.failed, incident.id) if not incident.open else state.failed
    others = dict.fromkeys(state.left, None)
    left = _left(state, [known] if known is not None else [], {**others, incident.id: incident})
    return replace(state, snapshot=replace(snapshot, incidents=(*rest, incident)), failed=failed, left=left)


def lost(state: ConnectionState, trouble: str, now: datetime, *, needs_token: bool = False) -> ConnectionState:
    """Note that the backend does not answer ``now``; ``needs_token`` is why, where it is."""
    state = replace(state, needs_token=needs_token)
    if state.contact is Contact.LOST:
        return replace(state, trouble=trouble)
    # The clock may have been set back between hearing and noting it.
    heard_at = None if state.heard_at is None else min(state.heard_at, now)
    return replace(state, contact=Contact.LOST, since=now, trouble=trouble, heard_at=heard_at)


def doubted(state: ConnectionState, now: datetime) -> ConnectionState:
    """Note that nobody watched for a while until ``now``: what is known is old until the backend is heard again.

    Or the clock was set. Where that was back, nothing may count from a time that is still to come: contact would not be
    missed, and a click would seem to be on its way, for as long as that.
    """
    heard_at = None if state.heard_at is None else min(state.heard_at, now)
    on_its_way = {k: replace(s, since=min(s.since, now)) for k, s in state.sending.items()}
    state = replace(state, since=now, heard_at=heard_at, sending=MappingProxyType(on_its_way))
    return state if state.snapshot is None else replace(state, contact=Contact.CONNECTING, watched_since=now)


def missing(state: ConnectionState, snapshot: Snapshot) -> tuple[str, ...]:
    """Return the incidents of this person that ``snapshot`` does not tell of any more, by their ids."""
    if state.snapshot is None:
        return ()
    told = {i.id for i in snapshot.incidents}
    me = state.snapshot.me.id
    return tuple(i.id for i in state.snapshot.incidents if i.open and i.concerns(me) and i.id not in told)


def pages_anew(state: ConnectionState, snapshot: Snapshot) -> bool:
    """Tell whether ``snapshot`` pages this person for something of which that was not known."""
    known = {i.id: i for i in state.snapshot.incidents} if state.snapshot is not None else {}
    me = snapshot.me.id

    def new(incident: Incident) -> bool:
        before = known.get(incident.id)
        return before is None or not before.pages_person(me) or before.pages != incident.pages

    return any(i.pages_person(me) and new(i) for i in snapshot.incidents)


def troubled(state: ConnectionState, incident_id: str, trouble: str) -> ConnectionState:
    """Note why what is on its way waits."""
    waits = state.sending.get(incident_id)
    if waits is None or waits.trouble == trouble:
        return state
    return replace(state, sending=MappingProxyType({**state.sending, incident_id: replace(waits, trouble=trouble)}))


def sending(state: ConnectionState, incident_id: str, command: Command, since: datetime) -> ConnectionState:
    """Note that ``command`` is durable and on its way."""
    on_its_way = MappingProxyType({**state.sending, incident_id: Sending(command, since)})
    return replace(state, sending=on_its_way, failed=without(state.failed, incident_id))


def still_sending(state: ConnectionState, incident_id: str, command: Command, since: datetime) -> ConnectionState:
    """Note that ``command`` is on its way beside one that was answered; what became of that stays told."""
    on_its_way = MappingProxyType({**state.sending, incident_id: Sending(command, since)})
    return replace(state, sending=on_its_way)


def settled(state: ConnectionState, incident: Incident) -> ConnectionState:
    """Note that the backend confirmed a command, with the ``incident`` as it is now."""
    return with_incident(replace(state, sending=without(state.sending, incident.id)), incident)


def refused(state: ConnectionState, incident_id: str, reason: str) -> ConnectionState:
    """Note that the backend refused a command for good."""
    failed = MappingProxyType({**state.failed, incident_id: reason})
    return replace(state, sending=without(state.sending, incident_id), failed=failed)


T = TypeVar("T")


def without(items: Mapping[str, T], key: str) -> Mapping[str, T]:
    """Return ``items`` without ``key``."""
    return MappingProxyType({k: v for k, v in items.items() if k != key})
