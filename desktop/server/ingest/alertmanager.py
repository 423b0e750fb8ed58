"""``ingest/alertmanager``: the webhook of Prometheus' Alertmanager, version 4. Pure.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config: a group of alerts, each with its own status,
labels, annotations and fingerprint. Each alert is an incident of its own.
"""

from collections.abc import Mapping
from typing import Any

from desktop.domain.text import shorten
from desktop.server.ingest import generic
from desktop.server.ingest.report import Report, digest, first, links, part, text, unreadable

SENDER = "Alertmanager"

Json = Mapping[str, Any]

_OF_GROUP = ("receiver", "groupKey", "externalURL")
_COMMON = ("commonLabels", "commonAnnotations", "groupLabels", "groupKey")
# Of the group a little goes into the details of each of its alerts: short, for there may be many.
_SHORT = 300


def read(value: object) -> list[Report]:
    """Return the reports in a parsed body; none where it names no alert."""
    body, alerts = group(value)
    if alerts is None:
        return generic.read(value, SENDER)
    return [_one(alert, body) for alert in alerts]


def group(value: object) -> tuple[Json, list[Any] | None]:
    """Return a body as the group's own words and its alerts: one made of the group where it has none of its own.

    None instead of alerts: it is nothing like a group.
    """
    if not isinstance(value, dict):
        return {}, value if isinstance(value, list) else None
    alerts = value.get("alerts")
    if isinstance(alerts, list) and alerts:
        return value, alerts
    if any(value.get(name) for name in _COMMON):
        labels = {**part(value, "groupLabels"), **part(value, "commonLabels")}
        common = {"labels": labels, "annotations": part(value, "commonAnnotations"), "title": value.get("title")}
        return value, [{**common, "alerts": alerts} if alerts else common]
    return value, [] if isinstance(alerts, list) and not generic.title_in(value) else None


def name_of(alert: Json, body: Json) -> str:
    """Return what an alert is called: by its annotations, else its name and where it is; nothing when by neither."""
    labels, annotations, common = part(alert, "labels"), part(alert, "annotations"), part(body, "commonAnnotations")
    told = first(*(words.get(name) for words in (annotations, common) for name in ("summary", "description")))
    if told:
        return told
    called = first(labels.get("alertname"), part(body, "groupLabels").get("alertname"))
    where = first(labels.get("instance"))
    return f"{called} on {where}" if called and where else called


def key_of(alert: Json, body: Json) -> str:
    """Return what tells an alert from others: its fingerprint, else its group and labels, else all of it."""
    labels = alert.get("labels")
    return text(alert.get("fingerprint")) or digest(text(body.get("groupKey"))[:1000], labels or alert)


def details_of(alert: Json, body: Json, sender: str) -> dict[str, Any]:
    """Return an alert with what its group says, and with how many more of it the sender left out."""
    told = {name: shorten(text(body.get(name)), _SHORT) for name in _OF_GROUP if text(body.get(name))}
    left_out = text(body.get("truncatedAlerts"))
    if left_out not in ("", "0"):
        limited = f"{sender} left out {shorten(left_out, _SHORT)} more alerts of this group: see its limit of alerts"
        told["truncatedAlerts"] = limited
    return {**alert, **({"group": told} if told else {})}


def _one(alert: object, body: Json) -> Report:
    if not isinstance(alert, dict) or not alert:
        return unreadable(SENDER, alert)
    labels, annotations = part(alert, "labels"), part(alert, "annotations")
    title = name_of(alert, body) or generic.title_in(alert)
    return Report(
        SENDER,
        generic.action_of(alert.get("status") or body.get("status")),
        key_of(alert, body) if title else digest(SENDER, key_of(alert, body)),
        title or unreadable(SENDER, alert).title,
        (labels.get("severity"),),
        first(labels.get("instance")),
        links(
            (
                ("Source", alert.get("generatorURL")),
                ("Runbook", annotations.get("runbook_url")),
                ("Dashboard", annotations.get("dashboard_url")),
                (SENDER, body.get("externalURL")),
            )
        ),
        details=details_of(alert, body, SENDER),
    )
