"""Taking events: those that arrive together share one look for what is known, and one write. On the writer's thread."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from desktop.domain.severity import Mapped
from desktop.server import incidents, maintenance, transitions
from desktop.server.authentication import find_service
from desktop.server.by_keys import known
from desktop.server.events import Action, Event
from desktop.server.failures import InvalidEvent
from desktop.server.limits import Flooded
from desktop.server.naming import nameless
from desktop.server.records import Draft, Entry, Record
from desktop.server.roster import Moment
from desktop.server.station import Station
from desktop.server.writer import Outcome, Work

_REOPEN_WITHIN = timedelta(minutes=transitions.REOPEN_WITHIN_MINUTES)

_Key = tuple[str, str]
"""A service and a dedup key."""


def take(station: Station, work: Work, event: Event, service: str, actor: str) -> str:
    """Take an event of the server's own about ``service``, as ``actor``; return its dedup key. No limit counts it."""
    taking = _Taking(station, work, [event], _Own(service, actor))
    key = taking.take(event, _Request())
    taking.save()
    return key


@dataclass(frozen=True, slots=True)
class _Own:
    """Of which service an event without a routing key is, and who made it."""

    service: str
    actor: str


class _Request:
    """What the limit counts as one attempt."""


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Take one event of the Events API; the result is its dedup key.

    Raises InvalidEvent when its routing key opens no service, Flooded when it would open one incident more than are
    taken by one key in a minute. Neither changes anything.
    """

    station: Station
    event: Event

    def __call__(self, work: Work) -> str:
        """Take this one alone."""
        return enqueue(self.station, work, [self.event])[0]

    def together(self, work: Work, commands: Sequence["Enqueue"]) -> list[Outcome]:
        """Take those of ``commands``, in order; one that is refused is no other's trouble."""
        taking = _Taking(self.station, work, [command.event for command in commands])
        outcomes: list[Outcome] = []
        for command in commands:
            try:
                outcomes.append(taking.take(command.event, _Request()))
            except (InvalidEvent, Flooded) as error:
                outcomes.append(error)
        taking.save()
        return outcomes


def enqueue(station: Station, work: Work, events: Sequence[Event]) -> list[str]:
    """Take all of ``events`` as one request, or none of them; return their dedup keys. Raises as ``Enqueue`` does."""
    taking, request = _Taking(station, work, events), _Request()
    keys = [taking.take(event, request) for event in events]
    taking.save()
    return keys


class _Taking:
    """What becomes of the incidents that ``events`` are about: read once, written once."""

    def __init__(self, station: Station, work: Work, events: Sequence[Event], own: _Own | None = None) -> None:
        self._station = station
        self._own = own
        self._work = work
        self._moment = station.moment()
        # An event without a key of its own is about nothing that is known.
        self._keys = {id(event): event.dedup_key or secrets.token_hex(16) for event in events}
        named: dict[str, list[str]] = {}
        for event in events:
            service = self._service(event)
            if service is not None and event.dedup_key is not None:
                named.setdefault(service, []).append(event.dedup_key)
        self._drafts: dict[_Key, Draft] = {}
        for service, keys in named.items():
            self._drafts |= {(service, r.dedup_key): Draft(r, r) for r in self._known(service, keys)}

    def take(self, event: Event, request: object) -> str:
        """Take one of the events, as part of ``request``."""
        service = self._service(event)
        if service is None:
            raise InvalidEvent(["'routing_key' is unknown or revoked"])
        actor = self._own.actor if self._own else f"service:{service}"
        key = service, self._keys[id(event)]
        draft = self._drafts.get(key)
        if event.action is Action.TRIGGER:
            if draft is None:
                if self._own is None:
                    self._station.limits.floods.admit(event.routing_key, *key, request)
                self._drafts[key] = self._open(event, key, actor)
            else:
                self._again(event, draft, actor)
        elif draft is not None and draft.record.open:
            if event.action is Action.ACKNOWLEDGE:
                transitions.acknowledge(draft, self._moment, actor, None)
            else:
                transitions.resolve(draft, self._moment, actor)
        return key[1]

    def save(self) -> None:
        """Write what became of them."""
        incidents.save(self._station, self._work, list(self._drafts.values()), self._moment.now)

    def _service(self, event: Event) -> str | None:
        if self._own is not None:
            return self._own.service
        found = self._work.services.get(event.routing_key)
        if found is None:
            found = find_service(self._work.connection, event.routing_key, self._moment.now)
            if found is not None:
                self._work.services[event.routing_key] = found
        return found

    def _known(self, service: str, keys: Sequence[str]) -> list[Record]:
        return known(self._work.connection, self._station.policies, service, keys, self._moment.now - _REOPEN_WITHIN)

    def _open(self, event: Event, key: _Key, actor: str) -> Draft:
        moment = self._moment
        severity = self._station.roster.severity(key[0], event.severity)
        title = event.title or nameless(self._station.directory.service(key[0]).name)
        draft = incidents.new(self._station, moment, *key, title, severity, actor)
        draft.change(link=event.link)
        draft.note(Entry("trigger", moment.now, actor, data={"event": dict(event.original)}))
        maintenance.begin(self._station, self._work, draft, moment)
        return draft

    def _again(self, event: Event, draft: Draft, actor: str) -> None:
        """Take note of a trigger of something that is known; what was resolved is reopened."""
        moment, service = self._moment, draft.record.service_id
        data = {"event": dict(event.original)}
        severity = self._station.roster.severity(service, event.severity)
        if draft.record.open:
            draft.change(updated_at=moment.now)
            draft.note(Entry("trigger", moment.now, actor, data={**data, "repeated": True}))
            _raise(draft, moment, actor, severity)
        else:
            # First, so that it is reopened as what it has become.
            _raise(draft, moment, actor, severity)
            held_until = maintenance.until(self._station, self._work, service, moment.now)
            transitions.reopen(draft, moment, actor, data, held_until)


def _raise(draft: Draft, moment: Moment, actor: str, said: Mapped) -> None:
    """Take over a worse severity of a repeated event (design, section 3); a milder or an unknown one says nothing."""
    if not said.note and said.severity < draft.record.severity:
        transitions.set_severity(draft, moment, actor, said.severity)
