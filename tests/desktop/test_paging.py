"""The main job, on a real desktop: an alert is seen and heard, one click acknowledges it, and the backend knows."""

import json
from pathlib import Path

import pytest

from desktop.backends.base import IncidentChanged, NewPage
from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.domain.incident import Incident, Status
from desktop.domain.severity import Severity
from tests.desktop.application import Application, application, await_popup
from tests.desktop.session import Session

ALERTMANAGER = """
route: {{receiver: watchbell, group_by: [alertname], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: watchbell
    pagerduty_configs:
      - url: {url}/v2/enqueue
        routing_key: {key}
        severity: '{{{{ .CommonLabels.severity }}}}'
        description: '{{{{ .CommonAnnotations.summary }}}}'
        send_resolved: true
"""
LABELS = {"alertname": "PaymentsErrors", "severity": "critical"}
SUMMARY = "Payments API: 5xx above 20 % in eu-west-1"


def await_status(backend: PagerDutyBackend, status: Status) -> Incident:
    """Return the incident that has ``status``, now or as soon as the server says so."""
    found = [i for i in backend.incidents(resolved=True) if i.status is status]
    if found:
        return found[0]
    with backend.stream() as events:
        again = [i for i in backend.incidents(resolved=True) if i.status is status]
        if again:
            return again[0]
        return next(e.incident for e in events if isinstance(e, IncidentChanged) and e.incident.status is status)


def test_alertmanager_pages_and_a_click_acknowledges(session: Session) -> None:
    with session.map_events() as maps, session.listen() as ear, application(session) as app:
        session.await_tray_icons(1)
        backend = app_backend(app)
        with session.alertmanager(ALERTMANAGER.format(url=app.url, key=app.key())) as alerts:
            alerts.fire(LABELS, {"summary": SUMMARY})
            popup = await_popup(maps)
            ear.wait_for_sound()
            (it,) = backend.incidents()
            assert (it.title, it.status) == (SUMMARY, Status.TRIGGERED)

            app.acknowledge_by_click(popup, lambda: backend.incident(it.id).status is Status.ACKNOWLEDGED)
            ear.wait_for_silence()
            assert backend.incident(it.id).acknowledged_by(backend.me().id)
            shown = json.loads(app.command("incidents", "--json"))["incidents"]
            assert [(i["id"], i["status"]) for i in shown] == [(it.id, "acknowledged")]

            alerts.resolve(LABELS)
            assert await_status(backend, Status.RESOLVED).id == it.id


def test_a_crashed_server_comes_back_and_the_page_goes_on(session: Session) -> None:
    with session.map_events() as maps, session.listen() as ear, application(session) as app:
        app.await_server()
        app.command("page", "Disk full", "--severity", "sev0")
        popup = await_popup(maps)
        ear.wait_for_sound()
        url = app.url
        app.kill_server()
        # The address stays, so that what posts alerts there goes on working.
        app.acknowledge_by_click(popup, lambda: '"acknowledged"' in incidents_of(app))
        ear.wait_for_silence()
        assert app.url == url


def test_a_page_is_still_there_after_a_restart(session: Session) -> None:
    home = session.new_home()
    with session.map_events() as maps:
        with application(session, home=home) as app:
            app.await_server()
            app.command("page", "Disk full", "--severity", "sev0")
            await_popup(maps)
        with application(session, home=home) as app:
            # From the copy that was kept, before the server is there.
            popup = await_popup(maps)
            app.await_server()
            app.acknowledge_by_click(popup, lambda: '"acknowledged"' in incidents_of(app))


@pytest.mark.parametrize("title", ["<h1>HTML</h1><img src=x>", "-rf /", "قاعدة البيانات ممتلئة", "x" * 100_000])
def test_hostile_titles_are_shown_and_acknowledged(session: Session, title: str, tmp_path: Path) -> None:
    with session.map_events() as maps, application(session) as app:
        backend = app_backend(app)
        app.command("page", "--severity", "sev0", "--", title)
        popup = await_popup(maps)
        width, height = app.size(popup.window)
        assert width < 800
        assert height < 500
        (it,) = backend.incidents()
        app.acknowledge_by_click(popup, lambda: backend.incident(it.id).status is Status.ACKNOWLEDGED)


def test_the_history_says_that_the_page_was_seen_and_heard(session: Session) -> None:
    with session.map_events() as maps, session.listen() as ear, application(session) as app:
        backend = app_backend(app)
        it = backend.trigger(NewPage("Replica db-3 is behind", Severity.SEV0))
        popup = await_popup(maps)
        ear.wait_for_sound()
        app.await_history(it.id, "displayed", "sounded")
        app.acknowledge_by_click(popup, lambda: backend.incident(it.id).status is Status.ACKNOWLEDGED)
        app.await_history(it.id, "input")


def app_backend(app: Application) -> PagerDutyBackend:
    app.await_server()
    return app.backend()


def incidents_of(app: Application) -> str:
    return app.command("incidents", "--json")
