"""What ``/metrics`` says, in Prometheus' words: what was counted, and a few questions to the database. Any thread.

``prometheus_client`` only writes it down, from a registry of its own for each answer: nothing is counted in it, and
whoever never asks does not wait for its import.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from desktop import __version__
from desktop.domain.incident import Status
from desktop.domain.severity import Severity
from desktop.server import findings, schema
from desktop.server.counts import Spread
from desktop.server.outbox import State
from desktop.server.rows import IS_OPEN
from desktop.server.station import Station
from desktop.server.tables.messages import messages
from desktop.server.tables.promises import heartbeats

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_incidents, _heartbeats = schema.incidents.c, heartbeats.c
_OPEN = (
    select(_incidents.status, _incidents.severity, func.count())
    .where(IS_OPEN)
    .group_by(_incidents.status, _incidents.severity)
)
_BY_STATE = select(messages.c.state, func.count()).group_by(messages.c.state)
_OLDEST = select(func.min(messages.c.created_at)).where(messages.c.state.in_([State.WAITING, State.SENDING]))

Labelled = Iterable[tuple[tuple[str, ...], float]]


def exposition(station: Station) -> bytes:
    """Return all metrics as text; StorageError when the database does not answer."""
    with station.storage.read() as connection:
        asked = list(_asked(station, connection, station.clock()))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected([*_counted(station), *asked]))
    return generate_latest(registry)


class _Collected(Collector):
    """Hands over what was collected already."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        """Return all metrics."""
        return self._found


def _counted(station: Station) -> Iterator[Metric]:
    """Yield what this server counted, without asking the database."""
    running, counts = station.running(), station.counts
    yield _counter("events", "Events of senders, by what became of them", ("action", "result"), counts.triggers.read())
    yield _counter(
        "http_requests", "Requests, by route and status", ("method", "route", "status"), counts.requests.read()
    )
    yield _histogram("escalation_lateness_seconds", "How late what was due was done", counts.lateness)
    yield _histogram("commit_seconds", "How long groups of commands took until they were durable",
                     station.writer.commits)  # fmt: skip
    yield _counter("engine_ticks", "How often the engine did all that was due", (), {(): running.ticks})
    yield _gauge("engine_last_tick_age_seconds", "Since when the engine did so", value=running.age)
    yield _gauge("writer_queue", "Commands that wait to be written", value=station.writer.queued)
    yield _gauge("writer_up", "1 while the last commit succeeded", value=_writes(station))
    yield _gauge("streams", "Open streams of clients", value=running.streams)
    gaps = [((role,), many) for role, many in sorted(running.gaps.items())]
    yield _gauge("schedule_gaps", "Times without anybody within 14 days", ("role",), gaps)
    labels = ("version", "schema", "database")
    database = "postgresql" if station.storage.shared else "sqlite"
    build = ((__version__, str(schema.SCHEMA_VERSION), database), 1)
    yield _gauge("build_info", "What runs here", labels, [build])


def _asked(station: Station, connection: Connection, now: datetime) -> Iterator[Metric]:
    """Yield what stands in rows, the same for every server on a database."""
    found = {(row[0], Severity(row[1]).key): row[2] for row in connection.execute(_OPEN)}
    every = [(s, each.key) for s in (Status.TRIGGERED.value, Status.ACKNOWLEDGED.value) for each in Severity]
    yield _gauge("incidents", "Open incidents", ("status", "severity"), [(key, found.get(key, 0)) for key in every])
    backlog, first = _backlog(connection, now)
    yield _gauge("due_backlog", "Incidents on which something is due", value=backlog)
    late = 0.0 if first is None else (now - first).total_seconds()
    yield _gauge("due_oldest_seconds", "Since when the first of them has been", value=late)
    yield _gauge("heartbeats", "Promises to call", ("state",), _promises(connection))
    kinds = {**dict.fromkeys(findings.KINDS, 0), **findings.count(connection)}
    yield _gauge("findings", "What the server finds wrong with itself", ("kind",),
                 [((kind,), many) for kind, many in sorted(kinds.items())])  # fmt: skip
    yield _gauge(
        "messages", "Messages that the database holds, by what became of them", ("state",), _messages(connection)
    )
    oldest = connection.execute(_OLDEST).scalar_one()
    waits = 0.0 if oldest is None else (now - oldest).total_seconds()
    yield _gauge("messages_oldest_seconds", "Since when the oldest one has waited that is not sent yet", value=waits)
    held = sorted({s for w in station.windows if w.start <= now < w.end for s in w.services})
    yield _gauge("services_in_maintenance", "Services that page nobody now", value=len(held))


def _backlog(connection: Connection, now: datetime) -> tuple[int, datetime | None]:
    due = _incidents.next_action_at
    many, first = connection.execute(select(func.count(), func.min(due)).where(due <= now)).one()
    return many, first


def _promises(connection: Connection) -> Labelled:
    silent = connection.execute(select(func.count()).where(_heartbeats.silent_since.is_not(None))).scalar_one()
    every = connection.execute(select(func.count()).select_from(heartbeats)).scalar_one()
    return [(("kept",), every - silent), (("silent",), silent)]


def _messages(connection: Connection) -> Labelled:
    found = {row[0]: row[1] for row in connection.execute(_BY_STATE)}
    return [((state,), found.get(state, 0)) for state in State]


def _writes(station: Station) -> int:
    return int(station.writer.alive and not station.writer.trouble)


def _counter(name: str, text: str, labels: tuple[str, ...], counts: Mapping[tuple[object, ...], int]) -> Metric:
    family = CounterMetricFamily(f"watchbell_{name}", f"{text}.", labels=labels)
    for key, many in sorted(counts.items(), key=str):
        family.add_metric([str(part) for part in key], many)
    return family


def _gauge(name: str, text: str, labels: tuple[str, ...] = (), values: Labelled = (), *, value: float = 0) -> Metric:
    family = GaugeMetricFamily(f"watchbell_{name}", f"{text}.", labels=labels)
    for key, number in values if labels else (((), value),):
        family.add_metric(list(key), number)
    return family


def _histogram(name: str, text: str, spread: Spread) -> Metric:
    family = HistogramMetricFamily(f"watchbell_{name}", f"{text}.", labels=())
    counts, total = spread.read()
    bounds = [*(str(bound) for bound in spread.bounds), "+Inf"]
    family.add_metric([], list(zip(bounds, counts, strict=True)), total)
    return family
