"""``ingest/grafana``: the webhook of Grafana's alerting, and that of its legacy alerting (before version 11). Pure.

https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
is Alertmanager's body with more addresses; a contact point with a payload of its own is read as ``ingest/generic``.
The legacy body: https://grafana.com/docs/grafana/v8.5/alerting/old-alerting/notifications/#webhook.
"""

from collections.abc import Mapping
from typing import Any

from desktop.server.events import link_of
from desktop.server.ingest import generic
from desktop.server.ingest.alertmanager import details_of, group, key_of, name_of
from desktop.server.ingest.report import Report, digest, first, links, part, text, unreadable

SENDER = "Grafana"

Json = Mapping[str, Any]

_LEGACY = ("ruleId", "ruleName", "ruleUrl", "evalMatches")


def read(value: object) -> list[Report]:
    """Return the reports in a parsed body; none where it names no alert."""
    if isinstance(value, dict) and not value.get("alerts") and any(name in value for name in _LEGACY):
        return [_legacy(value)]
    body, alerts = group(value)
    if alerts is None:
        return generic.read(value, SENDER)
    return [_one(alert, body) for alert in alerts]


def _one(alert: object, body: Json) -> Report:
    if not isinstance(alert, dict) or not alert:
        return unreadable(SENDER, alert)
    labels = part(alert, "labels")
    # The group's own title counts its alerts, so that it says least of one of them.
    title = name_of(alert, body) or first(labels.get("rulename"), generic.title_in(alert), body.get("title"))
    return Report(
        SENDER,
        generic.action_of(alert.get("status") or body.get("status")),
        key_of(alert, body) if title else digest(SENDER, key_of(alert, body)),
        title or unreadable(SENDER, alert).title,
        (labels.get("severity"),),
        first(labels.get("instance"), labels.get("host")),
        _links(alert, body),
        link_of(alert.get("imageURL")),
        details_of(alert, body, SENDER),
    )


def _links(alert: Json, body: Json) -> tuple[tuple[str, str], ...]:
    return links(
        (
            ("Panel", alert.get("panelURL")),
            ("Dashboard", alert.get("dashboardURL")),
            ("Alert rule", alert.get("generatorURL")),
            ("Runbook", part(alert, "annotations").get("runbook_url")),
            ("Silence", alert.get("silenceURL")),
            (SENDER, body.get("externalURL")),
        )
    )


def _legacy(value: Json) -> Report:
    """Read what Grafana's legacy alerting sends: one rule, which is over when its ``state`` is ``ok``."""
    rule = first(value.get("ruleId"), value.get("ruleUrl"), value.get("ruleName"))
    tags = part(value, "tags")
    return Report(
        SENDER,
        generic.action_of(value.get("state")),
        digest(text(value.get("orgId")), rule or value),
        first(generic.title_in(value), value.get("ruleName")) or unreadable(SENDER, value).title,
        (tags.get("severity"),),
        links=links((("Panel", value.get("ruleUrl")),)),
        image=link_of(value.get("imageUrl")),
        details=dict(value),
    )
