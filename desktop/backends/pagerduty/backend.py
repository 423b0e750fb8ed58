"""One account on PagerDuty, or on a server that speaks its protocol. An instance serves one thread."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from desktop.backends.base import FullState, NewPage, Receipt, StreamEvent
from desktop.backends.pagerduty import history, listing, mapping
from desktop.backends.pagerduty.client import Json, Params, Patience, Wire
from desktop.backends.pagerduty.listing import LOOK, PAGE, Ask, Listed, Sweep, both, read_all, with_mine
from desktop.backends.pagerduty.sse import events
from desktop.backends.pagerduty.stream import Chunks, Following
from desktop.backends.route import Route
from desktop.domain.ailment import Ailment
from desktop.domain.errors import BackendFault, Forbidden, NotFound, Rejected, Unreachable
from desktop.domain.incident import Incident, OnCall, Person, Snapshot, Status
from desktop.domain.server_clock import Reading
from desktop.domain.severity import Severity, of_priority

STREAM_PATH = "/watchbell/v1/stream"
RECEIPTS_PATH = "/watchbell/v1/receipts"
_TRIGGERED = [("statuses[]", "triggered")]
_OPEN = [*_TRIGGERED, ("statuses[]", "acknowledged")]
_EVER = ("date_range", "all")
# "already resolved", "already acknowledged", "bad status": what was wanted is so, or overtaken (facts, 2.3).
_ALREADY = frozenset({1001, 1002, 1003})
# PagerDuty's API has nothing to accept or decline a request with.
_ASKED = "somebody has it already: answer the request to help on the incident's page in the browser"
_DIRECT, _USUAL = Route(), Patience()


class PagerDutyBackend:
    """Implements ``backends.base.Backend``."""

    def __init__(
        self,
        url: str,
        token: str,
        now: Callable[[], datetime],
        route: Route = _DIRECT,
        patience: Patience = _USUAL,
    ) -> None:
        self._wire = Wire(url, token, route, patience, now)
        self._now = now
        self._following: Following | None = None
        self._me: Person | None = None
        self._acts: bool | None = None
        self._priorities: tuple[tuple[str, str], ...] | None = None
        self._sweep = Sweep()

    def me(self) -> Person:
        """Return whose token this is."""
        user = self._wire.get("/users/me").get("user")
        me = mapping.person(user)
        if not me.id:
            said = f"what answers at {self._wire.host} is no escalation backend: it does not say whose token this is"
            raise BackendFault(said, ailment=Ailment.STRANGER_ANSWERS)
        self._me, self._acts = me, mapping.may_acknowledge(user)
        return me

    def may_acknowledge(self) -> bool | None:
        """Tell it by the role of whose token this is; None where that does not say."""
        if self._me is None:
            self.me()
        return self._acts

    def snapshot(self) -> Snapshot:
        """Return all open incidents and who is on call, by two requests, and once by one more; at the server's time.

        Where more than ``LOOK`` pages are open: this person's, and of the others what this look and those before read.
        """
        me = self._me or self.me()
        listed = self._open_ones(me)
        found = Snapshot(me, listed.incidents, self.on_call(), self._server_now(), whole=listed.whole)
        if self._following is not None:
            self._following.caught_up()
        return found

    def _open_ones(self, me: Person) -> Listed:
        pages = LOOK
        if self._following is not None:
            # The stream told what is newer than an earlier look.
            self._sweep, pages = Sweep(), listing.MOST // PAGE
        self._sweep.read(self._asking(_OPEN, [_EVER]), pages)
        if self._sweep.at_once:
            return Listed(tuple(self._sweep.known.values()), whole=True)
        mine = [_EVER, ("user_ids[]", me.id)]
        return with_mine(self._sweep, both(self._asking(_OPEN, mine), self._asking(_TRIGGERED, mine)), me.id)

    @contextmanager
    def stream(self, *, present: bool = True) -> Iterator[Iterator[StreamEvent]]:
        """Follow our server's stream; PagerDuty has none, and answers NotFound."""
        self._following = Following()
        try:
            with self._wire.lines(STREAM_PATH if present else f"{STREAM_PATH}?present=false") as chunks:
                yield self._stream_events(chunks, self._following)
        finally:
            self._following = None

    def _stream_events(self, chunks: Chunks, following: Following) -> Iterator[StreamEvent]:
        for event in events(chunks):
            for news in following.take(event):
                chunks.heard()
                if isinstance(news, FullState):
                    self._wire.heard_clock(news.snapshot.taken_at, chunks.sent)
                yield news
                # However long that took, it was not the stream that was silent.
                chunks.heard()
        if not self._wire.closed:
            raise Unreachable("the server ended the stream")

    def incident(self, incident_id: str) -> Incident:
        """Return one incident by its id or number."""
        return self._one(self._wire.get(f"/incidents/{_segment(incident_id)}"))

    def incidents(self, *, resolved: bool = False, since: datetime | None = None) -> tuple[Incident, ...]:
        """Return open incidents, of all time or ``since`` then, resolved ones too where asked: the last 10,000."""
        statuses = [*_OPEN, ("statuses[]", "resolved")] if resolved else _OPEN
        window = _EVER if since is None else ("since", since.astimezone(UTC).isoformat())
        return read_all(self._asking(statuses, [window])).incidents[::-1]

    def _asking(self, statuses: Params, which: Params) -> Ask:
        def ask(limit: int, offset: int) -> tuple[tuple[Incident, ...], bool]:
            pages = [("sort_by", "created_at:desc"), ("limit", str(limit)), ("offset", str(offset))]
            answer = self._wire.get("/incidents", [*statuses, *which, *pages])
            return self._many(answer), bool(answer.get("more"))

        return ask

    def paged(self, incident_id: str, person_id: str) -> bool:
        """Tell by an incident's history whether it was ever this person's, or paged them."""
        return history.concerns(self._wire, f"/incidents/{_segment(incident_id)}/log_entries", person_id)

    def on_call(self) -> tuple[OnCall, ...]:
        """Return who is on call now, at every level of every policy; of more than are given, at least this person."""
        found, whole = self._on_call()
        if not whole:
            mine, _ = self._on_call(("user_ids[]", (self._me or self.me()).id))
            found = dict.fromkeys((*found, *mine))
        return tuple(found)

    def _on_call(self, *only: tuple[str, str]) -> tuple[dict[OnCall, None], bool]:
        """Return the entries of ``only`` those, each once, and whether they are all."""
        found: dict[OnCall, None] = {}
        offset = 0
        while offset < listing.MOST:
            params = [*only, ("include[]", "users"), ("limit", str(PAGE)), ("offset", str(offset))]
            answer = self._wire.get("/oncalls", params)
            page = mapping.on_call(answer)
            found |= dict.fromkeys(page)
            offset += len(page)
            if not page or not answer.get("more"):
                return found, True
        return found, False

    def acknowledge(self, incident_id: str) -> Incident:
        """Acknowledge; one that is acknowledged or resolved already is returned as it is."""
        return self._set_status(incident_id, "acknowledged")

    def resolve(self, incident_id: str, *, false_alarm: bool = False) -> Incident:
        """Resolve, saying so if it was a false alarm; one that is resolved already is returned as it is."""
        return self._set_status(incident_id, "resolved", **({"resolution": "False alarm"} if false_alarm else {}))

    def trigger(self, page: NewPage) -> Incident:
        """Open an incident; the open one that has its dedup key is returned instead where there is one."""
        severity, dedup_key = page.severity, page.dedup_key
        new: dict[str, object] = {"type": "incident", "title": page.title, "service": self._service(page.service)}
        if page.to is not None:
            new["assignments"] = [{"assignee": {"type": "user_reference", "id": page.to}}]
        if severity is not None:
            new["urgency"] = severity.urgency.value
            if (priority := self._priority(severity)) is not None:
                new["priority"] = {"type": "priority_reference", "id": priority}
        if dedup_key is not None:
            new["incident_key"] = dedup_key
        try:
            return self._one(self._wire.post("/incidents", {"incident": new}, self._email()))
        except Rejected:
            existing = self._with_key(dedup_key) if dedup_key is not None else None
            if existing is None:
                raise
            return existing

    def confirm(self, receipts: Sequence[Receipt]) -> None:
        """Tell our own server what became of pages here; PagerDuty counts none, and is told nothing."""
        told = [{"incident": r.incident, "page": r.page, "type": r.confirmed.value} for r in receipts if r.page > 0]
        if told:
            self._wire.post(RECEIPTS_PATH, {"receipts": told})

    def clock(self) -> Reading | None:
        """Return the best reading of the backend's clock: of the ``Date`` of its answers, or of its stream."""
        return self._wire.clock

    def _server_now(self) -> datetime:
        read = self._wire.clock
        return self._now() if read is None else self._now() + read.offset

    def close(self) -> None:
        """End the stream and what only asks, from any thread; a command under way is left to its answer."""
        self._wire.close()

    def _set_status(self, incident_id: str, status: str, **more: str) -> Incident:
        body = {"incident": {"type": "incident_reference", "status": status, **more}}
        try:
            return self._one(self._wire.put(f"/incidents/{_segment(incident_id)}", body, self._email()))
        except Rejected as e:
            if e.code not in _ALREADY:
                raise
            found = self.incident(incident_id)
            if found.status is Status.TRIGGERED or (status == "resolved" and found.open):
                # Somebody took it back meanwhile: that is not what was wanted.
                raise
            if found.request_to((self._me or self.me()).id) is not None:
                raise Rejected(_ASKED) from e
            return found

    def _one(self, answer: Json) -> Incident:
        return mapping.incident(answer.get("incident"), self._names(answer))

    def _many(self, answer: Json) -> tuple[Incident, ...]:
        return mapping.incidents(answer, self._names(answer))

    def _names(self, answer: Json) -> tuple[str, ...]:
        """Return the names of the account's priorities, where ``answer`` cannot be understood without."""
        return tuple(name for _, name in self._known_priorities()) if mapping.needs_priorities(answer) else ()

    def _known_priorities(self) -> tuple[tuple[str, str], ...]:
        """Return the id and name of the account's priorities, the worst first; asked for once by each instance.

        An account whose plan has no priorities answers 402, 403 or 404 (facts on PagerDuty, 2.7): it has none.
        """
        if self._priorities is None:
            try:
                self._priorities = mapping.named(self._wire.get("/priorities"), "priorities")
            except (Forbidden, NotFound, Rejected):
                self._priorities = ()
        return self._priorities

    def _with_key(self, dedup_key: str) -> Incident | None:
        params = [*_OPEN, ("incident_key", dedup_key), _EVER]
        return next(iter(self._many(self._wire.get("/incidents", params))), None)

    def _service(self, wanted: str | None) -> Mapping[str, str]:
        services = mapping.named(self._wire.get("/services", [("limit", str(PAGE))]), "services")
        for service_id, name in services:
            if wanted is None or wanted in {service_id, name}:
                return {"type": "service_reference", "id": service_id}
        ids = ", ".join(i if i == name else f"{i} ({name})" for i, name in services[:10]) or "none"
        raise Rejected(f"there is no service {wanted!r}: the services are {ids}")

    def _priority(self, severity: Severity) -> str | None:
        """Return the id of the priority that means ``severity``; None in an account without any: urgency must do."""
        priorities = self._known_priorities()
        names = tuple(name for _, name in priorities)
        for priority_id, name in priorities:
            if of_priority(name, severity.urgency, names) is severity:
                return priority_id
        if priorities:
            raise Rejected(f"there is no priority {severity.label}: the priorities are {', '.join(names)}")
        return None

    def _email(self) -> str:
        return (self._me or self.me()).email


def _segment(incident_id: str) -> str:
    """Return an id as it may stand in a path: what is no id is known nowhere."""
    if not incident_id.isalnum() or not incident_id.isascii():
        raise Rejected(f"{incident_id[:40]!r} is no incident's id")
    return incident_id
