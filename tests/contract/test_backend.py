"""What every backend does, and the fake too."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from desktop.backends.base import Backend, Confirmed, FullState, IncidentChanged, NewPage, Receipt
from desktop.backends.pagerduty import mapping
from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.backends.pagerduty.client import Wire
from desktop.domain.errors import NotFound, Rejected, Unauthorized
from desktop.domain.incident import ActionKind, Status, next_responders
from desktop.domain.severity import Severity, Urgency, of_priority
from desktop.system.clock import utc_now
from tests.fakes.backend import FakeBackend, FakeServer
from tests.faults.backend.server import FaultyServer
from tests.serving import Serving, serving

Make = Callable[[], Backend]
PAGE = NewPage("Disk full", Severity.SEV0)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def faulty() -> Iterator[FaultyServer]:
    server = FaultyServer()
    yield server
    server.stop()


@pytest.fixture(params=["fake", "faulty", "real"])
def make(request: pytest.FixtureRequest) -> Make:
    if request.param == "fake":
        server = FakeServer()
        return lambda: FakeBackend(server)
    if request.param == "faulty":
        faulty: FaultyServer = request.getfixturevalue("faulty")
        return lambda: PagerDutyBackend(faulty.url, faulty.account.token, utc_now)
    running: Serving = request.getfixturevalue("real")
    token = running.token()
    return lambda: PagerDutyBackend(running.url, token, utc_now)


class TestBackend:
    def test_it_knows_whose_token_it_is(self, make: Make) -> None:
        me = make().me()
        assert (me.id, me.name, me.email) == ("ana", "Ana Ruiz", "ana@example.com")

    def test_nobody_is_said_to_be_kept_from_acknowledging_who_may(self, make: Make) -> None:
        backend = make()
        assert backend.may_acknowledge() is not False
        assert backend.acknowledge(backend.trigger(PAGE).id).status is Status.ACKNOWLEDGED

    def test_a_page_is_opened_acknowledged_and_resolved(self, make: Make) -> None:
        backend = make()
        opened = backend.trigger(PAGE)
        assert (opened.status, opened.severity, opened.title) == (Status.TRIGGERED, Severity.SEV0, "Disk full")
        assert opened.assigned_to("ana")
        acknowledged = backend.acknowledge(opened.id)
        assert acknowledged.status is Status.ACKNOWLEDGED
        assert acknowledged.acknowledged_by("ana")
        resolved = backend.resolve(opened.id)
        assert (resolved.status, resolved.version > opened.version) == (Status.RESOLVED, True)
        assert backend.incident(opened.id).status is Status.RESOLVED

    @pytest.mark.parametrize("severity", Severity)
    def test_a_severity_comes_back_as_it_was_sent(self, make: Make, severity: Severity) -> None:
        backend = make()
        opened = backend.trigger(NewPage("Disk full", severity))
        assert backend.incident(opened.id).severity is severity
        backend.resolve(opened.id)

    def test_doing_it_twice_is_doing_it_once(self, make: Make) -> None:
        backend = make()
        opened = backend.trigger(PAGE)
        first = backend.acknowledge(opened.id)
        assert backend.acknowledge(opened.id) == first
        assert backend.resolve(opened.id) == backend.resolve(opened.id)
        assert backend.acknowledge(opened.id).status is Status.RESOLVED

    def test_the_same_dedup_key_is_the_same_incident_while_it_is_open(self, make: Make) -> None:
        backend = make()
        page = NewPage("Disk full", Severity.SEV1, dedup_key="disk-7")
        first = backend.trigger(page)
        assert backend.trigger(page).id == first.id
        backend.resolve(first.id)

    def test_the_lists_hold_what_they_should(self, make: Make) -> None:
        backend = make()
        kept, done = backend.trigger(PAGE), backend.trigger(PAGE)
        backend.resolve(done.id)
        still_open = {i.id for i in backend.incidents()}
        assert kept.id in still_open
        assert done.id not in still_open
        assert {kept.id, done.id} <= {i.id for i in backend.incidents(resolved=True)}
        assert {i.id for i in backend.snapshot().incidents} == still_open
        since = {i.id for i in backend.incidents(resolved=True, since=kept.created_at)}
        assert kept.id in since
        later = max(kept.created_at, done.created_at) + timedelta(seconds=1)
        assert backend.incidents(resolved=True, since=later) == ()

    def test_the_history_says_whom_an_incident_concerned(self, make: Make) -> None:
        backend = make()
        opened = backend.trigger(PAGE)
        assert backend.paged(opened.id, "ana")
        assert not backend.paged(opened.id, "nobody")
        backend.resolve(opened.id)
        assert backend.paged(opened.id, "ana")

    def test_what_is_not_there_is_said(self, make: Make) -> None:
        with pytest.raises((NotFound, Rejected)):
            make().acknowledge("NOSUCHINCIDENT")

    def test_who_is_on_call(self, make: Make) -> None:
        assert any(o.person.id == "ana" and o.role == "primary" and o.level == 1 for o in make().on_call())

    def test_the_stream_begins_with_everything_and_tells_every_change(self, make: Make) -> None:
        backend, other = make(), make()
        opened = other.trigger(PAGE)
        with backend.stream() as events:
            first = next(events)
            assert isinstance(first, FullState)
            assert first.snapshot.me.id == "ana"
            assert opened.id in {i.id for i in first.snapshot.incidents}
            other.acknowledge(opened.id)
            changed = next(e for e in events if isinstance(e, IncidentChanged))
            assert (changed.incident.id, changed.incident.status) == (opened.id, Status.ACKNOWLEDGED)

    def test_closing_ends_the_stream_at_once(self, make: Make) -> None:
        backend = make()
        with backend.stream() as events:
            next(events)
            closer = threading.Timer(0.05, backend.close)
            closer.start()
            list(events)
            closer.join()

    def test_pages_are_confirmed_and_what_is_no_page_of_ours_is_said(self, make: Make) -> None:
        backend = make()
        opened = backend.trigger(PAGE)
        assert opened.pages == 1
        receipts = [Receipt(opened.id, opened.pages, confirmed) for confirmed in Confirmed]
        for _ in range(2):
            backend.confirm(receipts)
        with pytest.raises(NotFound):
            backend.confirm([Receipt("QNOSUCH", 1, Confirmed.DISPLAYED)])
        backend.confirm([])
        backend.resolve(opened.id)


class TestRealServer:
    """What only the real server has."""

    def test_its_priorities_are_read_as_pagerdutys_are(self, real: Serving) -> None:
        names = [name for _, name in mapping.named(Wire(real.url, real.token()).get("/priorities"), "priorities")]
        assert [of_priority(name, Urgency.LOW, names) for name in names] == list(Severity)

    def test_a_revoked_or_unknown_token_is_not_accepted(self, real: Serving) -> None:
        backend = PagerDutyBackend(real.url, "wb_unknown", utc_now)
        for call in (backend.me, backend.incidents, backend.on_call, lambda: backend.acknowledge("Q1")):
            with pytest.raises(Unauthorized):
                call()
        with pytest.raises(Unauthorized), backend.stream():
            pass

    def test_the_countdown_and_who_comes_next(self, real: Serving) -> None:
        backend = PagerDutyBackend(real.url, real.token(), utc_now)
        opened = backend.trigger(PAGE)
        assert opened.escalates_at is not None
        assert (opened.escalates_at - opened.created_at).total_seconds() == 900
        nexts = next_responders(opened, backend.on_call())
        assert [(o.person.name, o.role) for o in nexts] == [("Ben Okafor", "secondary")]
        acknowledged = backend.acknowledge(opened.id)
        assert acknowledged.escalates_at is None
        assert acknowledged.action_at(ActionKind.UNACKNOWLEDGE) is not None

    def test_a_page_to_one_person_goes_to_that_one_alone(self, real: Serving) -> None:
        backend = PagerDutyBackend(real.url, real.token(), utc_now)
        opened = backend.trigger(NewPage("Test", Severity.SEV1, to="ben"))
        assert [p.id for p in opened.assignees] == ["ben"]
        assert opened.escalates_at is None

    def test_who_is_asked_to_help_is_paged_until_they_acknowledge(self, real: Serving) -> None:
        bens = PagerDutyBackend(real.url, real.token("ben"), utc_now)
        anas = PagerDutyBackend(real.url, real.token(), utc_now)
        opened = anas.acknowledge(anas.trigger(PAGE).id)
        target = {"responder_request_target": {"id": "ben", "type": "user_reference"}}
        request = {"requester_id": "ana", "message": "the disk?", "responder_request_targets": [target]}
        Wire(real.url, real.token()).post(f"/incidents/{opened.id}/responder_requests", request)
        found = bens.incident(opened.id)
        assert (found.status, found.pages) == (Status.ACKNOWLEDGED, opened.pages + 1)
        assert found.pages_person("ben")
        assert not found.pages_person("ana")
        asked = found.request_to("ben")
        assert asked is not None
        assert (asked.by.name, asked.message) == ("Ana Ruiz", "the disk?")
        joined = bens.acknowledge(opened.id)
        assert joined.request_to("ben") is None
        assert {a.person.id for a in joined.acknowledgements} == {"ana", "ben"}
        anas.resolve(opened.id)

    def test_our_own_server_says_that_its_people_may_acknowledge(self, real: Serving) -> None:
        assert PagerDutyBackend(real.url, real.token(), utc_now).may_acknowledge() is True

    def test_receipts_stand_in_the_history_once(self, real: Serving) -> None:
        backend = PagerDutyBackend(real.url, real.token(), utc_now)
        opened = backend.trigger(PAGE)
        for _ in range(2):
            backend.confirm([Receipt(opened.id, 1, Confirmed.DISPLAYED)])
        found = Wire(real.url, real.token()).get(f"/incidents/{opened.id}/log_entries")["log_entries"]
        assert [e["watchbell"]["type"] for e in found if e["type"] == "notify_log_entry"] == ["displayed"]
        backend.resolve(opened.id)

    def test_hostile_titles_arrive_plain(self, real: Serving) -> None:
        backend, key = PagerDutyBackend(real.url, real.token(), utc_now), real.key()
        titles = {
            "html": "<img src=x onerror=alert(1)><b>bold</b>",
            "dash": "-rf / --help",
            "rtl": "قاعدة البيانات \u202eممتلئة",
            "nul": "a\0b\ud800c",
            "long": "x" * 100_000,
        }
        for dedup, title in titles.items():
            real.enqueue(key, title, dedup=dedup)
        shown = {i.dedup_key: i.title for i in backend.incidents() if i.dedup_key in titles}
        assert shown.pop("long") == "x" * 1023 + "…"
        assert shown == {
            "html": titles["html"],
            "dash": titles["dash"],
            "rtl": "قاعدة البيانات ممتلئة",
            "nul": "a�b�c",
        }
